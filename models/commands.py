"""What a person says to a whistle, and the envelope it travels in."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from models.calendar import WorkCalendar
from models.canonical import digest
from models.case import Aspect, CancelCause, Case, Code, Evidence, Party, Presence, Text
from models.facts import Fact
from models.organisation import Post
from models.policy import NORMAL, Escalation, Frozen, ModeStamp, Policy

Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class RegisterSource(Frozen):
    """T1: bring a matter to the street."""

    verb: Literal["source"] = "source"
    source_type: Code
    source_id: Code
    street: Code
    community: Code | None = None
    matter: Code | None = None
    place: Text
    text: Text


class Blow(Frozen):
    """T2 or T3e: put the case; an emergency sounds at once, everything else waits for a leader."""

    verb: Literal["blow"] = "blow"
    case: Case
    policy: Policy
    calendar: WorkCalendar
    parties: tuple[Party, ...]
    mode: ModeStamp = NORMAL


class Approve(Frozen):
    """T3: let it sound."""

    verb: Literal["approve"] = "approve"
    note: Text | None = None


class Reject(Frozen):
    """T4: reject for good, or send back to the draft."""

    verb: Literal["reject"] = "reject"
    reason: Text
    back_to_draft: bool = False


class ConfirmSounding(Frozen):
    """T3e: stand by an emergency whistle afterwards."""

    verb: Literal["confirm-sounding"] = "confirm-sounding"
    note: Text | None = None


class Acknowledge(Frozen):
    """T5: confirm receipt."""

    verb: Literal["ack"] = "ack"
    unit: Code


class ContactStreet(Frozen):
    """T10: the unit has spoken with the street."""

    verb: Literal["contact"] = "contact"
    unit: Code
    note: Text | None = None


class ReportIn(Frozen):
    """T11: the unit is there."""

    verb: Literal["report-in"] = "report-in"
    unit: Code
    people: Annotated[int, Field(ge=1, le=10000)]
    presence: Presence
    note: Text | None = None


class ConfirmArrival(Frozen):
    """T11: the street has seen them."""

    verb: Literal["confirm-arrival"] = "confirm-arrival"
    unit: Code


class DenyArrival(Frozen):
    """The street has not seen them."""

    verb: Literal["deny-arrival"] = "deny-arrival"
    unit: Code
    reason: Text


class ReportProgress(Frozen):
    """T14: say where the work stands."""

    verb: Literal["progress"] = "progress"
    unit: Code
    text: Text
    plan: bool = False


class SubmitResult(Frozen):
    """T18: say it is done."""

    verb: Literal["submit"] = "submit"
    unit: Code
    result: Text
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=50)] = ()


class WaiveResult(Frozen):
    """Give up a supporter's result, with reasons."""

    verb: Literal["waive"] = "waive"
    unit: Code
    reason: Text
    interim_status: Text | None = None


class PassVerification(Frozen):
    """T21: found done."""

    verb: Literal["verify-pass"] = "verify-pass"
    note: Text | None = None


class FailVerification(Frozen):
    """T20: found not done; ``units`` go back to work beside the lead."""

    verb: Literal["verify-fail"] = "verify-fail"
    reason: Text
    units: tuple[Code, ...] = ()


class Evaluate(Frozen):
    """Score a unit."""

    verb: Literal["evaluate"] = "evaluate"
    unit: Code
    stars: Annotated[int, Field(ge=1, le=5)]
    aspects: Annotated[tuple[Aspect, ...], Field(min_length=1)]


class StandDown(Frozen):
    """T22: let a unit leave."""

    verb: Literal["stand-down"] = "stand-down"
    unit: Code
    reason: Text


class ReplyToEscalation(Frozen):
    """Answer a reminder (E1) or explain (E2 and above)."""

    verb: Literal["reply"] = "reply"
    unit: Code
    level: Escalation
    text: Text


class Cancel(Frozen):
    """T26: withdraw."""

    verb: Literal["cancel"] = "cancel"
    reason: Text
    cause: CancelCause = CancelCause.WITHDRAWN


class AdoptCalendar(Frozen):
    """The engine's own: a year's holidays were published."""

    verb: Literal["adopt-calendar"] = "adopt-calendar"
    calendar: WorkCalendar


class ReportNoticeFailure(Frozen):
    """The engine's own: a notice was given up."""

    verb: Literal["notice-failed"] = "notice-failed"
    fact_number: int
    receiver: Code
    channel: Code
    error: Code


Command = Annotated[
    RegisterSource | Blow | Approve | Reject | ConfirmSounding | Acknowledge | ContactStreet | ReportIn
    | ConfirmArrival | DenyArrival | ReportProgress | SubmitResult | WaiveResult | PassVerification
    | FailVerification | Evaluate | StandDown | ReplyToEscalation | Cancel | AdoptCalendar
    | ReportNoticeFailure,
    Field(discriminator="verb"),
]  # fmt: skip


class Actor(Frozen):
    """Who says it: an officer's token, for which unit, in which capacity."""

    officer: Code
    unit: Code
    capacity: Post


class Recorder(StrEnum):
    """Who writes the facts of this act into the record: the door, or the run where the door cannot."""

    DOOR = "door"
    RUN = "run"


class Act(Frozen):
    """One thing said once. ``key`` makes it idempotent; ``received_at`` is the door's stamp. The engine has no actor.

    ``recorded_through`` is the last number that the door found in the record: the run need not record so far itself.
    """

    key: Key
    command: Command
    actor: Actor | None
    received_at: datetime
    recorder: Recorder = Recorder.DOOR
    recorded_through: int = 0

    @property
    def command_hash(self) -> str:
        """What tells a repetition from another act under the same key: what was said and by whom.

        The law that a door attaches to a blow is left out: a retry may meet a newer one.
        """
        said = self.command
        content = said.case if isinstance(said, Blow) else said
        return digest({"verb": said.verb, "content": content, "actor": self.actor})

    def recorded_by(self, recorder: Recorder, *, through: int) -> "Act":
        """Return the act with word of who writes its facts down, and how far the record already goes."""
        return Act(
            key=self.key,
            command=self.command,
            actor=self.actor,
            received_at=self.received_at,
            recorder=recorder,
            recorded_through=through,
        )


class Opening(Frozen):
    """What a run starts with. ``acts`` are decided at the run's start time, in order.

    ``drill_offset_seconds`` shifts the run's clock, so a drill takes place on any date; a real whistle has None.
    """

    district: Code
    key: Key
    acts: Annotated[tuple[Act, ...], Field(min_length=1, max_length=2)]
    drill_offset_seconds: int | None = None

    @property
    def whistle_id(self) -> str:
        """The workflow id."""
        return f"whistle/{self.district}/{self.key}"


class Answer(Frozen):
    """What a run answers: the facts that the act brought, and those that time had brought by then."""

    command_hash: str
    facts: tuple[Fact, ...]
