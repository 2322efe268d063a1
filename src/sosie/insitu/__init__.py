"""Process without exporting: the question travels, the rows stay, a checked answer leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand
from sosie.insitu._analysis import Analysis
from sosie.insitu._derive import Cut, Derivation, Indicator, Log, Ratio, Recode
from sosie.insitu._question import Question
from sosie.insitu._result import Result
from sosie.insitu._snapshot import Snapshot
from sosie.insitu._task import HubTask, NodeTask, run_in_place
from sosie.insitu.gate import (
    REFUSED,
    CellKey,
    Cleared,
    Gate,
    Memory,
    Refused,
    SecureSum,
    Verdict,
)

if TYPE_CHECKING:
    from sosie.insitu.analyst import connect
else:
    # A process that computes has no business with a network.
    __getattr__, __dir__ = on_demand(__name__, {"analyst": "connect"})

__all__ = [
    "REFUSED",
    "Analysis",
    "CellKey",
    "Cleared",
    "Cut",
    "Derivation",
    "Gate",
    "HubTask",
    "Indicator",
    "Log",
    "Memory",
    "NodeTask",
    "Question",
    "Ratio",
    "Recode",
    "Refused",
    "Result",
    "SecureSum",
    "Snapshot",
    "Verdict",
    "connect",
    "run_in_place",
]
