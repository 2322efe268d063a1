"""What the hub keeps: tasks, their answers and tokens; never a part, never a row."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sosie.insitu.hub._database import Database

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["OPEN", "Store", "Stored"]

OPEN = ("waiting", "running")
"""States of a task that is not answered yet; the others are done, refused and failed."""

_TASKS = """
CREATE TABLE IF NOT EXISTS tasks (
    place {number} PRIMARY KEY,
    id VARCHAR(64) UNIQUE NOT NULL,
    agreement VARCHAR(64) NOT NULL,
    party VARCHAR(60) NOT NULL,
    state VARCHAR(10) NOT NULL,
    attempt INTEGER NOT NULL,
    created FLOAT NOT NULL,
    ended FLOAT,
    ask TEXT NOT NULL,
    answer TEXT,
    why TEXT
)"""
_TOKENS = """
CREATE TABLE IF NOT EXISTS tokens (
    sha256 VARCHAR(64) PRIMARY KEY,
    agreement VARCHAR(64) NOT NULL,
    party VARCHAR(60) NOT NULL,
    role VARCHAR(10) NOT NULL,
    ends FLOAT NOT NULL
)"""
_INDICES = tuple(
    f"CREATE INDEX IF NOT EXISTS ix_tasks_{name} ON tasks ({name})"
    for name in ("agreement", "state")
)
_READ = "SELECT id, agreement, party, state, attempt, created, ended, ask, {}, why FROM tasks"
_STILL_OPEN = "id = ? AND state IN (?, ?)"


@dataclass(frozen=True)
class Stored:
    """A task as it is kept.

    Attributes
    ----------
    id, agreement : str
        SHA-256 of the question as it was signed, and of the agreement.
    by : str
        The party that asked.
    state : str
        ``waiting``, ``running``, ``done``, ``refused`` or ``failed``.
    attempt : int
        How often it was begun.
    created, ended : float or None
        Seconds since 1970.
    ask : dict
        The envelope.
    answer : dict or None
        What the analyst receives; None in a list of tasks.
    why : str or None
        One sentence, where there is no answer.
    """

    id: str
    agreement: str
    by: str
    state: str
    attempt: int
    created: float
    ended: float | None
    ask: dict[str, Any]
    answer: dict[str, Any] | None
    why: str | None


class Store:
    """Tasks in SQLite, or in PostgreSQL when a URL is given.

    Parameters
    ----------
    url : str
        As :class:`~sosie.insitu.hub._database.Database` takes it, and with its errors.
    clock : callable
        Tells the time.

    Examples
    --------
    >>> store = Store("sqlite://")
    >>> store.begin("0" * 64, "1" * 64, "recipient", {})
    True
    >>> store.task("0" * 64).state
    'waiting'
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._database = Database(url)
        number = "SERIAL" if self._database.is_postgresql else "INTEGER"
        made = (_TASKS.format(number=number), _TOKENS, *_INDICES)
        self._database.change(*((one, ()) for one in made))

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def begin(
        self, task: str, agreement: str, party: str, ask: dict[str, Any], *, attempt: int = 0
    ) -> bool:
        """Keep a new task, which waits or begins at once; tell whether it is new."""
        state = "running" if attempt else "waiting"
        query = (
            "INSERT INTO tasks (id, agreement, party, state, attempt, created, ask) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
        )
        values = (task, agreement, party, state, attempt, self._clock(), json.dumps(ask))
        return self._database.change((query, values)) == 1

    def task(self, task: str) -> Stored | None:
        """Give a task."""
        rows = self._database.rows(f"{_READ.format('answer')} WHERE id = ?", task)
        return _stored(*rows[0]) if rows else None

    def tasks(self, agreement: str | None = None, states: tuple[str, ...] = ()) -> list[Stored]:
        """Give the tasks in the order in which they were asked, without their answers."""
        wanted, values = ["1 = 1"], list(states)
        if states:
            wanted.append(f"state IN ({', '.join('?' for _ in states)})")
        if agreement is not None:
            wanted.append("agreement = ?")
            values.append(agreement)
        query = f"{_READ.format('NULL')} WHERE {' AND '.join(wanted)} ORDER BY place"
        return [_stored(*row) for row in self._database.rows(query, *values)]

    def attempted(self, task: str, attempt: int) -> None:
        """Keep that a task was begun once more."""
        query = f"UPDATE tasks SET state = 'running', attempt = ? WHERE {_STILL_OPEN}"
        self._database.change((query, (attempt, task, *OPEN)))

    def end(
        self, task: str, state: str, *, answer: dict[str, Any] | None = None, why: str | None = None
    ) -> bool:
        """Keep how a task ended; tell whether it had not ended before: it ends once."""
        spelt = None if answer is None else json.dumps(answer)
        query = f"UPDATE tasks SET state = ?, answer = ?, why = ?, ended = ? WHERE {_STILL_OPEN}"
        values = (state, spelt, why, self._clock(), task, *OPEN)
        return self._database.change((query, values)) == 1

    def add_token(self, digest: str, agreement: str, party: str, role: str, ends: float) -> None:
        """Keep the hash of a token, and none that has ended."""
        query = "INSERT INTO tokens (sha256, agreement, party, role, ends) VALUES (?, ?, ?, ?, ?)"
        self._database.change(
            ("DELETE FROM tokens WHERE ends < ?", (self._clock(),)),
            (query, (digest, agreement, party, role, ends)),
        )

    def token(self, digest: str) -> tuple[str, str, str] | None:
        """Give agreement, party and role of a token that has not ended."""
        query = "SELECT agreement, party, role FROM tokens WHERE sha256 = ? AND ends > ?"
        rows = self._database.rows(query, digest, self._clock())
        return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


def _stored(*row: Any) -> Stored:
    task, agreement, by, state, attempt, created, ended, ask, answer, why = row
    read = None if answer is None else json.loads(answer)
    return Stored(task, agreement, by, state, attempt, created, ended, json.loads(ask), read, why)
