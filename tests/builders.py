"""Plays whistles on the pure core, so that tests have real facts to work with: hashed, chained, decided by the rules.

    story = Story("burst-main").source(at=SUNDAY_0210).blow(a_burst_main())
    story.act(Acknowledge(unit="water"), by="o-water-operator", after=minutes(4))
    story.wait(minutes(30))
    story.facts, story.whistle

The district is the shipped Jinfeng. Officers act in the one office that the profile gives them.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Self

from activities.profiles import load_profile
from models.case import Aspect, Case, Evidence, Presence, Role, Summons
from models.commands import (
    Acknowledge,
    Act,
    Actor,
    Approve,
    Blow,
    Command,
    ConfirmArrival,
    ConfirmSounding,
    Evaluate,
    Opening,
    PassVerification,
    RegisterSource,
    ReportIn,
    ReportProgress,
    SubmitResult,
)
from models.decide import blank, decide
from models.facts import Fact
from models.lapse import lapse
from models.parties import freeze_parties
from models.policy import Kind, ModeStamp, Urgency
from models.profile import Profile
from models.recording import RecordBatch, Registration

# Scenario 1: 1 March 2026, 02:10 in Yinchuan.
SUNDAY_0210 = datetime(2026, 2, 28, 18, 10, tzinfo=UTC)

DUTY, LEADER, COMMANDER, VERIFIER = "o-cczl-duty-1", "o-cczl-leader", "o-cczl-commander", "o-cczl-verifier"
WATER, POLICE, POWER = "o-water-operator", "o-police-cczl-head", "o-power-operator"
OFFICERS = {"water": WATER, "police-cczl": POLICE, "power": POWER, "urban-cczl": "o-urban-cczl-head"}


def minutes(amount: int) -> timedelta:
    """Say ``minutes(30)`` where a story waits."""
    return timedelta(minutes=amount)


@cache
def jinfeng() -> Profile:
    """Return the shipped district, read once."""
    return load_profile("jinfeng")


def summoned(lead: str, *supporters: str) -> tuple[Summons, ...]:
    """Return the summons of one lead and its supporters."""
    supporting = (Summons(unit=unit, role=Role.SUPPORT) for unit in supporters)
    return (Summons(unit=lead, role=Role.LEAD), *supporting)


def a_burst_main(*supporters: str, place: str = "银川市长城中路 12 号") -> Case:
    """Return an emergency that the water company leads, with the police supporting unless others are named."""
    return Case(
        kind=Kind.EMERGENCY_RESPONSE,
        urgency=Urgency.U1,
        matter="water-main-burst",
        duty_item="assist-01",
        place=place,
        text="Water is coming up through the road.",
        summons=summoned("water", *(supporters or ("police-cczl",))),
    )


def a_noise_complaint() -> Case:
    """Return a demand that waits for a leader's approval before it sounds."""
    return Case(
        kind=Kind.PUBLIC_DEMAND,
        urgency=Urgency.U3,
        matter="noise",
        duty_item="assist-06",
        place="五里水乡",
        text="Loudspeakers in the square after ten at night.",
        own_efforts="The community has talked to the dancers twice.",
        summons=summoned("urban-cczl"),
    )


class Story:
    """One whistle played by the rules. Every act moves ``now`` and keeps its facts; a refusal flies."""

    def __init__(
        self, key: str, *, profile: Profile | None = None, street: str = "cczl", mode: ModeStamp | None = None
    ) -> None:
        self.profile = profile or jinfeng()
        self.street = street
        self.mode = mode or ModeStamp()
        self.now = SUNDAY_0210
        self.facts: tuple[Fact, ...] = ()
        self.acts: list[Act] = []
        self._said = 0
        self.key = key
        self.whistle = blank(Opening(district=self.profile.code, key=key, acts=(self._sourced(),)))

    @property
    def id(self) -> str:
        """The workflow id."""
        return self.whistle.id

    def source(self, *, at: datetime = SUNDAY_0210) -> Self:
        """T1 at ``at``, by the street's duty officer."""
        self.now = at
        return self._take(self._sourced())

    def blow(self, case: Case, *, by: str = DUTY) -> Self:
        """T2 or T3e, with the law and the parties of that day."""
        on = self.now.astimezone(self.profile.calendar.tz).date()
        units = tuple(summons.unit for summons in case.summons)
        command = Blow(
            case=case,
            policy=self.profile.policy,
            calendar=self.profile.calendar.frozen_for(self.now),
            parties=freeze_parties(self.profile.organisation, self.street, units, on),
            mode=self.mode,
        )
        return self.act(command, by=by)

    def act(self, command: Command, *, by: str, after: timedelta = timedelta()) -> Self:
        """Do something ``after`` the last thing."""
        self.now += after
        return self._take(self._act(command, by))

    def say(self, act: Act, *, after: timedelta = timedelta()) -> Self:
        """Do what is put together elsewhere: an act without a person, or one that is repeated."""
        self.now += after
        return self._take(act)

    def wait(self, patience: timedelta) -> Self:
        """Let time pass, and what it brings come."""
        self.now += patience
        outcome = lapse(self.whistle, self.now)
        self.whistle = outcome.whistle
        self.facts += outcome.facts
        return self

    def registration(self, *, through: int | None = None, drill: bool = False) -> Registration:
        """Return what the run tells the record first; ``through`` leaves later facts out."""
        return Registration(district=self.profile.code, key=self.key, drill=drill, facts=self.facts[:through])

    def batch(self, first: int = 1, last: int | None = None) -> RecordBatch:
        """Return the facts with these numbers, both ends included."""
        return RecordBatch(whistle_id=self.id, facts=self.facts[first - 1 : last])

    def _sourced(self) -> Act:
        command = RegisterSource(
            source_type="patrol", source_id="p-1", street=self.street, place="长城中路", text="seen on patrol"
        )
        return self._act(command, DUTY)

    def _act(self, command: Command, by: str) -> Act:
        held = next(x for x in self.profile.organisation.appointments if x.officer == by)
        self._said += 1
        return Act(
            key=f"{self.key}-{self._said}",
            command=command,
            actor=Actor(officer=by, unit=held.unit, capacity=held.post),
            received_at=self.now,
        )

    def _take(self, act: Act) -> Self:
        outcome = decide(self.whistle, act, self.now)
        self.whistle = outcome.whistle
        self.facts += outcome.facts
        self.acts.append(act)
        return self


def a_sounded_emergency(key: str, *supporters: str, at: datetime = SUNDAY_0210) -> Story:
    """Return a story in which an emergency has just sounded."""
    return Story(key).source(at=at).blow(a_burst_main(*supporters))


def a_closed_emergency(key: str, *, at: datetime = SUNDAY_0210) -> Story:
    """Return a whole story: one lead, two supporters, every act in time, five stars, closed."""
    story = a_sounded_emergency(key, "police-cczl", "power", at=at)
    units = ("water", "police-cczl", "power")
    for unit in units:
        story.act(Acknowledge(unit=unit), by=OFFICERS[unit], after=minutes(1))
    for unit in units:
        arrived = ReportIn(unit=unit, people=4, presence=Presence.ONSITE)
        story.act(arrived, by=OFFICERS[unit], after=minutes(2))
        story.act(ConfirmArrival(unit=unit), by=DUTY, after=minutes(1))
    story.act(ConfirmSounding(), by=LEADER, after=minutes(5))
    story.act(ReportProgress(unit="water", text="The valve is shut."), by=WATER, after=minutes(10))
    for unit in reversed(units):
        result = SubmitResult(unit=unit, result="Done.", evidence=(a_photo(unit),))
        story.act(result, by=OFFICERS[unit], after=minutes(20))
    story.act(PassVerification(), by=VERIFIER, after=minutes(30))
    for unit in units:
        story.act(Evaluate(unit=unit, stars=5, aspects=tuple(Aspect)), by=LEADER, after=minutes(1))
    return story


def an_approved_demand(key: str, *, at: datetime = SUNDAY_0210) -> Story:
    """Return a story in which a demand was approved a minute after it was put."""
    return Story(key).source(at=at).blow(a_noise_complaint()).act(Approve(), by=LEADER, after=minutes(1))


def a_photo(name: str) -> Evidence:
    """Return a file that nobody has stored."""
    return Evidence(sha256=name.encode().hex().ljust(64, "0")[:64], size=1024, name=f"{name}.jpg")
