"""What a process that computes may not do: talk, take much, or leave a trace of persons."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from typing import Any

__all__ = ["confine"]

_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_SET_DUMPABLE = 4
_TALKING = ("socket.", "urllib.", "ftplib.", "smtplib.", "http.")


def confine(memory: int, seconds: int) -> str:
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

    Returns
    -------
    str
        ``namespace`` or ``hook``: what keeps it from the network.
    """
    with contextlib.suppress(ImportError):  # Windows has none of these
        import resource

        limits = [(resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)]
        if seconds:
            limits.append((resource.RLIMIT_CPU, seconds))
        for what, limit in limits:
            _, most = resource.getrlimit(what)
            at_most = limit if most == resource.RLIM_INFINITY else min(limit, most)
            resource.setrlimit(what, (at_most, at_most))
    namespace = sys.platform == "linux" and _alone()
    sys.addaudithook(_refuse)
    return "namespace" if namespace else "hook"


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
    if event.startswith(_TALKING) or event in ("subprocess.Popen", "os.system", "os.exec"):
        raise PermissionError("A process that computes may not talk to anyone.")
