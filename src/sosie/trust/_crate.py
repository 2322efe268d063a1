"""A certificate as a Five Safes RO-Crate (w3id.org/5s-crate/0.4): JSON-LD, one phase an action.

The record of the certificate is one entity of the crate, as a JSON literal; the other entities
say the same in the terms of schema.org, of the Safe Haven Provenance ontology and of the Data
Privacy Vocabulary, and are made from it: a reader who makes them again finds the same.

One thing is not as the profile has it: the main entity is a generator of sosie at a version, not
a workflow in a crate of its own, since no workflow travels.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from sosie.errors import TrustError
from sosie.trust._canonical import canonical

if TYPE_CHECKING:
    from sosie.trust._certificate import Certificate

__all__ = ["CONTEXT", "contexts", "crate_of", "record_in"]

CONTEXT = "https://w3id.org/ro/crate/1.2/context"
_PROFILE = "https://w3id.org/5s-crate/0.4"
_URL = "https://pypi.org/project/sosie/"
_SHP = "https://w3id.org/shp#"
_DONE = "http://schema.org/CompletedActionStatus"
_RECORD = "#record"
_OURS = {
    "sosie": "urn:sosie:terms#",
    "record": "sosie:record",
    "commitment": "sosie:commitment",
    "contentSha256": "sosie:contentSha256",
}
_SHA256 = "https://www.iana.org/assignments/named-information#sha-256"

_CLASSES = (
    "AssessAction", "CreateAction", "CreativeWork", "Dataset", "DefinedTerm", "DigitalDocument",
    "Organization", "Project", "PropertyValue", "SoftwareApplication", "UpdateAction",
)  # fmt: skip
_PROPERTIES = (
    "about", "actionStatus", "additionalType", "agent", "datePublished", "description",
    "encodingFormat", "endTime", "error", "expires", "hasPart", "identifier", "instrument",
    "isBasedOn", "license", "mainEntity", "member", "mentions", "name", "object", "provider",
    "publisher", "result", "sha256", "sourceOrganization", "startTime", "url", "value",
    "version",
)  # fmt: skip

Entity = dict[str, Any]


def contexts() -> dict[str, Any]:
    """Give the JSON-LD contexts that a certificate names, so that none is fetched.

    Of the context of RO-Crate 1.2 it is the part that a certificate uses: its terms are those of
    schema.org, but for three.

    Examples
    --------
    >>> contexts()[CONTEXT]["@context"]["File"]
    'http://schema.org/MediaObject'
    """
    schema = "http://schema.org/"
    terms = {term: schema + term for term in (*_CLASSES, *_PROPERTIES)}
    terms["File"] = schema + "MediaObject"
    terms["Profile"] = "http://www.w3.org/ns/dx/prof/Profile"
    terms["conformsTo"] = "http://purl.org/dc/terms/conformsTo"
    return {CONTEXT: {"@context": terms}}


def crate_of(certificate: Certificate) -> Entity:
    """Say in JSON-LD what a certificate says.

    Returns
    -------
    dict
        ``@context`` and ``@graph``, flattened: what ``ro-crate-metadata.json`` holds.
    """
    makers = (_frame, _places, _actions, _things)
    graph = [entity for make in makers for entity in make(certificate)]
    return {"@context": [CONTEXT, _OURS], "@graph": graph}


def record_in(crate: Any) -> Any:
    """Find the record in a crate.

    Raises
    ------
    TrustError
        If there is none, or it is not JSON-LD of this shape.
    """
    try:
        found = [e for e in crate["@graph"] if e["@id"] == _RECORD]
        return found[0]["record"]["@value"]
    except (TypeError, KeyError, IndexError) as error:
        raise TrustError(
            "What is signed is not a process certificate: it holds no record of one."
        ) from error


def _ref(identity: str) -> Entity:
    return {"@id": identity}


def _refs(identities: list[str]) -> Any:
    """Refer to one or to many, as compacted JSON-LD does."""
    return _ref(identities[0]) if len(identities) == 1 else [_ref(one) for one in identities]


def _named(kind: str, number: int) -> str:
    return f"#{kind}-{number}"


def _files(certificate: Certificate) -> list[str]:
    """Name each result by its content, wherever it lies (RFC 6920)."""
    return [
        "ni:///sha-256;" + base64.urlsafe_b64encode(bytes.fromhex(one.sha256)).decode().rstrip("=")
        for one in certificate.results
    ]


def _signers(certificate: Certificate) -> list[str]:
    return [_named("signer", i) for i in range(len(certificate.signers))]


def _frame(certificate: Certificate) -> list[Entity]:
    """Describe the crate itself, its profile and its record."""
    agreement = certificate.agreement
    names = ", ".join(one.name for one in certificate.results)
    return [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": _ref("./"),
            "conformsTo": _ref("https://w3id.org/ro/crate/1.2"),
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"Process certificate: {agreement.title}",
            "description": f"How {names} was made, from what, under which agreement, what was "
            "checked, and who decided. An attestation by its signers, not a certification "
            "under article 42 of the GDPR.",
            "identifier": certificate.id,
            "datePublished": certificate.made_at,
            "expires": certificate.expires,
            "license": _ref("#conditions"),
            "conformsTo": _ref(_PROFILE),
            "publisher": _ref(_signers(certificate)[-1]),
            "sourceOrganization": _ref("#project"),
            "mainEntity": _ref("#generator"),
            "hasPart": _refs(_files(certificate)),
            "mentions": [
                _ref(f"#{phase}")
                for phase in (
                    "check", "validation", "sign-off", "execution", "disclosure", "publishing",
                )
            ],
        },
        {"@id": _PROFILE, "@type": "Profile", "name": "Five Safes RO-Crate profile"},
        {
            "@id": _RECORD,
            "@type": "CreativeWork",
            "name": "The record of the certificate",
            "about": _ref("./"),
            "record": {"@type": "@json", "@value": certificate.content()},
        },
    ]  # fmt: skip


def _places(certificate: Certificate) -> list[Entity]:
    """Describe who takes part, for what, on which terms."""
    agreement = certificate.agreement
    parties = [
        {"@id": _named("party", i), "@type": "Organization", "name": one.name,
         "description": ", ".join(one.roles).replace("_", " ")}
        for i, one in enumerate(agreement.parties)
    ]  # fmt: skip
    signers = [
        {"@id": identity, "@type": "Organization", "name": one.name,
         **({"identifier": f"sha256:{one.key}"} if one.key else {})}
        for identity, one in zip(_signers(certificate), certificate.signers, strict=True)
    ]  # fmt: skip
    terms = [
        {"@id": term, "@type": "DefinedTerm", "name": term.rsplit("#")[-1].rsplit("/")[-1]}
        for term in dict.fromkeys((*agreement.purpose_terms, *_iris(agreement.legal_basis)))
    ]
    project: Entity = {"@id": "#project", "@type": "Project", "name": agreement.title}
    project |= {"description": agreement.purpose} if agreement.purpose else {}
    project |= {"member": _refs([one["@id"] for one in parties])} if parties else {}
    return [
        *parties,
        *signers,
        *terms,
        project | ({"about": _refs([one["@id"] for one in terms])} if terms else {}),
        {
            "@id": "#agreement",
            "@type": "CreativeWork",
            "name": f"Agreement {agreement.id}",
            "identifier": agreement.id,
            "sha256": agreement.sha256,
            "expires": agreement.valid_until,
        },
        {
            "@id": "#conditions",
            "@type": "CreativeWork",
            "name": "Conditions of use",
            "description": " ".join(
                ["For", ", ".join(agreement.recipients) or "nobody else", "only:",
                 "; ".join(agreement.uses) or agreement.purpose or "see the agreement"]
            ),
            "isBasedOn": _ref("#agreement"),
        },
    ]  # fmt: skip


def _iris(values: list[str]) -> list[str]:
    return [value for value in values if value.startswith("http")]


def _actions(certificate: Certificate) -> list[Entity]:
    """Tell the six phases, each done: what fails a phase has no certificate."""
    at, evidence = certificate.made_at, certificate.evidence
    exceptions = [
        f"{one.item} {one.found}, where {one.asked} is asked: {one.reason}"
        for one in certificate.exceptions
    ]
    accepted = f", {len(exceptions)} exception(s) accepted" if exceptions else ""

    def assessed(phase: str, term: str, name: str, **more: Any) -> Entity:
        return {
            "@id": f"#{phase}", "@type": "AssessAction", "additionalType": _ref(_SHP + term),
            "name": name, "endTime": at, "object": _ref("./"), "agent": _ref("#sosie"),
            "actionStatus": _DONE, **more,
        }  # fmt: skip

    return [
        assessed("check", "CheckValue", "Hashes of the files computed and compared: OK",
                 instrument=_ref(_SHA256)),
        assessed("validation", "ValidationCheck",
                 f"Computation compared with the agreement: allowed{accepted}",
                 instrument=_ref("#agreement")),
        assessed("sign-off", "SignOff", "Sign-off by the parties to the agreement: approved",
                 instrument=_ref("#agreement"), agent=_refs(_signers(certificate)),
                 object=[_ref("./"), _ref("#generator"), _ref("#project")]),
        {
            "@id": "#execution", "@type": "CreateAction", "name": "Making of the result files",
            "agent": _ref("#sosie"), "instrument": _ref("#generator"),
            "object": _refs(["#original", *_parameters(certificate)]),
            "result": _refs(_files(certificate)), "actionStatus": _DONE,
        },
        assessed("disclosure", "DisclosureCheck",
                 f"Attacks on the {evidence.judged}, verdict {evidence.verdict}: "
                 f"released{accepted}",
                 instrument=_ref("#evidence"),
                 **({"error": "; ".join(exceptions)} if exceptions else {})),
        {
            "@id": "#publishing", "@type": "UpdateAction",
            "additionalType": _ref(_SHP + "GenerateCheckValue"),
            "name": "Certificate written and signed", "startTime": at, "object": _ref("./"),
            "instrument": _ref(_SHA256), "agent": _ref("#sosie"), "actionStatus": _DONE,
        },
    ]  # fmt: skip


def _parameters(certificate: Certificate) -> list[str]:
    return [_named("parameter", i) for i in range(len(certificate.computation.parameters))]


def _things(certificate: Certificate) -> list[Entity]:
    """Describe the files, the original, the generator, its parameters and the evidence."""
    computation, evidence = certificate.computation, certificate.evidence
    files = [
        {
            "@id": identity, "@type": "File", "name": one.name,
            "encodingFormat": one.media_type, "sha256": one.sha256,
            "contentSha256": one.content_sha256,
        }
        for identity, one in zip(_files(certificate), certificate.results, strict=True)
    ]  # fmt: skip
    parameters = [
        {
            "@id": identity,
            "@type": "PropertyValue",
            "name": name,
            "value": value if isinstance(value, str) else canonical(value).decode(),
        }
        for identity, (name, value) in zip(
            _parameters(certificate), sorted(computation.parameters.items()), strict=True
        )
    ]
    generator = computation.generator or "generator that was not recorded"
    return [
        *files,
        *parameters,
        {
            "@id": "#original", "@type": "DigitalDocument",
            "name": "The table of persons, which does not leave its holder",
            "commitment": certificate.original.commitment,
        },
        {
            "@id": "#generator", "@type": "SoftwareApplication", "name": f"sosie, {generator}",
            "version": computation.version, "url": _URL,
        },
        {
            "@id": "#sosie", "@type": "SoftwareApplication", "name": "sosie",
            "version": certificate.environment.sosie, "url": _URL,
            "sha256": certificate.environment.code_sha256,
            "provider": _ref(_signers(certificate)[-1]),
        },
        {
            "@id": "#evidence", "@type": "CreativeWork",
            "name": f"Evidence of {evidence.made_on}, sosie {evidence.software}",
            "description": evidence.rulebook,
        },
        {"@id": _SHA256, "@type": "DefinedTerm", "name": "sha-256 algorithm"},
    ]  # fmt: skip
