"""`sosie avatar`: whole files or none, one sentence for a mistake, no value of a person shown."""

import json
import os
import stat
import subprocess
import sys
from inspect import signature
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from lifelines.datasets import load_rossi
from sklearn.datasets import load_diabetes
from tests.cli.conftest import Ran, Sosie

from sosie import Avatar, Table
from sosie.cli._avatar import avatar
from sosie.cli._texts import texts
from sosie.generators import KERNELS

SECRET = "Zorglub"
KEYS = ["rows", "columns", "k", "ncp", "kernel", "seed", "seconds", "peak_memory_mb", "out"]


@pytest.fixture
def rossi(tmp_path: Path) -> Path:
    path = tmp_path / "rossi.csv"
    load_rossi().to_csv(path, index=False)
    return path


def refused(ran: Ran, folder: Path, *parts: str, kept: tuple[str, ...] = ()) -> None:
    """Check for one sentence on stderr, status 2, no value of a person, no file left."""
    assert ran.status == 2, ran
    assert ran.out == ""
    assert ran.err.count("\n") == 1, ran.err
    assert ran.err.rstrip("\n").endswith((".", "?", ")")), ran.err
    assert "Traceback" not in ran.err
    assert SECRET not in ran.err
    for part in parts:
        assert part in ran.err, ran.err
    assert sorted(path.name for path in folder.iterdir()) == sorted(kept)


def test_two_names_are_enough(rossi: Path, sosie: Sosie) -> None:
    out = rossi.with_name("avatars.csv")
    ran = sosie("avatar", rossi, "--out", out)
    assert ran.status == 0, ran.err
    assert ran.err == ""
    assert "gibbs" in ran.out
    assert "432" in ran.out
    assert str(out) in ran.out
    made, given = Table.read(out), Table.read(rossi)
    assert made.names == given.names
    assert made.frame.schema == given.frame.schema
    assert len(made) == len(given)
    assert not made.frame.equals(given.frame)


def test_one_object_where_a_machine_reads(rossi: Path, sosie: Sosie) -> None:
    out = rossi.with_name("a.parquet")
    ran = sosie("avatar", rossi, "--out", out, "--json", "--k", 20, "--ncp", 50, "--seed", 7)
    assert (ran.status, ran.err) == (0, "")
    done = json.loads(ran.out)
    assert list(done) == KEYS
    shown = {key: done[key] for key in ("rows", "columns", "k", "kernel", "seed", "out")}
    asked = {"rows": 432, "columns": 9, "k": 20, "kernel": "gibbs", "seed": 7, "out": str(out)}
    assert shown == asked
    assert 1 <= done["ncp"] <= 50
    assert 0 < done["seconds"] < 60
    assert 10 < done["peak_memory_mb"] < 24_000
    assert len(pl.read_parquet(out)) == 432


def test_defaults_are_those_of_the_class() -> None:
    said = {name: p.default for name, p in signature(avatar).parameters.items()}
    meant = {name: p.default for name, p in signature(Avatar).parameters.items()}
    assert (said["k"], said["ncp"]) == (meant["k"], meant["n_factors"])
    assert said["kernel"] == meant["kernel"] == next(iter(KERNELS))


def test_french(rossi: Path, sosie: Sosie) -> None:
    ran = sosie("avatar", rossi, "--out", rossi.with_name("a.csv"), "--lang", "fr")
    assert "graine" in ran.out
    refused(
        sosie("avatar", rossi, "--out", rossi, "--lang", "de"),
        rossi.parent,
        "'de'",
        kept=("rossi.csv", "a.csv"),
    )


def test_catalogues_have_the_same_keys() -> None:
    def keys(tree: dict[str, object]) -> object:
        return {k: keys(v) if isinstance(v, dict) else None for k, v in tree.items()}

    for section in ("avatar", "main"):
        assert keys(texts("en")[section]) == keys(texts("fr")[section])


@pytest.mark.parametrize("kernel", ["gibbs", "rotation", "gaussian", "published"])
def test_same_seed_same_bytes(kernel: str, rossi: Path, sosie: Sosie) -> None:
    made = []
    for name, seed in (("a.csv", 5), ("b.csv", 5), ("c.csv", 6)):
        out = rossi.with_name(name)
        ran = sosie("avatar", rossi, "--out", out, "--seed", seed, "--kernel", kernel)
        assert ran.status == 0, ran.err
        made.append(out.read_bytes())
    assert made[0] == made[1] != made[2]


def test_fresh_seed_is_told_and_reproduces(rossi: Path, sosie: Sosie) -> None:
    seeds, made = [], []
    for name in ("a.csv", "b.csv"):
        ran = sosie("avatar", rossi, "--out", rossi.with_name(name), "--json")
        seeds.append(json.loads(ran.out)["seed"])
        made.append(rossi.with_name(name).read_bytes())
    assert seeds[0] != seeds[1]
    assert made[0] != made[1]
    again = rossi.with_name("c.csv")
    sosie("avatar", rossi, "--out", again, "--seed", seeds[0])
    assert again.read_bytes() == made[0]


def test_linked_is_for_the_owner_only(rossi: Path, sosie: Sosie) -> None:
    out, linked = rossi.with_name("a.csv"), rossi.with_name("linked.csv")
    linked.write_text("older")
    linked.chmod(0o644)
    ran = sosie("avatar", rossi, "--out", out, "--linked", linked, "--seed", 1, "--json")
    assert ran.status == 0
    assert list(json.loads(ran.out)) == KEYS
    assert ran.err.count("\n") == 1
    assert "linked.csv" in ran.err
    assert "sensitive" in ran.err
    assert stat.S_IMODE(linked.stat().st_mode) == 0o600
    released, sensitive = out.read_text().splitlines(), linked.read_text().splitlines()
    assert released != sensitive
    assert sorted(released) == sorted(sensitive)
    plain = rossi.with_name("plain.csv")
    sosie("avatar", rossi, "--out", plain, "--seed", 1)
    assert plain.read_bytes() == out.read_bytes()


def test_weights(tmp_path: Path, sosie: Sosie) -> None:
    frame = load_diabetes(as_frame=True).frame.rename(columns={"bp": "b=p"})
    frame.to_csv(tmp_path / "d.csv", index=False)
    made = []
    for i, weights in enumerate([(), ("b=p=25",), ("b=p=25", "s1=0")]):
        said = [part for weight in weights for part in ("--weight", weight)]
        out = tmp_path / f"{i}.csv"
        ran = sosie("avatar", tmp_path / "d.csv", "--out", out, "--seed", 1, "--ncp", 2, *said)
        assert ran.status == 0, ran.err
        made.append(out.read_bytes())
    assert len(set(made)) == 3


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--k", "0"], ("k ", "1")),
        (["--k", "432"], ("432", "433")),
        (["--k", "many"], ("--k", "integer")),
        (["--ncp", "0"], ("factors", "1")),
        (["--seed", "-1"], ("seed",)),
        (["--kernel", "gibs"], ("'gibs'", "gibbs", "published")),
        (["--weight", "agee=2"], ("'agee'", "'age'")),
        (["--weight", "age"], ("--weight age", "=")),
        (["--weight", "=2"], ("--weight",)),
        (["--weight", "age=two"], ("--weight age=two", "number")),
        (["--weight", "age=-1"], ("--weight age=-1",)),
        (["--weight", "age=nan"], ("--weight age=nan",)),
        (["--weight", "age=1", "--weight", "age=2"], ("'age'", "two")),
        (["--schema", "absent.toml"], ("absent.toml",)),
        (["--linked", "no/where.csv"], ("no", "folder")),
        (["--linked", "l.png"], (".png", ".csv")),
        (["--colour"], ("--colour",)),
    ],
)
def test_parameters_that_cannot_be(
    arguments: list[str], parts: tuple[str, ...], rossi: Path, sosie: Sosie
) -> None:
    ran = sosie("avatar", rossi, "--out", rossi.with_name("a.csv"), *arguments)
    refused(ran, rossi.parent, *parts, kept=("rossi.csv",))


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", ("is empty",)),
        (b"a,b\n", ("no rows",)),
        (b"a,b\n1,2\n", ("one row",)),
        (b"a,b\n" + b"".join(b"%d,%d\n" % (i * i, i % 3) for i in range(10)), ("10", "11")),
        (b"a,b\n" + b"1,x\n" * 30, ("one value",)),
        (b"a,b\n" + b"".join(b"%d,\n" % (i % 7) for i in range(30)), ("'b'", "no value")),
        (b"a,b,a\n1,2,3\n4,5,6\n", ("'a'",)),
        (b"a,b\n1,2\n3,4,5\n5,6\n", ("line 3",)),
        (
            b"a,b\n" + b"".join(b"%d,1\n" % i for i in range(40)) + b"Zorglub,1\n",
            ("'a'", "line 42"),
        ),
        (b"a,b\n1,2\ninf,4\n3,5\n2.5,1\n", ("infinite", "line 3")),
        (b"a,b\n1,\x81\x8d\n2,\x90\x9d\n", ("encoding",)),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 9, ("not a table",)),
        (b"name,b\n" + b"".join(b"Zorglub%d,%d\n" % (i, i % 5) for i in range(60)), ("'name'",)),
    ],
)
def test_tables_that_cannot_be(
    content: bytes, parts: tuple[str, ...], tmp_path: Path, sosie: Sosie
) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    ran = sosie("avatar", path, "--out", tmp_path / "a.csv", "--linked", tmp_path / "l.csv")
    refused(ran, tmp_path, *parts, kept=("t.csv",))


def test_truncated_parquet_and_unknown_schema_column(rossi: Path, sosie: Sosie) -> None:
    folder = rossi.parent
    cut = folder / "cut.parquet"
    pl.read_csv(rossi).write_parquet(cut)
    cut.write_bytes(cut.read_bytes()[:-40])
    refused(
        sosie("avatar", cut, "--out", folder / "a.csv"),
        folder,
        str(cut),
        kept=("rossi.csv", cut.name),
    )
    schema = folder / "s.toml"
    schema.write_text('[[columns]]\nname = "agee"\nkind = "integer"\n')
    ran = sosie("avatar", rossi, "--out", folder / "a.csv", "--schema", schema)
    refused(ran, folder, "'agee'", kept=("rossi.csv", cut.name, schema.name))


def test_places_that_cannot_be(rossi: Path, sosie: Sosie) -> None:
    folder = rossi.parent
    soft, hard = folder / "soft.csv", folder / "hard.csv"
    soft.symlink_to(rossi)
    hard.hardlink_to(rossi)
    (folder / "d.csv").mkdir()
    os.mkfifo(folder / "pipe.csv")
    before = rossi.read_bytes()
    kept = ("rossi.csv", "soft.csv", "hard.csv", "d.csv", "pipe.csv")
    for out, part in [
        (rossi, "would replace"),
        (folder / "d.csv" / ".." / "rossi.csv", "would replace"),
        (soft, "would replace"),
        (hard, "would replace"),
        (folder / "absent" / "a.csv", "does not exist"),
        (folder / "d.csv", "not a file"),
        (folder / "pipe.csv", "not a file"),
        (folder / "a.xlsx", ".xlsx"),
        (folder / "a", "no suffix"),
        (Path("/dev/full"), "no suffix"),
    ]:
        refused(sosie("avatar", rossi, "--out", out), folder, part, kept=kept)
        plain = folder / "a.csv"
        ran = sosie("avatar", rossi, "--out", plain, "--linked", out)
        refused(ran, folder, part, kept=kept)
    same = folder / "a.csv"
    refused(sosie("avatar", rossi, "--out", same, "--linked", same), folder, kept=kept)
    absent = folder / "absent.csv"
    refused(sosie("avatar", absent, "--out", same), folder, str(absent), kept=kept)
    refused(sosie("avatar", rossi), folder, "--out", kept=kept)
    assert rossi.read_bytes() == before


def limited(bytes_: int, *arguments: object) -> Ran:
    """Run in a process whose files may not grow beyond some bytes, as on a full disk."""
    run = (
        "import resource; from sosie.cli import main;"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_}, {bytes_})); main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", run, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet", ".feather"])
def test_disk_full(suffix: str, rossi: Path) -> None:
    out = rossi.with_name(f"a{suffix}")
    refused(
        limited(1000, "avatar", rossi, "--out", out), rossi.parent, str(out), kept=("rossi.csv",)
    )


def test_disk_full_at_the_second_file(rossi: Path) -> None:
    out, linked = rossi.with_name("a.csv"), rossi.with_name("l.parquet")
    # Enough for the linked avatars, which Parquet packs, not for the same as text.
    ran = limited(7_000, "avatar", rossi, "--out", out, "--linked", linked)
    refused(ran, rossi.parent, str(out), kept=("rossi.csv",))
    out.write_text("older")
    linked.write_text("older too")
    ran = limited(7_000, "avatar", rossi, "--out", out, "--linked", linked)
    refused(ran, rossi.parent, str(out), kept=("rossi.csv", "a.csv", "l.parquet"))
    assert (out.read_text(), linked.read_text()) == ("older", "older too")


@pytest.mark.parametrize("older", [True, False])
@pytest.mark.parametrize("links", [True, False])
def test_a_second_name_that_cannot_be_taken(
    older: bool, links: bool, rossi: Path, sosie: Sosie, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, linked = rossi.with_name("a.csv"), rossi.with_name("l.csv")
    for path in (out, linked) if older else ():
        path.write_text("older")
    replace = Path.replace

    def locked(self: Path, target: Path) -> Path:
        if target == out:
            raise PermissionError(13, "Permission denied")
        return replace(self, target)

    def unknown(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(Path, "replace", locked)
    if not links:
        monkeypatch.setattr(os, "link", unknown)
    ran = sosie("avatar", rossi, "--out", out, "--linked", linked)
    kept = ("a.csv", "l.csv") if older else ()
    refused(ran, rossi.parent, str(out), "Permission denied", kept=("rossi.csv", *kept))
    assert not older or out.read_text() == linked.read_text() == "older"


@pytest.fixture
def hospital(tmp_path: Path) -> Path:
    """A file as hospitals have them: a number of the patient, a free text, a mixed column."""
    lines = ["patient id,age,sex,note,rank"]
    lines += [
        f"P{i * 37 % 1000:04},{20 + i * 7 % 61},{'fm'[i % 2]},"
        f"{SECRET} came on day {i * i} and left again on day {i * i + i},"
        f"{i * 1.5 if i % 5 < 3 else f'{SECRET}{i}'}"
        for i in range(100)
    ]
    path = tmp_path / "hospital.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_refusal_gives_the_options_to_paste(hospital: Path, sosie: Sosie) -> None:
    out = hospital.with_name("a.csv")
    refused(
        sosie("avatar", hospital, "--out", out),
        hospital.parent,
        "column 'patient id' is an identifier: add --recreate 'patient id' or --drop 'patient id'",
        "column 'note' is free text: add --drop note",
        "column 'rank' is of mixed types: 40 of 100 cells do not read as numbers (first on line 5)",
        "schema",
        kept=("hospital.csv",),
    )
    said = ["--recreate", "patient id", "--drop", "note", "--drop", "rank"]
    ran = sosie("avatar", hospital, "--out", out, *said)
    assert (ran.status, ran.err) == (0, "")
    made = pl.read_csv(out)
    assert made.columns == ["patient id", "age", "sex"]
    assert made["patient id"].to_list() == [f"P{i:04}" for i in range(1, 101)]
    ran = sosie("inspect", hospital, "--json", *said)
    assert json.loads(ran.out)["ready"] is True


def test_options_on_columns_win_over_the_schema(hospital: Path, sosie: Sosie) -> None:
    schema, out = hospital.with_name("s.toml"), hospital.with_name("a.csv")
    schema.write_text(
        'drop = ["note"]\norder = [["age", "rank"]]\n'
        'determined = [{ column = "patient id", by = "sex" }]\n'
        '[[columns]]\nname = "rank"\nkind = "number"\n'
        '[[columns]]\nname = "patient id"\nkind = "identifier"\n'
    )
    said = ["--schema", schema, "--drop", "rank", "--recreate", "patient id"]
    ran = sosie("avatar", hospital, "--out", out, *said)
    assert ran.status == 0, ran.err
    assert pl.read_csv(out)["patient id"].n_unique() == 100
    assert pl.read_csv(out).columns == ["patient id", "age", "sex"]


@pytest.mark.parametrize("command", ["avatar", "inspect"])
@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--drop", "notte"], ("'notte'", "did you mean 'note'?")),
        (["--recreate", "patient_id"], ("'patient_id'", "did you mean 'patient id'?")),
        (["--recreate", "zzzz"], ("'zzzz'", "check the spelling")),
        (["--drop", "note", "--recreate", "note"], ("'note'", "--drop", "--recreate")),
    ],
)
def test_options_on_columns_that_cannot_be(
    command: str, arguments: list[str], parts: tuple[str, ...], hospital: Path, sosie: Sosie
) -> None:
    out = ["--out", hospital.with_name("a.csv")] if command == "avatar" else []
    ran = sosie(command, hospital, *out, *arguments)
    refused(ran, hospital.parent, *parts, kept=("hospital.csv",))


def test_dates_are_not_made_pseudo_ids(tmp_path: Path, sosie: Sosie) -> None:
    path = tmp_path / "t.parquet"
    days = pl.Series(range(60)).cast(pl.Date)
    pl.DataFrame({"day": days, "x": [i % 7 for i in range(60)]}).write_parquet(path)
    ran = sosie("avatar", path, "--out", tmp_path / "a.csv", "--recreate", "day")
    refused(ran, tmp_path, "'day'", "--drop", kept=("t.parquet",))


def test_rare_labels_are_counted_and_not_shown(tmp_path: Path, sosie: Sosie) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "a.csv"
    town = ["Paris"] * 90 + [f"{SECRET}a", f"{SECRET}a", f"{SECRET}b"] + ["Lyon"] * 7
    rows = [f"{name},{'fm'[i % 2]},{i * 7 % 61}" for i, name in enumerate(town)]
    path.write_text("the [town],sex,age\n" + "\n".join(rows) + "\n")
    for lang, told in [
        ("en", "Labels of fewer than 5 persons: 2 in 'the [town]'; grouping them protects"),
        ("fr", "Modalités de moins de 5 personnes : 2 dans 'the [town]' ; les regrouper protège"),
    ]:
        ran = sosie("avatar", path, "--out", out, "--k", 5, "--lang", lang)
        assert ran.status == 0, ran.err
        assert sum(told in line for line in ran.out.splitlines()) == 1, ran.out
        assert SECRET not in ran.out + ran.err
    ran = sosie("avatar", path, "--out", out, "--k", 5, "--json")
    assert list(json.loads(ran.out)) == KEYS
    assert "Labels" not in sosie("avatar", path, "--out", out, "--k", 5, "--drop", "the [town]").out


def test_any_name_works(tmp_path: Path, sosie: Sosie) -> None:
    frame = load_rossi()
    names = ['say "hi"', "it's", "two\nlines", "🙂", "a,b;c", "  spaced ", "[bold]", "=1+1", "é"]
    frame.columns = names
    folder = tmp_path / "dossier 🙂 d'été\n[red]"
    folder.mkdir()
    path, out = folder / 'in "1".csv', folder / "out [x].csv"
    frame.to_csv(path, index=False)
    ran = sosie("avatar", path, "--out", out, "--weight", "🙂=2", "--weight", "two\nlines=0.5")
    assert ran.status == 0, ran.err
    assert Table.read(out).names == Table.read(path).names
    assert Table.read(out).names == names
    ran = sosie("avatar", path, "--out", path)
    assert ran.status == 2
    assert ran.err.count("\n") == 1


def test_missing_spelling(rossi: Path, sosie: Sosie) -> None:
    frame = pl.read_csv(rossi).with_columns(pl.col("age").cast(pl.String))
    marked = pl.when(pl.int_range(pl.len()) % 4 == 0).then(pl.lit("n.r."))
    frame.with_columns(marked.otherwise(pl.col("age")).alias("age")).write_csv(rossi)
    out = rossi.with_name("a.csv")
    assert sosie("avatar", rossi, "--out", out, "--missing", "n.r.").status == 0
    made = pl.read_csv(out, infer_schema=False)["age"]
    assert 60 <= (made == "n.r.").sum() <= 160


@pytest.mark.parametrize("said", [(), ("--drop", "id"), ("--recreate", "id")])
def test_rules_are_found_whatever_is_said_of_other_columns(
    said: tuple[str, ...], tmp_path: Path, sosie: Sosie
) -> None:
    rng, n = np.random.default_rng(3), 120
    arm = rng.integers(0, 3, n)
    entry = np.datetime64("2024-01-01") + rng.integers(0, 300, n)
    frame = pl.DataFrame(
        {
            "id": [f"P-{i:03}" for i in range(n)],
            "arm": arm,
            "arm label": np.array(["placebo", "low", "high"])[arm],
            "entry": entry,
            "exit": entry + rng.geometric(0.1, n),
        }
    )
    if not said:
        frame = frame.drop("id")
    frame.write_csv(tmp_path / "stays.csv")
    out = tmp_path / "a.csv"
    ran = sosie("avatar", tmp_path / "stays.csv", "--out", out, *said)
    assert ran.status == 0, ran.err
    made = pl.read_csv(out, try_parse_dates=True)
    assert (made["exit"] >= made["entry"]).all()
    assert made.select("arm", "arm label").n_unique() == 3


def test_a_code_that_may_mean_missing_is_told(tmp_path: Path, sosie: Sosie) -> None:
    rows = [f"{20 + i * 37 % 60},{50 + i * 13 % 40}.5,{i % 7 - 3}" for i in range(80)]
    rows[3::9] = [f"999,-9,{i % 7 - 3}" for i in range(len(rows[3::9]))]
    path = tmp_path / "t.csv"
    path.write_text("age,weight,change\n" + "\n".join(rows) + "\n")

    told = sosie("avatar", path, "--out", tmp_path / "a.csv", "--seed", "1", "--lang", "fr").err
    said = ("--missing", "999", "--missing", "-9")
    quiet = sosie("avatar", path, "--out", tmp_path / "b.csv", "--seed", "1", *said).err

    assert "'age'\u00a0: 999 est à part" in told
    assert "'weight'\u00a0: -9 est à part" in told
    assert "--missing" not in quiet
    assert "change" not in told
