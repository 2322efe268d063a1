"""The texts of the report, in French and in English."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["Texts", "catalogue", "wording"]


class Texts:
    """Texts of one language, by dotted key.

    Parameters
    ----------
    lang : {"fr", "en"}

    Examples
    --------
    >>> Texts("en")("verdict.fail")
    'Fail'
    >>> Texts("fr").get("why_not.no_such_reason", "no such reason")
    'no such reason'
    """

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._texts = catalogue(lang)

    def __call__(self, key: str, **values: object) -> str:
        """Give the text of a key, which must exist, with its values in place."""
        text = self._texts[key]
        return text.format(**values) if values else text

    def get(self, key: str, default: str) -> str:
        """Give the text of a key that comes from a file, which may be newer than these texts."""
        return self._texts.get(key, default)

    def under(self, prefix: str) -> list[str]:
        """List the keys that begin with a prefix, in the order of the file."""
        return [key for key in self._texts if key.startswith(prefix + ".")]


_NAMES = (
    "criteria", "knows", "means", "privacy", "question", "rulebook", "utility", "verdict",
    "why_not",
)  # fmt: skip


def wording(lang: str) -> dict[str, dict[str, str]]:
    """Give the names of criteria, measures and verdicts, by section: others show them too.

    Parameters
    ----------
    lang : {"fr", "en"}

    Examples
    --------
    >>> wording("en")["criteria"]["inference"]
    'Inference'
    """
    texts = catalogue(lang)
    return {
        name: {
            key.removeprefix(f"{name}."): text
            for key, text in texts.items()
            if key.startswith(f"{name}.")
        }
        for name in _NAMES
    }


@cache
def catalogue(lang: str) -> dict[str, str]:
    """Read the texts of a language, flat: ``section.key`` to text."""
    content = (files("sosie.report") / f"{lang}.toml").read_text(encoding="utf-8")
    texts = dict(_flat(tomllib.loads(content), ""))
    return {k: _french(t) for k, t in texts.items()} if lang == "fr" else texts


def _flat(branch: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for key, value in branch.items():
        if isinstance(value, dict):
            pairs += _flat(value, f"{prefix}{key}.")
        else:
            pairs.append((prefix + key, value))
    return pairs


def _french(text: str) -> str:
    r"""Bind the spaces that French sets before and after punctuation.

    Done here, so that the file can be edited with the space bar.

    >>> _french("« Quoi ? » : 5 %").encode("unicode-escape").decode()
    '\\xab\\xa0Quoi\\u202f?\\xa0\\xbb\\xa0: 5\\u202f%'
    """
    text = text.replace("« ", "«\u00a0").replace(" »", "\u00a0»").replace(" :", "\u00a0:")
    return re.sub(r" ([;!?%])", "\u202f\\1", text)
