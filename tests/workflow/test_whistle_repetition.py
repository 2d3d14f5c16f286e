"""The same key with the same content is the same act, however often and whenever it comes; other content is refused."""

import asyncio

import pytest

from activities.attempts import WantedAttempts, list_attempts
from models import commands as c
from models.case import CancelCause, Presence, WhistleState
from models.recording import AttemptOutcome
from models.refusals import Reason, RefusedError
from tests.small_district import LEAD, SUPPORT, a_blow, a_case, a_source
from tests.workflow.whistles import Rehearsal

SIGNED = c.Acknowledge(unit=LEAD)


async def test_the_same_act_again_gives_the_first_answer(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    first = await played.say(SIGNED, key="k")

    again = await played.say(SIGNED, key="k")

    assert again == first
    assert (await played.settled()).number == first.facts[-1].number


async def test_the_same_act_from_many_doors_at_once_happens_once(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())

    answers = await asyncio.gather(*(played.say(SIGNED, key="k") for _ in range(8)))

    await played.settled()
    with stage.database.reading() as session:
        attempts = list_attempts(session, WantedAttempts(whistle_id=played.id))
    assert [answer.facts for answer in answers] == [answers[0].facts] * 8
    assert sum(fact.type == "acknowledged" for fact in played.facts()) == 1
    assert {attempt.outcome for attempt in attempts} == {AttemptOutcome.DONE}


async def test_another_act_under_a_used_key_is_refused(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    await played.say(SIGNED, key="k")
    before = await played.settled()

    refused = await played.refusal(c.Acknowledge(unit=SUPPORT), key="k")

    assert (refused.reason, refused.parameters) == (Reason.KEY_REUSED, {"key": "k"})
    assert await played.settled() == before


async def test_an_act_that_was_refused_may_come_again_under_its_key(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    arrival = c.ConfirmArrival(unit=LEAD)
    too_early = await played.refusal(arrival, key="k")
    await played.say(c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE))

    done = await played.say(arrival, key="k")

    assert too_early.reason is Reason.NO_ARRIVAL_ANNOUNCED
    assert done.facts[0].type == "arrival_confirmed"


async def test_an_act_is_still_known_when_the_whistle_has_ended(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    first = await played.say(SIGNED, key="k")
    await played.say(c.Cancel(reason="a false alarm", cause=CancelCause.WITHDRAWN))
    await played.handle.result()

    again = await played.say(SIGNED, key="k")
    other = await played.refusal(c.Acknowledge(unit=SUPPORT), key="k")
    late = await played.refusal(c.Acknowledge(unit=SUPPORT))

    assert again == first
    assert (other.reason, late.reason) == (Reason.KEY_REUSED, Reason.NOT_IN_STATE)


async def test_the_same_blow_finds_its_whistle_again(stage: Rehearsal) -> None:
    played = stage.whistle()

    at_once = await asyncio.gather(*(played.open(a_source(), a_blow()) for _ in range(4)))
    await played.say(SIGNED)
    later = await played.open(a_source(), a_blow())
    await played.say(c.Cancel(reason="a false alarm", cause=CancelCause.WITHDRAWN))
    await played.handle.result()
    when_it_has_ended = await played.open(a_source(), a_blow())

    assert [done.facts for done in (*at_once, later, when_it_has_ended)] == [at_once[0].facts] * 6
    assert (await played.settled()).state is WhistleState.CANCELLED


async def test_another_blow_under_a_used_key_is_refused(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    before = await played.settled()

    with pytest.raises(RefusedError) as other_case:
        await played.open(a_source(), a_blow(a_case(units=[SUPPORT])))
    with pytest.raises(RefusedError) as only_a_source:
        await played.open(a_source())

    assert (other_case.value.reason, only_a_source.value.reason) == (Reason.KEY_REUSED, Reason.KEY_REUSED)
    assert await played.settled() == before
