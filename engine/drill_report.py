"""Adds a drill up. Every count comes from the facts that the engine produced, none from the plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from models.case import CancelCause, WhistleState
from models.expectations import Played
from models.facts import WhistleCancelled
from models.policy import Escalation, Stage
from models.punctuality import (
    Percentiles,
    Punctuality,
    escalations,
    lateness,
    missed,
    on_time,
    percentiles,
)


@dataclass(frozen=True)
class DrillReport:
    """What came out. ``late`` were promised to the day, ``late_by_policy`` had no promise; both are closed whistles.

    ``virtual_time`` is what the whistles lived through, all together.
    """

    whistles: int
    resolved: int
    late: int
    late_by_policy: int
    without_promise: int
    cancelled: int
    referred: int
    open: int
    escalations: Mapping[Escalation, int]
    engine_lateness: Percentiles
    on_time: tuple[Punctuality, ...]
    virtual_time: timedelta


def report_on(played: Iterable[Played]) -> DrillReport:
    """Return the report on a drill."""
    all_played = tuple(played)
    facts = tuple(fact for each in all_played for fact in each.facts)
    closed = [each for each in all_played if each.whistle.state is WhistleState.CLOSED]
    causes = [fact.detail.cause for fact in facts if isinstance(fact.detail, WhistleCancelled)]
    referred = causes.count(CancelCause.REFERRED_OUT)
    return DrillReport(
        whistles=len(all_played),
        resolved=len(closed),
        late=sum(_was_late(each) for each in closed if _was_promised(each)),
        late_by_policy=sum(_was_late(each) for each in closed if not _was_promised(each)),
        without_promise=sum(not _was_promised(each) for each in all_played),
        cancelled=len(causes) - referred,
        referred=referred,
        open=len(all_played) - len(closed) - len(causes),
        escalations=escalations(facts),
        engine_lateness=percentiles(lateness(facts)),
        on_time=on_time(each.whistle for each in all_played),
        virtual_time=sum((each.facts[-1].at - each.facts[0].at for each in all_played), timedelta()),
    )


def _was_promised(played: Played) -> bool:
    case = played.whistle.case
    return case is not None and case.promised_at is not None


def _was_late(played: Played) -> bool:
    lead = played.whistle.lead
    return lead is not None and missed(played.whistle, played.facts, lead.unit, Stage.RESOLVE)
