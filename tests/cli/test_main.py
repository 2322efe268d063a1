"""How the command line ends: whatever happens, nothing of a person is shown."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sosie.cli import main
from sosie.table import Table

SECRET = "Zorglub"


class Panic(BaseException):
    """What an extension written in Rust raises."""


def ended(
    capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as left:
        main([str(a) for a in arguments])
    shown = capsys.readouterr()
    return left.value.code, shown.out, shown.err


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_text("age,sex\n" + "".join(f"{i * 7 % 50},{'fm'[i % 2]}\n" for i in range(100)))
    return path


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ended(capsys, "--version")
    assert (status, out.split()[0]) == (0, "sosie")
    for arguments in ([], ["--help"]):
        status, out, err = ended(capsys, *arguments)
        assert (status, err) == (0, "")
        assert "avatar" in out
        assert "inspect" in out


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["avatr"], ["avatar"], ["avatar", "t.csv"], ["inspect", "--no"], ["--no"]):
        status, out, err = ended(capsys, *arguments)
        assert (status, out) == (2, "")
        assert err.count("\n") == 1
        assert "--help" in err


@pytest.mark.parametrize("error", [ValueError, Panic, MemoryError, OSError])
def test_unknown_errors_show_their_type_only(
    error: type[BaseException],
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error(f"{SECRET} is 41")

    monkeypatch.setattr(Table, "read", fail)
    monkeypatch.delenv("SOSIE_DEBUG", raising=False)
    status, out, err = ended(capsys, "avatar", path, "--out", path.with_name("a.csv"))
    assert (status, out) == (1, "")
    assert err.count("\n") == 1
    assert error.__name__ in err
    assert SECRET not in err
    assert "Traceback" not in err
    monkeypatch.setenv("SOSIE_DEBUG", "1")
    status, _, err = ended(capsys, "avatar", path, "--out", path.with_name("a.csv"))
    assert status == 1
    assert "Traceback" in err
    assert SECRET in err


def test_system_errors_name_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Table, "read", fail)
    status, _, err = ended(capsys, "inspect", path)
    assert (status, err) == (2, f"{path}: Permission denied.\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_while_it_works(number: int, status: int, tmp_path: Path) -> None:
    pipe, out = tmp_path / "t.csv", tmp_path / "a.csv"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-c", "from sosie.cli import main; main()", "avatar", pipe, "--out", out],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # a background job ignores it
    )
    with pipe.open("w"):  # opens once the command reads, and never gives a row
        for _ in range(30):  # one that comes just before it waits for rows goes unheard
            process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
                break
    _, err = process.communicate(timeout=10)
    assert process.returncode == status
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == [pipe]


def test_stopped_while_it_writes(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    write = Table.write
    monkeypatch.setattr("sosie.table._atomic.os.fsync", interrupted)
    arguments = ["avatar", path, "--out", path.with_name("a.csv")]
    assert ended(capsys, *arguments)[0] == 130
    monkeypatch.undo()

    def only_linked(table: Table, place: Path, *, private: bool = False) -> None:
        if not private:
            raise KeyboardInterrupt
        write(table, place, private=private)

    monkeypatch.setattr(Table, "write", only_linked)
    assert ended(capsys, *arguments, "--linked", path.with_name("l.csv"))[0] == 130
    assert list(path.parent.iterdir()) == [path]


SLOW = """
import sys, time
from sosie.cli import main
from sosie.table import Table
read = Table.read
def later(*a, **k):
    time.sleep(1.4)
    return read(*a, **k)
Table.read = later
for last in ("--json", "--lang=en"):
    try:
        main([*sys.argv[1:], last])
    except SystemExit:
        print("|", file=sys.stderr, flush=True)
"""


def test_progress_where_a_person_looks_and_waits(path: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", SLOW, "avatar", path, "--out", path.with_name("a.csv")],
        stderr=theirs,
        stdout=subprocess.DEVNULL,
        check=False,
        env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"},
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal ends
        while some := os.read(ours, 10_000):
            shown += some
    os.close(ours)
    machine, person, _ = shown.split(b"|")
    assert done.returncode == 0
    assert machine == b""
    assert b"Reading" in person
