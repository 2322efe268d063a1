"""How numbers, counts, dates and names are written in one language."""

from __future__ import annotations

import math
import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DASH", "SMALL", "Form", "few", "shown_name", "within"]

SMALL = 5
"""Counts of persons from 1 to this less one are never shown."""

DASH = "–"
_MINUS = "\u2212"
_BIDI = {*"\u200e\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
}


def shown_name(name: object, longest: int = 60) -> str:
    r"""Write a name that somebody else chose: on one line, of bearable length, inert.

    Control characters, and marks that turn the direction of what follows, are dropped.

    Examples
    --------
    >>> shown_name("age (years)\nat entry")
    'age (years) at entry'
    >>> shown_name("pressure_of_the_first_visit", 16)
    'pressure_o…visit'
    """
    kinds = {c: unicodedata.category(c) for c in set(str(name))}
    kept = "".join(
        " " if kinds[c] == "Cc" else c
        for c in str(name)
        if kinds[c] not in ("Cs", "Cn") and c not in _BIDI
    )
    line = " ".join(kept.split())
    if len(line) <= longest:
        return line
    tail = (longest - 1) // 3  # names that begin alike often end apart
    return line[: longest - 1 - tail].rstrip() + "…" + line[len(line) - tail :].lstrip()


def few(share: float | None, n: int | None) -> bool:
    """Tell whether a share of ``n`` persons is of 1 to 4 of them, or of all but 1 to 4.

    Examples
    --------
    >>> few(0.01, 300), few(0.99, 300), few(0.0, 300), few(0.02, 300)
    (True, True, False, False)
    """
    if share is None or not n:
        return False
    persons, nobody = share * n, 1e-6 * n  # of several tries the mean may be less than a person
    return nobody < min(persons, n - persons) < SMALL - 0.5


def within(share: float, n: int | None) -> tuple[float, float]:
    """Give the ends between which a share of few persons may be told to lie; else itself.

    Examples
    --------
    >>> within(0.03, 100), within(0.97, 100), within(0.5, 100)
    ((0.0, 0.05), (0.95, 1.0), (0.5, 0.5))
    """
    if n is None or not few(share, n):
        return share, share
    bound = min(SMALL / n, 1.0)
    return (0.0, bound) if share < 0.5 else (1 - bound, 1.0)


class Form:
    r"""Numbers as a reader of one language expects them.

    Parameters
    ----------
    lang : {"fr", "en"}

    Examples
    --------
    >>> Form("en").count(12345), Form("fr").count(12345).replace("\u202f", "_")
    ('12,345', '12_345')
    >>> Form("en").count(3), Form("en").rate(0.0512), Form("en").gap(0.0512, "rate")
    ('<\xa05', '5.1%', '+5.1\xa0pt')
    """

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._comma, self._thin, self._percent = (
            (",", "\u202f", "\u202f%") if lang == "fr" else (".", ",", "%")
        )

    def number(self, value: float | None, decimals: int = 2) -> str:
        """Write a number with a fixed count of decimals."""
        if value is None or not math.isfinite(value):
            return DASH
        text = f"{abs(value):,.{decimals}f}".replace(",", "\0").replace(".", self._comma)
        text = text.replace("\0", self._thin)
        zero = not any(c in "123456789" for c in text)
        return (_MINUS if value < 0 and not zero else "") + text

    def brief(self, value: float | None) -> str:
        """Write a number of any size with about three digits, as on an axis."""
        if value is None or not math.isfinite(value):
            return DASH
        size = abs(value)
        if size >= 1e7 or 0 < size < 1e-3:
            mantissa, exponent = f"{value:.0e}".split("e")
            return f"{mantissa.replace('-', _MINUS)}e{int(exponent)}".replace("e-", f"e{_MINUS}")
        decimals = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
        text = self.number(value, decimals)
        return text.rstrip("0").rstrip(self._comma) if decimals and self._comma in text else text

    def tick(self, value: float, step: float) -> str:
        """Write a place on an axis, as finely as its ticks stand apart."""
        if step <= 0 or abs(value) >= 1e7 or step < 1e-4:
            return self.brief(value)
        return self.number(value, _decimals(step))

    def rate_tick(self, value: float, step: float) -> str:
        """Write a place on an axis of fractions as a percentage."""
        return self.number(100 * value, _decimals(100 * step)) + self._percent

    def joined(self, parts: Sequence[str]) -> str:
        """Part with semicolons what may hold commas."""
        return ("\u202f; " if self.lang == "fr" else "; ").join(parts)

    def count(self, n: int | None) -> str:
        """Write a count of persons; from 1 to 4 it is not shown."""
        if n is None:
            return DASH
        return f"<\u00a0{SMALL}" if 0 < n < SMALL else self.number(n, 0)

    def rate(self, value: float | None, decimals: int | None = None) -> str:
        """Write a fraction as a percentage."""
        if value is None:
            return DASH
        if decimals is None:
            decimals = 2 if 0 < abs(value) < 0.001 else 1
        return self.number(100 * value, decimals) + self._percent

    def share(self, value: float | None, n: int | None) -> str:
        """Write a share of ``n`` persons; of fewer than 5, or all but fewer than 5, only that."""
        if value is None or n is None:
            return self.rate(value)
        if 0 < n < SMALL:
            return DASH
        low, high = within(value, n)
        if low == high:
            return self.rate(value)
        return "<\u00a0" + self.rate(high, 2) if low == 0 else ">\u00a0" + self.rate(low, 2)

    def amount(self, value: float | None, unit: str) -> str:
        """Write a value in its unit: rate, percent (already times 100), score, number."""
        if value is None:
            return DASH
        if unit == "rate":
            return self.rate(value)
        if unit == "percent":
            return self.number(value, 1) + self._percent
        return self.number(value, 3) if unit == "score" else self.brief(value)

    def gap(self, value: float | None, unit: str) -> str:
        """Write a difference, with its sign; of rates in points."""
        if value is None:
            return DASH
        factor, decimals = (
            (100, 1) if unit == "rate" else (1, {"percent": 1, "score": 3}.get(unit, 2))
        )
        text = self.number(factor * value, decimals)
        sign = "" if text.startswith(_MINUS) or value <= 0 else "+"
        return sign + text + ("\u00a0pt" if unit in ("rate", "percent") else "")

    def interval(self, pair: Sequence[float] | None, unit: str, *, gap: bool = False) -> str:
        """Write both ends; the unit once."""
        if pair is None:
            return DASH
        word = "à" if self.lang == "fr" else "to"
        write = self.gap if gap else self.amount
        low, high = (write(end, unit).removeprefix("+") for end in pair)
        for tail in ("\u00a0pt", self._percent):
            low = low.removesuffix(tail)
        return f"{low} {word} {high}"

    def target(self, value: float | None, unit: str, better: str, *, gap: bool = False) -> str:
        """Write the threshold with its direction."""
        if value is None:
            return DASH
        text = self.gap(value, unit).removeprefix("+") if gap else self.amount(value, unit)
        text = re.sub(rf"\{self._comma}(\d*?)0+(?!\d)", self._kept, text)
        if value == 0 and better == "lower":
            return text
        return ("<" if better == "lower" else ">") + "\u00a0" + text

    def _kept(self, tail: re.Match[str]) -> str:
        return self._comma + tail[1] if tail[1] else ""

    def date(self, text: str | None) -> str:
        """Write a date given as ISO 8601; what is none is given back."""
        try:
            day = date.fromisoformat(str(text)[:10])
        except ValueError:
            return shown_name(text) if text else DASH
        month = _MONTHS[self.lang].split()[day.month - 1]
        first = "1er" if self.lang == "fr" and day.day == 1 else str(day.day)
        return f"{first}\u00a0{month}\u00a0{day.year}"

    def moment(self, value: float, unit: str) -> str:
        """Write a place on an axis of dates, in days or microseconds since 1970."""
        step = timedelta(days=value) if unit == "days" else timedelta(microseconds=value)
        try:
            day = datetime(1970, 1, 1, tzinfo=UTC) + step
        except OverflowError:
            return DASH
        return f"{day.month:02d}/{day.year}" if self.lang == "fr" else f"{day.year}-{day.month:02d}"


def _decimals(step: float) -> int:
    """Count the decimals a step needs, up to 4."""
    return next((d for d in range(4) if abs(round(step, d) - step) < 1e-6 * step), 4)
