"""The embedded server, run for real."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.testing import TimeSkipper

from engine.home import Home
from engine.ports import LOOPBACK
from engine.processes import ProcessIdentity, start_leashed
from engine.reasons import EngineError, EngineReason
from engine.server import RETENTION, THROWAWAY, EmbeddedServer
from engine.stamps import ServerFile, Stamp
from tests.fakes.stand_in_worker import TASK_QUEUE, TallyWorkflow, stand_in_worker


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[EmbeddedServer]:
    async with EmbeddedServer.throwaway() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> ServerFile:
    return ServerFile(tmp_path)


async def test_started_server_keeps_closed_runs_for_a_year(server: EmbeddedServer) -> None:
    client = await Client.connect(server.address, namespace=server.namespace)

    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=server.namespace))

    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == RETENTION


async def test_throwaway_server_lets_thirty_hours_pass_at_once(server: EmbeddedServer) -> None:
    client = await Client.connect(server.address, namespace=server.namespace)
    async with stand_in_worker(client):
        tally = await client.start_workflow(TallyWorkflow.run, id="tally-hours", task_queue=TASK_QUEUE)

        await TimeSkipper(client).fast_forward(tally, timedelta(hours=30, minutes=1))

        assert await tally.query(TallyWorkflow.hours) == 30


async def test_server_in_a_home_shows_its_ui_and_metrics_and_leaves_nothing_running(home: Home) -> None:
    async with EmbeddedServer.in_home(home) as server, httpx.AsyncClient() as browser:
        process = server.identity
        ui = await browser.get(str(server.ui_address))
        metrics = await browser.get(server.metrics_address)

    assert ui.status_code == 200
    assert "service_name" in metrics.text
    assert not process.is_alive()


async def test_killed_server_waits_for_its_own_ports(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path, THROWAWAY) as server:
        address = server.address
        port = int(address.rpartition(":")[2])
        server.kill()
        await server.wait()

        with socket.create_server((LOOPBACK, port)), pytest.raises(EngineError) as refusal:
            await server.start()
        await server.start()

        assert refusal.value.reason is EngineReason.PORT_TAKEN
        assert refusal.value.parameters == {"port": port}
        assert server.address == address


async def test_ports_taken_since_the_last_time_are_avoided(file: ServerFile) -> None:
    async with EmbeddedServer(file.directory, THROWAWAY) as server:
        first = server.address
    with socket.create_server((LOOPBACK, int(first.rpartition(":")[2]))):
        async with EmbeddedServer(file.directory, THROWAWAY) as server:
            second = server.address
    async with EmbeddedServer(file.directory, THROWAWAY) as server:
        third = server.address

    assert second != first
    assert third == second


async def test_server_that_cannot_open_its_file_says_where_to_look(file: ServerFile) -> None:
    stamp = file.admit()
    (file.directory / "stamp.json").write_text(stamp.model_copy(update={"complete": True}).model_dump_json())
    file.path.write_bytes(b"not a database" * 100)

    with pytest.raises(EngineError) as failure:
        await EmbeddedServer(file.directory, THROWAWAY).start()

    assert failure.value.reason is EngineReason.ENGINE_DID_NOT_START
    assert failure.value.parameters == {"part": "server", "exit_code": 1, "log": str(file.directory / "server.log")}


def test_file_of_another_version_is_refused_and_kept(file: ServerFile) -> None:
    version = file.admit().version
    old = Stamp(version="1.0.0", complete=True, ports=None)
    (file.directory / "stamp.json").write_text(old.model_dump_json())
    file.path.touch()

    with pytest.raises(EngineError) as refusal:
        file.admit()

    assert refusal.value.reason is EngineReason.SERVER_FILE_FROM_OTHER_VERSION
    assert refusal.value.parameters == {"path": str(file.path), "found": "1.0.0", "installed": version}
    assert file.path.exists()


def test_file_without_a_stamp_is_refused_and_kept(file: ServerFile) -> None:
    file.path.touch()

    with pytest.raises(EngineError) as refusal:
        file.admit()

    assert refusal.value.reason is EngineReason.SERVER_FILE_FROM_OTHER_VERSION
    assert file.path.exists()


def test_file_of_a_first_start_that_never_answered_is_made_anew(file: ServerFile) -> None:
    file.admit()
    file.path.write_text("half a schema")

    stamp = file.admit()

    assert not stamp.complete
    assert not file.path.exists()


async def test_server_left_behind_is_ended_before_its_file_is_opened_again(file: ServerFile) -> None:
    left = await start_leashed(("/bin/sleep", "600"), log=file.directory / "log", environment={})
    file.occupy(ProcessIdentity.of(left.pid))

    file.evict()

    async with asyncio.timeout(5):
        assert await left.wait() == -9
