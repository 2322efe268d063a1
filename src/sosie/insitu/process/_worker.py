"""Processes that compute, as their program sees them; one stands ready before it is needed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Literal

from sosie.errors import DataError
from sosie.insitu.process._frames import BEGIN, END, read_frame, write_frame

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = ["StoppedError", "Worker", "Workers", "environment"]

How = Literal["divide", "once", "keep"]

_START = 60.0
_DIVIDES = hasattr(os, "fork")


class StoppedError(DataError):
    """A process that computes has ended before it answered, or took too long.

    Attributes
    ----------
    late : bool
        Whether it took too long.
    """

    def __init__(self, why: str, *, late: bool = False) -> None:
        super().__init__(why)
        self.late = late


class Worker:
    """One confined process.

    Parameters
    ----------
    module : str
        Whose ``main`` it runs.
    memory : int
        Bytes that it may take.
    seconds : int
        Of computing that it may take.
    how : str
        ``divide``, with a process of its own for each task; ``once``, for one task; or ``keep``,
        for any number of tasks, each of which is timed.
    """

    def __init__(self, module: str, memory: int, seconds: int, how: How) -> None:
        program = f"from {module} import main; main()"
        command = [sys.executable, "-I", "-c", program, str(memory)]
        self._process = subprocess.Popen(
            [*command, str(0 if how == "keep" else seconds), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            close_fds=True,
            start_new_session=True,
        )
        self._seconds = seconds
        self._answers: Queue[tuple[dict[str, Any], bytes] | None] = Queue()
        self._ready = False
        self.kept_by = ""
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def wait_ready(self) -> None:
        """Wait until the process has read its libraries.

        Raises
        ------
        StoppedError
            If it ends before, or takes too long.
        """
        if not self._ready:
            self.kept_by = str(self._next(_START)["ready"])
            self._ready = True

    def ask(
        self, said: dict[str, Any], data: bytes = b"", seconds: float | None = None
    ) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Parameters
        ----------
        said : dict
        data : bytes
        seconds : float, optional
            To wait; twice those of computing where not given.

        Raises
        ------
        StoppedError
            If the process ends or takes too long.
        """
        self.wait_ready()
        wait = 2.0 * self._seconds if seconds is None else seconds
        started = time.monotonic()
        try:
            with self._ended_after(wait):
                write_frame(self._in, said, data)
        except OSError as error:
            late = time.monotonic() >= started + wait
            raise StoppedError("A process that computes has ended.", late=late) from error
        return self._next(wait)

    @contextlib.contextmanager
    def _ended_after(self, seconds: float) -> Iterator[None]:
        """End the process where it does not take what is written to it."""
        timer = threading.Timer(seconds, self._kill)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def begin(self) -> None:
        """Tell that a task begins."""
        self._say(BEGIN)

    def end(self) -> None:
        """Tell that the task is over."""
        self._say(END)

    def _say(self, word: str) -> None:
        # Where it has ended, the next request finds out.
        with contextlib.suppress(OSError):
            write_frame(self._in, {"do": word})

    def close(self) -> None:
        """End the process, whatever it does."""
        self._kill()
        with contextlib.suppress(OSError):
            self._in.close()
        self._process.wait()

    def _kill(self) -> None:
        if _DIVIDES:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()

    @property
    def _in(self) -> BinaryIO:
        assert self._process.stdin is not None
        return self._process.stdin  # type: ignore[return-value]

    def _next(self, seconds: float) -> dict[str, Any]:
        try:
            found = self._answers.get(timeout=seconds)
        except Empty as error:
            raise StoppedError("A process that computes took too long.", late=True) from error
        if found is None:
            raise StoppedError("A process that computes has ended.")
        return found[0]

    def _listen(self) -> None:
        out = self._process.stdout
        assert out is not None
        with contextlib.suppress(OSError, ValueError):
            while (frame := read_frame(out)) is not None:  # type: ignore[arg-type]
                self._answers.put(frame)
        self._answers.put(None)
        with contextlib.suppress(OSError):
            out.close()


class Workers:
    """Gives a fresh process for each task; or the same, where that is asked for.

    Parameters
    ----------
    module, memory, seconds : str, int and int
        As :class:`Worker` has them.
    fresh : bool
        Whether each task has a process of its own.
    """

    def __init__(self, module: str, memory: int, seconds: int, *, fresh: bool = True) -> None:
        self._limits = (module, memory, seconds)
        self._how: How = ("divide" if _DIVIDES else "once") if fresh else "keep"
        self._spare: Worker | None = self._new()

    def take(self) -> Worker:
        """Give a process, and start the one after it."""
        worker = self._spare or self._new()
        self._spare = None
        worker.begin()
        return worker

    def prepare(self) -> None:
        """Start the process of the next task, now that this one has what it needs."""
        if self._spare is None and self._how == "once":
            self._spare = self._new()

    def give(self, worker: Worker, *, good: bool) -> None:
        """Take a process back once its task is over."""
        if good and self._how != "once" and self._spare is None:
            worker.end()
            self._spare = worker
        else:
            worker.close()

    def close(self) -> None:
        """End all that stand ready."""
        if self._spare is not None:
            self._spare.close()
            self._spare = None

    def _new(self) -> Worker:
        return Worker(*self._limits, self._how)


def environment() -> dict[str, str]:
    """Give what a process is told of this one: where libraries are, and no more."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    # A task has a share of the machine; threads would only hold memory.
    threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
    # Plug-ins of a library see what it reads.
    return kept | dict.fromkeys(threads, "1") | {"PYDANTIC_DISABLE_PLUGINS": "1"}
