"""Brings the record's tables from one version to the next, all of it in one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

HEAD = "head"
EMPTY = "base"

# Any number will do, as long as it stays the same: two programs that start together must not both migrate.
_MIGRATION_LOCK = 7_437_001


class RecordFromLaterVersionError(Exception):
    """A newer program has changed the tables; this one would not understand them."""

    def __init__(self, found: str) -> None:
        super().__init__(f"the record is at the unknown version '{found}'")
        self.found = found


def upgrade(connection: Connection, to: str = HEAD) -> None:
    """Bring the tables up to version ``to``. Whoever comes second waits, and then finds nothing to do.

    Raises:
        RecordFromLaterVersionError: if they are at a version that is not known here.
    """
    config = _prepared(connection)
    command.upgrade(config, to)


def downgrade(connection: Connection, to: str = EMPTY) -> None:
    """Take the tables back to version ``to``; what newer tables held is lost.

    Raises:
        RecordFromLaterVersionError: if they are at a version that is not known here.
    """
    config = _prepared(connection)
    command.downgrade(config, to)


def revision(connection: Connection) -> str | None:
    """Return the version that the tables are at."""
    return MigrationContext.configure(connection).get_current_revision()


def _prepared(connection: Connection) -> Config:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    found = revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise RecordFromLaterVersionError(found)
    return config
