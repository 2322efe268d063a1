"""Attacks on a synthetic table, and distances that prove nothing: one a file."""

from sosie.evidence.privacy._avatar import AvatarDiagnostics
from sosie.evidence.privacy._copies import Copies
from sosie.evidence.privacy._identifiers import identifiers
from sosie.evidence.privacy._inference import AttributeInference
from sosie.evidence.privacy._linkability import Linkability
from sosie.evidence.privacy._membership import Membership
from sosie.evidence.privacy._reference_table import ReferenceTable
from sosie.evidence.privacy._regeneration import RegenerationLinkage
from sosie.evidence.privacy._shadow import ShadowMembership
from sosie.evidence.privacy._singling_out import SinglingOut

__all__ = [
    "ATTACKS",
    "AttributeInference",
    "AvatarDiagnostics",
    "Copies",
    "Linkability",
    "Membership",
    "ReferenceTable",
    "RegenerationLinkage",
    "ShadowMembership",
    "SinglingOut",
    "identifiers",
]

ATTACKS = (
    Copies,
    SinglingOut,
    Linkability,
    AttributeInference,
    Membership,
    AvatarDiagnostics,
    ReferenceTable,
)
"""What needs the tables alone, in the order of the report."""
