"""A refusal in the language of the reader, recognised by its English sentence."""

import re
import tomllib
import unicodedata
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import NamedTuple

__all__ = ["one_line", "refusal"]

_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
_NARROW_SPACE = "\u202f"
_QUOTED = re.compile(r"(?<!\w)(?:'[^']*'|\"[^\"]*\")(?!\w)")
_LONGEST = 1000
_DEEPEST = 6
_FIRST_NAME = 0xF0000
"""A character that nobody types: names stand for themselves by one each while a text is read."""


class _Pattern(NamedTuple):
    """A sentence with slots, and what it is in the other language."""

    template: str
    shape: re.Pattern[str]
    said: str

    @classmethod
    def of(cls, template: str, said: str) -> "_Pattern":
        pieces = list(Formatter().parse(template))
        shape = "".join(
            re.escape(literal) + ("" if field is None else "(.*?)") for literal, field, *_ in pieces
        )
        return cls(template, re.compile(shape, re.DOTALL), said)


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
    if lang == "en" or len(sentence) > _LONGEST:
        return sentence
    names: list[str] = []

    def aside(quoted: re.Match[str]) -> str:
        held = quoted[0]
        if held in _literals(lang):
            return held
        names.append(held[1:-1])
        return held[0] + chr(_FIRST_NAME + len(names) - 1) + held[0]

    said = _read(_QUOTED.sub(aside, sentence), lang, _DEEPEST)[1]
    for place, name in enumerate(names):
        said = said.replace(chr(_FIRST_NAME + place), name)
    return said


def one_line(sentence: str) -> str:
    r"""Show a refusal on one line of a terminal: names of files and columns may hold line ends.

    Examples
    --------
    >>> print(one_line("a\nb.csv does not exist."))
    a\nb.csv does not exist.
    """
    return "".join(map(_shown, sentence))


def _shown(character: str) -> str:
    if unicodedata.category(character) == "Cc":
        return character.encode("unicode_escape").decode()
    return character


def _read(text: str, lang: str, deep: int) -> tuple[int, str]:
    """Give how many characters are in no sentence of the catalogue, and what the text is."""
    if _GROUPED.fullmatch(text):
        return 0, text.replace(",", _NARROW_SPACE)
    best = len(text), text
    stop = "." if text.endswith(".") else ""
    for pattern in _patterns(lang) if deep else ():
        if best[0] and (match := pattern.shape.fullmatch(text.removesuffix(stop))):
            slots = [_read(held, lang, deep - 1) for held in match.groups()]
            left = sum(unread for unread, _ in slots)
            if left < best[0]:
                best = left, pattern.said.format(*(said for _, said in slots)) + stop
    return best


@cache
def _literals(lang: str) -> frozenset[str]:
    """Give what stands in quotes in the catalogue itself."""
    return frozenset(quoted for one in _patterns(lang) for quoted in _QUOTED.findall(one.template))


@cache
def _patterns(lang: str) -> list[_Pattern]:
    """Read the catalogue; a full stop at the end is left to the text."""
    content = (files("sosie.cli") / f"refusals.{lang}.toml").read_text(encoding="utf-8")
    known = tomllib.loads(content)
    return [
        _Pattern.of(template.removesuffix("."), said.removesuffix("."))
        for template, said in (known["sentences"] | known["fragments"]).items()
    ]
