"""What doors show of a whistle: its state and its chain of facts, in the shape that others script against.

Pure projections of the state. ``models.canonical.plain`` turns a view into JSON, so that instants and spans look here
exactly as they do in what is hashed: whoever has a fact in this shape can recompute its hash.
"""

from collections.abc import Iterable
from datetime import datetime

from models.case import Aspect, Role, WhistleLevel, WhistleState
from models.facts import Detail, Fact
from models.limits import Limit
from models.organisation import Post
from models.policy import Escalation, Frozen, Kind, Phase, Stage, Urgency
from models.spans import Clock
from models.whistle import Task, TaskState, Whistle


class FactView(Frozen):
    """One line of the timeline. ``type`` stands in the detail too; everything but it and ``hash`` is hashed."""

    number: int
    type: str
    at: datetime
    due_at: datetime | None
    observed_at: datetime | None
    received_at: datetime | None
    actor: str
    unit: str | None
    capacity: Post | None
    mode: str
    key: str | None
    command_hash: str | None
    detail: Detail
    hash: str
    previous_hash: str


class LimitView(Frozen):
    """One obligation. ``span`` is None where the instant was promised; a ``void`` limit is no longer owed."""

    stage: Stage
    about: str
    due_at: datetime
    base_at: datetime
    clock: Clock
    span: str | None
    row: str
    provisional: bool
    met_at: datetime | None
    missed: bool
    excused: bool
    void: bool
    escalation: Escalation | None


class TaskView(Frozen):
    """One summoned unit with what it owes. ``deemed`` says that it never signed."""

    unit: str
    role: Role
    state: TaskState
    escalation: Escalation | None
    deemed: bool
    announced: bool
    people: int
    reworks: int
    stars: dict[Aspect, int]
    limits: tuple[LimitView, ...]


class SourceView(Frozen):
    """Where the matter came from."""

    type: str
    id: str
    community: str | None


class WhistleView(Frozen):
    """One whistle as ``show`` prints it; ``limits`` are the street's, ``number`` is None until the record gives one.

    What only a case can say (kind, urgency, policy and so on) is None as long as there is none.
    """

    id: str
    number: str | None
    state: WhistleState
    kind: Kind | None
    urgency: Urgency | None
    level: WhistleLevel | None
    street: str
    matter: str | None
    duty_item: str | None
    place: str
    text: str
    own_efforts: str | None
    source: SourceView
    mode: Phase
    mode_level: int | None
    mode_epoch: int
    policy_version: str | None
    calendar_version: str | None
    escalation: Escalation | None
    lead: str | None
    sounded_at: datetime | None
    closed_at: datetime | None
    reworks: int
    tasks: tuple[TaskView, ...]
    limits: tuple[LimitView, ...]
    facts: tuple[FactView, ...]
    head_hash: str


def whistle_view(whistle: Whistle, facts: Iterable[Fact], number: str | None) -> WhistleView:
    """Return what is shown of ``whistle``, whose facts are ``facts`` and whose display number is ``number``."""
    source, case, law = whistle.registered, whistle.case, whistle.law
    lead = whistle.lead
    return WhistleView(
        id=whistle.id,
        number=number,
        state=whistle.state,
        kind=case.kind if case else None,
        urgency=case.urgency if case else None,
        level=case.level if case else None,
        street=whistle.street,
        matter=case.matter if case else source.matter,
        duty_item=case.duty_item if case else None,
        place=case.place if case else source.place,
        text=case.text if case else source.text,
        own_efforts=case.own_efforts if case else None,
        source=SourceView(type=source.source_type, id=source.source_id, community=source.community),
        mode=whistle.mode.phase,
        mode_level=whistle.mode.level,
        mode_epoch=whistle.mode.epoch,
        policy_version=law.policy.version if law else None,
        calendar_version=law.calendar.version if law else None,
        escalation=whistle.escalation,
        lead=lead.unit if lead else None,
        sounded_at=whistle.sounded_at,
        closed_at=whistle.closed_at,
        reworks=whistle.reworks,
        tasks=tuple(_task_view(whistle, task) for task in whistle.tasks),
        limits=_limit_views(whistle, whistle.street),
        facts=timeline(facts),
        head_hash=whistle.head_hash,
    )


def timeline(facts: Iterable[Fact]) -> tuple[FactView, ...]:
    """Return ``facts`` as a timeline shows them."""
    return tuple(fact_view(fact) for fact in facts)


def fact_view(fact: Fact) -> FactView:
    """Return ``fact`` as a timeline shows it."""
    return FactView(
        number=fact.number,
        type=fact.type,
        at=fact.at,
        due_at=fact.due_at,
        observed_at=fact.observed_at,
        received_at=fact.received_at,
        actor=fact.actor,
        unit=fact.unit,
        capacity=fact.capacity,
        mode=fact.mode,
        key=fact.key,
        command_hash=fact.command_hash,
        detail=fact.detail,
        hash=fact.hash,
        previous_hash=fact.previous_hash,
    )


def _task_view(whistle: Whistle, task: Task) -> TaskView:
    return TaskView(
        unit=task.unit,
        role=task.role,
        state=task.state,
        escalation=whistle.escalation_of(task.unit),
        deemed=task.deemed,
        announced=task.announced,
        people=task.people,
        reworks=task.reworks,
        stars=dict(task.stars),
        limits=_limit_views(whistle, task.unit),
    )


def _limit_views(whistle: Whistle, owner: str) -> tuple[LimitView, ...]:
    return tuple(_limit_view(limit) for limit in whistle.limits if limit.owner == owner)


def _limit_view(limit: Limit) -> LimitView:
    return LimitView(
        stage=limit.stage,
        about=limit.about,
        due_at=limit.due_at,
        base_at=limit.base_at,
        clock=limit.clock,
        span=str(limit.span) if limit.span else None,
        row=limit.row,
        provisional=limit.provisional,
        met_at=limit.met_at,
        missed=limit.missed,
        excused=limit.excused,
        void=limit.void,
        escalation=limit.escalation,
    )
