"""A refusal in the language of the reader, recognised by its English sentence."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import NamedTuple

__all__ = ["refusal"]

_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NARROW_SPACE = "\u202f"


class _Pattern(NamedTuple):
    """A sentence with slots, and what it is in the other language."""

    shape: re.Pattern[str]
    said: str

    @classmethod
    def of(cls, template: str, said: str) -> "_Pattern":
        pieces = list(Formatter().parse(template))
        shape = "".join(
            re.escape(literal) + ("" if field is None else "(.*?)") for literal, field, *_ in pieces
        )
        return cls(re.compile(shape, re.DOTALL), said)


def refusal(sentence: str, lang: str) -> str:
    r"""Say a refusal in a language.

    Errors are raised in English, wherever they are raised. A catalogue of the sentences that may
    be, with a slot for every name and number in them, gives the same in another language; what is
    in a slot may be such a sentence again. Of the ways to read a sentence, the one that leaves
    the fewest characters to names and numbers is taken.

    Parameters
    ----------
    sentence : str
    lang : str
        ``en`` or ``fr``.

    Returns
    -------
    str
        The sentence as it is where the catalogue does not have it.

    Examples
    --------
    >>> refusal("cohort.csv does not exist; check its name.", "fr")
    "cohort.csv n'existe pas\xa0; vérifiez son nom."
    """
    return sentence if lang == "en" else _read(sentence, lang)[1]


@cache
def _read(text: str, lang: str) -> tuple[int, str]:
    """Give how many characters are in no sentence of the catalogue, and what the text is."""
    if _GROUPED.fullmatch(text):
        return 0, text.replace(",", _NARROW_SPACE)
    best = len(text), text
    if _QUOTED.fullmatch(text):  # a name, whatever it says
        return best
    stop = "." if text.endswith(".") else ""
    for pattern in _patterns(lang):
        if best[0] and (match := pattern.shape.fullmatch(text.removesuffix(stop))):
            slots = [_read(held, lang) for held in match.groups()]
            left = sum(unread for unread, _ in slots)
            if left < best[0]:
                best = left, pattern.said.format(*(said for _, said in slots)) + stop
    return best


@cache
def _patterns(lang: str) -> list[_Pattern]:
    """Read the catalogue; a full stop at the end is left to the text."""
    content = (files("sosie.cli") / f"refusals.{lang}.toml").read_text(encoding="utf-8")
    known = tomllib.loads(content)
    return [
        _Pattern.of(template.removesuffix("."), said.removesuffix("."))
        for template, said in (known["sentences"] | known["fragments"]).items()
    ]
