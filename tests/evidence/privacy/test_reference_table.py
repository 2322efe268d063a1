"""The reference product's table against loops over all pairs, planted effects, closed forms."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from sosie.evidence._case import EFFORTS, Case
from sosie.evidence._finding import Verdict
from sosie.evidence._people import Layout, People
from sosie.evidence.privacy._reference_table import ReferenceTable, _exchanged

LAYOUT = Layout(
    ("age", "sex", "income", "town"), ("age", "income"), {"sex": ("f", "m"), "town": tuple("abcd")}
)
NUMBERS = Layout(("age", "income", "height"), ("age", "income", "height"), {})
LABELS = Layout(("sex", "town"), (), LAYOUT.levels)
LINKED = (
    "categorical_hidden_rate",
    "column_direct_match_protection",
    "row_direct_match_protection",
)


def draw(n, seed, missing=0.1):
    """Persons whose columns hang together."""
    rng = np.random.default_rng(seed)
    age = rng.normal(50, 10, n)
    numbers = np.column_stack([age, 30 * age + rng.normal(0, 200, n) + 500])
    numbers[rng.random((n, 2)) < missing] = np.nan
    town = np.clip((age - 30) // 10 + rng.integers(0, 2, n), 0, 3)
    codes = np.column_stack([rng.integers(0, 2, n), town]).astype(np.int32)
    codes[rng.random((n, 2)) < missing] = -1
    return People(LAYOUT, numbers, codes)


def only_numbers(n, seed):
    x = np.random.default_rng(seed).normal(size=(n, 3))
    return People(NUMBERS, x, np.empty((n, 0), np.int32))


def only_labels(n, seed):
    codes = np.random.default_rng(seed).integers(-1, (2, 4), (n, 2)).astype(np.int32)
    return People(LABELS, np.empty((n, 0)), codes)


def judge(original, synthetic, control=None, linked=None, secrets=None, known=None, **kw):
    names = original.layout.names
    secrets, known = secrets or names, names if known is None else known
    case = Case(original, synthetic, control, linked, secrets, known, **kw)
    return ReferenceTable().run(case)


def coded(train, name):
    """Give what turns a column into coordinates: z-scores, or centred and scaled indicators."""
    ours = train.column(name)
    if train.layout.is_number(name):
        filled = np.where(np.isnan(ours), np.nanmean(ours), ours)
        return lambda x: np.nan_to_num((x - filled.mean()) / filled.std())[:, None]
    levels, counts = np.unique(ours, return_counts=True)
    shares = counts / len(ours)
    return lambda x: ((x[:, None] == levels) - shares) / np.sqrt(shares)


def factors(train, *others, names=LAYOUT.names, k=5):
    """Coordinates of the first k factors by the definition, from dense indicator matrices."""
    names = [name for name in names if name in train.layout.names]
    codings = [coded(train, name) for name in names]
    tables = [
        np.column_stack([f(people.column(name)) for f, name in zip(codings, names, strict=True)])
        for people in (train, *others)
    ]
    unit = 1 if any(map(train.layout.is_number, names)) else np.sqrt(len(names))
    axes = np.linalg.svd(tables[0], full_matrices=False)[2][:k].T
    return [table / unit @ axes for table in tables[1:]]


def two_nearest(asked, rows, skip=0):
    distances = np.sort(cdist(asked, rows), axis=1)
    first, second = distances[:, skip], distances[:, skip + 1]
    return first, np.where(second > 0, first / np.where(second > 0, second, 1), 1)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10**6), st.booleans())
def test_distances_are_those_of_the_whole_matrix(seed, controlled):
    original, synthetic, control = (draw(n, seed + i) for i, n in enumerate((200, 150, 120)))
    found = judge(original, synthetic, control if controlled else None)
    x, a, c = factors(original, original, synthetic, control)
    first, ratio = two_nearest(a, x)
    assert found["distance_to_closest"].value == pytest.approx(np.median(first), rel=1e-4)
    assert found["closest_distance_ratio"].value == pytest.approx(np.median(ratio), rel=1e-4)
    limits = [
        np.quantile(v, 0.05) for v in (two_nearest(c, x) if controlled else two_nearest(x, x, 1))
    ]
    risk = ((first <= limits[0]) & (ratio <= limits[1])).mean()
    assert found["closest_rate"].value == pytest.approx(100 * (1 - risk), abs=100 / 150 + 1e-9)
    if controlled:
        theirs, theirs_ratio = two_nearest(a, c)
        assert found["distance_to_closest"].control == pytest.approx(np.median(theirs), rel=1e-4)
        assert found["closest_distance_ratio"].control == pytest.approx(
            np.median(theirs_ratio), rel=1e-4
        )
    else:
        assert found["distance_to_closest"].control is None
        assert found["distance_to_closest"].detail == {}


def test_labels_alone_are_measured_in_the_scale_of_correspondence_analysis():
    original, synthetic = only_labels(120, 1), only_labels(100, 2)
    other = replace(synthetic, codes=np.maximum(synthetic.codes, 0))
    x, a = factors(original, original, other)
    found = judge(original, other)
    expected = np.median(two_nearest(a, x)[0])
    assert found["distance_to_closest"].value == pytest.approx(expected, abs=1e-4)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 10**6))
def test_categorical_hidden_rate_is_that_of_the_labels(seed):
    rng = np.random.default_rng(seed)
    original, linked = draw(150, seed), draw(150, seed + 1)
    codes = np.where(rng.random((150, 2)) < 0.5, linked.codes, original.codes)
    linked = replace(linked, codes=codes)
    found = judge(original, linked, linked=linked)["categorical_hidden_rate"]
    x, a = factors(original, original, linked, names=("sex", "town"))
    distance = cdist(x, a)
    own = distance.diagonal()[:, None]
    equal = np.abs(distance - own) <= 1e-6 * own + 1e-9
    nearer = ((distance < own) & ~equal).any(axis=1)
    assert found.value == pytest.approx(100 * nearer.mean())
    tied = np.tril(equal, -1).any(axis=1)
    assert found.detail["index_rule"] == pytest.approx(100 * (nearer | tied).mean())


def test_direct_matches_of_planted_changes():
    original = draw(400, 1, missing=0)
    numbers, codes = original.numbers.copy(), original.codes.copy()
    numbers[:200, 0] += 1  # one cell in four of half the persons
    codes[:100, 0] = -1  # a second one of a quarter
    linked = replace(original, numbers=numbers, codes=codes)
    found = judge(original, linked, linked=linked)
    assert found["column_direct_match_protection"].value == pytest.approx(100 * (200 + 100) / 1600)
    assert found["row_direct_match_protection"].value == 50
    assert found["row_direct_match_protection"].verdict is Verdict.FAIL


def protected(people, made, known, means, hidden):
    """Count, in loops, who is alone with known columns and meets a single row."""
    columns = [people.column(name).tolist() for name in known]
    rows = [tuple("?" if v != v else v for v in row) for row in zip(*columns, strict=True)]
    counts, met = Counter(rows), 0
    for i, row in enumerate(rows):
        if counts[row] > 1:
            continue
        alike = 0
        for j in range(len(made)):
            same = True
            for c in known:
                x, y = people.column(c)[i], made.column(c)[j]
                if c in means and x == x:
                    same &= bool(abs(x - y) <= 0.05 * abs(means[c]))
                else:
                    same &= bool(x == y or (x != x and y != y))
            alike += same
        met += alike == 1
    return 100 * (1 - round(met * (1 - hidden / 100)) / len(people))


@pytest.mark.parametrize(
    "known", [("age", "town"), ("sex", "income"), ("age", "income"), ("town",)]
)
def test_correlation_protection_in_loops(known):
    original, synthetic, control = (draw(n, i) for i, n in enumerate((120, 80, 100)))
    means = {c: np.nanmean(original.column(c)) for c in known if c in LAYOUT.numbers}
    found = judge(original, synthetic, control, known=known)["correlation_protection_rate"]
    assert found.value == pytest.approx(protected(original, synthetic, known, means, 0))
    assert found.control == pytest.approx(protected(control, synthetic, known, means, 0))
    linked = synthetic.with_(draw(40, 9))
    found = judge(original, linked, linked=linked, known=known)["correlation_protection_rate"]
    x, a = factors(original, original, linked)
    hidden = 100 * (cdist(x, a) < cdist(x, a).diagonal()[:, None] * (1 - 1e-6)).any(axis=1).mean()
    assert found.value == pytest.approx(protected(original, linked, known, means, hidden))


def test_inference_is_that_of_the_nearest_row():
    original, synthetic, control = (
        draw(n, 7 + i, missing=0) for i, n in enumerate((200, 150, 120))
    )
    known = ("age", "sex")
    found = judge(original, synthetic, control, secrets=("town", "income"), known=known)
    x, c, a = factors(synthetic, original, control, synthetic, names=known)
    for name, secret in (("inference_categorical", "town"), ("inference_continuous", "income")):
        for points, people, field in ((x, original, "value"), (c, control, "control")):
            guess = synthetic.column(secret)[cdist(points, a).argmin(axis=1)]
            truth = people.column(secret)
            if secret == "town":
                error = 100 * (guess != truth)
            else:
                error = 200 * np.abs(guess - truth) / (np.abs(guess) + np.abs(truth))
            assert getattr(found[name], field) == pytest.approx(error.mean())
        assert found[name].detail["column"] == secret


def test_inference_of_closed_forms():
    original = draw(300, 1, missing=0)
    numbers = original.numbers.copy()
    numbers[:, 1] *= 3
    made = replace(original, numbers=numbers)
    found = judge(
        original, made, secrets=("income", "town"), known=("age", "sex", "town", "income")
    )
    # Everybody's nearest row has his own labels and age, and three times his income.
    assert found["inference_continuous"].value == pytest.approx(100)
    original = replace(original, numbers=np.column_stack([np.arange(300.0), np.full(300, 5.0)]))
    found = judge(original, original, secrets=("income",), known=("age",))
    assert found["inference_continuous"].value == 0


def test_the_column_best_inferred_is_found():
    rng = np.random.default_rng(0)

    def people(n):
        key = rng.integers(0, 4, n)
        codes = np.column_stack([rng.random(n) < 0.01, key]).astype(
            np.int32
        )  # nearly constant; told
        return People(LAYOUT, np.column_stack([key * 10.0 + 1, rng.lognormal(size=n)]), codes)

    found = judge(people(400), people(400), people(400))
    assert found["inference_categorical"].detail == {"column": "town"}
    assert found["inference_categorical"].value == 0
    assert found["inference_categorical"].naive > 50
    assert found["inference_continuous"].detail == {"column": "age"}
    assert found["inference_categorical"].verdict is Verdict.FAIL


def test_missing_secrets_are_not_guessed():
    original, synthetic = draw(300, 1, missing=0.3), draw(300, 2, missing=0.3)
    found = judge(original, synthetic, secrets=("town", "income"), known=("age",))
    assert found["inference_categorical"].n == (original.column("town") >= 0).sum()
    assert found["inference_continuous"].n == (~np.isnan(original.column("income"))).sum()
    gone = replace(synthetic, codes=np.full_like(synthetic.codes, -1))
    found = judge(original, gone, secrets=("town",), known=("age",))
    assert found["inference_categorical"].why_not == "too_few"


def test_original_as_synthetic_fails_and_fresh_rows_do_not_differ_from_control():
    original, fresh, control = (draw(600, i, missing=0.05) for i in range(3))
    leak = judge(original, original, control, original)
    for name in ("distance_to_closest", "closest_distance_ratio", "closest_rate", *LINKED):
        assert leak[name].value == 0, name
        assert leak[name].verdict is Verdict.FAIL
    assert leak["correlation_protection_rate"].value < leak["correlation_protection_rate"].control
    assert leak["distance_to_closest"].p_value == 1 / 201
    clean = judge(original, fresh, control)
    assert clean["distance_to_closest"].p_value > 0.001
    assert clean["closest_rate"].value > 90
    assert clean["closest_rate"].control >= 94.9


def test_p_value_keeps_its_rate():
    """All distances lead to the same persons: the usual law does not hold."""
    small, found = 0, 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        made, mine, theirs = rng.normal(size=(3, 150, 3))
        small += _exchanged(made, mine[:80], theirs[:80], rng, 39) <= 0.05
        found += _exchanged(mine * 1.01, mine, theirs, rng, 39) <= 0.05
    assert small <= 15  # binomial of rate .05: more in less than one of a hundred
    assert found == 150


def test_histograms_tell_no_small_share():
    found = judge(draw(300, 1), draw(300, 2), draw(200, 3))["distance_to_closest"]
    edges, detail = found.detail["edges"], found.detail
    assert (np.diff(edges) > 0).all()
    assert detail["persons"] == 200
    for side in ("original", "control"):
        told = [share for share in detail[side] if share is not None]
        assert len(detail[side]) == len(edges) - 1
        assert min(told) >= 5 / 300
        assert 0.5 < sum(told) <= 1 + 1e-9


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 10**6))
def test_order_of_rows_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    original, synthetic, control = (draw(130, seed + i, missing=0) for i in range(3))
    p, q, r = (rng.permutation(130) for _ in range(3))
    known = ("age", "sex", "income")
    one = judge(original, synthetic, control, synthetic, ("town",), known)
    # The linked table follows the original.
    other = judge(
        original.taken(p),
        synthetic.taken(q),
        control.taken(r),
        synthetic.taken(p),
        ("town",),
        known,
    )
    for name in set(one) - {"inference_categorical", "inference_continuous"}:
        assert one[name].value == pytest.approx(other[name].value, rel=1e-5), name
        if one[name].control is not None:
            assert one[name].control == pytest.approx(other[name].control, rel=1e-5), name


def test_intervals_targets_and_units():
    found = judge(draw(300, 1), draw(300, 2), draw(300, 3), draw(300, 4))
    assert list(found) == [
        "distance_to_closest", "closest_distance_ratio", "closest_rate",
        "correlation_protection_rate", "inference_categorical", "inference_continuous", *LINKED,
    ]  # fmt: skip
    assert [f.target for f in found.values()] == [0.2, 0.3, 90, 95, 10, 10, 90, 50, 90]
    for name, f in found.items():
        low, high = f.ci
        assert low <= f.value <= high, name
        assert f.better == "higher"
        assert f.criterion is None
        assert f.verdict is (Verdict.PASS if f.value > f.target else Verdict.FAIL)


def test_median_interval_covers():
    """Interval of the median distance, over synthetic tables drawn again from one population."""
    original = draw(400, 0, 0)
    quick = EFFORTS["quick"]
    truth = judge(original, draw(6_000, 99, 0), effort=replace(quick, persons=6_000, rows=6_000))
    covered = 0
    for seed in range(25):
        low, high = judge(original, draw(300, 1_000 + seed, 0), effort=quick)[
            "distance_to_closest"
        ].ci
        covered += low <= truth["distance_to_closest"].value <= high
    assert covered >= 20


@pytest.mark.parametrize("make", [only_numbers, only_labels])
def test_tables_of_one_kind_only(make):
    found = judge(make(100, 1), make(100, 2), make(100, 3), make(100, 4))
    absent = {name for name, f in found.items() if f.value is None}
    if make is only_numbers:
        assert absent == {"inference_categorical", "categorical_hidden_rate"}
        assert {found[name].why_not for name in absent} == {"no_label"}
    else:
        assert absent == {"inference_continuous"}
        assert found["inference_continuous"].why_not == "no_number"


def test_what_is_absent_is_said():
    found = judge(draw(100, 1), draw(100, 2), secrets=("age",), known=("sex",))
    assert {found[name].why_not for name in LINKED} == {"no_linked"}
    assert found["inference_continuous"].detail["column"] == "age"
    found = judge(draw(100, 1), draw(100, 2), secrets=("age", "sex"), known=())
    assert found["correlation_protection_rate"].why_not == "no_known"
    assert found["inference_categorical"].why_not == "no_known"
    gone = replace(draw(100, 1), numbers=np.full((100, 2), np.nan))
    found = judge(gone, gone, gone, gone)
    assert found["inference_continuous"].why_not == "too_few"
    assert found["distance_to_closest"].value == 0
    same = replace(gone, codes=np.zeros_like(gone.codes))
    assert {f.why_not for f in judge(same, same).values()} == {"too_few"}
