"""The table of persons as a model sees it, and drawn rows as a table again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sosie.generators._order import Steps
from sosie.generators.artificial._bands import Bands
from sosie.generators.artificial._choices import learnable, stratum_of
from sosie.generators.artificial._coding import Coding
from sosie.generators.artificial._conditions import check_name
from sosie.generators.artificial._draws import Limits
from sosie.generators.artificial._levels import Levels
from sosie.generators.artificial._possible import Possible
from sosie.generators.artificial._spikes import spikes_of
from sosie.generators.artificial._unseen import absences
from sosie.space import Columns
from sosie.table import Kind, before_of, spacing_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sosie.generators.artificial._conditions import Condition
    from sosie.generators.artificial._draws import Draws
    from sosie.table import Table

    Floats = NDArray[np.float64]

__all__ = ["Cohort"]

_FEWEST = 10
"""Persons who tell a step, at least."""


class Cohort:
    """Code a table of persons: all that a model needs but its parameters.

    Parameters
    ----------
    table : Table
    stratum : str or None
        As :class:`RHVAE` takes it.
    arranged : bool
        Whether levels are put in the order that the other columns show, where they show one.

    Attributes
    ----------
    table, free : Table
        The table, and what has to be learnt of it.
    steps : Steps
        That tell columns in order.
    columns : Columns
        Of the latter, less what bands of a number tell; columns in order are told by steps,
        levels by their places in an order where they have one.
    coding : Coding
    coded : Coded
        The persons.
    spikes : Spikes
        Numbers that ``columns`` has in two, one of codes and one missing at what many share.
    parted : dict of int to list of (str or int, int)
        Of the masks of these, the code and the mask with which the number is missing.
    missing : dict of str to ndarray of shape (n,), bool
        Of the columns that miss cells in the table, which.
    possible : Possible
        Which pairs of values somebody has.

    Raises
    ------
    DataError
        If the table is none to learn from.
    ParameterError
        If the stratum is none.
    """

    def __init__(self, table: Table, stratum: str | None, *, arranged: bool = True) -> None:
        if stratum not in (None, "auto"):
            check_name(table, stratum, "learn by")
        self.table, self.free = table, learnable(table)
        columns = Columns.of(self.free)
        known = columns.known_numbers()
        self._bands = Bands(columns, stratum)
        columns = self._bands.taken(columns)
        self.steps = Steps(self.free, known, _FEWEST)
        columns = columns.with_numbers(self.steps.taken(known))
        kinds = (Kind.ORDINAL, Kind.BOOLEAN)
        ordered = {c.name for c in self.free.schema.columns if c.kind in kinds}
        parting = stratum_of(stratum, columns)
        # What stays where it is counts as in order already.
        kept = ordered if arranged else {*ordered, *columns.levels}
        self._levels = Levels(columns, kept, parting)
        columns = self._levels.taken(columns)
        self.missing = {name: columns.masks[mask] for name, mask in columns.mask_of.items()}
        absent = absences(self.free, columns, self._bands, self.steps.told)
        ordered |= self._levels.found
        whole = Coding(columns, ordered, parting, absent)
        telling = {by for levels in absent.values() for by, _ in levels if isinstance(by, str)}
        stay = {*telling, *self.steps.alone, *self.steps.alone.values()}
        self.spikes = spikes_of(columns, whole, whole.coded(columns), stay)
        self.columns = self.spikes.taken(columns)
        self.parted = self.spikes.absent(columns, self.columns)
        self.coding = Coding(self.columns, ordered, parting, absent | self.parted)
        self.coded = self.coding.coded(self.columns)
        self.possible = Possible(self.coding, self.columns)

    def rebuilt(self, arrays: dict[str, Any], known: dict[str, Floats] | None = None) -> Table:
        """Give values of the free columns as a table of them, and numbers known where they are."""
        arrays = self.spikes.undone(arrays)
        numbers = self.steps.undone({name: arrays[name] for name in self.columns.numbers}, known)
        arrays = {name: values for name, values in arrays.items() if name in self.free.schema}
        codes = self._levels.undone(arrays) | self._bands.told(numbers)
        made = self.steps.kept(self.free.rebuild(arrays | numbers | codes))
        if self._bands.found:  # rounding may have brought a number past a cut
            names = set(self._bands.found.values())
            codes |= self._bands.told({name: made.numbers(name) for name in names})
            told = self.free.rebuild(arrays | numbers | codes).frame
            made.frame = made.frame.with_columns(told.select(list(self._bands.found)))
        return made

    def arrays(self, drawn: Draws, places: Floats, *, filled: bool = False) -> dict[str, Any]:
        """Give values for every free column, missing where the draw says so unless filled."""
        coding, columns = self.coding, self.columns
        found: dict[str, Any] = {}
        for j, name in enumerate(coding.scored):
            values = coding.values(j, places[:, j], drawn.strata)
            found[name] = values if name in columns.numbers else values.astype(np.int32)
        for i, name in enumerate(coding.nominal):
            found[name] = drawn.levels[:, i]
        if coding.stratum:
            found[coding.stratum] = drawn.strata
        if filled:
            return found
        masks = [coding.missing(i, places, drawn) for i in range(coding.n_masks)]
        for name, mask in coding.mask_of.items():
            if name in self.steps.alone:  # missing where the value as it is is
                continue
            blank: Any = np.nan if name in columns.numbers else np.int32(-1)
            found[name] = np.where(masks[mask], blank, found[name])
        return found

    def limits(self, conditions: list[Condition]) -> tuple[Limits, list[Condition]]:
        """Give what the model is to be kept to, and conditions on numbers among that.

        By the others rows are sifted: those on columns that rules or orders make.
        """
        coding = self.coding
        chained = set(before_of(self.free.schema))
        chained |= {a for others in before_of(self.free.schema).values() for a in others}
        limits, direct = Limits({}, {}, None), []
        for asked in conditions:
            name = self._bands.found.get(asked.name, asked.name)
            if asked.name == coding.stratum:
                limits.stratum = int(asked.low)
                continue
            if asked.name in coding.nominal:
                limits.levels[coding.nominal.index(asked.name)] = int(asked.low)
            elif name in coding.scored and name not in chained:
                j = coding.scored.index(name)
                low, high = self._rounded(asked)
                if name != asked.name:
                    low, high = self._bands.ends(asked.name, int(low))
                elif name not in coding.numbers:
                    low = high = self._levels.place(name, int(low))
                spike = self._at_spike(asked, name, low, high)
                if spike is None:
                    continue
                if name in self.spikes.found:
                    told = coding.scored.index(self.spikes.found[name])
                    limits.within(told, *coding.ends(told, spike, spike))
                if not spike:
                    limits.within(j, *coding.ends(j, low, high))
                if asked.name in coding.numbers:
                    direct.append(asked)
            else:
                continue
            name = self.spikes.found.get(name, name)
            if name in coding.mask_of:
                j = len(coding.scored) + coding.mask_of[name]
                limits.within(j, *coding.ends(j, 0, 0))
        return limits, direct

    def _at_spike(self, asked: Condition, name: str, low: float, high: float) -> bool | None:
        """Tell whether a number is asked to be what many share; None where it may be or not."""
        if name not in self.spikes.found:
            return False
        if asked.at is not None:
            low, high = asked.exactly().low, asked.exactly().high
        values = self.columns.known_numbers()[name]
        spike = low <= self.spikes.at[name] <= high
        return None if spike and ((values >= low) & (values <= high)).any() else spike

    def _rounded(self, asked: Condition) -> tuple[float, float]:
        """Give the ends of what is rounded to values within a range."""
        gap = 0.0
        if not asked.coded and asked.at is None:
            gap = spacing_of(self.free.schema[asked.name], self.free.frame.schema[asked.name])
        if not gap:
            return asked.low, asked.high
        low, high = np.ceil(asked.low / gap - 1e-6), np.floor(asked.high / gap + 1e-6)
        return float(low - 0.5) * gap, float(high + 0.5) * gap
