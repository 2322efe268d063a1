"""Tables in a terminal: whatever its width, every number is there whole."""

import pytest
from rich.console import Console

from sosie.cli._wide import print_wide

HEAD = ["way", "estimate", "95 % interval", "bias", "overlap of intervals", "recognised"]
ROWS = [
    ["Means of areas", "-0.7214", "[-1.049, 0.6035]", "-0.3571", "0.02618", "0.5000"],
    ["a label of forty letters, which is long!", "12.34", "[0.7264, 3.056]", "0", "1", "0.5286"],
    ["[bold]as it is[/bold]", "–", "–", "–", "–", "–"],
]


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
def test_no_number_is_cut(capsys, width):
    print_wide(Console(width=width), HEAD, ROWS, right=[False, *(5 * [True])])
    out = capsys.readouterr().out
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= width
    for cell in [one for row in ROWS for one in row[1:]] + HEAD:
        assert cell in out
    assert "bold" in out.replace("\n", "")
    pieces = sum(line.startswith("way") for line in out.splitlines())
    assert (pieces == 1) == (width == 200)


def test_a_number_wider_than_the_terminal_goes_on_below(capsys):
    print_wide(Console(width=20), ["a", "b"], [["x", "123456789012345678901234"]], right=[0, 1])
    told = "".join(capsys.readouterr().out.split())
    assert "123456789012345678901234" in told.replace("x", "")
