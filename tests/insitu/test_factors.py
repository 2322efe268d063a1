"""Factors fitted in place are those of the pooled rows."""

import warnings

import numpy as np
import pytest

from sosie.errors import ParameterError
from sosie.insitu import Refused, Result
from sosie.insitu._rows import Rows
from sosie.insitu.synthetic import coordinates_in
from sosie.space import FAMD, Mixed, Moments
from sosie.table import Table
from sosie.trust import PRESETS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import prince

NUMBERS = ["age", "tsize", "pnodes", "progrec"]
LABELS = ["horTh", "menostat", "tgrade"]
EXACT = {"rtol": 1e-9, "atol": 1e-9}


def mixed_of(gbsg2, frame, numbers, labels):
    codes = [
        frame[name].map({v: i for i, v in enumerate(gbsg2.schema[name].levels)}).to_numpy()
        for name in labels
    ]
    return Mixed(
        frame[numbers].to_numpy(float),
        np.column_stack(codes) if codes else np.empty((len(frame), 0), np.int64),
        tuple(len(gbsg2.schema[name].levels) for name in labels),
    )


def weights(result):
    return np.array([axis["weights"] for axis in result.tables["axes"]])


@pytest.mark.parametrize(
    ("numbers", "labels"),
    [(NUMBERS, LABELS), (NUMBERS, []), ([], LABELS)],
    ids=["famd", "pca", "mca"],
)
def test_axes_are_those_of_the_pooled_rows(gbsg2, numbers, labels):
    found = gbsg2.ask({"id": "famd", "columns_of": numbers + labels, "factors": 4})
    mixed = mixed_of(gbsg2, gbsg2.pooled, numbers, labels)
    famd = FAMD(4).fit(mixed)
    variances = [row["variance"] for row in found.tables["variances"]]
    np.testing.assert_allclose(variances, famd.explained_variance_, **EXACT)
    np.testing.assert_allclose(
        [row["share"] for row in found.tables["variances"]], famd.explained_variance_ratio_, **EXACT
    )
    np.testing.assert_allclose(weights(found), famd.axes(), **EXACT)
    contributions = [row["contribution"] for row in found.tables["columns"]]
    np.testing.assert_allclose(contributions, famd.contributions_.ravel(), **EXACT)
    # Persons of one holder stand where the pooled model puts them.
    rows = Rows(gbsg2.tables[1], gbsg2.schema, (), PRESETS["snds-11"])
    expected = famd.transform(mixed_of(gbsg2, gbsg2.parts[1], numbers, labels))
    np.testing.assert_allclose(coordinates_in(found, rows), expected, atol=2e-5)


def test_axes_are_those_of_prince(gbsg2):
    found = gbsg2.ask({"id": "famd", "columns_of": NUMBERS + LABELS, "factors": 3})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = prince.FAMD(n_components=3, random_state=0, n_iter=50).fit(
            gbsg2.pooled[NUMBERS + LABELS].astype(dict.fromkeys(NUMBERS, float))
        )
    ours = np.array([row["variance"] for row in found.tables["variances"]])
    np.testing.assert_allclose(
        ours / ours[0], fitted.eigenvalues_ / fitted.eigenvalues_[0], rtol=1e-6
    )


def test_numbers_alone_are_principal_components(tumours):
    names = list(tumours.pooled.columns)
    famd = tumours.ask({"id": "famd", "columns_of": names, "factors": 6})
    pca = tumours.ask({"id": "pca", "columns_of": names})
    np.testing.assert_allclose(
        [row["variance"] for row in famd.tables["variances"]],
        [row["variance"] for row in pca.tables["variances"]],
        **EXACT,
    )


def test_moments_are_enough():
    rng = np.random.default_rng(0)
    mixed = Mixed(rng.normal(size=(300, 2)), rng.integers(0, 3, (300, 1)), (3,))
    whole = np.column_stack([mixed.numbers, mixed.codes == np.arange(3)])
    found = Moments(300, whole.mean(axis=0), np.cov(whole.T, bias=True))
    ours, theirs = FAMD(3).fit_moments(found, (3,)), FAMD(3).fit(mixed)
    np.testing.assert_allclose(ours.loadings_, theirs.loadings_, atol=1e-12)
    np.testing.assert_array_equal(ours.transform(mixed), theirs.transform(mixed))


def test_a_missing_value_stands_at_the_mean(gbsg2):
    found = gbsg2.ask({"id": "famd", "columns_of": NUMBERS + LABELS, "factors": 3})
    frame = gbsg2.parts[0].head(2).copy()
    frame["age"] = frame["age"].astype(float)
    frame.loc[0, ["age"]] = np.nan
    frame.loc[0, ["tgrade"]] = None
    rows = Rows(Table.of(frame, gbsg2.schema), gbsg2.schema, (), PRESETS["snds-11"])
    whole = Rows(Table.of(gbsg2.parts[0].head(2), gbsg2.schema), gbsg2.schema, (), rows.floors)
    gap = coordinates_in(found, whole)[0] - coordinates_in(found, rows)[0]
    axes = {(a["column"], a["label"]): a for a in found.tables["axes"]}
    age = axes["age", None]
    expected = (gbsg2.parts[0]["age"].iloc[0] - age["mean"]) * np.array(age["weights"])
    expected += np.array(axes["tgrade", gbsg2.parts[0]["tgrade"].iloc[0]]["weights"])
    for grade in ("I", "II", "III"):
        expected -= axes["tgrade", grade]["mean"] * np.array(axes["tgrade", grade]["weights"])
    np.testing.assert_allclose(gap, expected, atol=1e-5)


def test_rare_crossings_are_refused(gbsg2):
    """Cross-products of labels are a cross-table: a cell of a few stops them."""
    with pytest.raises(Refused) as caught:
        gbsg2.ask({"id": "famd", "columns_of": ["age", "tgrade", "horTh"]}, floors="snds-11")
    assert "persons" in caught.value.reasons
    gbsg2.ask({"id": "famd", "columns_of": ["age", "menostat", "horTh"]}, floors="snds-11")


def test_bad_input(gbsg2):
    with pytest.raises(ParameterError, match="two different columns"):
        gbsg2.ask({"id": "famd", "columns_of": ["age", "age"]})
    with pytest.raises(ParameterError, match="result of famd"):
        coordinates_in(Result("pca"), Rows(gbsg2.tables[0], gbsg2.schema, (), PRESETS["snds-11"]))
