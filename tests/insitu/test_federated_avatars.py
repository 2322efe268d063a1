"""Avatars in common factors leave a holder only if nobody is in them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from statsmodels.datasets import fair

from sosie import evidence
from sosie.errors import DataError, ParameterError, TrustError
from sosie.generators import KERNELS, Gaussian
from sosie.insitu import REFUSED, Gate, Memory, Refused
from sosie.insitu._rows import Rows
from sosie.insitu.synthetic import (
    _together,
    avatars_in_place,
    coordinates_in,
    federated_avatars,
    received,
)
from sosie.insitu.synthetic._together import together
from sosie.table import Column, Schema, Table
from sosie.trust import PRESETS, sha256

HOLDERS = 3


@pytest.fixture(scope="module")
def holders():
    """6,366 women asked about their marriage, at three holders of unlike ages."""
    frame = fair.load_pandas().data
    frame["affair"] = np.where(frame.pop("affairs") > 0, "yes", "no")
    order = (frame["age"] + np.random.default_rng(0).normal(0, 8, len(frame))).argsort()
    columns = [
        Column(name=name, kind="category", levels=["no", "yes"])
        if name == "affair"
        else Column(name=name, kind="number")
        for name in frame
    ]
    schema = Schema(columns=columns)
    parts = np.array_split(frame.iloc[order].index.to_numpy(), HOLDERS)
    return [Table.of(frame.loc[part].reset_index(drop=True), schema) for part in parts]


@pytest.fixture(scope="module")
def factors(holders):
    from sosie.insitu import Question, run_in_place

    asked = Question.of({"analysis": {"id": "famd", "columns_of": holders[0].names}})
    return run_in_place(holders, asked, [Gate() for _ in holders])


@pytest.fixture(scope="module")
def released(holders, factors):
    return avatars_in_place(
        holders[0], factors, gate=Gate(), k=100, worst="attention", effort="quick", seed=7
    )


class Copier:
    """A planted leak: everybody's avatar is the person."""

    name = "copier"
    keeps_rules = True

    def fit(self, columns, setting, rng, progress=None):
        self._columns = columns
        Copier.seen = setting
        return self

    def draw(self, rng, progress=None):
        return self._columns


def test_a_planted_leak_is_refused_and_nothing_leaves(holders, factors, monkeypatch, tmp_path):
    monkeypatch.setitem(KERNELS, "copier", Copier)
    gate = Gate(memory=Memory(len(holders[0]), tmp_path / "memory"))
    with pytest.raises(Refused) as caught:
        avatars_in_place(
            holders[0],
            factors,
            gate=gate,
            worst="attention",
            effort="quick",
            kernel="copier",
            seed=1,
        )
    assert str(caught.value) == REFUSED
    assert caught.value.reasons == ("evidence",)
    memory = Memory(len(holders[0]), tmp_path / "memory")
    assert len(memory) == 0
    assert memory.refusals == 1
    # The kernel was given where the persons stand in the factors of all holders.
    seen = Copier.seen.coordinates
    rows = Rows(holders[0], holders[0].schema, (), PRESETS["snds-11"])
    everyone = {row.tobytes() for row in coordinates_in(factors, rows)}
    assert len(seen) == round(len(holders[0]) * 2 / 3)
    assert all(row.tobytes() in everyone for row in seen)


def test_avatars_leave_with_their_verdict(holders, released):
    content = json.loads(released.cleared.payload)
    assert content["verdict"] in ("pass", "attention")
    table = received(released.cleared.payload, holders[0].schema)
    assert table.frame.equals(released.table.frame)
    assert len(table) == round(len(holders[0]) * 2 / 3)
    assert table.names == holders[0].names
    assert not released.table.sensitive
    assert "seed" not in content or content["seed"] != 7
    assert content["settings"]["seed"] != 7
    # They resemble the persons of this holder, who are not those of the others.
    own, other = (np.mean(holders[i].numbers("age")) for i in (0, 2))
    assert abs(np.mean(table.numbers("age")) - own) < 0.2 * abs(own - other)


def test_rows_that_were_not_judged_are_not_taken(holders, released):
    content = json.loads(released.cleared.payload)
    lines = content["csv"].splitlines(keepends=True)
    for changed in (
        content | {"csv": "".join([*lines[:-1], lines[1]])},
        {name: value for name, value in content.items() if name != "csv"},
        content | {"verdict": "fail"},
    ):
        with pytest.raises(TrustError, match="not used"):
            received(json.dumps(changed).encode(), holders[0].schema)


def test_rows_of_all_holders_are_in_an_order_of_none(holders, released, monkeypatch):
    content = json.loads(released.cleared.payload)
    head, *rows = content["csv"].splitlines(keepends=True)
    payloads = []
    for part in (rows[:500], rows[500:]):
        csv = "".join([head, *part])
        made = {"sha256": sha256(csv.encode()), "rows": len(part)}
        payloads.append(json.dumps(content | {"csv": csv, "synthetic": made}).encode())
    names = holders[0].names
    found = together(payloads, names)
    made = found.values["csv"].splitlines(keepends=True)
    assert made[0] == head
    assert sorted(made[1:]) == sorted(rows)
    assert together(payloads[::-1], names).values["csv"] == found.values["csv"]
    first = set(rows[:500])
    early = sum(row in first for row in made[1:501])
    assert abs(early - 500 * 500 / len(rows)) < 60
    for wrong in (names[:-1], names[::-1]):
        with pytest.raises(TrustError, match="columns that were asked for"):
            together(payloads, wrong)
    monkeypatch.setattr(_together, "_LARGEST", len(content["csv"]) // 2)
    with pytest.raises(DataError, match="more rows than one answer carries"):
        together(payloads, names)


def test_neighbours_are_those_in_the_common_factors(holders, factors):
    from sosie.generators import Avatar
    from sosie.insitu.synthetic._place import InFactors

    rows = Rows(holders[0], holders[0].schema, (), PRESETS["snds-11"])
    where = coordinates_in(factors, rows)
    # All persons on one line: neighbours then share that factor, and nothing else.
    line = np.zeros_like(where)
    line[:, 0] = holders[0].numbers("educ")
    avatar = Avatar(k=20, n_factors=5, kernel=InFactors(Gaussian(), line), seed=0)
    linked = avatar.fit(holders[0]).sample_tables()[1]
    near = np.corrcoef(linked.numbers("educ"), holders[0].numbers("educ"))[0, 1]
    far = np.corrcoef(linked.numbers("children"), holders[0].numbers("children"))[0, 1]
    assert near > 0.9
    assert abs(far) < 0.3


def test_a_holder_who_refuses_stops_no_other(holders, released, monkeypatch):
    found = iter(["pass", "fail", "attention"])

    def told(*_, **__):
        verdict = evidence.Verdict(next(found))
        return released.evidence.model_copy(update={"verdict": verdict})

    monkeypatch.setattr(evidence, "assess", told)
    gates = [Gate() for _ in holders]
    done = federated_avatars(holders, gates, holders[0].names, seed=1)
    assert [one is not None for one in done.releases] == [True, False, False]
    assert len(done.tables) == 1
    assert done.factors.analysis == "famd"
    monkeypatch.setattr(evidence, "assess", lambda *_, **__: 1 / 0)
    with pytest.raises(Refused) as caught:
        avatars_in_place(holders[0], done.factors, gate=Gate())
    assert str(caught.value) == REFUSED


def test_bad_input(holders, factors):
    with pytest.raises(ParameterError, match="worst is pass or attention"):
        avatars_in_place(holders[0], factors, gate=Gate(), worst="fail")
    with pytest.raises(ParameterError, match="result of famd"):
        avatars_in_place(holders[0], replace(factors, analysis="pca"), gate=Gate())
