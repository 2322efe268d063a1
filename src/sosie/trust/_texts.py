"""The texts of this room that a person reads, in French and in English."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from sosie.trust._vocabulary import Vocabulary, iri_of, meaning_of, terms_of

__all__ = ["LANGUAGES", "meanings", "text_file", "texts"]

LANGUAGES = ("en", "fr")
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


def _bound(value: Any) -> Any:
    """Bind the spaces that French sets before and after punctuation."""
    if isinstance(value, dict):
        return {key: _bound(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_bound(one) for one in value]
    text = value.replace("« ", "«\u00a0").replace(" »", "\u00a0»").replace(" :", "\u00a0:")
    return re.sub(r" ([;!?%])", "\u202f\\1", text)
