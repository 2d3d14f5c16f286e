"""Plays past cases again, many at once, each from the day it was opened to the day it was closed.

The street registers the case and blows at once, a leader approves at the same instant. At the closing time the lead
answers and delivers, and the street verifies and scores; or the case is withdrawn. What is counted comes from the facts
of the runs alone, and is then held against what really happened.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.drill import DrillBrokenError, DrilledWhistle, opening_of
from engine.drill_rig import DrillRig
from models.case import Aspect, CancelCause, Case, Presence, Role, Summons
from models.case_reading import CaseOutcome, CaseReading
from models.casefile import PastCase
from models.commands import (
    Acknowledge,
    Approve,
    Cancel,
    Command,
    ConfirmArrival,
    Evaluate,
    PassVerification,
    ReportIn,
    SubmitResult,
)
from models.expectations import Played
from models.facts import SourceRegistered
from models.organisation import Post
from models.policy import Stage
from models.profile import Profile
from models.punctuality import missed

# More whistles at once brought no more a second on two cores (measured).
AT_ONCE = 8

_STARS = 4
_ANSWERERS = (Post.DEPT_HANDLER, Post.UTILITY_OPERATOR, Post.DEPT_LIAISON, Post.DEPT_HEAD, Post.DISPATCHED_OFFICE_HEAD)
_CAUSES = {CaseOutcome.WITHDRAWN: CancelCause.WITHDRAWN, CaseOutcome.REFERRED_OUT: CancelCause.REFERRED_OUT}


@dataclass(frozen=True)
class PlayedCase:
    """A case with what its whistle made of it."""

    case: PastCase
    played: Played

    @property
    def was_late(self) -> bool:
        """Whether the engine found it late: resolved, and its limit to resolve missed."""
        resolved = self.case.outcome is CaseOutcome.RESOLVED
        return resolved and missed(self.played.whistle, self.played.facts, self.case.unit, Stage.RESOLVE)

    @property
    def agrees_with_reality(self) -> bool:
        """Whether the engine found late who was late, where somebody had promised a day."""
        return not self.case.is_judged or self.was_late == self.case.was_late


async def play_cases(
    rig: DrillRig,
    profile: Profile,
    reading: CaseReading,
    cases: Sequence[PastCase],
    ended: Callable[[PlayedCase], None],
) -> tuple[PlayedCase, ...]:
    """Play ``cases`` and return them in their order; ``ended`` hears of each in that order, as soon as it can."""
    rig.enter(profile)
    free = asyncio.Semaphore(AT_ONCE)

    async def play(case: PastCase) -> PlayedCase:
        async with free:
            return PlayedCase(case, await _play(rig, profile, reading, case))

    played: list[PlayedCase] = []
    try:
        async with asyncio.TaskGroup() as group:
            # The longest first: their days pass one after the other, while others come and go.
            by_length = sorted(cases, key=lambda case: case.opened_at - case.closed_at)
            tasks = {case.id: group.create_task(play(case)) for case in by_length}
            for case in cases:
                played.append(await tasks[case.id])
                ended(played[-1])
    except ExceptionGroup as broken:
        # The first case that breaks ends the drill; the others were only in its way.
        raise broken.exceptions[0] from broken
    return tuple(played)


async def _play(rig: DrillRig, profile: Profile, reading: CaseReading, case: PastCase) -> Played:
    whistle = DrilledWhistle(rig, profile, case.id, case.opened_at)
    opening = opening_of(profile, _source(reading, case), _case(reading, case), case.opened_at)
    await whistle.open(opening, _holder(profile, case.street, case.opened_at, Post.STREET_DUTY_OFFICER))
    leader = _holder(profile, case.street, case.opened_at, Post.STREET_LEADER, Post.STREET_DIRECTOR)
    await whistle.say(Approve(), leader)
    if not await whistle.reach(case.closed_at):
        raise DrillBrokenError(f"{whistle.id} ended before its time")
    for command, unit, posts in _closing(case):
        await whistle.say(command, _holder(profile, unit, case.closed_at, *posts))
    return await whistle.ended()


def _source(reading: CaseReading, case: PastCase) -> SourceRegistered:
    return SourceRegistered(
        source_type=reading.source,
        source_id=case.id,
        street=case.street,
        community=case.community,
        matter=case.matter,
        place=case.place,
        text=case.text,
    )


def _case(reading: CaseReading, case: PastCase) -> Case:
    return Case(
        kind=reading.kind,
        urgency=reading.urgency,
        matter=case.matter,
        duty_item=case.duty_item,
        place=case.place,
        text=case.text,
        summons=(Summons(unit=case.unit, role=Role.LEAD),),
        promised_at=case.promised_at,
    )


def _closing(case: PastCase) -> Iterator[tuple[Command, str, tuple[Post, ...]]]:
    """Yield what is said at the closing time, and by whom: a unit and the posts that come into question there."""
    cause = _CAUSES.get(case.outcome)
    if cause is not None:
        yield Cancel(reason=case.outcome, cause=cause), case.street, (Post.STREET_COMMANDER,)
        return
    unit, street = case.unit, case.street
    yield Acknowledge(unit=unit), unit, _ANSWERERS
    yield ReportIn(unit=unit, people=1, presence=Presence.ONSITE), unit, _ANSWERERS
    yield ConfirmArrival(unit=unit), street, (Post.STREET_DUTY_OFFICER,)
    yield SubmitResult(unit=unit, result=case.outcome), unit, _ANSWERERS
    yield PassVerification(), street, (Post.STREET_VERIFIER,)
    stars = Evaluate(unit=unit, stars=_STARS, aspects=tuple(Aspect))
    yield stars, street, (Post.STREET_LEADER, Post.STREET_DIRECTOR)


def _holder(profile: Profile, unit: str, at: datetime, *posts: Post) -> str:
    """Return who holds the first of ``posts`` that is not vacant.

    Raises:
        DrillBrokenError: if all of them are.
    """
    day = at.astimezone(profile.calendar.tz).date()
    for post in posts:
        for officer in profile.organisation.holders(unit, post, day):
            return officer.token
    raise DrillBrokenError(f"nobody in {unit} holds {', '.join(posts)} on {day}")
