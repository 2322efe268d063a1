"""Evidence and avatars, asked through hub and nodes: what leaves, and what does not."""

import dataclasses
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets import fair
from tests.cli.conftest import Sosie, sosie
from tests.insitu.network.conftest import HOLDERS, Network, Serving, World
from tests.insitu.network.test_ways import Threads, nodes_over

from sosie import evidence
from sosie.errors import DataError, SchemaError
from sosie.evidence import Evidence
from sosie.insitu import REFUSED, Gate
from sosie.insitu.analyst import Answer, asked
from sosie.insitu.exchange import RefusedError, verify_in_place
from sosie.insitu.gate import _gate
from sosie.insitu.hub import _hub
from sosie.insitu.node import _node, _served
from sosie.insitu.node._beside import read_beside
from sosie.insitu.process import Workers
from sosie.insitu.synthetic import Judged, judge_in_place
from sosie.table import Column, Schema

__all__ = ["sosie"]

COLUMNS = ["age", "educ", "weight", "affair"]
SCHEMA = Schema(
    columns=[
        *(Column(name=name, kind="number") for name in COLUMNS[:3]),
        Column(name="affair", kind="category", levels=["no", "yes"]),
    ]
)
AVATARS = {"columns_of": COLUMNS, "k": 100, "factors": 2}
ALLOWED = {
    "analyses": ["evidence", "avatars", "famd"],
    "generators": [
        {"name": "avatar", "parameters": {
            "k": {"lower": 50}, "ncp": {"upper": 5}, "kernel": {"one_of": ["gibbs"]},
        }},
    ],
    "evidence": {"threshold": 0.05, "accept": ["pass", "attention"], "effort": "quick"},
}  # fmt: skip
PERSONS = 330


@pytest.fixture(scope="module")
def women() -> list[pd.DataFrame]:
    """Women asked about their marriage, in nine parts; nobody is in two of them."""
    rng = np.random.default_rng(0)
    frame = fair.load_pandas().data
    frame["affair"] = np.where(frame.pop("affairs") > 0, "yes", "no")
    # A column that tells persons apart: a copy of one is then no coincidence.
    frame["weight"] = (60 + frame["age"] / 4 + rng.normal(0, 8, len(frame))).round(4)
    frame = frame[COLUMNS].sample(frac=1, random_state=0).reset_index(drop=True)
    return [frame[i * PERSONS : (i + 1) * PERSONS].reset_index(drop=True) for i in range(9)]


@pytest.fixture(scope="module")
def world(
    world: World, women: list[pd.DataFrame], tmp_path_factory: pytest.TempPathFactory
) -> World:
    """The parties of the other tests, who hold other data and agreed to more."""
    folder = tmp_path_factory.mktemp("women")
    (folder / "private").symlink_to(world.folder / "private")
    (folder / "keys").symlink_to(world.folder / "keys")
    columns = [
        {"name": one.name, "category": "Health", "kind": one.kind.value}
        | ({"levels": list(one.levels)} if one.levels else {})
        for one in SCHEMA.columns
    ]
    sets = [one | {"columns": columns} for one in world.content["data_sets"]]
    content = {**world.content, **ALLOWED, "data_sets": sets}
    made = World(folder, world.keys, pd.concat(women[:3]), women[:3], content)
    for name, table, other, control in zip(HOLDERS, women[:3], women[3:6], women[6:], strict=True):
        table.to_csv(made.data(name), index=False)
        other[:200].to_csv(folder / f"{name}.synthetic.csv", index=False)
        control[:150].to_csv(folder / f"{name}.control.csv", index=False)
    made.signed(made.agreement)
    return made


def beside(world: World, holder: str) -> dict[str, Path]:
    return {name: world.folder / f"{holder}.{name}.csv" for name in ("synthetic", "control")}


def checked(network: Network, answer: Answer) -> None:
    """Verify the certificate of an answer without the network."""
    trusted = network.world.public(*HOLDERS, "hub", "recipient")
    content = answer.content
    items, _ = verify_in_place(
        content["certificate"], trusted, answers=[content], agreement=content["agreement"]
    )
    assert all(item.ok for item in items), items


@pytest.fixture(scope="module")
def by_hand(world: World) -> Judged:
    """What the first holder finds when it judges its files itself."""
    files = beside(world, "holder_1")
    return judge_in_place(
        world.data("holder_1"), *files.values(), gate=Gate(), schema=SCHEMA, effort="quick"
    )


@pytest.fixture
def judge(
    monkeypatch: pytest.MonkeyPatch, by_hand: Judged, women: list[pd.DataFrame]
) -> Callable[..., None]:
    """Judge tables of these holders, which takes a second each; say of others what is not so."""
    real = evidence.assess

    def only(*holders: int) -> None:
        mine = {weight for holder in holders for weight in women[holder - 1]["weight"]}

        def told(original: Any, *others: Any, **said: Any) -> Evidence:
            if original.frame["weight"][0] in mine:
                return real(original, *others, **said)
            return by_hand.evidence

        monkeypatch.setattr(evidence, "assess", told)

    return only


# -- evidence


def test_evidence_is_that_of_the_same_files(
    connected: Callable[..., Network], judge: Callable[..., None], by_hand: Judged
) -> None:
    """Two holders serve tables of others, one a copy of its persons."""
    network = connected()
    world = network.world
    judge(1, 2)
    for name in HOLDERS:
        files = beside(world, name)
        if name == "holder_2":
            files["synthetic"] = world.data(name)
        network.start(name, **files)
    answer = network.ask("evidence")
    checked(network, answer)
    assert answer.values["verdict"] == "fail"
    told = {
        (r["holder"], r["criterion"]): r["verdict"] for r in answer.frame("verdicts").to_dicts()
    }
    words = {holder: {w for (h, _), w in told.items() if h == holder} for holder in (1, 2, 3)}
    assert words[2] == {"fail"}
    assert "fail" not in words[1] | words[3]
    assert {row["holder"] for row in answer.frame("measures").to_dicts()} == {1, 3}
    said = json.loads(by_hand.cleared.payload)
    assert told[1, "all"] == said["verdict"]
    assert {c: w for (h, c), w in told.items() if h == 1 and c != "all"} == said["criteria"]
    measures = {
        row.pop("measure"): row
        for row in answer.frame("measures").to_dicts()
        if row.pop("holder") == 1
    }
    assert measures == said["measures"]
    judged = answer.frame("judged").to_dicts()[0]
    served = beside(world, "holder_1")["synthetic"].read_bytes()
    assert judged["sha256"] == hashlib.sha256(served).hexdigest()
    assert judged["sha256"] == said["synthetic"]["sha256"]
    assert (judged["rows"], judged["effort"], judged["control"]) == (200, "quick", "given")
    # What was served is in the ledger of its holder.
    assert network.ledger("holder_1", "up")[0]["content"]["synthetic"] == judged["sha256"]


def test_no_table_to_judge(connected: Callable[..., Network]) -> None:
    network = connected()
    network.start("holder_1", **beside(network.world, "holder_1"))
    network.start("holder_2", "holder_3")
    with pytest.raises(DataError, match=r"^A holder serves no synthetic table[^.]*\.$"):
        network.ask("evidence")
    assert network.released() == 0
    assert ["synthetic", "absent"] in network.refusals("holder_2")


def test_a_table_with_more_columns_is_not_served(
    connected: Callable[..., Network], tmp_path: Path
) -> None:
    network = connected()
    more = tmp_path / "more.csv"
    frame = pd.read_csv(beside(network.world, "holder_1")["synthetic"])
    frame.assign(name="Ann").to_csv(more, index=False)
    with pytest.raises(DataError, match=r"more\.csv: column 'name' is not one of") as raised:
        network.start("holder_1", synthetic=more)
    assert "Ann" not in str(raised.value)
    frame.assign(affair="perhaps").to_csv(more, index=False)
    with pytest.raises(SchemaError, match="affair"):
        network.start("holder_1", synthetic=more)


# -- avatars


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, by_hand: Judged) -> list[Any]:
    """Give verdicts without judging: ``attention``, unless the test says otherwise."""
    verdicts: list[Any] = []

    def told(original: Any, synthetic: Any, control: Any, *_: Any, **said: Any) -> Evidence:
        seen = {"original": original, "control": control, **said}
        word = seen["verdict"] = verdicts.pop(0) if verdicts and verdicts[0] in WORDS else WORDS[0]
        verdicts.append(seen)
        return by_hand.evidence.model_copy(update={"verdict": evidence.Verdict(word)})

    monkeypatch.setattr(evidence, "assess", told)
    return verdicts


WORDS = ("attention", "fail", "pass")


@pytest.fixture
def network(connected: Callable[..., Network]) -> Network:
    one = connected()
    one.start()
    return one


def test_avatars_of_all_holders(
    connected: Callable[..., Network], judge: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*files: Any) -> Any:  # keys, and so seeds, are new in each run
        beside, control = read_beside(*files)
        return dataclasses.replace(beside, seed=4), control

    monkeypatch.setattr(_served, "read_beside", read)
    network = connected()
    network.start()
    judge(1)
    answer = network.ask("avatars", **AVATARS)
    checked(network, answer)
    assert answer.values["verdict"] in ("pass", "attention")
    csv = answer.content["result"]["csv"]
    assert answer.values["sha256"] == hashlib.sha256(csv.encode()).hexdigest()
    rows = pd.read_csv(io.StringIO(csv))
    pooled = network.world.pooled
    assert list(rows) == COLUMNS
    assert rows.dtypes.astype(str).tolist() == pooled.dtypes.astype(str).tolist()
    assert set(rows["affair"]) == {"no", "yes"}
    # Two thirds of the persons of each holder have one; none is a person.
    assert len(rows) == answer.values["rows"] == 3 * PERSONS * 2 // 3
    assert not len(rows.merge(pooled))
    # They resemble the persons, of all holders together, in no order of holders.
    assert abs(rows["weight"].mean() - pooled["weight"].mean()) < 0.2 * pooled["weight"].std()
    assert np.corrcoef(rows["age"], rows["weight"])[0, 1] > 0.05
    blocks = np.array_split(rows["weight"].to_numpy(), 3)
    mine = {row["holder"]: row["sha256"] for row in answer.frame("judged").to_dicts()}
    assert len(set(mine.values())) == len(blocks) == 3
    # Factors were fitted first, in masked sums; rows left in the last round alone.
    assert [line["content"]["round"] for line in network.ledger("holder_1", "released")] == [
        0,
        1,
        2,
    ]


def test_one_holder_whose_evidence_fails(network: Network, planted: list[Any]) -> None:
    """Nothing is answered, in the same words as ever, and nobody learns who it was."""
    planted += ["attention", "fail"]
    with pytest.raises(RefusedError) as raised:
        network.ask("avatars", **AVATARS)
    assert str(raised.value) == REFUSED
    assert network.refusals("holder_2") == [["gate", "evidence"]]
    assert [row["verdict"] for row in planted[:2]] == ["attention", "fail"]
    data = (network.folder / "hub.db").read_bytes()
    assert b"affair,yes" not in data
    assert b"csv" not in data


def test_a_verdict_that_was_not_agreed_on(
    connected: Callable[..., Network], planted: list[Any], tmp_path: Path
) -> None:
    world = connected().world
    strict = {"threshold": 0.03, "accept": ["pass"], "effort": "standard"}
    network = connected(world.signed(tmp_path / "a.json", evidence=strict))
    network.start()
    with pytest.raises(RefusedError) as raised:
        network.ask("avatars", **AVATARS)
    assert str(raised.value) == REFUSED
    assert (planted[0]["threshold"], planted[0]["effort"]) == (0.03, "standard")
    planted[:] = ["pass"] * 3
    assert network.ask("avatars", **AVATARS).values["verdict"] == "pass"


def test_who_gets_no_avatar_is_always_the_same(network: Network, planted: list[Any]) -> None:
    """Asking again, or for others, gives nobody a second avatar by another draw."""
    first = network.ask("avatars", **AVATARS)
    again = network.ask("avatars", **AVATARS)
    assert again.content["result"]["csv"] == first.content["result"]["csv"]
    other = network.ask("avatars", **AVATARS | {"k": 120})
    assert other.content["result"]["csv"] != first.content["result"]["csv"]
    aside = [seen["control"].frame for seen in planted]
    for mine, later in zip(aside[:3], aside[6:], strict=True):
        assert mine.equals(later)
    assert not aside[0].equals(aside[1])
    # Control persons whom the holder has are taken instead.
    network.kill("holder_1")
    network.start("holder_1", control=beside(network.world, "holder_1")["control"])
    answer = network.ask("avatars", **AVATARS)
    sizes = {(len(seen["original"]), len(seen["control"])) for seen in planted[9:]}
    assert sizes == {(PERSONS, 150), (PERSONS * 2 // 3, PERSONS // 3)}
    assert answer.values["rows"] == PERSONS + 2 * (PERSONS * 2 // 3)


@pytest.mark.usefixtures("careless")
def test_what_the_agreement_does_not_allow(
    connected: Callable[..., Network], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Rows leave where analysis, generator and its parameters are agreed on; a node sees to it."""
    world = connected().world
    for changed, parameters, why in (
        ({"analyses": ["famd", "evidence"]}, {}, "Analysis 'avatars' is not among"),
        ({"generators": []}, {}, "Generator 'avatar' is not among"),
        ({}, {"k": 10}, "Parameter k of avatar is 10"),
        ({}, {"kernel": "gaussian"}, "Parameter kernel of avatar"),
    ):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.json"
        network = connected(world.signed(path, **changed))
        network.folder = path.with_suffix(".nodes")
        network.folder.mkdir()
        network.start()
        with pytest.raises(RefusedError, match=why):
            network.ask("avatars", **AVATARS | parameters)
        with monkeypatch.context() as lying:
            lying.setattr(_hub, "_check_allowed", lambda *_: None)
            with pytest.raises(RefusedError, match="A holder finds that the agreement"):
                network.ask("avatars", **AVATARS | parameters)
        assert network.released() == 0


def test_more_rows_than_a_message_carries(
    network: Network, planted: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_gate, "MOST_TOLD", 4000)
    with pytest.raises(DataError, match=r"room than a message has; ask for less\.$"):
        network.ask("avatars", **AVATARS)
    assert ["resources", "size"] in network.refusals()


def test_room_and_time_for_rows_alone(network: Network, planted: list[Any]) -> None:
    """A larger message is taken, and a node waited for longer, in the round of rows only."""
    usual = network.hub.largest
    task = network.analyst().send(asked("avatars", AVATARS))
    seen = []
    for _ in range(8):
        running = network.hub._queue.running(network.parties().signed.sha256)
        if running is None:
            break
        seen.append((running.turn, network.hub.largest))
        if running.turn == 2:
            network.clock.ahead = 600  # a node that computes for long is silent
            network.hub.expire()
            network.clock.ahead = 0
        network.turn()
    assert network.store.task(task).state == "done"
    assert {size for turn, size in seen if turn < 2} == {usual}
    assert {size for turn, size in seen if turn == 2} == {4 * usual}
    assert network.hub.largest == usual


def test_asking_in_words(
    sosie: Sosie, connected: Callable[..., Network], planted: list[Any], tmp_path: Path
) -> None:
    """`sosie ask` writes the rows beside the result, and `sosie verify` holds."""
    network = connected()
    world, parties = network.world, network.parties()
    serving = Serving(network.hub, world, parties)
    threads = Threads(nodes_over(network, serving.url))
    out, rows = tmp_path / "r.json", tmp_path / "r.avatars.csv"
    words = ["--hub", serving.url, "--key", world.folder / "private" / "recipient.key",
             "--wait", 30]  # fmt: skip
    try:
        ran = sosie("ask", world.agreement, "avatars", "--columns", ",".join(COLUMNS), "--k", 100,
                    "--factors", 2, *words, "--out", out,
                    "--report", tmp_path / "r.html")  # fmt: skip
        assert (ran.status, ran.err) == (0, "")
        assert str(rows) in ran.out
        content = json.loads(out.read_text())
        digest = hashlib.sha256(rows.read_bytes()).hexdigest()
        assert content["result"]["sha256"] == digest
        first = rows.read_text().splitlines()[1]
        assert first not in ran.out
        assert first not in (tmp_path / "r.html").read_text()
        page = (tmp_path / "r.html").read_text()
        assert "Membership, strongest attack" in page
        assert "not exactly what the pooled rows" not in page
        keys = ["--keys", world.folder / "keys"]
        assert sosie("verify", out, *keys).status == 0
        same = sosie("verify", out, *keys, "--synthetic", rows)
        assert (same.status, "are certified" in same.out) == (0, True)
        lie = tmp_path / "lie.csv"
        lie.write_text(rows.read_text().replace(first, first + "0", 1))
        other = sosie("verify", out, *keys, "--synthetic", lie, "--lang", "fr")
        assert (other.status, "NON vérifié : Table synthétique." in other.out) == (3, True)
        alone = tmp_path / "certificate.json"
        alone.write_text(json.dumps(content["certificate"]))
        for words_, why in (
            ([out, "--original", world.data("holder_1")], "--original: "),
            ([alone, "--synthetic", rows], "--synthetic: "),
        ):
            refused = sosie("verify", *words_, *keys)
            assert (refused.status, refused.err.startswith(why)) == (2, True), refused
        task = network.store.tasks()[-1].id
        again = tmp_path / "again.json"
        ran = sosie("ask", world.agreement, "--task", task, *words[:4], "--out", again,
                    "--lang", "fr")  # fmt: skip
        assert (tmp_path / "again.avatars.csv").read_bytes() == rows.read_bytes()
        assert "Appartenance" in ran.out
        content["result"]["csv"] = content["result"]["csv"].replace(first, first + "0", 1)
        out.write_text(json.dumps(content))
        assert sosie("verify", out, *keys).status == 3
        # Rows of which the answer itself is not certified are compared with nothing.
        lie.write_text(content["result"]["csv"])
        ran = sosie("verify", out, *keys, "--synthetic", lie, "--json")
        items = {one["name"]: one["ok"] for one in json.loads(ran.out)["items"]}
        assert (ran.status, items["result"], items["synthetic"]) == (3, False, None)
        ran = sosie("ask", world.agreement, "avatars", "--columns", "age,educ", "--k", 10, *words,
                    "--out", tmp_path / "no.json")  # fmt: skip
        assert ran.status == 3
    finally:
        for thread in (threads, serving):
            thread.stop()
        threads.join()


def test_judged_in_a_process_of_its_own(
    connected: Callable[..., Network], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Confined, without a network: what evidence needs can be loaded there, and is enough."""
    world = connected().world
    one = dataclasses.replace(world, content={**world.content})
    one.content["data_sets"] = one.content["data_sets"][:1]
    network = connected(one.signed(tmp_path / "one.json", by=("holder_1", "hub", "recipient")))
    monkeypatch.setattr(_node, "Workers", Workers)
    network.start("holder_1", **beside(world, "holder_1"))
    task = network.analyst().send(asked("evidence", {}))
    assert network.ended(task) == "done", network.refusals()
    answer = network.analyst().fetch(task, wait=0)
    assert answer.values["verdict"] in ("pass", "attention")
    assert network.ledger("holder_1", "joined")[0]["content"]["columns"] == COLUMNS
