"""Rules that hold in every row: columns that another determines, dates and numbers in order.

*Determined.* B is taken to be a function of A where, in every row, one value of A (missing
included) goes with one value of B, and this cannot be chance. The evidence is the sum, over
the rows beyond the first of each value of A, of -log(share of its value of B): what it would
cost to guess them. 20 nats are asked for (one chance in 5e8), and A must have at most 200
values. Of two columns that say the same, the first stays. A column equal to an earlier one
in every row is determined by it whatever its kind, and numbers whatever their type.

*Order.* Two columns of dates are in order where the first is never after the second in any of
at least 20 rows that have both, and not always on the same day. Two columns of numbers are
where the first is never above the second in any of at least 100 rows that have both, not
always equal, and this can neither be chance nor follow from their ranges: were the second
shuffled, 30 rows, and 1 % of them, would be expected to break it.
"""

from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sosie.table._kinds import CODED, NUMERIC, Kind
from sosie.table._levels import codes_of
from sosie.table._restore import free_columns
from sosie.table._schema import Column, Determined, Schema

__all__ = ["detect"]

_MOST_LEVELS = 200
_EVIDENCE = 20.0
_ENOUGH_ROWS = 20
_SAMPLE = 2000
_ENOUGH_NUMBERS = 100
_BROKEN_ROWS = 30
_BROKEN_SHARE = 0.01
_MOST_SCREENED = 20_000
_MOST_PAIRS = 2000

Codes = NDArray[np.int64]


def detect(frame: pl.DataFrame, schema: Schema, said: Schema) -> Schema:
    """Add the rules found to a schema that does not declare its own.

    Parameters
    ----------
    frame : DataFrame
        The table.
    schema : Schema
        Its columns described.
    said : Schema
        What the user declared: rules he lists, even none, are left alone.

    Returns
    -------
    Schema
    """
    update: dict[str, object] = {}
    if "determined" not in said.model_fields_set:
        update["determined"] = _determined(frame, schema)
    if "order" not in said.model_fields_set:
        update["order"] = _ordered(frame, schema.model_copy(update=update))
    return schema.model_copy(update=update)


def _determined(frame: pl.DataFrame, schema: Schema) -> list[Determined]:
    totals = {rule.total for rule in schema.sums}
    taken = totals | {part for rule in schema.sums for part in rule.parts}
    equal = _equal_columns(frame, schema, taken)
    rest = [column for column in schema.columns if column.name not in equal]
    found = _functions(_candidates(frame, rest), taken)
    rules = {**equal, **found}
    return [Determined(column=n, by=rules[n]) for n in schema.names if n in rules]


@dataclass(frozen=True)
class _Candidate:
    """A column of few values that may take part in a rule.

    Attributes
    ----------
    values : Series
        All of it.
    size : int
        Number of values, missing included.
    few : array of int, shape (m,)
        Codes of some rows.
    is_source : bool
        Whether it may determine others.
    """

    values: pl.Series
    size: int
    few: Codes
    is_source: bool

    def codes(self) -> Codes:
        """Turn the values of all rows into codes, missing first."""
        if isinstance(self.values.dtype, pl.Enum):
            codes = self.values.to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
        else:
            distinct = self.values.drop_nulls().unique()
            codes = codes_of(self.values, list(distinct)).astype(np.int64)
        return codes + 1 if self.values.null_count() else codes


def _candidates(frame: pl.DataFrame, columns: list[Column]) -> list[_Candidate]:
    """Choose the columns of 2 to 200 values; a sample tells most of the others apart."""
    rows = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), _SAMPLE)).astype(np.int64))
    few = frame.select(c.name for c in columns)[rows]
    chosen = []
    for column in columns:
        if column.kind not in CODED | {Kind.INTEGER, Kind.NUMBER}:
            continue
        sample = few[column.name]
        if sample.n_unique() > _MOST_LEVELS:
            continue
        values = frame[column.name]
        if column.kind in CODED:
            size = len(column.levels) + (values.null_count() > 0)
        else:
            size = values.n_unique()
        if 2 <= size <= _MOST_LEVELS and not values.dtype.is_decimal():
            codes = sample.cast(pl.Categorical) if sample.dtype == pl.String else sample
            ranks = codes.to_physical().rank("dense").fill_null(0).to_numpy()
            chosen.append(_Candidate(values, size, ranks, column.kind in CODED))
    return chosen


def _functions(candidates: list[_Candidate], taken: set[str]) -> dict[str, str]:
    """Find which columns are a function of which: the one of fewest values, then the first."""
    if not candidates:
        return {}
    few = np.column_stack([candidate.few for candidate in candidates]).astype(np.uint8)
    sizes = [candidate.size for candidate in candidates]
    codes: dict[int, Codes] = {}

    def all_rows(place: int) -> Codes:
        if place not in codes:
            codes[place] = candidates[place].codes()
        return codes[place]

    found: dict[str, str] = {}
    for here in sorted(range(len(sizes)), key=lambda place: (sizes[place], place)):
        if not candidates[here].is_source:
            continue
        for there in np.flatnonzero(_not_refuted(few, here)).tolist():
            target = candidates[there].values.name
            # Sizes that fall, or places that rise, make a cycle impossible.
            later = (sizes[there], -there) < (sizes[here], -here)
            free = target not in found and target not in taken
            if later and free and _is_function(all_rows(here), all_rows(there)):
                found[target] = candidates[here].values.name
    return found


def _not_refuted(few: NDArray[np.uint8], source: int) -> NDArray[np.bool_]:
    """Tell, from a sample, which columns may be a function of one of them."""
    by_source = few[np.argsort(few[:, source], kind="stable")]
    same = by_source[1:, source] == by_source[:-1, source]
    kept: NDArray[np.bool_] = (by_source[1:] == by_source[:-1])[same].all(axis=0)
    return kept


def _is_function(source: Codes, target: Codes) -> bool:
    """Tell whether target is a function of source, and not by chance."""
    width = int(target.max()) + 1
    pairs = np.bincount(source * width + target, minlength=(int(source.max()) + 1) * width)
    table = pairs.reshape(-1, width)
    if ((table > 0).sum(axis=1) > 1).any():
        return False
    share = table.sum(axis=0) / len(target)
    repeats = np.maximum(table - 1, 0).sum(axis=0)
    present = share > 0
    return bool(-(repeats[present] * np.log(share[present])).sum() >= _EVIDENCE)


def _equal_columns(frame: pl.DataFrame, schema: Schema, taken: set[str]) -> dict[str, str]:
    """Find columns that are the same as an earlier one in every row."""
    firsts: dict[tuple[object, ...], list[str]] = {}
    equal: dict[str, str] = {}
    for column in schema.columns:
        if column.kind not in CODED | NUMERIC:
            continue
        values = frame[column.name]
        # 12 and 12.0 are one number, and one key.
        sort = "number" if values.dtype.is_numeric() else str(values.dtype)
        key = (sort, values.null_count(), *values.head(50).to_list())
        for earlier in firsts.setdefault(key, []):
            if column.name not in taken and _same_values(values, frame[earlier]):
                equal[column.name] = earlier
                break
        else:
            firsts[key].append(column.name)
    return equal


def _same_values(one: pl.Series, other: pl.Series) -> bool:
    if one.dtype == other.dtype:
        return one.equals(other)
    return bool(one.eq_missing(other).all())


def _ordered(frame: pl.DataFrame, schema: Schema) -> list[list[str]]:
    """Find chains of dates, or of numbers, that never decrease."""
    free = set(free_columns(schema))
    times = {
        column.name: _instants(frame[column.name])
        for column in schema.columns
        if column.kind in (Kind.DATE, Kind.DATETIME) and column.name in free
    }
    before = {
        (first, second)
        for first, second in permutations(times, 2)
        if times[first].dtype == times[second].dtype
        and _never_after(times[first], times[second], _ENOUGH_ROWS)
    }
    numbers = [
        column.name
        for column in schema.columns
        if column.kind in (Kind.INTEGER, Kind.NUMBER)
        and column.name in free
        and frame.schema[column.name].is_numeric()
    ]
    if len(frame) >= _ENOUGH_NUMBERS and len(numbers) > 1:
        before |= _numbers_in_order(frame.select(numbers))
    names = {name for pair in before for name in pair}
    return _chains(before, {name for name in names if not frame[name].null_count()})


def _numbers_in_order(frame: pl.DataFrame) -> set[tuple[str, str]]:
    """Find pairs of numbers in order: a sample tells most of the others apart."""
    rows = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), _SAMPLE)).astype(np.int64))
    few = frame[rows].select(pl.all().cast(pl.Float64).fill_null(np.nan)).to_numpy().T
    few = np.ascontiguousarray(few)
    whole = {name for name in frame.columns if not frame[name].null_count()}
    found: set[tuple[str, str]] = set()
    above: dict[str, set[str]] = {name: set() for name in frame.columns}
    below: dict[str, set[str]] = {name: set() for name in frame.columns}
    for i, j in _unbroken(few).tolist():
        first, second = frame.columns[i], frame.columns[j]
        share = _share_expected(few[i], few[j])
        if share < _BROKEN_SHARE or share * len(frame) < _BROKEN_ROWS:
            continue
        both = len(frame)
        if not {first, second} <= whole:
            both = int((frame[first].is_not_null() & frame[second].is_not_null()).sum())
        if both < _ENOUGH_NUMBERS or share * both < _BROKEN_ROWS:
            continue
        implied = above[first] & below[second] & whole
        if implied or _never_after(frame[first], frame[second], _ENOUGH_NUMBERS):
            found.add((first, second))
            above[first].add(second)
            below[second].add(first)
        if len(found) == _MOST_PAIRS:
            break
    return found


def _unbroken(few: NDArray[np.float64]) -> NDArray[np.int64]:
    """Choose the pairs that a sample does not refute and ranges do not explain: near ones first.

    Rows of ``few`` are columns of the table.
    """
    some = np.ascontiguousarray(few[:, :: max(1, few.shape[1] // 64)])
    open_ = np.array([~(some > one).any(axis=1) for one in some]).T
    open_ &= np.fmax.reduce(few, axis=1)[:, None] > np.fmin.reduce(few, axis=1)
    np.fill_diagonal(open_, val=False)
    pairs = np.argwhere(open_)
    pairs = pairs[np.argsort(np.abs(pairs[:, 0] - pairs[:, 1]), kind="stable")][:_MOST_SCREENED]
    holds = [
        ~(few[part[:, 0]] > few[part[:, 1]]).any(axis=1)
        for part in np.array_split(pairs, len(pairs) // 200 + 1)
    ]
    return pairs[np.concatenate(holds)]


def _share_expected(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Give the share of rows that would be out of order, were the second column shuffled."""
    both = ~(np.isnan(first) | np.isnan(second))
    m = int(both.sum())
    below = np.searchsorted(np.sort(second[both]), np.sort(first[both]))
    return float(below.sum()) / (m * m) if m else 0.0


def _instants(values: pl.Series) -> pl.Series:
    if values.dtype == pl.Date:
        return values.cast(pl.Datetime("us"))
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        values = values.dt.convert_time_zone("UTC")
    return values.dt.cast_time_unit("us") if values.dtype == pl.Datetime else values


def _never_after(first: pl.Series, second: pl.Series, enough: int) -> bool:
    if (first.head(_SAMPLE) > second.head(_SAMPLE)).any():
        return False
    ordered = first <= second
    both = len(ordered) - ordered.null_count()
    if both < enough or not ordered.all():
        return False
    # Of two that are the same wherever both are known, that of more rows comes first.
    return bool((first < second).any()) or first.null_count() < second.null_count()


def _chains(before: set[tuple[str, str]], whole: set[str]) -> list[list[str]]:
    """Cover the pairs by chains, leaving out the pairs that chains imply.

    A chain is grown only by a column that comes after each of its own: where values are
    missing, a <= b and b <= c do not make a <= c. Columns of which none is are ``whole``.
    """
    after: dict[str, set[str]] = {}
    rank: dict[str, int] = {}
    for first, second in before:
        after.setdefault(first, set()).add(second)
        rank[second] = rank.get(second, 0) + 1
    implied = {(a, c): {b for b in after[a] if c in after.get(b, ())} for a, c in before}
    direct: dict[str, list[str]] = {}
    for a, c in sorted(before):
        if not implied[a, c]:
            direct.setdefault(a, []).append(c)
    chains: list[list[str]] = []
    covered: set[tuple[str, str]] = set()
    starts = [(a, c) for a, ends in direct.items() for c in ends]
    for pair in sorted(starts, key=lambda pair: rank.get(pair[0], 0)):
        if pair in covered:
            continue
        chain = list(pair)
        while longer := [
            c for c in direct.get(chain[-1], ()) if all((a, c) in before for a in chain)
        ]:
            chain.append(longer[0])
        covered |= set(combinations(chain, 2))
        chains.append(chain)
    # Chains that part and meet again may leave pairs to say, where one between is missing.
    rest = sorted(p for p in before if p not in covered and not implied[p] & whole)
    return chains + [list(pair) for pair in rest]
