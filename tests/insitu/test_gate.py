"""The gate check by check; what attacks it stops is in the folder ``attacks``."""

import base64
import json

import numpy as np
import polars as pl
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sosie.errors import ParameterError, TrustError
from sosie.insitu import (
    REFUSED,
    CellKey,
    Gate,
    Memory,
    NodeTask,
    Question,
    Refused,
    SecureSum,
    run_in_place,
)
from sosie.insitu._aggregate import Aggregate, Model, Part, Selection, counts, sums, votes
from sosie.insitu.gate._cell_key import noise_table
from sosie.insitu.gate._checks import CHECKS
from sosie.insitu.gate._gate import MOST_REFUSALS
from sosie.insitu.gate._secure_sum import as_words, of_words
from sosie.table import Column, Schema, Table
from sosie.trust import PRESETS

N = 240
RNG = np.random.default_rng(7)


def frame() -> pl.DataFrame:
    age = RNG.integers(20, 90, N).astype(float)
    return pl.DataFrame(
        {
            "age": age,
            "bp": 100 + 0.4 * age + RNG.normal(0, 9, N),
            "town": RNG.choice(["a", "b", "c"], N).tolist(),
            "sick": (RNG.random(N) < 0.4).astype(int),
            "rare": [1.0 if i < 2 else 0.0 for i in range(N)],
        }
    )


FRAME = frame()
SCHEMA = Schema(
    columns=[
        Column(name="age", kind="number"), Column(name="bp", kind="number"),
        Column(name="town", kind="category", levels=["a", "b", "c"]),
        Column(name="sick", kind="integer"), Column(name="rare", kind="number"),
    ]
)  # fmt: skip


def ask(analysis, gate, data=FRAME, derive=()):
    question = Question.of({"analysis": analysis, "derive": list(derive)})
    return run_in_place([Table.of(data, SCHEMA)], question, [gate], SCHEMA)


def refused(analysis, gate=None, data=FRAME, derive=()):
    with pytest.raises(Refused) as caught:
        ask(analysis, gate or Gate(), data, derive)
    assert str(caught.value) == REFUSED
    return set(caught.value.reasons)


def everyone(about=("age",), by=(), rows=None):
    rows = np.ones(N, bool) if rows is None else rows
    return Selection(rows, frozenset(about) | frozenset(by), frozenset(by))


def verdicts(part, preset="snds-11"):
    return {name for name, (_, check) in CHECKS.items() if not check(part, PRESETS[preset])}


def test_a_cell_of_a_few_does_not_leave():
    few = FRAME.with_columns(
        town=pl.when(pl.arange(0, N) < 5).then(pl.lit("c")).otherwise(pl.lit("a"))
    )
    assert "small_cells" in refused({"id": "counts", "column": "town"}, data=few)
    assert ask({"id": "counts", "column": "town"}, Gate()).values["n"] == N


def test_a_floor_of_each_preset_is_exact():
    for name, floors in PRESETS.items():
        for size in (floors.min_cell - 1, floors.min_cell):
            codes = np.r_[np.zeros(size, int), np.ones(N - size, int)]
            part = Part({"n": counts(codes, 2, np.ones(N, bool))}, (everyone(),))
            assert ("small_cells" in verdicts(part, name)) == (size < floors.min_cell)


def test_no_request_lowers_a_floor():
    with pytest.raises(ParameterError):
        Question.of({"analysis": {"id": "counts", "column": "town", "min_cell": 1}})
    assert Gate("datashield-3", PRESETS["snds-11"]).floors == PRESETS["snds-11"]
    assert Gate("snds-11", PRESETS["datashield-3"]).floors == PRESETS["snds-11"]
    assert Gate("opensafely-7-5", PRESETS["acro-10"]).floors.round_to == 5
    assert Gate("opensafely-7-5", PRESETS["acro-10"]).floors.zero_discloses


def test_a_zero_discloses_where_the_preset_says_so():
    codes = np.zeros(N, int)
    part = Part({"n": counts(codes, 2, np.ones(N, bool))}, (everyone(),))
    assert "zero_cells" in verdicts(part, "acro-10")
    assert verdicts(part) == set()


def test_a_sum_that_one_person_makes_does_not_leave():
    rich = np.ones((N, 1))
    rich[0] = 20 * N
    reasons = verdicts(Part({"s": sums(rich)}, (everyone(),)))
    assert reasons == {"dominance", "p_percent"}
    assert verdicts(Part({"s": sums(np.ones((N, 1)))}, (everyone(),))) == set()


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_two_largest_contributions_are_found(values):
    found = sums(np.array(values)[:, None])
    ranked = np.sort(np.abs(values))[::-1]
    assert found.largest[0] == ranked[0]
    assert found.two[0] == ranked[:2].sum()
    assert found.persons[0] == np.count_nonzero(values)


def test_a_saturated_model_does_not_leave():
    small = FRAME.head(30)
    formula = "bp ~ age + I(age ** 2) + town"
    assert "parameters" in refused({"id": "linear", "formula": formula}, data=small)
    assert ask({"id": "linear", "formula": formula}, Gate()).values["n"] == N
    few = Part({}, (everyone(),), Model(persons=19, parameters=10, leverage=0.1))
    assert {"degrees", "parameters"} <= verdicts(few)


def test_a_rare_label_in_a_model_does_not_leave():
    few = FRAME.with_columns(rare=(pl.arange(0, N) < 6).cast(pl.Float64))
    assert "persons" in refused({"id": "logistic", "formula": "sick ~ rare + age"}, data=few)
    assert ask({"id": "logistic", "formula": "sick ~ age + town"}, Gate()).values["n"] == N


def test_the_mean_of_two_values_is_a_table_of_them():
    """Of whom it is 0, where they are few, the mean tells as much as of whom it is 1."""
    asked = {"id": "means", "columns_of": ["rare"], "by": "town"}
    town = FRAME["town"].to_numpy()
    for few in (0, 5, 40):
        flag = np.ones(N)
        flag[np.flatnonzero(town == town[0])[:few]] = 0
        data = FRAME.with_columns(rare=flag)
        if few == 5:
            assert "small_cells" in refused(asked, data=data)
        else:
            assert ask(asked, Gate(), data=data)


def test_rows_added_between_two_questions_are_noticed(tmp_path):
    memory = Memory(N, tmp_path / "released", "0" * 64)
    ask({"id": "counts", "column": "town"}, Gate(memory=memory))
    with pytest.raises(TrustError, match="snapshot has changed"):
        Memory(N + 1, tmp_path / "released", "1" * 64)
    with pytest.raises(TrustError, match="another number of rows"):
        ask({"id": "counts", "column": "town"}, Gate(memory=memory), data=FRAME.head(N - 3))


def test_margins_of_different_columns_are_no_tracker():
    gate = Gate()
    rules = [{"rule": "cut", "name": "older", "column": "age", "edges": [85]}]
    assert (FRAME["age"] >= 85).sum() >= 11
    # Some town has fewer than 11 of the old, yet margins alone do not tell which.
    ask({"id": "counts", "column": "town"}, gate)
    assert ask({"id": "counts", "column": "older"}, gate, derive=rules).values["n"] == N
    crossed = {"id": "crosstab", "row": "town", "column": "older"}
    assert "small_cells" in refused(crossed, gate, derive=rules)


def test_memory_lasts(tmp_path):
    path = tmp_path / "released"
    some = np.arange(N) < 100
    Memory(N, path).add([everyone(rows=some)])
    again = Memory(N, path)
    assert len(again) == 1
    near = some.copy()
    near[100:105] = True
    assert again.allows([everyone(rows=near)], 11)[0] is False
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(TrustError, match="damaged"):
        Memory(N, path)


def test_a_refusal_tells_nothing_and_too_many_stop_all():
    small = FRAME.with_columns(town=pl.lit("a"))
    texts = set()
    for analysis in (
        {"id": "means", "columns_of": ["rare"]},
        {"id": "logistic", "formula": "bp ~ age"},
    ):
        with pytest.raises(Refused) as caught:
            ask(analysis, Gate(), small)
        texts.add((str(caught.value), type(caught.value)))
    assert len(texts) == 1
    memory = Memory(N)
    gate = Gate(memory=memory)
    for _ in range(MOST_REFUSALS):
        refused({"id": "means", "columns_of": ["rare"]}, gate)
    assert refused({"id": "counts", "column": "town"}, gate) == {"refusals"}


def test_two_holders_cannot_subtract():
    halves = [Table.of(FRAME.head(120), SCHEMA), Table.of(FRAME.tail(120), SCHEMA)]
    asked = Question.of({"analysis": {"id": "counts", "column": "town"}})
    with pytest.raises(Refused) as caught:
        run_in_place(halves, asked, [Gate(), Gate()], SCHEMA)
    assert caught.value.reasons == ("holders",)
    found = run_in_place(halves, asked, [Gate(), Gate()], SCHEMA, recipient_holds=False)
    assert found.values["n"] == N


def masks(holders):
    keys = {f"h{i}": X25519PrivateKey.generate() for i in range(holders)}
    public = {name: key.public_key().public_bytes_raw() for name, key in keys.items()}
    return [
        SecureSum(key, {o: raw for o, raw in public.items() if o != name}, name, "task 1")
        for name, key in keys.items()
    ]


@given(st.lists(st.floats(-1e12, 1e12), min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_masks_cancel_and_hide(values):
    shares = [
        s.masked(as_words(np.array([v])), 0, "a") for s, v in zip(masks(3), values, strict=True)
    ]
    total = of_words(np.sum(shares, axis=0, dtype=np.uint64), (1,))
    np.testing.assert_allclose(total[0], sum(values), rtol=1e-12, atol=1e-9)


def test_a_masked_part_is_random():
    words = as_words(np.zeros(5000))
    shares = [s.masked(words, 0, "a") for s in masks(3)]
    bits = np.unpackbits(shares[0].view(np.uint8)).mean()
    assert abs(bits - 0.5) < 0.005
    # Any two of three are random still.
    assert abs(np.unpackbits((shares[0] + shares[1]).view(np.uint8)).mean() - 0.5) < 0.005
    with pytest.raises(TrustError, match="3 different holders"):
        masks(2)
    one = masks(3)[0]
    one.masked(words, 0, "a")
    with pytest.raises(TrustError, match="once"):
        one.masked(words, 0, "a")


def test_fixed_point_keeps_digits():
    values = np.array([1e-9, -1e-9, 123456.789, -(2.0**61), 0.1, -0.1, 3e-30, -3e-30, 2.0**103])
    np.testing.assert_array_equal(of_words(as_words(values), (9,)), values)
    words = np.stack([as_words(values[:8] * (-1) ** i * (i + 1)) for i in range(1000)])
    total = of_words(words.sum(axis=0, dtype=np.uint64), (8,))
    np.testing.assert_allclose(total, -500 * values[:8], rtol=1e-15)


@pytest.mark.parametrize("beyond", [2.0**104, -(2.0**110), np.inf, np.nan])
def test_what_fixed_point_cannot_hold_is_refused(beyond):
    with pytest.raises(TrustError, match="too large"):
        as_words(np.array([1.0, beyond]))


@pytest.mark.parametrize("size", [1e-40, 1e31])
def test_numbers_that_would_lose_digits_do_not_leave(size):
    assert "form" in verdicts(Part({"x": sums(np.full((50, 1), size))}, (everyone(),)))


def test_cell_key_noise_is_always_the_same_and_does_not_average():
    key = CellKey(b"k" * 32, N)
    rows = [np.sort(RNG.choice(N, 60, replace=False)) for _ in range(1500)]

    def cell(members):
        chosen = np.zeros(N, bool)
        chosen[members] = True
        return counts(np.zeros(len(members), int), 1, chosen)

    noise = np.array([key.noised(cell(r))[0] - 60 for r in rows])
    again = np.array([key.noised(cell(r))[0] - 60 for r in rows])
    assert (noise == again).all()
    assert abs(noise.mean()) < 4 * 2 / np.sqrt(1500)
    assert abs(noise.var() - 4) < 0.6
    assert np.abs(noise).max() <= 5
    # A difference of two sets that differ by one person tells 0 or 1 no more: noise is of the set.
    pairs = [key.noised(cell(r))[0] - key.noised(cell(r[1:]))[0] - 1 for r in rows[:500]]
    assert np.var(pairs) > 5
    for count in (1, 2, 3):
        chances = np.array(noise_table(count, 5, 4.0))
        assert abs(chances @ np.arange(-5, 6)) < 1e-9
        assert chances[: 5 - count].sum() == 0


def test_noise_and_rounding_reach_what_leaves():
    found = ask({"id": "counts", "column": "town"}, Gate("ons-10-5"))
    assert all(row["count"] % 5 == 0 for row in found.tables["counts"])
    true = FRAME["town"].value_counts().to_dict(as_series=False)
    true = dict(zip(true["town"], true["count"], strict=True))
    noised = ask({"id": "counts", "column": "town"}, Gate(secret=b"s" * 32)).tables["counts"]
    off = [row["count"] - true[row["label"]] for row in noised]
    assert max(map(abs, off)) <= 5
    assert (
        noised == ask({"id": "counts", "column": "town"}, Gate(secret=b"s" * 32)).tables["counts"]
    )


def test_nothing_unknown_leaves():
    bad = Aggregate("sum", np.array([np.nan]), np.array([50]))
    assert "form" in verdicts(Part({"x": bad}, (everyone(),)))
    many = Aggregate("sum", np.ones(30_000), np.full(30_000, 50))
    assert "form" in verdicts(Part({"x": many}, (everyone(),)))
    count_as_vote = Aggregate("vote", np.array([3.0]), np.array([0]))
    assert "form" in verdicts(Part({"x": count_as_vote}, (everyone(),)))
    assert verdicts(Part({"x": votes([True])}, (everyone(),))) == set()
    assert "persons" in verdicts(Part({"x": votes([True])}))


def test_what_leaves_is_the_arrays_and_nothing_of_the_rows():
    question = Question.of({"analysis": {"id": "means", "columns_of": ["bp"]}})
    node = NodeTask(question, Table.of(FRAME, SCHEMA), SCHEMA, Gate(), holders=1)
    cleared = node.part()
    said = json.loads(cleared.payload)
    assert set(said) == {"format", "question", "round", "holders", "arrays"}
    assert {name: one["shape"] for name, one in said["arrays"].items()} == {
        "n_0": [1],
        "sum_0": [1],
    }
    words = np.frombuffer(base64.b64decode(said["arrays"]["n_0"]["words"]), "<u8")
    assert words.tolist() == [0, N, 0, 0, 0]
    assert all(verdict.holds for verdict in cleared.verdicts)


def test_an_unknown_column_is_the_callers_mistake_before_any_row_is_read():
    with pytest.raises(ParameterError, match="no column"):
        ask({"id": "counts", "column": "name"}, Gate())
    with pytest.raises(ParameterError, match="cannot be read"):
        ask({"id": "linear", "formula": "bp ~ exec(age)"}, Gate())
    with pytest.raises(ParameterError, match="there is no 'python'"):
        Question.of({"analysis": {"id": "python", "code": "1"}})
