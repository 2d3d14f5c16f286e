"""Plays one whistle of a drill through the real door on a clock of its own, whatever date that shows.

Its clock starts a moment after the script's, never before, and the limits that an act issues count from the moment at
which the run took it. All that follows is shifted by that moment, at the door as in the run: an act at exactly a limit
comes when the limit has passed, and is late.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import WorkflowHandle

from activities.queries import facts_of
from engine.drill_rig import DrillRig
from models.authority import capacities
from models.case import Case
from models.commands import Actor, Blow, Command, RegisterSource
from models.evolve import evolve
from models.expectations import Played
from models.facts import Fact, SourceRegistered
from models.lapse import due
from models.organisation import UnknownOfficerError
from models.parties import freeze_parties
from models.profile import Profile
from models.whistle import Whistle
from workflows.client import Done
from workflows.whistle import Ending

# The offset of a run is in whole seconds; rounded up, its clock never starts early.
_A_SECOND = timedelta(seconds=1)
# Some 20 s: a run notices what is due within a second or so.
_LOOKS_AT_MOST = 400
_LOOK_AGAIN_SECONDS = 0.05


class DrillBrokenError(Exception):
    """A drill came to something that its own plan leaves no room for: a fault of the plan or of the program."""


class DrilledWhistle:
    """One whistle of a drill. Its keys are numbered, so the same plan says the same things twice."""

    def __init__(self, rig: DrillRig, profile: Profile, key: str, starts_at: datetime) -> None:
        self.id = f"whistle/{profile.code}/{key}"
        self._rig = rig
        self._profile = profile
        self._key = key
        self._starts_at = starts_at
        self._at = starts_at
        self._offset = timedelta()
        self._behind = timedelta()
        self._said = 0
        self._door = rig.door(lambda: self._now)

    async def open(self, commands: Sequence[Command], officer: str) -> Done:
        """Let one officer say the first things, at the start."""
        self._offset = (self._starts_at - self._rig.now()) // _A_SECOND * _A_SECOND + _A_SECOND
        actor = actor_for(self._profile, officer, commands[-1], self._starts_at)
        done = await self._door.open(self._profile.code, self._key, commands, actor, drill_offset=self._offset)
        self._fall_behind(done)
        return done

    async def reach(self, instant: datetime) -> bool:
        """Let time pass up to ``instant``; return False if the whistle ends before, or has ended."""
        self._at = max(self._at, instant)
        return await self._rig.clock.advance_to(self._handle, self._now - self._offset)

    async def say(self, command: Command, officer: str) -> Done:
        """Let an officer say something, now.

        Raises:
            RefusedError: if the rules say no.
        """
        self._said += 1
        actor = actor_for(self._profile, officer, command, self._at)
        done = await self._door.act(self.id, command, actor, f"{self._key[:50]}.{self._said}")
        self._fall_behind(done)
        return done

    async def seen(self) -> Played:
        """Return the whistle when the engine has noticed all that is due by now; it does so a moment late.

        Raises:
            DrillBrokenError: if it does not.
        """
        for _ in range(_LOOKS_AT_MOST):
            played = await self._played()
            next_due = due(played.whistle)
            if next_due is None or next_due > self._now:
                return played
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        raise DrillBrokenError(f"{self.id} does not notice what is due at {self._at}")

    async def _played(self) -> Played:
        # In this order: a fact leaves the run only after the record has it.
        unrecorded = await self._door.unrecorded(self.id)
        recorded = await asyncio.to_thread(self._recorded)
        chain = {fact.number: fact for fact in (*unrecorded, *recorded)}
        return self._folded(tuple(chain[number] for number in sorted(chain)))

    async def ended(self) -> Played:
        """Return the whistle when its run is over: what the record has then, held against what the run said last.

        Raises:
            DrillBrokenError: if the two tell different stories.
        """
        ending: Ending = await self._handle.result()
        played = self._folded(await asyncio.to_thread(self._recorded))
        if (played.whistle.number, played.whistle.head_hash) != (ending.number, ending.head_hash):
            raise DrillBrokenError(f"the record of {self.id} ends at {played.whistle.number}, not at {ending.number}")
        return played

    @property
    def _now(self) -> datetime:
        return self._at + self._behind

    def _fall_behind(self, done: Done) -> None:
        """Keep up with the latest act from which limits are counted."""
        issued = (fact.at for fact in done.facts if fact.due_at is None and bool(getattr(fact.detail, "limits", ())))
        self._behind = max((self._behind, *(at - self._at for at in issued)))

    @property
    def _handle(self) -> WorkflowHandle[Any, Any]:
        return self._rig.client.get_workflow_handle(self.id, result_type=Ending)

    def _recorded(self) -> tuple[Fact, ...]:
        with self._rig.database.reading() as session:
            return facts_of(session, self.id)

    def _folded(self, facts: tuple[Fact, ...]) -> Played:
        whistle = Whistle(district=self._profile.code, key=self._key)
        for fact in facts:
            whistle = evolve(whistle, fact)
        return Played(whistle, facts)


def opening_of(profile: Profile, source: SourceRegistered, case: Case, at: datetime) -> tuple[Command, Command]:
    """Return what a street says to register a source and to blow at once, under the profile's law."""
    units = tuple(summons.unit for summons in case.summons)
    day = at.astimezone(profile.calendar.tz).date()
    return (
        RegisterSource(**source.model_dump(exclude={"type"})),
        Blow(
            case=case,
            policy=profile.policy,
            calendar=profile.calendar.frozen_for(at),
            parties=freeze_parties(profile.organisation, source.street, units, day),
        ),
    )


def actor_for(profile: Profile, officer: str, command: Command, at: datetime) -> Actor:
    """Return the officer in the first office that may say it; in any office of theirs if none may, to be refused.

    Raises:
        DrillBrokenError: if the profile has no such officer, or none with an office on that day.
    """
    day = at.astimezone(profile.calendar.tz).date()
    try:
        held = profile.organisation.posts_of(officer, day)
    except UnknownOfficerError as error:
        raise DrillBrokenError(f"the profile has no officer {officer}") from error
    fitting = [each for each in held if capacities(command.verb, frozenset({each.post}))]
    office = next(iter((*fitting, *held)), None)
    if office is None:
        raise DrillBrokenError(f"{officer} holds no office on {day}")
    return Actor(officer=officer, unit=office.unit, capacity=office.post)
