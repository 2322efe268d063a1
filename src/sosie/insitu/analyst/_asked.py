"""A question as a person writes it: the name of an analysis, and its parameters as words."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, get_args

from sosie.errors import ParameterError
from sosie.insitu._question import Entry, Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["analyses", "asked", "parameters_of"]

_QUOTED = re.compile(r"""Q\(\s*(?:"(?P<one>[^"]*)"|'(?P<two>[^']*)')\s*\)""")
_COLUMN = rf"{_QUOTED.pattern}|[^,()\"']+?".replace("?P<one>", "?:").replace("?P<two>", "?:")
_SURVIVAL = re.compile(
    rf"\s*Surv\(\s*(?P<time>{_COLUMN})\s*,\s*(?P<event>{_COLUMN})\s*\)\s*~(?P<rest>.*)"
)
_LISTS = {"columns_of": "columns", "at": "at"}
_TIMED = ("cox", "cox_grid", "kaplan_meier")


def analyses() -> dict[str, Any]:
    """Give the analyses of the catalogue by their names.

    Examples
    --------
    >>> "logistic" in analyses()
    True
    """
    union = get_args(Entry)[0]
    return {entry.model_fields["id"].default: entry for entry in get_args(union)}


def asked(
    analysis: str, parameters: Mapping[str, Any], derive: Sequence[Mapping[str, Any]] = ()
) -> Question:
    """Make a question.

    Parameters
    ----------
    analysis : str
        Of the catalogue.
    parameters : mapping of str to value
        As the analysis has them, and ``epsilon`` where the agreement has a budget. A formula
        ``Surv(time, event) ~ age`` gives duration and event; ``Q("...")`` is a name with blanks.
    derive : sequence of mapping
        Columns to make first; those that the analysis does not use are not asked for.

    Raises
    ------
    ParameterError
        If there is no such analysis, or it has no such parameter.

    Examples
    --------
    >>> asked("cox", {"formula": "Surv(time, dead) ~ age"}).analysis.duration
    'time'
    """
    entry = _entry(analysis)
    said = dict(parameters)
    epsilon = said.pop("epsilon", None)
    formula = said.get("formula")
    if analysis in _TIMED and isinstance(formula, str) and formula.lstrip().startswith("Surv"):
        found = _SURVIVAL.fullmatch(formula)
        if found is None:
            raise ParameterError(
                f"The formula {formula[:80]!r} cannot be read: write Surv(time, event) ~ terms, "
                'and a name with blanks or signs as Q("...").'
            )
        said |= {"duration": _named(found["time"]), "event": _named(found["event"])}
        rest = found["rest"].strip()
        if "formula" in entry.model_fields:
            said["formula"] = rest
        else:
            del said["formula"]
            if rest != "1":
                said["by"] = _named(rest)
    known = [name for name in entry.model_fields if name != "id"]
    for name in said:
        if name not in known:
            listed = ", ".join(_shown(one) for one in known)
            raise ParameterError(f"{analysis} has no {_shown(name)}; it has {listed}.")
    for name in known:
        if entry.model_fields[name].is_required() and name not in said:
            raise ParameterError(f"Analysis {analysis} needs {_shown(name)}.")
    content: dict[str, Any] = {"analysis": {"id": analysis, **said}, "derive": list(derive)}
    return Question.of(content if epsilon is None else content | {"epsilon": epsilon}).needed


def parameters_of(analysis: str, words: Sequence[str]) -> dict[str, Any]:
    """Read ``--name value`` pairs into the parameters of an analysis.

    Raises
    ------
    ParameterError
        If a word has no value, or is there twice.

    Examples
    --------
    >>> parameters_of("means", ["--columns", "age,bmi", "--by", "sex"])
    {'columns_of': ['age', 'bmi'], 'by': 'sex'}
    """
    entry = _entry(analysis)
    found: dict[str, Any] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, sign, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not (sign or rest):
            raise ParameterError(f"{word!r}: give the parameters of {analysis} as --name value.")
        value = value if sign else rest.pop(0)
        name = name.replace("-", "_")
        name = next((long for long, short in _LISTS.items() if name == short), name)
        if name in found:
            raise ParameterError(f"{_shown(name)} is there twice.")
        found[name] = _value(entry, name, value)
    return found


def _named(column: str) -> str:
    """Take the name out of Q("...")."""
    found = _QUOTED.fullmatch(column)
    return column if found is None else found["one"] or found["two"] or ""


def _entry(analysis: str) -> Any:
    known = analyses()
    if analysis not in known:
        listed = ", ".join(sorted(known))
        raise ParameterError(f"There is no analysis {analysis!r}; the catalogue has {listed}.")
    return known[analysis]


def _value(entry: Any, name: str, spelt: str) -> Any:
    field = entry.model_fields.get(name)
    if name in _LISTS:
        parts = [one.strip() for one in spelt.split(",")]
        return [_number(name, one) for one in parts] if name == "at" else parts
    if field is None or "str" in str(field.annotation) or "Literal" in str(field.annotation):
        return spelt
    try:
        return json.loads(spelt)
    except ValueError as error:
        raise ParameterError(f"{_shown(name)} must be a number, not {spelt!r}.") from error


def _number(name: str, spelt: str) -> float:
    try:
        return float(spelt)
    except ValueError as error:
        raise ParameterError(f"{_shown(name)} must be numbers, not {spelt!r}.") from error


def _shown(name: str) -> str:
    return f"--{_LISTS.get(name, name).replace('_', '-')}"
