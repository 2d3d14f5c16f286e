"""Starts child processes that do not outlive their parent, recognises them later, and ends them."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

from pydantic import BaseModel, ConfigDict

from engine.reasons import EngineError, EngineReason

SUPERVISOR_VARIABLE = "WHISTLE_SUPERVISOR"
ORPHANED = 125

_LEASH = Path(__file__).with_name("leash.py")
_ORPHAN_CHECK_SECONDS = 1.0
_LEFTOVER_CHECK_SECONDS = 0.02
_LEFTOVER_PATIENCE_SECONDS = 10.0
_LARGE_LOG_BYTES = 10_000_000


class ProcessIdentity(BaseModel):
    """One process for good: process ids are used again, but not with the same start time."""

    model_config = ConfigDict(frozen=True)

    pid: int
    born: str

    @classmethod
    def of(cls, pid: int) -> "ProcessIdentity":
        """Return the identity of a process that runs now; one that is gone has no birth and is never alive."""
        return cls(pid=pid, born=_born(pid) or "")

    def is_alive(self) -> bool:
        """Tell whether this very process still runs. One that ended and was not waited for does not."""
        return self.born != "" and _born(self.pid) == self.born


async def start_leashed(
    program: Sequence[str], *, log: Path, environment: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start ``program``, which appends what it prints to ``log``.

    It leads a session of its own, so that Ctrl-C in a terminal reaches the parent alone, who then stops its children
    in order.
    """
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(_LEASH), str(os.getpid())),
            *program,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )


async def until_done_or_ended(
    process: asyncio.subprocess.Process, work: Coroutine[None, None, None], *, patience: timedelta
) -> None:
    """Wait for ``work``, but no longer than ``process`` lives; one that outlasts ``patience`` is killed."""
    tasks = {asyncio.create_task(work), asyncio.create_task(process.wait())}
    try:
        done, _ = await asyncio.wait(tasks, timeout=patience.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if not done:
        await end(process, grace=timedelta(0))
    for task in done:
        task.result()


async def end(process: asyncio.subprocess.Process, *, grace: timedelta) -> None:
    """End a child: with SIGTERM, and with SIGKILL when ``grace`` is over. One that has ended already is left alone."""
    with contextlib.suppress(ProcessLookupError):
        if grace:
            process.terminate()
        else:
            process.kill()
    try:
        async with asyncio.timeout(grace.total_seconds() or None):
            await process.wait()
    except TimeoutError:
        kill(process)
        await process.wait()


def kill(process: asyncio.subprocess.Process) -> None:
    """End a child at once, if it still runs."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def turn_over(log: Path) -> None:
    """Start a new log when the old one has grown large; the one before it is dropped."""
    if log.exists() and log.stat().st_size > _LARGE_LOG_BYTES:
        log.replace(log.with_suffix(".1.log"))


def leave(code: int) -> NoReturn:
    """End this process at once with ``code``, with what it has printed.

    The orderly end of an interpreter that has used the Temporal SDK crashes now and then, after everything was done
    right: https://github.com/temporalio/sdk-python/issues/300.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def kill_leftover(identity: ProcessIdentity) -> None:
    """End a process of a supervisor that was killed, and return when it is gone. It may be gone already.

    Raises:
        EngineError: ``HOME_LOCKED`` if it cannot be ended: two servers must never write one database file.
    """
    patience = time.monotonic() + _LEFTOVER_PATIENCE_SECONDS
    while identity.is_alive():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(identity.pid, signal.SIGKILL)
        if time.monotonic() > patience:
            raise EngineError(EngineReason.HOME_LOCKED, pid=identity.pid, started_at="?")
        time.sleep(_LEFTOVER_CHECK_SECONDS)


def exit_when_orphaned() -> None:
    """End this process within about a second of its supervisor's end; does nothing without a supervisor.

    On Linux the kernel is faster. There is no clean-up: whatever matters is durable, and a new supervisor may already
    have started this process's successor.
    """
    supervisor = os.environ.get(SUPERVISOR_VARIABLE)
    if supervisor is not None:
        threading.Thread(target=_watch_parent, args=(int(supervisor),), name="orphan-watch", daemon=True).start()


def _watch_parent(supervisor: int) -> None:
    while os.getppid() == supervisor:
        time.sleep(_ORPHAN_CHECK_SECONDS)
    os._exit(ORPHANED)


def _born(pid: int) -> str | None:
    if sys.platform == "linux":
        return _born_by_proc(pid)
    return _born_by_ps(pid)


def _born_by_proc(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name, in parentheses, may hold anything; state and start time are fields 3 and 22 of proc(5).
    fields = stat.rpartition(")")[2].split()
    state, ticks = fields[0], fields[19]
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return None if state in {"Z", "X"} else f"{boot}:{ticks}"


def _born_by_ps(pid: int) -> str | None:
    answer = subprocess.run(  # noqa: S603 (fixed program, a number as argument)
        ["/bin/ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C", "TZ": "UTC"},
    )
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not started or state.startswith("Z") else started.strip()
