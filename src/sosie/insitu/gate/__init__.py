"""The one gate through which results leave, and what it checks."""

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.insitu.gate._cell_key import CellKey
    from sosie.insitu.gate._checks import Verdict, holders_suffice
    from sosie.insitu.gate._gate import MOST_REFUSALS, Cleared, Gate
    from sosie.insitu.gate._holders import holders_apart
    from sosie.insitu.gate._judgement import MOST_TOLD, Judgement, Measure, TooMuchError
    from sosie.insitu.gate._memory import Memory
    from sosie.insitu.gate._path import Path
    from sosie.insitu.gate._records import forgive, mend
    from sosie.insitu.gate._refused import REFUSED, Refused
    from sosie.insitu.gate._secure_sum import SecureSum
    from sosie.insitu.gate._wire import added, total_of
else:
    # Who passes parts on needs the words of a refusal, and nothing that computes.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "_cell_key": "CellKey",
            "_checks": "Verdict holders_suffice",
            "_gate": "MOST_REFUSALS Cleared Gate",
            "_holders": "holders_apart",
            "_judgement": "MOST_TOLD Judgement Measure TooMuchError",
            "_memory": "Memory",
            "_path": "Path",
            "_records": "forgive mend",
            "_refused": "REFUSED Refused",
            "_secure_sum": "SecureSum",
            "_wire": "added total_of",
        },
    )

__all__ = [
    "MOST_REFUSALS",
    "MOST_TOLD",
    "REFUSED",
    "CellKey",
    "Cleared",
    "Gate",
    "Judgement",
    "Measure",
    "Memory",
    "Path",
    "Refused",
    "SecureSum",
    "TooMuchError",
    "Verdict",
    "added",
    "forgive",
    "holders_apart",
    "holders_suffice",
    "mend",
    "total_of",
]
