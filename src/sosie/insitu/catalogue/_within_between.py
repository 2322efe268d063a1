"""What averaging over areas keeps of a relation, and what it loses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.insitu._aggregate import Aggregate, Part, Total, counts, over, shaped, sums
from sosie.insitu._analysis import Analysis, ColumnName, State
from sosie.insitu._result import Result
from sosie.insitu._rows import labels, require_coded, require_number
from sosie.insitu._told import told_apart, told_of
from sosie.insitu.catalogue._moments import off_centre

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.insitu._rows import Rows
    from sosie.table import Schema

    Floats = NDArray[np.float64]

__all__ = ["WithinBetween"]


class WithinBetween(Analysis):
    r"""Split the relation of two columns into that within groups and that between their means.

    :math:`r = r_w \sqrt{(1-\eta_x^2)(1-\eta_y^2)} + r_b \sqrt{\eta_x^2 \eta_y^2}` [1]_ [2]_: who
    shares means of groups shares :math:`r_b` alone, which may be of the other sign.

    References
    ----------
    .. [1] W. S. Robinson, "Ecological correlations and the behavior of individuals", American
       Sociological Review 15, 1950.
    .. [2] O. D. Duncan, R. P. Cuzzort, B. Duncan, "Statistical geography", 1961.

    Examples
    --------
    >>> WithinBetween(x="income", y="health", by="area").columns
    ('income', 'health', 'area')
    """

    version: ClassVar[str] = "3"
    rounds_seen: ClassVar[bool] = True
    id: Literal["within_between"] = "within_between"
    x: ColumnName
    y: ColumnName
    by: ColumnName

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.x, self.y, self.by)

    def start(self, schema: Schema) -> State:
        """Check the columns."""
        if len({self.x, self.y, self.by}) < 3:
            raise ParameterError("x, y and by are three different columns.")
        require_number(schema, self.x, self.y)
        require_coded(schema, self.by)
        return {"groups": len(labels(schema, self.by)), "n": None}

    def local(self, rows: Rows, state: State) -> Part:
        """Give sums by group; then squares and products about the pooled means of groups."""
        values = np.column_stack([rows.numbers(self.x), rows.numbers(self.y)])
        codes = rows.codes(self.by)
        known = np.asarray(np.isfinite(values).all(axis=1) & (codes >= 0))
        values, codes = values[known], codes[known]
        n = counts(codes, state["groups"], known)
        told = [rows.selection(known, self.columns)]
        # Products of the two tell, of each group, sums of one over those whom the other tells
        # apart. Of numbers of many values each is weighed by the other, and nothing told apart.
        weighers = [(rows.numbers(name), (name,)) for name in (self.x, self.y)]
        for members in n.members:
            told += told_of(rows, members, self.columns, weighers, (self.by,))[0]
        whole, weighed = told_of(rows, known, self.columns, weighers)
        told += whole[1:]  # all of them stand there already
        cells, apart, summed = told_apart(rows, n.members, (self.x, self.y), (self.by,))
        arrays: dict[str, Aggregate] = {"sizes": n}
        if state["n"] is None:
            found = _by_group(values, codes, state["groups"])
            arrays["sums"] = over(replace(found, cells=cells), n)
        else:
            off = off_centre(values, state["means"][codes])
            pairs = np.column_stack([off[:, 0] ** 2, off[:, 0] * off[:, 1], off[:, 1] ** 2])
            found = _by_group(pairs, codes, state["groups"])
            arrays["products"] = over(replace(found, cells=cells), n)
        return Part(arrays, (*told, *apart), summed=(*summed, *weighed))

    def combine(self, total: Total, state: State) -> State | Result:
        """Pool the means; then split."""
        n = total["sizes"]
        if state["n"] is None:
            means = total["sums"] / np.where(n > 0, n, 1)[:, None]
            return state | {"n": n, "means": means}
        used = n > 0
        if used.sum() < 3:
            raise DataError("Fewer than three groups have somebody in them.")
        n, means = n[used], state["means"][used]
        off = means - n @ means / n.sum()
        between = np.array([n @ off[:, 0] ** 2, n @ (off[:, 0] * off[:, 1]), n @ off[:, 1] ** 2])
        within = total["products"].sum(axis=0)
        whole = within + between
        if not (within[[0, 2]] > 0).all() or not (between[[0, 2]] > 0).all():
            raise DataError("A column does not vary within groups, or not between them.")
        eta_x, eta_y = between[0] / whole[0], between[2] / whole[2]
        even = means - means.mean(axis=0)
        values = {
            "n": float(n.sum()), "groups": int(used.sum()),
            "slope": whole[1] / whole[0], "slope_within": within[1] / within[0],
            "slope_between": between[1] / between[0],
            "slope_of_means": float(even[:, 0] @ even[:, 1] / (even[:, 0] @ even[:, 0])),
            "r": _r(whole), "r_within": _r(within), "r_between": _r(between),
            "eta_squared_x": float(eta_x), "eta_squared_y": float(eta_y),
            "kept_within": _r(within) * float(np.sqrt((1 - eta_x) * (1 - eta_y))),
            "kept_between": _r(between) * float(np.sqrt(eta_x * eta_y)),
            "sign_kept": bool(np.sign(within[1]) == np.sign(between[1])),
        }  # fmt: skip
        return Result(self.id, {k: v if isinstance(v, bool | int) else float(v)
                                for k, v in values.items()})  # fmt: skip


def _by_group(values: Floats, codes: NDArray[np.int32], groups: int) -> Aggregate:
    inside = (codes[:, None] == np.arange(groups))[:, :, None] * values[:, None, :]
    return shaped(sums(inside.reshape(len(values), -1)), (groups, values.shape[1]))


def _r(products: Floats) -> float:
    return float(products[1] / np.sqrt(products[0] * products[2]))
