"""Attacks by models whose weights are of cells of labels: in one bin of time, or blurred."""

from itertools import combinations, product

import numpy as np
import pytest

from sosie.insitu import Gate
from sosie.insitu.gate import Memory
from sosie.insitu.gate._combinations import _basis
from sosie.insitu.gate._memory import MOST_BLURRED
from sosie.trust import PRESETS


def cut(edge, column, name):
    return {"rule": "cut", "name": name, "column": column, "edges": [float(edge)]}


def indicator(name, column, level):
    return {"rule": "indicator", "name": name, "column": column, "level": level}


NAMES = "abcd"
FACTORS = [
    indicator("a", "horTh", "yes"),
    indicator("b", "menostat", "Pre"),
    cut(26.5, "progrec", "c"),
    cut(61, "estrec", "d"),
]
CELLS = np.array(list(product([0.0, 1.0], repeat=4)))


def cell_of(frame):
    """Tell in which of the 16 cells each person is."""
    labels = [frame["horTh"] == "yes", frame["menostat"] == "Pre"]
    labels += [frame["progrec"] >= 26.5, frame["estrec"] >= 61]
    return np.column_stack(labels) @ [8, 4, 2, 1]


def has(level):
    return level == "yes" or str(level).startswith(">=")


def tables_of(victim, row, column, derive):
    """Ask for a cross-table, and give its counts by whether each label is there."""
    answer = victim.ask({"id": "crosstab", "row": row, "column": column}, derive)
    cells = answer.tables["cells"] if answer else []
    return {(has(one[row]), has(one[column])): one["count"] for one in cells}


def sums_in_one_bin(victim):
    """Solve scores of models in one bin for the sum of days in every cell.

    The hazard is constant, so a person weighs as its days times what the labels say: the score is
    zero where the days in each cell, so weighed, have the share of the label among the events.
    """
    rows, values = [], []
    for i in range(4):
        asked = {"id": "means", "columns_of": ["time"], "by": NAMES[i]}
        for one in victim.ask(asked, [FACTORS[i]]).tables["means"]:
            rows.append((CELLS[:, i] == has(one[NAMES[i]])) * 1.0)
            values.append(one["n"] * one["mean"])
    cuts = (("tsize", 25), ("pnodes", 3.5), ("age", 53), ("age", 50), ("age", 57), ("tsize", 32))
    answered = 0
    for column, edge in (*cuts, ("age", 60), ("age", 46)):
        event = cut(edge, column, "ev")
        share = []
        for i in range(4):
            of = tables_of(victim, NAMES[i], "ev", [FACTORS[i], event])
            every = of.get((True, True), 0) + of.get((False, True), 0)
            share.append(of.get((True, True), 0) / every if every else None)
        for some in (tuple(range(4)), *combinations(range(4), 3)):
            asked = {
                "id": "cox_grid", "duration": "time", "event": "ev", "horizon": 2.0e7,
                "formula": " + ".join(NAMES[i] for i in some),
            }  # fmt: skip
            answer = victim.ask(asked, [*(FACTORS[i] for i in some), event])
            if answer is None:
                continue
            answered += 1
            beta = np.array([term["estimate"] for term in answer.tables["terms"]])
            weight = np.exp(CELLS[:, some] @ beta)
            for i in some:
                if share[i] is not None:
                    rows.append(1e3 * weight / weight.mean() * (CELLS[:, i] - share[i]))
                    values.append(0.0)
    solved = np.linalg.lstsq(np.array(rows), np.array(values), rcond=1e-13)[0]
    return solved, answered


def test_one_bin_of_time_tells_the_days_of_every_cell(victims):
    """A horizon that nobody reaches: the one person of a cell was observed for 1,459 days."""
    open_, held = victims()
    cell = cell_of(open_.frame)
    days = np.bincount(cell, open_.frame["time"], minlength=16)
    alone = int(np.bincount(cell, minlength=16).argmin())
    assert (cell == alone).sum() == 1
    found, _ = sums_in_one_bin(open_)
    np.testing.assert_allclose(found, days, atol=0.5)
    found, answered = sums_in_one_bin(held)
    assert answered <= 2, "of three labels whose cells are large enough"
    assert abs(found[alone] - days[alone]) > 500


OUTCOMES = [
    *("tsize", "pnodes", "time", "progrec", "estrec", "sqrt(progrec)", "sqrt(estrec)"),
    *("I(tsize ** 2)", "sqrt(pnodes)", "I(progrec ** 0.25)", "I(estrec ** 0.25)"),
    *("I(pnodes ** 2)", "I(tsize ** -1)", "I(pnodes ** -1)", "sqrt(time)", "sqrt(tsize)"),
    *("I(time ** 0.25)", "I(tsize ** 0.25)", "log(time)", "I(time ** 1.5)", "I(tsize ** 1.5)"),
]  # fmt: skip


def sizes_behind_age(victim):
    """Solve models of the labels and age for the size of every cell, and what age adds in each.

    Age says little of the outcomes, so what a person weighs is that of its cell, and two more
    terms in the difference of its age from what a permitted model says of the cell.
    """
    linear = victim.ask({"id": "linear", "formula": "age ~ a + b + c + d"}, FACTORS)
    ages = np.column_stack([np.ones(16), CELLS]) @ [
        term["estimate"] for term in linear.tables["terms"]
    ]
    spread = linear.values["sigma"]
    rows, values, off = [], [], []
    for i, j in combinations(range(4), 2):
        for (x, y), count in tables_of(
            victim, NAMES[i], NAMES[j], [FACTORS[i], FACTORS[j]]
        ).items():
            inside = ((CELLS[:, i] == x) & (CELLS[:, j] == y)) * 1.0
            rows.append(np.r_[inside, np.zeros(32)])
            values.append(count)
            off.append(0.01)
    size, middle = {}, ages.mean()
    gap = (ages - middle) / spread
    for i in range(4):
        asked = {"id": "means", "columns_of": ["age"], "by": NAMES[i]}
        for one in victim.ask(asked, [FACTORS[i]]).tables["means"]:
            inside = (CELLS[:, i] == has(one[NAMES[i]])) * 1.0
            n, mean = one["n"], one["mean"] - middle
            rows += [
                np.r_[inside * gap, inside, 0 * inside],
                np.r_[inside * gap**2, 2 * inside * gap, inside],
            ]
            values += [n * mean / spread, (one["sd"] ** 2 * (n - 1) + n * mean**2) / spread**2]
            off += [0.01, 0.01]
            if has(one[NAMES[i]]):
                size[i] = n
    answered = 0
    for outcome in OUTCOMES:
        asked = {"id": "poisson", "formula": f"{outcome} ~ a + b + c + d + age"}
        answer = victim.ask(asked, FACTORS)
        if answer is None:
            continue
        answered += 1
        beta = np.array([term["estimate"] for term in answer.tables["terms"]])
        slope = beta[5] * spread
        mean = np.exp(np.column_stack([np.ones(16), CELLS, ages]) @ beta)
        if abs(slope) > 0.12:
            continue
        for i in range(4):
            told = victim.ask({"id": "linear", "formula": f"{outcome} ~ {NAMES[i]}"}, [FACTORS[i]])
            if told is None:
                continue
            total = size[i] * sum(term["estimate"] for term in told.tables["terms"])
            weight = CELLS[:, i] * mean / mean.mean()
            rows.append(np.r_[weight, slope * weight, slope**2 / 2 * weight])
            values.append(total / mean.mean())
            off.append(0.004 + 4 * abs(slope) ** 3)
    A, y, off = np.array(rows), np.array(values), np.array(off)
    sizes = np.full(16, 40.0)
    for _ in range(8):  # of age in a cell: its mean is near, and its variance about what it is
        few = np.maximum(sizes, 0.3)
        near = np.zeros((32, 48))
        near[:16, 16:32] = near[16:, 32:] = np.eye(16)
        near[16:, :16] = -np.eye(16)
        width = np.r_[np.sqrt(few), np.sqrt(2 * few)]
        whole = np.vstack([A / off[:, None], near / width[:, None]])
        sizes = np.linalg.lstsq(whole, np.r_[y / off, np.zeros(32)], rcond=None)[0][:16]
    return sizes, answered


def test_a_number_hides_no_cells_from_many_models(victims):
    open_, held = victims()
    truth = np.bincount(cell_of(open_.frame), minlength=16)
    assert truth.min() == 1
    found, answered = sizes_behind_age(open_)
    assert answered == len(OUTCOMES)
    np.testing.assert_allclose(found, truth, atol=1.5)  # two-way tables leave it at 3
    assert abs(found[truth.argmin()] - 1) < 0.8  # and would say 2.2 of the one person
    found, answered = sizes_behind_age(held)
    assert answered == MOST_BLURRED
    assert abs(found - truth).max() > 5
    assert abs(found[truth.argmin()] - 1) > 5


def test_the_same_model_again_is_no_further_one(victims, tmp_path):
    """Nor is one whose cells are large enough; what was answered is remembered."""
    _, held = victims()
    first, second, third = (
        {"id": "poisson", "formula": f"{y} ~ a + b + c + d + age"} for y in OUTCOMES[:3]
    )
    for asked in (first, second, first, second):
        assert held.ask(asked, FACTORS)
    assert held.ask(third, FACTORS) is None
    large = {"id": "poisson", "formula": "time ~ a + b + age"}
    assert held.ask(large, FACTORS[:2])

    path, labels = tmp_path / "released.bin", frozenset({"horTh", "menostat", "progrec"})
    memory = Memory(100, path)
    for question in ("1", "2"):
        assert memory.may_blur(labels, question)
        memory.blurred(labels, question)
    again = Memory(100, path)
    assert not again.may_blur(labels, "3")
    assert not again.may_blur(frozenset({"horTh", "progrec", "age"}), "3")
    assert again.may_blur(labels, "2")
    assert again.may_blur(frozenset({"horTh", "tsize", "age"}), "3")
    assert again.may_blur(frozenset(), "3")


def test_averages_of_models_of_labels(victims):
    """Each holder's logistic model of labels alone is one whose cells its coefficients tell."""
    _, held = victims()
    direct = {"id": "logistic", "formula": "e ~ a + b + c + d"}
    derive = [*FACTORS, cut(25, "tsize", "e")]
    assert held.ask(direct, derive) is None
    assert held.ask({**direct, "id": "meta_analysis", "model": "logistic"}, derive) is None
    few = {"id": "meta_analysis", "model": "logistic", "formula": "e ~ a + b"}
    assert held.ask(few, [*FACTORS[:2], derive[-1]])


def test_an_audit_comes_to_an_end(monkeypatch):
    """Where LAPACK does not for a matrix, it does for its transpose: the space is the same."""
    rng = np.random.default_rng(0)
    vectors = rng.integers(0, 2, (12, 80)) * 1.0
    vectors[5] = vectors[3] + vectors[4]
    plain, real = _basis(vectors), np.linalg.svd
    calls = []

    def fails_first(matrix, *given):
        calls.append(matrix.shape)
        if len(calls) == 1:
            raise np.linalg.LinAlgError("SVD did not converge")
        return real(matrix, *given)

    monkeypatch.setattr(np.linalg, "svd", fails_first)
    found = _basis(vectors)
    assert len(calls) == 2
    assert found.shape == plain.shape == (11, 80)
    np.testing.assert_allclose(found.T @ found, plain.T @ plain, atol=1e-10)


@pytest.mark.parametrize("preset", ["snds-11", "datashield-3"])
def test_an_honest_model_of_labels_and_age(victims, preset):
    """Twice, as one does who looks at two outcomes: the check is of families of models."""
    open_, _ = victims()
    held = type(open_)(open_.frame, open_.schema, Gate(PRESETS[preset]))
    for outcome in ("cens", "tsize"):
        kind = "logistic" if outcome == "cens" else "gamma"
        asked = {"id": kind, "formula": f"{outcome} ~ horTh + menostat + tgrade + age"}
        assert held.ask(asked)
