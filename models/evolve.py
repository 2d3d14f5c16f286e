"""Folds one fact into the state. Nothing is decided here: whatever a fact says has happened.

The live run, the record and the auditor all come through this one function, so they cannot disagree.
"""

from dataclasses import replace
from functools import singledispatch

from pydantic import BaseModel

from models import facts
from models.case import WhistleState
from models.facts import Fact
from models.limits import Law, Limit
from models.policy import Escalation, Stage
from models.whistle import ENDED, Mark, Task, TaskState, Whistle


def evolve(whistle: Whistle, fact: Fact) -> Whistle:
    """Return ``whistle`` after ``fact``."""
    changed = _fold(fact.detail, whistle, fact)
    if changed.state in ENDED and whistle.state not in ENDED:
        over = tuple(replace(x, void=True) if x.is_open else x for x in changed.limits)
        changed = replace(changed, limits=over, closed_at=fact.at)
    return replace(changed, number=fact.number, head_hash=fact.hash, marks=_marks(changed, fact))


def _marks(whistle: Whistle, fact: Fact) -> tuple[Mark, ...]:
    if fact.key is None or fact.command_hash is None:
        return whistle.marks
    if whistle.marks and whistle.marks[-1].key == fact.key:
        return (*whistle.marks[:-1], replace(whistle.marks[-1], last=fact.number))
    return (*whistle.marks, Mark(fact.key, fact.command_hash, fact.number, fact.number))


@singledispatch
def _fold(detail: BaseModel, whistle: Whistle, fact: Fact) -> Whistle:
    raise NotImplementedError(f"no fold for {type(detail).__name__} at fact {fact.number} of {whistle.id}")


def _meet(whistle: Whistle, fact: Fact, owner: str, *stages: Stage, about: str = "") -> Whistle:
    def met(limit: Limit) -> Limit:
        named = limit.owner == owner and limit.stage in stages and limit.about == about
        return limit.met(fact.at, received_at=fact.received_at) if named and limit.is_open else limit

    return replace(whistle, limits=tuple(met(limit) for limit in whistle.limits))


def _issue(whistle: Whistle, limits: tuple[Limit, ...]) -> Whistle:
    """Put ``limits`` in the place of those with the same name and base, and add the rest."""
    fresh = {(x.owner, x.stage, x.about, x.base_at): x for x in limits}
    kept = tuple(fresh.pop((x.owner, x.stage, x.about, x.base_at), x) for x in whistle.limits)
    return replace(whistle, limits=(*kept, *fresh.values()))


def _void(whistle: Whistle, unit: str) -> Whistle:
    """End what ``unit`` owes, and what others owe because of it."""

    def left(limit: Limit) -> Limit:
        return replace(limit, void=True) if unit in {limit.owner, limit.about} and limit.is_open else limit

    return replace(whistle, limits=tuple(left(limit) for limit in whistle.limits))


def _hand(task: Task, fact: Fact) -> Task:
    if fact.actor in task.hands or fact.unit != task.unit:
        return task
    return replace(task, hands=(*task.hands, fact.actor))


@_fold.register
def _source_registered(detail: facts.SourceRegistered, whistle: Whistle, fact: Fact) -> Whistle:
    return replace(whistle, source=detail, state=WhistleState.DRAFT)


@_fold.register
def _whistle_submitted(detail: facts.WhistleSubmitted, whistle: Whistle, fact: Fact) -> Whistle:
    case = detail.case
    law = Law(detail.policy, detail.calendar, case.kind, case.urgency, detail.stamp)
    tasks = tuple(Task(unit=x.unit, role=x.role) for x in case.summons)
    put = replace(
        whistle,
        state=WhistleState.PENDING_APPROVAL,
        case=case,
        law=law,
        mode=detail.stamp,
        parties=detail.parties,
        submitted_by=fact.actor,
        tasks=tasks,
    )
    return _issue(put, detail.limits)


@_fold.register
def _sounding_approved(detail: facts.SoundingApproved, whistle: Whistle, fact: Fact) -> Whistle:
    return _meet(whistle, fact, whistle.street, Stage.APPROVE)


@_fold.register
def _sounding_rejected(detail: facts.SoundingRejected, whistle: Whistle, fact: Fact) -> Whistle:
    answered = _meet(whistle, fact, whistle.street, Stage.APPROVE)
    return replace(answered, state=WhistleState.DRAFT, tasks=())


@_fold.register
def _whistle_sounded(detail: facts.WhistleSounded, whistle: Whistle, fact: Fact) -> Whistle:
    sounded = replace(
        whistle,
        state=WhistleState.SOUNDED,
        sounded_at=fact.at,
        sounded_by=fact.actor,
        sounded_in=fact.capacity,
    )
    return _issue(sounded, detail.limits)


@_fold.register
def _sounding_confirmed(detail: facts.SoundingConfirmed, whistle: Whistle, fact: Fact) -> Whistle:
    return _meet(whistle, fact, whistle.street, Stage.CONFIRM_SOUNDING)


@_fold.register
def _acknowledged(detail: facts.Acknowledged, whistle: Whistle, fact: Fact) -> Whistle:
    task = _hand(replace(whistle.task(detail.unit), state=TaskState.ACKED), fact)
    return _meet(whistle.with_task(task), fact, detail.unit, Stage.ACK)


@_fold.register
def _ack_deemed(detail: facts.AckDeemed, whistle: Whistle, fact: Fact) -> Whistle:
    task = replace(whistle.task(detail.unit), state=TaskState.ACKED, deemed=True)
    return _meet(whistle.with_task(task), fact, detail.unit, Stage.ACK)


@_fold.register
def _street_contacted(detail: facts.StreetContacted, whistle: Whistle, fact: Fact) -> Whistle:
    task = whistle.task(detail.unit)
    if task.state is TaskState.ACKED:
        task = replace(task, state=TaskState.CONTACTED)
    return _meet(whistle.with_task(_hand(task, fact)), fact, detail.unit, Stage.CONTACT)


@_fold.register
def _arrival_announced(detail: facts.ArrivalAnnounced, whistle: Whistle, fact: Fact) -> Whistle:
    task = replace(whistle.task(detail.unit), announced=True, people=detail.people)
    met = _meet(whistle.with_task(_hand(task, fact)), fact, detail.unit, Stage.REPORT_IN)
    return _issue(met, detail.limits)


@_fold.register
def _arrival_confirmed(detail: facts.ArrivalConfirmed, whistle: Whistle, fact: Fact) -> Whistle:
    task = replace(whistle.task(detail.unit), announced=False, state=TaskState.REPORTED_IN)
    # Whoever stands there has spoken with the street.
    met = _meet(whistle.with_task(task), fact, detail.unit, Stage.CONTACT)
    return _meet(met, fact, whistle.street, Stage.CONFIRM_ARRIVAL, about=detail.unit)


@_fold.register
def _arrival_denied(detail: facts.ArrivalDenied, whistle: Whistle, fact: Fact) -> Whistle:
    task = replace(whistle.task(detail.unit), announced=False, people=0)
    met = _meet(whistle.with_task(task), fact, whistle.street, Stage.CONFIRM_ARRIVAL, about=detail.unit)
    limit = met.limit(detail.unit, Stage.REPORT_IN)
    return _issue(met, (replace(limit, met_at=None, excused=False),)) if limit else met


@_fold.register
def _stage_entered(detail: facts.StageEntered, whistle: Whistle, fact: Fact) -> Whistle:
    return _issue(replace(whistle, state=detail.state), detail.limits)


@_fold.register
def _progress_reported(detail: facts.ProgressReported, whistle: Whistle, fact: Fact) -> Whistle:
    task = whistle.task(detail.unit)
    if task.state in {TaskState.REPORTED_IN, TaskState.RETURNED}:
        task = replace(task, state=TaskState.WORKING)
    met = _meet(whistle.with_task(_hand(task, fact)), fact, detail.unit, Stage.SITUATION)
    return _meet(met, fact, detail.unit, Stage.PLAN) if detail.plan else met


@_fold.register
def _result_submitted(detail: facts.ResultSubmitted, whistle: Whistle, fact: Fact) -> Whistle:
    task = _hand(replace(whistle.task(detail.unit), state=TaskState.SUBMITTED), fact)
    done = (Stage.SUPPORT, Stage.RESOLVE, Stage.SITUATION, Stage.PLAN)
    return _meet(whistle.with_task(task), fact, detail.unit, *done)


@_fold.register
def _result_waived(detail: facts.ResultWaived, whistle: Whistle, fact: Fact) -> Whistle:
    task = _hand(replace(whistle.task(detail.unit), state=TaskState.WAIVED, announced=False), fact)
    return _void(whistle.with_task(task), detail.unit)


@_fold.register
def _verification_passed(detail: facts.VerificationPassed, whistle: Whistle, fact: Fact) -> Whistle:
    accepted = tuple(
        replace(task, state=TaskState.ACCEPTED) if task.state is TaskState.SUBMITTED else task for task in whistle.tasks
    )
    return _meet(replace(whistle, tasks=accepted), fact, whistle.street, Stage.VERIFY)


@_fold.register
def _verification_failed(detail: facts.VerificationFailed, whistle: Whistle, fact: Fact) -> Whistle:
    returned = tuple(
        replace(task, state=TaskState.RETURNED, reworks=task.reworks + 1) if task.unit in detail.returned else task
        for task in whistle.tasks
    )
    back = replace(whistle, tasks=returned, state=WhistleState.HANDLING, reworks=whistle.reworks + 1)
    return _issue(_meet(back, fact, whistle.street, Stage.VERIFY), detail.limits)


@_fold.register
def _unit_evaluated(detail: facts.UnitEvaluated, whistle: Whistle, fact: Fact) -> Whistle:
    scored = whistle.with_task(_scored(whistle.task(detail.unit), detail))
    done = all(task.is_evaluated for task in scored.tasks)
    return _meet(scored, fact, whistle.street, Stage.EVALUATE) if done else scored


@_fold.register
def _evaluation_defaulted(detail: facts.EvaluationDefaulted, whistle: Whistle, fact: Fact) -> Whistle:
    return whistle.with_task(_scored(whistle.task(detail.unit), detail))


def _scored(task: Task, detail: facts.UnitEvaluated | facts.EvaluationDefaulted) -> Task:
    stars = dict(task.stars) | dict.fromkeys(detail.aspects, detail.stars)
    return replace(task, stars=tuple(sorted(stars.items())))


@_fold.register
def _whistle_closed(detail: facts.WhistleClosed, whistle: Whistle, fact: Fact) -> Whistle:
    return replace(whistle, state=WhistleState.CLOSED)


@_fold.register
def _whistle_cancelled(detail: facts.WhistleCancelled, whistle: Whistle, fact: Fact) -> Whistle:
    return replace(whistle, state=WhistleState.CANCELLED)


@_fold.register
def _unit_stood_down(detail: facts.UnitStoodDown, whistle: Whistle, fact: Fact) -> Whistle:
    task = replace(whistle.task(detail.unit), state=TaskState.STOOD_DOWN)
    return _void(whistle.with_task(task), detail.unit)


def _step(whistle: Whistle, owner: str, stage: Stage, about: str, *, missed: bool) -> Whistle:
    limit = whistle.limit(owner, stage, about)
    if limit is None:
        return whistle
    return _issue(whistle, (replace(limit, done=limit.done + 1, missed=limit.missed or missed),))


@_fold.register
def _forewarned(detail: facts.Forewarned, whistle: Whistle, fact: Fact) -> Whistle:
    return _step(whistle, detail.owner, detail.stage, detail.about, missed=False)


@_fold.register
def _limit_missed(detail: facts.LimitMissed, whistle: Whistle, fact: Fact) -> Whistle:
    return _step(whistle, detail.owner, detail.stage, detail.about, missed=True)


@_fold.register
def _escalated(detail: facts.Escalated, whistle: Whistle, fact: Fact) -> Whistle:
    # The first rung is the miss itself, which has taken the step.
    if detail.level is not Escalation.E1:
        whistle = _step(whistle, detail.owner, detail.stage, detail.about, missed=True)
    return _issue(whistle, detail.limits)


@_fold.register
def _replied(detail: facts.Replied, whistle: Whistle, fact: Fact) -> Whistle:
    stage = Stage.REPLY if detail.level is Escalation.E1 else Stage.EXPLANATION
    for limit in whistle.limits:
        if limit.owner == detail.unit and limit.stage is stage:
            whistle = _meet(whistle, fact, limit.owner, stage, about=limit.about)
    return whistle


@_fold.register
def _calendar_adopted(detail: facts.CalendarAdopted, whistle: Whistle, fact: Fact) -> Whistle:
    law = replace(whistle.frozen_law, calendar=detail.calendar)
    return _issue(replace(whistle, law=law), detail.limits)


@_fold.register(facts.NobodyOnDuty)
@_fold.register(facts.NoChannel)
@_fold.register(facts.NoticeFailed)
def _only_noted(detail: BaseModel, whistle: Whistle, fact: Fact) -> Whistle:
    return whistle
