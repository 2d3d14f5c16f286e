"""One whistle from its source to its end, through the door, read from the record: each transition on the engine."""

from collections.abc import Sequence

from models import commands as c
from models.case import CancelCause, Presence, WhistleState
from models.organisation import Post
from models.policy import Kind, Stage, Urgency
from models.refusals import Reason
from models.whistle import TaskState
from tests.small_district import (
    ALL_ASPECTS,
    LEAD,
    SECOND_SUPPORT,
    STREET,
    SUPPORT,
    UNITS,
    a_blow,
    a_case,
    a_source,
    minutes,
    officer,
)
from tests.workflow.whistles import Played, Rehearsal

WORDS = "because it is so"
COMMANDER = c.Actor(officer=officer(STREET, Post.STREET_COMMANDER), unit=STREET, capacity=Post.STREET_COMMANDER)


def a_demand() -> c.Blow:
    """A demand that waits for a leader."""
    return a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3))


async def arrive(played: Played, *units: str) -> None:
    for unit in units:
        await played.say(c.ReportIn(unit=unit, people=2, presence=Presence.ONSITE))
        await played.say(c.ConfirmArrival(unit=unit))


async def finish(played: Played, *units: str) -> None:
    for unit in units:
        await played.say(c.SubmitResult(unit=unit, result="the valve is shut"))


async def score(played: Played, *units: str) -> None:
    for unit in units:
        await played.say(c.Evaluate(unit=unit, stars=5, aspects=ALL_ASPECTS))


def brought(played: Played, *, since: int = 0) -> Sequence[str]:
    return [fact.type for fact in played.facts()[since:]]


async def test_an_emergency_sounds_at_once_and_ends_with_the_last_score(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    for unit in UNITS:
        await played.say(c.Acknowledge(unit=unit))
    await arrive(played, *UNITS)
    await played.say(c.ConfirmSounding())
    await played.say(c.ReportProgress(unit=LEAD, text="the valve is found"))
    await finish(played, SUPPORT, SECOND_SUPPORT, LEAD)
    await played.say(c.PassVerification())
    await score(played, *UNITS)

    ended = await played.settled()

    assert ended.state is WhistleState.CLOSED
    assert {task.state for task in ended.tasks} == {TaskState.ACCEPTED}
    assert brought(played) == [
        *("source_registered", "whistle_submitted", "whistle_sounded"),  # T1, T2, T3e
        *("acknowledged", "acknowledged", "acknowledged", "stage_entered"),  # T5, then MUSTERING
        *("arrival_announced", "arrival_confirmed") * 3,  # T11
        "stage_entered",  # T12
        *("sounding_confirmed", "progress_reported"),  # T14
        *("result_submitted", "result_submitted", "result_submitted", "stage_entered"),  # T18, T19
        *("verification_passed", "stage_entered"),  # T21
        *("unit_evaluated", "unit_evaluated", "unit_evaluated", "whistle_closed"),  # T25
    ]
    assert (await played.audit()).agrees


async def test_a_demand_waits_for_approval_and_goes_through_rework_waiver_and_standing_down(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_demand())
    await played.say(c.Reject(reason=WORDS, back_to_draft=True))  # T4
    returned = await played.settled()
    await played.say(a_demand())  # T2
    submitted = await played.settled()
    await played.say(c.Approve(note=WORDS))  # T3
    for unit in UNITS:
        await played.say(c.Acknowledge(unit=unit))
    await played.say(c.ContactStreet(unit=LEAD, note=WORDS))  # T10
    contacted = await played.settled()
    await arrive(played, LEAD, SUPPORT)
    too_early = await played.refusal(c.SubmitResult(unit=LEAD, result="done"))
    await played.say(c.StandDown(unit=SUPPORT, reason=WORDS))  # T22
    await played.say(c.WaiveResult(unit=SECOND_SUPPORT, reason=WORDS, interim_status="half of it"))
    await finish(played, LEAD)  # T18, T19
    await played.say(c.FailVerification(reason=WORDS))  # T20
    failed = await played.settled()
    await finish(played, LEAD)
    await played.say(c.PassVerification())  # T21
    await score(played, *UNITS)
    ended = await played.settled()

    assert (returned.state, returned.tasks) == (WhistleState.DRAFT, ())
    assert submitted.state is WhistleState.PENDING_APPROVAL
    assert contacted.task(LEAD).state is TaskState.CONTACTED
    assert too_early.reason is Reason.SUPPORTERS_OUTSTANDING
    assert (failed.state, failed.reworks, failed.task(LEAD).state) == (WhistleState.HANDLING, 1, TaskState.RETURNED)
    assert ended.state is WhistleState.CLOSED
    assert [task.state for task in ended.tasks] == [TaskState.ACCEPTED, TaskState.STOOD_DOWN, TaskState.WAIVED]
    assert (await played.audit()).agrees


async def test_the_lead_may_begin_without_the_others_and_the_record_keeps_who_was_absent(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    await arrive(played, LEAD, SUPPORT)

    await played.say(c.ReportProgress(unit=LEAD, text="we begin"))

    begun = await played.settled()
    [handling] = [fact.detail for fact in played.facts() if fact.type == "stage_entered"]
    assert begun.state is WhistleState.HANDLING
    assert handling.model_dump()["absentees"] == (SECOND_SUPPORT,)


async def test_an_arrival_that_nobody_sees_does_not_count(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    await played.say(c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE))
    await played.say(c.DenyArrival(unit=LEAD, reason=WORDS))
    await played.pass_limit(LEAD, Stage.REPORT_IN)

    denied = await played.settled()

    limit = denied.limit(LEAD, Stage.REPORT_IN)
    assert limit
    assert (limit.missed, limit.met_at) == (True, None)


async def test_a_demand_that_is_rejected_for_good_is_over(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_demand())

    await played.say(c.Reject(reason=WORDS))

    ended = await played.settled()
    assert (ended.state, ended.closed_at) == (WhistleState.CANCELLED, played.facts()[-1].at)
    assert (await played.handle.result()).number == ended.number


async def test_a_whistle_withdrawn_after_somebody_came_tells_the_district(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    await arrive(played, LEAD)
    await played.say(c.Cancel(reason=WORDS, cause=CancelCause.REFERRED_OUT), by=COMMANDER)

    ended = await played.settled()
    refused = await played.refusal(c.Acknowledge(unit=SUPPORT))

    said = played.facts()[-1].detail.model_dump()
    assert ended.state is WhistleState.CANCELLED
    assert (said["cause"], said["district_notified"]) == (CancelCause.REFERRED_OUT, True)
    assert officer("hq", Post.COMMAND_CENTRE_DUTY_OFFICER) in {told["officer"] for told in said["told"]}
    assert refused.reason is Reason.NOT_IN_STATE


async def test_a_source_alone_waits_for_ever_and_can_be_blown_later(stage: Rehearsal) -> None:
    played = await stage.blow(a_source())
    await played.reach(minutes(60 * 24 * 3))
    await played.say(a_demand())

    blown = await played.settled()

    assert blown.state is WhistleState.PENDING_APPROVAL
    assert brought(played) == ["source_registered", "whistle_submitted"]
    assert (await played.audit()).agrees


async def test_a_refusal_leaves_the_whistle_as_it_was_and_no_trace_in_its_history(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    before = await played.settled()
    length = len((await played.handle.fetch_history()).events)

    refused = await played.refusal(c.Evaluate(unit=LEAD, stars=5, aspects=ALL_ASPECTS))

    assert refused.reason is Reason.NOT_IN_STATE
    assert await played.settled() == before
    assert len((await played.handle.fetch_history()).events) == length
