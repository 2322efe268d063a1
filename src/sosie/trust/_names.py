"""Names that a person cannot take for another: of one script, without what is not seen."""

import unicodedata
from collections.abc import Iterable

from sosie.errors import TrustError

__all__ = ["check_distinct", "check_name", "quoted", "skeleton"]

_LONGEST = 120
_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
_LETTERS = ("Ll", "Lo", "Lt", "Lu")

# Letters of other scripts that look like letters of Latin (Unicode TR 39, confusables.txt, the
# rows of one letter), and the few pairs within Latin that are mistaken in most fonts.
_LOOKS_LIKE = str.maketrans(
    dict(zip("авекмнорстухіјѕԁһԛԝү", "abekmhopctyxljsdhqwy", strict=True))
    | dict(zip("αβεζηικνορτυχγω", "abeznlkvoptuxyw", strict=True))
    | {"0": "o", "1": "l", "i": "l", "|": "l", "ı": "l", "ß": "b", "5": "s", "æ": "ae", "œ": "oe"}
)


def quoted(value: object) -> str:
    r"""Quote a name as it is read; letters that are not Latin, and may look so, as their codes.

    Examples
    --------
    >>> print(quoted("Nîmes"), quoted("\u0430ge"))
    'Nîmes' '\u0430ge'
    """
    return "".join(
        one if one.isascii() or unicodedata.name(one, "").startswith("LATIN") else ascii(one)[1:-1]
        for one in repr(value)
    )


def check_name(name: str, what: str = "name") -> str:
    """Accept a name that is seen as it is written.

    Parameters
    ----------
    name : str
        Of a person, an institution, a key: from 1 to 120 characters.
    what : str
        What it is the name of, for the message.

    Returns
    -------
    str
        The name.

    Raises
    ------
    TrustError
        If it is empty or too long, begins or ends with a space, is not in the composed form of
        Unicode (NFC), holds characters that are not seen, or letters of two scripts.

    Examples
    --------
    >>> check_name("CHU de Montpellier")
    'CHU de Montpellier'
    """
    said = f"The {what} {quoted(name[:_LONGEST])}"
    if not name or name != name.strip() or len(name) > _LONGEST:
        raise TrustError(
            f"{said} must have 1 to {_LONGEST} characters, the first and the last not a space."
        )
    if name != unicodedata.normalize("NFC", name):
        raise TrustError(f"{said} is not in the composed form of Unicode (NFC); type it afresh.")
    unseen = [c for c in name if unicodedata.category(c) in _UNSEEN]
    if unseen:
        raise TrustError(
            f"{said} holds a character that is not seen (U+{ord(unseen[0]):04X}); remove it."
        )
    scripts = {_script(c) for c in name if unicodedata.category(c) in _LETTERS}
    if len(scripts) > 1:
        raise TrustError(
            f"{said} mixes letters of several scripts ({', '.join(sorted(scripts))}): one could be "
            "taken for another; write it in one script."
        )
    return name


def skeleton(name: str) -> str:
    """Give what is left of a name when look-alikes are the same character.

    Two names of one skeleton are taken for each other (Unicode TR 39, section 4, with the letters
    of Latin, Greek and Cyrillic).

    Examples
    --------
    >>> skeleton("CHU Nîmes") == skeleton("chu n\u0131mes")
    True
    """
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    letters = "".join(c for c in folded if c.isalnum()).translate(_LOOKS_LIKE)
    return letters.replace("rn", "m").replace("vv", "w").replace("cl", "d")


def check_distinct(names: Iterable[str], what: str = "name") -> None:
    """Refuse names of which one could be taken for another.

    Raises
    ------
    TrustError
        Naming the first two.

    Examples
    --------
    >>> check_distinct(["CHU de Nantes", "CHU de Nancy"])
    """
    seen: dict[str, str] = {}
    for name in names:
        bones = skeleton(name) or name
        if bones in seen:
            raise TrustError(
                f"The {what}s {quoted(seen[bones])} and {quoted(name)} could be taken for one "
                "another; make them differ by more than accents, case or look-alike letters."
            )
        seen[bones] = name


def _script(character: str) -> str:
    """Name the script of a letter: the first word of its name in Unicode."""
    name = unicodedata.name(character, "UNNAMED")
    first = name.split()[0]
    if first in ("FEMININE", "MASCULINE"):  # the ordinals ª and º
        return "LATIN"
    # Japanese is written in three scripts at once.
    return "JAPANESE" if first in ("CJK", "HIRAGANA", "KATAKANA") else first
