"""The command line as people use it: called in this process on a home of its own, with what it prints taken apart."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import cli
from activities.attempts import ListedAttempt, WantedAttempts, list_attempts
from activities.credentials import Claims, HeldPost, issue_token, token_key
from activities.database import Database, database_url
from activities.directory import install_profile, installed_district, write_snapshot
from activities.record import register
from engine.home import Home
from models.organisation import Post
from models.recording import Purpose
from tests.builders import SUNDAY_0210, Story, jinfeng


@dataclass(frozen=True)
class Outcome:
    """What one call came to."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Sessions:
    """Logs officers in without asking for a passcode."""

    home: Path

    def admit(self, officer: str, *held: tuple[str, Post], until: timedelta = timedelta(hours=1)) -> Path:
        """Give an officer a token for these offices."""
        now = datetime.now(UTC)
        appointments = tuple(HeldPost(unit=unit, post=post) for unit, post in held)
        claims = Claims(
            district="jinfeng",
            officer=officer,
            appointments=appointments,
            issued_at=now - timedelta(hours=1),
            expires_at=now + until,
        )
        file = self.home / "sessions" / f"{officer}.token"
        file.write_text(issue_token(token_key(self.home / "keys"), claims), encoding="ascii")
        return file


Whistle = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """English, no colours, and no Temporal but the home's own."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "TEMPORAL_CONFIG_FILE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LC_ALL", "en_GB.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.fixture(scope="session")
def installed_home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A home in which Jinfeng lives, to be copied, and the officers' passcodes."""
    path = tmp_path_factory.mktemp("installed") / "home"
    Home(path).create()
    database = Database.open(database_url(path, {}))
    database.migrate()
    passcodes = install_profile(database, jinfeng(), Purpose.REAL, SUNDAY_0210)
    with database.reading() as session:
        write_snapshot(path, installed_district(session, "jinfeng"))
    database.close()
    return path, passcodes


@pytest.fixture
def home(installed_home: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home in which Jinfeng lives and nothing has happened, and which the command line finds by itself."""
    path = tmp_path / "home"
    shutil.copytree(installed_home[0], path)
    monkeypatch.setenv("WHISTLE_HOME", str(path))
    return path


@pytest.fixture
def passcodes(installed_home: tuple[Path, dict[str, str]]) -> dict[str, str]:
    """The passcode of each officer."""
    return installed_home[1]


@pytest.fixture
def whistle(capsys: pytest.CaptureFixture[str]) -> Whistle:
    """Call the command line with these arguments."""

    def call(*arguments: str) -> Outcome:
        code = cli.run(arguments)
        printed = capsys.readouterr()
        return Outcome(code, printed.out, printed.err)

    return call


@pytest.fixture
def database(home: Path) -> Any:
    """The record of the home."""
    opened = Database.open(database_url(home, {}))
    yield opened
    opened.close()


@pytest.fixture
def record(database: Database) -> Callable[[Story], Story]:
    """Put a story into the record, as its run would."""

    def put(story: Story) -> Story:
        with database.writing() as session:
            register(session, story.registration(), datetime.now(UTC))
        return story

    return put


@pytest.fixture
def attempts(database: Database) -> Callable[[], tuple[ListedAttempt, ...]]:
    """Return what was tried at the doors, the latest first."""

    def listed() -> tuple[ListedAttempt, ...]:
        with database.reading() as session:
            return list_attempts(session, WantedAttempts())

    return listed


@pytest.fixture
def sessions(home: Path) -> Sessions:
    """Officers who are logged in at the home."""
    return Sessions(home)
