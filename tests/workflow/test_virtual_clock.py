"""Days pass in milliseconds, every limit is met on the way, and none of them late."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from engine.server import REAL_WORK, EmbeddedServer
from tests.workflow.probes import PROBE_QUEUE, LimitsProbe
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, connect, worker_options
from workflows.virtual_clock import VirtualClock, _describe, _is_armed, _skip_once

OWN_QUEUE = "clock-probes"
HOUR = timedelta(hours=1)
# What the engine may be late in its own time: seconds on a shared machine, never a limit's length.
LATE = timedelta(seconds=10)
Handle = WorkflowHandle[LimitsProbe, int]


def a_worker(client: Client) -> Worker:
    return Worker(client, task_queue=OWN_QUEUE, workflows=[LimitsProbe], **worker_options(also_shared=["tests"]))


async def limits(client: Client, name: str, *gaps: timedelta, queue: str = PROBE_QUEUE) -> Handle:
    return await client.start_workflow(LimitsProbe.run, list(gaps), id=f"clock/{name}", task_queue=queue)


async def test_a_limit_passes_when_its_time_has_come_and_not_before(probes: Client) -> None:
    clock = VirtualClock(probes)
    run = clock.track(await limits(probes, "one", HOUR, HOUR))

    await clock.advance(timedelta(minutes=59))
    before = await run.query(LimitsProbe.passed)
    await clock.advance(timedelta(minutes=2))
    after = await run.query(LimitsProbe.passed)

    assert (len(before), len(after)) == (0, 1)


async def test_days_pass_with_every_limit_in_them(probes: Client) -> None:
    clock = VirtualClock(probes)
    run = await limits(probes, "days", *[timedelta(days=1)] * 5, HOUR)
    start = await clock.now(run)

    alive = await clock.advance_to(run, start + timedelta(days=5, minutes=30))

    lateness = await run.query(LimitsProbe.passed)
    assert alive
    assert len(lateness) == 5
    assert max(lateness) < LATE
    assert timedelta(0) <= await clock.now(run) - (start + timedelta(days=5, minutes=30)) < LATE


@pytest.mark.parametrize("apart_ms", [-80, -20, -5, 0, 5, 20, 80, 900])
async def test_a_stop_close_to_a_limit_neither_delays_it_nor_runs_on_to_the_next(probes: Client, apart_ms: int) -> None:
    clock = VirtualClock(probes)
    run = await limits(probes, f"close{apart_ms}", HOUR, HOUR, HOUR, HOUR)
    stop = await clock.now(run) + HOUR + timedelta(milliseconds=apart_ms)

    await clock.advance_to(run, stop)
    stopped = await clock.now(run)
    await clock.advance_to(run, stop + 2 * HOUR + timedelta(minutes=30))

    lateness = await run.query(LimitsProbe.passed)
    assert stopped - stop < LATE
    assert len(lateness) == 3
    assert max(lateness) < LATE


async def test_many_runs_go_forward_together_and_the_closed_ones_drop_out(probes: Client) -> None:
    clock = VirtualClock(probes)
    short = [clock.track(await limits(probes, f"short{number}", HOUR)) for number in range(3)]
    long = clock.track(await limits(probes, "long", HOUR, HOUR, HOUR))

    await clock.advance(2 * HOUR)
    await clock.advance(HOUR)

    assert [await run.result() for run in short] == [1, 1, 1]
    assert await long.result() == 3
    assert not await clock.advance_to(long, datetime.now(UTC) + timedelta(days=9))


async def test_a_clock_is_never_put_back(probes: Client) -> None:
    clock = VirtualClock(probes)
    run = await limits(probes, "back", HOUR)
    await clock.advance_to(run, await clock.now(run) + timedelta(minutes=30))
    before = await clock.now(run)

    assert await clock.advance_to(run, before - timedelta(minutes=10))

    assert timedelta(0) <= await clock.now(run) - before < LATE


async def test_a_run_whose_worker_stopped_goes_on_to_its_next_limit(client: Client) -> None:
    clock = VirtualClock(client)
    async with a_worker(client):
        run = await limits(client, "outage", HOUR, HOUR, queue=OWN_QUEUE)
        await run.query(LimitsProbe.passed)

    await clock.advance_to(run, await clock.now(run) + HOUR)

    async with a_worker(client):
        assert len(await run.query(LimitsProbe.passed)) == 1


async def test_a_skip_that_was_asked_for_in_vain_is_taken_back(client: Client) -> None:
    """Else it would be made whenever the run has time for it, and go on to the next limit."""
    clock = VirtualClock(client)
    run = await limits(client, "in-vain", HOUR, queue="nobody-works-here")
    await _skip_once(client, await _describe(run), HOUR)
    asked = _is_armed(await _describe(run))

    await clock.advance_to(run, await clock.now(run))

    assert asked
    assert not _is_armed(await _describe(run))


async def test_a_server_that_holds_real_work_keeps_real_time(tmp_path: Path, keyring: Keyring) -> None:
    async with EmbeddedServer(tmp_path, REAL_WORK) as real:
        client = await connect(real.address, NAMESPACE, keyring)
        clock = VirtualClock(client)
        async with a_worker(client):
            run = await limits(client, "real", HOUR, queue=OWN_QUEUE)

            with pytest.raises(RPCError) as refused:
                await clock.advance_to(run, await clock.now(run) + HOUR)

    assert refused.value.status is RPCStatusCode.UNIMPLEMENTED
