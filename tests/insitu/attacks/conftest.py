"""A holder without a gate, on which each attack succeeds, and one with sosie's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sosie.insitu import Cleared, Gate, HubTask, NodeTask, Question, Refused, Result, SecureSum
from sosie.insitu._task import _secures
from sosie.insitu.gate import total_of
from sosie.insitu.gate._secure_sum import as_words
from sosie.insitu.gate._wire import spelt
from sosie.table import Schema, Table
from sosie.trust import PRESETS, Floors

OPEN = Floors(
    min_cell=1, zero_discloses=False, round_to=1, max_share=1, max_share_of_two=1, min_degrees=1,
    max_parameters=1, max_leverage=1, min_holders=1,
)  # fmt: skip


class NoGate(Gate):
    """Lets everything out, as a holder does that only computes what it is asked."""

    def __init__(self) -> None:
        super().__init__(OPEN)

    def part(self, part, *, question, turn, secure=None, totals="", **_):
        arrays = {}
        for name, one in part.arrays.items():
            words = as_words(one.values)
            if secure is not None:
                words = secure.masked(words, turn, name, totals)
            arrays[name] = (one.values.shape, words)
        return Cleared(spelt(arrays, question, turn, 1), (), part)


@dataclass
class Victim:
    """One holder, and all that an analyst or a hub can do with it.

    Attributes
    ----------
    frame : DataFrame
        Its rows, which the adversary does not see.
    gate : Gate
    seen : list of Total
        What left, round by round, of the last question.
    """

    frame: pd.DataFrame
    schema: Schema
    gate: Gate
    refusals: int = 0

    def __post_init__(self) -> None:
        self.table = Table.of(self.frame, self.schema)
        self.seen: list[Any] = []

    def question(self, analysis, derive=()) -> Question:
        return Question.of({"analysis": analysis, "derive": list(derive)})

    def node(self, analysis, derive=()) -> tuple[NodeTask, HubTask]:
        asked = self.question(analysis, derive)
        node = NodeTask(asked, self.table, self.schema, self.gate, holders=1)
        return node, HubTask(asked, self.schema, 1)

    def ask(self, analysis, derive=()) -> Result | None:
        """Ask; None where it is refused."""
        asked = self.question(analysis, derive)
        node, hub = self.node(analysis, derive)
        self.seen = []
        try:
            while True:
                part = node.part().payload
                self.seen.append(total_of(part, asked.sha256, len(self.seen)))
                found = hub.add([part])
                if isinstance(found, Result):
                    return found
                node.advance(found)
        except Refused:
            self.refusals += 1
            return None


@pytest.fixture
def victims(gbsg2):
    """The same rows behind no gate, and behind sosie's with its default floors."""

    def made(frame=None, schema=None, **gate):
        frame = gbsg2.pooled if frame is None else frame
        schema = schema or gbsg2.schema
        return (
            Victim(frame, schema, NoGate()),
            Victim(frame, schema, Gate(PRESETS["snds-11"], **gate)),
        )

    return made


@dataclass
class Round:
    """Three holders, and a hub that may say what it likes."""

    question: Question
    nodes: list[NodeTask]
    turn: int = 0

    @classmethod
    def of(cls, holders, analysis, gate, *, masked=True) -> "Round":
        question = Question.of({"analysis": analysis})
        secures: list[SecureSum | None] = _secures(len(holders.parts)) if masked else [None] * 9
        nodes = [
            NodeTask(
                question, table, holders.schema, gate(), holders=len(holders.parts), secure=secure
            )
            for table, secure in zip(holders.tables, secures, strict=False)
        ]
        return cls(question, nodes)

    def parts(self) -> list[bytes]:
        return [node.part().payload for node in self.nodes]


@pytest.fixture
def rounds(gbsg2):
    def made(analysis, gate=Gate, *, masked=True):
        return Round.of(gbsg2, analysis, gate, masked=masked)

    return made


@pytest.fixture
def no_gate():
    return NoGate


@pytest.fixture
def rng():
    return np.random.default_rng(11)
