"""An explanation counts every limit again, and foretells what time then really brings."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from models.case import Case, Presence
from models.commands import (
    Acknowledge,
    Act,
    AdoptCalendar,
    Approve,
    ConfirmArrival,
    FailVerification,
    ReportIn,
    SubmitResult,
)
from models.explanations import Cause, LimitExplanation, explain
from models.facts import Escalated, Fact
from models.holidays import CalendarYear
from models.limits import Limit
from models.policy import Escalation, Stage
from models.profile import Profile
from tests.builders import (
    DUTY,
    SUNDAY_0210,
    VERIFIER,
    WATER,
    Story,
    a_burst_main,
    a_closed_emergency,
    a_noise_complaint,
    a_sounded_emergency,
    an_approved_demand,
    jinfeng,
    minutes,
)


def explained(story: Story) -> tuple[LimitExplanation, ...]:
    return explain(story.whistle.district, story.key, story.facts)


def explanation(story: Story, owner: str, stage: Stage) -> LimitExplanation:
    return next(x for x in reversed(explained(story)) if (x.owner, x.stage) == (owner, stage))


def reworked() -> Story:
    """Return an emergency whose lead alone was summoned, and whose work was sent back after an hour of verification."""
    story = Story("again").source().blow(Case(**{**dict(a_burst_main()), "summons": a_burst_main().summons[:1]}))
    story.act(Acknowledge(unit="water"), by=WATER, after=minutes(1))
    story.act(ReportIn(unit="water", people=4, presence=Presence.ONSITE), by=WATER, after=minutes(9))
    story.act(ConfirmArrival(unit="water"), by=DUTY, after=minutes(5))
    story.act(SubmitResult(unit="water", result="Shut."), by=WATER, after=minutes(45))
    return story.act(FailVerification(reason="Still wet."), by=VERIFIER, after=minutes(60))


def _later(limit: Limit) -> Limit:
    return replace(limit, due_at=limit.due_at + minutes(1))


def without_year(year: int) -> Profile:
    calendar = jinfeng().calendar
    return jinfeng().model_copy(update={"calendar": calendar.slice(calendar.published_years - {year})})


STORIES = [
    a_sounded_emergency("sounded"),
    a_closed_emergency("closed"),
    an_approved_demand("demand"),
    a_sounded_emergency("escalated").wait(minutes(90)),
    reworked(),
]


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.key)
def test_every_limit_counted_again_gives_the_same_instant(story: Story) -> None:
    limits = explained(story)

    assert len(limits) == len(story.whistle.limits) > 0
    assert [x.due_at for x in limits] == [x.due_at for x in story.whistle.limits]
    assert all(x.agrees and x.recomputed_due_at == x.due_at for x in limits)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.key)
def test_segments_add_up_to_what_was_counted(story: Story) -> None:
    for x in explained(story):
        assert sum((each.end - each.start for each in x.segments), timedelta()) == x.counted
        assert x.segments[-1].end == x.due_at


def test_working_time_is_explained_period_by_period() -> None:
    # Sunday night: four working hours are the whole of Monday morning.
    approve = explanation(Story("demand").source().blow(a_noise_complaint()), "cczl", Stage.APPROVE)

    assert (approve.span, approve.row) == ("4h W", "normal.K3.U3.approve")
    assert [(x.start.isoformat(), x.end.isoformat()) for x in approve.segments] == [
        ("2026-03-02T00:00:00+00:00", "2026-03-02T04:00:00+00:00"),
    ]


def test_a_limit_after_rework_is_explained_by_the_time_that_was_left() -> None:
    resolve = explanation(reworked(), "water", Stage.RESOLVE)

    assert resolve.cause is Cause.RESUMED
    assert resolve.counted_from == SUNDAY_0210 + minutes(120)
    assert resolve.counted == timedelta(hours=23)
    assert resolve.due_at == SUNDAY_0210 + timedelta(hours=25)


def test_a_promised_instant_is_shown_and_not_computed() -> None:
    promised_at = SUNDAY_0210 + timedelta(hours=30)
    case = Case(**{**dict(a_burst_main()), "promised_at": promised_at})

    resolve = explanation(Story("promise").source().blow(case), "water", Stage.RESOLVE)

    assert (resolve.cause, resolve.due_at, resolve.row) == (Cause.PROMISED, promised_at, "promise")
    assert (resolve.recomputed_due_at, resolve.agrees) == (None, None)


def test_a_published_year_is_named_as_the_cause_of_the_new_instant() -> None:
    last_day = datetime.fromisoformat("2026-12-31T03:00:00+00:00")
    story = Story("new-year", profile=without_year(2027)).source(at=last_day).blow(a_noise_complaint())
    story.act(Approve(), by="o-cczl-leader", after=minutes(1))
    before = explanation(story, "urban-cczl", Stage.REPORT_IN)
    holiday = CalendarYear(year=2027, holidays=(date(2027, 1, 1),), source="test")
    calendar = story.whistle.frozen_law.calendar.with_year(holiday, "cn-2027.1")

    story.say(
        Act(key="calendar", command=AdoptCalendar(calendar=calendar), actor=None, received_at=story.now),
        after=minutes(1),
    )

    after = explanation(story, "urban-cczl", Stage.REPORT_IN)
    assert (before.cause, before.provisional, before.calendar_version) == (Cause.ISSUED, True, "cn-2026.1")
    assert (after.cause, after.provisional, after.calendar_version) == (Cause.REBASED, False, "cn-2027.1")
    assert after.due_at > before.due_at
    assert after.agrees
    assert after.set_by == story.facts[-1].number


def test_a_limit_that_was_tampered_with_is_not_agreed_to() -> None:
    story = a_sounded_emergency("bent")
    *before, sounded = story.facts
    limits = tuple(_later(limit) for limit in sounded.detail.limits)
    bent = Fact(**{**dict(sounded), "detail": sounded.detail.model_copy(update={"limits": limits})})

    ack = next(x for x in explain("jinfeng", "bent", (*before, bent)) if x.stage is Stage.ACK)

    assert ack.agrees is False
    assert ack.recomputed_due_at == SUNDAY_0210 + minutes(5)


def test_what_was_foretold_is_what_time_brings() -> None:
    story = a_sounded_emergency("foretold")
    foretold = {
        (x.owner, x.stage, step.level, step.at): tuple(told.officer for told in step.tells)
        for x in explained(story)
        for step in x.steps_ahead
        if step.level is not Escalation.E0 and step.at <= SUNDAY_0210 + timedelta(hours=30)
    }

    story.wait(timedelta(hours=30))

    came = {
        (fact.detail.owner, fact.detail.stage, fact.detail.level, fact.at): tuple(x.officer for x in fact.detail.told)
        for fact in story.facts
        if isinstance(fact.detail, Escalated)
    }
    assert foretold
    assert came == foretold


def test_an_ended_whistle_foretells_nothing() -> None:
    assert all(x.steps_ahead == () for x in explained(a_closed_emergency("over")))


def test_a_vacant_post_is_foretold_too() -> None:
    ecology = Case(
        **{
            **dict(a_noise_complaint()),
            "summons": (a_noise_complaint().summons[0].model_copy(update={"unit": "ecology"}),),
        }
    )
    story = Story("vacant").source().blow(ecology).act(Approve(), by="o-cczl-leader", after=minutes(1))

    reminder = next(s for s in explanation(story, "ecology", Stage.ACK).steps_ahead if s.level is Escalation.E1)

    assert [(type(x).__name__, x.unit) for x in reminder.troubles] == [("NobodyOnDuty", "ecology")]
