"""What is wrong with a question is told in a sentence, at its place."""

import pytest

from sosie.errors import ParameterError
from sosie.insitu import Question
from sosie.insitu.analyst import asked

CUT = {"rule": "cut", "name": "old", "column": "age"}
RECODE = {"rule": "recode", "name": "late", "column": "stage"}


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"name": "a"}, "Rule 2 of --derive: say which it is, one of recode, cut, indicator, log"),
        ({"rule": "filter"}, "Rule 2 of --derive: there is no 'filter'; there are recode, cut"),
        (CUT, "Rule 2 of --derive (cut): edges is missing."),
        (CUT | {"edges": "65"}, "Rule 2 of --derive (cut): edges must be a list"),
        (CUT | {"edges": []}, "Rule 2 of --derive (cut): edges must have 1 or more items."),
        (CUT | {"edges": ["a"]}, "Rule 2 of --derive (cut): item 1 of edges must be a number."),
        (CUT | {"edges": [65, 50]}, "Rule 2 of --derive (cut): the edges do not rise."),
        (CUT | {"edges": [5], "by": 1}, "Rule 2 of --derive (cut): by is not one of its"),
        (RECODE | {"groups": ["I"]}, "Rule 2 of --derive (recode): groups must be names with"),
        (RECODE | {"groups": {"a": "I", "b": ["I"]}}, "(recode): a of groups must be a list"),
        (RECODE | {"groups": {"a": ["I"], "b": ["I"]}}, "(recode): a label is in two groups."),
        ("log", "Rule 2 of --derive: give names with their values, in { }."),
    ],
)
def test_rules(rule, said):
    good = {"rule": "log", "name": "b", "column": "a"}
    with pytest.raises(ParameterError) as caught:
        asked("counts", {"column": "b"}, [good, rule])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("analysis", "parameters", "said"),
    [
        ("ridge", {"formula": "y ~ x", "penalty": 0}, "ridge: --penalty must be above 0."),
        ("k_means", {"columns_of": [], "clusters": 2}, "k_means: --columns must have 1 or more"),
        ("k_means", {"columns_of": ["a"], "clusters": 2.5}, "--clusters must be a whole number."),
        ("quantiles", {"column": "a", "lower": 0, "upper": 1, "at": [2]},
         "quantiles: item 1 of --at must be below 1."),
        ("compare_ways", {"of": {"id": "means"}, "term": "a", "area": "b"},
         "compare_ways: --of: there is no 'means'; there are linear, logistic, cox."),
        ("counts", {"column": "a", "epsilon": -1}, "--epsilon must be above 0."),
        ("counts", {"column": "a", "epsilon": "x"}, "--epsilon must be a number."),
    ],
)  # fmt: skip
def test_parameters(analysis, parameters, said):
    with pytest.raises(ParameterError) as caught:
        asked(analysis, parameters)
    assert said in str(caught.value)


RATE = {"rule": "ratio", "name": "rate", "column": "nodes", "over": "size"}
CLASS = {"rule": "cut", "name": "class", "column": "rate", "edges": [0.1]}
LOG = {"rule": "log", "name": "log_rate", "column": "rate"}


@pytest.mark.parametrize(
    ("formula", "columns", "rules"),
    [
        ("y ~ rate + class", ("y", "nodes", "size"), ["rate", "class"]),
        ("y ~ class + rate", ("y", "nodes", "size"), ["rate", "class"]),
        ("y ~ class + log_rate", ("y", "nodes", "size"), ["rate", "class", "log_rate"]),
        ("rate ~ log_rate + size", ("nodes", "size"), ["rate", "log_rate"]),
        ("y ~ size", ("y", "size"), []),
    ],
)
def test_a_column_that_is_made_may_be_used_more_than_once(formula, columns, rules):
    found = asked("linear", {"formula": formula}, [RATE, CLASS, LOG])
    assert found.columns == columns
    assert [rule.name for rule in found.derive] == rules


def test_rules_stand_in_the_order_in_which_they_are_used():
    with pytest.raises(ParameterError) as caught:
        asked("linear", {"formula": "y ~ class"}, [CLASS, RATE])
    said = "Rule 1 of --derive (cut): column 'rate' is made by a later rule; put that rule first."
    assert str(caught.value) == said
    circle = {"rule": "log", "name": "nodes", "column": "rate"}
    with pytest.raises(ParameterError, match="'nodes' is made by a later rule"):
        asked("linear", {"formula": "y ~ rate"}, [RATE, circle])


@pytest.mark.parametrize("content", [3, None, [], {}, {"analysis": 3}, {"analysis": {"id": 3}}])
def test_no_question_at_all(content):
    with pytest.raises(ParameterError) as caught:
        Question.of(content)
    assert "pydantic" not in str(caught.value)
    assert "Input" not in str(caught.value)


def test_a_question_without_an_end_or_too_long():
    """Both are told before anything of it is read."""
    deep = []
    for _ in range(5000):
        deep = [deep]
    circle = {}
    circle["analysis"] = circle
    for content in ({"analysis": deep}, deep, circle):
        with pytest.raises(ParameterError, match="nested too deeply"):
            Question.of(content)
    counts = {"analysis": {"id": "counts", "column": "a"}}
    groups = {"yes": [f"label {i}" for i in range(200_000)]}
    recode = {"rule": "recode", "name": "a", "column": "b", "groups": groups}
    with pytest.raises(ParameterError, match="30,000 are the most"):
        Question.of(counts | {"derive": [recode]})
    with pytest.raises(ParameterError):
        Question.of({(1, 2): 3})


@pytest.mark.parametrize(
    ("formula", "duration", "event", "by"),
    [
        ("Surv(time, dead) ~ age", "time", "dead", "age"),
        ('Surv(Q("temps (jours)"), évènement) ~ âge', "temps (jours)", "évènement", "âge"),
        ("""Surv( Q('a, b'), Q("c d") ) ~ Q("traitement hormonal")""", "a, b", "c d",
         "traitement hormonal"),
    ],
)  # fmt: skip
def test_names_with_blanks_and_signs_in_survival(formula, duration, event, by):
    found = asked("kaplan_meier", {"formula": formula, "horizon": 9}).analysis
    assert (found.duration, found.event, found.by) == (duration, event, by)
    found = asked("cox", {"formula": formula}).analysis
    assert (found.duration, found.event) == (duration, event)
    assert found.columns == (duration, event, by)


@pytest.mark.parametrize("formula", ["Surv(time) ~ age", "Surv(a (b), c) ~ d", "Surv(a, b, c) ~ d"])
def test_survival_that_cannot_be_read(formula):
    with pytest.raises(ParameterError, match=r"write Surv\(time, event\) ~ terms"):
        asked("cox", {"formula": formula})
