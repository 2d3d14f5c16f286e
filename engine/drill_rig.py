"""Sets a drill up: an engine, a record and a worker of its own, none of which outlives it or is seen by real work.

No letters are carried (nobody should act upon a drill) and no attempts are swept up (a drill's doors do not die).
"""

import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities.database import FILE_NAME, Database
from activities.directory import install_profile
from activities.keys import KEY_BYTES
from activities.record import RecordActivities
from engine.server import EmbeddedServer
from models.profile import Profile
from models.recording import Purpose
from workflows.client import Door
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, TASK_QUEUE, connect, worker_options
from workflows.virtual_clock import VirtualClock
from workflows.whistle import WhistleWorkflow

# The record lets one write at a time; more threads would only wait there.
_RECORD_THREADS = 4
# All whistles under way at once are kept in memory, and those that are asked about their past.
_CACHED_RUNS = 200
DOOR_NAME = "drill"


@dataclass(frozen=True)
class DrillRig:
    """What whistles of a drill need. ``now`` is our own clock, by which theirs are set off."""

    client: Client
    database: Database
    clock: VirtualClock
    now: Callable[[], datetime]

    def enter(self, profile: Profile) -> None:
        """Let the district take part; once more changes nothing."""
        install_profile(self.database, profile, Purpose.DRILL, self.now())

    def door(self, now: Callable[[], datetime]) -> Door:
        """Return a door whose clock is that of one whistle."""
        return Door(self.client, self.database, now, name=DOOR_NAME)


@asynccontextmanager
async def drill_rig(now: Callable[[], datetime]) -> AsyncIterator[DrillRig]:
    """Give a rig, and leave nothing of it behind."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedServer.throwaway())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="whistle-drill-")))
        database = Database.open(f"sqlite:///{home / FILE_NAME}")
        stack.callback(database.close)
        database.migrate()
        client = await connect(server.address, NAMESPACE, Keyring({"drill": secrets.token_bytes(KEY_BYTES)}))
        threads = stack.enter_context(ThreadPoolExecutor(_RECORD_THREADS, thread_name_prefix="record"))
        await stack.enter_async_context(_worker(client, database, threads))
        yield DrillRig(client, database, VirtualClock(client), now)


def _worker(client: Client, database: Database, threads: ThreadPoolExecutor) -> Worker:
    record = RecordActivities(database)
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[WhistleWorkflow],
        activities=[record.register_whistle, record.record_facts],
        activity_executor=threads,
        max_concurrent_activities=_RECORD_THREADS,
        max_cached_workflows=_CACHED_RUNS,
        **worker_options(),
    )
