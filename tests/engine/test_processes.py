"""Children that do not outlive their parent."""

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from engine.processes import SUPERVISOR_VARIABLE, ProcessIdentity, end, start_leashed, turn_over
from tests.engine.conftest import ROOT, eventually

# A parent that starts a child, tells its process id and waits to be killed.
LEASHING = """
import asyncio, sys
from pathlib import Path
from engine.processes import start_leashed
async def main():
    child = await start_leashed(("/bin/sleep", "600"), log=Path(sys.argv[1]), environment={})
    print(child.pid, flush=True)
    await child.wait()
asyncio.run(main())
"""
UNLEASHED = f"""
import os, subprocess, sys, time
watching = "from engine.processes import exit_when_orphaned; exit_when_orphaned(); import time; time.sleep(600)"
environment = dict(os.environ, {SUPERVISOR_VARIABLE}=str(os.getpid()))
print(subprocess.Popen([sys.executable, "-c", watching], env=environment).pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize(
    "parent",
    [
        pytest.param(LEASHING, marks=pytest.mark.skipif(sys.platform != "linux", reason="a leash of Linux")),
        pytest.param(UNLEASHED),
    ],
    ids=["leashed", "watching"],
)
async def test_child_ends_when_its_parent_is_killed(parent: str, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", parent, str(tmp_path / "log")), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert process.stdout
    child = ProcessIdentity.of(int(await process.stdout.readline()))
    assert child.is_alive()

    process.kill()
    await process.communicate()

    await eventually(lambda: not child.is_alive())


async def test_child_that_ignores_sigterm_is_killed_when_its_grace_is_over(tmp_path: Path) -> None:
    log = tmp_path / "log"
    deaf = "trap '' TERM; echo deaf; while :; do sleep 1; done"
    child = await start_leashed(("/bin/sh", "-c", deaf), log=log, environment=dict(os.environ))
    await eventually(lambda: "deaf" in log.read_text())

    await end(child, grace=timedelta(milliseconds=50))

    assert child.returncode == -9


async def test_ending_a_child_twice_is_harmless(tmp_path: Path) -> None:
    child = await start_leashed(("/bin/sleep", "600"), log=tmp_path / "log", environment={})

    await end(child, grace=timedelta(seconds=5))
    await end(child, grace=timedelta(seconds=5))

    assert child.returncode == -15


def test_process_is_not_taken_for_another_that_got_its_number() -> None:
    here = ProcessIdentity.of(os.getpid())

    assert here.is_alive()
    assert not here.model_copy(update={"born": "another time"}).is_alive()


def test_process_that_never_was_is_not_alive() -> None:
    assert not ProcessIdentity.of(2**22 + 1).is_alive()


def test_large_log_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with log.open("wb") as file:
        file.truncate(11_000_000)

    turn_over(log)

    assert not log.exists()
    assert (tmp_path / "server.1.log").exists()
