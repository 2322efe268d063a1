"""A hub that tells holders totals that are none: to choose coefficients, or to tell them apart."""

import numpy as np
import pytest

from sosie.errors import ParameterError, TrustError
from sosie.insitu import Question, Refused
from sosie.insitu.gate import added, total_of
from sosie.insitu.gate._path import MOST_ROUNDS
from sosie.insitu.gate._secure_sum import as_words, of_words
from sosie.insitu.gate._wire import read, spelt

ASKED = {"id": "logistic", "formula": "big ~ age + pnodes"}


def changed(total, question, turn, holders=3, **arrays):
    """Forge a total: the arrays that are named are the hub's, the others are true."""
    said, *_ = read(total, question.sha256, turn)
    for name, make in arrays.items():
        shape, words = said[name]
        said[name] = (shape, as_words(make(of_words(words, shape))))
    return spelt(said, question.sha256, turn, holders)


def begun(round_):
    """Play the first round honestly; give the total of the second."""
    first = added(round_.parts(), round_.question.sha256, 0)
    for node in round_.nodes:
        node.advance(first)
    return added(round_.parts(), round_.question.sha256, 1)


def forged_path(round_, rng, most=60):
    """Steer the coefficients by forged scores; give the rounds that the holders answered."""
    total, turn = begun(round_), 1
    try:
        while turn < most:
            wanted = rng.normal(size=3)
            total = changed(total, round_.question, turn, score=lambda _, w=wanted: w)
            for node in round_.nodes:
                node.advance(total)
            turn += 1
            total = added(round_.parts(), round_.question.sha256, turn)
    except Refused:
        pass
    return turn


def test_the_one_holder_knows_its_total(victims):
    _, held = victims()
    node, hub = held.node(ASKED)
    for _ in range(3):
        part = node.part().payload
        total = hub.add([part])
        if hub.turn == 3:
            forged = changed(total, held.question(ASKED), 2, holders=1, score=lambda s: s + 1)
            with pytest.raises(Refused):
                node.advance(forged)
            return
        node.advance(total)
    pytest.fail("no third round")


def test_a_forged_path_ends_and_costs_the_hub_its_task(rounds, no_gate, rng):
    """Totals of three holders cannot be known to be true by one: the rounds are counted."""
    assert forged_path(rounds(ASKED), rng) <= MOST_ROUNDS


@pytest.mark.parametrize("what", ["n", "information", "deviance", "holders"])
def test_a_total_that_cannot_be_is_refused(rounds, what):
    round_ = rounds(ASKED)
    total = begun(round_)
    if what == "holders":
        forged = changed(total, round_.question, 1, holders=4)
    else:
        forged = changed(total, round_.question, 1, **{what: lambda v: -v})
    for node in round_.nodes:
        with pytest.raises(Refused):
            node.advance(forged)


def test_holders_who_add_up_the_parts_take_no_forged_total(rounds):
    """Handed on, masked parts leave the hub nothing to forge."""
    round_ = rounds(ASKED)
    parts = round_.parts()
    for node in round_.nodes:
        node.advance_with(parts)
    assert len({node.total_sha256 for node in round_.nodes}) == 1
    second = round_.parts()
    question = round_.question.sha256
    said, *_ = read(second[0], question, 1)
    shape, words = said["score"]
    said["score"] = (shape, words + as_words(np.ones(shape)))  # under the mask, one more
    forged = spelt(said, question, 1, 1)
    # The holder whose part was exchanged refuses; the others would have seen no signature on it.
    with pytest.raises(Refused):
        round_.nodes[0].advance_with([forged, *second[1:]])
    with pytest.raises(Refused):
        round_.nodes[1].advance_with(second[:2])
    with pytest.raises(TrustError, match="another question or round"):
        round_.nodes[2].advance_with([parts[0], parts[1], second[2]])
    # What the hub hands on tells one holder no more of another than noise.
    seen = total_of(second[0], question, 1)["score"]
    assert np.abs(seen).min() > 1e6


def test_holders_told_different_totals_add_up_to_noise(rounds, no_gate):
    """A hub that steers one holder alone, to tell its part from the others'."""
    for gate, masked in ((no_gate, False), (None, True)):
        round_ = rounds(ASKED, gate, masked=masked) if gate else rounds(ASKED)
        total = begun(round_)
        other = changed(total, round_.question, 1, score=lambda s: s * 1.01)
        for node, one in zip(round_.nodes, (other, total, total), strict=True):
            node.advance(one)
        question = round_.question.sha256
        digests = [node.total_sha256 for node in round_.nodes]
        assert digests[0] != digests[1] == digests[2]
        after = total_of(added(round_.parts(), question, 2), question, 2)
        if masked:
            assert abs(after.number("n")) > 1e6
        else:
            assert after.number("n") == 686


def test_no_question_names_coefficients():
    with pytest.raises(ParameterError):
        Question.of({"analysis": ASKED | {"beta": [0, 1, 2]}})


def test_a_part_is_given_once_a_round(rounds):
    round_ = rounds(ASKED)
    round_.parts()
    with pytest.raises(Refused):
        round_.nodes[0].part()


@pytest.mark.parametrize(
    "bad",
    [
        b"{}", b"[]", b"x" * 9, b"\xff" * 40, b"[" * 100_000, b"{" + b" " * (3 << 20) + b"}",
        "cut", "other round", "other question", "other shape", "not finite", "many dimensions",
        "negative shape", "a name too many",
    ],
)  # fmt: skip
def test_malformed_and_oversized_messages(rounds, bad):
    round_ = rounds(ASKED)
    total = begun(round_)
    question, state = round_.question.sha256, round_.nodes[0].total_sha256
    arrays, *_ = read(total, question, 1)
    shape, words = arrays["score"]
    made = {
        "cut": total[:-4],
        "other round": total.replace(b'"round":1', b'"round":7'),
        "other question": total.replace(question.encode(), b"0" * 64),
        "other shape": spelt(arrays | {"score": ((3, 1), words)}, question, 1, 3),
        "not finite": total.replace(b'"shape":[1]', b'"shape":[NaN]'),
        "many dimensions": spelt(arrays | {"score": ((3, 1, 1, 1, 1), words)}, question, 1, 3),
        "negative shape": total.replace(b'"shape":[3]', b'"shape":[-3]'),
        "a name too many": spelt(arrays | {"more": (shape, words)}, question, 1, 3),
    }
    with pytest.raises(TrustError):
        round_.nodes[0].advance(made[bad] if isinstance(bad, str) else bad)
    assert state in (round_.nodes[0].total_sha256, round_.nodes[1].total_sha256)
