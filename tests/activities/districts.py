"""Puts districts into records."""

from activities.database import Database
from activities.directory import install_profile
from models.recording import Purpose
from tests.builders import SUNDAY_0210, jinfeng


def with_jinfeng(database: Database, purpose: Purpose = Purpose.REAL) -> Database:
    """Return ``database``, made ready, with Jinfeng installed."""
    database.migrate()
    install_profile(database, jinfeng(), purpose, SUNDAY_0210)
    return database
