"""The texts of this room that a person reads, in French and in English."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["LANGUAGES", "text_file", "texts"]

LANGUAGES = ("en", "fr")


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


def _bound(value: Any) -> Any:
    """Bind the spaces that French sets before and after punctuation."""
    if isinstance(value, dict):
        return {key: _bound(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_bound(one) for one in value]
    text = value.replace("« ", "«\u00a0").replace(" »", "\u00a0»").replace(" :", "\u00a0:")
    return re.sub(r" ([;!?%])", "\u202f\\1", text)
