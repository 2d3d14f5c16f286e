"""Says why each limit is what it is, and proves it by counting again.

The facts are folded as everywhere else; for each limit this module remembers which fact set its instant last and by
which rule, and counts that rule once more on the calendar that was frozen at the time. What then comes out is compared
with what the limit says. A disagreement is shown, never repaired: it means that code and record have parted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from models.calendar import Reckoning, WorkCalendar, advance_by, worth_between, worth_of
from models.case import Addressee
from models.evolve import evolve
from models.facts import CalendarAdopted, Fact, NobodyOnDuty, NoChannel, VerificationFailed
from models.limits import ANSWERS, Limit
from models.policy import Escalation, Frozen, Stage
from models.spans import Clock
from models.telling import Told, tell_owner
from models.whistle import Whistle


class Cause(StrEnum):
    """By which rule an instant was set."""

    ISSUED = "issued"
    PROMISED = "promised"
    RESUMED = "resumed"
    REBASED = "rebased"


class CountedSegment(Frozen):
    """One stretch of time that counted."""

    start: datetime
    end: datetime


class ComingStep(Frozen):
    """What time will bring to an open limit, and who will be told; ``troubles`` are vacant posts and mute officers."""

    level: Escalation
    at: datetime
    percent: int | None
    tells: tuple[Addressee, ...]
    troubles: tuple[NobodyOnDuty | NoChannel, ...]


class LimitExplanation(Frozen):
    """One limit with its derivation.

    ``set_by`` is the number of the fact that set the instant last, ``counted_from`` and ``counted`` what was counted
    then. ``recomputed_due_at`` and ``agrees`` are None where somebody promised the instant: nothing is to be computed.
    """

    owner: str
    stage: Stage
    about: str
    base_at: datetime
    due_at: datetime
    span: str | None
    clock: Clock
    row: str
    mode: str
    calendar_version: str
    provisional: bool
    met_at: datetime | None
    missed: bool
    excused: bool
    void: bool
    escalation: Escalation | None
    cause: Cause
    set_by: int
    counted_from: datetime
    counted: timedelta
    segments: tuple[CountedSegment, ...]
    recomputed_due_at: datetime | None
    agrees: bool | None
    steps_ahead: tuple[ComingStep, ...]


@dataclass(frozen=True)
class _Derivation:
    """The last counting of one limit: so much time on its clock, from an instant, on a calendar."""

    cause: Cause
    fact: int
    start: datetime
    worth: timedelta
    reckoning: Reckoning


_Name = tuple[str, Stage, str, datetime]


@dataclass
class _Reader:
    """Follows the facts and keeps the last derivation of each limit."""

    whistle: Whistle
    derivations: dict[_Name, _Derivation] = field(default_factory=dict)

    def follow(self, fact: Fact) -> None:
        before = {_name(limit): limit for limit in self.whistle.limits}
        self.whistle = evolve(self.whistle, fact)
        limits: tuple[Limit, ...] = getattr(fact.detail, "limits", ())
        if limits:
            calendar = self.whistle.frozen_law.calendar
            for limit in limits:
                derived = _derive(fact, limit, before.get(_name(limit)), calendar)
                if derived is not None:
                    self.derivations[_name(limit)] = derived


def explain(district: str, key: str, facts: Iterable[Fact]) -> tuple[LimitExplanation, ...]:
    """Return the derivation of every limit that ``facts`` gave the whistle, in the order in which they were issued."""
    reader = _Reader(Whistle(district=district, key=key))
    for fact in facts:
        reader.follow(fact)
    whistle = reader.whistle
    return tuple(_explained(whistle, limit, reader.derivations[_name(limit)]) for limit in whistle.limits)


def _name(limit: Limit) -> _Name:
    return (limit.owner, limit.stage, limit.about, limit.base_at)


def _derive(fact: Fact, limit: Limit, before: Limit | None, calendar: WorkCalendar) -> _Derivation | None:
    """Count ``limit`` as the rule behind ``fact`` does; None if the fact left its instant alone."""
    cause, start = Cause.ISSUED, limit.base_at
    if limit.span is None:
        cause, worth = Cause.PROMISED, worth_between(calendar, start, limit.due_at, limit.clock)
    else:
        worth = worth_of(calendar, limit.span)
    if isinstance(fact.detail, VerificationFailed) and before is not None:
        if before.missed or before.met_at is None:
            return None
        cause, start = Cause.RESUMED, fact.at
        worth = worth_between(calendar, before.met_at, before.due_at, limit.clock)
    elif isinstance(fact.detail, CalendarAdopted):
        if limit.span is None:
            return None
        cause = Cause.REBASED
    return _Derivation(cause, fact.number, start, worth, advance_by(calendar, start, limit.clock, worth))


def _explained(whistle: Whistle, limit: Limit, derived: _Derivation) -> LimitExplanation:
    promised = derived.cause is Cause.PROMISED
    recomputed = derived.reckoning.due_at
    return LimitExplanation(
        owner=limit.owner,
        stage=limit.stage,
        about=limit.about,
        base_at=limit.base_at,
        due_at=limit.due_at,
        span=str(limit.span) if limit.span else None,
        clock=limit.clock,
        row=limit.row,
        mode=limit.mode,
        calendar_version=limit.calendar_version,
        provisional=limit.provisional,
        met_at=limit.met_at,
        missed=limit.missed,
        excused=limit.excused,
        void=limit.void,
        escalation=limit.escalation,
        cause=derived.cause,
        set_by=derived.fact,
        counted_from=derived.start,
        counted=derived.worth,
        segments=tuple(CountedSegment(start=x.start, end=x.end) for x in derived.reckoning.segments),
        recomputed_due_at=None if promised else recomputed,
        agrees=None if promised else recomputed == limit.due_at,
        steps_ahead=_steps_ahead(whistle, limit),
    )


def _steps_ahead(whistle: Whistle, limit: Limit) -> tuple[ComingStep, ...]:
    if not limit.is_open:
        return ()
    return tuple(
        ComingStep(level=step.level, at=step.at, percent=step.percent, tells=told.addressees, troubles=told.troubles)
        for step in limit.steps[limit.done :]
        for told in (_told(whistle, limit, step.level),)
    )


def _told(whistle: Whistle, limit: Limit, level: Escalation) -> Told:
    # An answer that stays away is kept as missed; it climbs no ladder of its own.
    return Told() if limit.stage in ANSWERS else tell_owner(whistle, limit.owner, level)
