"""Keeps what people tried at the doors, whatever came of it, and writes what a door's act has brought.

A door begins an attempt before the act and settles it afterwards. If it dies in between, the attempt stays pending, and
the sweeper settles it from the run. Refusals never touch a whistle and are kept all the same (domain AUD-2).
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import uuid4

from sqlalchemy import bindparam
from sqlmodel import Session, col, insert, select, update

from activities.database import Database
from activities.record import write_facts
from activities.rows import table_of
from models.recording import Attempt, AttemptOutcome, Begun, PendingAttempt, RecordBatch
from models.tables import AttemptRow, WhistleRow

_A_SWEEP = 200
_ATTEMPTS, _WHISTLES = table_of(AttemptRow), table_of(WhistleRow)
_ENTRY = insert(_ATTEMPTS)
_HEAD = select(_WHISTLES.c.head_number).where(_WHISTLES.c.id == bindparam("whistle_id"))
_SETTLEMENT = update(_ATTEMPTS).where(_ATTEMPTS.c.id == bindparam("attempt_id"))
_FIRST_SETTLEMENT = _SETTLEMENT.where(_ATTEMPTS.c.outcome == AttemptOutcome.PENDING)
# A door that comes back with an answer knows better than a sweeper that gave it up.
_REFUSAL = _SETTLEMENT.where(_ATTEMPTS.c.outcome.in_([AttemptOutcome.PENDING, AttemptOutcome.NEVER_ACCEPTED]))


class Ledger:
    """The attempts of one record. Every method is one transaction, and raises `RecordAwayError` if there is none."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, attempt: Attempt) -> Begun:
        """Note that somebody is about to act. The whistle need not be there yet."""
        with self._database.writing() as session:
            attempt_id = _enter(session, attempt, AttemptOutcome.PENDING)
            head = session.connection().execute(_HEAD, {"whistle_id": attempt.whistle_id}).scalar()
        return Begun(attempt_id=attempt_id, recorded_through=head or 0)

    def complete(self, attempt_id: str, batch: RecordBatch, now: datetime) -> int:
        """Write the facts that the act brought, together with its success; return the last one without a gap before it.

        Safe to run twice, also after the sweeper gave the attempt up: what was done was done.

        Raises:
            UnknownDistrictError: if the whistle's district is not in the record.
            RecordConflictError: if the facts do not fit the chain; the attempt then stays pending.
        """
        done = {"attempt_id": attempt_id, "outcome": AttemptOutcome.DONE, "finished_at": now}
        with self._database.writing() as session:
            recorded_through = write_facts(session, batch, now)
            session.connection().execute(_SETTLEMENT, done)
        return recorded_through

    def refuse(self, attempt_id: str, reason: str, parameters: Mapping[str, str], now: datetime) -> None:
        """Note that the rules said no. What was done or refused stays as it is, what was given up does not."""
        refused = {"outcome": AttemptOutcome.REFUSED, "reason": reason, "parameters": dict(parameters)}
        with self._database.writing() as session:
            session.connection().execute(_REFUSAL, {**refused, "attempt_id": attempt_id, "finished_at": now})

    def abandon(self, attempt_id: str, now: datetime) -> None:
        """Note that the act never reached its whistle. An attempt that is settled stays as it is."""
        abandoned = {"attempt_id": attempt_id, "outcome": AttemptOutcome.NEVER_ACCEPTED, "finished_at": now}
        with self._database.writing() as session:
            session.connection().execute(_FIRST_SETTLEMENT, abandoned)

    def note_refusal(self, attempt: Attempt, reason: str, parameters: Mapping[str, str]) -> None:
        """Keep an attempt that the door itself refused: a wrong passcode, no office for it, no such whistle."""
        with self._database.writing() as session:
            _enter(session, attempt, AttemptOutcome.REFUSED, reason=reason, parameters=parameters)

    def note_look(self, attempt: Attempt) -> None:
        """Keep that somebody has read or exported what is not for everybody."""
        with self._database.writing() as session:
            _enter(session, attempt, AttemptOutcome.DONE)

    def pending(self, older_than: datetime) -> tuple[PendingAttempt, ...]:
        """Return attempts begun before ``older_than`` that nobody has settled, oldest first; a bounded number."""
        with self._database.reading() as session:
            rows = session.exec(
                select(AttemptRow)
                .where(AttemptRow.outcome == AttemptOutcome.PENDING, AttemptRow.at < older_than)
                .order_by(col(AttemptRow.at))
                .limit(_A_SWEEP)
            )
            return tuple(PendingAttempt(attempt_id=row.id, attempt=_attempt(row)) for row in rows)


def _enter(
    session: Session,
    attempt: Attempt,
    outcome: AttemptOutcome,
    *,
    reason: str | None = None,
    parameters: Mapping[str, str] | None = None,
) -> str:
    finished_at = None if outcome is AttemptOutcome.PENDING else attempt.at
    row = {
        **attempt.model_dump(),
        "id": uuid4().hex,
        "outcome": outcome,
        "reason": reason,
        "parameters": dict(parameters or {}),
        "finished_at": finished_at,
    }
    session.connection().execute(_ENTRY, row)
    return str(row["id"])


def _attempt(row: AttemptRow) -> Attempt:
    return Attempt(**{name: getattr(row, name) for name in Attempt.model_fields})
