"""Homes, and `whistle up` in small: a real supervisor, server and worker as processes of their own."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.home import Home, RunningEngine
from engine.processes import ProcessIdentity

ROOT = Path(__file__).parents[2]

# Generous, for shared machines; nothing waits as long as this unless it is broken.
PATIENCE_SECONDS = 60.0


class Up:
    """A running supervisor, and what it has told its caller so far."""

    def __init__(self, home: Home, process: asyncio.subprocess.Process) -> None:
        self.home = home
        self.process = process

    @property
    def engine(self) -> RunningEngine:
        """What its home says of it now."""
        engine = self.home.read_engine()
        assert engine
        return engine

    async def told(self, what: str) -> dict[str, Any]:
        """Return the next line of this kind."""
        assert self.process.stdout
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := await self.process.stdout.readline():
                said: dict[str, Any] = json.loads(line)
                if said["told"] == what:
                    return said
        raise AssertionError(what)

    async def exit_code(self) -> int:
        """Return its exit code when it has ended."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


StartUp = Callable[[Home], Awaitable[Up]]


async def eventually(condition: Callable[[], bool]) -> None:
    """Return once ``condition`` holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 (processes send no events)
            await asyncio.sleep(0.02)


def is_gone(process: ProcessIdentity | None) -> bool:
    return process is not None and not process.is_alive()


@contextlib.asynccontextmanager
async def ups() -> AsyncIterator[StartUp]:
    """Give a way to start supervisors that are all gone in the end."""
    started: list[Up] = []

    async def start(home: Home) -> Up:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.fakes.stand_in_up", str(home.path)),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        started.append(Up(home, process))
        return started[-1]

    yield start
    for one in started:
        if one.process.returncode is None:
            one.process.kill()
        await one.exit_code()


@pytest.fixture
async def start_up() -> AsyncIterator[StartUp]:
    async with ups() as start:
        yield start


@pytest.fixture(scope="module")
async def up(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Up]:
    """One supervised engine for a whole module; tests leave it as well as they found it."""
    async with ups() as start:
        one = await start(Home(tmp_path_factory.mktemp("up") / "home"))
        await one.told("ready")
        yield one


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def ordinary_user(open_directory: Path) -> Iterator[None]:
    """Be somebody for whom permissions matter, also where tests run as root; the directory is not theirs then."""
    open_directory.chmod(0o555)
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that other users can reach, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="whistle-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def kill_now(process: ProcessIdentity | None) -> None:
    """Kill -9."""
    assert process
    os.kill(process.pid, signal.SIGKILL)
