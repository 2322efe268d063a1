"""What a process that computes may not do: talk, take much, or leave a trace of persons."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from typing import Any

__all__ = ["confine", "confine_half"]

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_SET_DUMPABLE = 4
_TALKING = ("socket.", "urllib.", "ftplib.", "smtplib.", "http.")
_BEGETTING = (
    "subprocess.Popen", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
    "os.spawn", "os.startfile",
)  # fmt: skip


def confine(memory: int, seconds: int, *, divides: bool = False) -> str:
    """Confine this process for the rest of its life.

    It may take so much memory and computing time, makes no core dump, and has no network: where
    the system allows it, in a network namespace of its own that holds nothing; anywhere, by a
    hook of the interpreter that cannot be taken off and refuses every socket.

    Parameters
    ----------
    memory : int
        Bytes.
    seconds : int
        Of computing; 0 for a process that serves many tasks, each of which is timed.
    divides : bool
        Whether it reads no data, but makes the processes that do: see :func:`confine_half`.

    Returns
    -------
    str
        ``namespace`` or ``hook``: what keeps it from the network.
    """
    _limit("RLIMIT_AS", memory)
    _limit("RLIMIT_CORE", 0)
    if seconds:
        _limit("RLIMIT_CPU", seconds)
    namespace = sys.platform == "linux" and _alone()
    if not divides:
        sys.addaudithook(_refuse)
    return "namespace" if namespace else "hook"


def confine_half(seconds: int) -> None:
    """Confine the half of a divided process that computes; it has the limits of the other too."""
    _limit("RLIMIT_CPU", seconds)
    sys.addaudithook(_refuse)


def _limit(name: str, most: int) -> None:
    # Windows has none of these, and macOS refuses some.
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        what = getattr(resource, name)
        _, former = resource.getrlimit(what)
        at_most = most if former == resource.RLIM_INFINITY else min(most, former)
        resource.setrlimit(what, (at_most, at_most))


def _alone() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(AttributeError):
        libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    try:
        if os.geteuid() == 0:
            return bool(libc.unshare(_NEW_NET) == 0)
        return bool(libc.unshare(_NEW_USER | _NEW_NET) == 0)
    except AttributeError:
        return False


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event.startswith(_TALKING) or event in _BEGETTING:
        raise PermissionError("A process that computes may not talk to anyone.")
