"""What somebody owes by an instant, why that instant, and what happens on the way to it and after it.

A limit knows its own future: the warnings before it, the miss, and the rungs of the ladder above the miss are computed
once, when the limit is issued, from the frozen policy and calendar. They count from nominal instants, never from the
moment at which the engine looked, so a ladder cannot drift. A limit at exactly `now` has passed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from models.calendar import Reckoning, WorkCalendar, advance, advance_by, worth_between
from models.policy import Escalation, Kind, ModeStamp, Policy, Stage, Urgency
from models.spans import Clock, Span

# An answer that stays away is a fact, but not the start of a second ladder (E4 counts it).
ANSWERS = frozenset({Stage.REPLY, Stage.EXPLANATION})
# A missed acknowledgement is deemed given, a missed evaluation is given by default: nothing is left to chase.
DEEMED_MET = frozenset({Stage.ACK, Stage.EVALUATE})


@dataclass(frozen=True)
class Step:
    """One thing that time brings to a limit. ``percent`` is set on warnings (E0) only."""

    level: Escalation
    at: datetime
    percent: int | None = None


@dataclass(frozen=True)
class Limit:
    """One obligation with its provenance.

    ``owner`` is the unit that owes it, ``about`` what it concerns where the stage alone does not say so (the unit that
    announced its arrival, the stage and level that a reply answers). ``row`` names the line of the policy,
    ``span`` is None where the instant was promised by somebody and not computed. ``done`` counts the steps taken.
    ``excused`` marks an act that was in time at the door and late only because the engine was away.
    After rework the limit counts from ``resumed_at`` with the time that was ``left``.
    """

    owner: str
    stage: Stage
    base_at: datetime
    due_at: datetime
    clock: Clock
    row: str
    mode: str
    calendar_version: str
    steps: tuple[Step, ...]
    span: Span | None = None
    about: str = ""
    provisional: bool = False
    done: int = 0
    met_at: datetime | None = None
    missed: bool = False
    excused: bool = False
    void: bool = False
    resumed_at: datetime | None = None
    left: timedelta | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still owed."""
        return self.met_at is None and not self.void

    @property
    def next_step(self) -> Step | None:
        """What time brings next, or None if nothing does."""
        return self.steps[self.done] if self.is_open and self.done < len(self.steps) else None

    @property
    def escalation(self) -> Escalation | None:
        """The highest step taken."""
        return self.steps[self.done - 1].level if self.done else None

    def concerns(self, owner: str, stage: Stage, about: str = "") -> bool:
        """Return whether this is the limit that goes by this name."""
        return (self.owner, self.stage, self.about) == (owner, stage, about)

    def met(self, at: datetime, *, received_at: datetime | None = None) -> "Limit":
        """Return the limit met at ``at``; ``received_at`` is when the door had the act."""
        excused = self.missed and received_at is not None and received_at < self.due_at
        return replace(self, met_at=at, excused=excused)


@dataclass(frozen=True)
class Law:
    """The frozen slice of policy and calendar that one run computes its limits from."""

    policy: Policy
    calendar: WorkCalendar
    kind: Kind
    urgency: Urgency
    mode: ModeStamp

    def issue(self, owner: str, stage: Stage, base_at: datetime, about: str = "") -> Limit | None:
        """Return the limit of ``stage`` counted from ``base_at``, or None where the policy sets none."""
        row, spans = self.policy.row(self.kind, self.urgency, self.mode)
        if stage in ANSWERS:
            row, span = (
                f"replies.{'E1' if stage is Stage.REPLY else 'E2'}",
                self._answer_span(stage),
            )
        elif (named := spans.get(stage)) is None:
            return None
        else:
            span = named
        due = advance(self.calendar, base_at, span)
        bare = self._bare(owner, stage, base_at, due, f"{row}.{stage}")
        return self._with_steps(replace(bare, span=span, clock=span.clock, about=about))

    def promised(self, owner: str, stage: Stage, base_at: datetime, due_at: datetime) -> Limit:
        """Return a limit that somebody promised to the day, outside the policy's rows."""
        due = Reckoning(due_at=due_at, segments=(), provisional=False)
        return self._with_steps(self._bare(owner, stage, base_at, due, "promise"))

    def resumed(self, limit: Limit, stopped_at: datetime, now: datetime) -> Limit:
        """Return ``limit`` open again with the time that was left when it was met at ``stopped_at``.

        What was missed stays missed: its ladder goes on from the same nominal instant.
        """
        if limit.missed:
            return replace(limit, met_at=None)
        left = worth_between(self.calendar, stopped_at, limit.due_at, limit.clock)
        return self._recounted(replace(limit, met_at=None, resumed_at=now, left=left), now)

    def rebased(self, limit: Limit, now: datetime) -> Limit:
        """Return a provisional ``limit`` counted anew on this calendar, as of ``now``; what was done stays done."""
        return self._recounted(replace(limit, calendar_version=self.calendar.version), now)

    def _recounted(self, limit: Limit, now: datetime) -> Limit:
        if limit.resumed_at is not None and limit.left is not None:
            due = advance_by(self.calendar, limit.resumed_at, limit.clock, limit.left)
        elif limit.span is not None:
            due = advance(self.calendar, limit.base_at, limit.span)
        else:
            due = Reckoning(due_at=limit.due_at, segments=(), provisional=False)
        fresh = self._with_steps(replace(limit, due_at=due.due_at, provisional=due.provisional))
        # A warning for an instant that lies behind would warn of nothing.
        passed = sum(step.level is Escalation.E0 and step.at <= now for step in fresh.steps)
        return replace(fresh, done=max(limit.done, passed))

    def _answer_span(self, stage: Stage) -> Span:
        rule = self.policy.replies.E1 if stage is Stage.REPLY else self.policy.replies.E2
        return rule.K1 if self.kind is Kind.EMERGENCY_RESPONSE else rule.other

    def _bare(self, owner: str, stage: Stage, base_at: datetime, due: Reckoning, row: str) -> Limit:
        return Limit(
            owner=owner,
            stage=stage,
            base_at=base_at,
            due_at=due.due_at,
            clock=Clock.NATURAL_DAY,
            row=row,
            mode=str(self.mode),
            calendar_version=self.calendar.version,
            steps=(),
            provisional=due.provisional,
        )

    def _with_steps(self, limit: Limit) -> Limit:
        warnings = tuple(self._warnings(limit))
        rungs = [(level, advance(self.calendar, limit.due_at, span)) for level, span in self._rungs(limit.stage)]
        climbs = tuple(Step(level, rung.due_at) for level, rung in rungs)
        return replace(
            limit,
            steps=(*warnings, Step(Escalation.E1, limit.due_at), *climbs),
            provisional=limit.provisional or any(rung.provisional for _, rung in rungs),
        )

    def _warnings(self, limit: Limit) -> Iterator[Step]:
        if limit.stage not in self.policy.forewarning.stages:
            return
        worth = worth_between(self.calendar, limit.base_at, limit.due_at, limit.clock)
        for percent in self.policy.forewarning.percents:
            at = advance_by(self.calendar, limit.base_at, limit.clock, worth * percent // 100).due_at
            yield Step(Escalation.E0, at, percent)

    def _rungs(self, stage: Stage) -> Iterator[tuple[Escalation, Span]]:
        if stage in ANSWERS or stage in DEEMED_MET:
            return
        ladder = self.policy.ladder_under(self.mode)
        for level, rung in ((Escalation.E2, ladder.E2), (Escalation.E3, ladder.E3)):
            yield level, rung.U1 if self.urgency is Urgency.U1 else rung.other
