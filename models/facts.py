"""What happened: numbered, hash-chained facts, append-only.

A fact that a person caused carries who, in which capacity and when the door had it. A fact that time brought carries
``due_at``, the nominal instant from which everything that follows counts, and ``observed_at``, when the engine noticed;
the difference is the engine's lateness and is never held against a department. Corrections are new facts.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from models.calendar import WorkCalendar
from models.canonical import digest
from models.case import Addressee, Aspect, CancelCause, Case, Code, Evidence, Party, Presence, Text, WhistleState
from models.limits import Limit
from models.organisation import Post
from models.policy import Escalation, Frozen, ModeStamp, Policy, Stage

SYSTEM = "system"


class SourceRegistered(Frozen):
    """T1: somebody brought a matter; nobody is summoned yet."""

    type: Literal["source_registered"] = "source_registered"
    source_type: Code
    source_id: Code
    street: Code
    community: Code | None = None
    matter: Code | None = None
    place: Text
    text: Text


class WhistleSubmitted(Frozen):
    """T2: the street asks for its whistle to be sounded, with the law that applies from here on."""

    type: Literal["whistle_submitted"] = "whistle_submitted"
    case: Case
    policy: Policy
    calendar: WorkCalendar
    parties: tuple[Party, ...]
    stamp: ModeStamp
    limits: tuple[Limit, ...]
    told: tuple[Addressee, ...]


class SoundingApproved(Frozen):
    """T3: a leader lets the whistle sound."""

    type: Literal["sounding_approved"] = "sounding_approved"
    note: Text | None = None


class SoundingRejected(Frozen):
    """T4: a leader sends it back to the draft; a rejection for good is a cancellation."""

    type: Literal["sounding_rejected"] = "sounding_rejected"
    reason: Text
    told: tuple[Addressee, ...]


class WhistleSounded(Frozen):
    """T3, T3e: orders are out; all department clocks start here."""

    type: Literal["whistle_sounded"] = "whistle_sounded"
    emergency: bool
    limits: tuple[Limit, ...]
    told: tuple[Addressee, ...]


class SoundingConfirmed(Frozen):
    """T3e: the leader stands by an emergency whistle afterwards."""

    type: Literal["sounding_confirmed"] = "sounding_confirmed"
    note: Text | None = None


class Acknowledged(Frozen):
    """T5: a unit confirms receipt."""

    type: Literal["acknowledged"] = "acknowledged"
    unit: Code


class AckDeemed(Frozen):
    """T6: not signed in time counts as signed, so that not signing gains nothing."""

    type: Literal["ack_deemed"] = "ack_deemed"
    unit: Code


class StreetContacted(Frozen):
    """T10: a unit has spoken with the street."""

    type: Literal["street_contacted"] = "street_contacted"
    unit: Code
    note: Text | None = None


class ArrivalAnnounced(Frozen):
    """T11, first half: a unit says it is there. This is the instant that counts."""

    type: Literal["arrival_announced"] = "arrival_announced"
    unit: Code
    people: Annotated[int, Field(ge=1, le=10000)]
    presence: Presence
    note: Text | None = None
    limits: tuple[Limit, ...]


class ArrivalConfirmed(Frozen):
    """T11, second half: the street has seen them."""

    type: Literal["arrival_confirmed"] = "arrival_confirmed"
    unit: Code


class ArrivalDenied(Frozen):
    """The street has not seen them: the announcement counts for nothing."""

    type: Literal["arrival_denied"] = "arrival_denied"
    unit: Code
    reason: Text
    told: tuple[Addressee, ...]


class StageEntered(Frozen):
    """T12, T19, T21: the whistle moved on by itself. ``absentees`` had not reported in when handling began."""

    type: Literal["stage_entered"] = "stage_entered"
    state: WhistleState
    absentees: tuple[Code, ...] = ()
    limits: tuple[Limit, ...] = ()
    told: tuple[Addressee, ...] = ()


class ProgressReported(Frozen):
    """T14: where the work stands; ``plan`` marks the promised plan."""

    type: Literal["progress_reported"] = "progress_reported"
    unit: Code
    text: Text
    plan: bool = False


class ResultSubmitted(Frozen):
    """T18: a unit says it is done, with its evidence."""

    type: Literal["result_submitted"] = "result_submitted"
    unit: Code
    result: Text
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=50)] = ()


class ResultWaived(Frozen):
    """A supporter's result is given up, with reasons and where it stands; the lead need not wait for it."""

    type: Literal["result_waived"] = "result_waived"
    unit: Code
    reason: Text
    interim_status: Text | None = None


class VerificationPassed(Frozen):
    """T21: the street found it done."""

    type: Literal["verification_passed"] = "verification_passed"
    note: Text | None = None


class VerificationFailed(Frozen):
    """T20: not done; the returned units go on with the time that was left."""

    type: Literal["verification_failed"] = "verification_failed"
    reason: Text
    returned: tuple[Code, ...]
    limits: tuple[Limit, ...]
    told: tuple[Addressee, ...]


class UnitEvaluated(Frozen):
    """The street scores one unit on one or more aspects; a second score on the same aspect replaces the first."""

    type: Literal["unit_evaluated"] = "unit_evaluated"
    unit: Code
    stars: Annotated[int, Field(ge=1, le=5)]
    aspects: tuple[Aspect, ...]


class EvaluationDefaulted(Frozen):
    """T25: nobody scored in time; the default is flagged as such and never mistaken for a judgement."""

    type: Literal["evaluation_defaulted"] = "evaluation_defaulted"
    unit: Code
    stars: Annotated[int, Field(ge=1, le=5)]
    aspects: tuple[Aspect, ...]


class WhistleClosed(Frozen):
    """T25: done."""

    type: Literal["whistle_closed"] = "whistle_closed"
    evaluation_expired: bool


class WhistleCancelled(Frozen):
    """T26: withdrawn."""

    type: Literal["whistle_cancelled"] = "whistle_cancelled"
    cause: CancelCause
    reason: Text
    district_notified: bool
    told: tuple[Addressee, ...]


class UnitStoodDown(Frozen):
    """T22: the street lets a unit leave."""

    type: Literal["unit_stood_down"] = "unit_stood_down"
    unit: Code
    reason: Text
    told: tuple[Addressee, ...]


class Forewarned(Frozen):
    """E0: a share of a limit is used up."""

    type: Literal["forewarned"] = "forewarned"
    owner: Code
    stage: Stage
    about: str = ""
    percent: int
    limit_due_at: datetime
    told: tuple[Addressee, ...]


class LimitMissed(Frozen):
    """An obligation was not met at ``due_at``."""

    type: Literal["limit_missed"] = "limit_missed"
    owner: Code
    stage: Stage
    about: str = ""


class Escalated(Frozen):
    """E1 to E3: who was told that a limit is missed, and by when the unit must answer."""

    type: Literal["escalated"] = "escalated"
    owner: Code
    stage: Stage
    about: str = ""
    level: Escalation
    told: tuple[Addressee, ...]
    limits: tuple[Limit, ...]


class NobodyOnDuty(Frozen):
    """A post that should have been told is vacant; the notice went to ``passed_to``, or nowhere if that is None."""

    type: Literal["nobody_on_duty"] = "nobody_on_duty"
    unit: Code
    posts: tuple[Post, ...]
    passed_to: Code | None


class NoChannel(Frozen):
    """An officer who should have been told has no channel to be told by."""

    type: Literal["no_channel"] = "no_channel"
    unit: Code
    officer: Code


class NoticeFailed(Frozen):
    """A notice was given up after all attempts."""

    type: Literal["notice_failed"] = "notice_failed"
    fact_number: int
    receiver: Code
    channel: Code
    error: Code


class Replied(Frozen):
    """An escalated unit explains itself."""

    type: Literal["replied"] = "replied"
    unit: Code
    level: Escalation
    text: Text


class CalendarAdopted(Frozen):
    """Holidays were published: provisional limits are counted anew."""

    type: Literal["calendar_adopted"] = "calendar_adopted"
    calendar: WorkCalendar
    limits: tuple[Limit, ...]
    told: tuple[Addressee, ...]


Detail = Annotated[
    SourceRegistered | WhistleSubmitted | SoundingApproved | SoundingRejected | WhistleSounded
    | SoundingConfirmed | Acknowledged | AckDeemed | StreetContacted | ArrivalAnnounced | ArrivalConfirmed
    | ArrivalDenied | StageEntered | ProgressReported | ResultSubmitted | ResultWaived | VerificationPassed
    | VerificationFailed | UnitEvaluated | EvaluationDefaulted | WhistleClosed | WhistleCancelled
    | UnitStoodDown | Forewarned | LimitMissed | Escalated | NobodyOnDuty | NoChannel | NoticeFailed
    | Replied | CalendarAdopted,
    Field(discriminator="type"),
]  # fmt: skip


def genesis(whistle_id: str) -> str:
    """Return what the first fact of a whistle covers in the place of an earlier one, so that no chain fits another."""
    return digest({"whistle": whistle_id})


class Fact(Frozen):
    """One entry of the chain. ``at`` is the instant it counts from: the nominal one where time brought it.

    ``actor`` is an officer's token or ``system``; ``mode`` the operating mode;
    ``received_at`` is when the door had the act.
    """

    number: Annotated[int, Field(ge=1)]
    at: datetime
    due_at: datetime | None = None
    observed_at: datetime | None = None
    received_at: datetime | None = None
    actor: Code
    unit: Code | None = None
    capacity: Post | None = None
    key: str | None = None
    command_hash: str | None = None
    mode: str
    detail: Detail
    previous_hash: str
    hash: str = ""

    @property
    def type(self) -> str:
        """The kind of fact, as doors and tables name it."""
        return self.detail.type

    def sealed(self) -> "Fact":
        """Return the fact with its hash, which covers everything else in it."""
        body = {name: getattr(self, name) for name in type(self).model_fields if name != "hash"}
        return Fact(**body, hash=digest(body))

    @property
    def is_sealed_truly(self) -> bool:
        """Whether the hash fits the content."""
        return self.hash == self.sealed().hash
