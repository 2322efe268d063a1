"""An impact assessment begun from a certificate, for the PIA tool of the French authority.

The format is that of files which the tool (LINCnil/pia, version 4) exports and imports: questions
by number, as in its ``pia_architecture.json``. What only the controller can judge, severity and
likelihood among it, is left open and said to be.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from sosie.trust._texts import in_words, meanings, texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sosie.trust._certificate import Certificate

__all__ = ["pia_of"]

_VERSION = 201707071818
_QUESTIONS = 36
_ID = 1
_CRITERIA = ("singling_out", "linkability", "inference", "membership")


def pia_of(
    certificate: Certificate, digest: str, lang: str, wording: Mapping[str, Any]
) -> dict[str, Any]:
    """Begin an impact assessment with what a certificate knows.

    Parameters
    ----------
    certificate : Certificate
    digest : str
        SHA-256 of what is signed.
    lang : {"en", "fr"}
    wording : dict
        Names of measures and criteria in that language.

    Returns
    -------
    dict
        ``pia``, ``answers``, ``measures``, ``evaluations`` (none) and ``comments`` (none).
    """
    said = texts("pia", lang)
    values = {
        key: escape(value, quote=False)
        for key, value in _values(certificate, digest, lang, wording).items()
    }
    at = certificate.made_at.replace("Z", ".000Z")
    answers = [
        {"text": f"<p>{text.format_map(values)}</p>", "gauge": 0, "list": [], "number": number}
        for number, text in said["answers"].items()
    ] + [
        {"text": None, "gauge": None, "list": listed, "number": number}
        for number, listed in said["lists"].items()
    ]
    return {
        "pia": _pia(certificate, said["pia"], at),
        "answers": [
            {"pia_id": _ID, "reference_to": int(one.pop("number")), "data": one,
             "created_at": at, "id": i}
            for i, one in enumerate(sorted(answers, key=lambda one: one["number"]), 1)
        ],
        "measures": [
            {"pia_id": _ID, "title": one["title"], "content": one["content"].format_map(values),
             "placeholder": "measures.default_placeholder", "created_at": at, "id": i}
            for i, one in enumerate(said["measures"], 1)
        ],
        "evaluations": [],
        "comments": [],
    }  # fmt: skip


def _pia(certificate: Certificate, said: Mapping[str, str], at: str) -> dict[str, Any]:
    nobody = dict.fromkeys(
        ("evaluator_name", "validator_name", "dpo_opinion", "dpos_names", "people_names",
         "concerned_people_opinion", "concerned_people_searched_content", "rejection_reason",
         "applied_adjustments"), ""
    )  # fmt: skip
    return {
        "dbVersion": _VERSION, "tableName": "pia", "serverUrl": None,
        "numberOfQuestions": _QUESTIONS, "objectStore": {}, "id": _ID, "status": 0,
        "name": said["name"].format(title=certificate.agreement.title),
        "category": said["category"], "author_name": certificate.decisions[0].who, **nobody,
        "dpo_status": None, "concerned_people_status": None,
        "concerned_people_searched_opinion": None, "created_at": at, "updated_at": at,
    }  # fmt: skip


def _values(
    certificate: Certificate, digest: str, lang: str, wording: Mapping[str, Any]
) -> dict[str, str]:
    """Give what stands in the answers, each as one text."""
    said, roles = texts("pia", lang)["words"], texts("page", lang)["words"]
    agreement, evidence = certificate.agreement, certificate.evidence
    computation, environment = certificate.computation, certificate.environment
    rows, known = certificate.original.rows, meanings(lang)
    party = {
        one.name: ", ".join(roles.get(r, r.replace("_", " ")) for r in one.roles)
        for one in agreement.parties
    }
    processors = [one.name for one in agreement.parties if "processor" in one.roles]
    return {
        "id": f"{certificate.id} (SHA-256 {digest})",
        "title": agreement.title,
        "agreement": agreement.id,
        "agreement_sha256": agreement.sha256,
        "files": ", ".join(one.name for one in certificate.results),
        "digests": ", ".join(one.sha256 for one in certificate.results),
        "rows": said["fewer"] if rows is None else said["about"].format(n=rows),
        "purpose": agreement.purpose,
        "terms": _bracketed([known.get(term, term) for term in agreement.purpose_terms]),
        "basis": said["semicolon"].join(known.get(term, term) for term in agreement.legal_basis),
        "parties": said["semicolon"].join(f"{name} ({role})" for name, role in party.items()),
        "controllers": ", ".join(certificate.article_30.controllers),
        "processors": ", ".join(processors) or said["none"],
        "recipients": ", ".join(agreement.recipients) or said["none"],
        "transfers": certificate.article_30.transfers or said["none"],
        "columns": ", ".join(
            f"{one.name} ({known.get(one.category, one.category)})" if one.category else one.name
            for one in certificate.original.columns
        ),
        "retention": agreement.retention,
        "withdrawal": agreement.withdrawal,
        "expires": certificate.expires,
        "charter": agreement.charter or said["none"],
        "rulebook": _rules(evidence.rulebook, wording["rulebook"], said["semicolon"]),
        "generator": computation.generator or said["unrecorded"],
        "version": computation.version,
        "parameters": ", ".join(f"{k} = {v}" for k, v in computation.parameters.items())
        or said["unrecorded"],
        "judged": said[evidence.judged],
        "verdict": said[evidence.verdict],
        "review": evidence.review_by,
        "threshold": in_words(f"{100 * evidence.threshold:g}", roles),
        "risks": said["semicolon"].join(
            said["pair"].format(
                name=wording["criteria"][name],
                told=said[getattr(certificate.opinion, name).verdict],
            )
            for name in _CRITERIA
        ),
        "utility": said["semicolon"].join(
            f"{wording['utility'].get(name, name)} {in_words(f'{one.value:g}', roles)} "
            f"({said[one.verdict]})"
            for name, one in evidence.utility.items()
            if one.value is not None and one.verdict != "information"
        ),
        "decisions": " ".join(_decided(certificate, said, roles)),
        "sosie": environment.sosie,
        "python": environment.python,
        "signers": ", ".join(one.name for one in certificate.signers if one.required),
    }


def _rules(rulebook: str, names: Mapping[str, str], semicolon: str) -> str:
    """Name bodies as the language does."""
    for name, told in names.items():
        rulebook = rulebook.replace(name, told)
    return rulebook.replace("; ", semicolon)


def _decided(
    certificate: Certificate, said: Mapping[str, str], words: Mapping[str, str]
) -> list[str]:
    told = []
    for one in certificate.decisions:
        told.append(said["release"].format(who=one.who, at=one.at[:10]))
        told += [
            said["exception"].format(
                item=in_words(e.item, words),
                found=in_words(e.found, words),
                asked=in_words(e.asked, words),
                reason=e.reason,
            )
            for e in one.exceptions
        ]
    return told


def _bracketed(terms: list[str]) -> str:
    return f"({', '.join(terms)})" if terms else ""
