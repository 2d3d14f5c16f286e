"""What time alone brings: warnings, missed limits, the ladder above them.

`due` says when to look next, `lapse` does what has fallen due by then, in nominal order, each step once. Engine outages
change when a fact is observed and nothing else.
"""

from dataclasses import dataclass
from datetime import datetime

from models.case import Aspect
from models.facts import AckDeemed, Escalated, EvaluationDefaulted, Fact, Forewarned, LimitMissed
from models.limits import ANSWERS, Limit
from models.policy import Escalation, Stage
from models.scribe import Scribe
from models.telling import tell_owner
from models.whistle import ENDED, Whistle


@dataclass(frozen=True)
class Outcome:
    """The state after a decision, and the facts it brought."""

    whistle: Whistle
    facts: tuple[Fact, ...]


def due(whistle: Whistle) -> datetime | None:
    """Return the next instant that matters, or None if time will bring nothing more."""
    steps = (limit.next_step for limit in whistle.limits)
    return min((step.at for step in steps if step), default=None)


def lapse(whistle: Whistle, now: datetime) -> Outcome:
    """Return the whistle with everything that fell due by ``now`` done. An instant equal to ``now`` has passed."""
    scribe = Scribe(whistle, now)
    while (limit := _next_due(scribe.whistle, now)) is not None:
        step = limit.next_step
        scribe.due_at = step.at if step else None
        _take_step(scribe, limit)
        scribe.settle()
    return Outcome(scribe.whistle, tuple(scribe.facts))


def _next_due(whistle: Whistle, now: datetime) -> Limit | None:
    """Return the open limit whose next step comes first; of two in the same instant the one issued first."""
    if whistle.state in ENDED:
        return None
    pending = [(step.at, limit) for limit in whistle.limits if (step := limit.next_step) and step.at <= now]
    return min(pending, key=lambda pair: pair[0])[1] if pending else None


def _take_step(scribe: Scribe, limit: Limit) -> None:
    step = limit.next_step
    if step is None:
        return
    owner, stage, about = limit.owner, limit.stage, limit.about
    if step.level is Escalation.E0:
        told = tell_owner(scribe.whistle, owner, step.level)
        detail = Forewarned(
            owner=owner,
            stage=stage,
            about=about,
            percent=step.percent or 0,
            limit_due_at=limit.due_at,
            told=told.addressees,
        )
        scribe.enter(detail, told)
        return
    if step.level is Escalation.E1:
        scribe.enter(LimitMissed(owner=owner, stage=stage, about=about))
        if stage in ANSWERS:
            return
    _climb(scribe, limit, step.level)
    if step.level is Escalation.E1:
        _deem(scribe, limit)


def _climb(scribe: Scribe, limit: Limit, level: Escalation) -> None:
    told = tell_owner(scribe.whistle, limit.owner, level)
    about = f"{limit.stage}:{limit.about}" if limit.about else limit.stage.value
    answer = {Escalation.E1: Stage.REPLY, Escalation.E2: Stage.EXPLANATION}.get(level)
    scribe.enter(
        Escalated(
            owner=limit.owner,
            stage=limit.stage,
            about=limit.about,
            level=level,
            told=told.addressees,
            limits=scribe.issue(limit.owner, answer, about=about) if answer else (),
        ),
        told,
    )


def _deem(scribe: Scribe, limit: Limit) -> None:
    if limit.stage is Stage.ACK:
        scribe.enter(AckDeemed(unit=limit.owner))
    elif limit.stage is Stage.EVALUATE:
        stars = scribe.whistle.frozen_law.policy.evaluation.default_stars
        for task in scribe.whistle.tasks:
            scored = {aspect for aspect, _ in task.stars}
            missing = tuple(aspect for aspect in Aspect if aspect not in scored)
            if missing:
                scribe.enter(EvaluationDefaulted(unit=task.unit, stars=stars, aspects=missing))
