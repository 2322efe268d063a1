"""How people spell a missing cell."""

__all__ = ["AMONG_NUMBERS", "SURE", "spellings"]

SURE = (
    "",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "<NA>",
    "NaN",
    "nan",
    "NaT",
    "null",
    "NULL",
    "?",
    ".",
    "missing",
    "manquant",
    "Manquant",
    "non renseigné",
    "Non renseigné",
    "non renseigne",
)
"""Missing in any column."""

AMONG_NUMBERS = (
    "None",
    "none",
    "-",
    "--",
    "ND",
    "NR",
    "NC",
    "NSP",
    "nd",
    "nr",
    "na",
    "Na",
    "n.d.",
    "n/d",
    "N/D",
    "#N/D",
    "#VALUE!",
    "#DIV/0!",
    "unknown",
    "Unknown",
    "UNKNOWN",
    "inconnu",
    "Inconnu",
    "INCONNU",
)
"""Missing among numbers and dates only: among labels they may be an answer (`+` and `-`,
`None` for no allergy, `ND` for North Dakota), and a label that is kept loses nothing."""


def spellings(extra: list[str] | None) -> tuple[list[str], list[str]]:
    """Give the spellings that are missing anywhere, and among numbers and dates only.

    Parameters
    ----------
    extra : list of str or None
        What the user adds; missing in any column.

    Returns
    -------
    tuple of two lists of str

    Examples
    --------
    >>> anywhere, among_numbers = spellings(["999"])
    >>> "999" in anywhere, "-" in anywhere, "-" in among_numbers
    (True, False, True)
    """
    added = [text.strip() for text in extra or []]
    anywhere = list(dict.fromkeys([*SURE, *added]))
    return anywhere, [*anywhere, *(text for text in AMONG_NUMBERS if text not in anywhere)]
