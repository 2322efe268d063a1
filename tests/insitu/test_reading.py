"""What a reader of an answer is told in words and pictures, whatever the analysis."""

import json
import re

import pytest

from sosie.insitu.analyst import Answer, sentences_of, texts_of

ASKED = [
    {"id": "counts", "column": "tgrade"},
    {"id": "crosstab", "row": "tgrade", "column": "horTh"},
    {"id": "histogram", "column": "tsize", "lower": 0, "upper": 128},
    {"id": "histogram", "column": "tsize", "lower": 200, "upper": 300},
    {"id": "quantiles", "column": "tsize", "lower": 20, "upper": 30},
    {"id": "t_test", "column": "tsize", "by": "horTh"},
    {"id": "mann_whitney", "column": "tsize", "by": "horTh", "lower": 0, "upper": 128},
    {"id": "linear", "formula": "pnodes ~ age"},
    {"id": "ridge", "formula": "pnodes ~ age + tsize", "penalty": 10},
    {"id": "lasso", "formula": "pnodes ~ age + tsize", "penalty": 0.1},
    {"id": "propensity", "outcome": "pnodes", "arm": "horTh", "formula": "age"},
    {"id": "kaplan_meier", "duration": "time", "event": "cens", "horizon": 2000, "by": "horTh"},
]


def answer_to(holders, asked, floors="datashield-3"):
    """Put what is found into an answer as it comes from a hub, spelt as JSON."""
    result = json.loads(json.dumps(holders.ask(asked, floors=floors).content()))
    content = {"analysis": asked["id"], "agreement": "0" * 64, "sites": ["A"], "question": {},
               "result": result, "gate": [], "certificate": {}}  # fmt: skip
    return Answer(content)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_page_of_every_answer(gbsg2, tmp_path, lang):
    for asked in ASKED if lang == "en" else ASKED[:2]:
        answer_to(gbsg2, asked).report(tmp_path / "page.html", lang)
        page = (tmp_path / "page.html").read_text(encoding="utf-8")
        assert "None" not in page
        drawn = asked["id"] not in ("ridge", "lasso", "counts", "quantiles", "t_test",
                                    "mann_whitney", "propensity")  # fmt: skip
        assert drawn == ("data:image/png" in page), asked["id"]


def said(answer, lang):
    return " ".join(sentences_of(answer, texts_of(lang, answer.analysis)))


@pytest.mark.parametrize(("lang", "word"), [("en", "open"), ("fr", "ouverte")])
def test_open_bins_are_told(gbsg2, lang, word):
    for asked in ASKED:
        if "lower" in asked:
            answer = answer_to(gbsg2, asked)
            assert word in said(answer, lang)
            assert not re.search("certain|nan|inf", said(answer, lang))


@pytest.mark.parametrize(
    ("name", "en", "fr"),
    [
        ("crosstab", "without Yates", "sans correction de Yates"),
        ("t_test", "first group's mean less the second's", "premier groupe moins celle du second"),
        ("propensity", "second label", "seconde modalité"),
        ("ridge", "No standard errors", "Pas d'erreurs types"),
        ("lasso", "No standard errors", "Pas d'erreurs types"),
    ],
)
def test_how_numbers_are_to_be_read(gbsg2, name, en, fr):
    answer = answer_to(gbsg2, next(one for one in ASKED if one["id"] == name))
    assert en in said(answer, "en")
    assert fr in said(answer, "fr")


def test_which_way_round_differences_are(gbsg2):
    """What the sentences say, of means that differ surely: size by treatment turned both ways."""
    asked = {"column": "pnodes", "by": "big"}
    rule = {"rule": "cut", "name": "large", "column": "tsize", "edges": [25.5]}
    small, large = (gbsg2.pooled.groupby("big")["pnodes"].mean()[side] for side in (0, 1))
    assert large - small > 1
    found = gbsg2.ask(asked | {"id": "t_test", "by": "large"}, derive=[rule])
    assert found.values["difference"] == pytest.approx(small - large)
    weighed = {"id": "propensity", "outcome": "pnodes", "arm": "large", "formula": "age"}
    found = gbsg2.ask(weighed, derive=[rule]).values
    assert found["difference"] == pytest.approx(large - small, abs=0.3)
    assert found["difference"] == pytest.approx(found["mean_second"] - found["mean_first"])


@pytest.mark.parametrize("place", ["columns", "notes", "bounds", "ways", "why_not", "words"])
def test_both_languages_say_the_same_things(place):
    (en, fr) = (texts_of(lang, "evidence") for lang in ("en", "fr"))
    assert set(en[place]) == set(fr[place])
    assert set(en) == set(fr)
    assert all(set(re.findall(r"{\w+}", en[place][k])) == set(re.findall(r"{\w+}", fr[place][k]))
               for k in en[place])  # fmt: skip
