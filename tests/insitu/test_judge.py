"""Evidence in place: only the verdict leaves, and it is right."""

import json
import re

import numpy as np
import pytest
from statsmodels.datasets import fair

from sosie import evidence
from sosie.errors import ParameterError, TrustError
from sosie.insitu import REFUSED, Gate, Memory, NodeTask, Question, Refused
from sosie.insitu._beside import Beside
from sosie.insitu.gate import Judgement, Measure
from sosie.insitu.synthetic import judge_in_place, verdicts
from sosie.table import Table

PERSONS = 700


@pytest.fixture(scope="module")
def women():
    """Three samples of women asked about their marriage; nobody is in two of them."""
    data = fair.load_pandas().data
    rows = np.random.default_rng(0).permutation(len(data))
    parts = np.split(rows[: 3 * PERSONS], 3)
    return [Table.of(data.iloc[part].reset_index(drop=True)) for part in parts]


@pytest.fixture(scope="module")
def of_others(women):
    """Other women are the best synthetic table there is: nothing of the original is in it."""
    original, synthetic, control = women
    return judge_in_place(original, synthetic, control, gate=Gate(), effort="quick")


@pytest.fixture(scope="module")
def of_themselves(women):
    original, _, control = women
    return judge_in_place(original, original, control, gate=Gate(), effort="quick")


def content(judged):
    return json.loads(judged.cleared.payload)


def test_a_table_of_others_passes_the_gate(women, of_others):
    told = content(of_others)
    assert told["verdict"] in ("pass", "attention")
    assert told["criteria"]["membership"] == "pass"
    assert told["criteria"]["linkability"] == "pass"
    assert abs(told["measures"]["membership_auc"]["value"] - 0.5) <= 0.05
    assert told["persons_about"] == PERSONS
    assert all(one.holds for one in of_others.cleared.verdicts)


def test_a_copy_fails_and_no_number_leaves(of_themselves):
    told = content(of_themselves)
    assert told["verdict"] == "fail"
    assert told["criteria"] == dict.fromkeys(told["criteria"], "fail")
    assert told["measures"] == {}


def test_the_verdict_is_that_of_the_evidence_room(of_others):
    told, evidence = content(of_others), of_others.evidence
    assert told["verdict"] == str(evidence.verdict)
    assert told["criteria"] == {str(k): str(v.verdict) for k, v in evidence.criteria.items()}
    assert told["synthetic"]["sha256"] == evidence.inputs["synthetic"]["sha256"]


def test_numbers_are_in_steps_of_enough_persons(of_others):
    measures = content(of_others)["measures"]
    assert len(measures) > 8
    for name, one in measures.items():
        found = {**of_others.evidence.privacy, **of_others.evidence.utility}[name]
        persons = min(n for n in (found.n, found.n_control) if n is not None)
        assert one["step"] * persons >= 11
        assert one["value"] / one["step"] == pytest.approx(round(one["value"] / one["step"]))
        assert abs(one["value"] - found.value) <= one["step"] / 2 + 1e-9


def test_a_person_more_moves_a_share_by_a_step_at_most():
    """Differencing: the same table judged against persons of whom one more or less is found."""
    seen = []
    for found in range(13, 113):
        one = {"exact_copies": Measure("pass", found / 500, 0.0, 500)}
        told = json.loads(Gate().judgement(a_judgement(measures=one)).payload)
        seen.append(told["measures"]["exact_copies"]["value"])
    moves = np.flatnonzero(np.diff(seen))
    assert len(moves) > 2
    assert np.diff(moves).min() >= 11  # as many persons as the floor between two moves


def test_nothing_else_leaves(of_others):
    text = of_others.cleared.payload.decode()
    assert set(content(of_others)) == {
        "format", "synthetic", "persons_about", "verdict", "criteria", "measures", "settings",
    }  # fmt: skip
    for word in ("detail", "control_", "unique", "isolated", "rate_marriage", "affairs"):
        assert word not in text
    assert not re.search(r"\d\.\d{3,}", text)


def a_judgement(**changes):
    found = {
        "synthetic": "0" * 64, "rows": 100, "persons": 500, "verdict": "pass",
        "criteria": {"membership": "pass"},
        "measures": {"membership_auc": Measure("pass", 0.5123456, 0.012, 500)},
    }  # fmt: skip
    return Judgement(**(found | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"persons": 21},
        {"rows": 5},
        {"verdict": "person 41 is in it"},
        {"criteria": {"membership": "fail", "Ann": "pass"}},
        {"measures": {"x": Measure("0.71828", 0.1, None, 500)}},
        {"synthetic": "somebody"},
        {"settings": {"seed": "a" * 200}},
    ],
)
def test_the_gate_refuses_in_the_same_words(changes):
    with pytest.raises(Refused) as caught:
        Gate().judgement(a_judgement(**changes))
    assert str(caught.value) == REFUSED


def test_rows_leave_with_a_verdict_that_is_accepted_alone():
    csv = {"csv": "age\n41\n"}
    for verdict, accept, leaves in (
        ("pass", ("pass",), True),
        ("attention", ("pass",), False),
        ("attention", ("pass", "attention"), True),
        ("fail", ("pass", "attention"), False),
    ):
        found = a_judgement(verdict=verdict, **csv)
        if leaves:
            assert json.loads(Gate().judgement(found, accept).payload)["csv"] == csv["csv"]
        else:
            with pytest.raises(Refused) as caught:
                Gate().judgement(found, accept)
            assert caught.value.reasons == ("evidence",)
    with pytest.raises(Refused) as caught:
        Gate(epsilon=1.0).judgement(a_judgement())
    assert caught.value.reasons == ("epsilon",)


def test_one_answer_a_task(women, of_others, monkeypatch):
    """A hub that asks for the round again, or for one more, gets nothing."""
    monkeypatch.setattr(evidence, "assess", lambda *_, **__: of_others.evidence)
    original, synthetic, control = women
    task = NodeTask(
        Question.of({"analysis": {"id": "evidence"}}), original, original.schema, Gate(),
        holders=3, beside=Beside(synthetic=synthetic, sha256="0" * 64, control=control),
    )  # fmt: skip
    payload = task.part().payload
    assert json.loads(payload)["criteria"] == content(of_others)["criteria"]
    for again in (task.part, lambda: task.advance_with([payload] * 3)):
        with pytest.raises(Refused) as caught:
            again()
        assert caught.value.reasons == ("path",)
    bare = NodeTask(
        Question.of({"analysis": {"id": "evidence"}}), original, original.schema, Gate(), holders=3
    )
    with pytest.raises(Refused) as caught:
        bare.part()
    assert str(caught.value) == REFUSED


def test_measures_about_few_or_unknown_stay():
    few = {
        "membership_auc": Measure("pass", 0.5, 0.0, 40),
        "singling_out": Measure("pass", 0.25, 0.0, 5000),
        "exact_copies": Measure("pass", 0.25, 0.0, 60),
    }
    told = json.loads(Gate().judgement(a_judgement(measures=few)).payload)["measures"]
    assert list(told) == ["exact_copies"]  # 0.2 x 40 < 11; the second is on no list
    assert told["exact_copies"]["step"] == 0.2


def test_no_end_of_guesses(tmp_path):
    gate = Gate(memory=Memory(500, tmp_path / "memory"))
    for i in range(20):
        gate.judgement(a_judgement(synthetic=f"{i:064x}"))
    gate.judgement(a_judgement(synthetic=f"{3:064x}"))  # the same again is no new answer
    again = Gate(memory=Memory(500, tmp_path / "memory"))
    with pytest.raises(Refused) as caught:
        again.judgement(a_judgement(synthetic=f"{99:064x}"))
    assert "judgements" in caught.value.reasons


def test_what_cannot_be_judged_is_refused_without_a_word(women):
    original, synthetic, control = women
    for wrong in (synthetic.taken(np.arange(50)), Table.of(synthetic.frame.drop("age"))):
        with pytest.raises(Refused) as caught:
            judge_in_place(original, wrong, control, gate=Gate(), effort="quick")
        assert str(caught.value) == REFUSED
    with pytest.raises(ParameterError, match="no effort"):
        judge_in_place(original, synthetic, control, gate=Gate(), effort="slow")


def test_verdicts_of_holders_together(of_others, of_themselves):
    payloads = [of_others.cleared.payload, of_themselves.cleared.payload]
    found = verdicts(payloads)
    assert found.values == {"verdict": "fail"}
    assert len(found.tables["verdicts"]) == 10
    assert verdicts(payloads[:1]).values["verdict"] == of_others.verdict
    with pytest.raises(TrustError, match="no verdict"):
        verdicts([b'{"format":"other"}'])
