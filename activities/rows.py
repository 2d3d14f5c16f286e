"""Writes rows without the detour over objects, in the two ways that SQLite and PostgreSQL both know by other names.

Every act passes here several times, so statements are built once.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from sqlalchemy import Insert, Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel

Values = Mapping[str, object]


def table_of(kind: type[SQLModel]) -> Table:
    """Return the table behind ``kind``."""
    table: Table = inspect(kind).local_table
    return table


def insert_missing(session: Session, kind: type[SQLModel], rows: Sequence[Values]) -> None:
    """Insert those of ``rows`` that break no unique constraint; the others are there already."""
    if rows:
        connection = session.connection()
        connection.execute(_insertion_of_missing(kind, connection.dialect.name), rows)


def upsert(session: Session, kind: type[SQLModel], rows: Sequence[Values]) -> None:
    """Insert ``rows``, complete ones, or put all their values into the rows that have the same primary key."""
    if rows:
        connection = session.connection()
        connection.execute(_insertion_or_update(kind, connection.dialect.name), rows)


@cache
def _insertion_of_missing(kind: type[SQLModel], dialect: str) -> Insert:
    return _insertion(kind, dialect).on_conflict_do_nothing()


@cache
def _insertion_or_update(kind: type[SQLModel], dialect: str) -> Insert:
    table = table_of(kind)
    insertion = _insertion(kind, dialect)
    changed = {column.name: insertion.excluded[column.name] for column in table.c if not column.primary_key}
    return insertion.on_conflict_do_update(index_elements=table.primary_key.columns.values(), set_=changed)


def _insertion(kind: type[SQLModel], dialect: str) -> postgresql.Insert | sqlite.Insert:
    table = table_of(kind)
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
