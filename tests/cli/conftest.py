"""The command line, run in this process."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from sosie.cli import main


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


Sosie = Callable[..., Ran]


@pytest.fixture
def sosie(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sosie:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as left:
            main([str(a) for a in arguments])
        shown = capfd.readouterr()
        return Ran(int(left.value.code or 0), shown.out, shown.err)

    return run
