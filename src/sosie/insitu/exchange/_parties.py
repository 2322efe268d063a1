"""Who may say what under an agreement, and what its columns mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sosie.errors import TrustError
from sosie.table import CODED, Column, Schema
from sosie.trust import Refusal, SignedAgreement
from sosie.trust._names import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sosie.insitu._outline import Outline
    from sosie.trust import Agreement, PublicKey
    from sosie.trust._clauses import ColumnAgreed, DataSet

__all__ = ["Parties"]


@dataclass(frozen=True)
class Parties:
    """An agreement that is signed by all who hold data, and the keys of its parties.

    Attributes
    ----------
    signed : SignedAgreement
    keys : dict of str to PublicKey
        By the id of the party.
    vouched : bool
        Whether every key is either named in what was signed, or given by the reader; a key that
        the file alone carries says itself whose it is.
    """

    signed: SignedAgreement
    keys: dict[str, PublicKey]
    vouched: bool

    @classmethod
    def read(cls, path: Path, trusted: Mapping[str, PublicKey] | None = None) -> Self:
        """Read a signed agreement.

        Parameters
        ----------
        path : Path
        trusted : mapping of str to PublicKey, optional
            By their identifiers; those that the file carries where not given.

        Raises
        ------
        TrustError
            If it is not signed by every holder, or was changed.
        """
        signed = SignedAgreement.read(path, trusted)
        return cls.of(signed, trusted)

    @classmethod
    def of(cls, signed: SignedAgreement, trusted: Mapping[str, PublicKey] | None = None) -> Self:
        """Take the keys of the parties: of those who signed, and of those given.

        Raises
        ------
        TrustError
            If it is not signed by every holder, or was changed.
        """
        broken = [one for one in signed.refuses() if one.item == "signature"]
        if broken:
            raise TrustError(broken[0].why)
        known = {key.id: key for key in (*(trusted or {}).values(), *signed.signers)}
        keys: dict[str, PublicKey] = {}
        for party in signed.agreement.parties:
            mine = [
                key
                for key in known.values()
                if party.key == key.id or (party.key is None and party.name == key.name)
            ]
            if mine:
                keys[party.id] = mine[0]
        pinned = all(p.key is not None for p in signed.agreement.parties if p.id in keys)
        return cls(signed, keys, signed.vouched or pinned)

    @property
    def agreement(self) -> Agreement:
        """What was agreed."""
        return self.signed.agreement

    @property
    def hub(self) -> PublicKey:
        """The key of the trusted third party.

        Raises
        ------
        TrustError
            If there is none, or more than one.
        """
        hubs = [p for p in self.agreement.parties if "trusted_third_party" in p.roles]
        if len(hubs) != 1:
            raise TrustError(
                "Analyses in place need one party with the role trusted_third_party, which runs "
                f"the hub; the agreement has {len(hubs)}."
            )
        return self.key_of(hubs[0].id)

    @property
    def holders(self) -> tuple[str, ...]:
        """All who hold data under the agreement."""
        return tuple(dict.fromkeys(one.holder for one in self.agreement.data_sets))

    def key_of(self, party: str) -> PublicKey:
        """Give the key of a party.

        Raises
        ------
        TrustError
            If it did not sign the agreement and its key was not given.
        """
        if party not in self.keys:
            named = self.agreement.party_of(party)
            raise TrustError(
                f"The key of {named.name if named else party!r} is not known: have that party sign "
                "the agreement, or give its .pub file with --keys."
            )
        return self.keys[party]

    def party_of(self, key: PublicKey) -> str:
        """Tell for which party a key signs.

        Raises
        ------
        TrustError
            If for none.
        """
        for party in self.agreement.parties:
            if party.key == key.id or (party.key is None and party.name == key.name):
                return party.id
        raise TrustError(f"The key of {key.name!r} is of none of the parties of the agreement.")

    def data_set_of(self, party: str) -> DataSet:
        """Give what a holder holds.

        Raises
        ------
        TrustError
            If it holds none, or several: a node serves one.
        """
        held = [one for one in self.agreement.data_sets if one.holder == party]
        if len(held) != 1:
            raise TrustError(
                f"Party {party!r} holds {len(held)} data sets under the agreement; a node serves "
                "exactly one."
            )
        return held[0]

    def refuses(self, question: Outline, by: str) -> list[Refusal]:
        """List what the agreement does not allow of a question, and of the rows that it releases.

        Parameters
        ----------
        question : Outline
        by : str
            The party that asks.
        """
        # Also a column that the question does not read: who reads the answer would take one for
        # the other.
        taken = [
            Refusal("column", f"A column {name!r} exists already; name the new one else.")
            for name in question.made
            if any(name == c.name for one in self.agreement.data_sets for c in one.columns)
        ]
        return taken + self.signed.refuses(
            analysis=question.analysis, columns=question.columns, recipient=by,
            generator=question.generator, parameters=question.parameters,
        )  # fmt: skip

    def sites(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Name the holders of a question: all who agreed to all of its columns, never some.

        Raises
        ------
        TrustError
            If nobody did, naming the columns.
        """
        asked = set(columns)
        found = tuple(
            one.holder
            for one in self.agreement.data_sets
            if asked <= {column.name for column in one.columns}
        )
        if not found:
            known = {c.name for one in self.agreement.data_sets for c in one.columns}
            absent = sorted(asked - known) or sorted(asked)
            named = ", ".join(quoted(name) for name in absent[:5])
            raise TrustError(f"The agreement has no data set with {named}; nothing was asked.")
        return found

    def schema(self, columns: Iterable[str]) -> Schema:
        """Say what columns mean, alike at every holder.

        Raises
        ------
        TrustError
            If the agreement does not say it, or says different things of two data sets.
        """
        return Schema(columns=[self._column(name) for name in dict.fromkeys(columns)])

    def _column(self, name: str) -> Column:
        told = [c for one in self.agreement.data_sets for c in one.columns if c.name == name]
        if not told:
            raise TrustError(f"Column {name!r} is not in the agreement.")
        first = told[0]
        for other in told[1:]:
            if meaning(other) != meaning(first):
                raise TrustError(
                    f"Column {name!r} does not mean the same at all holders (kind, levels, "
                    "bounds or unit); the agreement must say it alike."
                )
        return described(first)


def meaning(column: ColumnAgreed) -> tuple[object, ...]:
    """Give what must be alike at all holders."""
    return column.kind, tuple(column.levels or ()), column.lower, column.upper, column.unit


def described(column: ColumnAgreed) -> Column:
    """Say what an agreed column means.

    Raises
    ------
    TrustError
        If the agreement does not.
    """
    name = column.name
    if column.kind is None:
        raise TrustError(
            f"The agreement does not say of what kind column {name!r} is; analyses in place need "
            "it (kind, and levels for labels)."
        )
    if column.kind in CODED and not column.levels:
        raise TrustError(f"The agreement does not list the levels of column {name!r}.")
    return Column(
        name=name,
        kind=column.kind,
        levels=list(column.levels or ()),
        lower=column.lower,
        upper=column.upper,
    )
