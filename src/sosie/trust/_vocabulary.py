"""Words that regulators and other programs know: a frozen part of the Data Privacy Vocabulary.

DPV 2.0, of a W3C community group: purposes, legal bases of the GDPR, categories of personal data.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Literal

__all__ = ["Vocabulary", "iri_of", "is_special", "meaning_of", "terms_of"]

Vocabulary = Literal["purposes", "legal_bases", "categories"]


def terms_of(vocabulary: Vocabulary) -> list[str]:
    """List the terms there are.

    Examples
    --------
    >>> "A9-2-j" in terms_of("legal_bases")
    True
    """
    return list(_read()[vocabulary]["terms"])


def iri_of(vocabulary: Vocabulary, term: str) -> str:
    """Give what a term is called on the web.

    Examples
    --------
    >>> iri_of("purposes", "AcademicResearch")
    'https://w3id.org/dpv#AcademicResearch'
    """
    part = _read()[vocabulary]
    iri: str = part["terms"][term].get("iri", part["base"] + term)
    return iri


def meaning_of(vocabulary: Vocabulary, term: str, lang: str) -> str:
    """Say what a term means, in English or French.

    Examples
    --------
    >>> meaning_of("categories", "Health", "fr")
    'santé'
    """
    meaning: str = _read()[vocabulary]["terms"][term][lang]
    return meaning


def is_special(category: str) -> bool:
    """Tell whether a category is one of article 9(1) of the GDPR.

    Examples
    --------
    >>> is_special("Health"), is_special("Age")
    (True, False)
    """
    return bool(_read()["categories"]["terms"][category].get("special", False))


@cache
def _read() -> dict[str, Any]:
    content = (files("sosie.trust") / "dpv.json").read_text(encoding="utf-8")
    read: dict[str, Any] = json.loads(content)
    return read
