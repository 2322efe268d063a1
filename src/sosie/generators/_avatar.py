"""Avatars: one synthetic row a person, drawn from the person's neighbourhood."""

from __future__ import annotations

import difflib
import hashlib
import secrets
from collections.abc import Mapping
from functools import cache
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from threadpoolctl import ThreadpoolController

from sosie.errors import DataError, ParameterError
from sosie.generators._gaussian import Gaussian
from sosie.generators._gibbs import Gibbs
from sosie.generators._kernel import Setting
from sosie.generators._order import Steps
from sosie.generators._parameters import Parameters
from sosie.generators._published import Published
from sosie.generators._rotation import Rotation
from sosie.space import Columns
from sosie.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from sosie.generators._kernel import Kernel

__all__ = ["KERNELS", "Avatar"]

KERNELS: dict[str, Callable[[], Kernel]] = {
    kernel.name: kernel for kernel in (Gibbs, Rotation, Gaussian, Published)
}
"""The kernels by name; the first is the default."""

_HEAVIEST = 1_000_000


class Avatar(Parameters):
    """Turn a table of persons into a table of avatars.

    Every person gets one avatar, drawn by the kernel from the person's neighbourhood in
    the factors of the table. Names, order, types, decimals, labels, missing cells and the
    rules between columns are those of the original; nothing is dropped silently.

    Parameters
    ----------
    k : int
        Persons in a neighbourhood, besides the person: 1 to n - 1. With the default
        kernel nothing is drawn from fewer.
    n_factors : int
        Factors in which neighbourhoods are made; at most the rank of the table.
    column_weights : mapping of column to float, optional
        What multiplies the inertia of a column; 1 where not given, 0 leaves the column
        out when neighbourhoods are made.
    kernel : str or Kernel
        ``"gibbs"`` (default), ``"rotation"``, ``"gaussian"`` or ``"published"``.
    seed : int, optional
        Same input, parameters and seed give the same avatars. Drawn afresh where it is not
        given: who knows the seed and all rows but one could try values for the last.

    Attributes
    ----------
    table_ : Table
        The original.
    n_factors_ : int
        Number of factors used.
    seed_ : int
        The seed used: keep it with the original.
    rare_labels_ : dict of column to int
        How many labels of a column fewer than ``k`` persons hold, where there are some. Such
        a label may come out: that somebody has it is then known. Group them to avoid it.

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> age = rng.normal(50, 10, 200).round()
    >>> patients = pl.DataFrame({"age": age, "ill": rng.random(200) < age / 100})
    >>> avatars = Avatar(k=10, seed=1).fit_sample(patients)
    >>> avatars.shape, avatars.schema == patients.schema
    ((200, 2), True)
    """

    def __init__(
        self,
        k: int = 10,
        n_factors: int = 5,
        column_weights: Mapping[str, float] | None = None,
        kernel: str | Kernel = "gibbs",
        seed: int | None = None,
    ) -> None:
        self.k = k
        self.n_factors = n_factors
        self.column_weights = column_weights
        self.kernel = kernel
        self.seed = seed

    def fit(self, data: Any, progress: Callable[[float], None] | None = None) -> Self:
        """Learn from the table of persons.

        Parameters
        ----------
        data : Table or dataframe
            pandas, polars, pyarrow or any other that Narwhals knows.
        progress : callable, optional
            Told the share of the work done, from 0 to 1.

        Raises
        ------
        DataError
            If the table holds what an anonymous output may not, or too few persons.
        ParameterError
            If a parameter is out of range or names no column.
        """
        kernel = self._checked_kernel()
        table = Table.of(data)
        table.refuse()
        if not kernel.keeps_rules:
            table = table.without_rules()
        self._check_against(table)
        free = table.reduced()
        columns = Columns.of(free)
        known = columns.known_numbers()
        self._steps = Steps(free, known, self.k)
        columns = columns.with_numbers(self._steps.taken(known))
        self.seed_ = secrets.randbelow(2**53) if self.seed is None else self.seed
        self.rare_labels_ = _rare_labels(columns, self.k)
        # With the table in it, a seed that others know tells them nothing of the order.
        entropy = [self.seed_, *np.frombuffer(_digest(columns), np.uint32).tolist()]
        fit_seed, draw_seed = np.random.SeedSequence(entropy).spawn(2)
        with _one_thread():
            self._kernel = kernel.fit(
                columns,
                Setting(
                    self.k,
                    self.n_factors,
                    self._weights(columns),
                    whole=frozenset({*self._steps.told, *self._steps.alone}),
                ),
                np.random.default_rng(fit_seed),
                progress,
            )
        self._draw_seed = draw_seed
        self.table_, self._free = table, free
        self.n_factors_ = kernel.n_factors_
        return self

    def sample(self, *, linked: bool = False) -> Any:
        """Draw one avatar a person.

        Parameters
        ----------
        linked : bool
            Whether row i is the avatar of person i. Linked avatars are sensitive: they are
            for diagnosis, by who may see the original, and are never released.

        Returns
        -------
        dataframe
            Of the kind that was given to :meth:`fit`, rows in random order unless linked.
        """
        released, sensitive = self.sample_tables()
        if not linked:
            return released.native()
        frame = sensitive.native()
        if hasattr(frame, "attrs"):  # pandas; the tables of sample_tables are marked always
            frame.attrs["sensitive"] = "linked: row i is the avatar of person i"
        return frame

    def sample_tables(self, progress: Callable[[float], None] | None = None) -> tuple[Table, Table]:
        """Draw one avatar a person, and give the avatars twice.

        Returns
        -------
        released : Table
            Rows in random order.
        linked : Table
            The same rows in the order of the original: marked sensitive.

        Raises
        ------
        ParameterError
            If nothing was learned yet.
        """
        if not hasattr(self, "table_"):
            raise ParameterError("There is nothing to draw from yet: call fit first.")
        rng = np.random.default_rng(self._draw_seed)
        with _one_thread():
            drawn = self._kernel.draw(rng, progress)
        numbers = drawn.known_numbers() | {name: drawn.numbers[name] for name in self._steps.alone}
        drawn = drawn.with_numbers(self._steps.undone(numbers))
        avatars = self._steps.kept(self._free.rebuild(drawn.arrays()))
        n = len(avatars)
        order = rng.permutation(n)
        # Pseudo-ids are given in the order of the release, and so carry no link.
        released = self.table_.restored(avatars.taken(order), seed=int(rng.integers(2**31)))
        return released, released.taken(np.argsort(order), sensitive=True)

    def fit_sample(self, data: Any) -> Any:
        """Learn from the table and draw one avatar a person, in random order."""
        return self.fit(data).sample()

    def _checked_kernel(self) -> Kernel:
        _check_whole("k", self.k, 1)
        _check_whole("n_factors", self.n_factors, 1)
        if self.seed is not None:
            _check_whole("seed", self.seed, 0)
        if not isinstance(self.column_weights or {}, Mapping):
            raise ParameterError("column_weights is a mapping of columns to weights.")
        if not isinstance(self.kernel, str) and hasattr(self.kernel, "draw"):
            return self.kernel
        if self.kernel not in KERNELS:
            listed = ", ".join(KERNELS)
            raise ParameterError(f"There is no kernel {self.kernel!r}; use one of: {listed}.")
        return KERNELS[self.kernel]()

    def _check_against(self, table: Table) -> None:
        n = len(table)
        if self.k >= n:
            raise ParameterError(
                f"k = {self.k} neighbours need at least {self.k + 1} persons and the table has "
                f"{n}: use a k of at most {n - 1}, or more persons."
            )
        for name, weight in (self.column_weights or {}).items():
            if name not in table.names:
                near = difflib.get_close_matches(name, table.names, 1)
                hint = f"did you mean {near[0]!r}?" if near else "check its spelling."
                raise ParameterError(f"There is no column {name!r} to weigh; {hint}")
            if not (isinstance(weight, Real) and 0 <= weight <= _HEAVIEST):
                raise ParameterError(
                    f"The weight of column {name!r} must be a number from 0 to {_HEAVIEST:,}."
                )
        free = table.reduced().frame
        if not free.columns:
            raise DataError("Every column is constant: there is nothing to tell persons apart.")
        few = [name for name in free.columns if n - free[name].null_count() < self.k]
        if few:
            listed = ", ".join(map(repr, few))
            raise DataError(
                f"Fewer than k = {self.k} persons have a value in: {listed}; drop what so few "
                "have, or use a smaller k."
            )

    def _weights(self, columns: Columns) -> NDArray[np.float64] | None:
        """Give the weight of each variable: numbers, levels, then masks."""
        if not self.column_weights:
            return None
        names = [*columns.numbers, *columns.codes]
        owners = {alone: name for name, alone in self._steps.alone.items()}
        said = [float(self.column_weights.get(owners.get(name, name), 1)) for name in names]
        masks = np.zeros(len(columns.masks))
        for name, mask in columns.mask_of.items():
            masks[mask] = max(masks[mask], said[names.index(name)])
        if not any(said):
            raise ParameterError("All columns weigh 0: at least one must count.")
        return np.array([*said, *masks])


def _check_whole(name: str, value: object, least: int) -> None:
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ParameterError(f"{name} is a whole number of at least {least}, not {value!r}.")


def _rare_labels(columns: Columns, k: int) -> dict[str, int]:
    """Count, for each column, the labels that some persons hold but fewer than ``k``."""
    found = {}
    for name in columns.codes:
        codes = columns.codes[name]
        if name in columns.mask_of:
            codes = codes[~columns.masks[columns.mask_of[name]]]
        counts = np.bincount(codes, minlength=columns.levels[name])
        rare = int(((counts > 0) & (counts < k)).sum())
        if rare:
            found[name] = rare
    return found


def _digest(columns: Columns) -> bytes:
    """Give a hash of all the cells."""
    found = hashlib.sha256()
    for values in (*columns.numbers.values(), *columns.codes.values(), *columns.masks):
        found.update(np.ascontiguousarray(values).data)
    return found.digest()


def _one_thread() -> AbstractContextManager[object]:
    """Keep linear algebra on one thread.

    Its products here are small, where threads wait for each other; and how they share the
    work changes the last digits, so that a seed would not give the same avatars everywhere.
    """
    return _blas().limit(limits=1, user_api="blas")


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController()  # looking through the loaded libraries takes a while
