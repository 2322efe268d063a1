import pytest

from sosie.evidence._criteria import _DECIDING as DECIDING
from sosie.evidence._criteria import judge
from sosie.evidence._finding import Criterion, Finding, Verdict, decide
from sosie.report._texts import catalogue

PASSED = {
    name: Finding(value=0.0, verdict=Verdict.PASS)
    for name in (
        "exact_copies",
        "near_copies",
        "moved_copies",
        "identifiers_copied",
        "singling_out_multivariate",
        "linkability",
        "linkability_nearest",
        "attribute_inference_max",
        "membership_auc",
        "membership_tpr_at_1",
    )
}


@pytest.mark.parametrize(
    ("difference", "interval", "verdict"),
    [
        (0.0, (-0.02, 0.02), "pass"),
        (0.04, (0.02, 0.06), "attention"),  # surely a leak, not surely below the threshold
        (0.0, (-0.1, 0.1), "attention"),  # too few persons
        (0.06, (-0.01, 0.13), "attention"),  # may be chance
        (0.06, (0.01, 0.11), "fail"),
        (0.03, (0.02, 0.04), "pass"),
    ],
)
def test_decision(difference, interval, verdict):
    assert decide(difference, interval, 0.05) == verdict


def test_all_must_pass():
    criteria, verdict = judge(PASSED, control=True)
    assert verdict == "pass"
    assert set(criteria) == set(Criterion)
    assert all(not one.drivers and not one.advice for one in criteria.values())


@pytest.mark.parametrize("name", sorted(PASSED))
@pytest.mark.parametrize("found", ["attention", "fail"])
def test_one_that_does_not_pass_decides(name, found):
    worse = PASSED | {name: Finding(value=0.5, verdict=found)}
    criteria, verdict = judge(worse, control=True)
    assert verdict == found
    assert [one.drivers for one in criteria.values() if one.drivers] == [[name]]


@pytest.mark.parametrize(
    ("name", "criterion"),
    [
        ("membership_auc_isolated", "membership"),
        ("regeneration_linkage", "linkability"),
        ("unique_copies", "singling_out"),
        ("shadow_membership", "membership"),
    ],
)
def test_groups_of_few_persons_decide_by_failing(name, criterion):
    failed = PASSED | {name: Finding(value=0.9, verdict=Verdict.FAIL)}
    assert judge(failed, control=True)[0][Criterion(criterion)].verdict == "fail"
    if name != "shadow_membership":
        unsure = PASSED | {name: Finding(value=0.9, verdict=Verdict.ATTENTION)}
        assert judge(unsure, control=True)[1] == "pass"


def test_advice_follows_what_failed():
    def advice(*names):
        failed = {name: Finding(value=0.9, verdict=Verdict.FAIL) for name in names}
        criteria = judge(PASSED | failed, control=True)[0]
        return {criterion.value: one.advice for criterion, one in criteria.items() if one.advice}

    assert advice("membership_auc") == {"membership": ["raise_k", "check_fit"]}
    assert "check_generator" in advice("near_copies")["singling_out"]
    assert advice("near_copies", "membership_auc")["membership"] == ["raise_k", "check_generator"]
    assert advice("linkability") == {"linkability": ["raise_k", "drop_columns"]}
    assert advice("identifiers_copied") == {"singling_out": ["drop_identifiers"]}


def test_every_attack_that_decides_has_advice_with_a_text():
    for lang in ("en", "fr"):
        texts = catalogue(lang)
        for must_pass, may_fail in DECIDING.values():
            for name in (*must_pass, *may_fail):
                failed = PASSED | {name: Finding(value=0.9, verdict=Verdict.FAIL)}
                for one in judge(failed, control=True)[0].values():
                    assert all(f"advice.{key}" in texts for key in one.advice)
                    assert one.verdict == "pass" or one.advice


def test_distances_decide_nothing():
    told = PASSED | {"hidden_rate": Finding(value=3.0, verdict=Verdict.FAIL)}
    assert judge(told, control=True)[1] == "pass"


def test_without_control_nothing_passes():
    criteria, verdict = judge(PASSED, control=False)
    assert verdict == "attention"
    assert all("give_control" in one.advice for one in criteria.values())


def test_what_was_not_measured_does_not_pass():
    unknown = PASSED | {"linkability": Finding(why_not="too_few")}
    assert judge(unknown, control=True)[0][Criterion.LINKABILITY].verdict == "attention"
