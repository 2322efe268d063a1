"""Answers of the whole exchange are those of the pooled rows, by other programs."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from lifelines import CoxPHFitter
from scipy.stats import chi2_contingency
from tests.insitu.network.conftest import COX, CROSSTAB, HOLDERS, LOGISTIC, Network

from sosie.insitu.exchange import verify_in_place
from sosie.trust import verify_ledger


def test_logistic(network: Network) -> None:
    answer = network.ask("logistic", **LOGISTIC)
    fit = smf.logit(LOGISTIC["formula"], network.world.pooled).fit(disp=0, tol=1e-12)
    found = answer.frame("terms").to_dicts()
    assert len(found) == len(fit.params) == 5
    np.testing.assert_allclose([one["estimate"] for one in found], fit.params, rtol=0, atol=1e-9)
    np.testing.assert_allclose([one["se"] for one in found], fit.bse, rtol=0, atol=1e-8)
    np.testing.assert_allclose([one["p"] for one in found], fit.pvalues, rtol=1e-6)
    np.testing.assert_allclose([one["ci"] for one in found], fit.conf_int(), rtol=0, atol=1e-7)
    assert network.released() == 3 * len({m["round"] for m in parts_of(answer)})


def test_crosstab(network: Network) -> None:
    answer = network.ask("crosstab", **CROSSTAB)
    pooled = network.world.pooled
    table = pd.crosstab(pooled["menostat"], pooled["horTh"])
    for one in answer.content["result"]["cells"]:
        assert one["count"] == table.loc[one["menostat"], one["horTh"]]
    chi2, p, df, _ = chi2_contingency(table, correction=False)
    np.testing.assert_allclose(
        [answer.values["chi2"], answer.values["p"], answer.values["df"]], [chi2, p, df], rtol=1e-10
    )


def test_cox_by_holder(network: Network) -> None:
    """The default of in place: a baseline of its own for each holder, nothing of it leaves."""
    answer = network.ask("cox", **COX)
    columns = ["time", "cens", "age", "tsize"]
    frame = pd.concat(
        [part[columns].assign(site=number) for number, part in enumerate(network.world.parts)]
    )
    fit = CoxPHFitter().fit(
        frame, "time", "cens", strata=["site"],
        fit_options={"precision": 1e-14, "r_precision": 1e-15},
    )  # fmt: skip
    found = answer.frame("terms").to_dicts()
    np.testing.assert_allclose([one["estimate"] for one in found], fit.params_, rtol=0, atol=1e-9)
    np.testing.assert_allclose([one["se"] for one in found], fit.standard_errors_, atol=1e-9)


def test_noise_of_one_holder_alone_is_told(connected: Callable[..., Network]) -> None:
    network = connected()
    network.start(*HOLDERS[1:])
    network.start(HOLDERS[0], cell_key=True)
    answer = network.ask("means", columns_of=["age"])
    found, pooled = answer.frame("means").row(0, named=True), network.world.pooled["age"]
    assert abs(found["n"] - len(pooled)) <= 5
    away = abs(network.world.parts[0]["age"].mean() - pooled.mean())
    # The noise may be the whole five, and then the two sides are equal but for rounding.
    assert abs(found["mean"] - pooled.mean()) <= 5 * away / (len(pooled) - 5) * (1 + 1e-9)
    assert answer.content["result"]["exact"] is False
    assert "at most 5 from the true one" in answer.content["result"]["bound"]


def test_all_that_comes_with_an_answer(network: Network) -> None:
    answer = network.ask("crosstab", **CROSSTAB)
    content = answer.content
    assert set(content) == {
        "analysis", "agreement", "sites", "question", "result", "gate", "certificate"
    }  # fmt: skip
    parties = network.parties()
    assert content["agreement"] == parties.signed.sha256
    assert content["sites"] == [network.world.keys[name].name for name in HOLDERS]
    assert {one["verdict"] for one in content["gate"]} == {"pass"}
    trusted = network.world.public(*HOLDERS, "hub", "recipient")
    items, record = verify_in_place(
        content["certificate"], trusted, answers=[content], agreement=content["agreement"]
    )
    assert record is not None
    assert all(item.ok for item in items), items
    for name in HOLDERS:
        assert not verify_ledger(network.place(name).ledger).broken
        last = network.ledger(name)[-1]
        assert last["event"] == "released"
        heads = [one["ledger"] for one in parts_of(answer) if one["by"] == name]
        assert {"lines": last["number"]}.items() <= heads[-1].items()


def parts_of(answer) -> list:
    from sosie.trust import payload_of, strict_json

    (record,) = strict_json(payload_of(answer.content["certificate"]))["predicate"]["results"]
    return [strict_json(payload_of(one)) for one in record["parts"]]
