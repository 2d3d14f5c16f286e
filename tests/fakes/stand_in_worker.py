"""A real worker with one trivial workflow; for the process tree, ``python -m tests.fakes.stand_in_worker HOME``."""

import asyncio
import signal
import sys
from datetime import timedelta
from pathlib import Path

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from engine.addresses import engine_address
from engine.home import Home
from engine.processes import exit_when_orphaned, leave

TASK_QUEUE = "stand-in"


@workflow.defn
class TallyWorkflow:
    """One run is one tally; it ends when told to."""

    def __init__(self) -> None:
        self._total = 0
        self._hours = 0
        self._closed = False

    @workflow.run
    async def run(self) -> int:
        """Count the hours until the tally is closed, and return it."""
        while not self._closed:
            try:
                await workflow.wait_condition(lambda: self._closed, timeout=timedelta(hours=1))
            except TimeoutError:
                self._hours += 1
        return self._total

    @workflow.update
    def add(self, count: int) -> int:
        """Add to the tally."""
        self._total += count
        return self._total

    @workflow.update
    def close(self) -> None:
        """End the run."""
        self._closed = True

    @workflow.query
    def hours(self) -> int:
        """Return how many hours have passed."""
        return self._hours


def stand_in_worker(client: Client) -> Worker:
    """Return a worker that forgets quickly whose cache a workflow was in."""
    return Worker(
        client,
        task_queue=TASK_QUEUE,
        workflows=[TallyWorkflow],
        workflow_runner=UnsandboxedWorkflowRunner(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),
    )


async def work(home: Home) -> None:
    """Work until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    client = await Client.connect(**engine_address(home).connect)
    async with stand_in_worker(client):
        await stop.wait()


if __name__ == "__main__":
    exit_when_orphaned()
    asyncio.run(work(Home(Path(sys.argv[1]))))
    leave(0)
