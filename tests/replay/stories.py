"""The stories that are recorded: each plays one whistle to its end, through the door."""

from datetime import timedelta

from models import commands as c
from models.case import Evidence, Presence
from models.policy import Escalation, Kind, Stage, Urgency
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
    an_act,
    minutes,
)
from tests.workflow.whistles import Played, Rehearsal
from workflows.whistle import WhistleWorkflow

WORDS = "because it is so"


async def quiet_emergency(rehearsal: Rehearsal) -> Played:
    """A real one, in which everybody comes in time."""
    played = await rehearsal.blow(a_source(), a_blow(), starts_at=None)
    for unit in UNITS:
        await played.say(c.Acknowledge(unit=unit))
    await _arrive(played, *UNITS)
    await played.say(c.ConfirmSounding())
    await played.say(c.ReportProgress(unit=LEAD, text="the valve is found"))
    await _finish(played, *reversed(UNITS))
    return played


async def escalated_emergency(rehearsal: Rehearsal) -> Played:
    """At 02:10 on a Sunday one supporter stays away until the district leader hears of it; the other never signs."""
    played = await rehearsal.blow(a_source(), a_blow())
    await played.reach(minutes(4))
    await played.say(c.Acknowledge(unit=LEAD))
    await played.say(c.Acknowledge(unit=SUPPORT))
    await played.reach(minutes(27))
    await _arrive(played, LEAD, SECOND_SUPPORT)
    await played.pass_limit(SUPPORT, Stage.REPORT_IN)
    await played.say(c.ReplyToEscalation(unit=SUPPORT, level=Escalation.E1, text=WORDS))
    await played.reach(minutes(61))
    await _arrive(played, SUPPORT)
    await _finish(played, *reversed(UNITS))
    return played


async def demand_with_rework_and_waiver(rehearsal: Rehearsal) -> Played:
    """A demand is sent back, approved, waived in part, stood down in part, done twice, and scored by default."""
    demand = a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3))
    played = await rehearsal.blow(a_source(), demand)
    await played.say(c.Reject(reason=WORDS, back_to_draft=True))
    await played.say(demand)
    await played.say(c.Approve(note=WORDS))
    await played.say(c.Acknowledge(unit=LEAD))
    await played.say(c.ContactStreet(unit=LEAD, note=WORDS))
    await _arrive(played, LEAD, SUPPORT)
    await played.say(c.StandDown(unit=SUPPORT, reason=WORDS))
    await played.pass_limit(SECOND_SUPPORT, Stage.ACK)
    await played.say(c.WaiveResult(unit=SECOND_SUPPORT, reason=WORDS, interim_status=WORDS))
    photo = Evidence(sha256="0" * 64, size=1024, name="valve.jpg")
    await played.say(c.SubmitResult(unit=LEAD, result="half of it", evidence=(photo,)))
    await played.say(c.FailVerification(reason=WORDS))
    await played.say(c.SubmitResult(unit=LEAD, result="all of it"))
    await played.say(c.PassVerification())
    await played.pass_limit(STREET, Stage.EVALUATE)
    return played


async def cancelled_emergency(rehearsal: Rehearsal) -> Played:
    """A real one that is withdrawn after an arrival that nobody saw and one that somebody saw."""
    played = await rehearsal.blow(a_source(), a_blow(), starts_at=None)
    await played.say(c.ReportIn(unit=SUPPORT, people=2, presence=Presence.VIDEO))
    await played.say(c.DenyArrival(unit=SUPPORT, reason=WORDS))
    await _arrive(played, LEAD)
    await played.say(c.Cancel(reason=WORDS))
    return played


async def continued_emergency(rehearsal: Rehearsal) -> Played:
    """So much is said that it takes several runs; a limit passes in a later one."""
    played = await rehearsal.blow(a_source(), a_blow(a_case(units=[LEAD])))
    await _arrive(played, LEAD)
    unheard = an_act(c.ConfirmSounding(), "unheard", await played.now())
    await played.handle.execute_update(WhistleWorkflow.act, unheard, id=unheard.key)
    for number in range(8):
        await played.say(c.ReportProgress(unit=LEAD, text=f"metre {number}"))
    await played.reach(timedelta(hours=25))
    await _finish(played, LEAD)
    return played


async def _arrive(played: Played, *units: str) -> None:
    for unit in units:
        await played.say(c.ReportIn(unit=unit, people=2, presence=Presence.ONSITE))
        await played.say(c.ConfirmArrival(unit=unit))


async def _finish(played: Played, *units: str) -> None:
    """Let everybody deliver, and the street verify and score it."""
    for unit in units:
        await played.say(c.SubmitResult(unit=unit, result="the valve is shut"))
    await played.say(c.PassVerification())
    for unit in units:
        await played.say(c.Evaluate(unit=unit, stars=4, aspects=ALL_ASPECTS))
