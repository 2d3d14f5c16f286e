"""Keeps the letters of the record: which wait, how far each has come, how often it was tried.

A letter that has left is never called waiting again, whoever says what in which order: each step names the states that
it may come from.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import CursorResult
from sqlmodel import Session, col, select, tuple_, update

from activities.database import Database
from models.notices import Letter, Notice, NoticeState
from models.organisation import Channel
from models.tables import NoticeRow, WhistleRow

_UNDER_WAY = (NoticeState.PENDING, NoticeState.DISPATCHED)


@dataclass(frozen=True, order=True)
class Waiting:
    """A letter that somebody has to see to; they sort in the order in which they were written."""

    written_at: datetime
    id: str
    channel: Channel


THE_FIRST = Waiting(datetime.min.replace(tzinfo=UTC), "", Channel.FILE)


@dataclass(frozen=True)
class Posted:
    """A letter and what has become of it."""

    letter: Letter
    state: NoticeState
    attempts: int
    error: str | None


class UnknownLetterError(LookupError):
    """The record has no such letter."""

    def __init__(self, letter_id: str) -> None:
        super().__init__(letter_id)
        self.letter_id = letter_id


class Postbox:
    """The letters in one record. Synchronous; every method is one transaction, and raises `RecordAwayError`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting(self, after: Waiting, count: int) -> tuple[Waiting, ...]:
        """Return the next letters that nobody has taken, oldest first."""
        return self._in_state(NoticeState.PENDING, after, count)

    def under_way(self, after: Waiting, count: int) -> tuple[Waiting, ...]:
        """Return the next letters that were taken and have neither arrived nor been given up, oldest first."""
        return self._in_state(NoticeState.DISPATCHED, after, count)

    def take(self, letter_ids: Collection[str]) -> tuple[Letter, ...]:
        """Mark letters as under way and return those that nobody else had taken; one taker has each."""
        with self._database.writing() as session:
            rows = session.exec(
                select(NoticeRow, WhistleRow.number)
                .join(WhistleRow, col(WhistleRow.id) == NoticeRow.whistle_id)
                .where(col(NoticeRow.id).in_(letter_ids), NoticeRow.state == NoticeState.PENDING)
                .order_by(col(NoticeRow.created_at), col(NoticeRow.id))
                .with_for_update(of=NoticeRow, skip_locked=True)
            ).all()
            for row, _ in rows:
                row.state = NoticeState.DISPATCHED
            return tuple(_letter(row, number) for row, number in rows)

    def mark_dispatched(self, letter_ids: Collection[str]) -> None:
        """Note that Temporal has these letters; one that has arrived meanwhile stays as it is."""
        with self._database.writing() as session:
            session.execute(
                update(NoticeRow)
                .where(col(NoticeRow.id).in_(letter_ids), col(NoticeRow.state) == NoticeState.PENDING)
                .values(state=NoticeState.DISPATCHED)
            )

    def mark_sent(self, letter_ids: Collection[str], now: datetime) -> int:
        """Note that these letters have arrived, and return how many had not yet."""
        with self._database.writing() as session:
            return _step(session, letter_ids, state=NoticeState.SENT, error=None, sent_at=now)

    def mark_trouble(self, letter_id: str, error: str) -> None:
        """Note that a try was in vain; there will be another."""
        with self._database.writing() as session:
            _step(session, [letter_id], state=NoticeState.DISPATCHED, error=error)

    def mark_failed(self, letter_id: str, error: str) -> None:
        """Note that the letter is given up."""
        with self._database.writing() as session:
            _step(session, [letter_id], state=NoticeState.FAILED, error=error)

    def look_up(self, letter_id: str) -> Posted:
        """Return a letter as it stands.

        Raises:
            UnknownLetterError: if there is none.
        """
        with self._database.reading() as session:
            found = session.exec(
                select(NoticeRow, WhistleRow.number)
                .join(WhistleRow, col(WhistleRow.id) == NoticeRow.whistle_id)
                .where(NoticeRow.id == letter_id)
            ).one_or_none()
        if found is None:
            raise UnknownLetterError(letter_id)
        row, number = found
        return Posted(_letter(row, number), row.state, row.attempts, row.error)

    def _in_state(self, state: NoticeState, after: Waiting, count: int) -> tuple[Waiting, ...]:
        place = tuple_(col(NoticeRow.created_at), col(NoticeRow.id))
        with self._database.reading() as session:
            rows = session.exec(
                select(NoticeRow.created_at, NoticeRow.id, NoticeRow.channel)
                .where(NoticeRow.state == state, place > (after.written_at, after.id))
                .order_by(col(NoticeRow.created_at), col(NoticeRow.id))
                .limit(count)
            ).all()
        return tuple(Waiting(written_at, letter_id, Channel(channel)) for written_at, letter_id, channel in rows)


def _step(session: Session, letter_ids: Collection[str], **values: object) -> int:
    """Take letters that are under way one attempt further, and return how many there were."""
    result = session.execute(
        update(NoticeRow)
        .where(col(NoticeRow.id).in_(letter_ids), col(NoticeRow.state).in_(_UNDER_WAY))
        .values(attempts=NoticeRow.attempts + 1, **values)
    )
    return result.rowcount if isinstance(result, CursorResult) else 0


def _letter(row: NoticeRow, number: str | None) -> Letter:
    return Letter(
        id=row.id,
        channel=row.channel,
        whistle_id=row.whistle_id,
        drill=row.drill,
        notice=Notice.model_validate(row.body),
        number=number,
    )
