"""JSON Schemas of every document of this room, published in ``schemas`` beside it."""

import json
from typing import Any

from pydantic import BaseModel

from sosie.trust._agreement import Agreement
from sosie.trust._certificate import Certificate
from sosie.trust._charter import Charter
from sosie.trust._ledger import Line
from sosie.trust._ledger_check import Checkpoint

__all__ = ["DOCUMENTS", "schema_of"]

DOCUMENTS: dict[str, type[BaseModel]] = {
    "agreement": Agreement,
    "certificate": Certificate,
    "charter": Charter,
    "checkpoint": Checkpoint,
    "ledger-line": Line,
}
"""The documents by the names of their schemas."""


def schema_of(document: str) -> str:
    """Give the JSON Schema (2020-12) of a document, as it is published.

    Examples
    --------
    >>> json.loads(schema_of("charter"))["title"]
    'Charter'
    """
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    schema |= _plain(DOCUMENTS[document].model_json_schema())
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def _plain(value: Any) -> Any:
    """Leave out the examples of Python, which say nothing to other languages."""
    if isinstance(value, dict):
        kept = {key: _plain(part) for key, part in value.items()}
        if isinstance(kept.get("description"), str):
            kept["description"] = kept["description"].partition("\n\nExamples\n")[0]
        return kept
    return [_plain(part) for part in value] if isinstance(value, list) else value
