"""From findings to the criteria of opinion WP216, and to one verdict."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from sosie.evidence._finding import Criterion, Finding, Verdict, worst

__all__ = ["ATTACKS_OF_TABLES", "DECIDING_ATTACKS", "Judgement", "judge"]

_DECIDING: dict[Criterion, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Criterion.SINGLING_OUT: (
        (
            "exact_copies",
            "near_copies",
            "moved_copies",
            "identifiers_copied",
            "singling_out_multivariate",
        ),
        ("unique_copies", "known_copies", "singling_out_univariate"),
    ),
    Criterion.LINKABILITY: (
        ("linkability", "linkability_nearest"),
        ("regeneration_linkage",),
    ),
    Criterion.INFERENCE: (("attribute_inference_max",), ()),
    Criterion.MEMBERSHIP: (
        ("membership_auc", "membership_tpr_at_1", "shadow_membership"),
        (
            "membership_tpr_at_01",
            "membership_auc_isolated",
            "membership_auc_most_isolated",
        ),
    ),
}
"""For each criterion the attacks that must be passed, and those that only count by failing:
they attack so few persons that no interval could ever lie below the threshold."""

DECIDING_ATTACKS = tuple(
    name for attacks in _DECIDING.values() for some in attacks for name in some
)
"""All of these."""

ATTACKS_OF_TABLES = tuple(
    name
    for name in DECIDING_ATTACKS
    if name not in ("shadow_membership", "regeneration_linkage")  # they run the generator again
)
"""Those of them that are tried, or said not to be, on every table."""

_IMPOSSIBLE = ("no_number", "no_identifier")
"""Why an attack does not exist at all, rather than could not be made."""

_COPIES = ("exact_copies", "near_copies", "moved_copies", "unique_copies", "known_copies")

_ADVICE = {
    **dict.fromkeys(_COPIES, ("check_generator", "raise_k")),
    "unique_copies": ("remove_copies", "check_generator", "raise_k"),
    "known_copies": ("raise_k", "coarsen_columns"),
    "identifiers_copied": ("drop_identifiers",),
    **dict.fromkeys(
        ("singling_out_univariate", "singling_out_multivariate"),
        ("raise_k", "group_rare_labels", "coarsen_columns"),
    ),
    **dict.fromkeys(
        ("linkability", "linkability_nearest", "regeneration_linkage"), ("raise_k", "drop_columns")
    ),
    "attribute_inference_max": ("raise_k", "coarsen_columns", "drop_columns"),
    **dict.fromkeys(
        ("membership_auc", "membership_tpr_at_1", "membership_tpr_at_01"), ("raise_k", "check_fit")
    ),
    **dict.fromkeys(
        ("membership_auc_isolated", "membership_auc_most_isolated", "shadow_membership"),
        ("raise_k", "group_rare_labels"),
    ),
}
"""For each attack, what to change where it succeeds."""


class Judgement(BaseModel):
    """What the attacks say of one criterion."""

    model_config = ConfigDict(extra="forbid")

    verdict: Verdict
    drivers: list[str] = Field(description="Attacks that decide it, the worst ones only.")
    columns: list[str] = Field(description="Columns through which most was learned.")
    advice: list[str] = Field(description="What to change: keys of the texts of the report.")


def judge(
    privacy: dict[str, Finding], *, control: bool
) -> tuple[dict[Criterion, Judgement], Verdict]:
    """Judge each criterion, and all of them.

    A criterion passes only if its attacks do; without control nothing passes, because what the
    population teaches could not be told from what the persons leaked.

    Examples
    --------
    >>> found = {"linkability": Finding(value=0.3, verdict="fail")}
    >>> judge(found, control=True)[0][Criterion.LINKABILITY].drivers
    ['linkability']
    """
    criteria = {}
    for criterion, (must_pass, may_fail) in _DECIDING.items():
        verdicts = {
            name: privacy[name].verdict
            for name in must_pass
            if name in privacy
            and privacy[name].verdict is not Verdict.INFORMATION
            and privacy[name].why_not not in _IMPOSSIBLE
        }
        verdicts = {
            name: Verdict.ATTENTION if verdict is Verdict.NOT_MEASURED else verdict
            for name, verdict in verdicts.items()
        }
        verdicts |= {
            name: Verdict.FAIL
            for name in may_fail
            if name in privacy and privacy[name].verdict is Verdict.FAIL
        }
        found = worst(list(verdicts.values()))
        if not control and found is Verdict.PASS:
            found = Verdict.ATTENTION
        drivers = (
            [] if found is Verdict.PASS else [name for name, v in verdicts.items() if v is found]
        )
        advice = ["more_control"] if found is Verdict.ATTENTION else []
        if found is Verdict.FAIL:
            advice = _advice(drivers, privacy)
        criteria[criterion] = Judgement(
            verdict=found,
            drivers=drivers,
            columns=_columns(criterion, privacy) if found is Verdict.FAIL else [],
            advice=advice if control else ["give_control", *advice],
        )
    return criteria, worst([one.verdict for one in criteria.values()])


def _advice(drivers: list[str], privacy: dict[str, Finding]) -> list[str]:
    """Say what to change by what failed: that rows are copied, only where copies were found."""
    copied = any(name in privacy and privacy[name].verdict is Verdict.FAIL for name in _COPIES)
    advice = [
        "check_generator" if copied and key == "check_fit" else key
        for name in drivers
        for key in _ADVICE[name]
    ]
    return list(dict.fromkeys(advice))


def _columns(criterion: Criterion, privacy: dict[str, Finding], most: int = 5) -> list[str]:
    """Name the columns through which a criterion failed."""

    def detail(name: str, key: str) -> Any:
        return privacy[name].detail.get(key) if name in privacy else None

    if criterion is Criterion.INFERENCE:
        secrets = detail("attribute_inference_max", "by_secret") or []
        bar = privacy["attribute_inference_max"].target or 0.0
        return [one["column"] for one in secrets if (one["difference"] or 0) > bar][:most]
    if criterion is Criterion.SINGLING_OUT:
        return list(detail("singling_out_multivariate", "columns") or {})[:most]
    if criterion is Criterion.LINKABILITY:
        splits = detail("linkability", "by_split") or []
        if splits:
            split = max(splits, key=lambda one: one["value"] - (one["control"] or 0))
            side: list[str] = min(split["left"], split["right"], key=len)
            return side[:most]
    return []
