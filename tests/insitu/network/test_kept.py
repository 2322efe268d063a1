"""Folders of nodes that were killed, cut or emptied: what was known once is not forgotten."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Sosie, sosie
from tests.insitu.network.conftest import CROSSTAB, Network

from sosie.errors import DataError, TrustError
from sosie.insitu.analyst import asked
from sosie.insitu.node import Place, _place

__all__ = ["sosie"]


def full(*_: Any, **__: Any) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("status", [None, "", "{", "[]", '{"ledger": null}'])
@pytest.mark.parametrize("ledger", ["whole", "cut", "gone"])
def test_nobody_knows_where_the_ledger_stood(
    network: Network, status: str | None, ledger: str
) -> None:
    """Without the file that tells it, lines may have been cut off; released.bin tells of some."""
    network.ask("crosstab", **CROSSTAB)
    network.kill("holder_1")
    place = network.place("holder_1")
    told, path = place.folder / "status.json", place.ledger
    before, whole = told.read_bytes(), path.read_bytes()
    told.unlink() if status is None else told.write_text(status)
    if ledger == "gone":
        path.unlink()
    elif ledger == "cut":
        path.write_bytes(whole.splitlines(keepends=True)[0])
    with pytest.raises(TrustError, match="is not as this node left it"):
        network.start("holder_1")
    told.write_bytes(before)
    path.write_bytes(whole)
    network.start("holder_1")
    assert network.ask("means", columns_of=["age"])


def test_what_leaves_is_told_before_it_leaves(network: Network) -> None:
    """A node that is killed at any moment has told of all that had left by then."""
    task, node = network.analyst().send(asked("crosstab", CROSSTAB)), network.nodes["holder_1"]
    while not network.ledger("holder_1", "released"):
        network.turn()
        node._stands("up", lambda _: None)  # as :meth:`Node.run` does before it sends
    head = network.place("holder_1").head()
    assert network.place("holder_1").told()["ledger"] == head.model_dump()
    assert network.ended(task) == "done"


@pytest.mark.parametrize("written", ["", "status", "line begun", "line"])
def test_a_node_killed_at_its_first_line(
    network: Network, tmp_path: Path, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the ledger stands is on the disk before its first line; then a node starts again."""
    folder = tmp_path / "killed.node"
    if written == "line":
        Place(folder).write("up", {"snapshot": None})
    elif written:
        monkeypatch.setattr(_place, "append", full)
        with pytest.raises(OSError, match="No space"):
            Place(folder).write("up", {})
        monkeypatch.undo()
        assert Place(folder).told()["ledger"]["lines"] == 0
        if written == "line begun":
            (folder / "ledger.jsonl").write_bytes(b'{"at":"20')
    place = Place(folder)
    place.hold()
    place.check()
    place.write("up", {"snapshot": None})
    assert not place.verified().broken
    place.release()


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full)
    place = Place(tmp_path / "n")
    with pytest.raises(DataError, match="could not be written"):
        place.write("up", {})
    assert not place.ledger.exists()


def test_auditing_a_ledger_that_was_cut(network: Network, sosie: Sosie) -> None:
    """An auditor is told what a node would refuse; what is left can still be read."""
    network.ask("crosstab", **CROSSTAB)
    network.kill("holder_1")
    place = network.place("holder_1")
    words = ["--state", place.folder]
    whole = place.ledger.read_bytes()
    assert sosie("node", "audit", *words).status == 0
    for left, why in (
        (b"", "number 1 to 3 was cut off at the end"),
        (whole.splitlines(keepends=True)[0], "number 2 to 3 was cut off at the end"),
        (whole[:-9], "Line 3 cannot be read: it is cut at its end"),
        (whole + whole[:20], "Line 4 cannot be read: it is cut at its end"),
        (whole.replace(b'"joined"', b'"joined'), "Line 2 cannot be read"),
    ):
        place.ledger.write_bytes(left)
        ran = sosie("node", "audit", *words)
        assert (ran.status, ran.err) == (3, ""), ran
        assert why in ran.out
        assert "The ledger does NOT hold" in ran.out
        assert sosie("node", "audit", *words, "--json").status == 3
    place.ledger.write_bytes(whole)
    (place.folder / "status.json").unlink()
    ran = sosie("node", "audit", *words, "--lang", "fr")
    assert (ran.status, "status.json, qui dit où en était le registre" in ran.out) == (3, True)


def test_the_status_of_a_node_killed_in_the_middle_of_a_line(
    network: Network, sosie: Sosie
) -> None:
    network.ask("crosstab", **CROSSTAB)
    network.kill("holder_1")
    place = network.place("holder_1")
    whole = place.ledger.read_bytes()
    place.ledger.write_bytes(whole + whole[:20])
    ran = sosie("node", "status", "--state", place.folder)
    assert (ran.status, ran.err) == (0, "")
    assert "Questions taken: 1; parts that left: 1; refused: 0." in ran.out
    place.ledger.write_bytes(whole.replace(b'"joined"', b'"joined') + whole[:20])
    ran = sosie("node", "status", "--state", place.folder)
    assert ran.status == 2
    assert ran.err.startswith(f"{place.ledger}, line 2: Not readable as strict JSON")
