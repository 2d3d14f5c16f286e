"""What is too large, cannot be read or meets a bug: it is refused or fails by itself, and the whistle goes on."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.attempts import WantedAttempts, list_attempts
from engine.server import THROWAWAY, EmbeddedServer, Purpose
from models import commands as c
from models import decide
from models.case import Presence
from models.refusals import Reason, RefusedError
from models.scribe import Scribe
from tests.small_district import LEAD, PARTIES, a_blow, a_source
from tests.workflow.whistles import Played, Rehearsal, rehearsing
from workflows.answers import LARGEST_ACT
from workflows.codec import Keyring, SealingCodec
from workflows.connection import NAMESPACE, TASK_QUEUE, connect
from workflows.faults import FAULT

ARRIVAL = c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE)
WORDS = "Ziyang Road 17"
MEBIBYTE = 1024 * 1024
# Above 2 MiB a worker cannot even say no to an update, and its run answers nobody until the server has forgotten it.
CAREFUL = Purpose(
    (*THROWAWAY.flags, "--dynamic-config-value", "history.maxInFlightUpdatePayloads=1000000"),
    THROWAWAY.has_ui,
    THROWAWAY.grace,
)


def a_blow_of(size: int) -> c.Blow:
    """Return a blow with so many parties that it is about as large as ``size``."""
    each = len(PARTIES[2].model_dump_json())
    others = tuple(PARTIES[2].model_copy(update={"unit": f"street-{number}"}) for number in range(size // each))
    return a_blow(parties=(*PARTIES, *others))


async def test_what_is_larger_than_anybody_says_is_refused_before_temporal_sees_it(stage: Rehearsal) -> None:
    unblown = stage.whistle()
    with pytest.raises(RefusedError) as too_large:
        await unblown.open(a_source(), a_blow_of(LARGEST_ACT))
    with pytest.raises(RPCError) as missing:
        await unblown.handle.describe()

    played = await stage.blow(a_source())
    refused = await played.refusal(a_blow_of(LARGEST_ACT))

    with stage.database.reading() as session:
        kept = {attempt.reason for attempt in list_attempts(session, WantedAttempts())}
    assert (too_large.value.reason, refused.reason) == (Reason.TOO_LARGE, Reason.TOO_LARGE)
    assert missing.value.status is RPCStatusCode.NOT_FOUND
    assert kept == {Reason.TOO_LARGE, None}


async def test_what_is_almost_as_large_is_taken_and_recorded(stage: Rehearsal) -> None:
    played = await stage.blow(a_source())

    await played.say(a_blow_of(LARGEST_ACT * 4 // 5))

    assert len((await played.settled()).parties) > 150
    assert (await played.audit()).agrees


def unsealed(_played: Played, _keyring: Keyring) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=b'{"key": "k"}')


def garbage(played: Played, keyring: Keyring) -> Payload:
    sealed = of_another_shape(played, keyring)
    return Payload(metadata=sealed.metadata, data=sealed.data[:-8] + bytes(8))


def of_another_run(_played: Played, keyring: Keyring) -> Payload:
    return SealingCodec(keyring, "run:whistle/jinfeng/another").seal(unsealed(_played, keyring))


def of_another_shape(played: Played, keyring: Keyring) -> Payload:
    return SealingCodec(keyring, f"run:{played.id}").seal(unsealed(played, keyring))


def nearly_too_large(_played: Played, _keyring: Keyring) -> Payload:
    return Payload(metadata={"encoding": b"json/plain"}, data=b'"' + b"x" * (MEBIBYTE * 3 // 4) + b'"')


Forgery = Callable[[Played, Keyring], Payload]
FORGERIES: list[Forgery] = [unsealed, garbage, of_another_run, of_another_shape, nearly_too_large]


@pytest.fixture
async def stranger(server: EmbeddedServer) -> Client:
    """Somebody who reaches Temporal past the door, and has not even a keyring."""
    return await Client.connect(server.address, identity="stranger")


@pytest.mark.parametrize("forged", FORGERIES)
async def test_an_act_that_cannot_be_read_fails_alone(
    stage: Rehearsal, stranger: Client, keyring: Keyring, forged: Forgery
) -> None:
    played = await stage.blow(a_source(), a_blow())

    with pytest.raises(WorkflowUpdateFailedError):
        await stranger.get_workflow_handle(played.id).execute_update("act", RawValue(forged(played, keyring)))
    await played.say(ARRIVAL)

    assert (await played.settled()).task(LEAD).announced
    assert (await played.audit()).agrees


async def test_an_opening_that_cannot_be_read_stops_nobody_else(
    stage: Rehearsal, stranger: Client, keyring: Keyring
) -> None:
    forged = stage.whistle()
    await stranger.start_workflow(
        "WhistleWorkflow", RawValue(garbage(forged, keyring)), id=forged.id, task_queue=TASK_QUEUE
    )

    played = await stage.blow(a_source(), a_blow())
    await played.say(ARRIVAL)

    assert (await played.settled()).task(LEAD).announced
    assert forged.recorded() is None


async def test_what_temporal_itself_chokes_on_is_kept_from_the_run(
    keyring: Keyring, blank_record: Path, tmp_path: Path
) -> None:
    (tmp_path / "server").mkdir()
    async with EmbeddedServer(tmp_path / "server", CAREFUL) as careful:
        client = await connect(careful.address, NAMESPACE, keyring)
        stranger = await Client.connect(careful.address, identity="stranger")
        async with rehearsing(client, blank_record, tmp_path) as rehearsal, rehearsal.worker():
            played = await rehearsal.blow(a_source(), a_blow())
            huge = stranger.get_workflow_handle(played.id).execute_update("act", "x" * (MEBIBYTE * 5 // 2))
            pushing = asyncio.create_task(huge)
            await asyncio.wait([pushing], timeout=0.5)

            await played.say(ARRIVAL)

            assert (await played.settled()).task(LEAD).announced
            pushing.cancel()
            await asyncio.wait([pushing])


async def test_a_bug_in_a_rule_fails_the_act_that_met_it_and_no_other(
    stage: Rehearsal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def stumble(_scribe: Scribe, act: c.Act) -> None:
        raise ZeroDivisionError(act.model_dump_json())

    played = await stage.blow(a_source(), a_blow())
    monkeypatch.setitem(decide.RULES, c.ContactStreet, stumble)
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await played.say(c.ContactStreet(unit=LEAD, note=WORDS), key="k")
    await played.say(ARRIVAL)
    monkeypatch.undo()
    await played.say(c.ContactStreet(unit=LEAD, note=WORDS), key="k")

    assert isinstance(failed.value.cause, ApplicationError)
    assert (failed.value.cause.type, failed.value.cause.message) == (FAULT, "ZeroDivisionError")
    assert [fact.type for fact in played.facts()[-1:]] == ["street_contacted"]
    assert "ZeroDivisionError at " in caplog.text
    assert WORDS not in caplog.text
    assert (await played.audit()).agrees
