"""What is true at every moment of every whistle, whatever people say and however long they wait."""

from datetime import datetime, timedelta
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pydantic import TypeAdapter

from models import commands as say
from models.case import Presence, Role, WhistleState
from models.decide import decide, open_whistle
from models.evolve import evolve
from models.facts import Fact
from models.lapse import due, lapse
from models.policy import Escalation, Kind, Urgency
from models.recompute import Moment, first_difference, recompute
from models.refusals import RefusedError
from models.whistle import DELIVERED, ENDED, IN_PLACE, TaskState, Whistle
from tests.small_district import (
    ALL_ASPECTS,
    SUNDAY_0210,
    UNITS,
    a_blow,
    a_case,
    a_source,
    an_act,
    an_opening,
)

TEXT = "as discussed"
WHISTLES = TypeAdapter(Whistle)


def by_unit(unit: str) -> tuple[say.Command, ...]:
    """Return everything that can be said by or about one unit."""
    return (
        say.Acknowledge(unit=unit),
        say.ContactStreet(unit=unit),
        say.ReportIn(unit=unit, people=2, presence=Presence.ONSITE),
        say.ConfirmArrival(unit=unit),
        say.DenyArrival(unit=unit, reason=TEXT),
        say.ReportProgress(unit=unit, text=TEXT),
        say.SubmitResult(unit=unit, result=TEXT),
        say.WaiveResult(unit=unit, reason=TEXT),
        say.StandDown(unit=unit, reason=TEXT),
        say.ReplyToEscalation(unit=unit, level=Escalation.E1, text=TEXT),
    )


ANYTHING: tuple[say.Command, ...] = (
    *(command for unit in UNITS for command in by_unit(unit)),
    *(say.Evaluate(unit=unit, stars=4, aspects=ALL_ASPECTS) for unit in UNITS),
    say.Approve(),
    say.Reject(reason=TEXT, back_to_draft=True),
    say.ConfirmSounding(),
    say.PassVerification(),
    say.FailVerification(reason=TEXT),
    say.FailVerification(reason=TEXT, units=(UNITS[1],)),
    say.Cancel(reason=TEXT),
    a_blow(),
)


def helpful(whistle: Whistle) -> tuple[say.Command, ...]:
    """Return what brings the whistle nearer to its end, so that long stories are told as well as short ones."""
    if whistle.state is WhistleState.PENDING_APPROVAL:
        return (say.Approve(),)
    if whistle.state is WhistleState.VERIFYING:
        return (say.PassVerification(), say.FailVerification(reason=TEXT))
    if whistle.state is WhistleState.EVALUATING:
        missing = (task.unit for task in whistle.tasks if not task.is_evaluated)
        return tuple(say.Evaluate(unit=unit, stars=5, aspects=ALL_ASPECTS) for unit in missing)
    helps: list[say.Command] = []
    for task in whistle.tasks:
        if task.announced:
            helps.append(say.ConfirmArrival(unit=task.unit))
        elif task.state not in IN_PLACE | DELIVERED:
            helps.append(say.ReportIn(unit=task.unit, people=2, presence=Presence.VIDEO))
        elif task.state not in DELIVERED:
            helps.append(say.SubmitResult(unit=task.unit, result=TEXT))
    return tuple(helps) or ANYTHING


class AWhistle(RuleBasedStateMachine):
    """One whistle, people who say sensible and senseless things, and time."""

    @initialize(
        terms=st.sampled_from([(Kind.EMERGENCY_RESPONSE, Urgency.U1), (Kind.PUBLIC_DEMAND, Urgency.U3)]),
        started_after=st.integers(0, 60 * 24 * 60),
    )
    def open(self, terms: tuple[Kind, Urgency], started_after: int) -> None:
        """Blow."""
        self.started_at = SUNDAY_0210 + timedelta(minutes=started_after)
        blow = a_blow(a_case(*terms))
        self.opening = an_opening(a_source(), blow, at=self.started_at)
        outcome = open_whistle(self.opening, self.started_at)
        self.whistle, self.facts = outcome.whistle, list(outcome.facts)
        self.now = self.started_at
        self.moments: list[Moment] = []
        self.said = 0

    @rule(choice=st.randoms(use_true_random=False), helps=st.booleans(), after=st.integers(0, 90))
    def somebody_says_something(self, choice: Random, *, helps: bool, after: int) -> None:
        """An act is taken or refused; said again, it brings nothing."""
        command = choice.choice(helpful(self.whistle) if helps else ANYTHING)
        self.now += timedelta(minutes=after)
        self.said += 1
        act = an_act(command, f"k{self.said}", self.now)
        try:
            outcome = decide(self.whistle, act, self.now)
        except RefusedError:
            return
        self.whistle = outcome.whistle
        self.facts += outcome.facts
        self.moments.append(Moment(self.now, observes_time=False, acts=(act,)))
        assert decide(self.whistle, act, self.now).facts == ()

    @rule(hours=st.integers(0, 60))
    def time_passes(self, hours: int) -> None:
        """The engine looks at the clock."""
        self.now += timedelta(hours=hours)
        self._take(self.now)

    @precondition(lambda self: due(self.whistle) is not None)
    @rule()
    def the_next_limit_comes(self) -> None:
        """The engine wakes at exactly the instant that is due, and finds something to do."""
        at = due(self.whistle)
        assert at is not None
        self.now = max(self.now, at)
        number = self.whistle.number
        self._take(self.now)
        assert self.whistle.number > number

    def _take(self, now: datetime) -> None:
        outcome = lapse(self.whistle, now)
        self.whistle = outcome.whistle
        self.facts += outcome.facts
        self.moments.append(Moment(now, observes_time=True))

    @invariant()
    def nothing_is_left_undone(self) -> None:
        """What is due lies ahead, or the whistle would not have been looked at."""
        at = due(self.whistle)
        last = self.moments[-1].now if self.moments else self.started_at
        assert at is None or at > last

    @invariant()
    def one_unit_leads(self) -> None:
        """At most one lead at any time; none before there is a case."""
        leads = [task for task in self.whistle.tasks if task.role is Role.LEAD]
        assert len(leads) == bool(self.whistle.tasks)

    @invariant()
    def an_ended_whistle_owes_nothing(self) -> None:
        """Closing and cancelling end every limit."""
        if self.whistle.state in ENDED:
            assert due(self.whistle) is None

    def teardown(self) -> None:
        """Tell the whole story again, three ways."""
        if not hasattr(self, "whistle"):
            return
        self._take(self.now + timedelta(days=400))
        check_chain(self.facts)
        check_story(self.facts, self.whistle)
        check_folding(self.facts, self.whistle)
        again = recompute(self.opening, self.started_at, self.moments)
        assert first_difference(self.facts, again.facts) is None
        self._check_that_looking_more_often_changes_nothing()

    def _check_that_looking_more_often_changes_nothing(self) -> None:
        restless: list[Moment] = []
        before = self.started_at
        for moment in self.moments:
            pause = moment.now - before
            restless += [Moment(before + pause * i // 3, observes_time=True) for i in (1, 2)]
            restless.append(moment)
            before = moment.now
        again = recompute(self.opening, self.started_at, restless)
        assert [nominal(fact) for fact in again.facts] == [nominal(fact) for fact in self.facts]


def nominal(fact: Fact) -> tuple[object, ...]:
    """Return what of a fact does not depend on when the engine noticed."""
    return (fact.number, fact.at, fact.due_at, fact.detail)


def check_chain(facts: list[Fact]) -> None:
    """Numbered without a gap, chained, in the order of the instants they count from.

    But for one: an arrival that is denied after its limit makes a miss known that counts from before the denial.
    """
    assert first_difference(facts, facts) is None
    if not any(fact.type == "arrival_denied" for fact in facts):
        assert [fact.at for fact in facts] == sorted(fact.at for fact in facts)


def check_story(facts: list[Fact], whistle: Whistle) -> None:
    """The invariants of domain 4.3."""
    missed = [(f.detail.owner, f.detail.stage, f.detail.about, f.at) for f in facts if f.type == "limit_missed"]
    assert len(missed) == len(set(missed))
    present = {f.detail.unit: f.number for f in facts if f.type == "arrival_confirmed"}
    first = {f.detail.unit: f.number for f in reversed(facts) if f.type == "arrival_confirmed"}
    for fact in facts:
        if fact.type == "result_submitted":
            assert fact.detail.unit in present
            assert first[fact.detail.unit] < fact.number
    if whistle.state is WhistleState.CLOSED:
        assert any(fact.type == "verification_passed" for fact in facts)
        assert all(task.is_evaluated for task in whistle.tasks)
        assert whistle.lead is not None
        assert whistle.lead.state is TaskState.ACCEPTED


def check_folding(facts: list[Fact], whistle: Whistle) -> None:
    """The state is the fold of the facts, and survives being written down."""
    folded = Whistle(district=whistle.district, key=whistle.key)
    for fact in facts:
        folded = evolve(folded, Fact.model_validate_json(fact.model_dump_json()))
    assert folded == whistle
    assert WHISTLES.validate_json(WHISTLES.dump_json(whistle)) == whistle


def test_every_story_keeps_the_seven_truths() -> None:
    run_state_machine_as_test(AWhistle, settings=settings(max_examples=20, stateful_step_count=25, deadline=None))
