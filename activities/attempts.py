"""Shows what was tried at the doors, and how far the record is known to be behind."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select

from models.notices import NoticeState
from models.policy import Frozen
from models.recording import Attempt, AttemptOutcome
from models.tables import AttemptRow, FactRow, NoticeRow, WhistleRow

LONGEST_LIST = 500


class ListedAttempt(Frozen):
    """One try at a door and what came of it."""

    attempt_id: str
    attempt: Attempt
    outcome: AttemptOutcome
    reason: str | None
    parameters: dict[str, str]
    finished_at: datetime | None


class WantedAttempts(Frozen):
    """Which attempts to show; everything that is set must hold."""

    officer: str | None = None
    whistle_id: str | None = None
    outcome: AttemptOutcome | None = None
    since: datetime | None = None
    limit: Annotated[int, Field(ge=1, le=LONGEST_LIST)] = 100


class RecordLag(Frozen):
    """How far the record is known to be behind: attempts not settled, chains with a gap, letters not sent."""

    pending_attempts: int
    oldest_pending_at: datetime | None
    gaps: int
    waiting_letters: int
    oldest_letter_at: datetime | None


def list_attempts(session: Session, wanted: WantedAttempts) -> tuple[ListedAttempt, ...]:
    """Return attempts, the latest first."""
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (AttemptRow.officer, wanted.officer),
        (AttemptRow.whistle_id, wanted.whistle_id),
        (AttemptRow.outcome, wanted.outcome),
    ):
        if value is not None:
            conditions.append(col(column) == value)
    if wanted.since is not None:
        conditions.append(col(AttemptRow.at) >= wanted.since)
    rows = session.exec(
        select(AttemptRow)
        .where(*conditions)
        .order_by(col(AttemptRow.at).desc(), col(AttemptRow.id))
        .limit(wanted.limit)
    )
    return tuple(_listed(row) for row in rows)


def record_lag(session: Session) -> RecordLag:
    """Return what the record itself knows to be missing. What runs have not told yet, only they can say."""
    attempts, oldest = session.exec(
        select(func.count(), func.min(AttemptRow.at)).where(AttemptRow.outcome == AttemptOutcome.PENDING)
    ).one()
    gaps = session.exec(
        select(func.count(func.distinct(FactRow.whistle_id)))
        .join(WhistleRow, col(WhistleRow.id) == FactRow.whistle_id)
        .where(FactRow.number > WhistleRow.head_number)
    ).one()
    under_way = col(NoticeRow.state).in_((NoticeState.PENDING, NoticeState.DISPATCHED))
    letters, oldest_letter = session.exec(select(func.count(), func.min(NoticeRow.created_at)).where(under_way)).one()
    return RecordLag(
        pending_attempts=attempts,
        oldest_pending_at=oldest,
        gaps=gaps,
        waiting_letters=letters,
        oldest_letter_at=oldest_letter,
    )


def _listed(row: AttemptRow) -> ListedAttempt:
    return ListedAttempt(
        attempt_id=row.id,
        attempt=Attempt(**{name: getattr(row, name) for name in Attempt.model_fields}),
        outcome=row.outcome,
        reason=row.reason,
        parameters=row.parameters,
        finished_at=row.finished_at,
    )
