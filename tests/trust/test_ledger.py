"""A ledger: what was removed, changed or moved is found and named."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sosie.errors import DataError, SosieError, TrustError
from sosie.trust import Key, canonical, sha256
from sosie.trust._ledger import Head, append, head_of
from sosie.trust._ledger_check import checkpoint, checkpoint_path, verify_ledger

KEY = Key.new("CHU de Nantes")
KEYS = {KEY.id: KEY.public}
N = 6


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = tmp_path / "trace.jsonl"
    for i in range(N):
        append(path, "release", {"table": f"t{i}", "rows": 100 + i, "seen": [True, None]})
    return path


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def named(path: Path, **options: Any) -> list[tuple[str, int | None]]:
    return [(one.name, one.line) for one in verify_ledger(path, **options).broken]


def made_afresh(lines: list[dict[str, Any]]) -> bytes:
    """Do what somebody does who knows how a ledger is made, but has no key."""
    former, made = "0" * 64, b""
    for number, line in enumerate(lines, start=1):
        said = {k: v for k, v in line.items() if k != "own"} | {"number": number, "former": former}
        data = canonical(said | {"own": sha256(canonical(said))})
        former, made = sha256(data), made + data + b"\n"
    return made


def test_holds(ledger: Path) -> None:
    found = verify_ledger(ledger)
    assert found.broken == []
    assert found.head == head_of(ledger)
    assert found.head.lines == N
    # The chain as anyone can compute it: each line holds the hash of the bytes before it.
    former = "0" * 64
    for line in lines_of(ledger):
        assert json.loads(line)["former"] == former
        former = sha256(line.removesuffix(b"\n"))
    assert found.head.sha256 == former


def test_an_empty_ledger(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()
    assert verify_ledger(path).head == head_of(path) == Head(lines=0, sha256="0" * 64)
    with pytest.raises(DataError, match="could not be read"):
        verify_ledger(tmp_path / "absent")


def other(value: Any) -> Any:
    if isinstance(value, bool) or value is None:
        return 1
    return value + 1 if isinstance(value, int) else f"{value}x"


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if not isinstance(value, dict | list):
        return [at]
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    return [path for step, part in steps for path in paths(part, (*at, step))]


@pytest.mark.parametrize("place", range(1, N + 1))
def test_every_field_of_every_line(ledger: Path, place: int) -> None:
    whole = lines_of(ledger)
    for path in paths(json.loads(whole[place - 1])):
        for change in ("value", "gone", "added"):
            line = json.loads(whole[place - 1])
            part = line
            for step in path[:-1]:
                part = part[step]
            if change == "value":
                part[path[-1]] = other(part[path[-1]])
            elif change == "gone":
                del part[path[-1]]
            elif isinstance(part, dict):
                part["more"] = 1
            else:
                part.append(1)
            whole_again = [*whole]
            whole_again[place - 1] = canonical(line) + b"\n"
            ledger.write_bytes(b"".join(whole_again))
            found = named(ledger)
            assert [at for _, at in found] == [place], (path, change, found)
            assert found[0][0] in ("changed", "unreadable")


@pytest.mark.parametrize("place", range(1, N))
def test_a_removed_line(ledger: Path, place: int) -> None:
    whole = lines_of(ledger)
    ledger.write_bytes(b"".join(whole[: place - 1] + whole[place:]))
    assert named(ledger) == [("missing", place)]
    ledger.write_bytes(b"".join(whole))
    checkpoint(ledger, KEY)
    ledger.write_bytes(b"".join(whole[: place - 1] + whole[place:]))
    assert named(ledger, expected=Head(lines=N, sha256="1" * 64)) == [("missing", place)]


@pytest.mark.parametrize("place", range(1, N))
def test_two_lines_that_change_places(ledger: Path, place: int) -> None:
    whole = lines_of(ledger)
    whole[place - 1], whole[place] = whole[place], whole[place - 1]
    ledger.write_bytes(b"".join(whole))
    assert named(ledger) == [("moved", place + 1)]


def test_a_repeated_line(ledger: Path) -> None:
    whole = lines_of(ledger)
    ledger.write_bytes(b"".join([*whole[:3], whole[2], *whole[3:]]))
    assert named(ledger) == [("repeated", 4)]


@pytest.mark.parametrize("cut", [1, 2, 100])
def test_a_cut_line(ledger: Path, cut: int) -> None:
    ledger.write_bytes(ledger.read_bytes()[:-cut])
    assert named(ledger) == [("unreadable", N)]
    with pytest.raises(TrustError, match="damaged"):
        append(ledger, "release", {})
    with pytest.raises(TrustError, match="damaged"):
        head_of(ledger)


def test_a_line_whose_hash_was_made_afresh(ledger: Path) -> None:
    whole = lines_of(ledger)
    line = json.loads(whole[2])
    line["content"]["rows"] = 7
    del line["own"]
    whole[2] = canonical(line | {"own": sha256(canonical(line))}) + b"\n"
    ledger.write_bytes(b"".join(whole))
    assert named(ledger) == [("rewritten", 4)]


def test_a_tail_cut_off_is_found_by_a_checkpoint_or_a_head(ledger: Path) -> None:
    head = head_of(ledger)
    whole = lines_of(ledger)
    ledger.write_bytes(b"".join(whole[:-2]))
    assert named(ledger) == []  # by itself it cannot be seen
    assert named(ledger, expected=head) == [("missing", N - 1)]
    ledger.write_bytes(b"".join(whole))
    checkpoint(ledger, KEY)
    append(ledger, "release", {"after": 1})
    found = verify_ledger(ledger, KEYS, expected=head)
    assert found.broken == []
    assert found.signer == KEY.public
    assert found.vouched
    assert not verify_ledger(ledger).vouched
    ledger.write_bytes(b"".join(whole[:-2]))
    assert named(ledger) == [("missing", N - 1)]


@pytest.mark.parametrize("place", range(N))
def test_all_made_afresh_is_found_by_a_checkpoint(ledger: Path, place: int) -> None:
    checkpoint(ledger, KEY)
    lines = [json.loads(line) for line in lines_of(ledger)]
    lines[place]["content"]["rows"] = 7
    ledger.write_bytes(made_afresh(lines))
    assert named(ledger) == [("rewritten", N)]
    del lines[place]
    ledger.write_bytes(made_afresh(lines))
    assert named(ledger) == [("missing", N)]


def test_every_field_of_a_checkpoint(ledger: Path) -> None:
    checkpoint(ledger, KEY)
    path = checkpoint_path(ledger)
    whole = json.loads(path.read_text())
    for at in paths(whole):
        changed = json.loads(path.read_text())
        part = changed
        for step in at[:-1]:
            part = part[step]
        part[at[-1]] = other(part[at[-1]])
        path.write_bytes(canonical(changed))
        assert [name for name, _ in named(ledger)] == ["checkpoint"], at
        path.write_bytes(canonical(whole))
    assert named(ledger) == []
    assert named(ledger, keys={Key.new("b").id: Key.new("b").public})[0][0] == "checkpoint"


def test_a_ledger_that_does_not_hold_is_not_signed(ledger: Path) -> None:
    ledger.write_bytes(b"".join(lines_of(ledger)[1:]))
    with pytest.raises(TrustError, match="is not signed"):
        checkpoint(ledger, KEY)
    assert not checkpoint_path(ledger).exists()


@pytest.mark.parametrize(
    "content", [{"x": float("nan")}, {"x": 2**60}, {"x": "a" * 70_000}, {"x": {1, 2}}, {"x": b"a"}]
)
def test_what_is_no_line_is_not_written(ledger: Path, content: dict[str, Any]) -> None:
    before = ledger.read_bytes()
    with pytest.raises(SosieError):
        append(ledger, "release", content)
    with pytest.raises(TrustError):
        append(ledger, "Not a word", {})
    assert ledger.read_bytes() == before


def test_junk(tmp_path: Path) -> None:
    path = tmp_path / "junk"
    path.write_bytes(bytes(20 << 20))
    found = verify_ledger(path).broken
    assert 0 < len(found) <= 50
    assert {one.name for one in found} == {"unreadable"}
    path.write_bytes(b"{}\n" * 100_000)
    assert len(verify_ledger(path).broken) == 50


def test_several_programs_add_lines_at_once(tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    program = (
        "import sys\nfrom sosie.trust._ledger import append\n"
        "for i in range(20): append(sys.argv[1], 'release', {'by': sys.argv[2], 'i': i})"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in "ab"]
    assert [one.wait(60) for one in running] == [0, 0]
    assert verify_ledger(path).broken == []
    contents = [json.loads(line)["content"] for line in lines_of(path)]
    assert len(contents) == 40
    for name in "ab":
        assert [c["i"] for c in contents if c["by"] == name] == list(range(20))


def test_a_full_disk_leaves_no_half_line(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ledger.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sosie.trust._ledger.os.fsync", full)
    with pytest.raises(DataError, match="No space"):
        append(ledger, "release", {})
    assert ledger.read_bytes() == before
