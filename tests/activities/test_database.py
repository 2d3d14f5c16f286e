"""Trouble that passes is named within bounds, and instants come back as they went in."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import col, select

from activities.database import Database, RecordAwayError, UnknownDatabaseError, database_url
from models.recording import AttemptOutcome
from models.tables import AttemptRow, CounterRow

# What a person may have to wait for a locked record, with room for a busy machine.
BOUND = 8


@pytest.fixture
def moment() -> datetime:
    return datetime(2026, 3, 1, 12, tzinfo=UTC)


@contextmanager
def bounded() -> Iterator[None]:
    started_at = time.monotonic()
    yield
    assert time.monotonic() - started_at < BOUND


def an_attempt(name: str, at: datetime) -> AttemptRow:
    return AttemptRow(id=name, at=at, verb="ack", outcome=AttemptOutcome.DONE, door="cli")


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 2, 28, 18, 10, tzinfo=UTC),
        datetime(2026, 2, 28, 18, 10, 0, 1, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(1911, 10, 10, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(2026, 3, 1, 2, 10, tzinfo=timezone(timedelta(hours=8))),
    ],
)
def test_an_instant_comes_back_in_utc_to_the_microsecond(database: Database, moment: datetime) -> None:
    with database.writing() as session:
        session.add(an_attempt("a-1", moment))

    with database.reading() as session:
        found = session.get_one(AttemptRow, "a-1").at

    assert found == moment
    assert found.tzinfo is UTC


def test_instants_sort_as_instants_whatever_zone_they_were_written_in(database: Database) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    east = timezone(timedelta(hours=8))
    with database.writing() as session:
        session.add(an_attempt("second", noon))
        session.add(an_attempt("third", noon + timedelta(microseconds=1)))
        session.add(an_attempt("first", (noon - timedelta(hours=1)).astimezone(east)))

    with database.reading() as session:
        ids = session.exec(select(AttemptRow.id).order_by(col(AttemptRow.at))).all()

    assert ids == ["first", "second", "third"]


def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="timezone"), database.writing() as session:
        session.add(an_attempt("a-1", datetime(2026, 3, 1, 12)))  # noqa: DTZ001 (the fault under test)


def test_what_is_raised_within_a_transaction_undoes_all_of_it(database: Database, moment: datetime) -> None:
    def write_and_stumble() -> None:
        with database.writing() as session:
            session.add(an_attempt("a-1", moment))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_stumble()

    with database.reading() as session:
        assert session.get(AttemptRow, "a-1") is None


def test_a_reader_sees_one_moment_however_long_it_looks(database: Database, moment: datetime) -> None:
    with database.reading() as reader:
        before = reader.get(AttemptRow, "a-1")
        with database.writing() as writer:
            writer.add(an_attempt("a-1", moment))
        after = reader.exec(select(AttemptRow)).all()

    assert before is None
    assert after == []


def test_a_fault_of_ours_is_not_called_away(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(CounterRow(district="nowhere", year=2026, last=1))


def test_no_message_shows_what_people_wrote(database: Database, moment: datetime) -> None:
    attempt, twin = an_attempt("a-1", moment), an_attempt("a-1", moment)
    attempt.reason = twin.reason = "MARKER-7"
    with database.writing() as session:
        session.add(attempt)

    with pytest.raises(IntegrityError) as caught, database.writing() as session:
        session.add(twin)

    assert "MARKER-7" not in str(caught.value)


def test_a_locked_sqlite_file_is_away_within_bounds_for_writers_and_not_for_readers(sqlite_database: Database) -> None:
    with sqlite_database.writing() as writer, bounded():
        writer.connection()
        with pytest.raises(RecordAwayError), sqlite_database.writing() as second:
            second.connection()
        with sqlite_database.reading() as session:
            assert session.exec(select(AttemptRow)).all() == []

    with sqlite_database.writing() as session:
        session.add(CounterRow(district="jinfeng", year=2026, last=1))


def test_a_sqlite_file_that_is_not_there_is_away_and_is_not_made(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'none.db'}")

    with pytest.raises(RecordAwayError), database.reading() as session:
        session.connection()

    assert list(tmp_path.iterdir()) == []


def test_a_broken_sqlite_file_is_a_fault_and_not_away(tmp_path: Path) -> None:
    (tmp_path / "whistle.db").write_bytes(b"not a database" * 1000)
    database = Database.open(f"sqlite:///{tmp_path / 'whistle.db'}")

    with pytest.raises(Exception, match="not a database") as caught, database.reading() as session:
        session.connection()

    assert not isinstance(caught.value, RecordAwayError)


def test_a_locked_row_on_postgres_is_away_within_bounds(postgres_database: Database) -> None:
    query = select(CounterRow).with_for_update()
    with postgres_database.writing() as session:
        session.add(CounterRow(district="jinfeng", year=2026, last=1))

    with postgres_database.writing() as first, bounded():
        first.exec(query).one()
        with pytest.raises(RecordAwayError), postgres_database.writing() as second:
            second.exec(query).one()


def test_a_postgres_server_that_does_not_answer_is_away_within_bounds() -> None:
    database = Database.open("postgresql://nobody@127.0.0.1:1/whistle")

    with bounded(), pytest.raises(RecordAwayError), database.reading() as session:
        session.connection()


def test_a_postgres_connection_that_was_cut_is_away_once_and_then_made_anew(
    postgres: str, postgres_database: Database
) -> None:
    def be_cut_off() -> None:
        with postgres_database.writing() as session:
            process = session.connection().execute(text("SELECT pg_backend_pid()")).scalar_one()
            with psycopg.connect(postgres, autocommit=True) as connection:
                connection.execute("SELECT pg_terminate_backend(%s)", [process])
            session.exec(select(AttemptRow)).all()

    with pytest.raises(RecordAwayError):
        be_cut_off()

    with postgres_database.reading() as session:
        assert session.exec(select(AttemptRow)).all() == []


@pytest.mark.parametrize("url", ["mysql://root@localhost/whistle", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(UnknownDatabaseError):
        Database.open(url)


def test_the_record_is_in_the_home_unless_the_environment_says_otherwise(tmp_path: Path) -> None:
    home = tmp_path / "a home?#%41"
    home.mkdir()

    Database.open(database_url(home, {})).migrate()

    assert database_url(home, {"WHISTLE_DATABASE": " postgresql:///x "}) == "postgresql:///x"
    with sqlite3.connect(home / "whistle.db") as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    assert (home / "whistle.db").stat().st_mode & 0o777 == 0o600
