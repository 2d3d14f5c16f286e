"""An audit believes neither Temporal's database nor the record: whatever was altered in either is found, and named."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlmodel import SQLModel, select
from temporalio.api.common.v1 import Payload
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

from engine.server import THROWAWAY, EmbeddedServer
from models import commands as c
from models.case import Presence, WhistleState
from models.facts import Fact
from models.tables import FactRow, ObligationRow, TaskRow, WhistleRow
from tests.small_district import LEAD, a_blow, a_case, a_source, an_act
from tests.workflow.whistles import Played, Rehearsal, rehearsing
from workflows.client import WhistleNotFoundError
from workflows.codec import Keyring, SealingCodec
from workflows.connection import NAMESPACE, connect
from workflows.whistle import WhistleWorkflow

TRUE, FALSE = "the valve was shut at 02:31", "the valve was shut at 02:13"
PROGRESS = "progress"


async def a_told_whistle(rehearsal: Rehearsal) -> Played:
    """Return a whistle on which the lead has said when the valve was shut."""
    played = await rehearsal.blow(a_source(), a_blow(a_case(units=[LEAD])))
    await played.say(c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE))
    await played.say(c.ConfirmArrival(unit=LEAD))
    await played.say(c.ReportProgress(unit=LEAD, text=TRUE), key=PROGRESS)
    return played


async def an_ended_whistle(rehearsal: Rehearsal) -> Played:
    """Return a whistle that is over, in Temporal and in the record."""
    played = await a_told_whistle(rehearsal)
    await played.say(c.Cancel(reason="somebody else took it over"))
    await played.handle.result()
    await played.settled()
    return played


def number_of_progress(played: Played) -> int:
    [number] = [fact.number for fact in played.facts() if fact.key == PROGRESS]
    return number


async def test_a_whistle_that_nobody_has_touched_agrees(stage: Rehearsal) -> None:
    played = await an_ended_whistle(stage)

    finding = await played.audit()

    assert finding.agrees
    assert (finding.runs, finding.acts, finding.facts) == (1, 6, len(played.facts()))
    assert (finding.head_hash, finding.record_lag) == (played.facts()[-1].hash, 0)


async def test_what_the_record_of_an_open_whistle_lacks_so_far_is_lag_and_no_difference(stage: Rehearsal) -> None:
    played = await a_told_whistle(stage)
    unheard = an_act(c.ConfirmSounding(), "unheard", await played.now())
    await played.handle.execute_update(WhistleWorkflow.act, unheard, id=unheard.key)

    finding = await played.audit()

    assert (finding.agrees, finding.record_lag) == (True, 1)


async def test_a_whistle_that_never_was_cannot_be_audited(stage: Rehearsal) -> None:
    with pytest.raises(WhistleNotFoundError):
        await stage.whistle().audit()


# The record. Each change is made to the fact in the middle, or to the row of the whistle.


def its_words(row: FactRow) -> None:
    row.detail = {**row.detail, "text": FALSE}


def its_words_with_a_hash_that_fits(row: FactRow) -> None:
    its_words(row)
    kept = {name: getattr(row, name) for name in Fact.model_fields if name != "hash"}
    row.hash = Fact.model_validate(kept).sealed().hash


def its_instant(row: FactRow) -> None:
    row.at = row.at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("alter", "what"),
    [
        (its_words, "content_altered"),
        (its_words_with_a_hash_that_fits, "fact_differs"),
        (its_instant, "content_altered"),
    ],
)
async def test_a_fact_that_was_altered_in_the_record_is_named(
    stage: Rehearsal, alter: Callable[[FactRow], None], what: str
) -> None:
    played = await an_ended_whistle(stage)
    number = number_of_progress(played)
    with stage.database.writing() as session:
        alter(session.get_one(FactRow, (played.id, number)))

    [difference] = (await played.audit()).differences

    assert (difference.what, difference.number) == (what, number)
    assert FALSE not in str(difference)


async def test_a_fact_that_was_taken_out_of_the_record_is_named(stage: Rehearsal) -> None:
    played = await an_ended_whistle(stage)
    number = number_of_progress(played)
    with stage.database.writing() as session:
        session.delete(session.get_one(FactRow, (played.id, number)))

    [difference] = (await played.audit()).differences

    assert (difference.what, difference.number) == ("chain_broken", number)


@pytest.mark.parametrize(
    ("table", "column", "value", "where"),
    [
        (WhistleRow, "state", WhistleState.CLOSED, ("whistle", "state")),
        (WhistleRow, "folded", "{}", ("whistle", "folded")),
        (TaskRow, "missed", 3, (f"task {LEAD}", "missed")),
        (ObligationRow, "missed", True, ("limit 0", "missed")),
    ],
)
async def test_a_row_that_does_not_follow_from_the_facts_is_named(
    stage: Rehearsal, table: type[SQLModel], column: str, value: object, where: tuple[str, str]
) -> None:
    played = await an_ended_whistle(stage)
    with stage.database.writing() as session:
        of_whistle = "id" if table is WhistleRow else "whistle_id"
        row = session.exec(select(table).filter_by(**{of_whistle: played.id})).first()
        setattr(row, column, value)

    [difference] = (await played.audit()).differences

    assert (difference.what, difference.number) == ("state_differs", len(played.facts()))
    assert (difference.expected, difference.found) == where


# Temporal's database file. Each change keeps the length, as somebody with a hex editor would.


def event_with(history: WorkflowHistory, kind: str, key: str = "") -> HistoryEvent:
    return next(
        event
        for event in history.events
        if event.HasField(kind) and key in str(getattr(event, kind))  # type: ignore[arg-type]
    )


def the_act(history: WorkflowHistory) -> tuple[int, Payload]:
    event = event_with(history, "workflow_execution_update_accepted_event_attributes", PROGRESS)
    request = event.workflow_execution_update_accepted_event_attributes.accepted_request
    return event.event_id, request.input.args.payloads[0]


def the_answer(history: WorkflowHistory) -> tuple[int, Payload]:
    event = event_with(history, "workflow_execution_update_completed_event_attributes", PROGRESS)
    return event.event_id, event.workflow_execution_update_completed_event_attributes.outcome.success.payloads[0]


def the_end(history: WorkflowHistory) -> tuple[int, Payload]:
    event = event_with(history, "workflow_execution_completed_event_attributes")
    return event.event_id, event.workflow_execution_completed_event_attributes.result.payloads[0]


def damaged(payload: Payload, _codec: SealingCodec) -> bytes:
    return payload.data[:-1] + bytes([payload.data[-1] ^ 1])


def sealed_anew(payload: Payload, codec: SealingCodec) -> bytes:
    """Return a lie that is sealed as well as the truth: somebody has the keys."""
    plain = codec.open(payload)
    lie = plain.data.replace(TRUE.encode(), FALSE.encode()).replace(b'"head_hash":"', b'"head_hash":"0')
    return codec.seal(Payload(metadata=plain.metadata, data=lie[: len(plain.data) - 2] + plain.data[-2:])).data


@dataclass(frozen=True)
class Alteration:
    """One change of one payload, and what an audit has to say first."""

    of: Callable[[WorkflowHistory], tuple[int, Payload]]
    how: Callable[[Payload, SealingCodec], bytes]
    what: str


ALTERATIONS = {
    "an act, sealed anew": Alteration(the_act, sealed_anew, "fact_differs"),
    "an act, damaged": Alteration(the_act, damaged, "history_unreadable"),
    "an answer, damaged": Alteration(the_answer, damaged, "replay_differs"),
    "the ending, sealed anew": Alteration(the_end, sealed_anew, "ending_differs"),
}


@dataclass(frozen=True)
class Altered:
    """A whistle whose history was altered at this event."""

    played: Played
    event_id: int


@pytest.fixture(scope="module")
async def altered(
    keyring: Keyring, blank_record: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Altered]]:
    """One ended whistle for each alteration, on a server that was stopped, tampered with and started again."""
    directory = tmp_path_factory.mktemp("altered")
    (directory / "server").mkdir()
    async with EmbeddedServer(directory / "server", THROWAWAY) as server:
        client = await connect(server.address, NAMESPACE, keyring)
        async with rehearsing(client, blank_record, directory) as rehearsal:
            async with rehearsal.worker():
                ended = {name: await an_ended_whistle(rehearsal) for name in ALTERATIONS}
            histories = {name: await played.handle.fetch_history() for name, played in ended.items()}
            server.kill()
            await server.wait()
            events = {}
            for name, alteration in ALTERATIONS.items():
                events[name], payload = alteration.of(histories[name])
                codec = SealingCodec(keyring, f"run:{ended[name].id}")
                tamper(directory / "server" / "server.db", payload.data, alteration.how(payload, codec))
            await server.start()
            yield {name: Altered(played, events[name]) for name, played in ended.items()}


def tamper(file: Path, old: bytes, new: bytes) -> None:
    """Put ``new`` in the place of ``old`` in the one history that holds it."""
    assert len(new) == len(old)
    connection = sqlite3.connect(file)
    rows = connection.execute("SELECT rowid, data FROM history_node WHERE instr(data, ?)", (old,)).fetchall()
    [(row, data)] = rows
    connection.execute("UPDATE history_node SET data = ? WHERE rowid = ?", (data.replace(old, new), row))
    connection.commit()
    connection.close()


@pytest.mark.parametrize("name", ALTERATIONS)
async def test_a_payload_that_was_altered_in_temporals_database_is_named(
    altered: dict[str, Altered], name: str
) -> None:
    played, event_id = altered[name].played, altered[name].event_id

    first, *_ = (await played.audit()).differences

    places = {
        "fact_differs": ("number", number_of_progress(played)),
        "history_unreadable": ("number", event_id),
        "replay_differs": ("expected", f"update {PROGRESS}"),
        "ending_differs": ("number", len(played.facts())),
    }
    aspect, place = places[first.what]
    assert first.what == ALTERATIONS[name].what
    assert getattr(first, aspect) == place
