"""Share what personal data teach without sharing the persons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.errors import DataError, ParameterError, SchemaError, SosieError, TrustError
    from sosie.evidence import Evidence, adjusted_effect, assess, prognostic_score, rehearse
    from sosie.generators import Avatar
    from sosie.generators.artificial import RHVAE, ImageRHVAE, JointRHVAE
    from sosie.table import Schema, Table
else:
    # Rooms are entered when they are needed: `sosie --version` need not wait for faiss.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "errors": "DataError ParameterError SchemaError SosieError TrustError",
            "evidence": "Evidence adjusted_effect assess prognostic_score rehearse",
            "generators": "Avatar",
            "generators.artificial": "RHVAE ImageRHVAE JointRHVAE",
            "table": "Schema Table",
        },
    )

__all__ = [
    "RHVAE",
    "Avatar",
    "DataError",
    "Evidence",
    "ImageRHVAE",
    "JointRHVAE",
    "ParameterError",
    "Schema",
    "SchemaError",
    "SosieError",
    "Table",
    "TrustError",
    "adjusted_effect",
    "assess",
    "prognostic_score",
    "rehearse",
]
