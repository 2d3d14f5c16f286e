"""One whistle as it stands: the fold of its facts, and the questions that rules ask of it."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from models.case import Addressee, Aspect, Case, Party, Role, WhistleState
from models.facts import SourceRegistered, genesis
from models.limits import Law, Limit
from models.organisation import Post, UnitKind
from models.policy import NORMAL, Escalation, ModeStamp, Relation, Stage
from models.refusals import Reason, RefusedError


class TaskState(StrEnum):
    """The states of a summoned unit (domain 4.2)."""

    ISSUED = "ISSUED"
    ACKED = "ACKED"
    CONTACTED = "CONTACTED"
    REPORTED_IN = "REPORTED_IN"
    WORKING = "WORKING"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    RETURNED = "RETURNED"
    STOOD_DOWN = "STOOD_DOWN"
    WAIVED = "WAIVED"


IN_PLACE = frozenset(
    {
        TaskState.REPORTED_IN,
        TaskState.WORKING,
        TaskState.RETURNED,
        TaskState.SUBMITTED,
        TaskState.ACCEPTED,
    }
)
GONE = frozenset({TaskState.STOOD_DOWN, TaskState.WAIVED})
DELIVERED = frozenset({TaskState.SUBMITTED, TaskState.ACCEPTED}) | GONE
ANSWERING = frozenset({WhistleState.SOUNDED, WhistleState.MUSTERING, WhistleState.HANDLING})
ENDED = frozenset({WhistleState.CLOSED, WhistleState.CANCELLED})


@dataclass(frozen=True)
class Task:
    """What one summoned unit owes. ``announced`` is set between its announcement and the street's confirmation.

    ``people`` is the number last announced; ``hands`` are the officers who acted for the unit (separation of duties);
    ``stars`` holds one score for each aspect.
    """

    unit: str
    role: Role
    state: TaskState = TaskState.ISSUED
    deemed: bool = False
    announced: bool = False
    people: int = 0
    reworks: int = 0
    hands: tuple[str, ...] = ()
    stars: tuple[tuple[Aspect, int], ...] = ()

    @property
    def is_evaluated(self) -> bool:
        """Whether every aspect has a score."""
        return {aspect for aspect, _ in self.stars} == set(Aspect)


@dataclass(frozen=True)
class Mark:
    """An idempotency key that was used, and what for: the hash of the command and the facts it gave."""

    key: str
    command_hash: str
    first: int
    last: int


@dataclass(frozen=True)
class Whistle:
    """The state of one run. ``number`` and ``head_hash`` are those of the last fact; before it 0 and the genesis."""

    district: str
    key: str
    state: WhistleState = WhistleState.DRAFT
    source: SourceRegistered | None = None
    case: Case | None = None
    law: Law | None = None
    parties: tuple[Party, ...] = ()
    mode: ModeStamp = NORMAL
    submitted_by: str | None = None
    sounded_by: str | None = None
    sounded_in: Post | None = None
    sounded_at: datetime | None = None
    closed_at: datetime | None = None
    tasks: tuple[Task, ...] = ()
    limits: tuple[Limit, ...] = ()
    reworks: int = 0
    number: int = 0
    head_hash: str = ""
    marks: tuple[Mark, ...] = ()

    def __post_init__(self) -> None:
        if not self.head_hash:
            object.__setattr__(self, "head_hash", genesis(self.id))

    @property
    def id(self) -> str:
        """The workflow id."""
        return f"whistle/{self.district}/{self.key}"

    @property
    def street(self) -> str:
        """The street that blows."""
        return self.registered.street

    @property
    def registered(self) -> SourceRegistered:
        """The source; every whistle starts with one."""
        if self.source is None:
            raise RefusedError(Reason.NOT_IN_STATE, state="-")
        return self.source

    @property
    def sounded_case(self) -> Case:
        """The case, once the street has put it."""
        if self.case is None:
            raise RefusedError(Reason.NOT_IN_STATE, state=self.state)
        return self.case

    @property
    def frozen_law(self) -> Law:
        """The law, frozen when the case was put."""
        if self.law is None:
            raise RefusedError(Reason.NOT_IN_STATE, state=self.state)
        return self.law

    @property
    def lead(self) -> Task | None:
        """The one task that leads."""
        return next((task for task in self.tasks if task.role is Role.LEAD), None)

    @property
    def escalation(self) -> Escalation | None:
        """The highest level any limit of this whistle has reached."""
        return max((level for limit in self.limits if (level := limit.escalation)), default=None)

    def escalation_of(self, unit: str) -> Escalation | None:
        """Return the highest level any limit that ``unit`` owes has reached."""
        levels = (limit.escalation for limit in self.limits if limit.owner == unit)
        return max((level for level in levels if level), default=None)

    def task(self, unit: str) -> Task:
        """Return the task of ``unit``.

        Raises:
            RefusedError: if it was not summoned.
        """
        for task in self.tasks:
            if task.unit == unit:
                return task
        raise RefusedError(Reason.NOT_SUMMONED, unit=unit)

    def party(self, unit: str) -> Party | None:
        """Return what is frozen of ``unit``, or None if it has no part in this whistle."""
        return next((party for party in self.parties if party.unit == unit), None)

    def limit(self, owner: str, stage: Stage, about: str = "") -> Limit | None:
        """Return the limit that goes by this name, if there is one."""
        return next((x for x in reversed(self.limits) if x.concerns(owner, stage, about)), None)

    def related(self, relation: Relation, owner: str) -> Party | None:
        """Return the party that stands in ``relation`` to a limit that ``owner`` owes."""
        match relation:
            case Relation.UNIT:
                return self.party(owner)
            case Relation.STREET:
                return self.party(self.street)
            case Relation.COMMAND_CENTRE:
                return self._first(UnitKind.COMMAND_CENTRE)
            case Relation.DISTRICT:
                return self._first(UnitKind.DISTRICT)

    def with_task(self, changed: Task) -> "Whistle":
        """Return the whistle with ``changed`` in the place of the unit's task."""
        return replace(self, tasks=tuple(changed if task.unit == changed.unit else task for task in self.tasks))

    def _first(self, kind: UnitKind) -> Party | None:
        return next((party for party in self.parties if party.kind is kind), None)


HEAD_POSTS: dict[UnitKind, tuple[Post, ...]] = {
    UnitKind.DISTRICT: (Post.DISTRICT_LEADER,),
    UnitKind.COMMAND_CENTRE: (Post.COMMAND_CENTRE_DUTY_OFFICER, Post.COMMAND_CENTRE_DIRECTOR),
    UnitKind.STREET: (Post.STREET_COMMANDER, Post.STREET_DIRECTOR),
    UnitKind.DEPARTMENT: (Post.DEPT_HEAD,),
    UnitKind.UTILITY: (Post.DEPT_HEAD,),
    UnitKind.DISPATCHED_OFFICE: (Post.DISPATCHED_OFFICE_HEAD,),
}


def holders(party: Party, posts: tuple[Post, ...]) -> tuple[Addressee, ...]:
    """Return who holds one of ``posts`` in ``party``, in the order of the posts."""
    return tuple(
        Addressee(officer=officer, unit=party.unit, post=post, reachable=reachable)
        for wanted in posts
        for post, officer, reachable in party.posts
        if post is wanted
    )
