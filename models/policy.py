"""The limits, the ladder and who is told: every figure is data, published in versions.

A run freezes the slice of the policy that applies to its kind and urgency, so no later edit can change an old limit.
The rows follow domain tables 4.5 (limits), 5 (ladder) and Appendix A; where each figure comes from is said in the
profile's own file.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.organisation import Post
from models.spans import Span


class Kind(StrEnum):
    """The four kinds of whistle."""

    EMERGENCY_RESPONSE = "K1"
    JOINT_ENFORCEMENT = "K2"
    PUBLIC_DEMAND = "K3"
    KEY_TASK = "K4"


class Urgency(StrEnum):
    """U1 is danger to life or a violation in flight, U2 a vital supply, U3 everything else."""

    U1 = "U1"
    U2 = "U2"
    U3 = "U3"


class Stage(StrEnum):
    """What somebody owes by an instant."""

    APPROVE = "approve"
    CONFIRM_SOUNDING = "confirm_sounding"
    ACK = "ack"
    CONTACT = "contact"
    REPORT_IN = "report_in"
    CONFIRM_ARRIVAL = "confirm_arrival"
    SITUATION = "situation"
    PLAN = "plan"
    SUPPORT = "support"
    RESOLVE = "resolve"
    RESOLVE_COMPLEX = "resolve_complex"
    CONTROL = "control"
    VERIFY = "verify"
    EVALUATE = "evaluate"
    REPLY = "reply"
    EXPLANATION = "explanation"


class Escalation(StrEnum):
    """How far up a missed limit has gone; E0 is the warning before it. The values sort as they climb."""

    E0 = "E0"
    E1 = "E1"
    E2 = "E2"
    E3 = "E3"
    E4 = "E4"
    E5 = "E5"


class Phase(StrEnum):
    """The district's operating phase (domain 7.3)."""

    NORMAL = "NORMAL"
    ALERT = "ALERT"
    PRELIMINARY_RESPONSE = "PRELIMINARY_RESPONSE"
    RESPONSE = "RESPONSE"
    RECOVERY = "RECOVERY"


class Relation(StrEnum):
    """How a unit stands to a whistle, as the addressee lists and the authority table name it."""

    UNIT = "unit"
    STREET = "street"
    COMMAND_CENTRE = "command_centre"
    DISTRICT = "district"


class Frozen(BaseModel):
    """A value: immutable, and with no room for a misspelt field."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ModeStamp(Frozen):
    """The operating mode that a fact or a limit was made under."""

    phase: Phase = Phase.NORMAL
    level: int | None = None
    epoch: int = 0

    @property
    def emergency_rules_on(self) -> bool:
        """Whether the emergency table applies: RESPONSE, or ALERT at level I or II (domain 7.3)."""
        return self.phase is Phase.RESPONSE or (
            self.phase is Phase.ALERT and self.level is not None and self.level <= 2  # noqa: PLR2004 - levels I and II
        )

    def __str__(self) -> str:
        level = "" if self.level is None else f"-{self.level}"
        return f"{self.phase}{level}/{self.epoch}"


NORMAL = ModeStamp()


class AddresseeRule(Frozen):
    """``relation:post|post``: whoever holds one of the posts in the unit that stands in that relation."""

    relation: Relation
    posts: tuple[Post, ...]

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        relation, colon, posts = value.partition(":")
        if not colon:
            raise ValueError(f"'{value}' is not of the form relation:post|post")
        return {"relation": relation, "posts": posts.split("|")}


class Forewarning(Frozen):
    """E0: at which shares of which limits a warning goes out."""

    percents: tuple[Annotated[int, Field(gt=0, lt=100)], ...]
    stages: tuple[Stage, ...]


class ByUrgency(Frozen):
    """A span that differs for the most urgent."""

    U1: Span
    other: Span


class ByKind(Frozen):
    """A span that differs for emergencies."""

    K1: Span
    other: Span


class Ladder(Frozen):
    """When a missed limit climbs, counted from the nominal instant of the miss."""

    E2: ByUrgency
    E3: ByUrgency


class Replies(Frozen):
    """How long an escalated unit has to answer."""

    E1: ByKind
    E2: ByKind


class EvaluationRule(Frozen):
    """What an evaluation that never came counts as."""

    default_stars: Annotated[int, Field(ge=1, le=5)]


Rows = Mapping[Stage, Span]


class Limits(Frozen):
    """Both tables: kind, then urgency, then stage; the emergency table has no urgencies."""

    normal: Mapping[Kind, Mapping[Urgency, Rows]]
    emergency: Mapping[str, Rows] = {}


class Ladders(Frozen):
    """One ladder for each table."""

    normal: Ladder
    emergency: Ladder


Told = Mapping[Escalation, tuple[AddresseeRule, ...]]


class Policy(Frozen):
    """One published version of a district's limits."""

    version: Annotated[str, Field(min_length=1, max_length=60)]
    limits: Limits
    forewarning: Forewarning
    ladder: Ladders
    replies: Replies
    addressees: Told
    addressees_street: Told
    evaluation: EvaluationRule

    @model_validator(mode="after")
    def _every_level_tells_somebody(self) -> Self:
        levels = (Escalation.E0, Escalation.E1, Escalation.E2, Escalation.E3)
        for table in (self.addressees, self.addressees_street):
            for level in levels:
                if not table.get(level):
                    raise ValueError(f"nobody is told at {level}")
        return self

    def row(self, kind: Kind, urgency: Urgency, mode: ModeStamp) -> tuple[str, Rows]:
        """Return the name and the limits of the row that applies; both empty if there is none."""
        if mode.emergency_rules_on:
            return f"emergency.{kind}", self.limits.emergency.get(kind, {})
        return f"normal.{kind}.{urgency}", self.limits.normal.get(kind, {}).get(urgency, {})

    def ladder_under(self, mode: ModeStamp) -> Ladder:
        """Return the ladder that applies under ``mode``."""
        return self.ladder.emergency if mode.emergency_rules_on else self.ladder.normal

    def slice(self, kind: Kind, urgency: Urgency) -> "Policy":
        """Return what one whistle of this kind and urgency can ever need, under the same version."""
        rows = self.limits.normal.get(kind, {}).get(urgency, {})
        emergency = {name: row for name, row in self.limits.emergency.items() if name.startswith(kind)}
        return Policy(
            version=self.version,
            limits=Limits(normal={kind: {urgency: rows}}, emergency=emergency),
            forewarning=self.forewarning,
            ladder=self.ladder,
            replies=self.replies,
            addressees=self.addressees,
            addressees_street=self.addressees_street,
            evaluation=self.evaluation,
        )
