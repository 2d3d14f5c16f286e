"""The process tree of `whistle up`, killed in every place."""

import signal
import sys

import pytest
from temporalio.client import Client

from engine.addresses import ADDRESS_VARIABLE, engine_address
from engine.home import Home
from engine.reasons import EngineError, EngineReason
from engine.server import EmbeddedServer
from engine.supervisor import Change, Died, Part, Restarts, supervise
from engine.worker_process import WorkerProgram
from tests.engine.conftest import StartUp, Up, eventually, is_gone, kill_now
from tests.fakes.stand_in_worker import TASK_QUEUE, TallyWorkflow


async def test_what_was_acknowledged_survives_kill_9_of_the_server(up: Up) -> None:
    address = engine_address(up.home)
    client = await Client.connect(**address.connect)
    tally = await client.start_workflow(TallyWorkflow.run, id="tally-server", task_queue=TASK_QUEUE)
    await tally.execute_update(TallyWorkflow.add, 7)
    killed = up.engine.server

    kill_now(killed)
    died = await up.told("died")
    await up.told("restarted")

    assert died == {"told": "died", "part": "server", "exit_code": -signal.SIGKILL}
    assert up.engine.server != killed
    assert engine_address(up.home) == address
    assert await tally.execute_update(TallyWorkflow.add, 1) == 8


async def test_worker_that_was_killed_is_replaced_and_goes_on(up: Up) -> None:
    client = await Client.connect(**engine_address(up.home).connect)
    tally = await client.start_workflow(TallyWorkflow.run, id="tally-worker", task_queue=TASK_QUEUE)
    await tally.execute_update(TallyWorkflow.add, 7)
    before = up.engine

    kill_now(before.worker)
    died = await up.told("died")
    await up.told("restarted")

    assert died["part"] == "worker"
    assert up.engine.worker != before.worker
    assert up.engine.server == before.server
    assert await tally.execute_update(TallyWorkflow.add, 1) == 8


async def test_second_up_on_the_same_home_is_refused(up: Up, start_up: StartUp) -> None:
    before = up.engine

    second = await start_up(up.home)
    refusal = await second.told("home_locked")

    assert refusal["pid"] == up.process.pid
    assert await second.exit_code() == 4
    assert up.engine == before


async def test_killed_supervisor_leaves_no_orphan_and_its_successor_takes_over_until_ctrl_c(
    home: Home, start_up: StartUp
) -> None:
    first = await start_up(home)
    await first.told("ready")
    left = first.engine

    first.process.kill()
    await first.exit_code()
    await eventually(lambda: is_gone(left.server) and is_gone(left.worker))
    with pytest.raises(EngineError) as nobody:
        engine_address(home)
    assert nobody.value.reason is EngineReason.ENGINE_NOT_RUNNING

    second = await start_up(home)
    ready = await second.told("ready")
    taken_over = second.engine
    assert ready["temporal_address"] == left.temporal_address

    second.process.send_signal(signal.SIGINT)
    await second.told("stopping")
    assert await second.exit_code() == 0
    assert is_gone(taken_over.server)
    assert is_gone(taken_over.worker)
    assert home.read_engine() is None


async def test_where_temporal_is_elsewhere_only_a_worker_is_run(
    home: Home, start_up: StartUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with EmbeddedServer.throwaway() as elsewhere:
        monkeypatch.setenv(ADDRESS_VARIABLE, elsewhere.address)
        up = await start_up(home)
        ready = await up.told("ready")
        up.process.send_signal(signal.SIGTERM)

        assert await up.exit_code() == 0
        assert ready["temporal_address"] == elsewhere.address
        assert ready["server"] is None
        assert not any(home.server_directory.iterdir())


async def test_worker_that_never_comes_up_is_given_up_with_its_exit_code(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "127.0.0.1:1")
    broken = WorkerProgram((sys.executable, "-S", "-c", "raise SystemExit(3)"), TASK_QUEUE)
    told: list[Change] = []
    restarts = Restarts(first=2)

    with pytest.raises(EngineError) as given_up:
        await supervise(home, broken, told.append, database_url="sqlite://", restarts=restarts)

    assert given_up.value.reason is EngineReason.ENGINE_DID_NOT_START
    assert given_up.value.parameters == {"part": "worker", "exit_code": 3, "log": str(home.logs / "worker.log")}
    assert told == [Died(Part.WORKER, 3, restarts.pause(1)), Died(Part.WORKER, 3, restarts.pause(2))]
    assert home.read_engine() is None


def test_pauses_grow_up_to_a_longest_one() -> None:
    restarts = Restarts()

    pauses = [restarts.pause(deaths).total_seconds() for deaths in range(1, 8)]

    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
