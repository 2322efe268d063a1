"""What a holder serves beside its table: a synthetic table of its own, and control persons."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from sosie.insitu._beside import Beside
from sosie.insitu.node._reading import read_snapshot

if TYPE_CHECKING:
    from pathlib import Path

    from sosie.insitu.node._frozen import Frozen
    from sosie.table import Schema
    from sosie.trust import Key, SignedAgreement

__all__ = ["read_beside", "spelt_beside"]


def read_beside(
    synthetic: Path | None, control: Path | None, schema: Schema, signed: SignedAgreement, key: Key
) -> tuple[Beside[Frozen], str]:
    """Read the files, and what the agreement asks of evidence.

    Parameters
    ----------
    synthetic, control : Path or None
    schema : Schema
        Of the columns that can be judged, as agreed.
    signed : SignedAgreement
    key : Key
        Of the holder: the seed of its avatars is made from it, alike for all questions, so that
        no number of them makes more avatars of one person than the first.

    Returns
    -------
    tuple of Beside and str
        With the hash of the content of the control; empty where there is none.

    Raises
    ------
    DataError
        If a file does not hold what the agreement says, or the synthetic one more than that.
    """
    made, digest, others, content = None, "", None, ""
    if synthetic is not None:
        made, digest, _ = read_snapshot(synthetic, schema, synthetic=True)
    if control is not None:
        others, _, content = read_snapshot(control, schema)
    asked = signed.agreement.evidence
    drawn = hmac.new(key.seed, b"sosie avatars 1" + signed.sha256.encode(), "sha256").digest()
    beside: Beside[Frozen] = Beside(
        synthetic=made, sha256=digest, control=others, threshold=asked.threshold,
        accept=tuple(asked.accept), effort=asked.effort,
        seed=int.from_bytes(drawn[:8], "big") >> 11,
    )  # fmt: skip
    return beside, content


def spelt_beside(
    beside: Beside[Frozen], needs: tuple[str, ...], names: list[str], start: int
) -> tuple[dict[str, Any], bytes]:
    """Spell what a question needs of it, after `start` bytes that go before."""
    said: dict[str, Any] = {
        "sha256": beside.sha256, "threshold": beside.threshold, "accept": list(beside.accept),
        "effort": beside.effort, "seed": beside.seed,
    }  # fmt: skip
    more = b""
    for name in needs:
        table: Frozen | None = getattr(beside, name)
        if table is not None:
            said[name], data = table.spelt(names, start + len(more))
            more += data
    return said, more
