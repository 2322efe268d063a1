"""The texts of the card, in French and in English."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from sosie.errors import ParameterError

__all__ = ["LANGUAGES", "number", "texts"]

LANGUAGES = ("en", "fr")


@cache
def texts(lang: str) -> dict[str, Any]:
    """Read the texts of a language.

    Raises
    ------
    ParameterError
        If there is no such language.

    Examples
    --------
    >>> texts("fr")["way"]["in_place"]
    'Sur place'
    """
    if lang not in LANGUAGES:
        raise ParameterError(f"There are no texts in {lang!r}; use one of: {', '.join(LANGUAGES)}.")
    text = (files("sosie.insitu.compare") / f"{lang}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def number(value: float, digits: int, lang: str, *, signed: bool = False) -> str:
    """Spell a number with a true minus and, in French, a comma.

    Examples
    --------
    >>> number(-0.2833, 2, "fr"), number(0.4, 1, "en", signed=True)
    ('−0,28', '+0.4')
    """
    found = f"{value:{'+' if signed else ''},.{digits}f}"
    if float(found.replace(",", "")) == 0:
        found = f"{0:.{digits}f}"
    found = found.replace("-", "−")
    return found.replace(",", "\u202f").replace(".", ",") if lang == "fr" else found
