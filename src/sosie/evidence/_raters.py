"""What blinded raters answered, against the key."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from sosie.errors import DataError, ParameterError
from sosie.evidence._blinding import case_names
from sosie.evidence._intervals import clopper_pearson
from sosie.table import as_utf8, read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Rater", "Scores", "answers_of", "cohen_kappa", "fleiss_kappa", "scored"]

_WORDS = {
    "real": ("real", "r", "réel", "reel", "réelle", "reelle", "vrai", "vraie"),
    "artificial": ("artificial", "a", "artificiel", "artificielle", "faux", "fausse"),
}


@dataclass(frozen=True)
class Rater:
    """What one rater found.

    Attributes
    ----------
    name : str
    answered, right : int
        Cases answered, and rightly.
    low, high : float
        Exact 95 % interval of the share that is right, whose value by chance is 0.5.
    p : float
        Exact two-sided p-value of answers that are right by chance.
    artificial_found, real_found : float or None
        Share of the artificial, and of the real, cases that were recognised.
    verdict : str
        ``told apart`` if the interval leaves out 0.5; ``not told apart`` if the exact 90 %
        interval is within the margin about 0.5 (two one-sided tests at 5 %); else
        ``undecided``: few cases show neither.
    """

    name: str
    answered: int
    right: int
    low: float
    high: float
    p: float
    artificial_found: float | None
    real_found: float | None
    verdict: str

    @property
    def accuracy(self) -> float:
        """Share of answers that are right."""
        return self.right / self.answered


@dataclass(frozen=True)
class Scores:
    """What all raters found.

    Attributes
    ----------
    cases : int
    half_width : float
        Half the width of the exact 95 % interval of a rater who is right half of the time on
        all cases: what so many cases can show.
    margin : float
    raters : tuple of Rater
    kappa : float or None
        Agreement beyond chance between raters: Cohen's of two, Fleiss' of more; None of one,
        or where all answers are the same.
    agreed_on : int
        Cases that all raters answered.
    """

    cases: int
    half_width: float
    margin: float
    raters: tuple[Rater, ...]
    kappa: float | None
    agreed_on: int


def answers_of(path: Path) -> dict[str, dict[str, str]]:
    """Read a file of answers: a column ``case``, and one more for every rater.

    Returns
    -------
    dict of rater to dict of case to ``real`` or ``artificial``
        Cases without an answer are left out. A rater whose column is called ``answer`` is
        called like the file.

    Raises
    ------
    DataError
        If the file is not of that form, an answer is neither, or a case has two of them.
    """
    text = as_utf8(read_bytes(path)[0], path)[0].decode()
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=separator)
    try:
        lines = [line for line in reader if any(line)]
    except csv.Error as error:
        raise DataError(f"{path} cannot be cut into cells; check its quotes.") from error
    names = [name.strip() for name in lines[0]] if lines else []
    if len(names) < 2 or names[0].casefold() not in ("case", "cas"):
        raise DataError(f"{path}: give a column case, and one with the answers of every rater.")
    found: dict[str, dict[str, str]] = {}
    for j, name in enumerate(names[1:], start=1):
        rater = path.stem if name.casefold() in ("answer", "réponse", "") else name
        if rater in found:
            raise DataError(f"{path} has two raters {rater!r}: give each a name.")
        found[rater] = {}
        for number, line in enumerate(lines[1:], start=2):
            said = line[j].strip().casefold() if j < len(line) else ""
            case = line[0].strip()
            if said and case in found[rater]:
                raise DataError(f"{path}: case {case} is answered twice; correct its number.")
            if said:
                found[rater][case] = _meant(said, f"{path}, line {number}")
    return found


def scored(key: bytes, answers: Mapping[str, Mapping[str, str]], margin: float = 0.1) -> Scores:
    """Compare answers with the key.

    Parameters
    ----------
    key : bytes
        Of :class:`Blinding`.
    answers : mapping of rater to mapping of case to answer
    margin : float
        How far from 0.5 a share of right answers may be for real and artificial cases to be
        called alike; below 0.5.

    Raises
    ------
    DataError
        If it is no key, the answers are to another sheet, or a rater answered nothing.
    ParameterError
        If the margin is out of range.
    """
    if not 0 < margin < 0.5:
        raise ParameterError(f"The margin is between 0 and 0.5, and not {margin:g}.")
    truth = _truth(key)
    raters = []
    for name, said in answers.items():
        strange = [case for case in said if case not in truth]
        if strange:
            raise DataError(f"Rater {name!r} answered cases of another sheet: give its own key.")
        if not said:
            raise DataError(f"Rater {name!r} answered no case.")
        raters.append(_rater(name, said, truth, margin))
    cases = [case for case in truth if all(case in said for said in answers.values())]
    table = np.array([[said[case] == "real" for said in answers.values()] for case in cases])
    half = clopper_pearson(len(truth) // 2, len(truth))
    return Scores(
        len(truth),
        (half[1] - half[0]) / 2,
        margin,
        tuple(raters),
        _agreement(table) if cases and len(raters) > 1 else None,
        len(cases),
    )


def cohen_kappa(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float | None:
    """Give the agreement of two raters beyond chance; None where both always say the same.

    References
    ----------
    .. [1] J. Cohen, "A coefficient of agreement for nominal scales", Educational and
       Psychological Measurement 20, 1960.

    Examples
    --------
    >>> cohen_kappa(np.array([True, True, False, False]), np.array([True, False, False, False]))
    0.5
    """
    p, q = one.mean(), other.mean()
    chance = float(p * q + (1 - p) * (1 - q))
    return None if chance == 1 else float(((one == other).mean() - chance) / (1 - chance))


def fleiss_kappa(answers: NDArray[np.bool_]) -> float | None:
    """Give the agreement of several raters beyond chance; None where all say the same.

    Parameters
    ----------
    answers : ndarray of shape (cases, raters)

    References
    ----------
    .. [1] J. L. Fleiss, "Measuring nominal scale agreement among many raters",
       Psychological Bulletin 76, 1971.

    Examples
    --------
    >>> fleiss_kappa(np.array([[True, True, True], [False, False, False]]))
    1.0
    """
    m = answers.shape[1]
    yes = answers.sum(1)
    agreed = ((yes * (yes - 1) + (m - yes) * (m - yes - 1)) / (m * (m - 1))).mean()
    share = answers.mean()
    chance = float(share**2 + (1 - share) ** 2)
    return None if chance == 1 else float((agreed - chance) / (1 - chance))


def _agreement(table: NDArray[np.bool_]) -> float | None:
    if table.shape[1] == 2:
        return cohen_kappa(table[:, 0], table[:, 1])
    return fleiss_kappa(table)


def _meant(said: str, where: str) -> str:
    for meaning, words in _WORDS.items():
        if said in words:
            return meaning
    raise DataError(f"{where}: an answer is real or artificial (r or a), or left empty.")


def _truth(key: bytes) -> dict[str, str]:
    """Read the truth of the cases by their names."""
    try:
        content: Any = json.loads(key)
        truth = content["truth"]
        known = content["format"] == "sosie blinded key" and set(truth) <= set(_WORDS)
    except (ValueError, TypeError, KeyError):
        known = False
    if not known:
        raise DataError("The key is not one that sosie blind wrote, or was damaged.")
    return dict(zip(case_names(key, len(truth)), truth, strict=True))


def _rater(name: str, said: Mapping[str, str], truth: dict[str, str], margin: float) -> Rater:
    n, right = len(said), sum(truth[case] == one for case, one in said.items())
    low, high = clopper_pearson(right, n)
    within = clopper_pearson(right, n, level=0.9)
    verdict = "undecided"
    if not low <= 0.5 <= high:
        verdict = "told apart"
    elif within[0] > 0.5 - margin and within[1] < 0.5 + margin:
        verdict = "not told apart"
    p = float(stats.binomtest(right, n, 0.5).pvalue)
    shares = [_recognised(kind, said, truth) for kind in ("artificial", "real")]
    return Rater(name, n, right, low, high, p, shares[0], shares[1], verdict)


def _recognised(kind: str, said: Mapping[str, str], truth: dict[str, str]) -> float | None:
    of_kind = [case for case in said if truth[case] == kind]
    return sum(said[case] == kind for case in of_kind) / len(of_kind) if of_kind else None
