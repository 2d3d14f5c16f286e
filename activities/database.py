"""Opens the record's database: SQLite on one machine, PostgreSQL for a city, the same schema on both.

Trouble that passes (locked, unreachable, shutting down, out of space) is named `RecordAwayError`, after a bounded wait,
so that whoever acts can go on without the record. Everything else flies as the driver raised it.
"""

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhaustedError
from sqlmodel import Session

VARIABLE = "WHISTLE_DATABASE"
FILE_NAME = "whistle.db"

# A person waits at the door; after this long the act goes on and the record catches up.
_LOCK_PATIENCE_SECONDS = 2
_CONNECT_PATIENCE_SECONDS = 3
_STATEMENT_PATIENCE_SECONDS = 10

_AWAY_IN_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
    }
)
_PRIMARY_CODE = 0xFF
# Lost connection, rolled back for others' sake, out of resources, waited too long, shut down or starting.
_AWAY_IN_POSTGRES = ("08", "40", "53", "55P03", "57")
_NO_SUCH_TABLE_OR_COLUMN = frozenset({"42P01", "42703"})


class RecordAwayError(Exception):
    """The record cannot be reached now. Nothing was written; the same thing may be tried again."""


class RecordNotReadyError(Exception):
    """There is a database, but not with the tables of this version: it has to be migrated first."""


class UnknownDatabaseError(ValueError):
    """The URL names neither SQLite nor PostgreSQL. The message leaves out everything that may be secret."""


def database_url(home: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return where the record of ``home`` is: ``WHISTLE_DATABASE``, else a file in the home."""
    if chosen := environment.get(VARIABLE, "").strip():
        return chosen
    file = str((home / FILE_NAME).absolute())
    return URL.create("sqlite", database=file).render_as_string(hide_password=False)


class Database:
    """One record. Threads may share it; nothing is connected before it is needed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        snapshot = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._for_reading = engine.execution_options(**(snapshot if self.is_postgres else {}))
        self._for_writing = engine.execution_options(whistle_writes=True)

    @classmethod
    def open(cls, url: str) -> Self:
        """Return the database at ``url``.

        Raises:
            UnknownDatabaseError: if it is neither SQLite in a file nor PostgreSQL.
        """
        parsed = make_url(url)
        match parsed.get_backend_name():
            case "sqlite" if parsed.database and parsed.database != ":memory:":
                return cls(_sqlite(Path(parsed.database)))
            case "postgresql" | "postgres":
                return cls(_postgres(parsed.set(drivername="postgresql+psycopg")))
            case other:
                raise UnknownDatabaseError(f"'{other}' is neither a SQLite file nor PostgreSQL")

    @property
    def is_postgres(self) -> bool:
        """Whether rows can be locked one by one; in SQLite a writer has the whole file."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one unchanging moment of the record.

        Raises:
            RecordAwayError: after a bounded wait.
            RecordNotReadyError: if the tables are missing or old.
        """
        with _naming_trouble(), Session(self._for_reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session in one transaction, committed at the end, rolled back if anything is raised.

        Raises:
            RecordAwayError: after a bounded wait.
            RecordNotReadyError: if the tables are missing or old.
        """
        with _naming_trouble(), Session(self._for_writing, expire_on_commit=False) as session, session.begin():
            yield session

    def migrate(self) -> None:
        """Create the tables, or bring them to this version. Safe to run twice and by several processes at once.

        Raises:
            RecordAwayError: after a bounded wait.
            RecordFromLaterVersionError: if a newer program has changed the tables.
        """
        from activities import migrations  # noqa: PLC0415 (costs 0.1 s that only this verb should pay)

        if file := self._engine.url.database if not self.is_postgres else None:
            Path(file).touch(mode=0o600)
        with _naming_trouble():
            if not self.is_postgres:
                with self._engine.connect() as connection:
                    # It stays with the file, and cannot be changed within a transaction.
                    connection.connection.cursor().execute("PRAGMA journal_mode=WAL")
            with self._for_writing.begin() as connection:
                migrations.upgrade(connection)

    def revision(self) -> str | None:
        """Return the version of the tables, or None if there are none.

        Raises:
            RecordAwayError: after a bounded wait.
        """
        from activities import migrations  # noqa: PLC0415 (as above)

        with _naming_trouble(), self._for_reading.connect() as connection:
            return migrations.revision(connection)

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()


def _sqlite(file: Path) -> Engine:
    # Opened for reading and writing but never created here: a missing record must not look like an empty one.
    connect = partial(
        sqlite3.connect,
        f"{file.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=_LOCK_PATIENCE_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    engine = create_engine(URL.create("sqlite", database=str(file)), creator=connect, poolclass=QueuePool, **_POOL)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=ON")
    # With WAL this survives every crash of a process. A power cut may take the last moment, which the runs record anew.
    connection.execute("PRAGMA synchronous=NORMAL")


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that turns into a writing one fails at once if another has written; this one waits.
    writes = connection.get_execution_options().get("whistle_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres(url: URL) -> Engine:
    engine = create_engine(
        url,
        isolation_level="READ COMMITTED",
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_PATIENCE_SECONDS,
            "tcp_user_timeout": _STATEMENT_PATIENCE_SECONDS * 1000,
        },
        **_POOL,
    )
    event.listen(engine, "connect", _prepare_postgres)
    return engine


def _prepare_postgres(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("SET timezone = 'UTC'")
    cursor.execute(f"SET lock_timeout = '{_LOCK_PATIENCE_SECONDS}s'")
    cursor.execute(f"SET statement_timeout = '{_STATEMENT_PATIENCE_SECONDS}s'")
    connection.commit()


# Parameters hold what people wrote, so no message may show them.
_POOL: dict[str, Any] = {
    "pool_size": 10,
    "max_overflow": 20,
    "pool_timeout": _LOCK_PATIENCE_SECONDS,
    "hide_parameters": True,
}


@contextmanager
def _naming_trouble() -> Iterator[None]:
    try:
        yield
    except PoolExhaustedError as error:
        raise RecordAwayError("all connections are in use") from error
    except DBAPIError as error:
        if _is_away(error):
            raise RecordAwayError(f"{type(error.orig).__name__}: the record is away") from error
        if _is_not_ready(error):
            raise RecordNotReadyError("the tables of this version are not there") from error
        raise


def _is_away(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY_CODE in _AWAY_IN_SQLITE
    if state := _postgres_state(error):
        return state.startswith(_AWAY_IN_POSTGRES)
    # Without a state the server did not say it: it could not be reached, or fell silent.
    return isinstance(error, OperationalError) or error.connection_invalidated


def _is_not_ready(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return str(error.orig).startswith(("no such table", "no such column"))
    return _postgres_state(error) in _NO_SUCH_TABLE_OR_COLUMN


def _postgres_state(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)
