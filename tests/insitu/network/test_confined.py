"""The processes that compute, started for real: what they may not do, and what they leave."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.insitu.network.conftest import CROSSTAB, LOGISTIC, Network, World

from sosie.errors import DataError
from sosie.insitu import Question, Snapshot
from sosie.insitu.analyst import asked
from sosie.insitu.exchange import Parties
from sosie.insitu.node import _node
from sosie.insitu.node._reading import read_snapshot
from sosie.insitu.node._spelt import snapshot_in, spelt_snapshot
from sosie.insitu.process import (
    StoppedError,
    Worker,
    Workers,
    environment,
    read_frame,
    write_frame,
)
from sosie.table import Column, Schema, Table
from sosie.trust import PRESETS

ENOUGH = 4 << 30
COMPUTES = "sosie.insitu.node._inside"

TRIES = """
import ctypes, json, os, resource, socket, subprocess, sys, urllib.request
sys.argv = ["", sys.argv[1]]
from sosie.insitu.process._limits import confine, confine_half
if sys.argv[1] == "half":
    kept_by = confine(4 << 30, 0, divides=True)
    confine_half(60)
else:
    kept_by = confine(4 << 30, 60)
def tried(what):
    try:
        what()
    except BaseException as error:
        return type(error).__name__
    return "done"
found = {
    "socket": tried(lambda: socket.socket()),
    "pair": tried(lambda: socket.create_connection(("127.0.0.1", 9), 1)),
    "name": tried(lambda: socket.getaddrinfo("localhost", 1)),
    "url": tried(lambda: urllib.request.urlopen("http://127.0.0.1:9")),
    "run": tried(lambda: subprocess.run(["true"])),
    "system": tried(lambda: os.system("true")),
    "fork": tried(lambda: os.fork() or os._exit(0)),
    "spawn": tried(lambda: os.posix_spawn("/bin/true", ["true"], {})),
    "exec": tried(lambda: os.execv("/bin/true", ["true"])),
    "memory": tried(lambda: bytearray(8 << 30)),
    "more": tried(lambda: resource.setrlimit(resource.RLIMIT_CORE, (1, 0))),
}
links = [line.split(":")[0].strip() for line in open("/proc/self/net/dev")][2:]
limits = {name: resource.getrlimit(getattr(resource, name))[0]
          for name in ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU")}
print(json.dumps({"found": found, "links": links, "limits": limits, "kept_by": kept_by,
                  "dumpable": ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="namespaces and limits are of Linux")
@pytest.mark.parametrize("which", ["whole", "half"])
def test_what_a_process_may_not_do(which: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-I", "-c", TRIES, which], capture_output=True, check=True, timeout=60
    )
    said = json.loads(ran.stdout)
    assert said["found"] == {
        **dict.fromkeys(
            ("socket", "pair", "name", "run", "system", "fork", "spawn", "exec"), "PermissionError"
        ),
        "url": said["found"]["url"], "memory": "MemoryError", "more": "ValueError",
    }  # fmt: skip
    assert said["found"]["url"] != "done"
    assert said["limits"] == {"RLIMIT_AS": 4 << 30, "RLIMIT_CORE": 0, "RLIMIT_CPU": 60}
    assert said["dumpable"] == 0
    if said["kept_by"] == "namespace":
        assert said["links"] == ["lo"]


def test_the_environment_stays_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSWORD", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    monkeypatch.setenv("PYTHONSTARTUP", "/somewhere")
    kept = environment()
    assert {"PATH", "OMP_NUM_THREADS"} <= set(kept)
    assert not {"PASSWORD", "HTTPS_PROXY", "PYTHONPATH", "PYTHONSTARTUP", "HOME"} & set(kept)


def task_for(world: World, holder: int, **changed: Any) -> tuple[dict[str, Any], bytes]:
    """Make the request with which a node begins a task of one holder."""
    parties = Parties.read(world.agreement)
    question = asked("crosstab", CROSSTAB)
    schema = parties.schema(question.columns)
    table = Table.of(world.parts[holder][list(schema.names)], schema)
    said, data = spelt_snapshot(Snapshot.of(table, schema.names))
    return {
        "do": "join", "snapshot": said, "question": question.model_dump(mode="json"),
        "schema": schema.model_dump(mode="json"), "sites": ["holder_1"], "recipient_holds": False,
        "floors": PRESETS["snds-11"].model_dump(mode="json"), "own_floors": None,
        "memory": str(changed.pop("memory")), "commitment": "0" * 64, "secret": None,
        "epsilon": None, "beside": {"accept": []}, "masked": False, "name": "holder_1",
        "run": "0/1", **changed,
    }, data  # fmt: skip


@pytest.fixture
def workers() -> Iterator[Callable[..., Workers]]:
    made: list[Workers] = []

    def make(*given: Any, **named: Any) -> Workers:
        made.append(Workers(COMPUTES, *given, **named))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_a_task_of_its_own(world: World, workers: Callable[..., Workers], tmp_path: Path) -> None:
    """What one task had is gone with it; keys of two tasks differ; the count is right."""
    several = workers(ENOUGH, 60)
    keys = []
    for number in range(3):
        worker = several.take()
        said, data = task_for(world, 0, memory=tmp_path / "released.bin", masked=True)
        keys.append(worker.ask(said, data)["public"])
        said, data = task_for(world, 0, memory=tmp_path / "released.bin")
        assert worker.ask(said, data) == {"public": None}
        answer = worker.ask({"do": "part", "others": {}})
        assert "payload" in answer, answer
        several.give(worker, good=True)
        worker = several.take()
        assert worker.ask({"do": "part", "others": {}}) == {
            "declined": "exchange", "reasons": ["order"]
        }, number  # fmt: skip
        several.give(worker, good=True)
    assert len(set(keys)) == 3


def test_a_task_that_takes_more_memory(workers: Callable[..., Workers], tmp_path: Path) -> None:
    """It is declined, and the next one is done."""
    n = 3_000_000
    schema = Schema(columns=[Column(name=name, kind="number") for name in "abc"])
    column = np.arange(n, dtype=float)
    said, data = spelt_snapshot(Snapshot(schema, dict.fromkeys("abc", column), n))
    question = Question.of({"analysis": {"id": "means", "columns_of": ["a", "b", "c"]}})
    several = workers(320 << 20, 60)
    worker = several.take()
    join = {
        "do": "join", "snapshot": said, "question": question.model_dump(mode="json"),
        "schema": schema.model_dump(mode="json"), "sites": ["holder_1"], "recipient_holds": False,
        "floors": PRESETS["snds-11"].model_dump(mode="json"), "own_floors": None,
        "memory": str(tmp_path / "released.bin"), "commitment": "0" * 64, "secret": None,
        "epsilon": None, "beside": {"accept": []}, "masked": False, "name": "holder_1",
        "run": "0/1",
    }  # fmt: skip
    answer = worker.ask(join, data)
    if "declined" not in answer:
        answer = worker.ask({"do": "part", "others": {}})
    assert answer["declined"] == "resources"
    several.give(worker, good=False)
    assert several.take().ask({"do": "part", "others": {}})["declined"] == "exchange"
    several.close()
    assert not list(tmp_path.glob("core*"))


def test_a_process_that_takes_too_long() -> None:
    worker = Worker(COMPUTES, ENOUGH, 60, "keep")
    try:
        worker.begin()
        assert worker.ask({"do": "part", "others": {}})["declined"] == "exchange"
        worker._seconds = 0.2  # type: ignore[assignment]
        os.kill(worker._process.pid, signal.SIGSTOP)
        with pytest.raises(StoppedError, match="took too long"):
            worker.ask({"do": "part", "others": {}})
    finally:
        worker.close()
    assert worker._process.returncode == -9


NOISY = """
import os, sys
import sosie.insitu.node._inside as inside
def answer(self, said, data):
    print("printed by a library" * 1000)
    os.write(1, b"written by a library")
    sys.stderr.write("warned")
    return {"answer": said["do"]}
inside.Inside.answer = answer
sys.argv = ["", str(4 << 30), "0", "keep"]
inside.main()
"""


def test_what_libraries_print_is_not_in_frames() -> None:
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", NOISY], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    for said in ({"do": "begin"}, {"do": "one"}, {"do": "two"}):
        write_frame(process.stdin, said)  # type: ignore[arg-type]
    found = [read_frame(process.stdout) for _ in range(3)]  # type: ignore[arg-type]
    out, err = process.communicate(timeout=20)
    assert [one[0] for one in found if one][1:] == [{"answer": "one"}, {"answer": "two"}]
    assert (out, err) == (b"", b"")


def test_what_computes_has_loaded_neither_network_nor_keys() -> None:
    """What is not there cannot be misused, and takes no memory."""
    program = (
        "import sosie.insitu.node._inside, sosie.insitu._question, sosie.insitu._task, "
        "sosie.insitu.gate, sys; print(*sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-I", "-c", program], env=environment(), capture_output=True, check=True
    )
    loaded = set(ran.stdout.decode().split())
    assert "sosie.insitu.gate" in loaded
    assert not {"ssl", "urllib3", "polars", "sosie.insitu.exchange", "sosie.trust._keys"} & loaded


def test_frames_that_are_cut() -> None:
    whole = io.BytesIO()
    write_frame(whole, {"a": "é"}, b"data")
    data = whole.getvalue()
    assert read_frame(io.BytesIO(data)) == ({"a": "é"}, b"data")
    for cut in range(len(data)):
        assert read_frame(io.BytesIO(data[:cut])) is None


def test_a_table_is_read_in_a_process_that_ends(world: World, tmp_path: Path) -> None:
    schema = Parties.read(world.agreement).schema(["age", "horTh"])
    frozen, sha256, content = read_snapshot(world.data("holder_1"), schema)
    found = snapshot_in(*frozen.spelt(["age", "horTh"]))
    assert len(frozen) == len(found) == len(world.parts[0])
    assert found.numbers("age").sum() == world.parts[0]["age"].sum()
    assert (len(sha256), len(content)) == (64, 64)
    bad = tmp_path / "bad.csv"
    bad.write_text("age,horTh\nfifty-one and a half,yes\n")
    with pytest.raises(DataError, match=r"bad\.csv") as raised:
        read_snapshot(bad, schema)
    assert "fifty" not in str(raised.value), "no value of a person in an error"
    assert "\n" not in str(raised.value)


@pytest.fixture
def real(connected: Callable[..., Network], monkeypatch: pytest.MonkeyPatch) -> Network:
    """A network whose nodes compute in processes of their own."""
    network = connected()
    monkeypatch.setattr(_node, "Workers", Workers)
    network.start()
    return network


def test_nodes_with_real_processes(real: Network) -> None:
    """The same answer as in one process; a process that is killed ends its task, not its node."""
    answer = real.ask("crosstab", **CROSSTAB)
    assert answer.values["n"] == len(real.world.pooled)
    joined = real.ledger("holder_1", "joined")
    assert {line["content"]["network"] for line in joined} <= {"namespace", "hook"}
    task = real.analyst().send(asked("logistic", LOGISTIC))
    real.turn(2)
    taken = real.nodes["holder_1"]._taken
    assert taken is not None
    os.killpg(taken.worker._process.pid, signal.SIGKILL)
    assert real.ended(task) == "failed"
    with pytest.raises(DataError, match="more memory or time than a holder grants"):
        real.analyst().fetch(task, wait=0)
    assert ["resources", "stopped"] in real.refusals("holder_1")
    assert real.ask("crosstab", **CROSSTAB)
    pids = [
        node._workers._spare._process.pid for node in real.nodes.values() if node._workers._spare
    ]
    for name in list(real.nodes):
        real.kill(name)
    time.sleep(0.05)
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
