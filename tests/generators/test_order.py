"""Orders hold in every row of the avatars, whatever the chains, units and roundings."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.generators import KERNELS, Avatar
from sosie.generators._order import Steps
from sosie.generators.artificial import RHVAE
from sosie.table import Column, Schema, Table
from sosie.table._rebuild import in_order

RULES = pytest.mark.parametrize("kernel", [k for k in KERNELS if k != "published"])
N = 400


@pytest.fixture
def stays():
    """Birth (a date), admission, surgery and discharge, surgery in whole minutes."""
    rng = np.random.default_rng(3)
    start = datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    admission = [start + timedelta(minutes=int(m)) for m in rng.integers(0, 500_000, N)]

    def later(scale):
        return [
            day + timedelta(seconds=float(s))
            for day, s in zip(admission, rng.exponential(scale, N).round(), strict=True)
        ]

    return pl.DataFrame(
        {
            "day": [moment.date() for moment in admission],
            "admission": admission,
            "triage": later(60),
            "surgery": [None if i % 3 else moment for i, moment in enumerate(later(9000))],
            "discharge": later(9000),
        }
    )


def holds(frame, chain):
    return all(not (frame[a] > frame[b]).any() for i, a in enumerate(chain) for b in chain[i + 1 :])


@RULES
def test_branches_units_and_dates_with_times(stays, kernel):
    chains = [
        ["day", "admission", "triage"],
        ["admission", "surgery"],
        ["admission", "discharge"],
    ]
    for order in (chains, Table.of(stays).schema.order):
        avatars = Avatar(kernel=kernel, seed=1).fit_sample(Table.of(stays, Schema(order=order)))
        assert all(holds(avatars, chain) for chain in chains)
    assert holds(avatars, ["day", "triage"])
    gap = (avatars["triage"] - avatars["admission"]).dt.total_seconds()
    assert gap.mean() == pytest.approx(60, rel=0.3)


@RULES
def test_numbers_keep_their_order_and_their_ties(kernel):
    rng = np.random.default_rng(0)
    death = rng.gamma(2, 500, N).round()
    relapse = np.where(rng.random(N) < 0.4, death, (death * rng.random(N)).round())
    low = 5 * rng.poisson(15, N)
    high = low + rng.gamma(2, 20, N)
    frame = pl.DataFrame({"relapse": relapse, "death": death, "low": low, "high": high})
    table = Table.of(frame)
    assert table.schema.order == [["low", "high"], ["relapse", "death"]]
    avatars = Avatar(kernel=kernel, seed=0).fit(table).sample()
    assert holds(avatars, ["relapse", "death"])
    assert holds(avatars, ["low", "high"])
    assert (avatars["low"] % 5 == 0).all()
    assert (avatars["relapse"] == avatars["death"]).mean() == pytest.approx(0.4, abs=0.08)


def test_the_published_kernel_knows_no_order():
    rng = np.random.default_rng(0)
    low = rng.normal(size=N)
    frame = pl.DataFrame({"low": low, "high": low + rng.random(N)})
    free = Table.of(frame, Schema(order=[]))
    ours, theirs = (
        Avatar(kernel="published", seed=0).fit(data).sample() for data in (Table.of(frame), free)
    )
    assert Table.of(frame).schema.order == [["low", "high"]]
    assert ours.equals(theirs)


def test_a_column_that_two_others_precede():
    values = {"a": np.array([1.0, 4.0]), "b": np.array([3.0, np.nan]), "c": np.array([5.0, 9.0])}
    days = {
        name: pl.Series(v, nan_to_null=True).cast(pl.Int32).cast(pl.Date)
        for name, v in values.items()
    }
    columns = [Column(name=name, kind="date") for name in values]
    said = Schema(columns=columns, order=[["a", "c"], ["b", "c"]])
    steps = Steps(Table.of(pl.DataFrame(days), said), values)
    told = steps.taken(values)
    assert told["c"].tolist() == [2.0, 5.0]
    assert steps.undone(told)["c"].tolist() == [5.0, 9.0]


COLUMNS = [
    (Column(name="a", kind="integer"), pl.Int64()),
    (Column(name="b", kind="integer", step=5), pl.Int16()),
    (Column(name="c", kind="number", decimals=1), pl.Float64()),
    (Column(name="d", kind="number", step=0.25), pl.Float64()),
    (Column(name="e", kind="number"), pl.Float32()),
    (Column(name="f", kind="number"), pl.Float64()),
    (Column(name="g", kind="number", decimals=2), pl.Decimal(10, 2)),
]
TIMES = [
    (Column(name="a", kind="date"), pl.Date()),
    (Column(name="b", kind="datetime"), pl.Datetime("us")),
    (Column(name="c", kind="datetime", step=60), pl.Datetime("ms")),
    (Column(name="d", kind="datetime", step=3600), pl.Datetime("ns")),
    (Column(name="e", kind="date", step=7), pl.Date()),
]


@pytest.mark.parametrize(("sort", "unit"), [(COLUMNS, 1.0), (TIMES, 8.64e10)])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_every_chain_holds_in_every_row(sort, unit, data):
    names = [column.name for column, _ in sort]
    ranks = data.draw(st.permutations(names))
    subset = st.lists(st.sampled_from(ranks), min_size=2, unique=True)
    chains = [sorted(chain, key=ranks.index) for chain in data.draw(st.lists(subset, max_size=4))]
    cell = st.one_of(st.just(np.nan), st.floats(-30, 30), st.integers(-30, 30).map(float))
    drawn = data.draw(st.lists(st.tuples(*[cell] * len(names)), min_size=1, max_size=20))
    schema = Schema(columns=[column for column, _ in sort], order=chains)
    empty = pl.DataFrame(schema=dict(zip(names, (dtype for _, dtype in sort), strict=True)))
    table = Table(empty, schema, None)
    scale = {c.name: 1.0 if t == pl.Date else unit for c, t in sort}
    arrays = {n: np.array([row[j] for row in drawn]) * scale[n] for j, n in enumerate(names)}
    before = table.rebuild(arrays).frame
    after = in_order(before, schema)
    assert after.schema == before.schema
    assert all(holds(after, chain) for chain in chains)
    assert after.null_count().equals(before.null_count())
    assert table.rebuild({n: Table(after, schema, None).numbers(n) for n in names}).frame.equals(
        after
    )


def test_an_upper_bound_lowers_what_comes_before():
    columns = [
        Column(name="a", kind="number"),
        Column(name="b", kind="integer", upper=10),
    ]
    schema = Schema(columns=columns, order=[["a", "b"]])
    frame = pl.DataFrame({"a": [10.5, 8.5], "b": [3, 3]})
    assert in_order(frame, schema).rows() == [(10.0, 10), (8.5, 9)]


def test_a_day_after_a_time():
    moment = datetime(2020, 5, 1, 13, tzinfo=UTC).replace(tzinfo=None)
    frame = pl.DataFrame({"t": [moment], "d": [date(2020, 5, 1)]})
    columns = [Column(name="t", kind="datetime"), Column(name="d", kind="date")]
    assert in_order(frame, Schema(columns=columns, order=[["t", "d"]]))["d"][0] == date(2020, 5, 2)


def births_and_admissions():
    """Births of 68 years, admissions of one, both of dates that say nothing of each other."""
    rng = np.random.default_rng(5)
    birth = [date(1930, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 25_000, N)]
    admission = [date(2022, 6, 1) + timedelta(days=int(d)) for d in rng.integers(0, 365, N)]
    out = [
        day + timedelta(days=int(d)) for day, d in zip(admission, rng.poisson(5, N), strict=True)
    ]
    weight = rng.normal(70, 10, N).round(1)
    return pl.DataFrame({"birth": birth, "admission": admission, "out": out, "weight": weight})


def test_a_date_is_told_by_steps_where_these_vary_less():
    table = Table.of(births_and_admissions())
    assert table.schema.order == [["birth", "admission", "out"]]
    numbers = {name: table.numbers(name) for name in table.names}
    steps = Steps(table, numbers)
    told = steps.taken(numbers)
    assert (told["admission"] == numbers["admission"]).all()
    assert (told["out"] == numbers["out"] - numbers["admission"]).all()
    beyond = told | {"out": np.linspace(-900, 900, N)}
    found = steps.undone(beyond)["out"]
    assert found.min() >= numbers["out"].min()
    assert found.max() <= max(numbers["out"].max(), numbers["admission"].max())
    assert (found >= told["admission"]).all()


def test_where_few_before_are_missing_steps_are_those_of_the_others():
    rng = np.random.default_rng(0)
    frame = births_and_admissions().with_columns(
        admission=pl.when(pl.Series(rng.random(N) < 0.05)).then(None).otherwise("admission"),
        birth=pl.col("birth").cast(pl.Datetime("us")) + pl.duration(hours=3),
    )
    table = Table.of(frame, Schema(order=[["birth", "admission", "out"]]))
    numbers = {name: table.numbers(name) for name in table.names}
    told = Steps(table, numbers).taken(numbers)
    seen = ~np.isnan(numbers["admission"])
    assert (told["admission"][seen] == numbers["admission"][seen]).all()
    assert (told["out"][seen] == (numbers["out"] - numbers["admission"])[seen]).all()


def test_dates_out_of_order_change_places_whatever_their_units():
    moments = {
        "first": [date(2020, 1, day) for day in (1, 5, 9, 30)],
        "last": [datetime(2020, 1, day, 12) for day in (30, 30, 29, 30)],
    }
    table = Table.of(pl.DataFrame(moments), Schema(order=[["first", "last"]]))
    numbers = {name: table.numbers(name) for name in moments}
    steps = Steps(table, {"first": numbers["first"], "last": numbers["last"]})
    assert (steps.taken(numbers)["last"] == numbers["last"]).all()
    day = 86_400_000_000
    found = steps.undone({"first": np.array([9.0, 2.0]), "last": np.array([4.5, 8.0]) * day})
    assert found["first"].tolist() == [4.5, 2.0]
    assert (found["last"] / day).tolist() == [9.0, 8.0]


@pytest.mark.parametrize("model", [Avatar(seed=1), RHVAE(2, seed=1, epochs=0)], ids=type)
def test_dates_of_rows_are_within_those_seen(model):
    frame = births_and_admissions()
    drawn = model.fit(frame).sample(1000) if isinstance(model, RHVAE) else model.fit_sample(frame)
    for name in ("birth", "admission", "out"):
        assert frame[name].min() <= drawn[name].min()
        assert drawn[name].max() <= frame[name].max()
        assert drawn[name].cast(int).std() == pytest.approx(frame[name].cast(int).std(), rel=0.15)
    assert holds(drawn, ["birth", "admission", "out"])
    stay = (drawn["out"] - drawn["admission"]).dt.total_days()
    assert stay.mean() == pytest.approx(5, abs=0.5)
    assert (stay == 0).mean() < 0.05


def test_a_moment_is_counted_from_the_day_that_is_drawn():
    days = [date(2021, 1, 1) + timedelta(days=7 * i) for i in range(60)]
    moments = [datetime(d.year, d.month, d.day, 1 + i % 23, 30) for i, d in enumerate(days)]
    table = Table.of(pl.DataFrame({"day": days, "moment": moments}))
    assert table.schema.order == [["day", "moment"]]
    values = {name: table.numbers(name) for name in table.names}
    steps = Steps(table, values)
    told = steps.taken(values)
    drawn = steps.undone(told | {"day": values["day"] + 0.4})
    assert (drawn["day"] == values["day"]).all()
    assert (drawn["moment"] == values["moment"]).all()
    drawn = steps.undone(told | {"day": values["day"] - 0.6})
    assert (drawn["day"] == values["day"] - 1).all()
    np.testing.assert_allclose(drawn["moment"][1:], values["moment"][1:] - 86_400_000_000)


def stays_with_missing_admissions():
    """Stays of some days over two years, one admission in four not known."""
    rng = np.random.default_rng(3)
    age = rng.integers(18, 95, N)
    admission = [date(2021, 1, 1) + timedelta(days=int(d)) for d in rng.integers(0, 700, N)]
    stay = np.ceil(rng.gamma(1.5, 4, N) + age / 20).astype(int)
    out = [day + timedelta(days=int(d)) for day, d in zip(admission, stay, strict=True)]
    birth = [
        day - timedelta(days=int(365.25 * years)) for day, years in zip(admission, age, strict=True)
    ]
    frame = pl.DataFrame({"birth": birth, "admission": admission, "out": out, "age": age})
    unknown = pl.Series(rng.random(N) < 0.25)
    return frame, frame.with_columns(pl.when(~unknown).then("admission")), stay, unknown


@pytest.mark.parametrize("model", [Avatar(k=10, seed=0), RHVAE(latent_dim=2, seed=0, epochs=5)])
def test_stays_are_those_seen_where_some_admissions_are_missing(model):
    _, holed, stay, unknown = stays_with_missing_admissions()
    made = model.fit_sample(holed)
    drawn = (made["out"] - made["admission"]).dt.total_days().drop_nulls()
    assert drawn.max() <= stay.max() * 1.5
    assert abs(drawn.mean() - stay.mean()) < 0.15 * stay.mean()
    assert made["out"].null_count() == 0
    assert abs(made["admission"].null_count() - unknown.sum()) <= 0.1 * N
    alone = made.filter(made["admission"].is_null())["out"]
    assert alone.max() - alone.min() > timedelta(days=500)


def test_a_missing_admission_is_completed_from_the_discharge():
    frame, holed, stay, unknown = stays_with_missing_admissions()
    (filled,) = RHVAE(latent_dim=3, seed=0).fit(holed).impute(1)
    rows = unknown.to_list()
    found = (filled["out"] - filled["admission"]).dt.total_days().filter(rows)
    assert filled["out"].equals(frame["out"])
    assert (found == 0).mean() < 0.05
    assert abs(found.mean() - stay[rows].mean()) < 0.2 * stay[rows].mean()
    away = (filled["admission"] - frame["admission"]).dt.total_days().abs().filter(rows)
    assert away.mean() < 10


def test_a_column_that_few_have_does_not_hide_the_stays_of_others():
    frame, _, stay, _ = stays_with_missing_admissions()
    rng = np.random.default_rng(1)
    icu = frame["admission"] + pl.Series(stay // 2).cast(pl.Int64) * pl.duration(days=1)
    frame = frame.with_columns(icu=icu).with_columns(
        icu=pl.when(pl.Series(rng.random(N) < 0.15)).then("icu")
    )
    table = Table.of(frame.select("birth", "admission", "icu", "out", "age"))
    assert table.schema.order == [["birth", "admission", "icu", "out"]]
    numbers = {name: table.numbers(name) for name in table.names if name != "age"}
    steps = Steps(table, numbers)
    assert not steps.alone
    assert not np.isnan(steps.taken(numbers)["out"]).any()


def test_steps_of_fewer_persons_than_asked_for_are_not_told():
    frame, _, _, _ = stays_with_missing_admissions()
    some = frame.with_columns(pl.when(pl.arange(N) < 5).then("admission"))
    table = Table.of(some, Schema(order=[["birth", "admission", "out"]]))
    numbers = {name: table.numbers(name) for name in ("birth", "admission", "out")}
    assert "out" in Steps(table, numbers, 5).told
    assert "out" not in Steps(table, numbers, 6).told


@pytest.mark.parametrize("model", [Avatar(k=10, seed=0), RHVAE(latent_dim=2, seed=0, epochs=5)])
def test_what_is_never_missing_is_never_drawn_so(model):
    frame, _, _, _ = stays_with_missing_admissions()
    rng = np.random.default_rng(2)
    some = frame.with_columns(pl.when(pl.Series(rng.random(N) > 0.02)).then("admission"))
    assert model.fit_sample(some)["out"].null_count() == 0


def test_what_is_completed_backwards_keeps_its_grid_and_what_follows_counts_from_it():
    rng = np.random.default_rng(4)
    start = datetime(2021, 1, 1)
    arrival = [start + timedelta(minutes=15 * int(q)) for q in rng.integers(0, 60_000, N)]
    out = [
        a + timedelta(minutes=int(m))
        for a, m in zip(arrival, rng.integers(60, 9000, N), strict=False)
    ]
    visit = [o + timedelta(days=int(d)) for o, d in zip(out, rng.integers(20, 40, N), strict=False)]
    age = rng.integers(18, 95, N)
    frame = pl.DataFrame({"arrival": arrival, "out": out, "visit": visit, "age": age})
    gone = pl.Series(rng.random(N) < 0.2)
    holed = frame.with_columns(
        pl.when(~gone).then(name).alias(name) for name in ("arrival", "visit")
    )
    (filled,) = RHVAE(latent_dim=2, seed=0, epochs=5).fit(holed).impute(1)
    filled = filled.filter(gone)
    assert (filled["arrival"].dt.minute() % 15 == 0).all()
    stays = (filled["out"] - filled["arrival"]).dt.total_days()
    after = (filled["visit"] - filled["out"]).dt.total_days()
    assert 0 <= stays.min() <= stays.max() <= 8
    assert 19 <= after.min() <= after.max() <= 41


def test_small_unsigned_numbers_and_time_zones_are_completed():
    rng = np.random.default_rng(5)
    survival = rng.integers(5, 200, N)
    relapse = np.where(rng.random(N) < 0.5, survival, survival // 2)
    first = [
        datetime(2021, 1, 1, tzinfo=UTC) + timedelta(hours=int(h)) for h in rng.integers(0, 9000, N)
    ]
    last = [
        f + timedelta(hours=int(h)) for f, h in zip(first, rng.integers(1, 90, N), strict=False)
    ]
    unknown = pl.Series(rng.random(N) < 0.4)
    frame = pl.DataFrame(
        {
            "relapse": pl.Series(relapse, dtype=pl.UInt8),
            "survival": pl.Series(survival, dtype=pl.UInt16),
            "first": first,
            "last": pl.Series(last).dt.convert_time_zone("Europe/Paris"),
        }
    ).with_columns(pl.when(~unknown).then(name).alias(name) for name in ("relapse", "first"))
    (filled,) = RHVAE(latent_dim=2, seed=0, epochs=5).fit(frame).impute(1)
    assert filled.schema == frame.schema
    assert (filled["relapse"].cast(int) <= filled["survival"].cast(int)).all()
    stays = (filled["last"].dt.convert_time_zone("UTC") - filled["first"]).filter(unknown)
    assert timedelta(0) <= stays.min() <= stays.max() <= timedelta(hours=91)
    ties = (filled["relapse"].cast(int) == filled["survival"].cast(int)).filter(unknown)
    assert 0.3 < ties.mean() < 0.7
