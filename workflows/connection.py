"""Builds the one kind of client, worker and replay: sealed payloads, sandbox, barrier against faults.

Command line, worker, tests and audit all go through here, so that none of them differs by accident.
"""

from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import TypedDict

from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.worker import Interceptor, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

from workflows.codec import Keyring, data_converter
from workflows.faults import FaultBarrier

TASK_QUEUE = "whistle"
NAMESPACE = "default"
# Said by every completed task in history: which program decided. Without it the SDK hashes every module that is
# loaded, which takes seconds at each start.
BUILD_ID = f"whistle-{version('whistle')}"

# When a worker dies, the next act waits this long for it before another worker gets it. Temporal's own 10 s
# would be felt by whoever acts; the price of a short one is a replay after a hiccup.
STICKY_PATIENCE = timedelta(seconds=1)

# A module that is missing here is imported anew for every run: some cost 480 ms and 16 MiB each.
# Ours may be shared because they keep no state; tests and lint see to that, not the sandbox.
SHARED_MODULES = (
    "activities",
    "alembic",
    "argon2",
    "chinese_calendar",
    "cryptography",
    "httpx",
    "models",
    "psycopg",
    "sqlalchemy",
    "sqlmodel",
    "structlog",
    "tzdata",
    "workflows",
)


class WorkerOptions(TypedDict):
    """What every worker has in common."""

    workflow_runner: WorkflowRunner
    interceptors: Sequence[Interceptor]
    sticky_queue_schedule_to_start_timeout: timedelta
    build_id: str


class ReplayOptions(TypedDict):
    """What a replay needs to be the same as a worker."""

    workflow_runner: WorkflowRunner
    interceptors: Sequence[Interceptor]
    data_converter: DataConverter
    build_id: str


class EngineUnreachableError(Exception):
    """No Temporal answers at the address, or it does not let us in."""


async def connect(
    address: str, namespace: str, keyring: Keyring, *, settings: ClientConnectConfig | None = None
) -> Client:
    """Return a client that has reached the server; ``settings`` add TLS, an API key or call metadata.

    Raises:
        EngineUnreachableError: if nothing answers.
    """
    chosen: ClientConnectConfig = {**(settings or {}), "target_host": address, "namespace": namespace}
    try:
        return await Client.connect(**chosen, data_converter=data_converter(keyring))
    except RuntimeError as error:  # all that the SDK tells us of a failed connection
        raise EngineUnreachableError(f"no Temporal answers at {address}") from error


def configured() -> ClientConnectConfig:
    """Return what Temporal's own configuration file and `TEMPORAL_*` variables say of a server.

    Empty of an address if nothing is configured: then the embedded server is meant.
    """
    return ClientConfig.load_client_connect_config()


def sandbox(*, also_shared: Sequence[str] = ()) -> WorkflowRunner:
    """Return the sandbox that every workflow runs in.

    It warns of a module that is neither shared nor part of Python; the tests turn warnings into errors.
    """
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*SHARED_MODULES, *also_shared)
    return SandboxedWorkflowRunner(
        restrictions.with_import_notification_policy(
            SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
            | SandboxImportNotificationPolicy.WARN_ON_UNINTENTIONAL_PASSTHROUGH
        )
    )


def worker_options(*, also_shared: Sequence[str] = ()) -> WorkerOptions:
    """Return the keyword arguments of every `Worker`."""
    return {
        "workflow_runner": sandbox(also_shared=also_shared),
        "interceptors": [FaultBarrier()],
        "sticky_queue_schedule_to_start_timeout": STICKY_PATIENCE,
        "build_id": BUILD_ID,
    }


def replay_options(keyring: Keyring, *, also_shared: Sequence[str] = ()) -> ReplayOptions:
    """Return the keyword arguments of every `Replayer`."""
    return {
        "workflow_runner": sandbox(also_shared=also_shared),
        "interceptors": [FaultBarrier()],
        "data_converter": data_converter(keyring),
        "build_id": BUILD_ID,
    }
