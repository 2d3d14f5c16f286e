"""One throwaway server and one worker with the probe workflows serve the whole session."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.worker import Worker

from engine.server import THROWAWAY, EmbeddedServer
from tests.workflow.probes import PROBE_ACTIVITIES, PROBE_QUEUE, PROBES
from tests.workflow.whistles import Rehearsal, install_district, new_record, rehearsing
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, connect, worker_options


@pytest.fixture(scope="session")
def server_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="session")
async def server(server_directory: Path) -> AsyncIterator[EmbeddedServer]:
    async with EmbeddedServer(server_directory, THROWAWAY) as running:
        yield running
    # The SDK's threads crash some interpreters that exit right after a client or worker was used.
    await asyncio.sleep(0.2)


@pytest.fixture(scope="session")
def keyring() -> Keyring:
    return Keyring({"test": bytes(32)})


@pytest.fixture(scope="session")
async def client(server: EmbeddedServer, keyring: Keyring) -> Client:
    connected = await connect(server.address, NAMESPACE, keyring)
    # Whistles set no search attribute; a probe does, to see that a comparison finds a changed one.
    await connected.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=NAMESPACE, search_attributes={"District": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD}
        )
    )
    return connected


@pytest.fixture(scope="session")
async def probes(client: Client) -> AsyncIterator[Client]:
    """A client whose probe workflows have a worker at `PROBE_QUEUE`."""
    worker = Worker(
        client,
        task_queue=PROBE_QUEUE,
        workflows=PROBES,
        activities=PROBE_ACTIVITIES,
        **worker_options(also_shared=["tests"]),
    )
    async with worker:
        yield client


@pytest.fixture(scope="session")
def blank_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with the district in it and nothing else, to be copied."""
    file = tmp_path_factory.mktemp("record") / "blank.db"
    database = new_record(file)
    install_district(database)
    database.close()
    return file


@pytest.fixture
async def rehearsal(client: Client, blank_record: Path, tmp_path: Path) -> AsyncIterator[Rehearsal]:
    """A record of its own; no worker runs unless the test runs one."""
    async with rehearsing(client, blank_record, tmp_path) as one:
        yield one


@pytest.fixture
async def stage(rehearsal: Rehearsal) -> AsyncIterator[Rehearsal]:
    """A rehearsal with a worker."""
    async with rehearsal.worker():
        yield rehearsal
