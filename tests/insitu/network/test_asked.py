"""What a holder reads of what it was asked: the question itself, not its hash alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Sosie, sosie
from tests.insitu.network.conftest import Network, World

from sosie.errors import ParameterError
from sosie.insitu import Question
from sosie.insitu.analyst import asked
from sosie.insitu.exchange import RefusedError
from sosie.insitu.node import Place
from sosie.trust import canonical, sha256, verify_ledger

__all__ = ["sosie"]

LATE = {"rule": "recode", "name": "late", "column": "tgrade",
        "groups": {"no": ["I", "II"], "yes": ["III"]}}  # fmt: skip


def old(edge: float) -> dict[str, Any]:
    return {"rule": "cut", "name": "old", "column": "age", "edges": [50.0, edge]}


def ask(network: Network, edge: float) -> None:
    with network.analyst() as analyst:
        question = asked("crosstab", {"row": "old", "column": "late"}, [old(edge), LATE])
        network.ended(analyst.send(question))


def test_a_holder_sees_what_two_questions_differ_by(
    network: Network, sosie: Sosie, world: World
) -> None:
    """The second isolates the women of one age, and is refused; the holder sees by what."""
    ask(network, 60.0)
    ask(network, 60.0625)
    lines = [line["content"] for line in network.ledger("holder_1") if "asked" in line["content"]]
    assert len(lines) == 2
    first, second = (one["asked"] for one in lines)
    assert sha256(canonical(first)) == lines[0]["question"]
    assert first["derive"][1] == second["derive"][1]
    assert first["derive"][0]["edges"] != second["derive"][0]["edges"]
    state = network.place("holder_1").folder
    for lang, cut, grouped in (("en", "cut at", "grouped as"), ("fr", "coupé à", "regroupé en")):
        said = " ".join(sosie("node", "audit", "--state", state, "--lang", lang).out.split())
        for edge in ("60", "60.0625"):
            assert f"old = age {cut} 50, {edge}; late = tgrade {grouped} no (I, II)," in said
        assert "crosstab: row old; column late;" in said
        assert "recipient" in said
    told = json.loads(sosie("node", "audit", "--state", state, "--json").out)["lines"]
    assert [one["content"]["asked"] for one in told if "asked" in one["content"]] == [first, second]


def test_what_was_refused_before_it_began_is_shown_too(
    connected: Callable[..., Network], world: World, tmp_path: Path, sosie: Sosie
) -> None:
    network, data = connected(), tmp_path / "1.csv"
    shutil.copy(world.data("holder_1"), data)
    network.start("holder_1", data=data)
    network.start("holder_2", "holder_3")
    data.write_bytes(data.read_bytes() + data.read_bytes().splitlines(keepends=True)[1])
    with pytest.raises(RefusedError):
        network.ask("crosstab", row="tgrade", column="horTh")
    (line,) = network.ledger("holder_1", "refused")
    assert line["content"]["by"] == "recipient"
    shown = sosie("node", "audit", "--state", network.place("holder_1").folder).out
    assert "snapshot, changed; crosstab: row tgrade; column horTh" in " ".join(shown.split())


def test_ledgers_of_before_are_read(sosie: Sosie, tmp_path: Path) -> None:
    place = Place(tmp_path / "n")
    place.write("joined", {"task": "0" * 64, "attempt": 1, "question": "1" * 64, "by": "recipient",
                           "analysis": "linear", "columns": ["days", "duration"],
                           "network": "hook"})  # fmt: skip
    for lang in ("en", "fr"):
        ran = sosie("node", "audit", "--state", place.folder, "--lang", lang)
        assert ran.status == 0
        assert "linear (days, duration)" in " ".join(ran.out.split())


def test_what_is_asked_does_nothing_to_a_terminal(sosie: Sosie, tmp_path: Path) -> None:
    place = Place(tmp_path / "n")
    analysis = {"id": "crosstab", "row": "a\x1b[2J\u202e", "column": "b\nc"}
    place.write("refused", {"task": "0" * 64, "why": "gate", "reasons": [], "by": "recipient",
                            "asked": {"analysis": analysis, "derive": []}})  # fmt: skip
    out = sosie("node", "audit", "--state", place.folder).out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert r"b\nc" in "".join(out.split())


def test_a_question_fits_into_a_line(tmp_path: Path) -> None:
    def means(long: int) -> Question:
        names = ["é" * long + str(number) for number in range(50)]
        return Question.of({"analysis": {"id": "means", "columns_of": names}})

    question = means(290)
    assert len(canonical(question.content)) > 29_000
    with pytest.raises(ParameterError, match=r"30,000 are the most"):
        means(298)
    place = Place(tmp_path / "n")
    place.write("joined", {"asked": question.content, "columns": list(question.columns)})
    assert not verify_ledger(place.ledger).broken
