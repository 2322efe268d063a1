"""Labels that are intervals of numbers, and the order they are in."""

import re

__all__ = ["intervals_in_order"]

_NUMBER = r"(-?\d+(?:[.,]\d+)?)"
_INTERVAL = re.compile(
    rf"^[\[\](]?\s*(<=?|>=?|≤|≥|moins de|plus de|under|over)?\s*{_NUMBER}"
    rf"(?:\s*(?:-|–|,|;|à|to|_)\s*{_NUMBER})?\s*(\+|et plus|and over)?\s*[\[\])]?"
    r"(?:\s*(?:ans|years|years old|y))?$",
    re.IGNORECASE,
)
_BELOW = ("<", "≤", "moins de", "under")


def intervals_in_order(labels: list[str]) -> list[str] | None:
    """Put labels in the order of the intervals they spell.

    Parameters
    ----------
    labels : list of str

    Returns
    -------
    list of str or None
        None where some label is no interval, or most are single numbers.

    Examples
    --------
    >>> intervals_in_order([">50", "20-50", "<=20"])
    ['<=20', '20-50', '>50']
    >>> intervals_in_order(["low", "high"]) is None
    True
    """
    places: dict[str, tuple[float, float]] = {}
    n_single = 0
    for label in labels:
        match = _INTERVAL.match(label.strip())
        if match is None:
            return None
        sign, low, high, more = match.groups()
        first = float(low.replace(",", "."))
        second = float(high.replace(",", ".")) if high else first
        if sign and sign.lower().startswith(_BELOW):
            places[label] = (float("-inf"), first)
        elif sign or more:
            places[label] = (first, float("inf"))
        else:
            n_single += high is None
            places[label] = (first, second)
    if 2 * n_single > len(labels):
        return None
    return sorted(places, key=places.__getitem__)
