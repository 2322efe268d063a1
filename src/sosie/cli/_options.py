"""Options of the generator, the same in every command that has one."""

import math

from sosie.errors import ParameterError

__all__ = ["weights_of"]


def weights_of(spelt: list[str]) -> dict[str, float]:
    """Read ``COL=W``, where the name may hold ``=`` too.

    Raises
    ------
    ParameterError
        If one is not so spelt, or a column has two.

    Examples
    --------
    >>> weights_of(["age=2"])
    {'age': 2.0}
    """
    weights: dict[str, float] = {}
    for one in spelt:
        name, sign, value = one.rpartition("=")
        try:
            weight = float(value)
        except ValueError:
            weight = math.nan
        if not (sign and name and math.isfinite(weight) and weight >= 0):
            raise ParameterError(
                f"--weight {one}: give a column, = and a number of at least 0, as in age=2."
            )
        if name in weights:
            raise ParameterError(f"--weight gives column {name!r} two weights; give it one.")
        weights[name] = weight
    return weights
