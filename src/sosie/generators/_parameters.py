"""Parameters of a generator by name, as scikit-learn has them."""

from __future__ import annotations

import inspect
from typing import Any, Self

from sosie.errors import ParameterError

__all__ = ["Parameters"]


class Parameters:
    """A generator whose constructor only stores what it takes: it can be cloned and set.

    Examples
    --------
    >>> class Mean(Parameters):
    ...     def __init__(self, k: int = 10) -> None:
    ...         self.k = k
    >>> Mean(k=5).get_params(), Mean().set_params(k=3).k
    ({'k': 5}, 3)
    """

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Give the parameters by name; `deep` changes nothing, as none has parameters itself."""
        names = list(inspect.signature(type(self).__init__).parameters)[1:]
        return {name: getattr(self, name) for name in names}

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters by name; what was learnt stays until `fit` is called again.

        Raises
        ------
        ParameterError
            If there is no such parameter.
        """
        known = self.get_params()
        unknown = [name for name in parameters if name not in known]
        if unknown:
            raise ParameterError(
                f"{type(self).__name__} has no parameter {unknown[0]!r}; it has {', '.join(known)}."
            )
        for name, value in parameters.items():
            setattr(self, name, value)
        return self
