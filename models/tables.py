"""The record's tables: what happened, what was tried, who is told, and the lists that people look at.

``fact`` is the truth and only ever grows. ``whistle``, ``task`` and ``obligation`` are folded from it and can be built
anew at any time. ``law`` only grows too. Instants are aware UTC to the microsecond on both dialects; enums are stored
as their values; free text has no place in a key.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Enum, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.case import Role, WhistleLevel, WhistleState
from models.notices import NoticeState
from models.organisation import Channel, Post, UnitKind
from models.policy import Escalation, Kind, Phase, Stage, Urgency
from models.recording import AttemptOutcome, LawKind, Purpose
from models.spans import Clock
from models.whistle import TaskState

# So that a migration can name what it changes, on every dialect.
_NAMED_AFTER = "%(table_name)s_%(column_0_N_name)s"
SQLModel.metadata.naming_convention = {
    **{short: f"{short}_{_NAMED_AFTER}" for short in ("ix", "uq", "fk")},
    "pk": "pk_%(table_name)s",
}

_ENUM_LENGTH = 40


def _named(enum: type[StrEnum]) -> Any:
    """Return the column type of ``enum``: text with its values, as no dialect's own enum can be extended everywhere."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=_ENUM_LENGTH,
        values_callable=lambda members: [member.value for member in members],
    )


class DistrictRow(SQLModel, table=True):
    """One district: its mode, and the versions of the law that whistles sounded from now on are under."""

    __tablename__ = "district"

    code: str = Field(primary_key=True, max_length=80)
    name_zh: str = Field(max_length=200)
    name_en: str = Field(max_length=200)
    zone: str = Field(max_length=60)
    purpose: Purpose = Field(sa_type=_named(Purpose))
    phase: Phase = Field(sa_type=_named(Phase))
    level: int | None = None
    epoch: int = 0
    policy_version: str = Field(max_length=80)
    calendar_version: str = Field(max_length=80)
    duties_version: str = Field(max_length=80)


class UnitRow(SQLModel, table=True):
    """A unit of a district; ``position`` keeps the order of the profile."""

    __tablename__ = "unit"

    district: str = Field(primary_key=True, foreign_key="district.code", max_length=80)
    code: str = Field(primary_key=True, max_length=80)
    position: int
    name_zh: str = Field(max_length=200)
    name_en: str = Field(max_length=200)
    kind: UnitKind = Field(sa_type=_named(UnitKind))
    parent: str | None = Field(default=None, max_length=80)
    street: str | None = Field(default=None, max_length=80)
    valid_from: date | None = None
    valid_to: date | None = None


class OfficerRow(SQLModel, table=True):
    """An officer as a token with role labels. The record has no names."""

    __tablename__ = "officer"

    district: str = Field(primary_key=True, foreign_key="district.code", max_length=80)
    token: str = Field(primary_key=True, max_length=80)
    position: int
    label_zh: str = Field(max_length=200)
    label_en: str = Field(max_length=200)
    channels: list[str] = Field(sa_type=JSON)
    passcode_hash: str = Field(max_length=200)


class AppointmentRow(SQLModel, table=True):
    """Who holds which post in which unit, and from when to when."""

    __tablename__ = "appointment"

    district: str = Field(primary_key=True, foreign_key="district.code", max_length=80)
    position: int = Field(primary_key=True)
    officer: str = Field(max_length=80, index=True)
    unit: str = Field(max_length=80)
    post: Post = Field(sa_type=_named(Post))
    valid_from: date | None = None
    valid_to: date | None = None


class LawRow(SQLModel, table=True):
    """One published version of a body of law. Never changed, never removed: old limits rest on it."""

    __tablename__ = "law"

    district: str = Field(primary_key=True, foreign_key="district.code", max_length=80)
    kind: LawKind = Field(primary_key=True, sa_type=_named(LawKind))
    version: str = Field(primary_key=True, max_length=80)
    hash: str = Field(max_length=64)
    body: dict[str, Any] = Field(sa_type=JSON)
    published_at: datetime


class WhistleRow(SQLModel, table=True):
    """A whistle as the record has it: the fold of its gap-free facts, up to ``head_number``.

    ``number`` is None only until the first fact has arrived. ``next_due`` is the earliest limit that is still owed.
    """

    __tablename__ = "whistle"
    __table_args__ = (
        UniqueConstraint("district", "key"),
        Index("ix_whistle_open_next_due", "closed_at", "next_due"),
        Index("ix_whistle_street_next_due", "street", "next_due"),
        Index("ix_whistle_district_epoch", "district", "closed_at", "epoch"),
    )

    id: str = Field(primary_key=True, max_length=200)
    district: str = Field(foreign_key="district.code", max_length=80)
    key: str = Field(max_length=80, index=True)
    number: str | None = Field(default=None, unique=True, max_length=120)
    drill: bool = False
    state: WhistleState = Field(sa_type=_named(WhistleState))
    kind: Kind | None = Field(default=None, sa_type=_named(Kind))
    urgency: Urgency | None = Field(default=None, sa_type=_named(Urgency))
    level: WhistleLevel | None = Field(default=None, sa_type=_named(WhistleLevel))
    street: str | None = Field(default=None, max_length=80)
    community: str | None = Field(default=None, max_length=80)
    matter: str | None = Field(default=None, max_length=80)
    place: str | None = Field(default=None, sa_type=Text)
    text: str | None = Field(default=None, sa_type=Text)
    source_type: str | None = Field(default=None, max_length=80)
    source_id: str | None = Field(default=None, max_length=80)
    mode: str = Field(default="", max_length=80)
    epoch: int = 0
    policy_version: str | None = Field(default=None, max_length=80)
    calendar_version: str | None = Field(default=None, max_length=80)
    escalation: Escalation | None = Field(default=None, sa_type=_named(Escalation))
    lead: str | None = Field(default=None, max_length=80)
    opened_at: datetime | None = None
    sounded_at: datetime | None = None
    closed_at: datetime | None = None
    next_due: datetime | None = None
    next_due_owner: str | None = Field(default=None, max_length=80)
    next_due_stage: Stage | None = Field(default=None, sa_type=_named(Stage))
    provisional: bool = False
    head_number: int = 0
    head_hash: str = Field(max_length=64)
    folded: str | None = Field(default=None, sa_type=Text)


class TaskRow(SQLModel, table=True):
    """What one summoned unit owes to one whistle."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_unit_next_due", "unit", "next_due"),)

    whistle_id: str = Field(primary_key=True, foreign_key="whistle.id", max_length=200)
    unit: str = Field(primary_key=True, max_length=80)
    role: Role = Field(sa_type=_named(Role))
    state: TaskState = Field(sa_type=_named(TaskState))
    escalation: Escalation | None = Field(default=None, sa_type=_named(Escalation))
    next_due: datetime | None = None
    next_due_stage: Stage | None = Field(default=None, sa_type=_named(Stage))
    missed: int = 0
    deemed: bool = False
    people: int = 0
    reworks: int = 0


class ObligationRow(SQLModel, table=True):
    """One limit, for lists and statistics. ``position`` is its place in the whistle, where limits are never removed."""

    __tablename__ = "obligation"
    __table_args__ = (Index("ix_obligation_owner_due_at", "owner", "due_at"),)

    whistle_id: str = Field(primary_key=True, foreign_key="whistle.id", max_length=200)
    position: int = Field(primary_key=True)
    owner: str = Field(max_length=80)
    stage: Stage = Field(sa_type=_named(Stage))
    about: str = Field(default="", max_length=200)
    base_at: datetime
    due_at: datetime
    clock: Clock = Field(sa_type=_named(Clock))
    calendar_version: str = Field(max_length=80)
    escalation: Escalation | None = Field(default=None, sa_type=_named(Escalation))
    met_at: datetime | None = None
    missed: bool = False
    excused: bool = False
    void: bool = False
    provisional: bool = False


class FactRow(SQLModel, table=True):
    """One fact, as sealed. ``recorded_at`` is the record's own stamp and under no hash."""

    __tablename__ = "fact"

    whistle_id: str = Field(primary_key=True, foreign_key="whistle.id", max_length=200)
    number: int = Field(primary_key=True)
    type: str = Field(max_length=80)
    at: datetime
    due_at: datetime | None = None
    observed_at: datetime | None = None
    received_at: datetime | None = None
    actor: str = Field(max_length=80)
    unit: str | None = Field(default=None, max_length=80)
    capacity: Post | None = Field(default=None, sa_type=_named(Post))
    key: str | None = Field(default=None, max_length=120)
    command_hash: str | None = Field(default=None, max_length=64)
    mode: str = Field(max_length=80)
    detail: dict[str, Any] = Field(sa_type=JSON)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)
    recorded_at: datetime


class AttemptRow(SQLModel, table=True):
    """One try at a door, whatever came of it (domain AUD-2)."""

    __tablename__ = "attempt"
    __table_args__ = (
        Index("ix_attempt_outcome_at", "outcome", "at"),
        Index("ix_attempt_officer_at", "officer", "at"),
    )

    id: str = Field(primary_key=True, max_length=40)
    at: datetime = Field(index=True)
    officer: str | None = Field(default=None, max_length=200)
    unit: str | None = Field(default=None, max_length=200)
    capacity: Post | None = Field(default=None, sa_type=_named(Post))
    verb: str = Field(max_length=60)
    whistle_id: str | None = Field(default=None, max_length=200, index=True)
    key: str | None = Field(default=None, max_length=200)
    command_hash: str | None = Field(default=None, max_length=64)
    outcome: AttemptOutcome = Field(sa_type=_named(AttemptOutcome))
    reason: str | None = Field(default=None, max_length=80)
    parameters: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    door: str = Field(max_length=120)
    finished_at: datetime | None = None


class NoticeRow(SQLModel, table=True):
    """One letter: a notice (``body``) to one receiver on one channel, written with the fact that causes it."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("fact_hash", "receiver", "channel"),
        Index("ix_notice_state_created_at", "state", "created_at"),
    )

    id: str = Field(primary_key=True, max_length=300)
    whistle_id: str = Field(foreign_key="whistle.id", max_length=200)
    fact_number: int
    fact_hash: str = Field(max_length=64)
    receiver: str = Field(max_length=80)
    unit: str = Field(max_length=80)
    level: Escalation | None = Field(default=None, sa_type=_named(Escalation))
    channel: Channel = Field(sa_type=_named(Channel))
    drill: bool = False
    body: dict[str, Any] = Field(sa_type=JSON)
    state: NoticeState = Field(default=NoticeState.PENDING, sa_type=_named(NoticeState))
    attempts: int = 0
    error: str | None = Field(default=None, max_length=80)
    created_at: datetime
    sent_at: datetime | None = None


class EvidenceRow(SQLModel, table=True):
    """A file that a fact rests on. The same content under two whistles is worth a look (domain AUD-14)."""

    __tablename__ = "evidence"

    whistle_id: str = Field(primary_key=True, foreign_key="whistle.id", max_length=200)
    fact_number: int = Field(primary_key=True)
    sha256: str = Field(primary_key=True, max_length=64, index=True)
    size: int
    name: str = Field(sa_type=Text)
    stored_at: datetime


class CounterRow(SQLModel, table=True):
    """The last number that was given out in a district in a year of its local calendar."""

    __tablename__ = "counter"

    district: str = Field(primary_key=True, foreign_key="district.code", max_length=80)
    year: int = Field(primary_key=True)
    last: int
