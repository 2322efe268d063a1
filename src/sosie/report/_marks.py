"""Small drawings inside lines and tables: marks of verdicts, dots on intervals.

Written by hand, a few hundred bytes each: there may be a hundred of them in a report.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COLOURS", "mark", "strip"]

COLOURS = {
    "pass": "#0b6b5b",
    "attention": "#a86400",
    "fail": "#a1152f",
    "information": "#5d6876",
    "not_measured": "#7b8592",
}
"""Of verdicts: apart in hue and in lightness; the shape and the word say the same."""

_LINE = (
    'fill="none" stroke="#fff" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round"'
)
_SHAPES = {
    # a disc with a tick
    "pass": '<circle cx="8" cy="8" r="7.4" fill="{c}"/>'
    f'<path d="M4.6 8.4 7 10.7 11.5 5.6" {_LINE}/>',
    # a triangle with an exclamation mark
    "attention": '<path d="M8 .8 15.6 14.6H.4Z" fill="{c}"/>'
    f'<path d="M8 5.6V9.6M8 12.1v.1" {_LINE}/>',
    # a square with a cross
    "fail": '<rect x="1" y="1" width="14" height="14" fill="{c}"/>'
    f'<path d="M5 5l6 6M11 5l-6 6" {_LINE}/>',
    # a ring with an i
    "information": '<circle cx="8" cy="8" r="6.6" fill="none" stroke="{c}" stroke-width="1.3"/>'
    '<path d="M8 7.4V11.4M8 4.7v.1" stroke="{c}" stroke-width="1.7" stroke-linecap="round"/>',
    # a dash
    "not_measured": '<path d="M3 8H13" stroke="{c}" stroke-width="1.8" stroke-linecap="round"/>',
}
_HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w} {h}" width="{w}" height="{h}">'


def mark(verdict: str) -> str:
    """Draw the shape of a verdict.

    Examples
    --------
    >>> mark("fail").count("<rect"), mark("pass").count("<circle")
    (1, 1)
    """
    shape = _SHAPES.get(verdict, _SHAPES["not_measured"])
    colour = COLOURS.get(verdict, COLOURS["not_measured"])
    return _HEAD.format(w=16, h=16) + shape.replace("{c}", colour) + "</svg>"


def strip(
    value: float,
    interval: Sequence[float] | None,
    target: float | None,
    domain: tuple[float, float],
    *,
    better: str = "lower",
    verdict: str = "information",
) -> str:
    """Draw a dot and its interval against the target; the side to be on is tinted.

    Parameters
    ----------
    value : float
    interval : pair of float or None
    target : float or None
    domain : pair of float
        Ends of the axis, in the unit of the value; what lies beyond is cut at the end.
    better : {"lower", "higher"}
    verdict : str
        Gives the colour of the dot.

    Returns
    -------
    str
        An SVG of 120 by 14.
    """
    low, high = domain
    span = (high - low) or 1.0

    def at(x: float) -> float:
        return round(4 + 112 * min(max((x - low) / span, 0), 1), 1)

    parts = [_HEAD.format(w=120, h=14)]
    if target is not None:
        start, end = (4.0, at(target)) if better == "lower" else (at(target), 116.0)
        parts.append(
            f'<rect x="{start}" y="2" width="{max(end - start, 0):.1f}" height="10" '
            'fill="#eaf1ee"/>'
        )
    if low < 0 < high:
        parts.append(f'<path d="M{at(0)} 2V12" stroke="#b9c1ca" stroke-width=".7"/>')
    parts.append('<path d="M4 7H116" stroke="#d3d8de" stroke-width=".6"/>')
    if target is not None:
        parts.append(f'<path d="M{at(target)} 1V13" stroke="#1c2430" stroke-width="1"/>')
    colour = COLOURS.get(verdict, COLOURS["information"])
    if interval is not None:
        parts.append(
            f'<path d="M{at(interval[0])} 7H{at(interval[1])}" stroke="{colour}" stroke-width="2"/>'
        )
    parts.append(f'<circle cx="{at(value)}" cy="7" r="3.2" fill="{colour}"/></svg>')
    return "".join(parts)
