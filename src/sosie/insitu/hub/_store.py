"""What the hub keeps: tasks, their answers and tokens; never a part, never a row."""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    Column,
    Float,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from sosie.errors import DataError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine, Row

__all__ = ["OPEN", "Store", "Stored"]

T = TypeVar("T")

OPEN = ("waiting", "running")
"""States of a task that is not answered yet; the others are done, refused and failed."""

_GOES_ON = "The hub goes on by itself once it can be; what was kept is not lost."
_META = MetaData()
_TASKS = Table(
    "tasks",
    _META,
    Column("place", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), unique=True, nullable=False),
    Column("agreement", String(64), nullable=False, index=True),
    Column("party", String(60), nullable=False),
    Column("state", String(10), nullable=False, index=True),
    Column("attempt", Integer, nullable=False),
    Column("created", Float, nullable=False),
    Column("ended", Float),
    Column("ask", Text, nullable=False),
    Column("answer", Text),
    Column("why", Text),
)
_TOKENS = Table(
    "tokens",
    _META,
    Column("sha256", String(64), primary_key=True),
    Column("agreement", String(64), nullable=False),
    Column("party", String(60), nullable=False),
    Column("role", String(10), nullable=False),
    Column("ends", Float, nullable=False),
)


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
        What the analyst receives.
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
        As ``sqlite:///hub.db`` or ``postgresql://user:password@host/name``.
    clock : callable
        Tells the time.

    Raises
    ------
    ParameterError
        If it is no such URL.
    DataError
        If the database cannot be used.

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
        self._engine = _engine(url)
        self._guarded(lambda: _META.create_all(self._engine), "Start the hub once it can be.")

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def begin(
        self, task: str, agreement: str, party: str, ask: dict[str, Any], *, attempt: int = 0
    ) -> bool:
        """Keep a new task, which waits or begins at once; tell whether it is new."""
        values = {
            "id": task, "agreement": agreement, "party": party,
            "state": "running" if attempt else "waiting", "attempt": attempt,
            "created": self._clock(), "ask": json.dumps(ask),
        }  # fmt: skip

        def done() -> bool:
            try:
                with self._engine.begin() as database:
                    database.execute(insert(_TASKS).values(values))
            except IntegrityError:
                return False
            return True

        return self._guarded(done)

    def task(self, task: str) -> Stored | None:
        """Give a task."""
        rows = self._rows(select(_TASKS).where(_TASKS.c.id == task))
        return _stored(rows[0]) if rows else None

    def tasks(self, agreement: str | None = None, states: tuple[str, ...] = ()) -> list[Stored]:
        """Give the tasks in the order in which they were asked."""
        query = select(_TASKS).order_by(_TASKS.c.place)
        if agreement is not None:
            query = query.where(_TASKS.c.agreement == agreement)
        if states:
            query = query.where(_TASKS.c.state.in_(states))
        return [_stored(row) for row in self._rows(query)]

    def attempted(self, task: str, attempt: int) -> None:
        """Keep that a task was begun once more."""
        self._change(task, state="running", attempt=attempt)

    def end(
        self, task: str, state: str, *, answer: dict[str, Any] | None = None, why: str | None = None
    ) -> bool:
        """Keep how a task ended; tell whether it had not ended before: it ends once."""
        spelt = None if answer is None else json.dumps(answer)
        return self._change(task, state=state, answer=spelt, why=why, ended=self._clock())

    def add_token(self, digest: str, agreement: str, party: str, role: str, ends: float) -> None:
        """Keep the hash of a token."""
        values = {
            "sha256": digest, "agreement": agreement, "party": party, "role": role, "ends": ends,
        }  # fmt: skip

        def done() -> None:
            with self._engine.begin() as database:
                database.execute(_TOKENS.delete().where(_TOKENS.c.ends < self._clock()))
                database.execute(insert(_TOKENS).values(values))

        self._guarded(done)

    def token(self, digest: str) -> tuple[str, str, str] | None:
        """Give agreement, party and role of a token that has not ended."""
        query = select(_TOKENS).where(_TOKENS.c.sha256 == digest, _TOKENS.c.ends > self._clock())
        rows = self._rows(query)
        return (rows[0].agreement, rows[0].party, rows[0].role) if rows else None

    def _change(self, task: str, **values: Any) -> bool:
        query = update(_TASKS).where(_TASKS.c.id == task, _TASKS.c.state.in_(OPEN)).values(values)

        def done() -> bool:
            with self._engine.begin() as database:
                return database.execute(query).rowcount == 1

        return self._guarded(done)

    def _rows(self, query: Any) -> list[Row[Any]]:
        def done() -> list[Row[Any]]:
            with self._engine.connect() as database:
                return list(database.execute(query))

        return self._guarded(done)

    def _guarded(self, done: Callable[[], T], then: str = _GOES_ON) -> T:
        try:
            return done()
        except SQLAlchemyError as error:
            raise DataError(
                f"The database of the hub cannot be used ({type(error).__name__}): is its disk "
                f"full, or its server down? {then}"
            ) from error


def _engine(url: str) -> Engine:
    try:
        read = make_url(url)
    except ArgumentError as error:
        raise ParameterError(
            "--database: give a URL as sqlite:///hub.db or postgresql://user@host/name."
        ) from error
    if read.get_backend_name() == "sqlite":
        if read.database not in (None, "", ":memory:"):
            with contextlib.suppress(OSError):  # what is wrong with it, the database says
                Path(str(read.database)).touch(mode=0o600)  # it holds answers
        engine = create_engine(read)
        event.listen(engine, "connect", _durable)
        return engine
    if read.get_backend_name() != "postgresql":
        raise ParameterError(
            f"The hub keeps its tasks in SQLite or PostgreSQL, not {read.drivername}."
        )
    options: dict[str, Any] = {}
    folder = read.query.get("host")
    if isinstance(folder, str):  # as libpq has it: a socket in a folder
        options["unix_sock"] = f"{folder}/.s.PGSQL.{read.port or 5432}"
        read = read.difference_update_query(["host"])
    return create_engine(
        read.set(drivername="postgresql+pg8000"), connect_args=options, pool_pre_ping=True
    )


def _durable(connection: Any, _: object) -> None:
    # A task that was accepted survives a power cut; readers never wait for a writer.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _stored(row: Row[Any]) -> Stored:
    answer = None if row.answer is None else json.loads(row.answer)
    return Stored(
        row.id, row.agreement, row.party, row.state, row.attempt, row.created, row.ended,
        json.loads(row.ask), answer, row.why,
    )  # fmt: skip
