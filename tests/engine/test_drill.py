"""Drills on a real engine: whole scripts and past cases on a clock of their own, without waiting for anything."""

import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from activities.profiles import load_profile
from engine.drill import DrillBrokenError, actor_for
from engine.drill_cases import PlayedCase, play_cases
from engine.drill_files import read_scenario, reading_of, shipped_scenarios
from engine.drill_report import report_on
from engine.drill_rig import DrillRig, drill_rig
from engine.drill_scenario import Beat, Happened, PlayedScenario, Refused, play_scenario
from models.case import CancelCause, WhistleState
from models.case_reading import CaseOutcome
from models.casefile import PastCase, Promise
from models.commands import Approve, ConfirmSounding
from models.expectations import Subject
from models.facts import WhistleCancelled
from models.organisation import Post
from models.policy import Escalation, Stage
from models.profile import Profile
from models.recompute import first_difference
from models.scenario import Scenario

OPENED = datetime(2018, 1, 2, 16, tzinfo=UTC)
PROMISED = datetime(2018, 1, 6, 8, tzinfo=UTC)
# How far the clock of a whistle may be behind the script on a machine that is very busy.
A_MOMENT = timedelta(seconds=30)


@pytest.fixture(scope="module")
async def rig() -> AsyncIterator[DrillRig]:
    """One throwaway engine for the module."""
    async with drill_rig(lambda: datetime.now(UTC)) as ready:
        yield ready


@cache
def los_angeles() -> Profile:
    return load_profile("los-angeles")


@cache
def jinfeng() -> Profile:
    return load_profile("jinfeng")


def a_case(
    key: str,
    *,
    closed_at: datetime = PROMISED - timedelta(hours=1),
    promised_at: datetime | None = PROMISED,
    outcome: CaseOutcome = CaseOutcome.RESOLVED,
    opened_at: datetime = OPENED,
) -> PastCase:
    return PastCase(
        line=2,
        id=key,
        opened_at=opened_at,
        closed_at=closed_at,
        promised_at=promised_at,
        promise=Promise.GIVEN if promised_at else Promise.MISSING,
        outcome=outcome,
        street="cd-4",
        community="nc-55",
        unit="bos",
        matter="bulky-items",
        duty_item="taken-back-01",
        place="SOME NC",
        text="Bulky Items",
    )


async def play(rig: DrillRig, *cases: PastCase) -> dict[str, PlayedCase]:
    told: list[str] = []

    played = await play_cases(
        rig, los_angeles(), reading_of("los-angeles"), cases, lambda done: told.append(done.case.id)
    )

    assert told == [case.id for case in cases] == [done.case.id for done in played]
    return {done.case.id: done for done in played}


async def test_past_cases_come_out_as_they_did(rig: DrillRig) -> None:
    second = timedelta(seconds=1)
    days = PROMISED + timedelta(days=2)
    played = await play(
        rig,
        a_case("in-time"),
        a_case("at-the-limit", closed_at=PROMISED),
        a_case("late", closed_at=days),
        a_case("withdrawn", closed_at=days, outcome=CaseOutcome.WITHDRAWN),
        a_case("referred", outcome=CaseOutcome.REFERRED_OUT),
        a_case("by-policy", promised_at=None, closed_at=OPENED + timedelta(days=7)),
        a_case("by-policy-in-time", promised_at=None, closed_at=OPENED + timedelta(days=7) - 30 * second),
        a_case("at-once", opened_at=PROMISED - 30 * second, closed_at=PROMISED - 30 * second),
    )

    late = {key for key, done in played.items() if done.was_late}
    report = report_on(done.played for done in played.values())
    assert late == {"at-the-limit", "late", "by-policy"}
    assert all(done.agrees_with_reality for done in played.values())
    assert (report.whistles, report.resolved, report.cancelled, report.referred, report.open) == (8, 6, 1, 1, 0)
    assert (report.late, report.late_by_policy, report.without_promise) == (2, 1, 2)
    assert report.escalations[Escalation.E1] == 4
    assert report.engine_lateness.max is not None
    assert timedelta() <= report.engine_lateness.max < A_MOMENT
    rates = {(rate.unit, rate.stage): (rate.on_time, rate.settled) for rate in report.on_time}
    assert rates["bos", Stage.RESOLVE] == (3, 7)
    assert _causes(played["withdrawn"], played["referred"]) == [CancelCause.WITHDRAWN, CancelCause.REFERRED_OUT]


def _causes(*played: PlayedCase) -> list[CancelCause]:
    details = [done.played.facts[-1].detail for done in played]
    return [detail.cause for detail in details if isinstance(detail, WhistleCancelled)]


async def test_a_past_case_leaves_a_whole_chain_on_its_own_dates(rig: DrillRig) -> None:
    case = a_case("chain", closed_at=PROMISED + timedelta(days=2))

    played = (await play(rig, case))["chain"].played

    assert played.whistle.state is WhistleState.CLOSED
    assert first_difference(played.facts, played.facts) is None
    assert OPENED <= played.facts[0].at < OPENED + A_MOMENT
    assert case.closed_at <= played.facts[-1].at < case.closed_at + A_MOMENT
    limit = played.whistle.limit("bos", Stage.RESOLVE)
    assert limit is not None
    assert (limit.due_at, limit.row, limit.missed) == (PROMISED, "promise", True)
    # No act was taken before the door had it.
    assert all(fact.received_at <= fact.at for fact in played.facts if fact.received_at)


async def rehearsed(rig: DrillRig, scenario: Scenario) -> tuple[PlayedScenario, list[Beat]]:
    beats: list[Beat] = []
    return await play_scenario(rig, jinfeng(), scenario, beats.append), beats


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
async def test_every_shipped_scenario_comes_out_as_it_expects(rig: DrillRig, name: str) -> None:
    scenario = read_scenario(shipped_scenarios()[name])

    played, beats = await rehearsed(rig, scenario)

    assert played.shortfalls == ()
    assert played.checked == sum(len(whistle.expect) for whistle in scenario.whistles)
    told = [beat.fact for beat in beats if isinstance(beat, Happened)]
    assert told == [fact for each in played.played for fact in each.facts]


def a_short_script(**changes: object) -> Scenario:
    """Return the burst main, cut down to what ``changes`` put into it."""
    written = tomllib.loads(shipped_scenarios()["burst-main"].read_text(encoding="utf-8"))
    written["whistles"][0] |= {"acts": [], "expect": [], **changes}
    return Scenario.model_validate(written)


async def test_what_comes_out_otherwise_is_a_shortfall(rig: DrillRig) -> None:
    ack = {"officer": "o-water-operator", "verb": "ack", "unit": "water"}
    scenario = a_short_script(
        key="shortfalls",
        acts=[
            {"at": "+1m", **ack, "refused": "no_authority"},
            {"at": "+2m", **ack},
            {"at": "+3m", **ack, "refused": "already_done"},
        ],
        expect=[{"at": "+2m", "state": "CLOSED"}, {"at": "+2m", "task": {"unit": "water", "state": "ACKED"}}],
    )

    played, beats = await rehearsed(rig, scenario)

    assert [(each.about, each.found) for each in played.shortfalls] == [
        (Subject.REFUSED, "o-water-operator ack: -"),
        (Subject.REFUSED, "o-water-operator ack: already_done"),
        (Subject.STATE, "SOUNDED"),
    ]
    assert [beat.was_expected for beat in beats if isinstance(beat, Refused)] == [False, True]
    assert [beat for beat in beats if beat in played.shortfalls] == list(played.shortfalls[:2])


async def test_an_act_at_exactly_a_limit_finds_it_missed(rig: DrillRig) -> None:
    ack = {"officer": "o-water-operator", "verb": "ack", "unit": "water", "refused": "already_done"}
    scenario = a_short_script(
        key="exactly",
        acts=[{"at": "+5m", **ack}],
        expect=[{"at": "+5m", "limit": {"owner": "water", "stage": "ack", "due": "+5m", "missed": True}}],
    )

    played, _ = await rehearsed(rig, scenario)

    assert played.shortfalls == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"matter": "no-such-matter"},
        {"street": "no-such-street"},
        {"officer": "o-nobody"},
        {"summons": [{"unit": "no-such-unit", "role": "lead"}]},
        {"expect": [{"at": datetime(2026, 2, 1), "state": "SOUNDED"}]},  # noqa: DTZ001 - as on the local clock
    ],
)
async def test_a_script_that_does_not_fit_its_district_is_named(rig: DrillRig, changes: dict[str, object]) -> None:
    with pytest.raises(DrillBrokenError):
        await rehearsed(rig, a_short_script(key="unfit", **changes))


def test_an_officer_acts_in_the_office_that_may() -> None:
    may = actor_for(jinfeng(), "o-cczl-leader", Approve(), OPENED)
    may_not = actor_for(jinfeng(), "o-cczl-verifier", ConfirmSounding(), OPENED)

    assert (may.unit, may.capacity) == ("cczl", Post.STREET_LEADER)
    assert may_not.capacity is Post.STREET_VERIFIER


async def test_whistles_of_one_drill_live_at_different_times(rig: DrillRig) -> None:
    first = {year: datetime(year, 6, 1, tzinfo=UTC) for year in (1990, 2090)}
    day = timedelta(days=1)

    played = await play(
        rig, *(a_case(f"in-{year}", opened_at=at, closed_at=at + day, promised_at=None) for year, at in first.items())
    )

    assert [done.played.facts[0].at.year for done in played.values()] == [1990, 2090]
    assert [done.was_late for done in played.values()] == [False, False]
