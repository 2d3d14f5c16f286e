"""The worker's program: how it starts, what it says, how it ends."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from activities.database import Database
from activities.keys import root_keys
from activities.webhook import URL_VARIABLE
from engine.home import Home
from engine.ports import choose_ports
from engine.server import EmbeddedServer
from models.recording import Purpose
from tests.small_district import STREET, a_blow, a_source, actor_for
from tests.workflow.whistles import install_district, new_record
from workflows.client import Door
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, connect

ROOT = Path(__file__).parents[2]
BROKEN_AFTER = 30.0

Start = Callable[..., Awaitable["Running"]]


class Running:
    """A worker process and the lines it logs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, event: str) -> dict[str, Any]:
        """Return the line of this event, when it comes."""
        assert self.process.stderr
        async with asyncio.timeout(BROKEN_AFTER):
            while text := await self.process.stderr.readline():
                self.lines.append(json.loads(text))
                if self.lines[-1]["event"] == event:
                    return self.lines[-1]
        raise AssertionError(self.lines)

    async def exit_code(self) -> int:
        """Return how it ended."""
        async with asyncio.timeout(BROKEN_AFTER):
            _, rest = await self.process.communicate()
        self.lines += [json.loads(line) for line in rest.splitlines()]
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def workers() -> AsyncIterator[Start]:
    """Give a way to start workers that are all gone in the end."""
    started: list[Running] = []

    async def start(home: Home, *options: str, environment: Mapping[str, str] | None = None) -> Running:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(ROOT / "worker.py"), "--home", str(home.path), *options),
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **(environment or {})},
        )
        started.append(Running(process))
        return started[-1]

    yield start
    for one in started:
        if one.process.returncode is None:
            one.process.kill()
            await one.exit_code()


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    async with workers() as start_one:
        yield start_one


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def record(home: Home) -> Database:
    database = new_record(home.record_file)
    install_district(database, Purpose.REAL)
    return database


async def test_a_worker_runs_whistles_records_them_and_ends_in_order(
    start: Start, home: Home, record: Database, server: EmbeddedServer
) -> None:
    metrics = f"127.0.0.1:{choose_ports().metrics}"
    worker = await start(home, "--address", server.address, "--metrics", metrics)
    ready = await worker.until("worker_ready")
    client = await connect(server.address, NAMESPACE, Keyring(root_keys(home.keys, {})))
    door = Door(client, record, lambda: datetime.now(UTC))

    done = await door.open("jinfeng", "by-a-process", [a_source(), a_blow()], actor_for(a_blow()))
    async with httpx.AsyncClient() as browser:
        figures = await browser.get(f"http://{metrics}/metrics")
    worker.process.send_signal(signal.SIGTERM)

    assert await worker.exit_code() == 0
    assert done.is_recorded
    assert ready["pid"] == worker.process.pid
    assert "temporal_worker_task_slots_available" in figures.text
    assert worker.lines[-1]["event"] == "worker_stopping"
    assert STREET in json.dumps([fact.model_dump(mode="json") for fact in done.facts])
    assert not any("kept_out" in line for line in worker.lines)


async def test_a_worker_starts_while_the_record_is_away_and_says_so(
    start: Start, home: Home, server: EmbeddedServer
) -> None:
    worker = await start(home, "--address", server.address)

    interrupted = await worker.until("rounds_interrupted")
    worker.process.send_signal(signal.SIGINT)

    assert await worker.exit_code() == 0
    assert interrupted["reason"] == "RecordAwayError"


async def test_where_no_temporal_answers_it_ends_with_four(start: Start, home: Home) -> None:
    worker = await start(home, "--address", "127.0.0.1:9")

    assert await worker.exit_code() == 4
    assert [line["event"] for line in worker.lines] == ["engine_unreachable"]


async def test_settings_that_cannot_be_used_end_it_with_two_and_are_not_shown(start: Start, home: Home) -> None:
    worker = await start(home, "--address", "127.0.0.1:9", environment={URL_VARIABLE: "gopher://secret"})

    assert await worker.exit_code() == 2
    assert [line["reason"] for line in worker.lines] == ["WebhookSettingsError"]
    assert "secret" not in json.dumps(worker.lines)
