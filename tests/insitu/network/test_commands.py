"""`sosie hub`, `node`, `ask` and `verify`, as a person runs them."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import statsmodels.formula.api as smf
import tomli_w
from tests.cli.conftest import Sosie, sosie
from tests.insitu.network.conftest import (
    HOLDERS,
    LOGISTIC,
    Network,
    Serving,
    World,
)
from tests.insitu.network.test_ways import Threads, nodes_over

from sosie.cli._texts import texts
from sosie.insitu.exchange import Http, Parties
from sosie.insitu.hub._serve import listen
from sosie.insitu.node import Node, Place
from sosie.trust import Agreement

__all__ = ["sosie"]


@pytest.fixture
def up(connected: Callable[..., Network]) -> Iterator[tuple[Network, list[str]]]:
    """A hub over HTTPS and three nodes that run; the words with which one asks them."""
    network = connected()
    parties, world = network.parties(), network.world
    serving = Serving(network.hub, world, parties)
    threads = Threads(nodes_over(network, serving.url))
    key = str(world.folder / "private" / "recipient.key")
    yield network, [str(world.agreement), "--hub", serving.url, "--key", key]
    threads.stop()
    serving.stop()
    threads.join()


def ask(sosie: Sosie, asked: list[str], analysis: str, *more: object) -> Any:
    agreement, *rest = asked
    return sosie("ask", agreement, analysis, *rest, *more, "--wait", 30)


def test_asking(sosie: Sosie, up: tuple[Network, list[str]], tmp_path: Path) -> None:
    network, asked = up
    out, page = tmp_path / "r.json", tmp_path / "r.html"
    ran = ask(sosie, asked, "logistic", "--formula", LOGISTIC["formula"], "--out", out,
              "--report", page)  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    fit = smf.logit(LOGISTIC["formula"], network.world.pooled).fit(disp=0)
    terms = json.loads(out.read_text())["result"]["terms"]
    assert [set(one) >= {"term", "estimate", "se", "ci", "p"} for one in terms] == [True] * 5
    for one, estimate in zip(terms, fit.params, strict=True):
        assert one["estimate"] == pytest.approx(estimate, abs=1e-8)
        assert f"{one['estimate']:.4g}" in ran.out
        assert one["term"] in ran.out
    html = page.read_text()
    assert all(f"{one['estimate']:.4g}" in html for one in terms)
    assert "http" not in re.sub(r"data:image/png;base64,[^\"]*", "", html)
    # No result is replaced; nobody is asked.
    was, asked_before = out.read_bytes(), len(network.store.tasks())
    ran = ask(sosie, asked, "crosstab", "--row", "menostat", "--column", "horTh", "--out", out)
    assert (ran.status, "exists already" in ran.err) == (2, True)
    assert (out.read_bytes(), len(network.store.tasks())) == (was, asked_before)
    # As JSON, and in French.
    out = tmp_path / "json.json"
    ran = ask(sosie, asked, "crosstab", "--row", "menostat", "--column", "horTh", "--out", out,
              "--json")  # fmt: skip
    result = json.loads(ran.out)
    counted = network.world.pooled.groupby(["menostat", "horTh"]).size()
    assert [one["count"] for one in result["cells"]] == counted.tolist()
    assert json.loads(out.read_text())["result"] == result
    # There are no rows to compare with, and nobody has the persons' table.
    table = network.world.data("holder_1")
    for option in ("--synthetic", "--original"):
        ran = sosie("verify", out, "--keys", network.world.folder / "keys", option, table)
        assert (ran.status, ran.out, ran.err.startswith(f"{option}: ")) == (2, "", True)
    out = tmp_path / "french.json"
    ran = ask(sosie, asked, "crosstab", "--row=menostat", "--column=horTh", "--out", out,
              "--lang", "fr")  # fmt: skip
    assert ran.status == 0
    assert f"{result['cramers_v']:.4g}".replace(".", ",") in ran.out
    # What was asked is fetched again by its task.
    task = network.store.tasks()[-1].id
    again = tmp_path / "again.json"
    agreement, *rest = asked
    ran = sosie("ask", agreement, *rest, "--task", task, "--out", again)
    assert ran.status == 0
    assert again.read_bytes() == out.read_bytes()


def test_what_is_refused_and_what_is_wrong(
    sosie: Sosie, up: tuple[Network, list[str]], tmp_path: Path
) -> None:
    """3 where the agreement or the gate refuses, 2 where the words are wrong; one sentence."""
    _, asked = up
    out = tmp_path / "r.json"
    agreement, *rest = asked
    for status, words in (
        (3, ["crosstab", "--row", "tgrade", "--column", "horTh"]),
        (3, ["anova", "--column", "age", "--by", "tgrade"]),
        (3, ["means", "--columns", "nowhere"]),
        (2, ["means", "--columns", "tgrade"]),
        (2, ["means", "--by", "tgrade"]),
        (2, ["magic"]),
        (2, ["means", "--columns"]),
        (2, ["means", "--speed", "9"]),
        (2, ["logistic", "--formula", "big ~"]),
        (2, ["quantiles", "--columns", "age", "--at", "half"]),
        (2, []),
        (2, ["means", "--columns", "age", "--task", "0" * 64]),
        (2, ["--task", "0" * 64]),
        (2, ["--task", "x"]),
        (2, ["--task", ""]),
    ):
        ran = sosie("ask", agreement, *words, *rest, "--out", out, "--wait", 20)
        assert ran.status == status, (words, ran)
        assert "Traceback" not in ran.err
        assert ran.err.strip()
        assert not out.exists()
    for words, french in (
        (["crosstab", "--row", "tgrade", "--column", "horTh"], "Le détenteur refuse cette analyse"),
        (["means", "--columns", "nowhere"], "n'est pas dans la convention"),
        (["counts", "--column", "tgrade", "--epsilon", "1"], "pas de budget de confidentialité"),
    ):
        ran = sosie("ask", agreement, *words, *rest, "--out", out, "--wait", 20, "--lang", "fr")
        assert (ran.status, french in ran.err) == (3, True), ran
    ran = sosie("ask", agreement, "means", "--columns", "age", "--task", "0" * 64, *rest,
                "--out", out)  # fmt: skip
    assert "not both" in ran.err
    ran = sosie("ask", agreement, "means", "--columns", "age", "--out", out)
    assert (ran.status, "--hub or --drop" in ran.err or "--key" in ran.err) == (2, True)
    stranger = Path(rest[-1]).with_name("stranger.key")
    ran = sosie("ask", agreement, "means", "--columns", "age", *rest[:-1], stranger, "--out", out)
    assert (ran.status, "of none of the parties" in ran.err) == (2, True)


def test_what_was_made_is_told_and_does_nothing_to_a_terminal(
    sosie: Sosie, up: tuple[Network, list[str]], tmp_path: Path
) -> None:
    _, asked = up
    rules = tmp_path / "rules.json"
    groups = {"[red]b\x1b[2J": ["I", "II"], "c": ["III"]}
    rule = {"rule": "recode", "name": "late\x1b[1m", "column": "tgrade", "groups": groups}
    rules.write_text(json.dumps([rule]))
    for lang, made in (("en", "tgrade grouped as"), ("fr", "tgrade regroupé en")):
        out, page = tmp_path / f"{lang}.json", tmp_path / f"{lang}.html"
        ran = ask(sosie, asked, "crosstab", "--row", rule["name"], "--column", "menostat",
                  "--derive", rules, "--out", out, "--report", page, "--lang", lang)  # fmt: skip
        assert (ran.status, ran.err) == (0, "")
        assert "\x1b" not in ran.out
        said = " ".join(ran.out.split())
        assert rf"late\x1b[1m = {made} [red]b\x1b[2J (I, II), c (III)" in said
        assert made in page.read_text()


def test_verifying(sosie: Sosie, up: tuple[Network, list[str]], tmp_path: Path) -> None:
    network, asked = up
    out = tmp_path / "r.json"
    ask(sosie, asked, "crosstab", "--row", "menostat", "--column", "horTh", "--out", out)
    keys = network.world.folder / "keys"
    ran = sosie("verify", out, "--keys", keys, "--agreement", asked[0])
    assert ran.status == 0, ran
    assert sosie("verify", out, "--keys", keys, "--lang", "fr").status == 0
    said = json.loads(sosie("verify", out, "--keys", keys, "--json").out)
    assert said["verified"] is True
    whole = json.loads(out.read_text())
    text = out.read_text()
    count = whole["result"]["cells"][0]["count"]
    for where, was, now in (
        ("count", f"{count:.0f}", f"{count + 1:.0f}"),
        ("n", str(len(network.world.pooled)), "1000"),
    ):
        changed = re.sub(rf'("{where}": ?){was}\b', rf"\g<1>{now}", text, count=1)
        assert len(changed) - len(text) == len(now) - len(was)
        assert changed != text
        out.write_text(changed)
        ran = sosie("verify", out, "--keys", keys)
        assert ran.status == 3, ran
        assert json.loads(sosie("verify", out, "--keys", keys, "--json").out)["verified"] is False
    # A certificate that another signed, and one whose parts are not all there.
    changed = json.loads(text)
    changed["certificate"]["signatures"][0]["sig"] = changed["certificate"]["signatures"][0]["sig"][
        ::-1
    ]
    out.write_text(json.dumps(changed))
    assert sosie("verify", out, "--keys", keys).status in (2, 3)
    other = network.world.signed(tmp_path / "other.json", title="Another agreement")
    out.write_text(text)
    assert sosie("verify", out, "--keys", keys, "--agreement", other).status == 3


def test_what_a_holder_sees(sosie: Sosie, up: tuple[Network, list[str]], tmp_path: Path) -> None:
    network, asked = up
    state = network.place("holder_1").folder
    out = tmp_path / "r.json"
    ask(sosie, asked, "crosstab", "--row", "menostat", "--column", "horTh", "--out", out)
    more = tmp_path / "more.json"
    ask(sosie, asked, "crosstab", "--row", "tgrade", "--column", "horTh", "--out", more)
    said = json.loads(sosie("node", "status", "--state", state, "--json").out)
    assert said["state"] == "up"
    assert (said["joined"], said["released"] + said["refused"]) == (2, 2)
    for lang, word in (("en", "crosstab"), ("fr", "crosstab")):
        shown = sosie("node", "status", "--state", state, "--lang", lang)
        assert (shown.status, shown.err) == (0, "")
        shown = sosie("node", "audit", "--state", state, "--lang", lang)
        assert shown.status == 0
        assert word in shown.out
        assert "menostat" in shown.out
    lines = json.loads(sosie("node", "audit", "--state", state, "--json").out)["lines"]
    assert [one["event"] for one in lines][:3] == ["up", "joined", "released"]
    assert sosie("node", "pause", "--state", state).status == 0
    said = json.loads(sosie("node", "status", "--state", state, "--json").out)
    assert said["state"] == "paused"
    ran = sosie("node", "pause", "--resume", "--state", state, "--lang", "fr")
    assert ran.status == 0
    assert json.loads(sosie("node", "status", "--state", state, "--json").out)["state"] != "paused"
    copy = tmp_path / "copy.node"
    copy.mkdir()
    ledger = (state / "ledger.jsonl").read_bytes()
    (copy / "ledger.jsonl").write_bytes(ledger.replace(b"menostat", b"menostas"))
    ran = sosie("node", "audit", "--state", copy)
    assert ran.status == 3
    assert json.loads(sosie("node", "status", "--state", copy, "--json").out)["state"] == "down"
    for words in (["status"], ["pause"], ["audit"]):
        assert sosie("node", *words).status == 2
        assert sosie("node", *words, "--state", tmp_path / "nowhere").status == 2
    assert not (tmp_path / "nowhere").exists(), "nothing is made where one only looks"


def test_words_that_are_wrong(sosie: Sosie, world: World, tmp_path: Path) -> None:
    private, data = world.folder / "private", world.data("holder_1")
    node = ["node", "up", "--data", data, "--agreement", world.agreement, "--state", tmp_path / "n"]
    url = ["--hub", "https://127.0.0.1:1"]
    for words in (
        ["ask", world.agreement, "means", "--columns", "age", *url, "--out", tmp_path / "r.json"],
        ["ask", world.agreement, "means", "--columns", "age", *url,
         "--key", private / "recipient.key"],
        [*node, "--key", private / "holder_1.key"],
        [*node, "--key", private / "holder_1.key", *url, "--drop", tmp_path],
        [*node, "--key", private / "holder_1.key", *url, "--floors", "none"],
        [*node, "--key", private / "stranger.key", *url],
        [*node, "--key", private / "recipient.key", *url],
        [*node, "--key", private / "holder_2.key", *url, "--data", world.folder / "no.csv"],
        ["hub", "up", "--agreement", world.agreement, "--key", private / "holder_1.key",
         "--database", "sqlite://"],
        ["hub", "up", "--agreement", world.agreement, "--key", private / "hub.key",
         "--database", "mysql://x"],
    ):  # fmt: skip
        ran = sosie(*words)
        assert ran.status == 2, (words, ran)
        assert "Traceback" not in ran.err
        for option in ("--key", "--out"):
            if words[0] == "ask":
                assert (f"'{option}'" in ran.err) == (option not in words), "what is missing"


def test_no_database_is_made_where_the_port_is_taken(
    sosie: Sosie, world: World, tmp_path: Path
) -> None:
    place = tmp_path / "hub.db"
    with listen("127.0.0.1", 0) as taken:
        ran = sosie("hub", "up", "--agreement", world.agreement, "--key",
                    world.folder / "private" / "hub.key", "--port", taken.getsockname()[1],
                    "--database", f"sqlite:///{place}", "--lang", "fr")  # fmt: skip
    assert (ran.status, "un autre programme y écoute déjà" in ran.err) == (2, True)
    assert not place.exists()


def test_the_commitment_to_a_snapshot(
    sosie: Sosie, world: World, tmp_path: Path, in_process: None
) -> None:
    """What the holder prints before signing is what its node later commits to."""
    draft = tmp_path / "agreement.toml"
    draft.write_text(tomli_w.dumps(world.content))
    key = world.folder / "private" / "holder_1.key"
    ran = sosie(
        "node", "snapshot", "--data", world.data("holder_1"), "--agreement", draft, "--key", key
    )
    assert ran.status == 0, ran
    printed = ran.out.strip()
    assert re.fullmatch("[0-9a-f]{64}", printed)
    first, *rest = world.content["data_sets"]
    path = world.signed(tmp_path / "a.json", data_sets=[first | {"snapshot": printed}, *rest])

    class Nowhere:
        def close(self, last: object = None) -> None:
            pass

    node = Node(Parties.read(path), world.keys["holder_1"], world.data("holder_1"),
                Place(tmp_path / "n"), Nowhere())  # type: ignore[arg-type] # fmt: skip
    assert node.commitment == printed
    node.close()


def test_an_agreement_from_data_says_kinds_and_levels(
    sosie: Sosie, world: World, tmp_path: Path
) -> None:
    out = tmp_path / "agreement.toml"
    ran = sosie("agreement", "new", "--out", out, "--from-data", world.data("holder_1"))
    assert ran.status == 0
    columns = tomllib.loads(out.read_text(encoding="utf-8"))["data_sets"][0]["columns"]
    by = {one["name"]: one for one in columns}
    assert by["age"]["kind"] in ("integer", "number")
    assert by["tgrade"]["kind"] == "category"
    assert by["tgrade"]["levels"] == ["I", "II", "III"]


OLD = {
    "format": "sosie-agreement/1", "id": "urn:uuid:00000000-0000-4000-8000-000000000000",
    "title": "Old", "legal_basis": ["A6-1-e"], "uses": ["x"], "retention": "x",
    "transfers": "x", "withdrawal": "x",
    "parties": [{"id": "holder", "name": "Holder", "roles": ["controller"]}],
    "purpose": {"description": "x", "terms": ["AcademicResearch"]},
    "data_sets": [{"id": "persons", "title": "x", "holder": "holder", "persons": "x",
                   "columns": [{"name": "age", "category": "Age"}]}],
    "disclosure": {"preset": "snds-11"},
    "evidence": {"threshold": 0.05, "accept": ["pass"], "effort": "standard"},
    "validity": {"starts": "2026-01-01", "ends": "2027-01-01"},
}  # fmt: skip


def test_an_agreement_of_before_has_its_hash() -> None:
    """What was signed before agreements told kinds is spelt as it then was."""
    read = Agreement.of(OLD)
    for field in ("kind", "levels", "unit", "snapshot", "epsilon"):
        assert f'"{field}"'.encode() not in read.canonical()
    assert read.sha256 == "e5581c77b1732d87ae1d722cd8b4caf40c3d6a92daee2618c0a709e69fd3862a"


def texts_of(*path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    found: list[Any] = [texts("en"), texts("fr")]
    for step in path:
        found = [one[step] for one in found]
    return found[0], found[1]


@pytest.mark.parametrize("section", ["node", "hub", "ask"])
def test_all_that_is_said_is_said_in_french(section: str) -> None:
    def keys(said: Any, where: str = "") -> set[str]:
        if not isinstance(said, dict):
            return {where + "".join(sorted(set(re.findall(r"\{\w+\}", str(said)))))}
        return {key for name, one in said.items() for key in keys(one, f"{where}.{name}")}

    english, french = texts_of(section)
    assert keys(english) == keys(french)


class Programs:
    """Programs of their own, each with its output in a file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *words: object) -> Path:
        out = self._folder / f"{name}.out"
        with out.open("wb") as file:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "sosie", *map(str, words), "--lang", "en"],
                stdout=file, stderr=subprocess.STDOUT, env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        return out

    def stop(self) -> None:
        for one in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                one.send_signal(signal.SIGKILL)
        for one in self.running.values():
            one.wait(20)


def until(out: Path, word: str) -> str:
    for _ in range(400):
        if word in (found := out.read_text()):
            return found
        time.sleep(0.05)
    pytest.fail(f"{out.name}: {out.read_text()}")


def test_programs_that_are_killed(
    sosie: Sosie, world: World, tmp_path: Path, in_process: None
) -> None:
    """A hub and a node as programs, the node killed and started again; two nodes beside them."""
    private = world.folder / "private"
    programs, parties = Programs(tmp_path), Parties.read(world.agreement)
    out = programs.start(
        "hub", "hub", "up", "--agreement", world.agreement, "--key", private / "hub.key",
        "--port", 0, "--database", f"sqlite:///{tmp_path}/hub.db",
    )  # fmt: skip
    threads = None
    try:
        found = re.search(r"https://[\d.]+:\d+", until(out, "https://"))
        assert found
        url = found[0]
        first = [
            "node", "up", "--data", world.data("holder_1"), "--agreement", world.agreement,
            "--hub", url, "--key", private / "holder_1.key", "--state", tmp_path / "holder_1.node",
        ]  # fmt: skip
        programs.start("holder_1", *first)
        threads = Threads(
            [
                Node(parties, world.keys[name], world.data(name), Place(tmp_path / f"{name}.node"),
                     Http(url, world.keys[name], world.keys["hub"].public))
                for name in HOLDERS[1:]
            ]
        )  # fmt: skip
        asked = [str(world.agreement), "--hub", url, "--key", str(private / "recipient.key")]
        said = ["--row", "menostat", "--column", "horTh", "--json"]
        before = ask(sosie, asked, "crosstab", *said, "--out", tmp_path / "1.json")
        assert before.status == 0, before
        programs.running["holder_1"].kill()
        programs.running["holder_1"].wait(20)
        programs.start("holder_1", *first)
        after = ask(sosie, asked, "crosstab", *said, "--out", tmp_path / "2.json")
        assert after.status == 0, after
        assert json.loads(after.out) == json.loads(before.out)
        ran = sosie("node", "audit", "--state", tmp_path / "holder_1.node", "--json")
        assert ran.status == 0
        events = [one["event"] for one in json.loads(ran.out)["lines"]]
        assert events.count("up") == events.count("released") == 2
        programs.running["holder_1"].terminate()  # just after it worked
        assert programs.running["holder_1"].wait(5) == 0
        gone = sosie("ask", asked[0], "crosstab", *asked[1:], *said, "--out", tmp_path / "3.json",
                     "--wait", 0)  # fmt: skip
        assert "No node of Hospital 1 answers" in gone.err, "the hub was told that it left"
        assert "Traceback" not in until(tmp_path / "holder_1.out", "down")
        threads.stop()
        programs.running["hub"].terminate()
        assert programs.running["hub"].wait(10) == 0
        until(tmp_path / "hub.out", "down")
        for name in ("hub", "holder_1"):
            assert "Traceback" not in (tmp_path / f"{name}.out").read_text()
    finally:
        if threads is not None:
            threads.stop()
        programs.stop()
        if threads is not None:
            threads.join()
