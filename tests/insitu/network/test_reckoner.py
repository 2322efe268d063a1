"""What adds up for a hub: in a process beside it that has no key, and may end at any time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sosie.errors import DataError, ParameterError, TrustError
from sosie.insitu import Gate, NodeTask, Question
from sosie.insitu.hub import Reckoner
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
    """What can be done again is; a sum that was lost is said to be, and is never another's."""
    asked = beside.outline(ASKED)
    lost = beside.begin(asked, TABLE.schema, 1)
    ended(beside)
    assert beside.outline(ASKED) == asked
    fresh = beside.begin(asked, TABLE.schema, 1)
    with pytest.raises(DataError, match="more memory or time"):
        lost.add([part()])
    assert fresh.add([part()]) is None
    ended(beside)
    with pytest.raises(DataError, match="more memory or time"):
        fresh.add([part()])
    fresh.close()
    lost.close()
    assert beside.outline(ASKED) == asked


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
