"""The texts of this room that a person reads, in French and in English."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from sosie.trust._vocabulary import Vocabulary, iri_of, meaning_of, terms_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LANGUAGES", "categories_in_words", "in_words", "meanings", "text_file", "texts"]

LANGUAGES = ("en", "fr")
_CATEGORIES = re.compile(r"\(([^()]*)\)(?=;|$)")
_VOCABULARIES: tuple[Vocabulary, ...] = ("purposes", "legal_bases", "categories")


def text_file(name: str) -> str:
    """Read a file of the pages."""
    return (files("sosie.trust") / "pages" / name).read_text(encoding="utf-8")


@cache
def texts(name: str, lang: str) -> dict[str, Any]:
    """Read the texts of a page or an export, as its file has them.

    Parameters
    ----------
    name : {"page", "pia"}
    lang : {"en", "fr"}

    Examples
    --------
    >>> texts("page", "en")["seal"]["bad_word"]
    'Do not rely on it'
    """
    content = tomllib.loads(text_file(f"{name}_{lang}.toml"))
    return _bound(content) if lang == "fr" else content


@cache
def meanings(lang: str) -> dict[str, str]:
    """Say what the terms of the Data Privacy Vocabulary mean, by name and by address.

    Examples
    --------
    >>> meanings("en")["Health"], meanings("en")["https://w3id.org/dpv#PublicBenefit"]
    ('health', 'public benefit')
    """
    return {
        name: meaning_of(vocabulary, term, lang)
        for vocabulary in _VOCABULARIES
        for term in terms_of(vocabulary)
        for name in (term, iri_of(vocabulary, term))
    }


def in_words(terms: str, words: Mapping[str, str]) -> str:
    """Say what evidence has, or is asked to have: a term or a number, or several with commas.

    Parameters
    ----------
    terms : str
    words : dict
        Of the terms, of ``or``, and the ``decimal`` sign.

    Examples
    --------
    >>> in_words("pass, attention", {"pass": "réussite", "or": "ou", "decimal": ","})
    'réussite ou attention'
    >>> in_words("0.05", {"or": "ou", "decimal": ","})
    '0,05'
    """
    told = [words.get(one, one.replace(".", words["decimal"])) for one in terms.split(", ")]
    return f" {words['or']} ".join(told)


def categories_in_words(persons_and_data: str, lang: str) -> str:
    """Say in words the categories that a line of the register lists after the persons.

    Examples
    --------
    >>> categories_in_words("Nurses (all) (Gender, Age); wards (Health)", "fr")
    'Nurses (all) (genre ou sexe, âge); wards (santé)'
    """
    known = meanings(lang)

    def said(found: re.Match[str]) -> str:
        listed = found[1].split(", ")
        return f"({', '.join(known[one] for one in listed)})" if {*listed} <= {*known} else found[0]

    return _CATEGORIES.sub(said, persons_and_data)


def _bound(value: Any) -> Any:
    """Bind the spaces that French sets before and after punctuation."""
    if isinstance(value, dict):
        return {key: _bound(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_bound(one) for one in value]
    text = value.replace("« ", "«\u00a0").replace(" »", "\u00a0»").replace(" :", "\u00a0:")
    return re.sub(r" ([;!?%])", "\u202f\\1", text)
