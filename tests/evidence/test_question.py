"""Question files and formulas: what is read, and what is refused in one sentence."""

import tomllib
from pathlib import Path

import pytest

from sosie.errors import ParameterError, SchemaError
from sosie.evidence._people import Layout
from sosie.evidence._question import Question
from sosie.table import Formula, FormulaError

LAYOUT = Layout(
    ("age", "days", "dead", "arm", "stage", "body weight"),
    ("age", "days", "body weight"),
    {"dead": ("0", "1"), "arm": ("0", "1", "2"), "stage": ("early", "late", "SECRETSTAGE")},
)


def terms(text):
    found = Formula.read(text)
    return [":".join(f.text for f in term) for term in found.terms], found.intercept


def ask(**said):
    return Question(analysis=[{"name": "A", **said}])


@pytest.mark.parametrize(
    ("text", "expected", "intercept"),
    [
        ("y ~ a + b", ["a", "b"], True),
        ("y ~ a * b", ["a", "b", "a:b"], True),
        ("y ~ a * b * c", ["a", "b", "a:b", "c", "a:c", "b:c", "a:b:c"], True),
        ("y ~ a * b - a:b", ["a", "b"], True),
        ("y ~ (a + b):c", ["a:c", "b:c"], True),
        ("y ~ 0 + C(arm)", ["C(arm)"], False),
        ("y ~ C(arm) - 1", ["C(arm)"], False),
        ("y ~ -1 + a", ["a"], False),
        ("y ~ 1 + a + a", ["a"], True),
        ("y ~ I(age**2) + log(x) + sqrt(x)", ["I(age ** 2)", "log(x)", "sqrt(x)"], True),
        ("y ~ I(age / 10)+I(age ^ -1)", ["I(age / 10)", "I(age ^ -1)"], True),
        ("Q('a b') ~ C(Q(\"c d\")):âge", ['C(Q("c d")):âge'], True),
        ("y ~ C + log", ["C", "log"], True),
    ],
)
def test_formulas_expand_as_in_r(text, expected, intercept):
    assert terms(text) == (expected, intercept)


def test_expansion_agrees_with_patsy():
    patsy = pytest.importorskip("patsy")
    for text in ("y ~ a*b*c - a:b:c", "y ~ (a + b + c):d + a*d", "y ~ (a + b)*c - c", "y ~ a:b*c"):
        theirs = {
            frozenset(f.name() for f in term.factors)
            for term in patsy.ModelDesc.from_formula(text).rhs_termlist
            if term.factors
        }
        assert {frozenset(f.text for f in t) for t in Formula.read(text).terms} == theirs


def test_factors_are_what_they_say():
    import numpy as np

    x = np.array([4.0, 9.0])
    written = ("log(x)", "sqrt(x)", "I(x**2)", "I(x^-1)", "I(x*3)", "I(x/2)", "I(x)")
    expected = (np.log(x), [2, 3], [16, 81], [1 / 4, 1 / 9], [12, 27], [2, 4.5], x)
    for text, values in zip(written, expected, strict=True):
        (factor,) = Formula.read(f"y ~ {text}").factors
        assert np.allclose(factor.of(x), values, rtol=1e-15), text


@pytest.mark.parametrize(
    "text",
    [
        "y ~ __import__('os').system('exit')",
        "y ~ __import__('os')",
        "y ~ a.b",
        "y ~ a.__class__",
        "y ~ Q('a').__class__",
        "y ~ exp(a)",
        "y ~ open('x')",
        "y ~ eval('1')",
        "y ~ log(exp(a))",
        "y ~ log(a + b)",
        "y ~ log(__import__('os'))",
        "y ~ I(a ** b)",
        "y ~ I(a + 1)",
        "y ~ I(a ** 0)",
        "y ~ I((lambda: 1)())",
        "y ~ [x for x in a]",
        "y ~ {a}",
        "y ~ a[0]",
        "y ~ a if b else c",
        "y ~ a; b",
        "y ~ a @ b",
        "y ~ C(a, Treatment(2))",
        "y ~ 'text'",
        "y ~ 2 + a",
        "y ~ a | b",
        "y ~ a +",
        "y ~ (a + b",
        "y ~ a b",
        "y ~ b ~ c",
        "~ a",
        "C(y) ~ a",
        "y + z ~ a",
        "y ~ a - b",
        "y ~ a\\nb",
        "y ~ " + "(" * 5_000 + "a" + ")" * 5_000,
        "y ~ " + "(" * 900 + "a" + ")" * 900,
        "y ~ " + "*".join(f"x{j}" for j in range(40)),
        "y ~ (a:",
        "",
    ],
)
def test_nothing_else_is_read(text):
    with pytest.raises(FormulaError):
        Formula.read(text)
    with pytest.raises(ParameterError, match=r"^Analysis 'A': the formula cannot be read: .*\.$"):
        ask(kind="linear", formula=text).check(LAYOUT)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"kind": "mean", "column": "agee"}, "no column 'agee' .* did you mean 'age'"),
        ({"kind": "mean", "column": "stage"}, "'stage' holds labels"),
        ({"kind": "mean", "column": "age", "by": "nowhere"}, "no column 'nowhere'"),
        ({"kind": "proportion", "column": "stage", "level": "mid"}, "'stage' has no label 'mid'"),
        ({"kind": "linear", "formula": "age ~ 1"}, "nothing can be fitted"),
        ({"kind": "linear", "formula": "arm + age"}, "no outcome"),
        ({"kind": "linear", "formula": "stage ~ age"}, "'stage' holds labels"),
        ({"kind": "linear", "formula": "age ~ age + arm"}, "'age' cannot explain itself"),
        ({"kind": "linear", "formula": "age ~ log(stage)"}, "'stage' holds labels"),
        ({"kind": "linear", "formula": "age ~ weight"}, "no column 'weight'"),
        ({"kind": "logistic", "formula": "stage ~ age"}, "'stage' is not 0 or 1; .* level"),
        ({"kind": "logistic", "formula": "arm ~ age"}, "'arm' is not 0 or 1"),
        ({"kind": "logistic", "formula": "stage ~ age", "level": "x"}, "no label 'x'"),
        ({"kind": "logistic", "formula": "log(dead) ~ age"}, "column as it is"),
        (
            {"kind": "cox", "duration": "days", "event": "stage", "formula": "age"},
            "'stage' is not 0 or 1",
        ),
        ({"kind": "cox", "duration": "stage", "event": "dead", "formula": "age"}, "holds labels"),
        ({"kind": "cox", "duration": "days", "event": "dead", "formula": "y ~ age"}, "leave out ~"),
        ({"kind": "cox", "duration": "days", "event": "dead", "formula": "0 + age"}, "intercept"),
        ({"kind": "cox", "duration": "days", "event": "dead", "formula": "days"}, "two places"),
        ({"kind": "correlation", "columns": ["age", "age"]}, "not correlated with itself"),
    ],
)
def test_what_does_not_fit_the_columns_is_one_sentence(said, message):
    with pytest.raises(ParameterError, match=message) as error:
        ask(**said).check(LAYOUT)
    text = str(error.value)
    assert text.startswith("Analysis 'A': ")
    assert text.endswith((".", "?"))
    assert "\n" not in text
    assert "SECRETSTAGE" not in text


def test_models_too_large_are_refused():
    levels = tuple(f"l{j}" for j in range(40))
    layout = Layout(("y", "a", "b"), ("y",), {"a": levels, "b": levels})
    with pytest.raises(ParameterError, match="1680 coefficients"):
        ask(kind="linear", formula="y ~ a * b").check(layout)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title = \n", "is not valid TOML: .*line 1"),
        ("title = 'x'", "no .*analysis.* table"),
        ("analysis = 3", "no .*analysis.* table"),
        ("analysis = [3]", "written as"),
        ("[[analysis]]\nname = 'A'\nkind = 'anova'", "'A' is of kind 'anova', .* kinds are mean,"),
        ("[[analysis]]\nname = 'A'", "analysis 'A' has no kind"),
        ("[[analysis]]\nkind = 'mean'\ncolumn = 'x'", "analysis number 1 lacks 'name'"),
        ("[[analysis]]\nname='A'\nkind='mean'", "analysis 'A' lacks 'column'"),
        ("[[analysis]]\nname='A'\nkind='mean'\ncolum='x'", "'colum' .* did you mean 'column'"),
        ("[[analysis]]\nname='A'\nkind='mean'\ncolumn=3", "analysis 'A', column: .* string"),
        (
            "[[analysis]]\nname='A'\nkind='kaplan_meier'\nduration='d'\nevent='e'\nat=[-1]",
            "analysis 'A', at: ",
        ),
        ("[[analysis]]\nname='A'\nkind='correlation'\ncolumns=['x']", "analysis 'A', columns: "),
        ("[[analysis]]\nname='A'\nkind='mean'\ncolumn='x'\n" * 2, "two analyses named 'A'"),
        ("titel = 'x'\n[[analysis]]\nname='A'\nkind='mean'\ncolumn='x'", "titel"),
    ],
)
def test_malformed_files_are_one_sentence(tmp_path, text, message):
    file = tmp_path / "question.toml"
    file.write_text(text)
    with pytest.raises(SchemaError, match=message) as error:
        Question.read(file)
    said = str(error.value)
    assert said.startswith(str(file))
    assert said.endswith(".")
    assert "\n" not in said


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(SchemaError, match="could not be read"):
        Question.read(tmp_path / "absent.toml")
    for content in (b"\xff\xfe\x00", b"deep = " + b"[" * 5_000 + b"]" * 5_000):
        (tmp_path / "other.toml").write_bytes(content)
        with pytest.raises(SchemaError, match="not valid TOML"):
            Question.read(tmp_path / "other.toml")


def test_the_example_of_the_page_is_read(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "questions.md").read_text(encoding="utf-8")
    example = page.split("```toml\n")[1].split("```")[0]
    file = tmp_path / "question.toml"
    file.write_text(example, encoding="utf-8")
    question = Question.read(file)
    assert question.title == tomllib.loads(example)["title"]
    assert {a.kind for a in question.analysis} == {
        *("mean", "proportion", "linear", "logistic", "poisson", "cox"),
        *("kaplan_meier", "correlation"),
    }
    rossi = ("week", "arrest", "fin", "age", "race", "wexp", "mar", "paro", "prio")
    zero_one = dict.fromkeys(("arrest", "fin", "race", "wexp", "mar", "paro"), ("0", "1"))
    question.check(Layout(rossi, ("week", "age", "prio"), zero_one))
