"""Evidence: what a synthetic table leaks and what it keeps."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from sosie._on_demand import on_demand
from sosie.errors import SosieError

if any(find_spec(library) is None for library in ("lifelines", "sklearn", "statsmodels")):
    raise SosieError("Evidence needs more libraries; install them: pip install 'sosie[evidence]'.")

if TYPE_CHECKING:
    from sosie.evidence._assess import OPEN_RELEASE, THRESHOLD, assess
    from sosie.evidence._evidence import Evidence
    from sosie.evidence._finding import Criterion, Finding, Verdict
    from sosie.evidence._prognostic import AdjustedEffect, adjusted_effect, prognostic_score
    from sosie.evidence._rehearse import rehearse
    from sosie.evidence._tune import Tuning, tune
else:
    # Who reads evidence, or shows cases to raters, needs none of the attacks.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "_assess": "OPEN_RELEASE THRESHOLD assess",
            "_evidence": "Evidence",
            "_finding": "Criterion Finding Verdict",
            "_prognostic": "AdjustedEffect adjusted_effect prognostic_score",
            "_rehearse": "rehearse",
            "_tune": "Tuning tune",
        },
    )

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
