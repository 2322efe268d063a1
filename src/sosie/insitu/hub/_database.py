"""One connection to SQLite or PostgreSQL, and the same few statements on either."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from sosie.errors import DataError, ParameterError, SosieError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Database"]

_GOES_ON = "The hub goes on by itself once it can be; what was kept is not lost."
_WAITS = 5
_FIRST = "Start the hub once it can be."


class Database:
    """A database that may be away for a while: it is connected to again when it is next used.

    Parameters
    ----------
    url : str
        As ``sqlite:///hub.db``, ``sqlite://`` for one in memory, or
        ``postgresql://user:password@host:port/name``, with ``?host=FOLDER`` for a socket there.

    Raises
    ------
    ParameterError
        If it is no such URL.
    DataError
        If the database cannot be used.

    Examples
    --------
    >>> database = Database("sqlite://")
    >>> database.change(("CREATE TABLE t (a INTEGER)", ())), database.rows("SELECT a FROM t")
    (-1, [])
    """

    def __init__(self, url: str) -> None:
        self._connect, self._failures, self.is_postgresql = _way_to(url)
        self._lock = Lock()
        self._connection: Any = None
        self._then = _FIRST
        self.rows("SELECT 1")
        self._then = _GOES_ON

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read.

        Parameters
        ----------
        query : str
            With ``?`` where each value goes.
        *values : object

        Raises
        ------
        DataError
            If the database cannot be used, as for all that follows.
        """
        with self._cursor() as cursor:
            cursor.execute(self._spelt(query), values)
            return [tuple(row) for row in cursor.fetchall()]

    def change(self, *statements: tuple[str, tuple[object, ...]]) -> int:
        """Write all of it or nothing; give how many rows the last statement changed."""
        with self._cursor() as cursor:
            for query, values in statements:
                cursor.execute(self._spelt(query), values)
            return int(cursor.rowcount)

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._drop()

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[Any]:
        """Give a cursor within one transaction."""
        with self._lock:
            try:
                connection = self._connected()
                cursor = connection.cursor()
                yield cursor
                connection.commit()
                cursor.close()
            except self._failures as error:
                self._undo()
                raise DataError(
                    f"The database of the hub cannot be used ({type(error).__name__}): is its disk "
                    f"full, or its server down? {self._then}"
                ) from error
            except BaseException:  # as an interrupt, in the middle of what they say to each other
                self._drop()
                raise

    def _connected(self) -> Any:
        if self._connection is not None and self.is_postgresql:
            try:  # a server that was started again has forgotten this connection
                self._connection.cursor().execute("SELECT 1")
            except self._failures:
                self._drop()
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _undo(self) -> None:
        if self._connection is not None:
            try:
                self._connection.rollback()
            except self._failures:
                self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(*self._failures):
                self._connection.close()
            self._connection = None

    def _spelt(self, query: str) -> str:
        return query.replace("?", "%s") if self.is_postgresql else query


_Way = tuple["Callable[[], Any]", tuple[type[Exception], ...], bool]


def _way_to(url: str) -> _Way:
    try:
        read = urlsplit(url)
        port = read.port
    except ValueError:
        read, port = SplitResult("", "", "", "", ""), None
    kind, _, _ = read.scheme.partition("+")
    if not kind or not url[len(read.scheme) :].startswith("://"):
        raise ParameterError(
            "--database: give a URL as sqlite:///hub.db or postgresql://user@host/name."
        )
    if kind == "sqlite":
        if "?" in url:
            raise ParameterError("--database: nothing can follow a '?' in a URL of SQLite.")
        return _sqlite(url.partition("://")[2][1:])
    if kind != "postgresql":
        raise ParameterError(f"The hub keeps its tasks in SQLite or PostgreSQL, not {kind}.")
    return _postgresql(read, port or 5432)


def _sqlite(file: str) -> _Way:
    if file not in ("", ":memory:"):
        _make(Path(file))

    def connect() -> sqlite3.Connection:
        made = sqlite3.connect(file or ":memory:", check_same_thread=False)
        try:
            # A task that was accepted survives a power cut; readers never wait for a writer.
            made.execute("PRAGMA journal_mode=WAL")
        except sqlite3.Error as error:
            made.close()
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
                raise ParameterError(
                    f"--database: {file} is not a database of SQLite; give another file."
                ) from error
            raise
        made.execute("PRAGMA synchronous=FULL")
        made.execute("PRAGMA cache_size=-200")
        return made

    return connect, (sqlite3.Error,), False


def _make(path: Path) -> None:
    """Make the file of a database, which holds answers, for its owner alone."""
    if not path.parent.is_dir():
        raise ParameterError(f"--database: the folder {path.parent} does not exist; make it first.")
    if path.is_dir():
        raise ParameterError(f"--database: {path} is a folder; give a file in it.")
    try:
        path.touch(mode=0o600)
    except OSError as error:
        raise DataError(f"{path} could not be written ({error.strerror}).") from error


def _postgresql(read: SplitResult, port: int) -> _Way:
    try:
        import pg8000.dbapi as postgresql
    except ImportError as error:
        raise SosieError(
            "PostgreSQL needs one more library; install it: pip install 'sosie[postgresql]'."
        ) from error
    options: dict[str, Any] = {"host": read.hostname or "localhost", "port": port}
    for name, value in parse_qsl(read.query):
        if name == "host":  # as libpq has it: a socket in a folder
            options = {"unix_sock": f"{value}/.s.PGSQL.{port}"}
        elif name == "sslmode" and value == "verify-full":
            import ssl

            options["ssl_context"] = ssl.create_default_context()
        else:
            raise ParameterError(
                f"--database: {name!r} is not known behind the '?' of a URL; host=FOLDER and "
                "sslmode=verify-full are."
            )
    options |= {"user": unquote(read.username or "postgres"),
                "password": None if read.password is None else unquote(read.password),
                "database": unquote(read.path[1:]) or None}  # fmt: skip

    def connect() -> Any:
        made = postgresql.connect(**options)
        cursor = made.cursor()
        for name in ("lock_timeout", "statement_timeout"):  # all others wait meanwhile
            cursor.execute(f"SET {name} = '{_WAITS}s'")
        cursor.close()
        made.commit()
        return made

    return connect, (postgresql.Error, OSError), True
