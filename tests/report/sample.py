"""A made-up evidence, as ``evidence.json`` holds it: the report of a table nobody owns."""

import math
from typing import Any

import numpy as np

NAMES = [
    "age", "sex", "height_cm", "weight_kg", "body_mass_index", "systolic_pressure",
    "diastolic_pressure", "heart_rate", "smoker", "diabetes", "hba1c", "cholesterol_total",
    "cholesterol_hdl", "creatinine", "education_level", "occupation", "region", "date_of_inclusion",
    "treatment_arm", "adherence_score", "visits", "quality_of_life", "follow_up_days", "event",
    "income_band",
]  # fmt: skip
LABELS = {
    "sex": ["female", "male"],
    "smoker": ["never", "former", "current"],
    "diabetes": ["no", "type 2", "type 1"],
    "education_level": ["secondary", "higher", "primary", "none"],
    "occupation": ["employed", "retired", "unemployed", "student", "farmer", "other", "unknown",
                   "self-employed"],
    "region": ["Pays de la Loire", "Bretagne", "Île-de-France", "Normandie", "Occitanie", "other"],
    "treatment_arm": ["A", "B"],
    "event": ["no", "yes"],
    "income_band": ["middle", "low", "high"],
}  # fmt: skip


def finding(value: float | None = None, **more: Any) -> dict[str, Any]:
    """Fill what a finding leaves open, as its JSON does."""
    empty = dict.fromkeys(
        ("ci", "control", "naive", "difference", "difference_ci", "target", "criterion", "n",
         "n_control", "p_value", "why_not")
    )  # fmt: skip
    verdict = "not_measured" if value is None else "pass"
    return {"value": value, **empty, "better": "lower", "verdict": verdict, "detail": {}, **more}


def attack(
    value: float,
    control: float,
    half: float,
    criterion: str,
    naive: float | None = None,
    **more: Any,
) -> dict[str, Any]:
    gap = value - control
    verdict = "fail" if gap > 0.05 and gap > half else "pass" if gap + half < 0.05 else "attention"
    settled = {
        "ci": [max(value - half * 0.7, 0), min(value + half * 0.7, 1)],
        "control": control, "naive": naive, "difference": gap,
        "difference_ci": [gap - half, gap + half], "target": 0.05,
        "verdict": verdict, "criterion": criterion, "n": 2000, "n_control": 2000,
    }  # fmt: skip
    return finding(value, **{**settled, **more})


def _normal(edges: np.ndarray, mean: float, spread: float) -> list[float]:
    heights = [0.5 * (1 + math.erf((e - mean) / spread / math.sqrt(2))) for e in edges]
    return np.diff(heights).round(4).tolist()


def _columns(names: list[str], rng: np.random.Generator) -> list[dict[str, Any]]:
    columns: list[dict[str, Any]] = []
    for i, name in enumerate(names):
        far = float(rng.uniform(0.01, 0.14))
        told = {"name": name, "hellinger": far, "control": float(rng.uniform(0.01, 0.04)),
                "distance": far * 0.8}  # fmt: skip
        if name in LABELS:
            share = rng.dirichlet(np.linspace(6, 1, len(LABELS[name])))
            other = np.clip(share + rng.normal(0, far / 4, len(share)), 0.002, 1)
            told |= {"kind": "label", "levels": LABELS[name], "original": share.tolist(),
                     "synthetic": (other / other.sum()).tolist(), "control": None}  # fmt: skip
            if name == "occupation":
                told["original"][-1] = None
        else:
            edges = np.linspace(20 + i, 90 + 3 * i, 21)
            mean, spread = 50 + 2 * i, 9 + i / 3
            told |= {"kind": "number", "original": _normal(edges, mean, spread),
                     "synthetic": _normal(edges, mean + 18 * far, spread * (1 - far)),
                     "control": _normal(edges, mean + 0.4, spread)}  # fmt: skip
            told["original"][0] = told["original"][-1] = None
            if name.startswith("date"):
                edges = np.linspace(17_000, 19_500, 21)
                told |= {"kind": "date", "unit": "days"}
            told["edges"] = edges.tolist()
        columns.append(told)
    return columns


def evidence(
    names: list[str] | None = None, *, verdict: str = "attention", bare: bool = False
) -> dict[str, Any]:
    """Make an evidence of a table with these columns; ``bare`` with what needs no control."""
    names = NAMES if names is None else names
    rng = np.random.default_rng(7)
    p = len(names)
    grid = np.linspace(0, 1, 60)
    places = np.linspace(-4, 4, 29)
    centres = (places[1:] + places[:-1]) / 2
    x, y = np.meshgrid(centres, centres, indexing="ij")

    def density(shift: float, spread: float) -> list[list[float | None]]:
        cloud = np.exp(-((x - shift) ** 2 + (y - 0.5 * x) ** 2) / 2 / spread**2)
        cloud += 0.5 * np.exp(-((x + 1.6) ** 2 + (y - 1.4) ** 2) / 0.5)
        cloud /= cloud.sum()
        return [[None if v < 4e-4 else float(v) for v in row] for row in cloud]

    linked = rng.uniform(-0.5, 0.5, (p, p))
    linked = np.tril(linked, -1) + np.tril(linked, -1).T + np.eye(p)
    moved = np.clip(linked + rng.normal(0, 0.06, (p, p)), -1, 1)
    secrets = [
        {"column": name, "attacker": ["neighbour", "trees"][i % 2], "value": 0.3 + 0.02 * i,
         "control": 0.29 + 0.0195 * i, "naive": 0.25 + 0.015 * i, "population": 0.31 + 0.02 * i,
         "difference": 0.043 - 0.004 * i, "difference_ci": [0.013 - 0.004 * i, 0.073 - 0.004 * i]}
        for i, name in enumerate(names[:12])
    ]  # fmt: skip
    heights = np.exp(-(((np.linspace(0.1, 3, 24) - 1.3) / 0.55) ** 2))
    nearer = np.exp(-(((np.linspace(0.1, 3, 24) - 1.26) / 0.55) ** 2))
    privacy = {
        "exact_copies": attack(0.0, 0.0, 0.0015, "singling_out"),
        "near_copies": attack(0.0075, 0.006, 0.004, "singling_out"),
        "unique_copies": attack(0.0015, 0.0, 0.002, "singling_out"),
        "known_copies": attack(0.214, 0.209, 0.02, "linkability"),
        "identifiers_copied": finding(why_not="no_identifier"),
        "singling_out_univariate": attack(0.012, 0.009, 0.011, "singling_out", 0.004, n=1000),
        "singling_out_multivariate": attack(
            0.083, 0.071, 0.024, "singling_out", 0.031, n=1000,
            detail={
                "by_size": {
                    str(k): {"value": 0.012 + 0.032 * k, "control": 0.009 + 0.028 * k,
                             "naive": 0.004 + 0.009 * k, "n": 250} for k in (1, 2, 3, 4)
                },
                "columns": {name: float(s) for name, s in zip(
                    names[:14], np.sort(rng.dirichlet(np.ones(14)))[::-1], strict=False)},
            },
        ),
        "linkability": attack(
            0.034, 0.031, 0.011, "linkability", 0.005,
            detail={"by_split": [
                {"left": names[i : i + 4], "right": names[i + 4 : i + 8], "value": 0.04 - 0.004 * i,
                 "control": 0.033 - 0.003 * i, "naive": 0.005} for i in range(min(8, max(p - 8, 1)))
            ]},
        ),
        "linkability_nearest": attack(0.006, 0.005, 0.005, "linkability", 0.0005),
        "attribute_inference_max": attack(
            0.3, 0.257, 0.03, "inference", 0.25, detail={"by_secret": secrets}
        ),
        "membership_auc": attack(
            0.521, 0.5, 0.018, "membership", 0.5, p_value=0.03,
            detail={
                "attacks": {"nearest": {"auc": 0.512, "tpr_at_1": 0.013},
                            "calibrated_ratio": {"auc": 0.521, "tpr_at_1": 0.016},
                            "density": {"auc": 0.508, "tpr_at_1": 0.011},
                            "classifier": {"auc": 0.503, "tpr_at_1": 0.010}},
                "strongest": "calibrated_ratio",
                "roc": {"fpr": grid.tolist(), "tpr": (grid**0.92).tolist()},
                "distances": {"edges": np.linspace(0, 3, 25).tolist(),
                              "original": (nearer / nearer.sum()).tolist(),
                              "control": [None, *(heights / heights.sum()).tolist()[1:]]},
            },
        ),
        "membership_tpr_at_1": attack(0.016, 0.01, 0.006, "membership", 0.01),
        "membership_tpr_at_01": attack(0.002, 0.001, 0.003, "membership", 0.001),
        "membership_auc_isolated": attack(0.547, 0.5, 0.06, "membership", 0.5, n=100),
        "membership_auc_most_isolated": finding(why_not="too_few", criterion="membership"),
        "shadow_membership": finding(why_not="no_generator", criterion="membership"),
        "regeneration_linkage": finding(why_not="no_generator", criterion="linkability"),
        "hidden_rate": finding(96.4, target=90, better="higher", verdict="information",
                               ci=[95.5, 97.2]),
        "hidden_rate_index_rule": finding(97.9, target=90, better="higher", verdict="information"),
        "local_cloaking": finding(
            14, target=5, better="higher", verdict="information", ci=[13, 15],
            detail={"edges": list(range(0, 62, 2)),
                    "shares": (np.exp(-np.arange(30) / 8) / 8.4).tolist()},
        ),
        "assignment_attack": finding(0.021, verdict="information", ci=[0.015, 0.029]),
        "distance_to_closest": finding(
            0.48, target=0.2, better="higher", verdict="information",
            detail={"edges": np.linspace(0, 3, 25).tolist(),
                    "original": (nearer / nearer.sum()).tolist(),
                    "control": (heights / heights.sum()).tolist()},
        ),
        "closest_distance_ratio": finding(0.81, target=0.3, better="higher", verdict="information"),
        "closest_rate": finding(94.09, target=90, better="higher", verdict="information"),
        "correlation_protection_rate": finding(100, target=95, better="higher",
                                               verdict="information"),
        "inference_categorical": finding(46.85, target=10, better="higher", verdict="information"),
        "inference_continuous": finding(38.2, target=10, better="higher", verdict="information"),
        "categorical_hidden_rate": finding(97.41, target=90, better="higher",
                                           verdict="information"),
        "column_direct_match_protection": finding(98.62, target=50, better="higher",
                                                  verdict="information"),
        "row_direct_match_protection": finding(99.21, target=90, better="higher",
                                               verdict="information"),
    }  # fmt: skip
    tstr, trtr = rng.normal(0.757, 0.012, 100), rng.normal(0.764, 0.011, 100)
    utility = {
        "hellinger_mean": finding(0.062, ci=[0.057, 0.068], control=0.024, target=0.1,
                                  detail={"columns": _columns(names, rng)}),
        "univariate_distance": finding(0.041, ci=[0.036, 0.047], control=0.018, target=0.1),
        "association_difference": finding(
            0.047, ci=[0.041, 0.055], target=0.1,
            detail={"names": names, "original": linked.tolist(), "synthetic": moved.tolist(),
                    "control": 0.02},
        ),
        "three_way_difference": finding(0.083, ci=[0.07, 0.1], target=0.15),
        "projection_difference": finding(
            0.071, ci=[0.06, 0.085], target=0.15,
            detail={
                "x": places.tolist(), "y": places.tolist(), "original": density(0.6, 1.0),
                "synthetic": density(0.55, 0.93), "explained": [0.183, 0.097],
                "contributions": [
                    {"name": name, "original": rng.dirichlet([1, 1])[:2].round(3).tolist(),
                     "synthetic": rng.dirichlet([1, 1])[:2].round(3).tolist()} for name in names
                ],
            },
        ),
        "missing_difference": finding(
            0.009, ci=[0.006, 0.013], target=0.05,
            detail={"columns": [
                {"name": name, "original": 0.012 * i, "synthetic": 0.012 * i + 0.004}
                for i, name in enumerate(names[:9])], "pairs": 0.004},
        ),
        "detector_auc": finding(0.641, ci=[0.62, 0.662], target=0.75, detail={
            "roc": {"fpr": grid.tolist(), "tpr": (grid**0.6).tolist()}}),
        "pmse": finding(0.0124, ci=[0.01, 0.0155], verdict="information"),
        "tstr_auc": finding(
            0.757, ci=[0.733, 0.779], target=0.714, better="higher",
            detail={"score": "auc", "model": "logistic regression", "target": "event",
                    "tstr": tstr.tolist(), "trtr": trtr.tolist()},
        ),
        "trtr_auc": finding(0.764, ci=[0.742, 0.785], verdict="information"),
        "sd_ratio": finding(0.963, ci=[0.951, 0.975], target=0.9, better="higher"),
        "rare_levels_kept": finding(0.86, ci=[0.71, 0.94], target=0.8, better="higher",
                                    verdict="attention"),
        "replication_overlap": finding(0.83, ci=[0.72, 0.91], target=0.7, better="higher"),
    }  # fmt: skip
    replication = [
        {"name": name, "kind": kind, "term": term,
         "original": {"estimate": e, "low": e - h, "high": e + h, "p": 0.01},
         "synthetic": {"estimate": e * 0.92, "low": e * 0.92 - h, "high": e * 0.92 + h, "p": 0.02},
         "overlap": 0.85, "sign_kept": True, "significance_kept": e > 0.06}
        for name, kind, term, e, h in (
            ("Event by arm", "logistic", "treatment_arm[B]", -0.412, 0.19),
            ("Event by arm", "logistic", "age", 0.034, 0.012),
            ("Time to event", "cox", "treatment_arm[B]", -0.36, 0.17),
            ("Time to event", "cox", "diabetes[type 2]", 0.48, 0.22),
            ("Mean pressure, arm A", "mean", "systolic_pressure", 134.2, 1.4),
            ("Survival at one year", "kaplan_meier", None, 0.912, 0.02),
            ("Pressure and age", "correlation", None, 0.31, 0.05),
        )
    ]  # fmt: skip
    if bare:
        reasons = {"local_cloaking": "no_linked", "hidden_rate": "no_linked"}
        privacy = {name: finding(why_not=reasons.get(name, "no_control")) for name in privacy}
        utility["tstr_auc"] = utility["trtr_auc"] = finding(why_not="no_target")
        replication = []
    criteria = {
        "singling_out": {"verdict": "pass", "drivers": ["singling_out_multivariate"],
                         "columns": [], "advice": []},
        "linkability": {"verdict": "pass", "drivers": [], "columns": [], "advice": []},
        "inference": {"verdict": verdict, "drivers": ["attribute_inference_max"],
                      "columns": names[:3], "advice": ["coarsen_columns", "raise_k"]},
        "membership": {"verdict": "attention", "drivers": ["membership_auc_isolated"],
                       "columns": [], "advice": ["more_control", "group_rare_labels"]},
    }  # fmt: skip
    if verdict == "pass":
        criteria = {k: {**v, "verdict": "pass", "advice": []} for k, v in criteria.items()}
    alarms = ["exact_copies", "singling_out_multivariate", "linkability", "attribute_inference_max",
              "membership_auc"]  # fmt: skip
    table = {"name": "cohort_synthetic.parquet", "rows": 9_412, "columns": p,
             "sha256": "9f2c41d0a7b5e63e84c6d51b0f7723aa" * 2}  # fmt: skip
    return {
        "format": "sosie-evidence/1",
        "sosie": "0.1.0",
        "rulebook": "WP216 (2014), CNIL (2020), EDPB 28/2024; sosie rules 2026-11",
        "judged": "table",
        "made_on": "2026-11-21",
        "review_by": "2027-11-21",
        "verdict": verdict,
        "criteria": criteria,
        "privacy": privacy,
        "utility": utility,
        "replication": replication,
        "controls": {} if bare else {
            "original_as_synthetic": {"alarms": dict.fromkeys(alarms, True), "as_expected": True},
            "fresh_control": {"alarms": dict.fromkeys(alarms, False), "as_expected": True},
            "planted": {"share": 0.01, "persons": 94, "found": True,
                        "found_by": ["exact_copies", "membership_auc_isolated"],
                        "smallest_found": 0.005,
                        "tried": [{"share": 0.01, "persons": 94, "found_by": ["exact_copies",
                                   "membership_auc_isolated"]},
                                  {"share": 0.005, "persons": 47, "found_by": ["exact_copies"]},
                                  {"share": 0.0003, "persons": 3, "found_by": []}]},
        },
        "inputs": {
            "original": {**table, "name": "cohort.parquet"},
            "synthetic": table,
            "control": None if bare else {**table, "name": "cohort_control.parquet", "rows": 9_410},
            "linked": None,
            "left_out": {"patient_number": "identifier", "remarks": "text", "country": "constant"},
        },
        "settings": {
            "effort": "standard", "seed": 20261121, "threshold": 0.05, "secrets": names[:12],
            "known": names, "target": "event", "sampled": {"original": [2000, 9412]},
            "versions": {"sosie": "0.1.0", "numpy": "2.4.6", "scikit-learn": "1.8.0"},
            "seconds": 41.7, "generator": None, "rounds": None,
        },
    }  # fmt: skip
