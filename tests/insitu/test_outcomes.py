"""An outcome that a formula transforms is the one that is fitted, as on the pooled rows."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.stats.meta_analysis import combine_effects
from tests.insitu.conftest import split
from tests.insitu.test_catalogue import close

from sosie.errors import ParameterError
from sosie.insitu import Question
from sosie.insitu.analyst import asked
from sosie.insitu.compare import compare_ways
from sosie.insitu.gate import Refused
from sosie.table import Column, Schema


@pytest.mark.parametrize(
    ("name", "outcome", "theirs"),
    [
        ("poisson", "sqrt(pnodes)", "np.sqrt(pnodes)"),
        ("poisson", "I(time / 10)", "I(time / 10)"),
        ("poisson", "I(pnodes ** 2)", "I(pnodes ** 2)"),
        ("gamma", "log(time)", "np.log(time)"),
        ("gamma", "I(time * 3)", "I(time * 3)"),
        ("linear", "log(time)", "np.log(time)"),
    ],
)
def test_a_transformed_outcome(gbsg2, name, outcome, theirs):
    found = gbsg2.ask({"id": name, "formula": f"{outcome} ~ age + tgrade"})
    family = {"poisson": sm.families.Poisson(), "linear": sm.families.Gaussian()}.get(
        name, sm.families.Gamma(sm.families.links.Log())
    )
    fit = smf.glm(f"{theirs} ~ age + tgrade", gbsg2.pooled, family=family)
    expected = fit.fit(tol=1e-14, maxiter=100)
    for row in found.tables["terms"]:
        close(
            [row["estimate"], row["se"]], [expected.params[row["term"]], expected.bse[row["term"]]]
        )


def test_a_transformed_outcome_in_a_meta_analysis(gbsg2):
    found = gbsg2.ask({"id": "meta_analysis", "formula": "log(time) ~ age", "model": "linear"})
    fits = [smf.ols("np.log(time) ~ age", part).fit() for part in gbsg2.parts]
    for row in found.tables["terms"]:
        effects = np.array([one.params[row["term"]] for one in fits])
        errors = np.array([one.bse[row["term"]] for one in fits])
        theirs = combine_effects(effects, errors**2, method_re="dl")
        random = theirs.tau2 > 0
        # Told to a hundredth of it, of what holders tell to a hundredth of their own.
        error = theirs.sd_eff_w_re if random else theirs.sd_eff_w_fe
        mean = theirs.mean_effect_re if random else theirs.mean_effect_fe
        np.testing.assert_allclose([row["estimate"], row["se"]], [mean, error], atol=0.011 * error)


@pytest.mark.parametrize(
    ("name", "outcome", "theirs"),
    [("poisson", "log(visits)", "np.log(visits)"), ("gamma", "sqrt(cost)", "np.sqrt(cost)")],
)
def test_who_has_no_such_outcome_is_left_out(name, outcome, theirs):
    rng = np.random.default_rng(3)
    visits, age = rng.poisson(2, 300), rng.normal(60, 9, 300)
    visits[:20] = 0  # log is not defined
    cost = rng.gamma(2, 3, 300)
    cost[:20] = -1.0  # nor is the root
    frame = pd.DataFrame({"visits": visits, "cost": cost, "age": age})
    kinds = {"visits": "integer", "cost": "number", "age": "number"}
    schema = Schema(columns=[Column(name=one, kind=kind) for one, kind in kinds.items()])
    found = split(frame, schema).ask({"id": name, "formula": f"{outcome} ~ age"})
    kept = frame[frame["visits"] > 0] if name == "poisson" else frame[frame["cost"] >= 0]
    family = (
        sm.families.Poisson() if name == "poisson" else sm.families.Gamma(sm.families.links.Log())
    )
    expected = smf.glm(f"{theirs} ~ age", kept, family=family).fit(tol=1e-14, maxiter=100)
    close([row["estimate"] for row in found.tables["terms"]], expected.params)
    assert found.values["n"] == len(kept)


@pytest.mark.parametrize(
    ("name", "formula", "why"),
    [
        ("gamma", "log(pnodes) ~ age", "The outcome log(pnodes) is not above 0."),  # log(1) is 0
        ("poisson", "I(age * -1) ~ tsize", "The outcome I(age * -1) is below 0."),
    ],
)
def test_what_a_family_cannot_have_is_refused(gbsg2, name, formula, why):
    with pytest.raises(Refused) as caught:
        gbsg2.ask({"id": name, "formula": formula})
    assert str(caught.value.__cause__) == why


@pytest.mark.parametrize(
    "model", [{"id": "logistic"}, {"id": "meta_analysis", "model": "logistic"}]
)
def test_an_outcome_of_two_values_is_not_transformed(gbsg2, model):
    said = r"^The outcome of a logistic model is a column as it is, not sqrt\(big\)\.$"
    question = Question.of({"analysis": model | {"formula": "sqrt(big) ~ age"}})
    with pytest.raises(ParameterError, match=said):
        question.analysis.start(gbsg2.schema)
    plain = Question.of({"analysis": model | {"formula": "horTh ~ age"}})
    assert plain.analysis.start(gbsg2.schema)["outcome"].column == "horTh"
    ways = asked("logistic", {"formula": "sqrt(big) ~ age"})
    with pytest.raises(ParameterError, match=said):
        compare_ways(gbsg2.tables, ways, term="age", schema=gbsg2.schema)
