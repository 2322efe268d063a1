"""A complete agreement to begin with, commented, in English or French."""

import datetime as dt
import re
import textwrap
import uuid
from collections.abc import Sequence
from importlib.resources import files
from string import Template
from typing import Any, Literal

import tomli_w

from sosie.table import CODED, Column, Kind, Schema
from sosie.trust._vocabulary import Vocabulary, meaning_of, terms_of

__all__ = ["Lang", "agreement_template"]

Lang = Literal["en", "fr"]

_EXAMPLE = (
    ("age", "Age", ""),
    ("sex", "Gender", ""),
    ("education", "Education", ""),
    ("diagnosis", "Health", ""),
)
_EXAMPLE_DATA = {"en": "Persons of the study", "fr": "Personnes de l'étude"}
_LEFT_OUT = {
    "en": "Left out, for it may name persons:",
    "fr": "Laissée de côté, car elle peut nommer des personnes :",
}
_GUESSED = {
    "en": "The categories were guessed from the names of the columns: check each of them.",
    "fr": "Les catégories ont été devinées d'après les noms des colonnes : à vérifier une à une.",
}
_LEVELS = {
    "en": "Levels are read by all parties: leave out a label that few persons have.",
    "fr": "Les modalités sont lues par toutes les parties : ôtez celles que peu de personnes ont.",
}
_MOST_LEVELS = 40
_BY_NAME = (
    ("BirthDate", r"birth|naiss|dob"),
    ("Age", r"age|âge"),
    ("Gender", r"sex|sexe|gender|genre|civilit[eé]"),
    ("Genetic", r"gene|gene_.*|genotyp\w*|mutation|snp\w*"),
    ("MaritalStatus", r"marital|matrimonial\w*|married|mari[eé]e?"),
    ("Education", r"educ\w*|school\w*|dipl[oô]me?|etudes|études"),
    ("Salary", r"salar\w*|salair\w*|wages?|pay"),
    ("Income", r"incomes?|revenus?"),
    ("Job", r"jobs?|emploi|profession|occupation|m[eé]tier|workclass"),
    ("Location", r"zip|city|ville|commune|postal|region|r[eé]gion|departement|d[eé]partement|"
                 r"country|pays|address|adresse"),
    ("EthnicOrigin", r"race|ethni\w*"),
    ("Nationality", r"national\w*|citizen\w*"),
    ("Religion", r"religi\w*"),
    ("Prescription", r"drugs?|prescri\w*|medic\w*|traitements?|treatments?|dose|insulin"),
    ("Health", r"health|sant[eé]|diag\w*|disease|maladie|cancer|tum\w*|stage|stade|death|deces|"
               r"d[eé]c[eè]s|surviv\w*|survie|relapse|rechute|symptom\w*|pain|douleur|bmi|imc|"
               r"glucose|cholesterol|blood|sang|pressure|tension|smok\w*|tabac|patholog\w*|icd\w*|"
               r"cim\w*|lab|hba1c|status|ecog|karno|karnofsky"),
)  # fmt: skip
"""What a word of the name of a column suggests; the first that fits."""


def agreement_template(lang: Lang, schema: Schema | None = None, data: str | None = None) -> str:
    """Write an agreement to be filled in: valid once the names of the parties are.

    Parameters
    ----------
    lang : str
        Of the comments and texts.
    schema : Schema, optional
        Whose columns to list; identifiers and free texts are left out. An example where not given.
    data : str, optional
        What the data set is called.

    Returns
    -------
    str
        TOML.

    Examples
    --------
    >>> text = agreement_template("fr")
    >>> "<nom de l'établissement qui détient les données>" in text
    True
    """
    today = dt.datetime.now(dt.UTC).date()
    text = (files("sosie.trust") / "templates" / f"agreement.{lang}.toml").read_text("utf-8")
    title = _quoted(data or _EXAMPLE_DATA[lang])
    return Template(text).substitute(
        id=f"urn:uuid:{uuid.uuid4()}",
        starts=today.isoformat(),
        ends=(today + dt.timedelta(365)).isoformat(),
        purposes=_listed("purposes", lang),
        categories=_listed("categories", lang),
        data=title[1:-1],
        columns=_columns(lang, schema),
    )


def _columns(lang: Lang, schema: Schema | None) -> str:
    if schema is None:
        return _spelt(_EXAMPLE)
    hidden = [c.name for c in schema.columns if c.kind in (Kind.IDENTIFIER, Kind.TEXT)]
    kept = [c.name for c in schema.columns if c.name not in hidden]
    lines = [f"# {_GUESSED[lang]}"]
    if any(_levels_told(schema[name]) for name in kept):
        lines.append(f"# {_LEVELS[lang]}")
    lines.append(_spelt([(name, category_of(name), _meaning(schema[name])) for name in kept]))
    return "\n".join([*lines, *(f"# {_LEFT_OUT[lang]} {_quoted(name)}" for name in hidden), ""])


def category_of(name: str) -> str:
    """Guess the category of a column from the words of its name.

    Examples
    --------
    >>> category_of("Age at diagnosis"), category_of("hospital_stage"), category_of("x1")
    ('Age', 'Health', 'PersonalData')
    """
    spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-Z])", " ", name)
    words = re.findall(r"[a-zà-ÿ0-9]+", spaced.lower())
    for category, pattern in _BY_NAME:
        if any(re.fullmatch(pattern, word) for word in words):
            return category
    return "PersonalData"


def _meaning(column: Column) -> str:
    """Say what analyses in place need to know of a column."""
    said = f", kind = {_quoted(str(column.kind))}"
    if levels := ", ".join(_quoted(level) for level in _levels_told(column)):
        said += f", levels = [{levels}]"
    return said


def _levels_told(column: Column) -> Sequence[Any]:
    """Give the levels of a column where it has some, and few."""
    few = column.kind in CODED and len(column.levels) <= _MOST_LEVELS
    return column.levels if few else ()


def _spelt(columns: Sequence[tuple[str, str, str]]) -> str:
    rows = [
        f"  {{ name = {_quoted(name)}, category = {_quoted(of)}{meaning} }},"
        for name, of, meaning in columns
    ]
    return "\n".join(["columns = [", *rows, "]"])


def _listed(vocabulary: Vocabulary, lang: Lang) -> str:
    meanings = (f"{term} ({meaning_of(vocabulary, term, lang)})" for term in terms_of(vocabulary))
    lines = textwrap.wrap(", ".join(meanings) + ".", 96, break_on_hyphens=False)
    return "\n".join(f"# {line}" for line in lines)


def _quoted(text: Any) -> str:
    """Spell a value as TOML has it, on one line."""
    return tomli_w.dumps({"a": text}).removeprefix("a = ").strip()
