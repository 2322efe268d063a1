"""How the command line ends: whatever happens, nothing of a person is shown."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sosie.cli import main
from sosie.table import Table
from sosie.table._atomic import Drafts

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


@pytest.mark.parametrize(
    ("given", "environment"),
    [(["--lang", "fr"], ""), (["--lang=fr"], "en_GB.UTF-8"), ([], "fr_FR.UTF-8")],
)
def test_refusals_are_in_the_language_of_the_reader(
    given: list[str],
    environment: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", environment)
    for arguments, said in (
        (["inspect", "no.csv"], "no.csv n'existe pas\u00a0; vérifiez son nom.\n"),
        (["inspect"], "argument manquant\u00a0: 'data' (voir sosie inspect --help).\n"),
    ):
        assert ended(capsys, *arguments, *given) == (2, "", said)
    assert "does not exist" in ended(capsys, "inspect", "no.csv", "--lang", "en")[2]


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


STUCK = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
import os, time
from sosie.cli import main
def wait(_):
    print("writing", flush=True)
    time.sleep(60)
os.fsync = wait
main()
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_by_a_signal(number: int, status: int, path: Path) -> None:
    command = [sys.executable, "-c", STUCK, "avatar", path, "--out", path.with_name("a.csv")]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    process.stdout.readline()
    assert len(list(path.parent.iterdir())) == 2  # a draft
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == status
    assert "Traceback" not in err
    assert list(path.parent.iterdir()) == [path]


def test_stopped_between_two_files(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    draft = Table.draft

    def only_linked(table: Table, place: Path, drafts: Drafts, *, private: bool = False) -> None:
        if not table.sensitive:
            raise KeyboardInterrupt
        draft(table, place, drafts, private=private)

    monkeypatch.setattr(Table, "draft", only_linked)
    out, linked = path.with_name("a.csv"), path.with_name("l.csv")
    assert ended(capsys, "avatar", path, "--out", out, "--linked", linked)[0] == 130
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


LOST = """
import sys, time
from sosie.cli import _again
sys.unraisablehook = _again
class Callback:
    def __del__(self):
        raise KeyboardInterrupt
del_me = Callback()
del del_me
for _ in range(400):
    time.sleep(0.05)
"""


def test_an_interrupt_that_a_library_swallows_comes_again() -> None:
    """As one that falls into a callback of the garbage collector."""
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, check=False)
    assert time.monotonic() - begun < 15
    assert b"KeyboardInterrupt" in done.stderr
    assert b"ignored" not in done.stderr


SPIED = """
import os, sys
from sosie.cli import main
try:
    main(["--version"])
except SystemExit:
    pass
import pydantic
class Read(pydantic.BaseModel):
    value: int
Read(value=1)
from pydantic.plugin import _loader
print(list(_loader.get_plugins()))
"""


def test_no_plug_in_of_a_library_sees_what_is_read(tmp_path: Path) -> None:
    """One that is installed beside, as for telemetry, is not loaded by the command line."""
    plugin = tmp_path / "spy-1.0.dist-info"
    plugin.mkdir()
    (plugin / "METADATA").write_text("Metadata-Version: 2.1\nName: spy\nVersion: 1.0\n")
    (plugin / "entry_points.txt").write_text("[pydantic]\nspy = spy:plugin\n")
    (tmp_path / "spy.py").write_text("print('SPY'); plugin = object()\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    environment.pop("PYDANTIC_DISABLE_PLUGINS", None)
    command = [sys.executable, "-c", SPIED]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.stdout.splitlines()[-1] == "[]", ran.stderr
    assert "SPY" not in ran.stdout
    loud = subprocess.run(
        [sys.executable, "-c", SPIED.replace("    main([", "    print([")],
        env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "SPY" in loud.stdout, "else this test sees nothing"
