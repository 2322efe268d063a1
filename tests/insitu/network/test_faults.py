"""Clocks, keys, data and disks that fail: nothing leaves, the holder sees why."""

import base64
import dataclasses
import datetime as dt
import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.insitu.network.conftest import (
    COLUMNS,
    CROSSTAB,
    HOLDERS,
    LOGISTIC,
    TODAY,
    Network,
    Stub,
    World,
    envelope_of,
)

from sosie.errors import DataError, TrustError
from sosie.insitu._aggregate import Selection
from sosie.insitu.analyst import asked
from sosie.insitu.exchange import Direct, Parties, RefusedError
from sosie.insitu.exchange._messages import check_clock, moment
from sosie.insitu.gate import REFUSED, Memory, mend
from sosie.insitu.hub._ticket import Ticket
from sosie.insitu.node import Node, Place, commitment_of
from sosie.insitu.process import StoppedError, _limits
from sosie.trust import Key, _ledger, canonical, payload_of, strict_json, verify_ledger

# -- agreements


def served(network: Network, path: Path, holder: str = "holder_1", **options: Any) -> Node:
    return Node(
        Parties.read(path), options.pop("key", network.world.keys[holder]),
        options.pop("data", network.world.data(holder)), network.place(holder),
        Direct(network.hub), **options,
    )  # fmt: skip


def changed_payload(world: World, path: Path) -> None:
    envelope = envelope_of(world.agreement)
    said = json.loads(base64.b64decode(envelope["payload"]))
    said["analyses"].append("quantiles")
    envelope["payload"] = base64.b64encode(canonical(said)).decode()
    path.write_bytes(canonical(envelope))


def signature_missing(world: World, path: Path) -> None:
    world.signed(path, ("holder_1", "holder_2", "hub", "recipient"))


def own_missing(world: World, path: Path) -> None:
    world.signed(path, ("holder_2", "holder_3", "hub", "recipient"))


def over(world: World, path: Path) -> None:
    day = dt.timedelta(1)
    validity = {"starts": (TODAY - 9 * day).isoformat(), "ends": (TODAY - 2 * day).isoformat()}
    world.signed(path, validity=validity)


def not_begun(world: World, path: Path) -> None:
    day = dt.timedelta(1)
    validity = {"starts": (TODAY + 2 * day).isoformat(), "ends": (TODAY + 9 * day).isoformat()}
    world.signed(path, validity=validity)


def other_data(world: World, path: Path) -> None:
    sets = [one | {"snapshot": "0" * 64} for one in world.content["data_sets"]]
    world.signed(path, data_sets=sets)


def no_kinds(world: World, path: Path) -> None:
    sets = [
        one | {"columns": [{"name": c["name"], "category": c["category"]} for c in one["columns"]]}
        for one in world.content["data_sets"]
    ]
    world.signed(path, data_sets=sets)


def more_columns(world: World, path: Path) -> None:
    more = {"name": "weight", "category": "Health", "kind": "number"}
    sets = [one | {"columns": [*one["columns"], more]} for one in world.content["data_sets"]]
    world.signed(path, data_sets=sets)


def no_json(world: World, path: Path) -> None:
    path.write_bytes(b'{"payload": NaN}')


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (changed_payload, "not of this document"),
        (signature_missing, "Hospital 3 holds data and has not signed"),
        (own_missing, "Hospital 1 holds data and has not signed"),
        (over, "The agreement ended on"),
        (not_begun, "The agreement begins on"),
        (other_data, "is not the data set that was agreed on"),
        (no_kinds, "of what kind"),
        (more_columns, "no column 'weight'"),
        (no_json, "Not readable as strict JSON"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_no_node_serves_it(
    network: Network, tmp_path: Path, make: Callable[[World, Path], None], why: str
) -> None:
    path = tmp_path / "other.json"
    make(network.world, path)
    network.kill("holder_1")
    before = network.ledger("holder_1")
    with pytest.raises((TrustError, DataError), match=why) as raised:
        served(network, path)
    assert "\n" not in str(raised.value)
    assert network.ledger("holder_1") == before
    network.start("holder_1")  # its folder is free again


def test_units_that_differ(connected: Callable[..., Network], world: World, tmp_path: Path) -> None:
    """Sizes in millimetres at one holder and in centimetres at the next are not added up."""
    sets = []
    for one, unit in zip(world.content["data_sets"], ("mm", "cm", "mm"), strict=True):
        columns = [c | ({"unit": unit} if c["name"] == "tsize" else {}) for c in one["columns"]]
        sets.append(one | {"columns": columns})
    network = connected(world.signed(tmp_path / "units.json", data_sets=sets))
    network.start()
    with pytest.raises(TrustError, match=r"Column 'tsize' does not mean the same.*unit") as raised:
        network.analyst().send(asked("means", {"columns_of": ["tsize"]}))
    assert "\n" not in str(raised.value)
    network.turn(2)
    assert network.released() == 0
    network.ask("means", columns_of=["age"])  # what means the same is answered


def test_a_site_below_the_floor(network: Network, tmp_path: Path) -> None:
    """A holder of eight persons refuses what the others answer; only it sees why."""
    few = tmp_path / "few.csv"
    network.world.parts[2][list(COLUMNS)].head(8).to_csv(few, index=False)
    network.kill("holder_3")
    shutil.rmtree(network.place("holder_3").folder)
    network.start("holder_3", data=few)
    with pytest.raises(RefusedError) as raised:
        network.ask("means", columns_of=["age"])
    assert str(raised.value) == REFUSED
    why, *reasons = network.refusals("holder_3")[-1]
    assert why == "gate"
    assert "persons" in reasons
    assert network.ledger("holder_3", "released") == []


def test_a_key_that_did_not_sign(network: Network) -> None:
    network.kill("holder_1")
    same_name = Key.new("Hospital 1")
    with pytest.raises(TrustError, match="of none of the parties"):
        served(network, network.agreement, key=same_name)


def test_an_expired_key(network: Network, tmp_path: Path) -> None:
    """Of a holder: whatever it signs is refused, and nobody is left waiting without a word."""
    world = network.world
    message = network.due["holder_1"][0]
    parties = network.hub._queue.parties[network.parties().signed.sha256]
    parties.keys["holder_1"] = old(world.keys["holder_1"])
    with pytest.raises(TrustError, match="expired on"):
        network.hub.take(message)


def old(key: Key) -> Any:
    return dataclasses.replace(key.public, expires=TODAY - dt.timedelta(1))


def test_a_key_that_its_owner_took_back(network: Network, tmp_path: Path) -> None:
    """Who reads with --keys takes a .pub file out of the folder: that party is then unknown."""
    world = network.world
    trusted = world.public(*HOLDERS, "hub")
    parties = Parties.read(world.agreement, trusted)
    assert "recipient" not in parties.keys
    with pytest.raises(TrustError, match="Hospital 2 holds data and has not signed"):
        Parties.read(world.agreement, world.public("holder_1", "holder_3", "hub"))
    # A node that trusts the analyst no more declines what the hub still takes.
    network.kill("holder_1")
    network.nodes["holder_1"] = Node(
        parties, world.keys["holder_1"], world.data("holder_1"), network.place("holder_1"),
        Direct(network.hub),
    )  # fmt: skip
    network.due["holder_1"] = network.nodes["holder_1"]._poll(), None
    with pytest.raises(DataError):
        network.ask("crosstab", **CROSSTAB)
    assert network.refusals() == [["exchange", "signature"]]
    assert network.released() == 0


# -- clocks


@pytest.mark.parametrize(("minutes", "way"), [(10, "behind"), (-10, "ahead of")])
def test_a_clock_that_is_off(network: Network, minutes: int, way: str) -> None:
    network.clock.ahead = 60.0 * minutes
    with pytest.raises(TrustError, match=f"'holder_1' is {abs(minutes)} minutes {way} that of"):
        network.step("holder_1")
    with pytest.raises(TrustError, match=f"'recipient' is {abs(minutes)} minutes {way}"):
        network.analyst().send(asked("crosstab", CROSSTAB))
    assert network.store.tasks() == []


def test_a_file_may_be_carried_for_a_week(network: Network) -> None:
    message, _ = network.due["holder_1"]
    network.clock.ahead = 7 * 86400.0
    with pytest.raises(TrustError, match="minutes behind"):
        network.hub.take(message)
    network.hub.take(message, carried=True)
    network.clock.ahead = 9 * 86400.0
    with pytest.raises(TrustError):
        network.hub.take(message, carried=True)
    network.clock.ahead = -600.0
    with pytest.raises(TrustError, match="ahead of"):
        network.hub.take(message, carried=True)


def test_no_such_time() -> None:
    with pytest.raises(TrustError, match="no such time"):
        moment("2026-13-01T00:00:00Z")

    class Message:
        at, by = "2026-02-30T10:00:00Z", "holder_1"

    with pytest.raises(TrustError):
        check_clock(Message())  # type: ignore[arg-type]


# -- data


@pytest.fixture
def own_data(network: Network, tmp_path: Path) -> Path:
    """Give holder_1 a file of its own, to be changed."""
    path = tmp_path / "own.csv"
    path.write_bytes(network.world.data("holder_1").read_bytes())
    network.kill("holder_1")
    network.start("holder_1", data=path)
    return path


def test_data_that_change_under_the_node(network: Network, own_data: Path) -> None:
    assert network.ask("crosstab", **CROSSTAB)
    left = network.released()
    lines = own_data.read_text().splitlines()
    own_data.write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(RefusedError, match="are not those that were agreed on any more"):
        network.ask("logistic", **LOGISTIC)
    assert network.released() == left
    assert network.refusals() == [["snapshot", "changed"]]
    network.kill("holder_1")
    with pytest.raises(TrustError, match=r"not what this node served before.*--state"):
        served(network, network.agreement, data=own_data)
    own_data.write_text("\n".join(lines) + "\n")
    network.start("holder_1", data=own_data)
    assert network.ask("logistic", **LOGISTIC)


def test_a_file_that_is_touched_or_gone(network: Network, own_data: Path) -> None:
    os.utime(own_data, (1e9, 1e9))
    assert network.ask("crosstab", **CROSSTAB), "the same bytes are the same data"
    own_data.unlink()
    with pytest.raises(RefusedError, match="agreed on any more"):
        network.ask("logistic", **LOGISTIC)
    assert network.refusals() == [["snapshot", "absent"]]
    told: list[str] = []
    assert network.nodes["holder_1"]._stands("up", told.append) == "absent"
    assert told == [network.place("holder_1").told()["state"]] == ["absent"]


@pytest.mark.parametrize("done", ["lines cut", "line changed", "gone", "last line cut", "emptied"])
def test_a_ledger_that_is_not_as_it_was_left(network: Network, done: str) -> None:
    """What lines that went tell of could be asked for again: nothing is served."""
    network.ask("crosstab", **CROSSTAB)
    network.kill("holder_1")
    ledger = network.place("holder_1").ledger
    whole = ledger.read_bytes()
    lines = whole.splitlines(keepends=True)
    if done == "gone":
        ledger.unlink()
    else:
        ledger.write_bytes(
            {
                "lines cut": lines[0],
                "line changed": whole.replace(b"crosstab", b"crosstub"),
                "last line cut": whole[:-9],
                "emptied": b"",
            }[done]
        )
    with pytest.raises(TrustError, match="is not as this node left it"):
        network.start("holder_1")
    with pytest.raises(TrustError, match="is not as this node left it"):
        network.place("holder_1").forgive()
    ledger.write_bytes(whole)
    network.start("holder_1")
    assert network.ask("means", columns_of=["age"])


def test_a_folder_in_which_nothing_happened_goes(network: Network, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("age\n1\n")
    place = Place(tmp_path / "new.node")
    world = network.world
    with pytest.raises(DataError):
        Node(
            network.parties(), world.keys["holder_1"], tmp_path / "other.csv", place,
            Direct(network.hub),
        )  # fmt: skip
    assert not place.folder.exists()


def test_the_snapshot_that_the_agreement_names(network: Network, tmp_path: Path) -> None:
    """The right data are served; the commitment of another holder's key is not theirs."""
    world = network.world
    commitment = network.nodes["holder_1"].commitment
    network.kill("holder_1")
    first, *rest = world.content["data_sets"]
    path = world.signed(
        tmp_path / "named.json", data_sets=[first | {"snapshot": commitment}, *rest]
    )
    node = Node(
        Parties.read(path), world.keys["holder_1"], world.data("holder_1"),
        Place(tmp_path / "named.node"), Direct(network.hub),
    )  # fmt: skip
    node.close()
    assert commitment_of(world.keys["holder_1"], "x") != commitment_of(world.keys["hub"], "x")


# -- disks


def full(*_: Any, **__: Any) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "write", "short"])
def test_a_full_disk_when_a_part_is_written_down(
    network: Network, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """What cannot be in the ledger does not leave; with room again the node goes on."""
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    network.turn()
    network.turn()  # all have joined, and holder_3 has its part ready
    for name in HOLDERS:
        network.place(name).tell({})
    work = network.hub.reply(Ticket("work", network.parties().signed.sha256, "holder_1"))
    assert work is not None
    assert work["work"]["stage"] == "part"
    head = network.place("holder_1").head()
    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        monkeypatch.setattr(os, "write", full if call == "write" else lambda *_: 7)
        monkeypatch.setattr(_ledger, "_write_whole", full)
    message, payload = network.nodes["holder_1"].step(work)
    assert payload is None
    said = strict_json(payload_of(message))
    assert (said["kind"], said["why"]) in [("decline", "resources"), ("decline", "gate")]
    monkeypatch.undo()
    assert network.place("holder_1").head() == head, "nothing half-written"
    network.due["holder_1"] = message, payload
    assert network.ended(task) in ("failed", "refused")


def test_a_cut_line_of_the_ledger(network: Network) -> None:
    """A line that a power cut left half is of nothing that left: the node goes on without it."""
    network.ask("crosstab", **CROSSTAB)
    network.kill("holder_1")
    ledger = network.place("holder_1").ledger
    for left in (0.99, 0.5, 0.01):
        whole = ledger.read_bytes()
        last = whole.splitlines(keepends=True)[-1]
        ledger.write_bytes(whole + last[: int(left * len(last)) or 1])
        with pytest.raises(TrustError, match="damaged"):
            network.place("holder_1").write("paused", {})
        network.start("holder_1")
        assert ledger.read_bytes().startswith(whole)
        assert not verify_ledger(ledger).broken
        network.kill("holder_1")
    assert [line["event"] for line in network.ledger("holder_1")].count("up") == 4


def test_a_changed_line_of_the_ledger_is_not_mended(network: Network) -> None:
    network.kill("holder_1")
    ledger = network.place("holder_1").ledger
    ledger.write_bytes(ledger.read_bytes().replace(b'"up"', b'"on"'))
    before = ledger.read_bytes()
    with pytest.raises((TrustError, DataError)):
        network.start("holder_1")
    assert ledger.read_bytes() == before


def test_a_cut_record_of_what_was_released(network: Network) -> None:
    """Beyond the last line of the ledger nothing has left: a cut record there is taken away."""
    network.ask("crosstab", **CROSSTAB)
    place = network.place("holder_1")
    whole = place.released.read_bytes()
    assert network.ledger("holder_1", "released")[-1]["content"]["kept"] == len(whole)
    for more in (whole[:3], whole[:50], whole[:120]):
        place.released.write_bytes(whole + more)
        assert network.ask("crosstab", **CROSSTAB), "also while the node is up"
        assert place.released.read_bytes()[: len(whole)] == whole


@pytest.mark.parametrize("lost", ["some", "all", "file"])
def test_what_was_released_is_lost(network: Network, lost: str) -> None:
    """An older copy of the file, or none: the differences to earlier answers are not known."""
    network.ask("means", columns_of=["age"])
    place = network.place("holder_1")
    older = place.released.read_bytes()
    network.ask("crosstab", **CROSSTAB)
    if lost == "file":
        place.released.unlink()
    else:
        place.released.write_bytes(older if lost == "some" else b"")
    with pytest.raises(DataError):
        network.ask("logistic", **LOGISTIC)
    network.kill("holder_1")
    with pytest.raises(TrustError, match="has lost some of what was released"):
        network.start("holder_1")


def test_a_flipped_length_is_damage_not_a_cut(network: Network) -> None:
    """A record in the middle that seems to reach beyond the end takes nothing away."""
    network.ask("crosstab", **CROSSTAB)
    place = network.place("holder_1")
    data = bytearray(place.released.read_bytes())
    data[3] = 0x7F
    place.released.write_bytes(data)
    network.kill("holder_1")
    with pytest.raises(TrustError, match="has lost some"):
        network.start("holder_1")
    assert place.released.read_bytes() == data


def test_mending(tmp_path: Path) -> None:
    path = tmp_path / "released.bin"
    mend(path)
    memory = Memory(100, path, "0" * 64)
    head = path.stat().st_size
    rows = np.arange(100) < 40
    memory.add([Selection(rows, frozenset({"age"}), frozenset())])
    whole = path.read_bytes()
    for cut in range(1, len(whole) - head):
        path.write_bytes(whole[:-cut])
        with pytest.raises(TrustError):
            mend(path, len(whole))
        assert path.read_bytes() == whole[:-cut]
        mend(path, head)
        assert path.read_bytes() == whole[:head]
    path.write_bytes(whole[: head - 5])
    mend(path)
    assert not path.exists(), "a head that was cut is begun again"
    path.write_bytes(whole)
    mend(path, len(whole))
    assert path.read_bytes() == whole
    assert len(Memory(100, path, "0" * 64)) == 1


def test_one_node_a_folder(network: Network) -> None:
    with pytest.raises(DataError, match="is up in"):
        served(network, network.agreement)


def test_nothing_is_left_behind(network: Network, tmp_path: Path) -> None:
    """No draft, no copy of rows: the folder of a node holds what it must alone."""
    network.ask("crosstab", **CROSSTAB)
    with pytest.raises(RefusedError):
        network.ask("crosstab", row="tgrade", column="horTh")
    for name in HOLDERS:
        network.nodes[name]._tell("up")
        folder = network.place(name).folder
        assert {path.name for path in folder.iterdir()} == {
            "ledger.jsonl", "released.bin", "node.lock", "status.json"
        }  # fmt: skip
        assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("[lr]*.[jb]*"))
        assert folder.stat().st_mode & 0o077 == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "hub.db", "hub.db-wal", "hub.db-shm", *(f"{name}.node" for name in HOLDERS)
    }  # fmt: skip


def test_a_status_that_cannot_be_written(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Place, "tell", full)
    network.nodes["holder_1"]._tell("up")


def test_the_ledger_tells_who_asked_what_ended_a_process(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it ends while it reads the question, and nothing is known of that."""
    real = Stub.ask

    def ask(self: Stub, said: dict[str, Any], data: bytes = b"") -> dict[str, Any]:
        if said["do"] == "outline":
            raise StoppedError("A process that computes has ended.")
        return real(self, said, data)

    monkeypatch.setattr(Stub, "ask", ask)
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    assert network.ended(task) == "failed"
    (line,) = (one["content"] for one in network.ledger("holder_1", "refused"))
    assert (line["why"], line["by"]) == ("resources", "recipient")


def test_limits_that_a_system_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """MacOS has no limit of memory, and says so by an error; a process computes all the same."""
    resource = pytest.importorskip("resource")

    def refuses(*_: Any) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuses)
    _limits._limit("RLIMIT_AS", 1 << 30)
