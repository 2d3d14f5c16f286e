"""The tables that migrations make are the tables that the program knows, on both dialects."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlmodel import SQLModel

from activities import migrations
from activities.database import Database, RecordNotReadyError
from activities.migrations import RecordFromLaterVersionError
from activities.queries import Wanted, list_whistles
from tests.builders import SUNDAY_0210


def tables(database: Database) -> set[str]:
    with database.reading() as session:
        return set(inspect(session.connection()).get_table_names())


def test_migrated_tables_are_those_of_the_program(empty_database: Database) -> None:
    empty_database.migrate()

    with empty_database.reading() as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
        session.rollback()
    assert empty_database.revision() == "0001"


def test_primary_and_foreign_keys_are_those_of_the_program(empty_database: Database) -> None:
    empty_database.migrate()

    with empty_database.reading() as session:
        found = inspect(session.connection())
        for table in SQLModel.metadata.sorted_tables:
            keys = [column.name for column in table.primary_key]
            referred = {each["referred_table"] for each in found.get_foreign_keys(table.name)}
            assert set(found.get_pk_constraint(table.name)["constrained_columns"]) == set(keys)
            assert referred == {each.column.table.name for each in table.foreign_keys}


def test_going_down_leaves_nothing_and_going_up_again_works(empty_database: Database) -> None:
    empty_database.migrate()

    with empty_database.writing() as session:
        migrations.downgrade(session.connection())
    left = tables(empty_database)
    empty_database.migrate()

    assert left == {"alembic_version"}
    assert "fact" in tables(empty_database)


def test_migrating_twice_changes_nothing(empty_database: Database) -> None:
    empty_database.migrate()
    before = tables(empty_database)

    empty_database.migrate()

    assert tables(empty_database) == before


def test_of_two_that_migrate_at_once_one_waits_for_the_other(empty_database: Database) -> None:
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(empty_database.migrate) for _ in range(2)]
        for each in both:
            each.result()

    assert empty_database.revision() == "0001"


def test_tables_of_a_later_version_are_left_alone(empty_database: Database) -> None:
    empty_database.migrate()
    with empty_database.writing() as session:
        session.connection().execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(RecordFromLaterVersionError, match="9999"):
        empty_database.migrate()


def test_a_database_without_tables_is_called_not_ready(empty_database: Database) -> None:
    assert empty_database.revision() is None
    with pytest.raises(RecordNotReadyError), empty_database.reading() as session:
        list_whistles(session, Wanted(), SUNDAY_0210)
