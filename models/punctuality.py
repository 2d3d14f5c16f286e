"""Counts who was on time, how far what was late went up, and how late the engine itself was.

Everything is counted from facts. A limit counts once it is settled: met in time, or missed. One that is still running,
or was dropped before it ran out, says nothing; an act that was in time at the door and late only because the engine was
away is exempt (the facts stay). What the rates mean is domain.md 8.2: tasks done by the limit over tasks due.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from models.facts import Escalated, Fact, Forewarned, LimitMissed
from models.limits import Limit
from models.policy import Escalation, Stage
from models.whistle import Whistle


@dataclass(frozen=True)
class Punctuality:
    """How many of the settled limits of one stage a unit met in time."""

    unit: str
    stage: Stage
    settled: int
    on_time: int

    @property
    def percent(self) -> int:
        """The share that was on time, rounded down: 100 means all of them. There is always at least one limit."""
        return self.on_time * 100 // self.settled


@dataclass(frozen=True)
class Percentiles:
    """How something that is measured is spread; all None where nothing was measured."""

    p50: timedelta | None
    p99: timedelta | None
    max: timedelta | None


def on_time(whistles: Iterable[Whistle]) -> tuple[Punctuality, ...]:
    """Return the rates for each unit and stage that has a settled limit, by unit, then in the order of stages."""
    settled: Counter[tuple[str, Stage]] = Counter()
    met: Counter[tuple[str, Stage]] = Counter()
    for whistle in whistles:
        for limit in whistle.limits:
            if is_settled(limit):
                settled[limit.owner, limit.stage] += 1
                met[limit.owner, limit.stage] += not limit.missed
    order = list(Stage)
    return tuple(
        Punctuality(unit, stage, settled[unit, stage], met[unit, stage])
        for unit, stage in sorted(settled, key=lambda name: (name[0], order.index(name[1])))
    )


def is_settled(limit: Limit) -> bool:
    """Return whether a limit tells of punctuality."""
    return not limit.excused and (limit.missed or limit.met_at is not None)


def missed(whistle: Whistle, facts: Iterable[Fact], owner: str, stage: Stage) -> bool:
    """Return whether facts say that ``owner`` missed ``stage``, and nothing excuses it."""
    limit = whistle.limit(owner, stage)
    if limit is not None and limit.excused:
        return False
    return any(
        isinstance(fact.detail, LimitMissed) and (fact.detail.owner, fact.detail.stage) == (owner, stage)
        for fact in facts
    )


def escalations(facts: Iterable[Fact]) -> Mapping[Escalation, int]:
    """Return how often each level was reached, also those that never were."""
    reached: Counter[Escalation] = Counter()
    for fact in facts:
        if isinstance(fact.detail, Forewarned):
            reached[Escalation.E0] += 1
        elif isinstance(fact.detail, Escalated):
            reached[fact.detail.level] += 1
    return {level: reached[level] for level in Escalation}


def lateness(facts: Iterable[Fact]) -> tuple[timedelta, ...]:
    """Return how long after its nominal instant the engine noticed each thing that time brought."""
    return tuple(fact.observed_at - fact.due_at for fact in facts if fact.observed_at and fact.due_at)


def percentiles(measured: Sequence[timedelta]) -> Percentiles:
    """Return the median, the 99th percentile and the largest, each one of the values that were measured."""
    if not measured:
        return Percentiles(None, None, None)
    ranked = sorted(measured)
    return Percentiles(_nearest_rank(ranked, 50), _nearest_rank(ranked, 99), ranked[-1])


def _nearest_rank(ranked: Sequence[timedelta], percent: int) -> timedelta:
    rank = -(-len(ranked) * percent // 100)
    return ranked[rank - 1]
