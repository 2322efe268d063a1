"""Programs and processes are small: they load no library, and no column, that they do not need."""

import pickle
import subprocess
import sys

import numpy as np
import pytest

from sosie.errors import ParameterError
from sosie.insitu import Gate, NodeTask, Question, Snapshot

TASK = """
import pickle, sys
question, snapshot, schema = pickle.load(sys.stdin.buffer)
from sosie.insitu import Gate, NodeTask
part = NodeTask(question, snapshot, schema, Gate(), holders=1).part()
heavy = {"polars", "narwhals", "pandas", "scipy", "faiss", "jax", "typer"} & set(sys.modules)
peak = 0
if sys.platform == "linux":
    # Not getrusage: a child's peak there is never less than its parent's was when it began.
    lines = open("/proc/self/status").read().splitlines()
    peak = next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))
print(part.sha256, peak, *sorted(heavy))
"""


@pytest.mark.parametrize(
    "asked",
    [
        {"id": "crosstab", "row": "tgrade", "column": "horTh"},
        {"id": "cox", "duration": "time", "event": "cens", "formula": "age + tgrade"},
    ],
)
def test_a_task_needs_little(gbsg2, asked):
    question, table = Question.of({"analysis": asked}), gbsg2.tables[0]
    snapshot = Snapshot.of(table, question.columns)
    data = pickle.dumps((question, snapshot, gbsg2.schema))
    ran = subprocess.run(
        [sys.executable, "-c", TASK], input=data, capture_output=True, check=True, timeout=60
    )
    sha256, peak, *heavy = ran.stdout.decode().split()
    assert int(peak) <= 60, "megabytes"
    assert heavy == []
    whole = NodeTask(question, table, gbsg2.schema, Gate(), holders=1).part()
    assert sha256 == whole.sha256


def test_a_snapshot_has_no_other_column(gbsg2):
    table = gbsg2.tables[0]
    kept = Snapshot.of(table, ["age", "tgrade", "absent"])
    np.testing.assert_array_equal(kept.numbers("age"), table.numbers("age"))
    np.testing.assert_array_equal(kept.codes("tgrade"), table.codes("tgrade"))
    for bad in ("time", "absent"):
        with pytest.raises(ParameterError):
            kept.numbers(bad)
    with pytest.raises(ParameterError, match="no labels"):
        kept.codes("age")
    with pytest.raises(ParameterError, match="no numbers"):
        kept.numbers("tgrade")


STAYS_UP = """
import sys
import sosie.cli._{0}
{1}
heavy = ("numpy", "polars", "scipy", "pandas", "sosie.insitu.catalogue", "sosie.insitu._task")
print(*[name for name in heavy if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("what", "needs"),
    [
        ("hub", "from sosie.insitu.hub import Hub, Reckoner, Store, _serve"),
        (
            "node",
            "from sosie.insitu.exchange import Drop, Http\nfrom sosie.insitu.node import Node",
        ),
    ],
)
def test_what_stays_up_computes_nothing(what, needs):
    """Catalogue and arrays are in the processes that compute, of which each is made to be ended."""
    program = STAYS_UP.format(what, needs)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("", "")
