"""Reads past cases from a table of another system, so that they can be played again with their real dates.

What a column means and how a date is written is data (`models.case_reading`). A row that does not
say clearly what happened is rejected with its line and the reason; nothing is guessed and nothing is repaired.

A promise is a day, and its limit is the end of that day on the local clock. A promise whose limit had passed before the
case was opened is none: like a missing one it leaves the limit to the policy. To close at the limit is to be late.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from models.case_reading import CaseOutcome, CaseReading, Columns
from models.near_misses import UnknownCodeError
from models.organisation import UnitKind
from models.profile import Profile

# An id becomes an idempotency key and a part of the workflow id.
_USABLE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST_TEXT = 400


class Promise(StrEnum):
    """Whether somebody promised a day: ``OVER`` is one that had ended before the case was opened."""

    GIVEN = "given"
    MISSING = "missing"
    OVER = "over"


class RejectReason(StrEnum):
    """Why a row is not played."""

    ROW_WIDTH = "row_width"
    UNREADABLE_ROW = "unreadable_row"
    UNUSABLE_ID = "unusable_id"
    REPEATED_ID = "repeated_id"
    UNREADABLE_DATE = "unreadable_date"
    CLOSED_BEFORE_OPENED = "closed_before_opened"
    NO_STREET = "no_street"
    UNKNOWN_STREET = "unknown_street"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_MATTER = "unknown_matter"
    UNIT_WITHOUT_DUTY = "unit_without_duty"
    UNKNOWN_OUTCOME = "unknown_outcome"


@dataclass(frozen=True)
class PastCase:
    """One case as it really went. ``promised_at`` is the limit that somebody set, None where the policy sets it."""

    line: int
    id: str
    opened_at: datetime
    closed_at: datetime
    promised_at: datetime | None
    promise: Promise
    outcome: CaseOutcome
    street: str
    community: str | None
    unit: str
    matter: str
    duty_item: str
    place: str
    text: str

    @property
    def is_judged(self) -> bool:
        """Whether it was either late or on time: resolved, and promised to the day."""
        return self.outcome is CaseOutcome.RESOLVED and self.promised_at is not None

    @property
    def was_late(self) -> bool:
        """Whether it was resolved at its promised limit or after it."""
        return self.is_judged and self.promised_at is not None and self.closed_at >= self.promised_at


@dataclass(frozen=True)
class Rejection:
    """A row that is not played, by the line it starts on. ``detail`` is what the row says there."""

    line: int
    reason: RejectReason
    detail: str = ""


class ColumnsMissingError(ValueError):
    """The file is another table, or none."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(f"columns missing: {', '.join(missing)}")
        self.missing = missing


class _RejectedError(Exception):
    def __init__(self, reason: RejectReason, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def read_cases(lines: Iterable[str], reading: CaseReading, profile: Profile) -> Iterator[PastCase | Rejection]:
    """Yield every row of a CSV file, in order, as a case or as the reason why it is none. Empty lines are nothing.

    Bytes that are not UTF-8 may come as surrogates: they reject their row and no other.

    Raises:
        ColumnsMissingError: if the heading lacks a column.
    """
    rows = _rows(lines)
    _, heading = next(rows, (1, None))
    names = tuple(name.strip().removeprefix("\ufeff") for name in heading or ())
    if missing := tuple(sorted(reading.columns.needed.difference(names))):
        raise ColumnsMissingError(missing)
    seen: set[str] = set()
    for line, values in rows:
        try:
            case = _case(line, _named(names, values), reading, profile)
            if case.id in seen:
                raise _RejectedError(RejectReason.REPEATED_ID, case.id)  # noqa: TRY301 - one way out for all reasons
        except _RejectedError as rejected:
            yield Rejection(line, rejected.reason, rejected.detail)
        else:
            seen.add(case.id)
            yield case


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Yield each row that is not empty with the line it starts on; None for one that is no CSV."""
    reader = csv.reader(lines, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield line, None
            continue
        if values:
            yield line, values


def _named(names: tuple[str, ...], values: list[str] | None) -> dict[str, str]:
    if values is None or any("\ud800" <= letter <= "\udfff" for value in values for letter in value):
        raise _RejectedError(RejectReason.UNREADABLE_ROW)
    if len(values) != len(names):
        raise _RejectedError(RejectReason.ROW_WIDTH, f"{len(values)}/{len(names)}")
    return dict(zip(names, (value.strip() for value in values), strict=True))


def _case(line: int, row: Mapping[str, str], reading: CaseReading, profile: Profile) -> PastCase:
    columns = reading.columns
    case_id = row[columns.id]
    if not _USABLE_ID.fullmatch(case_id):
        raise _RejectedError(RejectReason.UNUSABLE_ID, case_id[:_LONGEST_TEXT])
    outcome = reading.outcomes.get(row[columns.outcome])
    if outcome is None:
        raise _RejectedError(RejectReason.UNKNOWN_OUTCOME, row[columns.outcome])
    opened_at = _date(reading.instant, row[columns.opened])
    closed_at = _date(reading.instant, row[columns.closed])
    if closed_at < opened_at:
        raise _RejectedError(RejectReason.CLOSED_BEFORE_OPENED, f"{row[columns.closed]} < {row[columns.opened]}")
    promised_at, promise = _promise(row[columns.promised], opened_at, reading)
    street = _street(row[columns.street], reading, profile)
    unit, matter, duty_item = _duty(row, street, columns, profile)
    community = row[columns.community]
    return PastCase(
        line=line,
        id=case_id,
        opened_at=opened_at,
        closed_at=closed_at,
        promised_at=promised_at,
        promise=promise,
        outcome=outcome,
        street=street,
        community=f"{reading.community_prefix}{community}" if community.isalnum() and community.isascii() else None,
        unit=unit,
        matter=matter,
        duty_item=duty_item,
        place=_put_together(row, columns.place) or street,
        text=_put_together(row, columns.text) or matter,
    )


def _date(read: Callable[[str], datetime], text: str) -> datetime:
    try:
        return read(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _RejectedError(RejectReason.UNREADABLE_DATE, text[:_LONGEST_TEXT]) from error


def _promise(text: str, opened_at: datetime, reading: CaseReading) -> tuple[datetime | None, Promise]:
    if not text:
        return None, Promise.MISSING
    promised_at = _date(reading.end_of_day, text)
    return (None, Promise.OVER) if promised_at <= opened_at else (promised_at, Promise.GIVEN)


def _street(text: str, reading: CaseReading, profile: Profile) -> str:
    if not text:
        raise _RejectedError(RejectReason.NO_STREET)
    code = f"{reading.street_prefix}{text}"
    try:
        unit = profile.organisation.unit(code)
    except UnknownCodeError as error:
        raise _RejectedError(RejectReason.UNKNOWN_STREET, text[:_LONGEST_TEXT]) from error
    if unit.kind is not UnitKind.STREET:
        raise _RejectedError(RejectReason.UNKNOWN_STREET, text)
    return code


def _duty(row: Mapping[str, str], street: str, columns: Columns, profile: Profile) -> tuple[str, str, str]:
    """Return unit, matter and duty item, if the unit may lead in that matter there."""
    named = row[columns.matter]
    item = next((item for item in profile.duties.items if item.name_en == named), None)
    if item is None:
        raise _RejectedError(RejectReason.UNKNOWN_MATTER, named[:_LONGEST_TEXT])
    unit = row[columns.unit].lower()
    try:
        may_lead = profile.may_lead(unit, item.matter, street)
    except UnknownCodeError as error:
        raise _RejectedError(RejectReason.UNKNOWN_UNIT, row[columns.unit][:_LONGEST_TEXT]) from error
    if not may_lead:
        raise _RejectedError(RejectReason.UNIT_WITHOUT_DUTY, f"{unit}: {item.matter}")
    return unit, item.matter, item.code


def _put_together(row: Mapping[str, str], columns: tuple[str, ...]) -> str:
    return ", ".join(row[column] for column in columns if row[column])[:_LONGEST_TEXT]
