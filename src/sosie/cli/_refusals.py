"""A refusal in the language of the reader, recognised by its English sentence."""

import re
import tomllib
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import NamedTuple

__all__ = ["refusal"]

_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")
_NARROW_SPACE = "\u202f"


class _Pattern(NamedTuple):
    """A sentence with slots, and what it is in the other language."""

    shape: re.Pattern[str]
    said: str
    telling: int

    @classmethod
    def of(cls, template: str, said: str) -> "_Pattern":
        pieces = [literal for literal, *_ in Formatter().parse(template)]
        slots = sum(field is not None for _, field, *_ in Formatter().parse(template))
        shape = "(.*?)".join(map(re.escape, pieces))
        if slots == len(pieces):  # the template ends with a slot
            shape += "(.*)"
        return cls(re.compile(shape, re.DOTALL), said, sum(map(len, pieces)))


def refusal(sentence: str, lang: str) -> str:
    """Say a refusal in a language.

    Errors are raised in English, wherever they are raised. A catalogue of the sentences that may
    be, with a slot for every name and number in them, gives the same in another language. Of
    those that fit, the one with the fewest characters in slots is taken, and what is in the
    slots is said alike.

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
    >>> print(refusal("cohort.csv does not exist; check its name.", "fr"))
    cohort.csv n'existe pas ; vérifiez son nom.
    """
    if lang == "en":
        return sentence
    if _GROUPED.fullmatch(sentence):
        return sentence.replace(",", _NARROW_SPACE)
    for pattern in _patterns(lang):
        if match := pattern.shape.fullmatch(sentence):
            return pattern.said.format(*(refusal(held, lang) for held in match.groups()))
    return sentence


@cache
def _patterns(lang: str) -> list[_Pattern]:
    """Read the catalogue, those that say most first."""
    content = (files("sosie.cli") / f"refusals.{lang}.toml").read_text(encoding="utf-8")
    known = tomllib.loads(content)
    found = [_Pattern.of(*both) for both in (known["fragments"] | known["sentences"]).items()]
    return sorted(found, key=lambda pattern: -pattern.telling)
