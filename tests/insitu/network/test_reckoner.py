"""What adds up for a hub: in a process beside it that has no key, and may end at any time."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.insitu.network.conftest import CROSSTAB, LOGISTIC, Network

from sosie.errors import DataError, ParameterError, SosieError, TrustError
from sosie.insitu import Gate, NodeTask, Question
from sosie.insitu.analyst import asked
from sosie.insitu.hub import Reckoner, _reckoner
from sosie.insitu.hub._hub import LARGEST
from sosie.insitu.hub._reckoner import LostError, Sum
from sosie.insitu.process import Workers
from sosie.table import Table

ASKED = {"analysis": {"id": "means", "columns_of": ["age"]}}
AGES = [float(20 + i % 50) for i in range(100)]


@pytest.fixture(params=[True, False], ids=["beside", "here"])
def reckoner(request: pytest.FixtureRequest) -> Iterator[Reckoner]:
    made = Reckoner(beside=request.param)
    yield made
    made.close()


@pytest.fixture
def beside() -> Iterator[Reckoner]:
    made = Reckoner(beside=True)
    yield made
    made.close()


TABLE = Table.of(pl.DataFrame({"age": AGES}))


def node() -> NodeTask:
    return NodeTask(Question.of(ASKED), TABLE, TABLE.schema, Gate(), holders=1)


def part() -> bytes:
    return node().part().payload


def ended(reckoner: Reckoner) -> None:
    worker: Any = reckoner._worker
    os.kill(worker._process.pid, signal.SIGKILL)
    worker._process.wait(20)


def test_a_mean_in_two_rounds(reckoner: Reckoner) -> None:
    outline = reckoner.outline(ASKED)
    assert outline == Question.of(ASKED).outline
    assert outline.sha256 == Question.of(ASKED).sha256
    adds = reckoner.begin(outline, TABLE.schema, 1)
    other = reckoner.begin(outline, TABLE.schema, 1)
    assert not adds.tells
    holder = node()
    first = [holder.part().payload]
    assert adds.add(first) is None, "spread takes a second round"
    holder.advance_with(first)
    found = adds.add([holder.part().payload])
    assert found is not None
    row = found["means"][0]
    assert row["n"] == 100
    assert row["mean"] == pytest.approx(sum(AGES) / len(AGES), abs=1e-9)
    adds.close()
    assert other.add(first) is None, "what another attempt added up is not touched"


def test_what_is_wrong_is_said_as_it_was(reckoner: Reckoner) -> None:
    with pytest.raises(ParameterError, match="is not one of its parameters"):
        reckoner.outline({"analysis": {"id": "means", "columns_of": ["age"], "secret": 1}})
    unknown = reckoner.outline({"analysis": {"id": "means", "columns_of": ["height"]}})
    with pytest.raises(ParameterError, match="height"):
        reckoner.begin(unknown, TABLE.schema, 1)
    adds = reckoner.begin(reckoner.outline(ASKED), TABLE.schema, 1)
    with pytest.raises(ParameterError, match="1 parts are due"):
        adds.add([part(), part()])
    with pytest.raises(TrustError):
        adds.add([b"{}"])
    assert adds.add([part()]) is None, "it goes on"


def test_groups_of_holders(reckoner: Reckoner) -> None:
    assert not reckoner.apart("abc", ["abcd"], 3)
    assert reckoner.apart("abc", ["abc", "abcdef"], 3)


def test_a_process_that_ends(beside: Reckoner) -> None:
    """It is made again; a sum that was lost is said to be, and is never another's."""
    known = beside.outline(ASKED)
    lost = beside.begin(known, TABLE.schema, 1)
    ended(beside)
    assert beside.outline(ASKED) == known
    fresh = beside.begin(known, TABLE.schema, 1)
    with pytest.raises(LostError):
        lost.add([part()])
    assert fresh.add([part()]) is None
    ended(beside)
    fresh.close()
    lost.close()
    assert beside._worker is not None
    assert not beside._worker.alive, "none is made to forget what it never knew"
    assert beside.outline(ASKED) == known


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows has no such signal")
def test_a_process_that_stands_still(beside: Reckoner, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up in time, also where it does not read what is written to it."""
    known = beside.outline(ASKED)
    for large in (False, True):
        adds = beside.begin(known, TABLE.schema, 1)
        worker: Any = beside._worker
        os.kill(worker._process.pid, signal.SIGSTOP)
        monkeypatch.setattr(_reckoner, "_SECONDS", 0.25)
        started = time.monotonic()
        with pytest.raises(DataError, match="more memory or time"):
            adds.add([b"x" * (1 << 20 if large else 1)])
        assert time.monotonic() - started < 5
        assert worker._process.wait(5)
        assert beside.outline(ASKED) == known


def test_a_question_that_is_too_long_is_not_read(reckoner: Reckoner) -> None:
    """Reading collects every fault: of four million it would take all memory there is."""
    known = reckoner.outline(ASKED)
    recode = {"rule": "recode", "name": "x", "column": "age", "groups": {"x": [0] * 4_000_000}}
    started = time.monotonic()
    with pytest.raises(ParameterError, match="30,000 are the most"):
        reckoner.outline({**ASKED, "derive": [recode]})
    assert time.monotonic() - started < 5
    assert reckoner.outline(ASKED) == known
    with pytest.raises(ParameterError, match="multiplies terms"):
        reckoner.outline(
            {"analysis": {"id": "linear", "formula": "y ~ " + ":".join(["(a*b*c*d*e*f)"] * 140)}}
        )


def test_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with (
        contextlib.closing(Reckoner(beside=True)) as made,
        pytest.raises(DataError, match="does not start"),
    ):
        made.wait_ready()


# -- a hub


def test_an_honest_question_outlives_what_another_ended(network: Network) -> None:
    """Its rounds before are lost; it begins again, and is answered."""
    with contextlib.closing(network.hub._reckoner) as reckoner:
        reckoner._workers = Workers("sosie.insitu.hub._reckoning", 4 << 30, 30, fresh=False)
        task = network.analyst().send(asked("logistic", LOGISTIC))
        network.turn(4)
        running = network.hub._queue.running(network.parties().signed.sha256)
        assert running is not None
        assert running.turn >= 1
        ended(reckoner)
        assert network.ended(task) == "done"
        kept = network.store.task(task)
        assert kept is not None
        assert kept.attempt == 2


def test_a_process_that_ends_in_the_middle(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may have ended it, so it is tried again; but not for ever."""
    real, ends = Sum.add, iter([True, True])

    def add(self: Sum, parts: Sequence[bytes]) -> dict[str, Any] | None:
        if next(ends, False):
            raise LostError
        return real(self, parts)

    monkeypatch.setattr(Sum, "add", add)
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    assert network.ended(task) == "done"
    ends = iter([True] * 100)
    task = network.analyst().send(asked("counts", {"column": "horTh"}))
    assert network.ended(task) == "failed"
    kept = network.store.task(task)
    assert kept is not None
    assert kept.why is not None
    assert "more memory or time" in kept.why
    assert kept.attempt == 4


def test_a_hub_whose_process_is_gone_and_cannot_be_made(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers nothing new, and still answers: nobody is cut off, and time goes on."""
    with contextlib.closing(network.hub._reckoner) as reckoner:
        reckoner._workers = Workers("sosie.insitu.hub._reckoning", 4 << 30, 30, fresh=False)
        task = network.analyst().send(asked("crosstab", CROSSTAB))
        network.turn(1)
        ended(reckoner)
        monkeypatch.setattr(sys, "executable", str(network.folder / "nowhere"))
        assert network.hub.largest == LARGEST
        with pytest.raises((SosieError, OSError)):
            network.analyst().send(asked("crosstab", CROSSTAB))
        assert network.ended(task) == "failed"
        network.clock.ahead = 10_000
        network.hub.expire()
        monkeypatch.undo()


def test_a_store_that_fails_leaves_no_sum(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> bool:
        raise DataError("The database of the hub cannot be used.")

    monkeypatch.setattr(network.store, "begin", fails)
    with pytest.raises(DataError):
        network.analyst().send(asked("crosstab", CROSSTAB))
    assert network.hub._reckoner._here._sums == {}
    monkeypatch.undo()
    assert network.ask("crosstab", **CROSSTAB)
    assert network.hub._reckoner._here._sums == {}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_ends_with_its_hub() -> None:
    """Also where the hub is killed, and can end nothing."""
    program = (
        "from sosie.insitu.hub import Reckoner; import os, signal\n"
        f"one = Reckoner(beside=True); one.outline({ASKED!r})\n"
        "print(one._worker._process.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    stat = Path(f"/proc/{int(ran.stdout)}/stat")
    for _ in range(100):
        try:
            if stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.05)
    pytest.fail("the process is still there")
