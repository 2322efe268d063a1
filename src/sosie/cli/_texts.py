"""The texts a person reads, in French and in English."""

import os
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from sosie.errors import ParameterError

__all__ = ["LANGUAGES", "language", "spelt_number", "texts"]

LANGUAGES = ("en", "fr")


def language(asked: str | None = None) -> str:
    """Choose a language: the one asked for, else that of the environment, else English.

    Parameters
    ----------
    asked : str or None
        ``en`` or ``fr``.

    Returns
    -------
    str

    Raises
    ------
    ParameterError
        If there are no texts in the language asked for.

    Examples
    --------
    >>> language("fr")
    'fr'
    """
    if asked is not None:
        if asked not in LANGUAGES:
            raise ParameterError(f"There are no texts in {asked!r}; use en or fr.")
        return asked
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        # The first that is set decides, as for any other program.
        if value := os.environ.get(variable):
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


@cache
def texts(lang: str | None = None) -> dict[str, Any]:
    """Read the catalogue of texts of a language.

    Parameters
    ----------
    lang : str or None
        ``en`` or ``fr``; that of the environment where it is not told.

    Returns
    -------
    dict
        One section a command.

    Examples
    --------
    >>> texts("fr")["inspect"]["column"]
    'colonne'
    """
    content = (files("sosie.cli") / f"{language(lang)}.toml").read_text(encoding="utf-8")
    return tomllib.loads(content)


def spelt_number(value: float, words: dict[str, Any], decimals: int = 0) -> str:
    """Spell a number as the reader's language has it.

    Parameters
    ----------
    value : float
    words : dict
        Where ``thousands`` and ``decimal`` say how; a section of :func:`texts`.
    decimals : int

    Examples
    --------
    >>> spelt_number(1234.5, {"thousands": " ", "decimal": ","}, 1)
    '1 234,5'
    """
    spelt = f"{value:,.{decimals}f}"
    return spelt.translate(str.maketrans({",": words["thousands"], ".": words["decimal"]}))
