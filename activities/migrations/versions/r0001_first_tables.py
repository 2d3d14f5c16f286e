"""The first tables: district and people, whistles with their facts, attempts, letters, files."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_CODE, _NAME, _HASH, _ENUM, _ID = 80, 200, 64, 40, 200


def upgrade() -> None:
    """Create them."""
    _create_district()
    _create_people()
    _create_whistle()
    _create_what_is_owed()
    _create_chain()
    _create_attempt()
    _create_letters_and_files()


def downgrade() -> None:
    """Drop them, children first. Nothing of the record is left."""
    for table in (
        "evidence",
        "notice",
        "attempt",
        "fact",
        "obligation",
        "task",
        "whistle",
        "counter",
        "law",
        "appointment",
        "officer",
        "unit",
        "district",
    ):
        op.drop_table(table)


def _text(name: str, length: int = _CODE, *, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=null, primary_key=key)


def _prose(name: str, *, null: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _number(name: str, *, null: bool = False, key: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null, primary_key=key, autoincrement=False)


def _instant(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _day(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date(), nullable=True)


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), nullable=False)


def _json(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.JSON(), nullable=null)


def _of_district(*, key: bool = True) -> sa.Column[str]:
    return sa.Column("district", sa.String(_CODE), sa.ForeignKey("district.code"), nullable=False, primary_key=key)


def _of_whistle(*, key: bool = True) -> sa.Column[str]:
    return sa.Column("whistle_id", sa.String(_ID), sa.ForeignKey("whistle.id"), nullable=False, primary_key=key)


def _create_district() -> None:
    op.create_table(
        "district",
        _text("code", key=True),
        _text("name_zh", _NAME),
        _text("name_en", _NAME),
        _text("zone", 60),
        _text("purpose", _ENUM),
        _text("phase", _ENUM),
        _number("level", null=True),
        _number("epoch"),
        _text("policy_version"),
        _text("calendar_version"),
        _text("duties_version"),
    )
    op.create_table(
        "law",
        _of_district(),
        _text("kind", _ENUM, key=True),
        _text("version", key=True),
        _text("hash", _HASH),
        _json("body"),
        _instant("published_at"),
    )
    op.create_table("counter", _of_district(), _number("year", key=True), _number("last"))


def _create_people() -> None:
    op.create_table(
        "unit",
        _of_district(),
        _text("code", key=True),
        _number("position"),
        _text("name_zh", _NAME),
        _text("name_en", _NAME),
        _text("kind", _ENUM),
        _text("parent", null=True),
        _text("street", null=True),
        _day("valid_from"),
        _day("valid_to"),
    )
    op.create_table(
        "officer",
        _of_district(),
        _text("token", key=True),
        _number("position"),
        _text("label_zh", _NAME),
        _text("label_en", _NAME),
        _json("channels"),
        _text("passcode_hash", _NAME),
    )
    op.create_table(
        "appointment",
        _of_district(),
        _number("position", key=True),
        _text("officer"),
        _text("unit"),
        _text("post", _ENUM),
        _day("valid_from"),
        _day("valid_to"),
    )
    op.create_index("ix_appointment_officer", "appointment", ["officer"])


def _create_whistle() -> None:
    op.create_table(
        "whistle",
        _text("id", _ID, key=True),
        _of_district(key=False),
        _text("key"),
        sa.Column("number", sa.String(120), nullable=True, unique=True),
        _flag("drill"),
        _text("state", _ENUM),
        _text("kind", _ENUM, null=True),
        _text("urgency", _ENUM, null=True),
        _text("level", _ENUM, null=True),
        _text("street", null=True),
        _text("community", null=True),
        _text("matter", null=True),
        _prose("place"),
        _prose("text"),
        _text("source_type", null=True),
        _text("source_id", null=True),
        _text("mode"),
        _number("epoch"),
        _text("policy_version", null=True),
        _text("calendar_version", null=True),
        _text("escalation", _ENUM, null=True),
        _text("lead", null=True),
        _instant("opened_at", null=True),
        _instant("sounded_at", null=True),
        _instant("closed_at", null=True),
        _instant("next_due", null=True),
        _text("next_due_owner", null=True),
        _text("next_due_stage", _ENUM, null=True),
        _flag("provisional"),
        _number("head_number"),
        _text("head_hash", _HASH),
        _prose("folded"),
        sa.UniqueConstraint("district", "key"),
    )
    op.create_index("ix_whistle_key", "whistle", ["key"])
    op.create_index("ix_whistle_open_next_due", "whistle", ["closed_at", "next_due"])
    op.create_index("ix_whistle_street_next_due", "whistle", ["street", "next_due"])
    op.create_index("ix_whistle_district_epoch", "whistle", ["district", "closed_at", "epoch"])


def _create_what_is_owed() -> None:
    op.create_table(
        "task",
        _of_whistle(),
        _text("unit", key=True),
        _text("role", _ENUM),
        _text("state", _ENUM),
        _text("escalation", _ENUM, null=True),
        _instant("next_due", null=True),
        _text("next_due_stage", _ENUM, null=True),
        _number("missed"),
        _flag("deemed"),
        _number("people"),
        _number("reworks"),
    )
    op.create_index("ix_task_unit_next_due", "task", ["unit", "next_due"])
    op.create_table(
        "obligation",
        _of_whistle(),
        _number("position", key=True),
        _text("owner"),
        _text("stage", _ENUM),
        _text("about", 200),
        _instant("base_at"),
        _instant("due_at"),
        _text("clock", _ENUM),
        _text("calendar_version"),
        _text("escalation", _ENUM, null=True),
        _instant("met_at", null=True),
        _flag("missed"),
        _flag("excused"),
        _flag("void"),
        _flag("provisional"),
    )
    op.create_index("ix_obligation_owner_due_at", "obligation", ["owner", "due_at"])


def _create_chain() -> None:
    op.create_table(
        "fact",
        _of_whistle(),
        _number("number", key=True),
        _text("type"),
        _instant("at"),
        _instant("due_at", null=True),
        _instant("observed_at", null=True),
        _instant("received_at", null=True),
        _text("actor"),
        _text("unit", null=True),
        _text("capacity", _ENUM, null=True),
        _text("key", 120, null=True),
        _text("command_hash", _HASH, null=True),
        _text("mode"),
        _json("detail"),
        _text("previous_hash", _HASH),
        _text("hash", _HASH),
        _instant("recorded_at"),
    )


def _create_attempt() -> None:
    op.create_table(
        "attempt",
        _text("id", 40, key=True),
        _instant("at"),
        _text("officer", _NAME, null=True),
        _text("unit", _NAME, null=True),
        _text("capacity", _ENUM, null=True),
        _text("verb", 60),
        _text("whistle_id", _ID, null=True),
        _text("key", _NAME, null=True),
        _text("command_hash", _HASH, null=True),
        _text("outcome", _ENUM),
        _text("reason", null=True),
        _json("parameters"),
        _text("door", 120),
        _instant("finished_at", null=True),
    )
    op.create_index("ix_attempt_at", "attempt", ["at"])
    op.create_index("ix_attempt_whistle_id", "attempt", ["whistle_id"])
    op.create_index("ix_attempt_outcome_at", "attempt", ["outcome", "at"])
    op.create_index("ix_attempt_officer_at", "attempt", ["officer", "at"])


def _create_letters_and_files() -> None:
    op.create_table(
        "notice",
        _text("id", 300, key=True),
        _of_whistle(key=False),
        _number("fact_number"),
        _text("fact_hash", _HASH),
        _text("receiver"),
        _text("unit"),
        _text("level", _ENUM, null=True),
        _text("channel", _ENUM),
        _flag("drill"),
        _json("body"),
        _text("state", _ENUM),
        _number("attempts"),
        _text("error", null=True),
        _instant("created_at"),
        _instant("sent_at", null=True),
        sa.UniqueConstraint("fact_hash", "receiver", "channel"),
    )
    op.create_index("ix_notice_state_created_at", "notice", ["state", "created_at"])
    op.create_table(
        "evidence",
        _of_whistle(),
        _number("fact_number", key=True),
        _text("sha256", _HASH, key=True),
        _number("size"),
        _prose("name", null=False),
        _instant("stored_at"),
    )
    op.create_index("ix_evidence_sha256", "evidence", ["sha256"])
