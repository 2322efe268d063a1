"""What the report shows, in which order and unit; the words are in the texts."""

__all__ = ["AVATARS", "GROUPS", "KEPT", "LEAKS", "QUALITIES", "REFERENCE", "unit_of"]

LEAKS = (
    "exact_copies",
    "singling_out_multivariate",
    "linkability",
    "attribute_inference_max",
    "membership_auc",
    "membership_tpr_at_1",
    "membership_auc_isolated",
    "regeneration_linkage",
)
"""Privacy findings of the first page."""

KEPT = ("hellinger_mean", "association_difference", "tstr_auc", "replication_overlap")
"""Utility findings of the first page."""

GROUPS = {
    "copies": (
        "exact_copies", "near_copies", "moved_copies", "unique_copies", "known_copies",
        "identifiers_copied",
    ),
    "singling_out": ("singling_out_univariate", "singling_out_multivariate"),
    "linkability": ("linkability", "linkability_nearest"),
    "inference": ("attribute_inference_max",),
    "membership": (
        "membership_auc", "membership_tpr_at_1", "membership_tpr_at_01",
        "membership_auc_isolated", "membership_auc_most_isolated",
    ),
    "generator": ("shadow_membership", "regeneration_linkage"),
}  # fmt: skip
"""Attacks, by what they are after."""

AVATARS = ("hidden_rate", "hidden_rate_index_rule", "local_cloaking", "assignment_attack")

REFERENCE = (
    "distance_to_closest", "closest_distance_ratio", "closest_rate",
    "correlation_protection_rate", "inference_categorical", "inference_continuous",
    "categorical_hidden_rate", "column_direct_match_protection", "row_direct_match_protection",
    "hidden_rate", "local_cloaking",
)  # fmt: skip
"""The table of the reference product."""

QUALITIES = (
    "hellinger_mean", "univariate_distance", "association_difference", "three_way_difference",
    "projection_difference", "missing_difference", "detector_auc", "pmse", "tstr_auc", "trtr_auc",
    "sd_ratio", "rare_levels_kept", "replication_overlap",
)  # fmt: skip

_PERCENT = {
    "closest_rate", "correlation_protection_rate", "inference_categorical", "inference_continuous",
    "categorical_hidden_rate", "column_direct_match_protection", "row_direct_match_protection",
    "hidden_rate", "hidden_rate_index_rule",
}  # fmt: skip
_SCORES = {
    "membership_auc", "membership_auc_isolated", "membership_auc_most_isolated",
    "shadow_membership", "hellinger_mean", "univariate_distance", "association_difference",
    "three_way_difference", "projection_difference", "detector_auc", "tstr_auc", "trtr_auc",
}  # fmt: skip
_NUMBERS = {"local_cloaking", "distance_to_closest", "closest_distance_ratio", "sd_ratio", "pmse"}


def unit_of(name: str, largest: float = 0.0) -> str:
    """Give the unit in which a finding is written.

    Parameters
    ----------
    name : str
    largest : float
        Largest of its value and target: what is above 1 is in percent already.

    Examples
    --------
    >>> unit_of("linkability"), unit_of("closest_rate", 94.1), unit_of("closest_rate", 0.941)
    ('rate', 'percent', 'rate')
    """
    if name in _PERCENT:
        return "percent" if largest > 1 else "rate"
    if name in _SCORES:
        return "score"
    return "number" if name in _NUMBERS else "rate"
