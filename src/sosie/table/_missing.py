"""How people spell a missing cell."""

from collections.abc import Collection

import polars as pl

__all__ = ["AMONG_NUMBERS", "SURE", "code_of_missing", "spellings", "without_codes"]

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
    "#VALEUR!",
    "#DIV/0!",
    "#REF!",
    "#NAME?",
    "#NOM?",
    "#NUM!",
    "#NOMBRE!",
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


_FEWEST = 5
_CODES = {int(str(digit) * places) for digit in (7, 8, 9) for places in range(1, 7)} | {1}


def code_of_missing(present: pl.Series) -> float | None:
    """Find a number that may stand for a missing cell, such as an age of 999 or -9.

    It is the largest or the least one, 7, 8 or 9 repeated or -1, and farther from the next than
    all others are from each other; or -7 or beyond on several rows, with nothing else below 0.

    Parameters
    ----------
    present : Series of numbers
        Cells that are not missing.

    Examples
    --------
    >>> code_of_missing(pl.Series([18, 25, 40, 61, 95, 999])), code_of_missing(pl.Series([1, 9]))
    (999.0, None)
    """
    ends = present.min(), present.max()
    if -ends[0] not in _CODES and ends[1] not in _CODES:  # type: ignore[operator]
        return None
    values = present.unique().sort().cast(pl.Float64)
    if len(values) <= _FEWEST:
        return None
    if values[-1] in _CODES and values[-1] - values[-2] > values[-2] - values[0]:
        return float(values[-1])
    if -values[0] not in _CODES:
        return None
    alone = values[0] < -1 and values[1] >= 0 and (present == values[0]).sum() > 1
    far = values[1] - values[0] > values[-1] - values[1]
    return float(values[0]) if alone or far else None


def without_codes(values: pl.Series, missing: Collection[str]) -> pl.Series:
    """Make NaN null, and the numbers and labels that the user says stand for missing.

    Parameters
    ----------
    values : Series
        Typed.
    missing : collection of str

    Examples
    --------
    >>> without_codes(pl.Series([1, 9, 2]), ["9"]).to_list()
    [1, None, 2]
    """
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if missing and values.dtype in (pl.String, pl.Categorical, pl.Enum):
        said = [text.strip() for text in missing]
        return values.set(values.cast(pl.String).is_in(said).fill_null(value=False), None)
    if not missing or not values.dtype.is_numeric():
        return values
    codes = pl.Series(list(missing)).cast(pl.Float64, strict=False).drop_nulls().to_list()
    return values.set(values.cast(pl.Float64).is_in(codes).fill_null(value=False), None)
