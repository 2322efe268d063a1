import dataclasses
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lifelines.datasets import load_rossi

import sosie
from sosie.errors import DataError, ParameterError
from sosie.evidence import Evidence
from sosie.evidence._align import align, coded
from sosie.evidence._assess import case_of
from sosie.evidence._case import EFFORTS
from sosie.evidence._finding import Finding, decide
from sosie.evidence._pooled import _average
from sosie.evidence._rehearse import _halved, _whose
from sosie.evidence.privacy import Copies, Linkability, Membership, SinglingOut

PRIVACY = {
    *("hidden_rate", "hidden_rate_index_rule", "local_cloaking", "distance_to_closest"),
    *("closest_distance_ratio", "closest_rate", "correlation_protection_rate"),
    *("inference_categorical", "inference_continuous", "categorical_hidden_rate"),
    *("column_direct_match_protection", "row_direct_match_protection", "exact_copies"),
    *("membership_auc", "membership_tpr_at_1", "membership_auc_isolated"),
    *("singling_out_multivariate", "linkability", "attribute_inference_max"),
}
UTILITY = {
    *("hellinger_mean", "association_difference", "detector_auc", "pmse", "sd_ratio"),
    *("tstr_auc", "trtr_auc", "missing_difference"),
}


@pytest.fixture(scope="module")
def halves():
    rossi = load_rossi().sample(frac=1, random_state=0, ignore_index=True)
    return rossi[:216], rossi[216:].reset_index(drop=True)


@pytest.fixture(scope="module")
def judged(halves):
    train, control = halves
    avatar = sosie.Avatar(seed=1).fit(train)
    released, linked = avatar.sample_tables()
    return sosie.assess(
        train, released.native(), control, linked.native(), target="arrest", effort="quick"
    )


def test_the_file_has_the_keys_that_others_rely_on(judged):
    told = json.loads(judged.to_json())
    assert told["verdict"] in ("pass", "attention", "fail")
    assert set(told["criteria"]) == {"singling_out", "linkability", "inference", "membership"}
    assert set(told["privacy"]) >= PRIVACY
    assert set(told["utility"]) >= UTILITY
    for finding in (*told["privacy"].values(), *told["utility"].values()):
        assert {"value", "control", "naive", "ci", "target", "verdict"} <= set(finding)
        if finding["value"] is not None and finding["ci"] is not None:
            assert finding["ci"][0] - 1e-9 <= finding["value"] <= finding["ci"][1] + 1e-9
    assert {"controls", "inputs", "settings"} <= set(told)
    assert len(told["inputs"]["original"]["sha256"]) == 64


def test_it_comes_back_from_its_file(judged, tmp_path):
    judged.write(tmp_path / "e.json")
    assert Evidence.read(tmp_path / "e.json").to_json() == judged.to_json()
    (tmp_path / "e.json").write_text("{}")
    with pytest.raises(DataError, match="not evidence"):
        Evidence.read(tmp_path / "e.json")


def test_controls_are_as_expected(judged):
    assert judged.controls["original_as_synthetic"]["as_expected"]
    assert judged.controls["fresh_control"]["as_expected"]
    assert judged.controls["planted"]["tried"][0]["share"] == 0.05


def test_no_value_of_a_person_is_in_it(judged):
    told = judged.to_json()
    assert "P00" not in told
    assert "_repr" not in told
    assert judged.verdict in judged._repr_html_()


def test_originals_as_synthetic_fail_every_criterion(halves):
    train, control = halves
    found = sosie.assess(train, train, control, effort="quick")
    assert found.verdict == "fail"
    assert {one.verdict for one in found.criteria.values()} == {"fail"}


def test_the_same_seed_gives_the_same_evidence_from_pandas_and_polars(halves):
    train, control = halves
    made = sosie.Avatar(seed=1).fit_sample(train)
    one = sosie.assess(train, made, control, effort="quick", seed=5)
    other = sosie.assess(
        *(pl.from_pandas(t) for t in (train, made, control)), effort="quick", seed=5
    )
    assert one.privacy == other.privacy
    assert one.utility == other.utility
    assert one.controls == other.controls


def test_without_control_nothing_passes(halves):
    train, _ = halves
    found = sosie.assess(train, sosie.Avatar(seed=1).fit_sample(train), effort="quick")
    assert found.verdict in ("attention", "fail")
    assert found.privacy["membership_auc"].why_not == "no_control"
    assert found.controls == {}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "arest"}, "did you mean 'arrest'"),
        ({"secrets": ["colour"]}, "no column 'colour'"),
        ({"known": ["colour"]}, "no column 'colour'"),
        ({"effort": "heroic"}, "no effort 'heroic'"),
        ({"threshold": 1.5}, "between 0 and 1"),
        ({"seed": -1}, "at least 0"),
    ],
)
def test_settings_are_checked(halves, settings, said):
    train, control = halves
    with pytest.raises(ParameterError, match=said):
        sosie.assess(train, train, control, **settings)


def test_a_target_of_one_class_is_refused(halves):
    train, control = (t.assign(arrest=np.where(t.index < 1000, 1, 0)) for t in halves)
    train.loc[0, "arrest"] = 0
    with pytest.raises(DataError, match="'arrest' has one value only in the control"):
        sosie.assess(train, train, control, target="arrest")


@pytest.mark.parametrize("kind", ["numbers", "labels"])
def test_tables_of_one_sort_are_judged(kind):
    rng = np.random.default_rng(0)

    def made():
        if kind == "numbers":
            return pd.DataFrame(rng.normal(size=(150, 3)), columns=list("abc"))
        return pd.DataFrame({c: rng.choice(["u", "v", "w"], 150) for c in "abcd"})

    found = sosie.assess(made(), made(), made(), effort="quick")
    assert found.privacy["membership_auc"].value is not None
    assert found.utility["hellinger_mean"].value is not None


def test_a_rehearsal_judges_the_generator(halves):
    data = pd.concat(halves)
    found = sosie.rehearse(data, lambda seed: sosie.Avatar(seed=seed), effort="quick", seed=1)
    assert found.judged == "generator"
    assert found.settings["generator"]["name"] == "Avatar"
    assert found.privacy["shadow_membership"].detail["fits"] == 16
    assert found.privacy["regeneration_linkage"].value is not None
    assert found.privacy["hidden_rate"].value is not None
    with pytest.raises(DataError, match="200 at least"):
        sosie.rehearse(data[:150], lambda seed: sosie.Avatar(seed=seed))


def test_copied_identifiers_fail(halves):
    train, control = (t.reset_index(drop=True) for t in halves)
    rng = np.random.default_rng(0)
    numbers = [f"{n:013}" for n in rng.integers(10**12, 10**13, 432)]
    original = train.assign(nir=numbers[:216])
    made = sosie.Avatar(seed=1).fit_sample(train).assign(nir=numbers[:216])
    found = sosie.assess(original, made, control.assign(nir=numbers[216:]), effort="quick")
    assert found.privacy["identifiers_copied"].verdict == "fail"
    assert found.criteria["singling_out"].verdict == "fail"


def test_a_leak_is_not_diluted_by_sampling():
    rng = np.random.default_rng(0)
    tables = [pd.DataFrame(rng.normal(size=(30_000, 5)), columns=list("abcde")) for _ in range(2)]
    small = dataclasses.replace(EFFORTS["quick"], rows=6_000, pairs=3_000_000)
    moved = tables[0] + 1e-4 * rng.normal(size=(30_000, 5))
    aligned = align(*(sosie.Table.of(t) for t in (tables[0], moved, tables[1])))
    case = case_of(
        aligned, target=None, secrets=None, known=None, effort="quick", threshold=0.05, seed=0
    )
    case = dataclasses.replace(case, effort=small)
    assert case.visible_share == 0.2
    for attack in (Membership, Linkability, SinglingOut):
        for name, found in attack().run(case).items():
            if name in ("membership_auc", "linkability_nearest", "singling_out_multivariate"):
                assert found.verdict == "fail", name
    fresh = pd.DataFrame(rng.normal(size=(30_000, 5)), columns=list("abcde"))
    clean = dataclasses.replace(case, synthetic=coded(sosie.Table.of(fresh), case.layout))
    found = Linkability().run(clean)["linkability"]
    assert found.verdict != "fail"
    low, high = found.difference_ci
    assert high - low > 0.1  # what is not seen widens the interval


@pytest.mark.parametrize("moved", [0.0, 0.005])
def test_copies_moved_by_a_hair_are_copies(moved):
    rng = np.random.default_rng(0)
    one, other = (pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd")) for _ in range(2))
    leaky = one + moved * rng.normal(size=one.shape)
    case = case_of(
        align(*(sosie.Table.of(t) for t in (one, leaky, other))),
        target=None,
        secrets=None,
        known=None,
        effort="quick",
        threshold=0.05,
        seed=0,
    )
    assert Copies().run(case)["moved_copies"].verdict == "fail"
    assert SinglingOut().run(case)["singling_out_multivariate"].verdict == "fail"


def test_one_to_four_copies_are_told_as_four():
    rng = np.random.default_rng(0)
    one, other, made = (
        pd.DataFrame(rng.normal(size=(300, 4)), columns=list("abcd")) for _ in range(3)
    )
    shares = set()
    for copies in (1, 3, 4):
        leaky = pd.concat([made[copies:], one[:copies]], ignore_index=True)
        tables = [sosie.Table.of(t) for t in (one, leaky, other)]
        case = case_of(
            align(*tables),
            target=None,
            secrets=None,
            known=None,
            effort="quick",
            threshold=0.05,
            seed=0,
        )
        found = Copies().run(case)["exact_copies"]
        shares.add((found.value, found.difference))
        assert found.verdict == "attention"
    assert len(shares) == 1


def test_rounds_are_judged_on_their_average():
    def found(difference, low, high):
        return Finding(
            value=0.1,
            ci=(0, 1),
            difference=difference,
            difference_ci=(low, high),
            target=0.05,
            criterion="linkability",
            verdict=decide(difference, (low, high), 0.05),
        )

    rounds = [found(0.0, -0.02, 0.02), found(0.0, -0.02, 0.02), found(0.4, 0.38, 0.42)]
    assert _average(rounds).verdict == "fail"
    copies = [Finding(value=0.0, target=0.0, verdict=v) for v in ("pass", "pass", "fail")]
    assert _average(copies).verdict == "fail"


def test_all_rows_of_a_person_fall_on_one_side():
    whose = _whose([f"P{i // 3}" for i in range(300)], 300)
    seen = _halved(whose, np.random.default_rng(0))
    assert 120 <= seen.sum() <= 180
    assert not set(whose[seen]) & set(whose[~seen])
