"""Evidence: what a synthetic table leaks and what it keeps."""

from importlib.util import find_spec

from sosie.errors import SosieError

if any(find_spec(library) is None for library in ("lifelines", "sklearn", "statsmodels")):
    raise SosieError("Evidence needs more libraries; install them: pip install 'sosie[evidence]'.")

from sosie.evidence._assess import OPEN_RELEASE, THRESHOLD, assess
from sosie.evidence._evidence import Evidence
from sosie.evidence._finding import Criterion, Finding, Verdict
from sosie.evidence._prognostic import AdjustedEffect, adjusted_effect, prognostic_score
from sosie.evidence._rehearse import rehearse
from sosie.evidence._tune import Tuning, tune

__all__ = [
    "OPEN_RELEASE",
    "THRESHOLD",
    "AdjustedEffect",
    "Criterion",
    "Evidence",
    "Finding",
    "Tuning",
    "Verdict",
    "adjusted_effect",
    "assess",
    "prognostic_score",
    "rehearse",
    "tune",
]
