"""Answers what doors list and show. Reads only; what it hands out are values, never rows.

Lists go by the countdown: what falls due first comes first, and what has fallen due already comes before everything.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlmodel import Session, col, select

from activities.folding import folded_state, stored_fact
from models.case import Role, WhistleLevel, WhistleState
from models.facts import Fact
from models.policy import Escalation, Frozen, Kind, Stage, Urgency
from models.tables import FactRow, ObligationRow, TaskRow, WhistleRow
from models.whistle import ENDED, TaskState, Whistle

LONGEST_PAGE = 500


class UnknownWhistleError(LookupError):
    """The record has no whistle of that id, number or key."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class AmbiguousKeyError(LookupError):
    """Several districts have a whistle with that key; ``ids`` are the names to choose from."""

    def __init__(self, name: str, ids: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.ids = ids


class RecordedWhistle(Frozen):
    """One whistle as the record has it, folded from its facts. ``number`` is what people say."""

    id: str
    number: str
    drill: bool
    opened_at: datetime
    whistle: Whistle


class ListedTask(Frozen):
    """What a list says of a summoned unit."""

    unit: str
    role: Role
    state: TaskState
    escalation: Escalation | None
    next_due: datetime | None
    next_due_stage: Stage | None


class ListedWhistle(Frozen):
    """One line of a list. ``overdue`` is as of the moment of the question, not of the last fact."""

    id: str
    number: str
    drill: bool
    state: WhistleState
    kind: Kind | None
    urgency: Urgency | None
    level: WhistleLevel | None
    street: str
    community: str | None
    matter: str | None
    place: str
    mode: str
    escalation: Escalation | None
    lead: str | None
    opened_at: datetime
    sounded_at: datetime | None
    closed_at: datetime | None
    next_due: datetime | None
    next_due_owner: str | None
    next_due_stage: Stage | None
    overdue: bool
    provisional: bool
    tasks: tuple[ListedTask, ...]


class Wanted(Frozen):
    """What a list is to show; everything that is set must hold. Ended whistles show only where asked for.

    With ``unit``, ``overdue`` and ``due_within`` mean what that unit owes. ``mine`` are the units somebody acts for: a
    whistle's street, its community, or one that it has summoned.
    """

    street: str | None = None
    unit: str | None = None
    state: WhistleState | None = None
    overdue: bool = False
    due_within: timedelta | None = None
    mine: tuple[str, ...] | None = None
    ended: bool = False


class Page(Frozen):
    """A part of a list. ``next_after`` is what to ask on with, None at the end."""

    whistles: tuple[ListedWhistle, ...]
    next_after: str | None


def find_whistle(session: Session, name: str) -> RecordedWhistle:
    """Return the whistle that people call ``name``: its id, its number or its key.

    Raises:
        UnknownWhistleError: if there is none.
        AmbiguousKeyError: if it is a key in several districts.
    """
    known = col(WhistleRow.head_number) > 0
    for column, value in ((WhistleRow.id, name), (WhistleRow.number, name.upper()), (WhistleRow.key, name)):
        rows = session.exec(select(WhistleRow).where(known, col(column) == value)).all()
        if len(rows) > 1:
            raise AmbiguousKeyError(name, tuple(sorted(row.id for row in rows)))
        if rows:
            return _recorded(rows[0])
    raise UnknownWhistleError(name)


def facts_of(session: Session, whistle_id: str, after: int = 0) -> tuple[Fact, ...]:
    """Return the facts of a whistle that come after number ``after``, in order, as they were sealed.

    There is none if the record does not know it. Behind a gap there may be more than what is folded.
    """
    rows = session.exec(
        select(FactRow).where(FactRow.whistle_id == whistle_id, FactRow.number > after).order_by(col(FactRow.number))
    )
    return tuple(stored_fact(row) for row in rows)


def list_whistles(
    session: Session, wanted: Wanted, now: datetime, *, limit: int = 50, after: str | None = None
) -> Page:
    """Return whistles by countdown, those without one last; ``after`` goes on where a page ended."""
    counted = col(WhistleRow.next_due)
    query = select(WhistleRow).where(*_conditions(wanted, now))
    if after is not None:
        query = query.where(_comes_after(after))
    rows = session.exec(
        query.order_by(counted.is_(None), counted, col(WhistleRow.id)).limit(min(limit, LONGEST_PAGE) + 1)
    ).all()
    shown = rows[: min(limit, LONGEST_PAGE)]
    tasks = _tasks_of(session, [row.id for row in shown])
    return Page(
        whistles=tuple(_listed(row, tasks.get(row.id, ()), now) for row in shown),
        next_after=_place(shown[-1]) if len(rows) > len(shown) else None,
    )


def open_with_provisional_limits(session: Session, calendar_version: str) -> tuple[str, ...]:
    """Return the ids of open whistles with a provisional limit that are under another calendar than this."""
    return tuple(
        session.exec(
            select(WhistleRow.id)
            .where(
                col(WhistleRow.closed_at).is_(None),
                col(WhistleRow.provisional).is_(True),
                col(WhistleRow.calendar_version) != calendar_version,
            )
            .order_by(col(WhistleRow.id))
        ).all()
    )


def _conditions(wanted: Wanted, now: datetime) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [col(WhistleRow.head_number) > 0]
    if wanted.state is not None:
        conditions.append(col(WhistleRow.state) == wanted.state)
    elif not wanted.ended:
        conditions.append(col(WhistleRow.state).not_in(ENDED))
    if wanted.street is not None:
        conditions.append(col(WhistleRow.street) == wanted.street)
    if wanted.unit is not None:
        conditions.append(_summons([wanted.unit]))
    if wanted.mine is not None:
        places = (col(WhistleRow.street).in_(wanted.mine), col(WhistleRow.community).in_(wanted.mine))
        conditions.append(or_(*places, _summons(wanted.mine)))
    if wanted.overdue:
        conditions.append(_owes(wanted.unit, col(ObligationRow.due_at) <= now))
    if wanted.due_within is not None:
        soon = and_(col(ObligationRow.due_at) > now, col(ObligationRow.due_at) <= now + wanted.due_within)
        conditions.append(_owes(wanted.unit, soon))
    return conditions


def _summons(units: Sequence[str]) -> ColumnElement[bool]:
    return exists().where(col(TaskRow.whistle_id) == WhistleRow.id, col(TaskRow.unit).in_(units))


def _owes(unit: str | None, when: ColumnElement[bool]) -> ColumnElement[bool]:
    owed: list[ColumnElement[bool]] = [col(ObligationRow.met_at).is_(None), col(ObligationRow.void).is_(False)]
    if unit is not None:
        owed.append(col(ObligationRow.owner) == unit)
    return exists().where(col(ObligationRow.whistle_id) == WhistleRow.id, when, *owed)


def _place(row: WhistleRow) -> str:
    return f"{row.next_due.isoformat() if row.next_due else ''}|{row.id}"


def _comes_after(place: str) -> ColumnElement[bool]:
    due, _, whistle_id = place.partition("|")
    counted, later_id = col(WhistleRow.next_due), col(WhistleRow.id) > whistle_id
    if not due:
        return and_(counted.is_(None), later_id)
    at = datetime.fromisoformat(due)
    return or_(counted.is_(None), counted > at, and_(counted == at, later_id))


def _tasks_of(session: Session, ids: Sequence[str]) -> dict[str, tuple[TaskRow, ...]]:
    tasks: dict[str, tuple[TaskRow, ...]] = {}
    rows = session.exec(
        select(TaskRow).where(col(TaskRow.whistle_id).in_(ids)).order_by(col(TaskRow.role), col(TaskRow.unit))
    )
    for row in rows:
        tasks[row.whistle_id] = (*tasks.get(row.whistle_id, ()), row)
    return tasks


def _recorded(row: WhistleRow) -> RecordedWhistle:
    return RecordedWhistle(**_kept(RecordedWhistle, row, {"whistle": folded_state(row.folded or "")}))


def _listed(row: WhistleRow, tasks: Iterable[TaskRow], now: datetime) -> ListedWhistle:
    overdue = row.next_due is not None and row.next_due <= now
    listed = tuple(ListedTask(**_kept(ListedTask, task, {})) for task in tasks)
    return ListedWhistle(**_kept(ListedWhistle, row, {"overdue": overdue, "tasks": listed}))


def _kept(kind: type[Frozen], row: object, others: dict[str, object]) -> dict[str, Any]:
    """Return the fields of ``kind``: ``others`` as they are, the rest from the columns of the same name."""
    return {name: getattr(row, name) for name in kind.model_fields if name not in others} | others
