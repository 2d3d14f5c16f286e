"""What time brings on the engine: warnings, misses, the ladder with the officers it names, what is done by default."""

from datetime import datetime, timedelta

from models import commands as c
from models.case import Party, Presence, WhistleState
from models.facts import AckDeemed, Escalated, Forewarned, NobodyOnDuty, NoChannel
from models.holidays import CalendarYear
from models.organisation import Post, UnitKind
from models.parties import freeze_parties
from models.policy import Escalation, Kind, Stage, Urgency
from models.refusals import Reason
from models.whistle import TaskState
from tests.builders import a_burst_main, jinfeng
from tests.small_district import (
    ALL_ASPECTS,
    CALENDAR,
    LEAD,
    PARTIES,
    STREET,
    SUNDAY_0210,
    UNITS,
    a_blow,
    a_case,
    a_source,
    minutes,
    officer,
    party,
)
from tests.workflow.whistles import LATE, Played, Rehearsal

Climb = tuple[str, str, Escalation, timedelta, tuple[str, ...]]


def climbs(played: Played, stage: Stage) -> list[Climb]:
    """Return who was told of what at which level, and how long after the start in nominal time."""
    return [
        (said.owner, said.stage, said.level, fact.at - played.started_at, tuple(told.officer for told in said.told))
        for fact in played.facts()
        if isinstance(said := fact.detail, Escalated) and said.stage is stage
    ]


def replaced(changed: Party) -> tuple[Party, ...]:
    return tuple(changed if one.unit == changed.unit else one for one in PARTIES)


def acting(unit: str, post: Post, token: str) -> c.Actor:
    return c.Actor(officer=token, unit=unit, capacity=post)


async def a_real_burst_main(stage: Rehearsal) -> Played:
    """Scenario 1 of domain 14 in the shipped district: the water company leads, the police of the street supports."""
    profile, units = jinfeng(), ("water", "police-cczl")
    blow = c.Blow(
        case=a_burst_main(),
        policy=profile.policy,
        calendar=profile.calendar.frozen_for(SUNDAY_0210),
        parties=freeze_parties(profile.organisation, "cczl", units, SUNDAY_0210.date()),
    )
    return await stage.blow(a_source(), blow, by=acting("cczl", Post.STREET_DUTY_OFFICER, "o-cczl-duty-1"))


async def test_scenario_1_the_police_stay_away_from_a_burst_main_at_0210_on_a_sunday(stage: Rehearsal) -> None:
    water = acting("water", Post.UTILITY_OPERATOR, "o-water-operator")
    police = acting("police-cczl", Post.DISPATCHED_OFFICE_HEAD, "o-police-cczl-head")
    played = await a_real_burst_main(stage)
    await played.reach(minutes(4))
    await played.say(c.Acknowledge(unit="water"), by=water)
    await played.say(c.Acknowledge(unit="police-cczl"), by=police)
    await played.reach(minutes(27))
    await played.say(c.ReportIn(unit="water", people=6, presence=Presence.ONSITE), by=water)
    await played.reach(minutes(60) + LATE)

    whistle = await played.settled()

    leader_until = whistle.limit("cczl", Stage.CONFIRM_SOUNDING)
    warned = [fact.at - played.started_at for fact in played.facts() if isinstance(fact.detail, Forewarned)]
    assert leader_until
    assert leader_until.due_at == played.started_at + timedelta(hours=24)
    assert whistle.task("water").announced
    assert warned == [minutes(15), minutes(15), minutes(24), minutes(24)]
    assert climbs(played, Stage.REPORT_IN) == [
        (*("police-cczl", "report_in", "E1"), minutes(30), ("o-police-cczl-head", "o-cczl-duty-1", "o-cczl-duty-2")),
        (*("police-cczl", "report_in", "E2"), minutes(45), ("o-hq-director",)),
        (*("police-cczl", "report_in", "E3"), minutes(60), ("o-district-leader",)),
    ]
    assert climbs(played, Stage.ACK) == []
    assert (await played.audit()).agrees


async def test_what_is_not_signed_in_time_counts_as_signed_and_somebody_hears_of_it(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    await played.say(c.Acknowledge(unit=LEAD))
    await played.pass_limit(UNITS[1], Stage.ACK)

    whistle = await played.settled()

    deemed = [fact.detail.unit for fact in played.facts() if isinstance(fact.detail, AckDeemed)]
    assert deemed == list(UNITS[1:])
    assert [task.deemed for task in whistle.tasks] == [False, True, True]
    assert {task.state for task in whistle.tasks} == {TaskState.ACKED}
    assert [(unit, level) for unit, _, level, _, _ in climbs(played, Stage.ACK)] == [(unit, "E1") for unit in UNITS[1:]]


async def test_what_the_street_misses_itself_goes_up_too(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3)))
    nominal = await played.pass_limit(STREET, Stage.APPROVE) - played.started_at
    await played.reach(timedelta(days=5))

    await played.settled()

    told = [(level, who) for _, _, level, _, who in climbs(played, Stage.APPROVE)]
    assert climbs(played, Stage.APPROVE)[0][3] == nominal
    assert told == [
        ("E1", (officer(STREET, Post.STREET_COMMANDER), officer("hq", Post.COMMAND_CENTRE_DUTY_OFFICER))),
        ("E2", (officer("hq", Post.COMMAND_CENTRE_DIRECTOR),)),
        ("E3", (officer("jinfeng", Post.DISTRICT_LEADER),)),
    ]


async def test_an_escalated_unit_answers_and_its_ladder_goes_on(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    await played.pass_limit(LEAD, Stage.REPORT_IN)
    await played.say(c.ReplyToEscalation(unit=LEAD, level=Escalation.E1, text="stuck in traffic"))
    too_high = await played.refusal(c.ReplyToEscalation(unit=LEAD, level=Escalation.E2, text="still stuck"))
    await played.reach(minutes(46))

    whistle = await played.settled()

    answered = whistle.limit(LEAD, Stage.REPLY, "report_in")
    assert answered
    assert answered.met_at
    assert too_high.reason is Reason.NOTHING_TO_REPLY_TO
    assert [level for unit, _, level, _, _ in climbs(played, Stage.REPORT_IN) if unit == LEAD] == ["E1", "E2"]


async def test_a_score_that_never_came_is_given_by_default_and_ends_the_whistle(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow(a_case(units=[LEAD])))
    await played.say(c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE))
    await played.say(c.ConfirmArrival(unit=LEAD))
    await played.say(c.SubmitResult(unit=LEAD, result="the valve is shut"))
    await played.say(c.PassVerification())
    await played.say(c.Evaluate(unit=LEAD, stars=5, aspects=ALL_ASPECTS[:1]))
    due_at = await played.pass_limit(STREET, Stage.EVALUATE)

    ending = await played.handle.result()
    whistle = await played.settled()

    *_, defaulted, closed = played.facts()
    assert ending.state == WhistleState.CLOSED
    assert whistle.task(LEAD).stars == tuple(
        sorted((aspect, 5 if aspect is ALL_ASPECTS[0] else 3) for aspect in ALL_ASPECTS)
    )
    assert defaulted.detail.model_dump()["aspects"] == ALL_ASPECTS[1:]
    assert (closed.type, closed.due_at, closed.detail.model_dump()["evaluation_expired"]) == (
        *("whistle_closed", due_at),
        True,
    )
    assert (await played.audit()).agrees


async def test_a_vacant_post_is_a_fact_and_the_level_above_is_told(stage: Rehearsal) -> None:
    empty = party(LEAD, UnitKind.UTILITY, "hq", Post.DEPT_HANDLER)
    played = await stage.blow(a_source(), a_blow(parties=replaced(empty)))
    await played.pass_limit(LEAD, Stage.ACK)

    await played.settled()

    vacant = NobodyOnDuty(unit=LEAD, posts=(Post.DEPT_HEAD, Post.DISPATCHED_OFFICE_HEAD), passed_to="hq")
    assert vacant in [fact.detail for fact in played.facts()]
    assert officer("hq", Post.COMMAND_CENTRE_DUTY_OFFICER) in climbs(played, Stage.ACK)[0][4]


async def test_an_officer_without_a_channel_is_a_fact_and_the_level_above_is_told(stage: Rehearsal) -> None:
    mute = Party(unit=LEAD, kind=UnitKind.UTILITY, superior="hq", posts=((Post.DEPT_HANDLER, "o-mute", False),))
    played = await stage.blow(a_source(), a_blow(parties=replaced(mute)))

    await played.settled()

    sounded = next(fact.detail for fact in played.facts() if fact.type == "whistle_sounded")
    assert NoChannel(unit=LEAD, officer="o-mute") in [fact.detail for fact in played.facts()]
    assert officer("hq", Post.COMMAND_CENTRE_DUTY_OFFICER) in str(sounded)


async def test_a_notice_that_was_given_up_comes_back_as_a_fact(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    failure = c.ReportNoticeFailure(fact_number=3, receiver="o-mute", channel="webhook", error="status-500")

    await played.door.act(played.id, failure, None, "letter-1")

    await played.settled()
    assert played.facts()[-1].detail.model_dump(exclude={"type"}) == failure.model_dump(exclude={"verb"})


async def test_limits_beyond_the_published_year_are_counted_anew_once_it_is_published(stage: Rehearsal) -> None:
    new_year = datetime.fromisoformat("2027-12-31T10:00+08:00")
    played = await stage.blow(a_source(), a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3)), starts_at=new_year)
    await played.say(c.Approve())
    before = (await played.settled()).limit(LEAD, Stage.REPORT_IN)
    holiday = CalendarYear.model_validate(
        {"year": 2028, "holidays": ["2028-01-03"], "makeup_workdays": [], "source": "gazette"}
    )
    adoption = c.AdoptCalendar(calendar=CALENDAR.with_year(holiday, "test-cal-2"))

    await played.door.act(played.id, adoption, None, "calendar.test-cal-2")

    after = (await played.settled()).limit(LEAD, Stage.REPORT_IN)
    assert before
    assert after
    assert (before.provisional, after.provisional) == (True, False)
    assert after.due_at == before.due_at + timedelta(days=1)
    await played.reach_instant(before.due_at + timedelta(hours=1))
    assert climbs(played, Stage.REPORT_IN) == []
    await played.pass_limit(LEAD, Stage.REPORT_IN)
    await played.settled()
    assert {unit for unit, _, level, _, _ in climbs(played, Stage.REPORT_IN) if level == "E1"} == set(UNITS)
    assert (await played.audit()).agrees
