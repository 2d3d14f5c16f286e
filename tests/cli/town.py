"""A district at work: ``whistle up`` on a home of its own, and people at keyboards, all of whom can be killed."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from activities.profiles import SHIPPED
from engine.home import Home
from engine.processes import ProcessIdentity
from tests.cli.conftest import Outcome

ROOT = Path(__file__).parents[2]
OFFICERS = (
    "o-cczl-duty-1",
    "o-cczl-leader",
    "o-cczl-commander",
    "o-cczl-verifier",
    "o-water-operator",
    "o-police-cczl-head",
    "o-power-operator",
    "o-urban-cczl-head",
)


def environment(home: Path) -> dict[str, str]:
    """Return this environment with nothing of Temporal's or the user's in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WHISTLE_", "TEMPORAL_"))}
    return {**kept, "WHISTLE_HOME": str(home), "LC_ALL": "en_GB.UTF-8", "PYTHONIOENCODING": "utf-8"}


def profile_without_holidays(directory: Path) -> Path:
    """Write Jinfeng with no published year but one long past: whatever the date, working time is a guess."""
    directory.mkdir()
    for file in (SHIPPED / "jinfeng").glob("*.toml"):
        text = file.read_text(encoding="utf-8")
        if file.name == "calendar.toml":
            first, _, _ = text.partition("[[years]]")
            text = f'{first.replace("cn-2026.1", "cn-2004.1")}[[years]]\nyear = 2004\nsource = "test"\n'
        (directory / file.name).write_text(text, encoding="utf-8")
    return directory


class Typist:
    """One process that calls the command line."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.typist"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env=environment(home),
            text=True,
            encoding="utf-8",
        )

    def type(self, *arguments: str) -> Outcome:
        """Call the command line and return what came of it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(arguments) + "\n")
        self._process.stdin.flush()
        return Outcome(*json.loads(self._process.stdout.readline()))

    def kill(self) -> None:
        """Kill -9."""
        self._process.kill()
        self._process.communicate()


class Town:
    """A home, the engine that runs on it, and whoever types there."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._up: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Run ``whistle up`` and return its first line."""
        self._up = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), "up"],
            stdout=subprocess.PIPE,
            env=environment(self.home),
            text=True,
            encoding="utf-8",
        )
        assert self._up.stdout
        return self._up.stdout.readline()

    def kill(self) -> None:
        """Kill -9 everything: supervisor, server and worker."""
        engine = Home(self.home).read_engine()
        for each in (engine.supervisor, engine.server, engine.worker) if engine else ():
            _kill(each)
        if self._up:
            self._up.kill()
            self._up.communicate()
            self._up = None

    def stop(self) -> int:
        """Interrupt it as Ctrl-C does, and return its exit code."""
        assert self._up
        self._up.send_signal(signal.SIGINT)
        self._up.communicate()
        code, self._up = self._up.returncode, None
        return code

    def passcode_file(self, officer: str) -> Path:
        """Return a file with the passcode of an officer."""
        handed_out = (self.home / "passcodes.txt").read_text(encoding="utf-8")
        found = re.search(rf"^{re.escape(officer)}\t(\S+)\t", handed_out, re.MULTILINE)
        assert found
        file = self.home / f"{officer}.passcode"
        file.write_text(found[1], encoding="utf-8")
        return file


@contextmanager
def town(directory: Path) -> Iterator[Town]:
    """Give a town that nothing is left of in the end."""
    founded = Town(directory / "home")
    try:
        yield founded
    finally:
        founded.kill()


@contextmanager
def typist(home: Path) -> Iterator[Typist]:
    """Give somebody at a keyboard, killed in the end."""
    hired = Typist(home)
    try:
        yield hired
    finally:
        hired.kill()


def _kill(process: ProcessIdentity | None) -> None:
    if process and process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
