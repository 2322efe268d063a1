"""An agreement and its signatures, in one file."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from sosie.errors import TrustError
from sosie.table import whole_file
from sosie.trust._agreement import AGREEMENT, Agreement
from sosie.trust._allowed import Refusal
from sosie.trust._canonical import LARGEST, canonical, strict_json
from sosie.trust._clauses import Party
from sosie.trust._envelope import (
    Problem,
    add_signature,
    carried_keys,
    opened,
    payload_of,
    seal,
)
from sosie.trust._keys import Key, PublicKey

__all__ = ["SignedAgreement", "differences", "sign_agreement"]


@dataclass(frozen=True)
class SignedAgreement:
    """An agreement as its holders signed it.

    Attributes
    ----------
    agreement : Agreement
    sha256 : str
        Of the signed document, in hexadecimal: the same whoever signs.
    signers : list of PublicKey
        Parties whose signatures hold.
    missing : list of str
        Names of the holders who have not signed.
    problems : list of Problem
        Of the other signatures.
    vouched : bool
        Whether the reader gave the keys that he trusts. Otherwise the keys are those that the
        file carries: it was not changed since it was signed, but by whom is only its own word.
    """

    agreement: Agreement
    sha256: str
    signers: list[PublicKey]
    missing: list[str]
    problems: list[Problem]
    vouched: bool

    @property
    def holds(self) -> bool:
        """Whether every holder signed and no signature is wrong."""
        return not self.missing and not any(problem.fatal for problem in self.problems)

    @classmethod
    def of(
        cls,
        envelope: Any,
        keys: Mapping[str, PublicKey] | None = None,
        *,
        on: dt.date | None = None,
    ) -> Self:
        """Open a signed agreement.

        Parameters
        ----------
        envelope : dict
            As :func:`sign_agreement` makes it.
        keys : mapping of str to PublicKey, optional
            Those trusted; those that the envelope carries where not given.
        on : date, optional
            The day on which the keys must not have expired; today where not given.

        Raises
        ------
        TrustError
            If it is no signed agreement.
        """
        agreement = _agreement_in(envelope)
        found = opened(envelope, carried_keys(envelope) if keys is None else keys, AGREEMENT, on=on)
        signers, problems = [], list(found.problems)
        for key in found.signers:
            if _party_of(agreement, key) is None:
                why = f"{key.name} signed and is no party of the agreement; it does not count."
                problems.append(Problem("no party", key.id, why, fatal=False))
            else:
                signers.append(key)
        parties = [_party_of(agreement, key) for key in signers]
        missing = [holder.name for holder in agreement.holders if holder not in parties]
        return cls(agreement, agreement.sha256, signers, missing, problems, keys is not None)

    @classmethod
    def read(
        cls,
        path: str | Path,
        keys: Mapping[str, PublicKey] | None = None,
        *,
        on: dt.date | None = None,
    ) -> Self:
        """Read ``agreement.json``.

        Raises
        ------
        TrustError
            If there is no such file, or it is no signed agreement.
        """
        path = Path(path)
        content = _content_of(path)
        try:
            return cls.of(strict_json(content), keys, on=on)
        except TrustError as error:
            raise TrustError(f"{path}: {error}") from error

    def refuses(self, **asked: Any) -> list[Refusal]:
        """List what is not allowed, as :meth:`Agreement.allows`; signatures come first."""
        fatal = [problem for problem in self.problems if problem.fatal]
        found = [Refusal("signature", problem.why) for problem in fatal]
        found += [
            Refusal("signature", f"{name} holds data and has not signed the agreement.")
            for name in self.missing
        ]
        return found + self.agreement.allows(**asked)


def sign_agreement(agreement: Agreement, key: Key, out: str | Path) -> SignedAgreement:
    """Sign an agreement, or add a signature where another party signed it before.

    Parameters
    ----------
    agreement : Agreement
    key : Key
        Of one of the parties.
    out : str or Path
        The file to make; if it exists it must hold the same agreement.

    Raises
    ------
    TrustError
        If a field is not filled in, the key is of no party, it signed before or has expired, or
        the file holds another agreement.
    DataError
        If the file cannot be written.
    """
    out = Path(out)
    if unfilled := agreement.unfilled():
        raise TrustError(f"The agreement is not filled in: {', '.join(unfilled)}.")
    if _party_of(agreement, key.public) is None:
        listed = ", ".join(party.name for party in agreement.parties)
        raise TrustError(f"The key of {key.name!r} is of none of the parties: {listed}.")
    if out.exists():
        envelope = strict_json(_content_of(out))
        former = _agreement_in(envelope)
        if changed := differences(former.content(), agreement.content()):
            raise TrustError(
                f"{out} was signed and differs from the agreement given, at "
                f"{', '.join(changed[:5])}; sign what was signed, or begin a new file."
            )
        envelope = add_signature(envelope, key, carry=True)
    else:
        envelope = seal(agreement.canonical(), AGREEMENT, [key], carry=True)
    signed = SignedAgreement.of(envelope)
    if any(problem.fatal for problem in signed.problems):
        raise TrustError(f"{out}: {signed.problems[0].why}")
    with whole_file(out) as file:
        file.write(canonical(envelope) + b"\n")
    return signed


def differences(one: Any, other: Any) -> list[str]:
    """Name the places where two documents differ.

    Examples
    --------
    >>> differences({"a": [1, {"b": 2}], "c": 1}, {"a": [1, {"b": 3}]})
    ['a.2.b', 'c']
    """
    return list(_differences(one, other, ""))


def _differences(one: Any, other: Any, where: str) -> Iterator[str]:
    def below(step: object) -> str:
        return f"{where}.{step}" if where else str(step)

    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            if key in one and key in other:
                yield from _differences(one[key], other[key], below(key))
            else:
                yield below(key)
    elif isinstance(one, list) and isinstance(other, list):
        for place in range(max(len(one), len(other))):
            if place < len(one) and place < len(other):
                yield from _differences(one[place], other[place], below(place + 1))
            else:
                yield below(place + 1)
    elif type(one) is not type(other) or one != other:
        yield where or "the whole"


def _content_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        raise TrustError(f"{path} does not exist; check its name.") from None
    except OSError as error:
        raise TrustError(f"{path} could not be read ({error.strerror}).") from error


def _agreement_in(envelope: Any) -> Agreement:
    payload = payload_of(envelope, AGREEMENT)
    agreement = Agreement.of(strict_json(payload))
    if agreement.canonical() != payload:
        raise TrustError("The agreement in it is not spelt in the one canonical way.")
    return agreement


def _party_of(agreement: Agreement, key: PublicKey) -> Party | None:
    """Find the party for which a key signs."""
    for party in agreement.parties:
        if party.key == key.id or (party.key is None and party.name == key.name):
            return party
    return None
