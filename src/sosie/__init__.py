"""Share what personal data teach without sharing the persons."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sosie.errors import DataError, ParameterError, SchemaError, SosieError, TrustError
    from sosie.evidence import Evidence, adjusted_effect, assess, prognostic_score, rehearse
    from sosie.generators import Avatar
    from sosie.generators.artificial import RHVAE, ImageRHVAE, JointRHVAE
    from sosie.table import Schema, Table

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

_ROOM_OF = {
    "RHVAE": "generators.artificial",
    "ImageRHVAE": "generators.artificial",
    "JointRHVAE": "generators.artificial",
    "Avatar": "generators",
    "DataError": "errors",
    "Evidence": "evidence",
    "ParameterError": "errors",
    "Schema": "table",
    "SchemaError": "errors",
    "SosieError": "errors",
    "Table": "table",
    "TrustError": "errors",
    "adjusted_effect": "evidence",
    "assess": "evidence",
    "prognostic_score": "evidence",
    "rehearse": "evidence",
}


def __getattr__(name: str) -> Any:
    # Rooms are entered when they are needed: `sosie --version` need not wait for faiss.
    if name in _ROOM_OF:
        return getattr(import_module(f"sosie.{_ROOM_OF[name]}"), name)
    raise AttributeError(f"module 'sosie' has no attribute {name!r}")
