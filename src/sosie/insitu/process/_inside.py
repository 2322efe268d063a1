"""The other end: a process that answers frames on standard input, and is confined before."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from sosie.insitu.process._frames import BEGIN, END, read_frame, write_frame
from sosie.insitu.process._limits import confine, confine_half

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Answers", "channels", "serve"]


class Answers(Protocol):
    """What answers the frames of one task."""

    def answer(self, said: dict[str, Any], data: bytes) -> dict[str, Any]:
        """Do what is asked for; whatever goes wrong is an answer too."""


def serve(made: Callable[[], Answers], *modules: str) -> None:
    """Serve tasks on standard input until it ends.

    Where each has a process of its own, this one has read the libraries and reads no data: it
    divides itself for each task, and the half that computes ends with it.

    Parameters
    ----------
    made : callable
        Makes what answers, anew for each task.
    *modules : str
        To be read before this process is confined, and before they are needed.
    """
    source, out = channels()
    memory, seconds, divides = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "divide"
    for module in modules:
        import_module(module)
    kept_by = confine(memory, 0 if divides else seconds, divides=divides)
    write_frame(out, {"ready": kept_by})
    while (frame := read_frame(source)) is not None:
        if frame[0]["do"] != BEGIN:
            continue
        if not divides:
            _serve(made(), source, out)
        elif (child := os.fork()) == 0:
            confine_half(seconds)
            _serve(made(), source, out)
            os._exit(0)
        elif os.waitpid(child, 0)[1] != 0:
            write_frame(out, {"declined": "resources", "reasons": ["stopped"]})


def _serve(inside: Answers, source: BinaryIO, out: BinaryIO) -> None:
    """Serve one task until it is over."""
    while (frame := read_frame(source)) is not None and frame[0]["do"] != END:
        write_frame(out, inside.answer(*frame))


def channels() -> tuple[Any, BinaryIO]:
    """Take the pipes for frames alone: whatever a library prints goes nowhere."""
    # Nothing is read ahead: what follows a frame may be for another process.
    source = os.fdopen(os.dup(0), "rb", buffering=0)
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    return source, out
