"""What a node serves: a table, frozen, and what the holder gave beside it."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any

from sosie.errors import DataError, TrustError
from sosie.insitu.exchange._parties import described
from sosie.insitu.node._beside import read_beside, spelt_beside
from sosie.insitu.node._reading import file_sha256, read_snapshot
from sosie.insitu.node._received import DeclinedError
from sosie.table import CODED, Kind, Schema
from sosie.trust._opening import committed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sosie.insitu._outline import Outline
    from sosie.insitu.exchange._parties import Parties
    from sosie.trust import Key
    from sosie.trust._clauses import ColumnAgreed

__all__ = ["Served", "agreed_schema", "commitment_of"]

_READABLE = (*CODED, Kind.NUMBER, Kind.INTEGER, Kind.DATE, Kind.DATETIME)


def commitment_of(key: Key, content: str) -> str:
    """Commit to the content of a snapshot: only who has the key can make it, or check a guess."""
    nonce = hmac.new(key.seed, b"sosie snapshot 1", "sha256").hexdigest()
    return committed(nonce, "snapshot", content)


def agreed_schema(columns: Iterable[ColumnAgreed]) -> Schema:
    """Say what the columns of a data set mean, those of which the agreement tells the kind."""
    return Schema(columns=[described(one) for one in columns if one.kind is not None])


class Served:
    """A holder's data set under one agreement, as it was when the node started.

    Parameters
    ----------
    parties : Parties
    key : Key
        Of the holder.
    data : Path
        The table.
    synthetic, control : Path or None
        What is judged in place, and against whom.

    Attributes
    ----------
    commitment : str
        What the agreement may have as the snapshot of this data set.
    told : dict of str to str
        Of it, what the ledger of the node says when it starts.

    Raises
    ------
    TrustError
        If the agreement does not allow it, or other data were agreed on.
    DataError
        If a file does not hold what the agreement says.
    """

    def __init__(
        self,
        parties: Parties,
        key: Key,
        data: Path,
        synthetic: Path | None = None,
        control: Path | None = None,
    ) -> None:
        refused = parties.agreement.allows()
        if refused:
            raise TrustError(refused[0].why)
        self._parties = parties
        self._path = data
        own = parties.data_set_of(parties.party_of(key.public))
        wanted = agreed_schema(own.columns)
        if not wanted.columns:
            raise TrustError(
                "The agreement says of no column of what kind it is; analyses in place need it."
            )
        self._table, self._sha256, content = read_snapshot(data, wanted)
        for column in wanted.columns:
            if column.kind in _READABLE and column.name not in self._table.schema:
                raise DataError(
                    f"{data}: column {column.name!r} is not of the kind that was agreed."
                )
        self._stat = self._stat_now()
        self.commitment = commitment_of(key, content)
        if own.snapshot is not None and not hmac.compare_digest(own.snapshot, self.commitment):
            raise TrustError(
                f"{data} is not the data set that was agreed on: its content has changed; serve "
                "that one, or have a new agreement signed."
            )
        # What an evidence is of: the columns that have numbers or labels.
        self._judged = wanted.only([one for one in wanted.names if one in self._table.schema])
        self._beside, others = read_beside(synthetic, control, self._judged, parties.signed, key)
        self.told = {"agreement": parties.signed.sha256, "snapshot": self.commitment}
        if synthetic is not None:
            self.told["synthetic"] = self._beside.sha256
        if control is not None:
            self.told["control"] = commitment_of(key, others)

    def check_former(self, commitment: str | None) -> None:
        """Refuse to serve other data than before under one agreement.

        Raises
        ------
        TrustError
        """
        if commitment not in (None, self.commitment):
            raise TrustError(
                f"{self._path} is not what this node served before: two snapshots under one "
                "agreement could be subtracted; serve that one, or have a new agreement signed "
                "and give another --state."
            )

    def check(self) -> None:
        """Look whether the file is still the one that was read.

        Raises
        ------
        DeclinedError
        """
        try:
            now = self._stat_now()
            if now != self._stat and file_sha256(self._path) != self._sha256:
                raise DeclinedError("snapshot", "changed")
        except DataError as error:
            raise DeclinedError("snapshot", "absent") from error
        self._stat = now

    def spelt(self, question: Outline) -> tuple[Schema, dict[str, Any], bytes]:
        """Spell what a question reads, and nothing else.

        Returns
        -------
        tuple of Schema, dict and bytes
            What the columns mean; snapshot and what is beside it, for a frame; their bytes.

        Raises
        ------
        DeclinedError
            If it needs what is not served.
        """
        schema = self._schema_of(question)
        names = [one for one in schema.names if one in self._table.schema]
        snapshot, data = self._table.spelt(names)
        beside, more = spelt_beside(self._beside, question.needs, names, len(data))
        return schema, {"snapshot": snapshot, "beside": beside}, data + more

    def _schema_of(self, question: Outline) -> Schema:
        """Say what is read: the columns of the question, or all that its synthetic table has."""
        if "synthetic" not in question.needs:
            return self._parties.schema(question.columns)
        if self._beside.synthetic is None:
            raise DeclinedError("synthetic", "absent")
        return self._judged.only(self._beside.synthetic.schema.names)

    def _stat_now(self) -> tuple[int, int, int]:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise DataError(f"{self._path} is not there any more.") from error
        return stat.st_mtime_ns, stat.st_size, stat.st_ino
