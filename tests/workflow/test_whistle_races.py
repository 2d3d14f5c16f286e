"""An act and its limit reach the run in one activation: whatever their order, the limit counts and nothing twice."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType

from activities.attempts import WantedAttempts, list_attempts
from models import commands as c
from models.case import Presence
from models.facts import AckDeemed, Acknowledged, ArrivalAnnounced, LimitMissed
from models.policy import Stage
from models.recording import AttemptOutcome
from models.refusals import Reason, RefusedError
from tests.small_district import LEAD, a_blow, a_case, a_source, minutes
from tests.workflow.whistles import Played, Rehearsal, eventually
from workflows.client import Done
from workflows.history import fetch_histories, read_story

A_MOMENT = timedelta(milliseconds=900)
# Long enough for a request to reach the server; if it is not, the order is another, and the outcome the same.
ON_ITS_WAY = 0.1
ARRIVAL = c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE)
Saying = Callable[[Played, c.Command, datetime], Awaitable[Done]]


async def said_before_the_limit(played: Played, command: c.Command, due_at: datetime) -> Done:
    await played.reach_instant(due_at - A_MOMENT)
    saying = asyncio.create_task(played.say(command))
    await has_passed(played, due_at)
    async with played.rehearsal.worker():
        return await saying


async def said_after_the_limit(played: Played, command: c.Command, due_at: datetime) -> Done:
    await has_passed(played, due_at)
    saying = asyncio.create_task(played.say(command))
    await asyncio.sleep(ON_ITS_WAY)
    async with played.rehearsal.worker():
        return await saying


async def handed_in_before_the_limit_and_said_after_it(played: Played, command: c.Command, due_at: datetime) -> Done:
    await has_passed(played, due_at)
    saying = asyncio.create_task(played.say(command, at=due_at - A_MOMENT))
    await asyncio.sleep(ON_ITS_WAY)
    async with played.rehearsal.worker():
        return await saying


async def said_when_the_worker_was_back(played: Played, command: c.Command, due_at: datetime) -> Done:
    await has_passed(played, due_at)
    async with played.rehearsal.worker():
        await eventually(lambda: engine_knows(played))
        return await played.say(command)


async def has_passed(played: Played, due_at: datetime) -> None:
    """Let the limit pass, so that history has its timer as fired; no worker looks at it yet."""
    await played.reach_instant(due_at)
    await eventually(lambda: timer_has_fired(played, due_at))


async def timer_has_fired(played: Played, due_at: datetime) -> bool:
    events = (await played.handle.fetch_history()).events
    fired = [event.event_time for event in events if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED]
    return any(moment.ToDatetime(UTC) + played.offset >= due_at for moment in fired)


async def engine_knows(played: Played) -> bool:
    return any(limit.missed for limit in (await played.state()).limits)


async def shared_a_moment(played: Played) -> bool:
    """Say whether the engine looked at the time and took the act in at once."""
    client = played.rehearsal.client
    histories = await fetch_histories(client, played.id)
    story = await read_story(histories, played.id, client.data_converter, client.namespace)
    return any(moment.observes_time and moment.acts for moment in story.moments)


@pytest.mark.parametrize(
    ("say", "is_excused", "at_once"),
    [
        (said_before_the_limit, True, True),
        (handed_in_before_the_limit_and_said_after_it, True, True),
        (said_after_the_limit, False, True),
        (said_when_the_worker_was_back, False, False),
    ],
)
async def test_who_comes_with_the_limit_comes_late_once_and_is_excused_only_if_the_door_had_it_in_time(
    rehearsal: Rehearsal, say: Saying, *, is_excused: bool, at_once: bool
) -> None:
    async with rehearsal.worker():
        played = await rehearsal.blow(a_source(), a_blow(a_case(units=[LEAD])))
        await played.say(c.Acknowledge(unit=LEAD))
        await played.reach(minutes(25))
        due_at = await played.due(LEAD, Stage.REPORT_IN)

    done = await say(played, ARRIVAL, due_at)

    async with rehearsal.worker():
        whistle = await played.settled()
        limit = whistle.limit(LEAD, Stage.REPORT_IN)
        brought = [fact.detail for fact in played.facts()]
        assert limit
        assert (limit.missed, limit.excused, limit.met_at) == (True, is_excused, done.facts[-1].at)
        assert brought.count(LimitMissed(owner=LEAD, stage=Stage.REPORT_IN)) == 1
        assert sum(isinstance(detail, ArrivalAnnounced) for detail in brought) == 1
        assert isinstance(brought[-1], ArrivalAnnounced)
        assert await shared_a_moment(played) is at_once
        assert (await played.audit()).agrees


@pytest.mark.parametrize("say", [said_before_the_limit, said_after_the_limit, said_when_the_worker_was_back])
async def test_who_signs_with_the_limit_finds_it_signed_already(rehearsal: Rehearsal, say: Saying) -> None:
    async with rehearsal.worker():
        played = await rehearsal.blow(a_source(), a_blow(a_case(units=[LEAD])))
        due_at = await played.due(LEAD, Stage.ACK)

    with pytest.raises(RefusedError) as refused:
        await say(played, c.Acknowledge(unit=LEAD), due_at)

    async with rehearsal.worker():
        await played.settled()
        signed = [f.detail for f in played.facts() if isinstance(f.detail, Acknowledged | AckDeemed)]
        with rehearsal.database.reading() as session:
            [attempt] = list_attempts(session, WantedAttempts(whistle_id=played.id, outcome=AttemptOutcome.REFUSED))
        assert refused.value.reason is Reason.ALREADY_DONE
        assert signed == [AckDeemed(unit=LEAD)]
        assert attempt.reason == Reason.ALREADY_DONE
        assert (await played.audit()).agrees
