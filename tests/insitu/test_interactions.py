"""Interactions, with and without their main effects, have the columns they have in statsmodels."""

import itertools

import numpy as np
import patsy
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from lifelines import CoxPHFitter
from tests.insitu.conftest import LAX
from tests.insitu.test_catalogue import close, terms

from sosie.errors import ParameterError
from sosie.insitu._design import Design, read_formula
from sosie.insitu._rows import Rows
from sosie.table import Column, Schema, Table

FAMILIES = {
    "linear": sm.families.Gaussian(),
    "logistic": sm.families.Binomial(),
    "poisson": sm.families.Poisson(),
    "gamma": sm.families.Gamma(sm.families.links.Log()),
}


def design(formula, holders, **options):
    return Design.of(read_formula(formula, outcome=False), holders.schema, **options)


@pytest.mark.parametrize(
    ("formula", "names"),
    [
        ("age:horTh", "Intercept age:horTh[no] age:horTh[yes]"),
        ("0 + age:horTh", "age:horTh[no] age:horTh[yes]"),
        ("age + age:horTh", "Intercept age age:horTh[T.yes]"),
        ("horTh:menostat", "Intercept menostat[T.Pre] horTh[T.yes]:menostat[Post] "
         "horTh[T.yes]:menostat[Pre]"),
        ("0 + horTh:menostat", "horTh[no]:menostat[Post] horTh[yes]:menostat[Post] "
         "horTh[no]:menostat[Pre] horTh[yes]:menostat[Pre]"),
        ("horTh:menostat + horTh", "Intercept horTh[no]:menostat[T.Pre] "
         "horTh[yes]:menostat[T.Pre] horTh[T.yes]"),
        ("horTh * menostat", "Intercept horTh[T.yes] menostat[T.Pre] horTh[T.yes]:menostat[T.Pre]"),
        ("0 + age + horTh", "age horTh[no] horTh[yes]"),
        ("0 + age + horTh:age", "age horTh[T.yes]:age"),
    ],
)  # fmt: skip
def test_columns_are_called_as_in_statsmodels(gbsg2, formula, names):
    assert list(design(formula, gbsg2).names) == names.split()
    info = patsy.dmatrix(formula, gbsg2.pooled).design_info
    assert sorted(info.column_names) == sorted(names.split())


def some_formulas(rng, count):
    factors = ["age", "tsize", "log(pnodes)", "horTh", "menostat", "tgrade"]
    for _ in range(count):
        drawn = [
            ":".join(rng.choice(factors, rng.integers(1, 5), replace=False))
            for _ in range(rng.integers(1, 6))
        ]
        yield str(rng.choice(["", "0 + "])) + " + ".join(drawn)


def test_any_formula_has_the_matrix_that_patsy_makes(gbsg2):
    table = Table.of(gbsg2.pooled, gbsg2.schema)
    rows = Rows(table, gbsg2.schema, (), LAX)
    seen = set()
    for formula in some_formulas(np.random.default_rng(5), 25):
        theirs = patsy.dmatrix(
            formula.replace("log(", "np.log("), gbsg2.pooled, return_type="dataframe"
        )
        theirs.columns = [name.replace("np.log(", "log(") for name in theirs.columns]
        found = design(formula, gbsg2)
        assert sorted(found.names) == sorted(theirs.columns), formula
        close(found.matrix(rows), theirs[list(found.names)])
        # Within a term, patsy's order: of each term the columns come one after the other.
        info = theirs.design_info
        spans = [list(theirs.columns[info.slice(term)]) for term in info.terms]
        places = [[found.names.index(name) for name in span] for span in spans]
        assert all(place == list(range(place[0], place[-1] + 1)) for place in places if place)
        # A model with a constant of its own has the columns of one with an intercept.
        plain = formula.removeprefix("0 + ")
        own = design(plain, gbsg2, intercept=False).names
        assert own == design(plain, gbsg2).names[1:]
        seen.add(len(theirs.columns))
    assert len(seen) > 10


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("linear", "age ~ tsize:horTh"),
        ("linear", "age ~ horTh:menostat"),
        ("linear", "age ~ horTh:tgrade:tsize"),
        ("linear", "age ~ tsize:menostat + menostat:tgrade + pnodes"),
        ("linear", "age ~ horTh:menostat:tgrade"),
        ("logistic", "big ~ age:horTh"),
        ("logistic", "big ~ 0 + age:horTh"),
        ("logistic", "big ~ 0 + menostat:tgrade"),
        ("poisson", "pnodes ~ age:menostat + tgrade:horTh"),
        ("poisson", "pnodes ~ 0 + horTh:tgrade"),
        ("gamma", "time ~ horTh:menostat + horTh"),
        ("gamma", "time ~ 0 + age:tgrade + horTh"),
        ("poisson", "time ~ 0 + horTh:menostat"),
    ],
)
def test_models_against_statsmodels(gbsg2, name, formula):
    fit = smf.glm(formula, gbsg2.pooled, family=FAMILIES[name])
    expected = fit.fit(tol=1e-14, maxiter=100)
    found = gbsg2.ask({"id": name, "formula": formula})
    by = {row["term"]: row for row in found.tables["terms"]}
    assert by.keys() == set(expected.params.index)
    for term in expected.params.index:
        close([by[term]["estimate"], by[term]["se"]], [expected.params[term], expected.bse[term]])


@pytest.mark.parametrize(
    "formula", ["age:horTh", "horTh:menostat", "age + horTh:tgrade + tsize:menostat"]
)
def test_cox_has_the_columns_of_a_model_with_an_intercept(gbsg2, formula):
    sited = [part.assign(site=i) for i, part in enumerate(gbsg2.parts)]
    frame = type(gbsg2.pooled)(
        list(itertools.chain.from_iterable(one.to_dict("records") for one in sited))
    )
    matrix = patsy.dmatrix(formula, frame, return_type="dataframe").drop(columns="Intercept")
    fitted = CoxPHFitter().fit(
        matrix.join(frame[["time", "cens", "site"]]), "time", "cens", strata=["site"],
        fit_options={"precision": 1e-14, "r_precision": 1e-15},
    )  # fmt: skip
    found = gbsg2.ask({"id": "cox", "duration": "time", "event": "cens", "formula": formula})
    names = [row["term"] for row in found.tables["terms"]]
    assert sorted(names) == sorted(matrix.columns)
    theirs = fitted.summary.loc[names]
    close(terms(found), theirs["coef"])
    close(terms(found, "se"), theirs["se(coef)"])


@pytest.mark.parametrize("categories", [3, 40])
def test_more_columns_than_are_allowed_are_refused_before_they_are_made(gbsg2, categories):
    names = [f"c{i}" for i in range(categories)]
    levels = [str(i) for i in range(40)]
    columns = [Column(name=name, kind="category", levels=levels) for name in names]
    formula = read_formula(":".join(names), outcome=False)
    with pytest.raises(ParameterError, match=r"makes \d+ columns; 1 to 60 are"):
        Design.of(formula, Schema(columns=columns))
