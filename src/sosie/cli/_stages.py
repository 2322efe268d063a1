"""Progress, shown on a terminal once something has taken a second."""

import sys
import threading
from typing import Self

__all__ = ["Stages"]

_PATIENCE = 1.0
"""Seconds before progress is shown."""


class Stages:
    """What is being done, shown on a terminal once it has taken a second."""

    def __init__(self, names: dict[str, str], *, shown: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._names = names
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not (shown and sys.stderr.isatty()),
        )
        self._task = self._progress.add_task("", total=None)
        self._timer = threading.Timer(_PATIENCE, self._progress.start)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        if self._progress.live.is_started:
            self._progress.stop()

    def say(self, line: str) -> None:
        """Print a sentence, above what is shown."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def begin(self, name: str) -> None:
        """Tell what begins; how long it takes is not known yet."""
        self._progress.remove_task(self._task)
        self._task = self._progress.add_task(self._names[name], total=None)

    def advance(self, share: float) -> None:
        """Tell the share that is done, from 0 to 1."""
        self._progress.update(self._task, completed=share, total=1)
