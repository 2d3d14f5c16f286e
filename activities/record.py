"""Writes facts into the record: each once, in any order, folded forward over the part without a gap.

The folded rows (whistle, tasks, obligations) never run ahead of the facts and never go back. What is written is never
overwritten: facts that do not fit together are refused, for an auditor to look at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam
from sqlmodel import Session, col, delete, insert, select, update
from temporalio import activity

from activities.database import Database
from activities.folding import (
    changed_obligations,
    fact_values,
    folded_state,
    stored_fact,
    task_values,
    whistle_values,
)
from activities.rows import insert_missing, table_of, upsert
from models.case import WhistleState
from models.evolve import evolve
from models.facts import Fact, ResultSubmitted, genesis
from models.notices import NoticeState, letters, notices_of
from models.organisation import Channel
from models.policy import ModeStamp
from models.recording import Purpose, RecordBatch, Registered, Registration, UnknownDistrictError
from models.tables import (
    CounterRow,
    DistrictRow,
    EvidenceRow,
    FactRow,
    NoticeRow,
    ObligationRow,
    OfficerRow,
    TaskRow,
    WhistleRow,
)
from models.whistle import Whistle

_WHISTLES, _FACTS = table_of(WhistleRow), table_of(FactRow)
_LOCKED = (
    select(_WHISTLES.c.drill, _WHISTLES.c.folded).where(_WHISTLES.c.id == bindparam("whistle_id")).with_for_update()
)
_KNOWN = select(_FACTS.c.number, _FACTS.c.hash).where(
    _FACTS.c.whistle_id == bindparam("whistle_id"), _FACTS.c.number >= bindparam("first")
)
_FACT_INSERTION = insert(_FACTS)
_WHISTLE_UPDATE = update(_WHISTLES).where(_WHISTLES.c.id == bindparam("whistle_id"))


@dataclass(frozen=True)
class _Held:
    """A whistle's row, locked against other writers until the end of the transaction, and what is folded there."""

    drill: bool
    whistle: Whistle


class RecordConflictError(Exception):
    """The record holds something else at this place of the chain. Nothing is overwritten; an auditor has to look."""

    def __init__(self, whistle_id: str, number: int) -> None:
        super().__init__(f"fact {number} of {whistle_id} does not fit the record")
        self.whistle_id = whistle_id
        self.number = number


class DrillMismatchError(Exception):
    """A drill came to a record of real work, or the other way round. Neither is written."""


class RecordActivities:
    """What a run asks of the record. Synchronous: they belong in a pool of threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    def register_whistle(self, registration: Registration) -> Registered:
        """Make the whistle known, with its facts so far, and say its number and the district's mode.

        Safe to run twice: the number is given out once, facts are keyed by their number.
        """
        with self._database.writing() as session:
            return register(session, registration, datetime.now(UTC))

    @activity.defn
    def record_facts(self, batch: RecordBatch) -> int:
        """Write what time brought, and whatever else no door has written. Return the last fact without a gap before it.

        Safe to run twice: facts are keyed by whistle and number, notices by the fact's hash.
        """
        with self._database.writing() as session:
            return write_facts(session, batch, datetime.now(UTC))


def register(session: Session, registration: Registration, now: datetime) -> Registered:
    """Write the opening of a whistle, and return its number and the district's mode as of the same transaction.

    The district stays locked against a switch of its mode until the end of the transaction: either this sees the new
    mode, or the switch sees this whistle.

    Raises:
        UnknownDistrictError: if there is no such district.
        DrillMismatchError: if it is a drill in a record of real work, or real work in that of a drill.
        RecordConflictError: if the record has other facts under these numbers.
    """
    district = session.get(DistrictRow, registration.district, with_for_update={"read": True})
    if district is None:
        raise UnknownDistrictError(registration.district)
    if registration.drill is not (district.purpose is Purpose.DRILL):
        raise DrillMismatchError(f"district '{district.code}' is {district.purpose}")
    write_facts(session, RecordBatch(whistle_id=registration.whistle_id, facts=registration.facts), now)
    number = session.exec(select(WhistleRow.number).where(WhistleRow.id == registration.whistle_id)).one()
    if number is None:
        raise ValueError("a registration starts with the first fact")
    mode = ModeStamp(phase=district.phase, level=district.level, epoch=district.epoch)
    return Registered(number=number, mode=mode)


def write_facts(session: Session, batch: RecordBatch, now: datetime) -> int:
    """Write the facts that the record does not have, with their notices, and fold as far as there is no gap.

    Return the number of the last fact that is folded. The whistle need not be registered yet.

    Raises:
        UnknownDistrictError: if the whistle's district is not in the record.
        RecordConflictError: if facts do not fit the chain; nothing is written then.
    """
    held = _hold(session, batch.whistle_id)
    if not batch.facts:
        return held.whistle.number
    known = _known(session, batch)
    fresh = _fresh(batch, known)
    if not fresh:
        return held.whistle.number
    values = [{**fact_values(batch.whistle_id, fact), "recorded_at": now} for fact in fresh.values()]
    session.connection().execute(_FACT_INSERTION, values)
    _write_notices(session, held, fresh.values(), now)
    _write_evidence(session, held.whistle.id, fresh.values())
    strays = [number for number in known if number > held.whistle.number and number not in fresh]
    return _fold(session, held.whistle, fresh | _stored(session, batch.whistle_id, strays)).number


def _hold(session: Session, whistle_id: str) -> _Held:
    """Lock the whistle's row, which is made if need be."""
    _, district, key = whistle_id.split("/", 2)
    connection = session.connection()
    row = connection.execute(_LOCKED, {"whistle_id": whistle_id}).one_or_none()
    if row is None:
        _make_blank(session, whistle_id, district, key)
        row = connection.execute(_LOCKED, {"whistle_id": whistle_id}).one()
    drill, folded = row
    return _Held(drill, folded_state(folded) if folded else Whistle(district=district, key=key))


def _make_blank(session: Session, whistle_id: str, code: str, key: str) -> None:
    district = session.get(DistrictRow, code)
    if district is None:
        raise UnknownDistrictError(code)
    blank = WhistleRow(
        id=whistle_id,
        district=code,
        key=key,
        drill=district.purpose is Purpose.DRILL,
        state=WhistleState.DRAFT,
        head_hash=genesis(whistle_id),
    )
    # Two may come at once: the row of the first stays, and the second then waits for it.
    insert_missing(session, WhistleRow, [blank.model_dump()])


def _known(session: Session, batch: RecordBatch) -> dict[int, str]:
    """Return the hashes of what the record has from the first of these facts on."""
    first = min(fact.number for fact in batch.facts)
    rows = session.connection().execute(_KNOWN, {"whistle_id": batch.whistle_id, "first": first})
    return {row.number: row.hash for row in rows}


def _fresh(batch: RecordBatch, known: dict[int, str]) -> dict[int, Fact]:
    """Return by number the facts that the record lacks; those that it has must be the same."""
    given: dict[int, Fact] = {}
    for fact in sorted(batch.facts, key=lambda fact: fact.number):
        expected = known.get(fact.number, given.get(fact.number, fact).hash)
        if fact.hash != expected or not fact.is_sealed_truly:
            raise RecordConflictError(batch.whistle_id, fact.number)
        given[fact.number] = fact
    return {number: fact for number, fact in given.items() if number not in known}


def _stored(session: Session, whistle_id: str, numbers: list[int]) -> dict[int, Fact]:
    if not numbers:
        return {}
    rows = session.exec(select(FactRow).where(FactRow.whistle_id == whistle_id, col(FactRow.number).in_(numbers)))
    return {row.number: stored_fact(row) for row in rows}


def _fold(session: Session, before: Whistle, waiting: dict[int, Fact]) -> Whistle:
    after = before
    opening: dict[str, object] = {}
    while (fact := waiting.get(after.number + 1)) is not None:
        if fact.previous_hash != after.head_hash:
            raise RecordConflictError(after.id, fact.number)
        after = evolve(after, fact)
        if fact.number == 1:
            number = _next_number(session, after.district, fact.at)
            opening = {"number": number, "opened_at": fact.at}
    if after.number > before.number:
        values = {**whistle_values(after), **opening, "whistle_id": after.id}
        session.connection().execute(_WHISTLE_UPDATE, values)
        _write_tasks(session, before, after)
        upsert(session, ObligationRow, changed_obligations(before, after))
    return after


def _next_number(session: Session, code: str, opened_at: datetime) -> str:
    """Give out the next number of the district in its local year; gap-free, because it is part of the transaction."""
    district = session.get_one(DistrictRow, code)
    year = opened_at.astimezone(ZoneInfo(district.zone)).year
    insert_missing(session, CounterRow, [{"district": code, "year": year, "last": 0}])
    counter = session.get_one(CounterRow, (code, year), with_for_update=True)
    counter.last += 1
    return f"{code.upper()}-{year}-{counter.last:06d}"


def _write_tasks(session: Session, before: Whistle, after: Whistle) -> None:
    known = task_values(before)
    gone = {task.unit for task in before.tasks} - {task.unit for task in after.tasks}
    if gone:
        session.execute(delete(TaskRow).where(col(TaskRow.whistle_id) == after.id, col(TaskRow.unit).in_(gone)))
    upsert(session, TaskRow, [row for row in task_values(after) if row not in known])


def _write_notices(session: Session, held: _Held, facts: Iterable[Fact], now: datetime) -> None:
    notices = [notice for fact in facts for notice in notices_of(fact)]
    receivers = {notice.receiver for notice in notices}
    if not receivers:
        return
    rows = session.exec(
        select(OfficerRow.token, OfficerRow.channels).where(
            OfficerRow.district == held.whistle.district, col(OfficerRow.token).in_(receivers)
        )
    ).all()
    channels = {token: tuple(Channel(name) for name in names) for token, names in rows}
    values = [
        {
            "id": letter.id,
            "whistle_id": held.whistle.id,
            "fact_number": notice.fact_number,
            "fact_hash": notice.fact_hash,
            "receiver": notice.receiver,
            "unit": notice.unit,
            "level": notice.level,
            "channel": letter.channel,
            "drill": letter.drill,
            "body": notice.model_dump(mode="json"),
            "state": NoticeState.PENDING,
            "attempts": 0,
            "created_at": now,
        }
        for notice in notices
        for letter in letters(notice, channels.get(notice.receiver, ()), whistle_id=held.whistle.id, drill=held.drill)
    ]
    insert_missing(session, NoticeRow, values)


def _write_evidence(session: Session, whistle_id: str, facts: Iterable[Fact]) -> None:
    values = [
        {
            "whistle_id": whistle_id,
            "fact_number": fact.number,
            "sha256": file.sha256,
            "size": file.size,
            "name": file.name,
            "stored_at": fact.received_at or fact.at,
        }
        for fact in facts
        if isinstance(fact.detail, ResultSubmitted)
        for file in fact.detail.evidence
    ]
    insert_missing(session, EvidenceRow, values)
