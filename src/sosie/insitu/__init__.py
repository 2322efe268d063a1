"""Process without exporting: the question travels, the rows stay, a checked answer leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.insitu._analysis import Analysis
    from sosie.insitu._derive import Cut, Derivation, Indicator, Log, Ratio, Recode
    from sosie.insitu._question import Question
    from sosie.insitu._result import Result
    from sosie.insitu._snapshot import Snapshot
    from sosie.insitu._task import HubTask, NodeTask, run_in_place
    from sosie.insitu.analyst import connect
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
else:
    # A process that computes has no business with a network, and one that passes messages on
    # none with the catalogue.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "_analysis": "Analysis",
            "_derive": "Cut Derivation Indicator Log Ratio Recode",
            "_question": "Question",
            "_result": "Result",
            "_snapshot": "Snapshot",
            "_task": "HubTask NodeTask run_in_place",
            "analyst": "connect",
            "gate": "REFUSED CellKey Cleared Gate Memory Refused SecureSum Verdict",
        },
    )

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
