"""What a certificate takes from an agreement, and whether the two say the same."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Literal

from sosie.errors import TrustError
from sosie.trust._certificate import Agreed, Article30, Certificate, Crossing, Party, Signer
from sosie.trust._item import Item
from sosie.trust._keys import encoded
from sosie.trust._signed import SignedAgreement, differences
from sosie.trust._vocabulary import iri_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from sosie.trust._agreement import Agreement
    from sosie.trust._allowed import Refusal
    from sosie.trust._clauses import Party as PartyAgreed
    from sosie.trust._judged import Judged
    from sosie.trust._keys import PublicKey

__all__ = [
    "agreed_of",
    "agreement_item",
    "article_30_of",
    "crossings_of",
    "party_of",
    "refusals_of",
    "signers_of",
    "unmet",
]

Asked = Literal["verdict", "threshold", "effort"]

_EFFORTS = ("quick", "standard", "thorough")
_SECURITY = ["synthetic_data", "in_place", "attacks_made", "signatures"]
_CALLED = {"n_factors": "ncp", "weights": "weight"}
"""What the settings of generators are called in an agreement."""


def agreed_of(signed: SignedAgreement) -> Agreed:
    """Tell of an agreement what a reader of the certificate needs."""
    agreement = signed.agreement
    charter = agreement.charter
    return Agreed(
        id=agreement.id,
        sha256=signed.sha256,
        title=agreement.title,
        parties=[Party(name=one.name, roles=list(one.roles)) for one in agreement.parties],
        purpose=agreement.purpose.description,
        purpose_terms=[iri_of("purposes", term) for term in agreement.purpose.terms],
        legal_basis=[iri_of("legal_bases", term) for term in agreement.legal_basis],
        uses=list(agreement.uses),
        recipients=[one.name for one in agreement.recipients],
        valid_from=agreement.validity.starts.isoformat(),
        valid_until=agreement.validity.ends.isoformat(),
        retention=agreement.retention,
        withdrawal=agreement.withdrawal,
        charter=f"{charter.name} {charter.version}" if charter else None,
    )


def article_30_of(agreement: Agreement) -> Article30:
    """Derive the line of the register of processing activities."""
    told = []
    for one in agreement.data_sets:
        categories = dict.fromkeys(column.category for column in one.columns)
        told.append(f"{one.persons} ({', '.join(categories)})")
    return Article30(
        controllers=[one.name for one in agreement.controllers],
        purposes=agreement.purpose.description,
        persons_and_data="; ".join(told),
        recipients=[one.name for one in agreement.recipients],
        transfers=agreement.transfers,
        erasure=agreement.retention,
        security=_SECURITY,
    )


def crossings_of(agreement: Agreement, columns: Iterable[str]) -> list[Crossing]:
    """List the crossings without which these columns could not be in one table."""
    used = set(columns)
    names = {one.id: {column.name for column in one.columns} for one in agreement.data_sets}
    if any(used <= own for own in names.values()):
        return []
    return [
        Crossing(sets=list(one.sets), on=list(one.on), how=one.how)
        for one in agreement.crossings
        if used <= set().union(*(names[name] for name in one.sets))
    ]


def party_of(agreement: Agreement, key: PublicKey) -> PartyAgreed | None:
    """Find the party for which a key signs."""
    for party in agreement.parties:
        if party.key == key.id or (party.key is None and party.name == key.name):
            return party
    return None


def signers_of(signed: SignedAgreement, issuer: PublicKey | None = None) -> list[Signer]:
    """List who must sign a certificate: holders, controllers; and who issues it, last.

    The keys are those that signed the agreement. A controller who did not is named, with the key
    that the agreement ties to it, if any.
    """
    agreement = signed.agreement
    known = {party.id: key for key in signed.signers if (party := party_of(agreement, key))}
    if issuer and (party := party_of(agreement, issuer)):
        known.setdefault(party.id, issuer)
    required = [
        one for one in agreement.parties if one in agreement.holders or one in agreement.controllers
    ]
    signers = [_signer(one, known.get(one.id)) for one in required]
    if issuer and all(one.key != issuer.id for one in signers):
        return [*signers, _of_key(issuer, required=False)]
    return sorted(signers, key=lambda one: issuer is not None and one.key == issuer.id)


def _signer(party: PartyAgreed, key: PublicKey | None) -> Signer:
    if key is None:
        return Signer(name=party.name, key=party.key, public=None, required=True)
    return _of_key(key, required=True)


def _of_key(key: PublicKey, *, required: bool) -> Signer:
    return Signer(name=key.name, key=key.id, public=encoded(key.raw), required=required)


def refusals_of(
    signed: SignedAgreement,
    columns: Iterable[str],
    generator: str | None,
    parameters: Mapping[str, Any],
    day: dt.date,
) -> list[Refusal]:
    """List what an agreement does not allow of a computation."""
    asked: dict[str, Any] = {"columns": columns, "date": day}
    found = []
    if generator is not None:
        asked |= {"generator": generator, "parameters": {}}
        for name, value in parameters.items():
            values = value.values() if isinstance(value, dict) else [value]
            for one in values:  # a weight a column: each must be allowed
                found += signed.agreement.allows(
                    generator=generator, parameters={_CALLED.get(name, name): one}, date=day
                )
    return list(dict.fromkeys([*signed.refuses(**asked), *found]))


def unmet(agreement: Agreement, judged: Judged) -> dict[Asked, tuple[str, str]]:
    """Tell what evidence shows less than the agreement asks: what was found, what is asked."""
    asked = agreement.evidence
    found: dict[Asked, tuple[str, str]] = {}
    if judged.verdict not in asked.accept:
        found["verdict"] = judged.verdict, ", ".join(asked.accept)
    if judged.threshold > asked.threshold:
        found["threshold"] = f"{judged.threshold:g}", f"{asked.threshold:g}"
    effort = judged.effort if judged.effort in _EFFORTS else _EFFORTS[0]
    if _EFFORTS.index(effort) < _EFFORTS.index(asked.effort):
        found["effort"] = judged.effort, asked.effort
    return found


def agreement_item(
    certificate: Certificate,
    path: Path | None,
    keys: Mapping[str, PublicKey],
    on: dt.date,
) -> Item:
    """Tell whether the agreement is the one named, is signed, and allows what was done."""
    if path is None:
        return Item("agreement", ok=None, reason="agreement_absent")
    broken = _broken(certificate, path, keys, on)
    if isinstance(broken, Item):
        return broken
    names = ", ".join(key.name for key in broken.signers)
    return Item("agreement", ok=True, reason="agreement_good", values={"names": names})


def _broken(
    certificate: Certificate, path: Path, keys: Mapping[str, PublicKey], on: dt.date
) -> Item | SignedAgreement:
    def broken(reason: str, **values: str) -> Item:
        return Item("agreement", ok=False, reason=reason, values={"file": path.name, **values})

    try:
        signed = SignedAgreement.read(path, keys, on=on)
    except TrustError as error:
        return broken("agreement_unsigned", error=str(error))
    if signed.sha256 != certificate.agreement.sha256:
        return broken("agreement_other")
    if not signed.holds:
        why = [problem.why for problem in signed.problems if problem.fatal]
        why += [f"{name} has not signed it." for name in signed.missing]
        return broken("agreement_unsigned", error=" ".join(why))
    if missing := _not_asked(certificate, signed):
        return broken("agreement_signers", names=", ".join(missing))
    if parts := _told_otherwise(certificate, signed):
        return broken("agreement_told", parts=", ".join(parts[:5]))
    if why := _refused(certificate, signed):
        return broken("agreement_refuses", error=" ".join(why))
    return signed


def _not_asked(certificate: Certificate, signed: SignedAgreement) -> list[str]:
    """Name those who must sign by the agreement, and need not by the certificate."""
    asked = {(one.name, one.key) for one in certificate.signers if one.required}
    names = {name for name, _ in asked}
    return [
        one.name
        for one in signers_of(signed)
        if (one.name, one.key) not in asked and not (one.key is None and one.name in names)
    ]


def _told_otherwise(certificate: Certificate, signed: SignedAgreement) -> list[str]:
    told = {
        "agreement": (certificate.agreement, agreed_of(signed)),
        "article_30": (certificate.article_30, article_30_of(signed.agreement)),
    }
    return [
        f"{part}.{where}"
        for part, (said, true) in told.items()
        for where in differences(said.model_dump(mode="json"), true.model_dump(mode="json"))
    ]


def _refused(certificate: Certificate, signed: SignedAgreement) -> list[str]:
    computation = certificate.computation
    columns = [name for one in certificate.results for name in one.columns]
    day = dt.date.fromisoformat(certificate.made_at[:10])
    found = refusals_of(signed, columns, computation.generator, dict(computation.parameters), day)
    accepted = {one.item: (one.found, one.asked) for one in certificate.exceptions}
    below = unmet(signed.agreement, certificate.evidence)
    return [one.why for one in found] + [
        f"The evidence has {item} {has}, where {asked} is asked."
        for item, (has, asked) in below.items()
        if accepted.get(item) != (has, asked)
    ]
