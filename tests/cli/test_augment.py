"""`sosie augment`: what is asked holds, the sentence is there, one sentence for a mistake."""

import csv
import json
import shutil
import tomllib
from collections.abc import Callable
from functools import partial
from importlib.resources import files
from pathlib import Path
from string import Formatter

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from scipy.stats import ks_2samp
from tests.cli.conftest import Ran, Sosie

from sosie.cli import _artificial, main
from sosie.cli._artificial import tell_how_long
from sosie.cli._stages import Stages
from sosie.cli._texts import texts
from sosie.cli._where import conditions
from sosie.generators.artificial import _training
from sosie.table import Column, Schema, Table

QUICK = ("--epochs", 1, "--latent-dim", 3)
KEYS = {"rows_in", "rows_out", "kept_by_filter", "ess", "latent_dim", "seconds", "fidelity"}


@pytest.fixture
def sosie(sosie: Sosie) -> Sosie:
    return partial(sosie, "augment")


def persons() -> pd.DataFrame:
    frame = load_rossi()[["week", "arrest", "age", "prio", "fin"]].head(200)
    rng = np.random.default_rng(0)
    town = rng.choice(["north", "south", "mid"], 200, p=[0.5, 0.4, 0.1])
    return frame.assign(town=town, prio=frame["prio"].where(rng.random(200) > 0.1))


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Learn once: a folder with the table, its model, and what was drawn at seed 5."""
    folder = tmp_path_factory.mktemp("learnt")
    persons().to_csv(folder / "persons.csv", index=False)
    told = ["--out", folder / "first.csv", "--model", folder / "model", "--seed", 5, *QUICK]
    with pytest.raises(SystemExit) as left:
        main(["augment", str(folder / "persons.csv"), *(str(a) for a in told)])
    assert not left.value.code
    return folder


@pytest.fixture
def place(learnt: Path, tmp_path: Path) -> Path:
    for name in ("persons.csv", "first.csv"):
        shutil.copy(learnt / name, tmp_path)
    shutil.copytree(learnt / "model", tmp_path / "model")
    return tmp_path


def drawn(sosie: Sosie, place: Path, *options: object) -> tuple[dict[str, object], pd.DataFrame]:
    """Draw from the model that was learnt."""
    data, out = place / "persons.csv", place / "out.csv"
    ran = sosie(data, "--out", out, "--model", place / "model", "--json", *options)
    assert ran.status == 0, ran.err
    return json.loads(ran.out), pd.read_csv(out)


def test_as_many_rows_as_persons_and_the_sentence(place: Path, sosie: Sosie) -> None:
    said, rows = drawn(sosie, place)
    assert said.keys() >= {*KEYS, "seed", "out", "effective_rows", "notice"}
    assert said["rows_in"] == said["rows_out"] == said["effective_rows"] == len(rows) == 200
    assert "adds no independent patients" in str(said["notice"])
    assert (said["latent_dim"], said["out"]) == (3, str(place / "out.csv"))
    assert list(rows.columns) == list(persons().columns)
    ran = sosie(place / "persons.csv", "--out", place / "o.csv", "--model", place / "model",
                "--lang", "fr")  # fmt: skip
    assert "n'ajoute aucun patient indépendant" in ran.out
    assert "Autant de lignes artificielles que de personnes" in ran.out
    assert "aussi sensible" in ran.err


def test_a_model_is_learnt_once_and_the_seed_decides(place: Path, sosie: Sosie) -> None:
    first = (place / "first.csv").read_bytes()
    before = (place / "model" / "model.json").read_bytes()
    drawn(sosie, place, "--seed", 5)
    assert (place / "out.csv").read_bytes() == first
    drawn(sosie, place, "--seed", 6)
    assert (place / "out.csv").read_bytes() != first
    assert (place / "model" / "model.json").read_bytes() == before


def test_the_outcome_named_is_learnt_by_its_levels(place: Path, sosie: Sosie) -> None:
    ran = sosie(place / "persons.csv", "--out", place / "o.csv", "--model", place / "m",
                "--outcome", "town", "--latent-dim", 2, "--epochs", 0)  # fmt: skip
    assert ran.status == 0, ran.err
    assert (
        json.loads((place / "m" / "model.json").read_text())["said"]["parameters"]["stratum"]
        == "town"
    )
    shares = pd.read_csv(place / "o.csv")["town"].value_counts()
    assert (shares - persons()["town"].value_counts()).abs().max() <= 1


@pytest.mark.parametrize(
    ("options", "artificial", "in_all"),
    [
        (("--rows", 61), 61, 61),
        (("--factor", 2.5), 500, 500),
        (("--rows", 61, "--keep-original"), 61, 261),
        (("--factor", 2.5, "--keep-original"), 300, 500),
        (("--keep-original",), 200, 400),
    ],
)
def test_how_many(
    place: Path, sosie: Sosie, options: tuple[object, ...], artificial: int, in_all: int
) -> None:
    said, rows = drawn(sosie, place, *options)
    assert said["rows_out"] == len(rows) == in_all
    assert said["artificial"] == artificial
    if "--keep-original" in options:
        assert said["origin_column"] == "origin"
        kept = rows[rows["origin"] == "original"].drop(columns="origin")
        pd.testing.assert_frame_equal(kept, persons(), check_dtype=False)
        assert (rows["origin"] == "artificial").sum() == artificial
        assert (place / "out.csv").stat().st_mode & 0o077 == 0


def test_persons_stay_spelt_as_they_are(place: Path, sosie: Sosie) -> None:
    """As csv of Python reads both files: missing cells of three sorts, zeros that say nothing."""
    table = persons()
    rng = np.random.default_rng(3)
    odd = np.array(["NA", "ND", ""])[rng.integers(3, size=200)]
    spelt = table.astype(object).assign(
        prio=[o if np.isnan(x) else f"{x:.0f}" for x, o in zip(table["prio"], odd, strict=True)],
        week=[f"{x},{'0' * k}" for k, x in zip(1 + table["arrest"], table["week"], strict=True)],
        town='"' + table["town"] + '"',
        age=np.where(table["age"] < 20, '"ND"', table["age"].astype(str)),
    )
    lines = [";".join(map(str, row)) for row in (spelt.columns, *spelt.itertuples(index=False))]
    (place / "odd.csv").write_bytes("\r\n".join(lines).encode("utf-16"))
    told = ("--out", place / "o.csv", "--keep-original", "--rows", 60, *QUICK)
    ran = sosie(place / "odd.csv", *told)
    assert ran.status == 0, ran.err

    def rows(name: str) -> list[list[str]]:
        text = (place / name).read_bytes().decode("utf-16")
        return list(csv.reader(text.splitlines(), delimiter=";"))

    before, after = rows("odd.csv"), rows("o.csv")
    assert [row[:-1] for row in after[:201]] == before
    assert len(after) == 261
    assert {row[3] for row in after[201:]} <= {row[3] for row in before} - {"NA", "ND"} | {""}
    pd.testing.assert_frame_equal(
        Table.read(place / "o.csv").frame[:200, :6].to_pandas(),
        Table.read(place / "odd.csv").frame.to_pandas(),
        check_dtype=False, check_categorical=False,
    )  # fmt: skip


def test_what_is_asked_holds_and_its_persons_are_counted(place: Path, sosie: Sosie) -> None:
    asked = ["--where", "age=20..30", "--where", "prio>=1", "--where", "prio<=6"]
    said, rows = drawn(sosie, place, *asked, "--balance", "town", "--rows", 91)
    assert rows["age"].between(20, 30).all()
    assert rows["prio"].between(1, 6).all()
    assert sorted(rows["town"].value_counts()) == [30, 30, 31]
    table = persons()
    met = table[table["age"].between(20, 30) & table["prio"].between(1, 6)]
    assert said["effective_rows"] == len(met)
    assert said["fewest_in_a_class"] == met["town"].value_counts().min()
    assert 0 < float(str(said["ess"])) <= 91
    said, rows = drawn(sosie, place, "--where", "town=mid", "--rows", 40)
    assert set(rows["town"]) == {"mid"}
    assert said["effective_rows"] == (table["town"] == "mid").sum()


def test_fidelity_is_what_others_compute(place: Path, sosie: Sosie) -> None:
    """By scipy's statistic of Kolmogorov and Smirnov, and shares counted by pandas."""
    said, rows = drawn(sosie, place, "--rows", 150, "--where", "arrest=1")
    table = persons().query("arrest == 1")
    found = []
    for name in table:
        one, other = table[name].dropna(), rows[name].dropna()
        if name in ("week", "age", "prio"):
            found.append(ks_2samp(one, other).statistic)
        else:
            p, q = (column.value_counts(normalize=True) for column in (one, other))
            found.append(p.sub(q, fill_value=0).abs().sum() / 2)
    assert said["fidelity"] == pytest.approx(1 - np.mean(found), abs=1e-4)
    assert 0.7 < float(str(said["fidelity"])) < 1


def test_persons_who_came_later_are_told(place: Path, sosie: Sosie) -> None:
    table = persons()
    table.iloc[:190].to_csv(place / "fewer.csv", index=False)
    ran = sosie(place / "fewer.csv", "--out", place / "o.csv", "--model", place / "model")
    assert ran.status == 0, ran.err
    assert "another table of the same columns (200 persons)" in ran.err


def test_identifiers_stay_those_of_one_row(place: Path, sosie: Sosie) -> None:
    table = persons().assign(patient_id=[f"P-{i:04}" for i in range(200)])
    table.to_csv(place / "named.csv", index=False)
    out = place / "o.csv"
    told = ("--recreate", "patient_id", "--keep-original", "--rows", 50, *QUICK)
    ran = sosie(place / "named.csv", "--out", out, *told)
    assert ran.status == 0, ran.err
    assert pd.read_csv(out)["patient_id"].is_unique


def test_a_model_of_a_table_of_which_columns_were_left_out(place: Path, sosie: Sosie) -> None:
    """The second run draws from it, whatever missing cells are called in its table."""
    table = persons().assign(patient_id=[f"P-{i:04}" for i in range(200)])
    table.to_csv(place / "named.csv", index=False)
    table.to_csv(place / "again.csv", index=False, na_rep="NA")
    said = []
    for data in ("named.csv", "named.csv", "again.csv"):
        told = ("--drop", "patient_id", "--model", place / "other", "--rows", 50, "--seed", 1)
        ran = sosie(place / data, "--out", place / "o.csv", *told, *QUICK)
        assert ran.status == 0, ran.err
        said.append(pd.read_csv(place / "o.csv"))
    pd.testing.assert_frame_equal(said[0], said[1])
    pd.testing.assert_frame_equal(said[0], said[2])


def test_what_is_asked_is_spelt_as_in_the_table(tmp_path: Path, sosie: Sosie) -> None:
    rng = np.random.default_rng(0)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 90, 200), unit="D")
    cost = [f"{c:,.2f}".replace(",", " ").replace(".", ",") for c in rng.uniform(500, 3000, 200)]
    dead = np.where(rng.random(200) < 0.3, "VRAI", "FAUX")
    table = pd.DataFrame({"jour": days.strftime("%d/%m/%Y"), "coût ": cost, "décès": dead})
    table.to_csv(tmp_path / "a.csv", sep=";", index=False, encoding="latin-1")
    asked = ("jour=01/02/2024..29/02/2024", "coût =1 000,00..2 000,50", "décès=VRAI")
    where = [word for one in asked for word in ("--where", one)]
    ran = sosie(tmp_path / "a.csv", "--out", tmp_path / "o.csv", "--rows", 20, *where, *QUICK)
    assert ran.status == 0, ran.err
    made = pd.read_csv(tmp_path / "o.csv", sep=";", encoding="latin-1")
    assert made["jour"].str.endswith("/02/2024").all()
    spent = made["coût "].str.replace(" ", "").str.replace(",", ".").astype(float)
    assert spent.between(1000, 2000.5).all()
    assert (made["décès"] == "VRAI").all()


@pytest.mark.parametrize(
    ("cells", "asked", "meant"),
    [
        (["1.5", "0.125", "12.25"] * 9, "a>=0.125", "0.125"),
        (["1.000,5", "20.125,5", "0,5"] * 9, "a>=0.125", "0.125"),
        (["1.000,5", "20.125,5", "0,5"] * 9, "a>=20.125,5", "20125.5"),
        (["1.000,5", "20.125,5", "0,5"] * 9, "a>=1049.5", "1049.5"),
        (["5/3/2024", "12/3/2024", "31/1/2024"] * 9, "a>=5/3/2024", "2024-03-05"),
        (["05/03/2024 10:00", "31/01/2024"] * 9, "a>=31/01/2024", "2024-01-31"),
        (["05/03/2024 10:00", "31/01/2024 11:30"] * 9, "a>=31/01/2024", "2024-01-31"),
        (["2024-03-05", "2024-01-31"] * 9, "a>=2024-01-31", "2024-01-31"),
    ],
)
def test_a_value_is_read_as_the_column_is(
    cells: list[str], asked: str, meant: str, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("\n".join(["a;a ;b", *(f"{c};1;x" for c in cells)]) + "\n")
    said = [] if "-" in meant else [Column(name="a", kind="number")]
    table = Table.read(tmp_path / "a.csv", Schema(columns=said))
    assert conditions(table, [asked]) == {"a": (meant, None)}


def refused(ran: Ran, place: Path, *parts: str, also: tuple[str, ...] = ()) -> None:
    """Check for one sentence, status 2, and no file that was not there."""
    assert ran.status == 2, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert "Traceback" not in ran.err
    for part in parts:
        assert part in ran.err, ran.err
    there = {"persons.csv", "first.csv", "model", *also}
    assert {path.name for path in place.iterdir()} == there


@pytest.mark.parametrize(
    ("lang", "told"), [("en", "among others: north, south."), ("fr", "ses modalités")]
)
def test_a_refusal_names_no_level_that_few_persons_have(
    sosie: Sosie, tmp_path: Path, lang: str, told: str
) -> None:
    few = np.where(np.arange(200) < 4, "Ushant", persons()["town"].replace("mid", "south"))
    persons().assign(town=few).to_csv(tmp_path / "few.csv", index=False)
    asked = ("--where", "town=west", "--out", tmp_path / "o.csv", "--lang", lang, *QUICK)
    ran = sosie(tmp_path / "few.csv", *asked)
    assert ran.status == 2
    assert told in ran.err
    assert "Ushant" not in ran.err


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--rows", 0), ("--rows", "at least 1")),
        (("--rows", 5, "--factor", 2), ("not both",)),
        (("--factor", "nan"), ("--factor",)),
        (("--factor", 1, "--keep-original"), ("above 1", "--keep-original")),
        (("--rows", 10**12), ("1,000,000,000,000 rows", "GiB of memory", "at most")),
        (("--factor", 1e12), ("200,000,000,000,000 rows", "GiB of memory")),
        (("--balance", "age"), ("'age'", "only a column of levels")),
        (("--balance", "town", "--where", "town=mid"), ("One class of column 'town'",)),
        (("--balance", "toun"), ("did you mean 'town'",)),
        (("--balance", "town", "--rows", 2), ("3 classes: ask for 3 at least",)),
        (("--outcome", "toun"), ("did you mean 'town'",)),
        (("--where", "town=west"), ("'town' has no level as asked",)),
        (("--where", "age=90..95"), ("Nobody in the table", "'age'")),
        (("--where", "age>=40", "--where", "town=mid", "--where", "week<=2"), ("all that is",)),
        (("--where", "age>=40", "--balance", "town", "--where", "prio=17"), ("Nobody",)),
        (("--where", "town>=mid"), ("holds no numbers; use =",)),
        (("--where", "age"), ("--where age", "age=40..60")),
        (("--where", "age=30", "--where", "age=40"), ("twice",)),
        (("--where", "ages=30"), ("did you mean 'age'",)),
        (("--latent-dim", 400), ("latent_dim = 400",)),
        (("--latent-dim", 0), ("latent_dim",)),
        (("--seed", -1), ("seed",)),
        (("--out", "rows.xlsx"), ("rows.xlsx",)),
        (("--out", "persons.csv"), ("would replace",)),
        (("--model", "persons.csv"), ("is there already",)),
        (("--model", "none/model"), ("does not exist",)),
        (("--model", "model", "--out", "model/table.parquet"), ("a place outside of it",)),
        (("--model", "out.csv", "--out", "out.csv"), ("would replace",)),
        (("--model", "model", "--latent-dim", 2), ("has 3 latent dimensions",)),
        (("--model", "model", "--outcome", "town"), ("not learnt with 'town' as the outcome",)),
        (("--outcome", "age"), ("'age' cannot be the stratum or outcome",)),
        (("--model", "model", "--drop", "town"), ("another schema", "'town'")),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_sentence(
    options: tuple[object, ...], parts: tuple[str, ...], place: Path, sosie: Sosie,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(place)
    refused(sosie("persons.csv", "--out", "out.csv", "--epochs", 1, *options), place, *parts)


@pytest.mark.parametrize(
    ("change", "options", "parts"),
    [
        (lambda f: f.head(29), (), ("29 persons", "at least 30")),
        (lambda f: f.assign(town="mid"), ("--balance", "town"), ("one class only",)),
        (lambda f: f.assign(prio=np.nan), (), ("'prio'", "no value at all")),
        (lambda f: f.assign(note=[f"seen on ward {i}" for i in range(200)]), (), ("--drop note",)),
        (lambda f: f[["age"]], (), ("one column only",)),
        (
            lambda f: f.head(3).loc[[0, 1, 2] * 12, ["age", "week", "town"]],
            (),
            ("repeats its rows", "of 36 only 3 are different", "give each person once"),
        ),
        (lambda f: f.head(0), (), ("no rows",)),
    ],
)
def test_a_table_that_teaches_nothing_is_told(
    change: Callable[[pd.DataFrame], pd.DataFrame], options: tuple[object, ...],
    parts: tuple[str, ...], place: Path, sosie: Sosie,
) -> None:  # fmt: skip
    change(persons()).to_csv(place / "bad.csv", index=False)
    ran = sosie(place / "bad.csv", "--out", place / "o.csv", "--model", place / "m", *options)
    refused(ran, place, *parts, also=("bad.csv",))


def test_a_model_cut_short_is_told(place: Path, sosie: Sosie) -> None:
    held = place / "model" / "parameters.npz"
    held.write_bytes(held.read_bytes()[:1000])
    ran = sosie(place / "persons.csv", "--out", place / "o.csv", "--model", place / "model")
    refused(ran, place, "damaged or cut short")


def test_divergence_saves_nothing(
    place: Path, sosie: Sosie, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = ((1e30, 0.0),)
    monkeypatch.setattr(_training.Recipe.__new__, "__defaults__", (600, 60, 64, steps, 0.2))
    ran = sosie(place / "persons.csv", "--out", place / "o.csv", "--model", place / "m",
                "--latent-dim", 3)  # fmt: skip
    refused(ran, place, "diverged")


def test_how_long_a_long_draw_takes_is_told_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(_artificial.time, "perf_counter", lambda: clock[0])

    def draw(rows: int) -> None:  # 0.4 ms a row
        clock[0] += rows * 4e-4

    with Stages(texts("en")["augment"]["stages"], shown=False) as stages:
        for n in (4000, 20_000, 250_000, 18_000_000):
            tell_how_long(n, 160, draw, texts("en")["augment"], stages)
        tell_how_long(1_000_000, 160, draw, texts("fr")["augment"], stages)
    assert capsys.readouterr().err.splitlines() == [
        "Drawing 250,000 rows, 1,562 times the 160 persons, takes about 100 s.",
        "Drawing 18,000,000 rows, 112,500 times the 160 persons, takes about 2 h.",
        "Tirer 1\u202f000\u202f000 lignes, 6\u202f250 fois les 160 personnes, prend environ 7 min.",
    ]


def test_both_languages_say_the_same() -> None:
    def fields(words: dict[str, object]) -> dict[str, object]:
        return {
            k: fields(v)
            if isinstance(v, dict)
            else {field for _, field, _, _ in Formatter().parse(str(v))}
            for k, v in words.items()
        }

    en, fr = (
        tomllib.loads((files("sosie.cli") / f"{lang}.toml").read_text(encoding="utf-8"))
        for lang in ("en", "fr")
    )
    for command in ("augment", "blind", "impute"):
        assert fields(en[command]) == fields(fr[command])
