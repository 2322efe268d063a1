"""Tails of the laws that tests need; ``scipy.stats`` would take two seconds and 70 MB."""

from __future__ import annotations

import math

__all__ = ["CRITICAL", "chi2_tail", "f_tail", "normal_tail", "student_point", "student_tail"]

CRITICAL = 1.959963984540054
"""What a normal variable exceeds in size with a chance of 5 %."""


def normal_tail(size: float) -> float:
    """Give the chance that a standard normal variable is larger in size than `size`.

    Examples
    --------
    >>> round(normal_tail(CRITICAL), 12)
    0.05
    """
    return math.erfc(abs(size) / math.sqrt(2))


def student_tail(size: float, degrees: float) -> float:
    """Give the chance that Student's variable is larger in size than `size`."""
    from scipy import special

    return float(2 * special.stdtr(degrees, -abs(size)))


def student_point(degrees: float) -> float:
    """Give what Student's variable exceeds in size with a chance of 5 %.

    Examples
    --------
    >>> round(student_point(10), 3)
    2.228
    """
    from scipy import special

    return float(special.stdtrit(degrees, 0.975))


def chi2_tail(value: float, degrees: float) -> float:
    """Give the chance that a chi-squared variable exceeds `value`.

    Examples
    --------
    >>> round(chi2_tail(3.841, 1), 3)
    0.05
    """
    from scipy import special

    return float(special.chdtrc(degrees, value))


def f_tail(value: float, first: float, second: float) -> float:
    """Give the chance that Fisher's F exceeds `value`."""
    from scipy import special

    return float(special.fdtrc(first, second, value))
