"""Synthetic tables in place: judged where the original lies, or made there in common factors."""

from sosie.insitu.synthetic._avatars import (
    FederatedAvatars,
    Released,
    avatars_in_place,
    federated_avatars,
    received,
)
from sosie.insitu.synthetic._judge import Judged, judge_in_place, verdicts
from sosie.insitu.synthetic._place import coordinates_in

__all__ = [
    "FederatedAvatars",
    "Judged",
    "Released",
    "avatars_in_place",
    "coordinates_in",
    "federated_avatars",
    "judge_in_place",
    "received",
    "verdicts",
]
