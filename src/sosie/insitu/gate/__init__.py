"""The one gate through which results leave, and what it checks."""

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
