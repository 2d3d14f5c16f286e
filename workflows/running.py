"""Puts a worker together: what runs whistles, what records them, who carries letters and who sweeps up.

Used by the worker's program, and inside other processes by drills and tests.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities.database import Database
from activities.delivery import Channels, DeliveryActivities, Report, Terms
from activities.ledger import Ledger
from activities.notice_file import NoticeFile
from activities.postbox import Postbox
from activities.record import RecordActivities
from activities.webhook import Webhook, WebhookSettings
from models.commands import ReportNoticeFailure
from models.refusals import RefusedError
from workflows.client import Door, WhistleNotFoundError
from workflows.connection import BUILD_ID, TASK_QUEUE, worker_options
from workflows.letter import NOTICE_QUEUE, LetterWorkflow
from workflows.postman import LOOK_EVERY, Postman
from workflows.rounds import Rounds
from workflows.sweeper import Sweeper, SweepTerms
from workflows.whistle import WhistleWorkflow

# SQLite lets one write at a time; more threads would only wait there.
RECORD_THREADS = 8
# A letter mostly waits for somebody else's machine.
LETTERS_AT_ONCE = 50
# One after the other, and together less than a supervisor gives a worker to end.
LETTER_GRACE = timedelta(seconds=4)
RECORD_GRACE = timedelta(seconds=8)
# Of a run that is asked in the background nobody waits for the answer.
BACKGROUND_PATIENCE = timedelta(seconds=5)


@dataclass(frozen=True)
class WorkerPlan:
    """What differs between workers. ``cached_runs`` is how many whistles are kept in memory between their acts."""

    notices_file: Path
    webhook: WebhookSettings | None = None
    cached_runs: int = 1000
    letters: Terms = field(default_factory=Terms)
    sweeps: SweepTerms = field(default_factory=SweepTerms)


@asynccontextmanager
async def worker_running(
    client: Client, database: Database, plan: WorkerPlan, now: Callable[[], datetime]
) -> AsyncIterator[Rounds]:
    """Run a worker with its postman and its sweeper while the block runs; give the postman, who can be poked.

    On leaving, activities that have begun are finished, within bounds. If one of the parts meets a bug, the block is
    cancelled and the bug raised.
    """
    door = Door(client, database, now, name="worker", patience=BACKGROUND_PATIENCE)
    postbox, file = Postbox(database), NoticeFile(plan.notices_file)
    postman = Postman(client, postbox, file, now, plan.letters)
    sweeper = Sweeper(door, Ledger(database), now, plan.sweeps)
    postal_rounds = Rounds("postman", postman.round, LOOK_EVERY)
    async with AsyncExitStack() as stack:
        webhook = None
        if plan.webhook:
            webhook = Webhook(plan.webhook, now)
            stack.push_async_callback(webhook.close)
        delivery = DeliveryActivities(postbox, Channels(file, webhook), reporter(door), now, plan.letters)
        threads = stack.enter_context(ThreadPoolExecutor(RECORD_THREADS, thread_name_prefix="record"))
        await stack.enter_async_context(_whistle_worker(client, RecordActivities(database), threads, plan))
        await stack.enter_async_context(_letter_worker(client, delivery))
        await stack.enter_async_context(
            _in_background(postal_rounds, Rounds("sweeper", sweeper.round, plan.sweeps.every))
        )
        yield postal_rounds


@asynccontextmanager
async def _in_background(*rounds: Rounds) -> AsyncIterator[None]:
    """Keep rounds going while the block runs; a bug in one of them cancels the block and is raised in its place."""
    block = asyncio.current_task()
    tasks = [asyncio.create_task(each.run()) for each in rounds]

    def stop_block(_ended: "asyncio.Task[None]") -> None:
        if block:
            block.cancel()

    for task in tasks:
        task.add_done_callback(stop_block)
    try:
        yield
    finally:
        for task in tasks:
            task.remove_done_callback(stop_block)
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


def reporter(door: Door) -> Report:
    """Return what tells a whistle of a letter that was given up.

    A whistle that does not want to hear it has ended, or is no run of this Temporal; the letter keeps its error.
    """

    async def report(whistle_id: str, failure: ReportNoticeFailure, key: str) -> None:
        with suppress(RefusedError, WhistleNotFoundError):
            await door.act(whistle_id, failure, None, key)

    return report


def _whistle_worker(client: Client, record: RecordActivities, threads: ThreadPoolExecutor, plan: WorkerPlan) -> Worker:
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[WhistleWorkflow, LetterWorkflow],
        activities=[record.register_whistle, record.record_facts],
        activity_executor=threads,
        max_concurrent_activities=RECORD_THREADS,
        max_cached_workflows=plan.cached_runs,
        graceful_shutdown_timeout=RECORD_GRACE,
        **worker_options(),
    )


def _letter_worker(client: Client, delivery: DeliveryActivities) -> Worker:
    return Worker(
        client,
        task_queue=NOTICE_QUEUE,
        build_id=BUILD_ID,
        activities=[delivery.deliver],
        max_concurrent_activities=LETTERS_AT_ONCE,
        graceful_shutdown_timeout=LETTER_GRACE,
    )
