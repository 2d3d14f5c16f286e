"""Runs the worker as a child process and tells when it really takes work."""

import asyncio
import contextlib
import os
from dataclasses import dataclass
from datetime import timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from engine.addresses import engine_address
from engine.home import Home
from engine.processes import (
    SUPERVISOR_VARIABLE,
    ProcessIdentity,
    end,
    kill,
    start_leashed,
    turn_over,
    until_done_or_ended,
)
from engine.reasons import EngineError, EngineReason

START_PATIENCE = timedelta(seconds=60)

# A worker that is asked to stop finishes the activities it has begun.
STOP_GRACE = timedelta(seconds=15)

_ASK_AGAIN_SECONDS = 0.05


@dataclass(frozen=True)
class WorkerProgram:
    """The command line of a worker, and the task queue that it polls.

    Its client must keep the SDK's identity, which starts with the process id: that is how its polls are recognised.
    """

    command: tuple[str, ...]
    task_queue: str


class WorkerProcess:
    """One worker process at a time; ``start`` replaces one that has ended."""

    def __init__(self, program: WorkerProgram, home: Home) -> None:
        self._program = program
        self._home = home
        self._log = home.logs / "worker.log"
        self._client: Client | None = None
        self._process: asyncio.subprocess.Process | None = None

    @property
    def identity(self) -> ProcessIdentity:
        """The worker's process as it runs now."""
        return ProcessIdentity.of(self._running.pid)

    async def start(self) -> None:
        """Start a worker and return when Temporal has seen it ask for work.

        A file that the worker writes would come sooner but prove less.

        Raises:
            EngineError: ``ENGINE_DID_NOT_START``.
        """
        turn_over(self._log)
        environment = os.environ | {SUPERVISOR_VARIABLE: str(os.getpid())}
        self._process = await start_leashed(self._program.command, log=self._log, environment=environment)
        work = self._until_polling(f"{self._process.pid}@")
        await until_done_or_ended(self._process, work, patience=START_PATIENCE)
        code = self._process.returncode
        if code is not None:
            raise EngineError(EngineReason.ENGINE_DID_NOT_START, part="worker", exit_code=code, log=str(self._log))

    async def stop(self) -> None:
        """Let the worker, if it runs, finish what it has begun."""
        if self._process:
            await end(self._process, grace=STOP_GRACE)

    def kill(self) -> None:
        """End the worker with SIGKILL."""
        if self._process:
            kill(self._process)

    async def wait(self) -> int:
        """Return the exit code when the worker has ended."""
        return await self._running.wait()

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise EngineError(EngineReason.ENGINE_NOT_RUNNING, home=str(self._home.path))
        return self._process

    async def _until_polling(self, identity: str) -> None:
        while True:
            with contextlib.suppress(RuntimeError, RPCError):  # the server is being restarted
                if await self._is_polling(identity):
                    return
            await asyncio.sleep(_ASK_AGAIN_SECONDS)

    async def _is_polling(self, identity: str) -> bool:
        engine = engine_address(self._home)
        client = self._client = self._client or await Client.connect(**engine.connect)
        request = DescribeTaskQueueRequest(
            namespace=engine.namespace,
            task_queue=TaskQueue(name=self._program.task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        queue = await client.workflow_service.describe_task_queue(request)
        return any(poller.identity.startswith(identity) for poller in queue.pollers)
