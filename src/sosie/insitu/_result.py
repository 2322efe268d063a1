"""What an analyst receives: a few small tables with familiar names."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.insitu._laws import CRITICAL, normal_tail, student_point, student_tail

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Result", "term_rows", "to_hundredths"]

Value = float | int | str | bool | None


@dataclass(frozen=True)
class Result:
    """The answer to a question.

    Attributes
    ----------
    analysis : str
        Its identifier in the catalogue.
    values : dict of str to number, text or None
        Single numbers, as ``n`` or ``p``.
    tables : dict of str to list of dict
        Rows by table; of a regression ``terms``, with ``term``, ``estimate``, ``se``, ``ci``
        and ``p``.
    exact : bool
        Whether it is what the same analysis gives on the pooled rows (to about 1e-9).
    bound : str
        Where it is not: how far it may be from it.

    Examples
    --------
    >>> Result("counts", {"n": 40}, {"cells": [{"sex": "f", "count": 21}]}).frame("cells").shape
    (1, 2)
    """

    analysis: str
    values: Mapping[str, Value] = field(default_factory=dict)
    tables: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    exact: bool = True
    bound: str = ""

    def content(self) -> dict[str, Any]:
        """Give JSON: values and tables side by side; what is not finite is null."""
        said: dict[str, Any] = {**self.values, **self.tables, "exact": self.exact}
        return {name: _plain(value) for name, value in {**said, "bound": self.bound}.items()}

    def frame(self, table: str) -> pl.DataFrame:
        """Give one of the tables as a dataframe."""
        import polars as pl

        return pl.DataFrame(self.tables[table])


def term_rows(
    names: Sequence[str], estimates: Floats, errors: Floats, degrees: float | None = None
) -> list[dict[str, Any]]:
    """Make the table of coefficients with 95 % intervals and two-sided tests.

    Parameters
    ----------
    names : sequence of str
    estimates, errors : ndarray of shape (p,)
    degrees : float, optional
        Of Student's distribution; normal where not given.
    """
    wide = CRITICAL if degrees is None else student_point(degrees)
    rows = []
    for name, b, se in zip(names, estimates, errors, strict=True):
        p = None
        if se > 0:
            p = normal_tail(b / se) if degrees is None else student_tail(b / se, degrees)
        ci = [float(b - wide * se), float(b + wide * se)]
        rows.append({"term": name, "estimate": float(b), "se": float(se), "ci": ci, "p": p})
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def to_hundredths(values: Floats, errors: Floats | None = None) -> Floats:
    """Round to a hundredth of the standard errors, or to two digits.

    Examples
    --------
    >>> to_hundredths(np.array([1.23456, 0.0])).tolist()
    [1.2, 0.0]
    >>> to_hundredths(np.array([1.23456]), np.array([0.3])).tolist()
    [1.235]
    """
    size = np.abs(values) if errors is None else errors / 10
    digits = 1 - np.floor(np.log10(np.where(size > 0, size, 1.0))).astype(int)
    return np.array([round(float(v), int(d)) for v, d in zip(values, digits, strict=True)])
