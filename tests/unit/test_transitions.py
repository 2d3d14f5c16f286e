"""Each transition of domain 4.3 that is built, by its number: what it brings, and when it is refused."""

from datetime import datetime, timedelta
from typing import get_args

import pytest

from models import commands as c
from models import evolve as folding
from models.authority import OFFICES
from models.case import Presence, Role, Summons, WhistleLevel, WhistleState
from models.decide import RULES, decide, open_whistle
from models.facts import Detail, Fact, NobodyOnDuty, NoChannel
from models.lapse import lapse
from models.organisation import Post, UnitKind
from models.policy import Escalation, Kind, Stage, Urgency
from models.refusals import Reason, RefusedError
from models.whistle import TaskState, Whistle
from tests.small_district import (
    ALL_ASPECTS,
    CALENDAR,
    LEAD,
    PARTIES,
    POLICY,
    SECOND_SUPPORT,
    STREET,
    SUNDAY_0210,
    SUPPORT,
    a_blow,
    a_case,
    a_source,
    an_act,
    an_opening,
    minutes,
    officer,
    party,
)

WORDS = "because it is so"


class Story:
    """A whistle that people talk to; ``at`` is minutes after the opening."""

    def __init__(self, *commands: c.Command, started_at: datetime = SUNDAY_0210) -> None:
        self.started_at = started_at
        self.whistle: Whistle
        outcome = open_whistle(an_opening(*commands, at=started_at), started_at)
        self.whistle, self.facts = outcome.whistle, list(outcome.facts)
        self._said = 0

    def say(self, command: c.Command, at: float = 1, by: c.Actor | None = None) -> list[Fact]:
        self._said += 1
        now = self.started_at + minutes(at)
        act = an_act(command, f"k{self._said}", now, by)
        outcome = decide(self.whistle, act, now)
        self.whistle = outcome.whistle
        self.facts += outcome.facts
        return list(outcome.facts)

    def wait(self, until: float) -> list[Fact]:
        outcome = lapse(self.whistle, self.started_at + minutes(until))
        self.whistle = outcome.whistle
        self.facts += outcome.facts
        return list(outcome.facts)

    def refuses(self, command: c.Command, reason: Reason, at: float = 1, by: c.Actor | None = None) -> None:
        before = self.whistle
        with pytest.raises(RefusedError) as refusal:
            self.say(command, at, by)
        assert refusal.value.reason is reason
        assert self.whistle is before

    def arrive(self, *units: str, at: float = 20) -> "Story":
        for unit in units:
            self.say(c.ReportIn(unit=unit, people=2, presence=Presence.ONSITE), at)
            self.say(c.ConfirmArrival(unit=unit), at)
        return self

    def finish(self, *units: str, at: float = 40) -> "Story":
        for unit in units:
            self.say(c.SubmitResult(unit=unit, result="pipe closed"), at)
        return self

    def state(self) -> WhistleState:
        return self.whistle.state

    def state_of(self, unit: str) -> TaskState:
        return self.whistle.task(unit).state


def types(facts: list[Fact]) -> list[str]:
    return [fact.type for fact in facts]


def acting(unit: str, post: Post) -> c.Actor:
    return c.Actor(officer=officer(unit, post), unit=unit, capacity=post)


def an_emergency() -> Story:
    return Story()


def a_demand(level: WhistleLevel = WhistleLevel.ROUTINE) -> Story:
    return Story(a_source(), a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3, level=level)))


def a_handled_emergency() -> Story:
    return an_emergency().arrive(LEAD, SUPPORT, SECOND_SUPPORT).finish(SUPPORT, SECOND_SUPPORT, LEAD)


def test_every_command_has_a_rule_and_every_fact_a_fold() -> None:
    commands = set(get_args(get_args(c.Command)[0]))
    details = set(get_args(get_args(Detail)[0]))

    assert set(RULES) == commands
    assert details <= set(folding._fold.registry)  # noqa: SLF001 - the fold is complete or nothing is
    assert {command.model_fields["verb"].default for command in commands} - set(OFFICES) == {
        "adopt-calendar",
        "notice-failed",
    }


def test_t1_a_source_alone_is_a_draft_that_nobody_is_waiting_for() -> None:
    story = Story(a_source())

    assert story.state() is WhistleState.DRAFT
    assert story.wait(60 * 24 * 365) == []


def test_t2_a_demand_waits_for_a_leader_within_four_working_hours() -> None:
    story = a_demand()

    limit = story.whistle.limit(STREET, Stage.APPROVE)
    assert story.state() is WhistleState.PENDING_APPROVAL
    # Sunday night: the four hours run from Monday 08:00 to 12:00 in Yinchuan.
    assert limit is not None
    assert limit.due_at == datetime.fromisoformat("2026-11-23T12:00+08:00")


def test_t3_approval_starts_all_department_clocks_at_that_instant() -> None:
    story = a_demand()
    monday_0900 = (datetime.fromisoformat("2026-11-23T09:00+08:00") - SUNDAY_0210) / minutes(1)

    facts = story.say(c.Approve(), at=monday_0900)

    assert types(facts)[-2:] == ["sounding_approved", "whistle_sounded"]
    limit = story.whistle.limit(LEAD, Stage.ACK)
    assert limit is not None
    assert limit.due_at == datetime.fromisoformat("2026-11-23T10:00+08:00")
    assert story.whistle.limit(SUPPORT, Stage.RESOLVE) is None
    assert story.whistle.limit(SUPPORT, Stage.SUPPORT) is not None


def test_t3_the_submitter_does_not_approve_his_own() -> None:
    leader = acting(STREET, Post.STREET_LEADER)
    source, blow = a_source(), a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3))
    story = Story(source)
    story.say(blow, by=leader)

    story.refuses(c.Approve(), Reason.SAME_PERSON, by=leader)


def test_t3_a_tough_whistle_needs_secretary_or_director() -> None:
    story = a_demand(WhistleLevel.TOUGH)

    story.refuses(c.Approve(), Reason.NO_AUTHORITY, by=acting(STREET, Post.STREET_LEADER))
    story.say(c.Approve(), by=acting(STREET, Post.STREET_DIRECTOR))
    assert story.state() is WhistleState.SOUNDED


def test_t3e_an_emergency_sounds_at_once_and_is_confirmed_by_somebody_else() -> None:
    story = an_emergency()

    assert story.state() is WhistleState.SOUNDED
    limit = story.whistle.limit(STREET, Stage.CONFIRM_SOUNDING)
    assert limit is not None
    assert limit.due_at == SUNDAY_0210 + timedelta(hours=24)
    duty = acting(STREET, Post.STREET_DUTY_OFFICER)
    story.refuses(c.ConfirmSounding(), Reason.NO_AUTHORITY, by=duty)
    story.say(c.ConfirmSounding())
    story.refuses(c.ConfirmSounding(), Reason.ALREADY_DONE)


def test_t3e_only_an_emergency_sounds_without_a_leader() -> None:
    assert a_demand().whistle.sounded_at is None


def test_t3e_a_leader_who_sounds_an_emergency_needs_no_confirmation() -> None:
    story = Story(a_source())
    story.say(a_blow(), by=acting(STREET, Post.STREET_LEADER))

    assert story.state() is WhistleState.SOUNDED
    assert story.whistle.limit(STREET, Stage.CONFIRM_SOUNDING) is None


def test_t4_sent_back_it_can_be_put_again_with_a_new_limit() -> None:
    story = a_demand()

    story.say(c.Reject(reason=WORDS, back_to_draft=True), at=5)
    assert story.state() is WhistleState.DRAFT
    story.say(a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3)), at=10)

    assert story.state() is WhistleState.PENDING_APPROVAL
    assert len([limit for limit in story.whistle.limits if limit.stage is Stage.APPROVE]) == 2


def test_t4_rejected_for_good_it_is_cancelled() -> None:
    story = a_demand()

    story.say(c.Reject(reason=WORDS))

    assert story.state() is WhistleState.CANCELLED
    story.refuses(c.Approve(), Reason.NOT_IN_STATE, at=2)


def test_t5_a_unit_signs_once() -> None:
    story = an_emergency()

    story.say(c.Acknowledge(unit=LEAD), at=4)

    assert story.state_of(LEAD) is TaskState.ACKED
    story.refuses(c.Acknowledge(unit=LEAD), Reason.ALREADY_DONE, at=4)


def test_t5_only_a_summoned_unit_signs_and_only_for_itself() -> None:
    story = an_emergency()

    story.refuses(c.Acknowledge(unit="heat"), Reason.NOT_SUMMONED)
    story.refuses(c.Acknowledge(unit=LEAD), Reason.NO_AUTHORITY, by=acting(SUPPORT, Post.DEPT_HEAD))
    story.refuses(c.Acknowledge(unit=LEAD), Reason.NO_AUTHORITY, by=acting(STREET, Post.STREET_COMMANDER))


def test_t6_not_signed_at_the_limit_counts_as_signed_and_is_a_miss() -> None:
    story = an_emergency()
    story.say(c.Acknowledge(unit=SECOND_SUPPORT), at=1)
    story.say(c.Acknowledge(unit=SUPPORT), at=1)

    facts = story.wait(5)

    assert types(facts) == ["limit_missed", "escalated", "ack_deemed", "stage_entered"]
    assert story.whistle.task(LEAD).deemed
    assert story.state() is WhistleState.MUSTERING
    story.refuses(c.Acknowledge(unit=LEAD), Reason.ALREADY_DONE, at=6)
    # Nothing is left to chase: no second or third level follows.
    later = [f.detail.level for f in story.wait(25) if f.type == "escalated"]
    assert later == []


def test_an_act_at_exactly_the_limit_is_too_late() -> None:
    on_time, late = an_emergency(), an_emergency()

    on_time.say(c.Acknowledge(unit=LEAD), at=5 - 1e-6 / 60)
    late.refuses(c.Acknowledge(unit=LEAD), Reason.ALREADY_DONE, at=5)

    assert on_time.whistle.escalation_of(LEAD) is None


def test_t10_contact_comes_after_signing_and_only_the_first_counts() -> None:
    story = a_demand()
    story.say(c.Approve(), at=1)

    story.refuses(c.ContactStreet(unit=LEAD), Reason.NOT_IN_STATE, at=2)
    story.say(c.Acknowledge(unit=LEAD), at=3)
    story.say(c.ContactStreet(unit=LEAD, note="on our way"), at=4)
    story.say(c.ContactStreet(unit=LEAD), at=5)

    limit = story.whistle.limit(LEAD, Stage.CONTACT)
    assert limit is not None
    assert limit.met_at == SUNDAY_0210 + minutes(4)


def test_t11_the_announcement_is_the_instant_that_counts_and_the_street_confirms_it() -> None:
    story = an_emergency()

    story.say(c.ReportIn(unit=LEAD, people=3, presence=Presence.ONSITE), at=4)
    assert story.state_of(LEAD) is TaskState.ACKED
    story.say(c.ConfirmArrival(unit=LEAD), at=9)

    limit = story.whistle.limit(LEAD, Stage.REPORT_IN)
    assert story.state_of(LEAD) is TaskState.REPORTED_IN
    assert limit is not None
    assert limit.met_at == SUNDAY_0210 + minutes(4)
    story.refuses(c.ConfirmArrival(unit=LEAD), Reason.NO_ARRIVAL_ANNOUNCED, at=10)


def test_t11_an_announcement_that_nobody_sees_counts_for_nothing() -> None:
    story = an_emergency()
    story.say(c.ReportIn(unit=LEAD, people=3, presence=Presence.ONSITE), at=4)

    story.say(c.DenyArrival(unit=LEAD, reason="nobody here"), at=6)

    missed = [fact for fact in story.wait(30) if fact.type == "limit_missed"]
    assert (LEAD, Stage.REPORT_IN) in [(f.detail.owner, f.detail.stage) for f in missed]


def test_t11_an_arrival_denied_after_its_limit_was_missed_at_the_limit() -> None:
    story = an_emergency()
    story.say(c.ReportIn(unit=LEAD, people=3, presence=Presence.ONSITE), at=29)

    facts = story.say(c.DenyArrival(unit=LEAD, reason="nobody here"), at=40)

    missed = next(f for f in facts if f.type == "limit_missed" and f.detail.stage is Stage.REPORT_IN)
    assert (missed.due_at, missed.observed_at) == (SUNDAY_0210 + minutes(30), SUNDAY_0210 + minutes(40))
    climbed = [f.due_at for f in story.wait(46) if f.type == "escalated" and f.detail.owner == LEAD]
    assert climbed == [SUNDAY_0210 + minutes(45)]


def test_t12_handling_begins_when_all_are_in_and_keeps_who_was_missing_when_the_lead_began() -> None:
    complete, early = an_emergency(), an_emergency()

    complete.arrive(LEAD, SUPPORT, SECOND_SUPPORT)
    early.arrive(LEAD)
    began = early.say(c.ReportProgress(unit=LEAD, text="valve found"), at=21)

    assert complete.state() is WhistleState.HANDLING
    assert early.state() is WhistleState.HANDLING
    assert set(began[-1].detail.absentees) == {SUPPORT, SECOND_SUPPORT}


def test_t14_nobody_reports_progress_from_afar() -> None:
    an_emergency().refuses(c.ReportProgress(unit=LEAD, text=WORDS), Reason.NOT_REPORTED_IN)


def test_t14_the_leads_first_report_meets_the_situation_limit() -> None:
    story = an_emergency().arrive(LEAD)

    story.say(c.ReportProgress(unit=LEAD, text="valve found"), at=30)

    limit = story.whistle.limit(LEAD, Stage.SITUATION)
    assert limit is not None
    assert limit.met_at is not None


def test_a_promised_plan_is_met_by_a_plan_alone() -> None:
    case = a_case(Kind.KEY_TASK, Urgency.U3)
    story = Story(a_source(), a_blow(case))
    story.say(c.Approve())
    story.arrive(LEAD)

    story.say(c.ReportProgress(unit=LEAD, text="thinking"), at=30)
    plan = story.whistle.limit(LEAD, Stage.PLAN)
    assert plan is not None
    assert plan.is_open
    story.say(c.ReportProgress(unit=LEAD, text="the plan", plan=True), at=31)
    assert not story.whistle.limit(LEAD, Stage.PLAN).is_open


def test_t18_nobody_is_done_who_was_never_there() -> None:
    an_emergency().refuses(c.SubmitResult(unit=SUPPORT, result=WORDS), Reason.NOT_REPORTED_IN)


def test_t18_the_lead_is_done_last() -> None:
    story = an_emergency().arrive(LEAD, SUPPORT)

    story.refuses(c.SubmitResult(unit=LEAD, result=WORDS), Reason.SUPPORTERS_OUTSTANDING, at=30)
    story.finish(SUPPORT)
    story.say(c.WaiveResult(unit=SECOND_SUPPORT, reason="valve is not ours", interim_status="none"), at=41)
    facts = story.say(c.SubmitResult(unit=LEAD, result="done"), at=42)

    assert types(facts) == ["result_submitted", "stage_entered"]
    assert story.state() is WhistleState.VERIFYING


def test_a_waiver_is_said_by_the_supporter_or_by_a_leader_of_the_street_for_a_silent_one() -> None:
    by_street = acting(STREET, Post.STREET_LEADER)
    waiver = c.WaiveResult(unit=SUPPORT, reason=WORDS)
    story = an_emergency()

    story.refuses(waiver, Reason.NO_AUTHORITY, by=acting(STREET, Post.STREET_DUTY_OFFICER))
    story.refuses(waiver, Reason.NO_AUTHORITY, by=acting(LEAD, Post.DEPT_HEAD))
    story.refuses(c.WaiveResult(unit=LEAD, reason=WORDS), Reason.LEAD_NEEDED, by=by_street)
    story.say(waiver, by=by_street)

    assert story.state_of(SUPPORT) is TaskState.WAIVED
    assert not [x for x in story.whistle.limits if x.owner == SUPPORT and x.is_open]


def test_t19_and_t21_verification_leads_to_evaluation() -> None:
    story = a_handled_emergency()

    assert story.state() is WhistleState.VERIFYING
    facts = story.say(c.PassVerification(), at=50)

    assert types(facts) == ["verification_passed", "stage_entered"]
    assert story.state() is WhistleState.EVALUATING
    assert story.state_of(LEAD) is TaskState.ACCEPTED


def test_t20_failed_the_lead_goes_on_with_the_time_that_was_left() -> None:
    story = a_handled_emergency()
    handled = story.whistle.limit(LEAD, Stage.RESOLVE)
    assert handled is not None

    story.say(c.FailVerification(reason="still leaking"), at=100)

    limit = story.whistle.limit(LEAD, Stage.RESOLVE)
    assert limit is not None
    assert story.state() is WhistleState.HANDLING
    assert story.whistle.task(LEAD).reworks == 1
    assert story.state_of(SUPPORT) is TaskState.SUBMITTED
    assert limit.due_at == handled.due_at + minutes(60)
    story.finish(LEAD, at=120)
    assert story.state() is WhistleState.VERIFYING


def test_t20_an_overdue_limit_stays_overdue_after_rework() -> None:
    story = an_emergency().arrive(LEAD, SUPPORT, SECOND_SUPPORT)
    story.finish(SUPPORT, SECOND_SUPPORT, at=60).finish(LEAD, at=60 * 25)

    story.say(c.FailVerification(reason=WORDS), at=60 * 25 + 5)

    limit = story.whistle.limit(LEAD, Stage.RESOLVE)
    assert limit is not None
    assert limit.missed
    assert limit.due_at == SUNDAY_0210 + timedelta(hours=24)


def test_sod_1_who_handled_does_not_verify() -> None:
    story = a_handled_emergency()
    handler_as_verifier = c.Actor(officer=officer(LEAD, Post.DEPT_HANDLER), unit=STREET, capacity=Post.STREET_VERIFIER)

    story.refuses(c.PassVerification(), Reason.SAME_PERSON, at=50, by=handler_as_verifier)


def test_sod_3_auditors_and_administrators_sign_nothing() -> None:
    signers = frozenset().union(*(office.posts for office in OFFICES.values()))

    assert not signers & {Post.DISCIPLINE_AUDITOR, Post.SYSTEM_ADMINISTRATOR}


def test_t22_the_commander_alone_lets_a_supporter_leave_and_never_the_lead() -> None:
    story = an_emergency().arrive(LEAD, SUPPORT)
    order = c.StandDown(unit=SUPPORT, reason=WORDS)

    story.refuses(order, Reason.NO_AUTHORITY, at=30, by=acting(STREET, Post.STREET_DIRECTOR))
    story.refuses(c.StandDown(unit=LEAD, reason=WORDS), Reason.LEAD_NEEDED, at=30)
    story.refuses(c.StandDown(unit=SECOND_SUPPORT, reason=WORDS), Reason.NOT_REPORTED_IN, at=30)
    story.say(order, at=30)

    assert story.state_of(SUPPORT) is TaskState.STOOD_DOWN


def test_t25_the_last_score_closes_the_whistle() -> None:
    story = a_handled_emergency()
    story.say(c.PassVerification(), at=50)

    for unit in (LEAD, SUPPORT):
        story.say(c.Evaluate(unit=unit, stars=5, aspects=ALL_ASPECTS), at=60)
    story.say(c.Evaluate(unit=SECOND_SUPPORT, stars=2, aspects=ALL_ASPECTS[:3]), at=61)
    assert story.state() is WhistleState.EVALUATING
    facts = story.say(c.Evaluate(unit=SECOND_SUPPORT, stars=2, aspects=ALL_ASPECTS[3:]), at=62)

    assert story.state() is WhistleState.CLOSED
    assert not facts[-1].detail.evaluation_expired
    story.refuses(c.Cancel(reason=WORDS), Reason.NOT_IN_STATE, at=63)


def test_t25_an_evaluation_that_never_came_is_a_flagged_default() -> None:
    story = a_handled_emergency()
    story.say(c.PassVerification(), at=50)
    story.say(c.Evaluate(unit=LEAD, stars=5, aspects=ALL_ASPECTS), at=60)

    facts = story.wait(60 * 24 * 30)

    defaulted = [fact.detail for fact in facts if fact.type == "evaluation_defaulted"]
    assert [detail.unit for detail in defaulted] == [SUPPORT, SECOND_SUPPORT]
    assert {detail.stars for detail in defaulted} == {POLICY.evaluation.default_stars}
    assert facts[-1].detail.evaluation_expired
    assert story.state() is WhistleState.CLOSED


def test_t26_only_the_sounders_superior_withdraws_and_the_district_hears_of_it_once_units_came() -> None:
    story = Story(a_source())
    story.say(a_blow(), by=acting(STREET, Post.STREET_LEADER))
    story.refuses(c.Cancel(reason=WORDS), Reason.NO_AUTHORITY, by=acting(STREET, Post.STREET_LEADER))
    story.arrive(LEAD, at=2)

    facts = story.say(c.Cancel(reason=WORDS), at=3, by=acting(STREET, Post.STREET_DIRECTOR))

    assert facts[-1].detail.district_notified
    assert officer("hq", Post.COMMAND_CENTRE_DUTY_OFFICER) in [a.officer for a in facts[-1].detail.told]
    assert story.state() is WhistleState.CANCELLED
    assert story.wait(60 * 24 * 30) == []


@pytest.mark.parametrize(
    ("summons", "reason"),
    [
        ([("water", Role.SUPPORT)], Reason.LEAD_MISSING),
        ([("water", Role.LEAD), ("gas", Role.LEAD)], Reason.LEAD_TWICE),
        ([("water", Role.LEAD), ("water", Role.SUPPORT)], Reason.UNIT_TWICE),
        ([("hq", Role.LEAD)], Reason.UNIT_CANNOT_BE_SUMMONED),
        ([("nowhere", Role.LEAD)], Reason.UNIT_CANNOT_BE_SUMMONED),
    ],
)
def test_a_summons_has_one_lead_and_units_that_can_be_summoned(summons: list[tuple[str, Role]], reason: Reason) -> None:
    case = a_case().model_copy(update={"summons": tuple(Summons(unit=unit, role=role) for unit, role in summons)})
    Story(a_source()).refuses(a_blow(case), reason)


def test_danger_to_life_is_not_a_public_demand() -> None:
    case = a_case(Kind.PUBLIC_DEMAND, Urgency.U1)
    Story(a_source()).refuses(a_blow(case), Reason.CONVERTS_TO_K1)


def test_without_a_row_of_limits_nothing_is_sounded() -> None:
    case = a_case(Kind.JOINT_ENFORCEMENT, Urgency.U1)
    Story(a_source()).refuses(a_blow(case), Reason.NO_LIMITS)


def test_the_ladder_climbs_from_the_nominal_instant_however_late_the_engine_looks() -> None:
    story = an_emergency()
    for unit in (LEAD, SUPPORT, SECOND_SUPPORT):
        story.say(c.Acknowledge(unit=unit), at=1)
    story.arrive(LEAD, SECOND_SUPPORT, at=10)

    facts = story.wait(500)

    climbed = [f for f in facts if f.type == "escalated" and f.detail.stage is Stage.REPORT_IN]
    assert [(f.detail.level, f.at - SUNDAY_0210) for f in climbed] == [
        (Escalation.E1, minutes(30)),
        (Escalation.E2, minutes(45)),
        (Escalation.E3, minutes(60)),
    ]
    assert {f.observed_at for f in climbed} == {SUNDAY_0210 + minutes(500)}
    assert [{a.officer for a in f.detail.told} for f in climbed] == [
        {officer(SUPPORT, Post.DEPT_HEAD), officer(STREET, Post.STREET_DUTY_OFFICER)},
        {officer("hq", Post.COMMAND_CENTRE_DIRECTOR)},
        {officer("jinfeng", Post.DISTRICT_LEADER)},
    ]


def test_a_late_arrival_stops_the_ladder_where_it_is() -> None:
    story = an_emergency().arrive(LEAD, SECOND_SUPPORT, at=10).arrive(SUPPORT, at=50)

    assert story.whistle.escalation_of(SUPPORT) is Escalation.E2
    later = [f for f in story.wait(60 * 2) if f.type == "escalated" and f.detail.owner == SUPPORT]
    assert later == []


def test_limits_that_the_street_misses_go_up_too() -> None:
    story = an_emergency()

    facts = story.wait(60 * 24)

    missed = [f for f in facts if f.type == "escalated" and f.detail.stage is Stage.CONFIRM_SOUNDING]
    assert [a.officer for a in missed[0].detail.told] == [
        officer(STREET, Post.STREET_COMMANDER),
        officer("hq", Post.COMMAND_CENTRE_DUTY_OFFICER),
    ]


def test_an_escalated_unit_answers_and_its_clock_runs_on() -> None:
    story = an_emergency()
    reply = c.ReplyToEscalation(unit=SUPPORT, level=Escalation.E1, text="stuck in traffic")

    story.refuses(reply, Reason.NOTHING_TO_REPLY_TO, at=4)
    story.arrive(LEAD, SECOND_SUPPORT, at=10).wait(31)
    story.say(reply, at=32)

    assert story.whistle.limit(SUPPORT, Stage.REPLY, "report_in").met_at
    raised = [f.detail.level for f in story.wait(45) if f.type == "escalated"]
    assert raised == [Escalation.E2]


def test_an_answer_that_stays_away_is_a_fact_and_no_second_ladder() -> None:
    story = an_emergency().arrive(LEAD, SECOND_SUPPORT, at=10)

    facts = story.wait(40)

    assert ("limit_missed", Stage.REPLY) in [(f.type, getattr(f.detail, "stage", None)) for f in facts]
    assert Stage.REPLY not in [f.detail.stage for f in facts if f.type == "escalated"]


def test_a_vacant_post_is_a_fact_and_the_level_above_is_told() -> None:
    empty = party(LEAD, UnitKind.UTILITY, "hq", Post.DEPT_HEAD)
    parties = tuple(empty if p.unit == LEAD else p for p in PARTIES)
    story = Story(a_source(), a_blow(parties=parties))

    vacant = next(fact.detail for fact in story.facts if fact.type == "nobody_on_duty")
    assert vacant == NobodyOnDuty(unit=LEAD, posts=(Post.DEPT_HANDLER, Post.DEPT_LIAISON), passed_to="hq")
    sounded = next(fact.detail for fact in story.facts if fact.type == "whistle_sounded")
    assert officer("hq", Post.COMMAND_CENTRE_DUTY_OFFICER) in [a.officer for a in sounded.told]


def test_an_officer_without_a_channel_is_a_fact_and_the_level_above_is_told() -> None:
    mute = party(LEAD, UnitKind.UTILITY, "hq").model_copy(update={"posts": ((Post.DEPT_HANDLER, "o-mute", False),)})
    parties = tuple(mute if p.unit == LEAD else p for p in PARTIES)
    story = Story(a_source(), a_blow(parties=parties))

    assert NoChannel(unit=LEAD, officer="o-mute") in [fact.detail for fact in story.facts]
    sounded = next(fact.detail for fact in story.facts if fact.type == "whistle_sounded")
    assert officer("hq", Post.COMMAND_CENTRE_DUTY_OFFICER) in [a.officer for a in sounded.told]


def test_a_promise_takes_the_place_of_the_policys_limit() -> None:
    promised = SUNDAY_0210 + timedelta(days=40)
    case = a_case(Kind.PUBLIC_DEMAND, Urgency.U3).model_copy(update={"promised_at": promised})
    story = Story(a_source(), a_blow(case))
    story.say(c.Approve())

    limit = story.whistle.limit(LEAD, Stage.RESOLVE)
    assert limit is not None
    assert (limit.due_at, limit.row) == (promised, "promise")


def test_an_act_in_time_at_the_door_is_excused_when_the_engine_was_away() -> None:
    story = an_emergency()
    act = an_act(c.ReportIn(unit=LEAD, people=1, presence=Presence.ONSITE), "late", SUNDAY_0210 + minutes(29))

    outcome = decide(story.whistle, act, SUNDAY_0210 + minutes(50))

    limit = outcome.whistle.limit(LEAD, Stage.REPORT_IN)
    assert limit is not None
    assert limit.missed
    assert limit.excused


def test_the_same_key_brings_nothing_new_and_other_content_is_refused() -> None:
    story = an_emergency()
    act = an_act(c.Acknowledge(unit=LEAD), "once", SUNDAY_0210)
    other = an_act(c.Acknowledge(unit=SUPPORT), "once", SUNDAY_0210)
    taken = decide(story.whistle, act, SUNDAY_0210).whistle

    assert decide(taken, act, SUNDAY_0210).facts == ()
    with pytest.raises(RefusedError) as refusal:
        decide(taken, other, SUNDAY_0210)
    assert refusal.value.reason is Reason.KEY_REUSED


def test_limits_beyond_the_published_year_are_provisional_and_firm_up_with_the_calendar() -> None:
    new_year = datetime.fromisoformat("2027-12-31T10:00+08:00")
    story = Story(a_source(), a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3)), started_at=new_year)
    story.say(c.Approve(), at=1)
    before = story.whistle.limit(LEAD, Stage.REPORT_IN)
    assert before is not None
    assert before.provisional
    published = type(CALENDAR.years[0]).model_validate(
        {"year": 2028, "holidays": ["2028-01-03"], "makeup_workdays": [], "source": "gazette"}
    )
    calendar = CALENDAR.with_year(published, "test-cal-2")
    engine = c.Act(key="cal", command=c.AdoptCalendar(calendar=calendar), actor=None, received_at=new_year)

    outcome = decide(story.whistle, engine, new_year + minutes(2))

    after = outcome.whistle.limit(LEAD, Stage.REPORT_IN)
    assert outcome.facts[-1].type == "calendar_adopted"
    assert after is not None
    assert not after.provisional
    # Monday 3 January became a holiday: one more day.
    assert after.due_at == before.due_at + timedelta(days=1)


def test_a_provisional_limit_that_was_resumed_keeps_its_pause_when_the_calendar_comes() -> None:
    new_year = datetime.fromisoformat("2027-12-31T10:00+08:00")
    story = Story(a_source(), a_blow(a_case(Kind.PUBLIC_DEMAND, Urgency.U3)), started_at=new_year)
    story.say(c.Approve(), at=1)
    story.arrive(LEAD, SUPPORT, SECOND_SUPPORT).finish(SUPPORT, SECOND_SUPPORT, LEAD, at=60)
    story.say(c.FailVerification(reason=WORDS), at=60 * 24)
    resumed = story.whistle.limit(LEAD, Stage.RESOLVE)
    assert resumed
    assert resumed.provisional
    published = CALENDAR.years[0].model_copy(
        update={"year": 2028, "holidays": (), "makeup_workdays": (), "source": "gazette"}
    )
    command = c.AdoptCalendar(calendar=CALENDAR.with_year(published, "test-cal-2"))
    engine = c.Act(key="cal", command=command, actor=None, received_at=new_year)

    adopted = decide(story.whistle, engine, new_year + minutes(60 * 24 + 1)).whistle.limit(LEAD, Stage.RESOLVE)

    assert adopted
    assert (adopted.due_at, adopted.provisional) == (resumed.due_at, False)


def test_t20_no_warning_is_given_for_an_instant_that_lies_behind() -> None:
    story = a_handled_emergency()

    facts = story.say(c.FailVerification(reason=WORDS), at=60 * 40)

    assert "forewarned" not in types(facts)


def test_nobody_but_the_engine_speaks_for_the_engine() -> None:
    story = an_emergency()
    forged = c.AdoptCalendar(calendar=CALENDAR)

    story.refuses(forged, Reason.NO_AUTHORITY, by=acting(STREET, Post.STREET_COMMANDER))
