"""A column that one holder lacks does not tell the others' answers from that holder's."""

from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from tests.insitu.network.conftest import Network

from sosie.insitu.exchange import RefusedError
from sosie.insitu.gate import holders_apart
from sosie.insitu.hub import NotAllowedError
from sosie.insitu.hub._groups import Groups

ALL = {"column": "horTh"}
OF_TWO = {"row": "horTh", "column": "menostat"}


@pytest.fixture
def narrow(connected: Callable[..., Network], tmp_path: Path) -> Network:
    """Three holders, of whom the third did not agree to the menopause."""
    world = connected().world
    sets = [dict(one) for one in world.content["data_sets"]]
    sets[2]["columns"] = [one for one in sets[2]["columns"] if one["name"] != "menostat"]
    network = connected(world.signed(tmp_path / "narrow.json", data_sets=sets))
    network.start()
    return network


@pytest.mark.parametrize("hub_looks", [True, False])
@pytest.mark.parametrize("narrow_first", [True, False])
def test_a_third_holder_is_not_told_apart(
    narrow: Network, monkeypatch: pytest.MonkeyPatch, *, hub_looks: bool, narrow_first: bool
) -> None:
    """The hub says why before it asks; where it does not look, the nodes refuse."""
    asked: list[tuple[str, dict[str, Any]]] = [("counts", ALL), ("crosstab", OF_TWO)]
    first, second = asked[::-1] if narrow_first else asked
    if not hub_looks:
        monkeypatch.setattr(Groups, "allows", lambda *_: True)
    narrow.ask(first[0], **first[1])
    released = narrow.released()
    if hub_looks:
        with pytest.raises(NotAllowedError, match="of a few holders alone"):
            narrow.ask(second[0], **second[1])
        assert narrow.released() == released
    else:
        with pytest.raises(RefusedError, match="nothing left"):
            narrow.ask(second[0], **second[1])
    assert narrow.ask("counts", column="big")


def test_a_hub_that_starts_again_knows_who_answered(narrow: Network) -> None:
    narrow.ask("counts", **ALL)
    narrow.hub._groups = Groups(narrow.store, narrow.hub._reckoner)
    with pytest.raises(NotAllowedError, match="of a few holders alone"):
        narrow.ask("crosstab", **OF_TWO)


def test_by_hand() -> None:
    """Sums of three groups of holders may tell of one whom no two of them tell apart."""
    three = ["abc", "cde", "abde"]
    for first, second, third in permutations(three):
        assert holders_apart(second, [first], 2)
        assert not holders_apart(third, [first, second], 2)
    assert holders_apart("cde", ["abc", "fgh"], 3)
