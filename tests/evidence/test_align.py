import numpy as np
import polars as pl
import pytest

from sosie.errors import DataError
from sosie.evidence._align import align, coded, read_alike
from sosie.table import Table


def frame(n=200, seed=0, **columns):
    rng = np.random.default_rng(seed)
    made = {
        "age": rng.integers(18, 90, n),
        "arm": rng.choice(["a", "b", "c"], n),
        "stage": rng.integers(1, 4, n),
        "seen": pl.date_range(pl.date(2020, 1, 1), pl.date(2021, 12, 31), eager=True).sample(
            n, seed=seed, with_replacement=True
        ),
        "site": ["one"] * n,
        "patient": [f"P{seed}-{i:04}" for i in range(n)],
    }
    return pl.DataFrame(made | columns)


def aligned(synthetic, control=None, original=None):
    table = Table.of(frame() if original is None else original)
    other = read_alike(synthetic, table, "SYNTHETIC")
    third = None if control is None else read_alike(control, table, "CONTROL")
    return align(table, other, third)


def test_tables_are_coded_alike():
    found = aligned(frame(seed=1), frame(seed=2))
    assert found.original.layout.names == ("age", "arm", "stage", "seen")
    assert found.left_out == {"site": "constant", "patient": "identifier"}
    assert found.original.layout.levels["arm"] == ("a", "b", "c")
    synthetic = frame(seed=1)
    labels = np.array(found.original.layout.levels["arm"])
    assert labels[found.synthetic.column("arm")].tolist() == synthetic["arm"].to_list()
    assert np.array_equal(
        found.synthetic.column("seen"), synthetic["seen"].to_physical().cast(pl.Float64)
    )


@pytest.mark.parametrize("spelt", [pl.Int64, pl.Float64, pl.String])
def test_spelling_of_codes_does_not_matter(spelt):
    synthetic = frame(seed=1).with_columns(pl.col("stage").cast(spelt))
    found = aligned(synthetic)
    levels = found.original.layout.levels["stage"]
    assert levels == ("1", "2", "3")
    mine = frame(seed=1)["stage"].to_numpy()
    assert np.array_equal(found.synthetic.column("stage") + 1, mine)


def test_other_codes_that_are_numbers_are_read_as_numbers():
    found = aligned(frame(seed=1, stage=np.random.default_rng(0).integers(1, 6, 200)))
    assert "stage" in found.original.layout.numbers
    assert found.synthetic.column("stage").max() == 5


def test_missing_cells_stay_missing():
    holes = frame(seed=1).with_columns(
        pl.when(pl.int_range(pl.len()) < 7).then(None).otherwise(pl.col(c)).alias(c)
        for c in ("age", "arm")
    )
    found = aligned(holes)
    assert found.synthetic.missing("age").sum() == found.synthetic.missing("arm").sum() == 7


@pytest.mark.parametrize(
    ("synthetic", "said"),
    [
        (frame(seed=1).drop("arm"), "lacks 'arm'"),
        (frame(seed=1, extra=[1] * 200), "the original has no 'extra'"),
        (frame(seed=1, arm=["z"] * 150 + ["a"] * 50), "150 rows hold labels"),
        (frame(seed=1, age=["old", "young"] * 100), "'age'"),
        (frame(n=60, seed=1), "60 rows"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(synthetic, said):
    with pytest.raises(DataError, match=said) as error:
        aligned(synthetic)
    assert str(error.value).count("\n") == 0
    assert "young" not in str(error.value)


@pytest.mark.parametrize("lacking", ["age", "arm", "seen", "site"])
def test_a_column_that_is_absent_is_named_however_the_table_comes(tmp_path, lacking):
    original, other = Table.of(frame()), frame(seed=1).drop(lacking)
    file = tmp_path / "made.csv"
    other.write_csv(file)
    for source, name in ((Table.of(other), "SYNTHETIC"), (other, "SYNTHETIC"), (file, str(file))):
        with pytest.raises(DataError, match=f"lacks '{lacking}'") as error:
            read_alike(source, original, name)
        assert str(error.value).startswith(name)


def test_row_numbers_of_r_are_no_column():
    found = aligned(frame(seed=1).with_columns(pl.int_range(1, 201).alias("")))
    assert "" not in found.original.layout.names


def test_control_must_be_other_persons():
    original = frame()
    with pytest.raises(DataError, match="150 of its 200 rows are rows of the original"):
        aligned(frame(seed=1), pl.concat([original[:150], frame(seed=2)[:50]]))


def test_persons_who_are_equal_by_chance_are_no_overlap():
    rng = np.random.default_rng(0)
    coarse = [
        pl.DataFrame({"a": rng.choice(["x", "y"], 300), "b": rng.choice(["u", "v"], 300)})
        for _ in range(3)
    ]
    assert len(aligned(coarse[1], coarse[2], coarse[0]).control) == 300


@pytest.mark.parametrize(("n", "m"), [(200, 20_000), (500, 2_000)])
def test_a_control_of_many_persons_is_no_overlap(n, m):
    rng = np.random.default_rng(0)
    for _ in range(10):
        age = [rng.normal(50, 15, size).round(1) for size in (n, n, m)]
        coarse = [pl.DataFrame({"a": a, "b": rng.choice(["u", "v"], len(a))}) for a in age]
        assert len(aligned(coarse[1], coarse[2], coarse[0]).control) == m


def test_control_must_not_be_the_synthetic_table():
    with pytest.raises(DataError, match="rows of the synthetic table"):
        aligned(frame(seed=1), frame(seed=1))


def test_a_few_persons_of_the_original_among_many_of_the_control_are_found():
    original = frame(n=1000, weight=np.random.default_rng(9).normal(size=1000).round(3))
    others = frame(n=2000, seed=2, weight=np.random.default_rng(8).normal(size=2000).round(3))
    synthetic = frame(n=1000, seed=3, weight=np.random.default_rng(7).normal(size=1000).round(3))
    with pytest.raises(DataError, match="30 of its 2030 rows"):
        aligned(synthetic, pl.concat([others, original[:30]]), original)


@pytest.mark.parametrize("planted", [0, 150])
def test_persons_among_the_control_are_found_where_rows_stand_twice(planted):
    """A visit exported twice: of the original's pairs none is parted, of threes all are."""
    rng = np.random.default_rng(4)
    some = [frame(size, seed, w=rng.normal(size=size)) for seed, size in ((0, 400), (1, 400))]
    control = pl.concat([frame(300, 2, w=rng.normal(size=300)), some[0][:planted]])
    twice = pl.concat([some[0], some[0]])
    if not planted:
        assert len(aligned(some[1], control, twice).control) == 300
    else:
        with pytest.raises(DataError, match="150 of its 450 rows are rows of the original"):
            aligned(some[1], control, twice)


def test_identifiers_and_texts_that_come_back_are_counted():
    rng = np.random.default_rng(0)
    numbers = [f"{n:013}" for n in rng.integers(10**12, 10**13, 400)]
    original, fresh = frame(nir=numbers[:200]), frame(seed=1, nir=numbers[200:])
    copied = fresh.with_columns(pl.Series("nir", numbers[:200]))
    assert aligned(copied, original=original).kept["nir"].found.sum() == 200
    assert aligned(fresh, original=original).kept["nir"].found.sum() == 0


@pytest.mark.parametrize(
    "spelt",
    [
        lambda said: said.str.to_uppercase(),
        lambda said: said.str.replace_all("é", "e"),
        lambda said: said + " .",
        lambda said: said.str.replace_all("-", " "),
    ],
)
def test_texts_are_found_however_they_are_spelt(spelt):
    rng = np.random.default_rng(0)
    notes = pl.Series([f"opéré-{n:06} à {m}" for n, m in rng.integers(0, 10**6, (200, 2))])
    made = frame(seed=1, note=spelt(notes))
    assert aligned(made, original=frame(note=notes)).kept["note"].found.sum() == 200


def test_numbers_are_found_however_they_are_spelt():
    numbers = np.random.default_rng(0).choice(10**9, 200, replace=False)
    original = frame(nir=[f"{n:09}" for n in numbers])
    for spelt in (numbers, numbers.astype(float), [f"{n},00" for n in numbers]):
        assert aligned(frame(seed=1, nir=spelt), original=original).kept["nir"].found.sum() == 200


def test_thousands_are_no_decimals():
    numbers = np.random.default_rng(0).choice(np.arange(1000, 10_000), 200, replace=False) * 1000
    original = frame(nir=[f"{n:,}" for n in numbers])
    assert aligned(frame(seed=1, nir=numbers), original=original).kept["nir"].found.all()
    short = frame(seed=1, nir=[f"{n}" for n in numbers // 10**6])
    assert not aligned(short, original=original).kept["nir"].found.any()


def test_texts_that_end_in_numbers_count_no_rows():
    """Houses of many streets: only behind the same letters do numbers run on."""
    rng = np.random.default_rng(0)
    streets = rng.choice(["Hauptstrasse", "Rue du Lac", "Via Roma"], 200)
    places = [f"{street} {n}" for street, n in zip(streets, rng.permutation(200) + 1, strict=True)]
    found = aligned(frame(seed=1, home=places), original=frame(home=places)).kept["home"]
    assert found.found.all()
    assert not found.running


def test_numbers_that_count_rows_meet_without_a_leak():
    original = frame(patient=[f"P{i:04}" for i in range(200)])
    made = frame(seed=1, patient=[f"P{i:04}" for i in range(200)])
    assert "patient" not in aligned(made, original=original).kept


def test_numbers_that_run_on_are_compared_where_the_control_shares_them():
    numbers = np.array([f"NIP{5_001_000 + i}" for i in range(400)])
    mixed = np.random.default_rng(0).permutation(300)
    original, made = frame(nip=numbers[mixed[:200]]), frame(seed=1, nip=numbers[mixed[:200]])
    among = frame(n=100, seed=2, nip=numbers[mixed[200:]])
    assert not aligned(made, among, original).kept["nip"].running
    before, after = frame(nip=numbers[:200]), frame(seed=2, nip=numbers[200:])
    found = aligned(frame(seed=1, nip=numbers[199::-1]), after, before).kept["nip"]
    assert found.running
    assert found.found.all()


def test_coding_again_gives_the_same():
    table = Table.of(frame())
    found = align(table, Table.of(frame()))
    again = coded(table, found.original.layout)
    assert np.array_equal(again.numbers, found.original.numbers, equal_nan=True)
    assert np.array_equal(again.codes, found.original.codes)
