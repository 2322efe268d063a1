"""A blinded test: what is shown does not tell, and scores are those of other implementations."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as theirs
from statsmodels.stats.proportion import proportion_confint

from sosie.errors import DataError, ParameterError
from sosie.evidence._align import read_alike
from sosie.evidence._blinding import blind_images, blind_tables
from sosie.evidence._pictures import pictures
from sosie.evidence._raters import answers_of, cohen_kappa, fleiss_kappa, scored
from sosie.table import Column, Schema, Table


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    data = load_diabetes(as_frame=True, scaled=False).frame[["age", "sex", "bmi", "s6"]]
    names = [f"P{i:04}" for i in range(len(data))]
    ward = np.array(["north", "south"])[np.arange(len(data)) % 2]
    return pl.DataFrame({"patient_id": names, **data.to_dict("list"), "ward": ward, "site": 1})


def test_the_same_rows_spelt_otherwise_look_the_same(frame: pl.DataFrame) -> None:
    """Types, decimals and order of the artificial table must not show."""
    real = Table.of(frame.with_columns(pl.col("age").cast(int)))
    other = frame.with_columns(
        pl.col("age").cast(float), pl.col("bmi") + 0.001, pl.col("sex").cast(int).cast(pl.String)
    ).sample(fraction=1, shuffle=True, seed=0)
    said = [Column(name=c.name, kind=c.kind) for c in real.schema.columns]
    made = blind_tables(real, Table.of(other, Schema(columns=said)), 400, 1)
    assert made.columns == ("age", "sex", "bmi", "s6", "ward")
    assert made.left_out == ("patient_id", "site")
    wanted = {
        (f"{age:.0f}", f"{sex:.0f}", f"{bmi:.1f}", f"{s6:g}", ward)
        for age, sex, bmi, s6, ward in real.frame.select(made.columns).iter_rows()
    }
    assert set(made.cases) <= wanted
    key = json.loads(made.key)
    for case, truth, row in zip(made.cases, key["truth"], key["row"], strict=True):
        source = {"real": frame, "artificial": other}[truth]
        assert float(case[0]) == source["age"][row - 1]
        assert case[4] == source["ward"][row - 1]
    for kind in ("real", "artificial"):
        rows = [r for r, t in zip(key["row"], key["truth"], strict=True) if t == kind]
        assert len(set(rows)) == len(rows)
        assert rows != sorted(rows)


def test_cells_are_those_of_the_file(tmp_path: Path, frame: pl.DataFrame) -> None:
    """Whatever the artificial file looks like: here the same persons, as Python writes them."""
    days = pl.date(2022, 4, 23) + pl.duration(days=pl.int_range(pl.len()))
    data = frame.select(
        pl.col("age").cast(int), "bmi", "ward", day=days, ill=pl.col("age") > 50, dose=1e3 + 7.25
    ).with_columns(dose=pl.col("dose") + pl.col("age"), bmi=pl.col("bmi").replace(20, None))
    data.write_csv(tmp_path / "made.csv")
    rows = [
        (
            str(age),
            "" if bmi is None else f"{bmi:.1f}".replace(".", ","),
            ward,
            f"{day:%d/%m/%Y}",
            "Vrai" if ill else "Faux",
            f"{dose:,.2f}".replace(",", "\u202f").replace(".", ","),
        )
        for age, bmi, ward, day, ill, dose in data.iter_rows()
    ]
    lines = [";".join(row) for row in (data.columns, *rows)]
    (tmp_path / "real.csv").write_bytes("\r\n".join(lines).encode())
    real = Table.read(tmp_path / "real.csv")
    made = blind_tables(real, read_alike(tmp_path / "made.csv", real, "made.csv"), 300, 1)
    assert made.columns == tuple(data.columns)
    shown = [tuple(cell or "–" for cell in row) for row in rows]
    key = json.loads(made.key)
    assert {"real", "artificial"} == set(key["truth"])
    assert list(made.cases) == [shown[row - 1] for row in key["row"]]


def test_every_case_is_a_fair_coin_and_the_seed_decides(frame: pl.DataFrame) -> None:
    table = Table.of(frame)
    made = [blind_tables(table, table, 50, seed) for seed in range(60)]
    truth = np.array([[t == "real" for t in json.loads(one.key)["truth"]] for one in made])
    assert truth.mean() == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(truth.size))
    assert truth.sum(1).var() == pytest.approx(50 / 4, rel=0.6)  # not fixed at 25
    assert blind_tables(table, table, 50, 3) == made[3]
    assert len({one.commitment for one in made}) == 60


def test_labels_that_tell_are_refused(frame: pl.DataFrame) -> None:
    real = Table.of(frame)
    odd = Table.of(frame.with_columns(pl.col("ward").replace("north", "North")))
    with pytest.raises(DataError, match=r"'ward'.*--drop"):
        blind_tables(real, odd, 100, 0)
    with pytest.raises(DataError, match="ask for about"):
        blind_tables(real, real.taken(np.arange(20)), 100, 0)
    with pytest.raises(ParameterError, match="10 or more"):
        blind_tables(real, real, 5, 0)


def test_images_are_drawn_and_read(tmp_path: Path) -> None:
    digits = load_digits().images[:60]
    np.savez(tmp_path / "digits.npz", images=digits / 16)
    real = pictures(tmp_path / "digits.npz")
    np.testing.assert_allclose(real[7], digits[7] * 255 / 16, atol=0.5)
    made = blind_images(real, [255 - image for image in real], 40, 0)
    for image, truth in zip(made.cases, json.loads(made.key)["truth"], strict=True):
        assert (image[:, 0].mean() < 128) == (truth == "real")  # margins of digits are black
    from PIL import Image

    folder = tmp_path / "images"
    folder.mkdir()
    for i, image in enumerate(real):
        Image.fromarray(image).save(folder / f"{i:02}.png")
    for one, other in zip(pictures(folder), real, strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(DataError, match="differ in size"):
        blind_images(real, [image[1:] for image in real], 40, 0)
    (folder / "00.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"00\.png is not an image"):
        pictures(folder)
    with pytest.raises(DataError, match="holds no image"):
        pictures(_empty(tmp_path))


def _empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def test_kappas_are_those_of_others() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(80) < 0.5
    answers = np.column_stack([np.where(rng.random(80) < 0.8, truth, ~truth) for _ in range(4)])
    table, _ = aggregate_raters(answers.astype(int))
    assert fleiss_kappa(answers) == pytest.approx(theirs(table))
    one, other = answers[:, 0], answers[:, 1]
    assert cohen_kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))
    assert cohen_kappa(np.ones(9, bool), np.ones(9, bool)) is None


def test_the_seal_is_that_of_what_is_shown(frame: pl.DataFrame) -> None:
    table = Table.of(frame)
    other = table.taken(np.arange(len(table))[::-1])
    first, again, changed = (blind_tables(table, t, 30, 1) for t in (table, table, other))
    assert first.commitment == again.commitment
    assert first.commitment != changed.commitment
    assert not set(first.names) & set(changed.names)


def test_the_seal_of_images_is_that_of_what_is_shown() -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8)).astype(np.uint8)
    first, again, changed = (
        blind_images(images, one, 20, 1) for one in (images, images, images[::-1])
    )
    assert first.commitment == again.commitment != changed.commitment


def test_scores_against_the_key(frame: pl.DataFrame) -> None:
    table = Table.of(frame)
    made = blind_tables(table, table, 200, 0)
    truth = dict(zip(made.names, json.loads(made.key)["truth"], strict=True))
    turned = {"real": "artificial", "artificial": "real"}
    half = {c: t if i % 2 else turned[t] for i, (c, t) in enumerate(truth.items())}
    few = dict(list(half.items())[:30])
    found = scored(made.key, {"knows": truth, "guesses": half, "few": few})
    knows, guesses, short = found.raters
    assert (knows.accuracy, knows.verdict, knows.artificial_found) == (1, "told apart", 1)
    assert (guesses.accuracy, guesses.verdict) == (0.5, "not told apart")
    assert (short.answered, short.right, short.verdict) == (30, 15, "undecided")
    for one in found.raters:
        low, high = proportion_confint(one.right, one.answered, method="beta")
        assert (one.low, one.high) == pytest.approx((low, high))
    low, high = proportion_confint(100, 200, method="beta")
    assert found.half_width == pytest.approx((high - low) / 2)
    assert (found.cases, found.agreed_on) == (200, 30)
    wide = scored(made.key, {"few": few}, margin=0.2)
    assert wide.raters[0].verdict == "not told apart"
    assert wide.kappa is None


def test_a_hundred_cases_give_ten_points(frame: pl.DataFrame) -> None:
    made = blind_tables(Table.of(frame), Table.of(frame), 100, 0)
    said = dict.fromkeys(made.names, "real")
    assert scored(made.key, {"one": said}).half_width == pytest.approx(0.10, abs=0.005)


def test_a_key_that_was_changed_is_told(frame: pl.DataFrame) -> None:
    made = blind_tables(Table.of(frame), Table.of(frame), 20, 0)
    answers = {"one": dict.fromkeys(made.names, "real")}
    content = json.loads(made.key)
    content["truth"][0] = {"real": "artificial", "artificial": "real"}[content["truth"][0]]
    with pytest.raises(DataError, match="another sheet"):
        scored(json.dumps(content, indent=1).encode() + b"\n", answers)
    for key in (made.key[:90], b"[]", b'{"format": 1, "truth": ["real"]}'):
        with pytest.raises(DataError, match="not one that sosie blind wrote"):
            scored(key, answers)
    with pytest.raises(DataError, match="answered no case"):
        scored(made.key, {"one": {}})
    with pytest.raises(ParameterError, match="margin"):
        scored(made.key, answers, 0.7)


def test_files_of_answers_as_people_save_them(tmp_path: Path) -> None:
    path = tmp_path / "anne.csv"
    path.write_bytes("\ufeffCas;Réponse\r\nab-001;Réel\r\nab-002;\r\nab-003;A\r\n".encode())
    assert answers_of(path) == {"anne": {"ab-001": "real", "ab-003": "artificial"}}
    wanted = {"anne": {"ab-001": "real", "ab-003": "artificial"}}
    text = "Cas;Réponse\r\nab-001;Réel\r\nab-002\r\n;\r\nab-003;artificiel\r\n"
    for encoding in ("cp1252", "latin-1", "utf-16"):  # of Excel: CSV, and Unicode text
        path.write_bytes(text.encode(encoding))
        assert answers_of(path) == wanted
    path.write_bytes(text.replace("\r\n", "\r").replace(";", "\t").encode("cp1252"))
    assert answers_of(path) == wanted
    path.write_text("case,anne,paul\nab-001,r,artificial\n")
    assert answers_of(path) == {"anne": {"ab-001": "real"}, "paul": {"ab-001": "artificial"}}
    for content, match in (
        ("case,anne\nab-001,maybe\n", "line 2: an answer"),
        ("anne,paul\nr,a\n", "give a column case"),
        ("", "give a column case"),
        ("case,anne\nab-001,r\nab-002,\nab-001,a\n", "case ab-001 is answered twice"),
        ("case,anne\nab-001,r\nab-001,r\n", "case ab-001 is answered twice"),
        ("case,anne,anne\n", "two raters"),
    ):
        path.write_text(content)
        with pytest.raises(DataError, match=match):
            answers_of(path)
    path.write_bytes(b"case,anne\nab-001,\x00\n")
    with pytest.raises(DataError, match="not a table of text"):
        answers_of(path)
