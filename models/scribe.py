"""Writes facts: numbers them, chains them, folds each into the state before the next is thought of."""

from datetime import datetime

from models.case import WhistleState
from models.commands import Act
from models.evolve import evolve
from models.facts import SYSTEM, Detail, Fact, StageEntered, WhistleClosed
from models.limits import Limit
from models.policy import AddresseeRule, Stage
from models.telling import STREET_LEADERS, STREET_VERIFIERS, Told, tell
from models.whistle import DELIVERED, GONE, IN_PLACE, TaskState, Whistle


class Scribe:
    """The pen of one decision: lives no longer than the call that made it.

    ``now`` is the instant of the decision. While ``due_at`` is set, what is entered was brought by time.
    """

    def __init__(self, whistle: Whistle, now: datetime, act: Act | None = None) -> None:
        self.whistle = whistle
        self.now = now
        self.due_at: datetime | None = None
        self.facts: list[Fact] = []
        self._act = act

    @property
    def at(self) -> datetime:
        """The instant that everything entered now counts from."""
        return self.due_at or self.now

    def enter(self, detail: Detail, told: Told | None = None) -> None:
        """Enter what the person did, or what time brought, and then what stood in the way of telling people."""
        self._append(detail, None if self.due_at else self._act)
        self._trouble(told)

    def follow(self, detail: Detail, told: Told | None = None) -> None:
        """Enter what follows by itself; nobody's act."""
        self._append(detail, None)
        self._trouble(told)

    def _trouble(self, told: Told | None) -> None:
        for trouble in told.troubles if told else ():
            self._append(trouble, None)

    def issue(self, owner: str, *stages: Stage, about: str = "") -> tuple[Limit, ...]:
        """Return the limits that the frozen policy sets for ``stages``, counted from now."""
        law = self.whistle.frozen_law
        drawn = (law.issue(owner, stage, self.at, about) for stage in stages)
        return tuple(limit for limit in drawn if limit)

    def settle(self) -> None:
        """Let the whistle move on as far as its tasks allow (T12, T19, T25)."""
        while (step := self._onward()) is not None:
            self.follow(*step)

    def _append(self, detail: Detail, act: Act | None) -> None:
        actor = act.actor if act else None
        fact = Fact(
            number=self.whistle.number + 1,
            at=self.at,
            due_at=self.due_at,
            observed_at=self.now if self.due_at else None,
            received_at=act.received_at if act else None,
            actor=actor.officer if actor else SYSTEM,
            unit=actor.unit if actor else None,
            capacity=actor.capacity if actor else None,
            key=act.key if act else None,
            command_hash=act.command_hash if act else None,
            mode=str(self.whistle.mode),
            detail=detail,
            previous_hash=self.whistle.head_hash,
        ).sealed()
        self.whistle = evolve(self.whistle, fact)
        self.facts.append(fact)

    def _onward(self) -> tuple[StageEntered | WhistleClosed, Told | None] | None:
        whistle = self.whistle
        lead = whistle.lead
        if whistle.state in {WhistleState.SOUNDED, WhistleState.MUSTERING} and lead:
            absent = tuple(t.unit for t in whistle.tasks if t.state not in IN_PLACE | GONE)
            if not absent or lead.state in {TaskState.WORKING, TaskState.SUBMITTED}:
                return StageEntered(state=WhistleState.HANDLING, absentees=absent), None
        if whistle.state is WhistleState.SOUNDED and all(task.state is not TaskState.ISSUED for task in whistle.tasks):
            return StageEntered(state=WhistleState.MUSTERING), None
        if whistle.state is WhistleState.HANDLING and lead and lead.state in DELIVERED:
            return self._entered(WhistleState.VERIFYING, Stage.VERIFY, STREET_VERIFIERS)
        if whistle.state is WhistleState.VERIFYING and lead and lead.state is TaskState.ACCEPTED:
            return self._entered(WhistleState.EVALUATING, Stage.EVALUATE, STREET_LEADERS)
        if whistle.state is WhistleState.EVALUATING and all(t.is_evaluated for t in whistle.tasks):
            limit = whistle.limit(whistle.street, Stage.EVALUATE)
            return WhistleClosed(evaluation_expired=limit is not None and limit.missed), None
        return None

    def _entered(self, state: WhistleState, stage: Stage, rule: AddresseeRule) -> tuple[StageEntered, Told]:
        street = self.whistle.street
        told = tell(self.whistle, street, [rule])
        limits = self.issue(street, stage)
        return StageEntered(state=state, limits=limits, told=told.addressees), told
