"""Compares the rows that lists and statistics read with what the facts give: an auditor believes neither."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import ValidationError
from sqlmodel import Session, SQLModel, col, select

from activities.folding import Values, changed_obligations, folded_state, task_values, whistle_values
from models.tables import ObligationRow, TaskRow, WhistleRow
from models.whistle import Whistle


class Disagreement(NamedTuple):
    """A column that is not as it should be, or ``row`` for one that is missing or should not be there."""

    place: str
    column: str


def disagreements(session: Session, whistle: Whistle) -> Iterator[Disagreement]:
    """Yield what the rows of ``whistle`` have otherwise than its facts give, in the order of the tables."""
    row = session.get(WhistleRow, whistle.id)
    if row is None or not _is_folded(row.folded, whistle):
        yield Disagreement("whistle", "folded" if row else "row")
    if row is not None:
        columns = {name: value for name, value in whistle_values(whistle).items() if name != "folded"}
        yield from _unlike({"whistle": columns}, {"whistle": row})
    tasks = session.exec(select(TaskRow).where(TaskRow.whistle_id == whistle.id))
    wanted = {f"task {values['unit']}": values for values in task_values(whistle)}
    yield from _unlike(wanted, {f"task {row.unit}": row for row in tasks})
    limits = session.exec(
        select(ObligationRow).where(ObligationRow.whistle_id == whistle.id).order_by(col(ObligationRow.position))
    )
    none_yet = Whistle(district=whistle.district, key=whistle.key)
    wanted = {f"limit {values['position']}": values for values in changed_obligations(none_yet, whistle)}
    yield from _unlike(wanted, {f"limit {row.position}": row for row in limits})


def _unlike(wanted: Mapping[str, Values], found: Mapping[str, SQLModel]) -> Iterator[Disagreement]:
    for place in dict.fromkeys([*wanted, *found]):
        values, row = wanted.get(place), found.get(place)
        if values is None or row is None:
            yield Disagreement(place, "row")
            continue
        for name, value in values.items():
            if getattr(row, name) != value:
                yield Disagreement(place, name)


def _is_folded(folded: str | None, whistle: Whistle) -> bool:
    """Compare as values, for another version of the program may have written more or less."""
    try:
        return folded is not None and folded_state(folded) == whistle
    except ValidationError:
        return False
