"""Plays a script line by line and checks what it expects; whoever watches is told of each thing as it comes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from engine.drill import DrillBrokenError, DrilledWhistle, opening_of
from engine.drill_rig import DrillRig
from models.expectations import Played, Shortfall, Subject, unmet
from models.facts import Fact, SourceRegistered
from models.near_misses import UnknownCodeError
from models.profile import Profile
from models.refusals import RefusedError
from models.scenario import Expectation, Scenario, ScriptedAct, ScriptedWhistle


@dataclass(frozen=True)
class Begun:
    """The next whistle of the script starts."""

    script: ScriptedWhistle


@dataclass(frozen=True)
class Happened:
    """A fact has come about."""

    fact: Fact


@dataclass(frozen=True)
class Refused:
    """The rules said no."""

    at: datetime
    act: ScriptedAct
    refusal: RefusedError

    @property
    def was_expected(self) -> bool:
        """Whether the script foresaw it, for this reason."""
        return self.act.refused is self.refusal.reason


@dataclass(frozen=True)
class Checked:
    """An expectation was checked; ``shortfalls`` is empty if it holds."""

    at: datetime
    expectation: Expectation
    shortfalls: tuple[Shortfall, ...]


Beat: TypeAlias = Begun | Happened | Refused | Checked | Shortfall
Watch: TypeAlias = Callable[[Beat], None]


@dataclass(frozen=True)
class PlayedScenario:
    """What a script came to."""

    played: tuple[Played, ...]
    checked: int
    shortfalls: tuple[Shortfall, ...]


async def play_scenario(rig: DrillRig, profile: Profile, scenario: Scenario, watch: Watch) -> PlayedScenario:
    """Play the whistles of a script one after the other.

    Raises:
        DrillBrokenError: if the script does not fit the profile.
    """
    rig.enter(profile)
    stages = [_Stage(rig, profile, script, watch) for script in scenario.whistles]
    for stage in stages:
        await stage.play()
    return PlayedScenario(
        played=tuple(stage.played for stage in stages),
        checked=sum(len(stage.script.expect) for stage in stages),
        shortfalls=tuple(each for stage in stages for each in stage.shortfalls),
    )


class _Stage:
    def __init__(self, rig: DrillRig, profile: Profile, script: ScriptedWhistle, watch: Watch) -> None:
        self.script = script
        self.shortfalls: list[Shortfall] = []
        self._profile = profile
        self._tz = profile.calendar.tz
        self._starts_at = script.instant(script.start, self._tz)
        self._whistle = DrilledWhistle(rig, profile, script.key, self._starts_at)
        self._watch = watch
        self._told = 0
        self._played: Played | None = None

    @property
    def played(self) -> Played:
        """The whistle as of the last look."""
        if self._played is None:
            raise DrillBrokenError(f"{self.script.key} was not played")
        return self._played

    async def play(self) -> None:
        """Go through the script."""
        try:
            steps = self.script.steps(self._tz)
        except ValueError as error:
            raise DrillBrokenError(str(error)) from error
        self._watch(Begun(self.script))
        await self._open()
        await self._look(alive=True)
        for step in steps:
            alive = await self._whistle.reach(step.at)
            await self._look(alive=alive)
            if isinstance(step.does, ScriptedAct):
                await self._say(step.at, step.does)
                await self._look(alive=alive)
            else:
                self._check(step.at, step.does)

    async def _open(self) -> None:
        script, matter = self.script, self.script.matter
        try:
            item = self._profile.duties.item_for(matter)
            case = script.case(item.code, self._profile.usual_summons(matter, script.street))
            source = SourceRegistered(
                source_type=script.source_type,
                source_id=script.source_id,
                street=script.street,
                matter=matter,
                place=script.place,
                text=script.text,
            )
            opening = opening_of(self._profile, source, case, self._starts_at)
        except UnknownCodeError as error:
            raise DrillBrokenError(f"{script.key}: {error}") from error
        await self._whistle.open(opening, script.officer)

    async def _say(self, at: datetime, act: ScriptedAct) -> None:
        said = f"{act.officer} {act.command.verb}"
        try:
            await self._whistle.say(act.command, act.officer)
        except RefusedError as refusal:
            refused = Refused(at, act, refusal)
            self._watch(refused)
            if not refused.was_expected:
                wanted = act.refused or "-"
                self._fall_short(Shortfall(at, Subject.REFUSED, f"{said}: {wanted}", f"{said}: {refusal.reason}"))
        else:
            if act.refused is not None:
                self._fall_short(Shortfall(at, Subject.REFUSED, f"{said}: {act.refused}", f"{said}: -"))

    def _check(self, at: datetime, expectation: Expectation) -> None:
        shortfalls = unmet(expectation, at, self.script, self._tz, self.played)
        self._watch(Checked(at, expectation, shortfalls))
        self.shortfalls += shortfalls

    def _fall_short(self, shortfall: Shortfall) -> None:
        self._watch(shortfall)
        self.shortfalls.append(shortfall)

    async def _look(self, *, alive: bool) -> None:
        """Take in what has come about, and pass it on."""
        self._played = await (self._whistle.seen() if alive else self._whistle.ended())
        for fact in self._played.facts[self._told :]:
            self._watch(Happened(fact))
        self._told = len(self._played.facts)
