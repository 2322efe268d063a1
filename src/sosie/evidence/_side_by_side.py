"""Trials side by side, each in a process with one thread."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sosie.errors import SosieError
from sosie.evidence._trial import trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sosie.evidence._trial import Ground, Setting

__all__ = ["tried"]

_ground: Ground | None = None
"""Of this process, if it is a worker."""


def tried(
    ground: Ground,
    tasks: Sequence[tuple[Setting | None, int]],
    jobs: int | None,
    progress: Callable[[float], None],
) -> list[dict[str, Any]]:
    """Run trials, at most ``jobs`` at a time; the results do not depend on how many.

    Workers are started afresh, not forked, and are handed the table through a pipe: it is not
    written to disk, and a worker that fails tells where, never a value.

    Parameters
    ----------
    ground : Ground
    tasks : sequence of (Setting or None, int)
        What is tried, on which split.
    jobs : int or None
        One a processor where not told; never more than there are.
    progress : callable
        Told the share done.

    Returns
    -------
    list of dict
        In the order of the tasks.
    """
    processors = os.cpu_count() or 1
    at_once = min(jobs or processors, processors, len(tasks))
    if at_once == 1:
        found = []
        for done, task in enumerate(tasks, 1):
            found.append(trial(ground, *task))
            progress(done / len(tasks))
        return found
    before = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(
        at_once, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(ground,)
    )
    try:
        with _no_script():
            futures = [pool.submit(_run, *task) for task in tasks]
        for done, future in enumerate(as_completed(futures), 1):
            future.result()  # the first that fails ends all
            progress(done / len(tasks))
        return [future.result() for future in futures]
    except BrokenProcessPool as error:
        raise SosieError(
            "The system stopped a worker process, most likely for want of memory; use fewer jobs "
            "(--jobs 1)."
        ) from error
    except BaseException:
        for worker in set(multiprocessing.active_children()) - before:
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _begin(ground: Ground) -> None:
    global _ground
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started it ends it
    warnings.simplefilter("ignore")  # their texts may quote values
    _ground = ground


def _run(setting: Setting | None, turn: int) -> dict[str, Any]:
    assert _ground is not None
    return trial(_ground, setting, turn)


@contextlib.contextmanager
def _no_script() -> Iterator[None]:
    """Start workers that do not run the user's script once more: they need only this room."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
