"""Decides when time counts: turns a base and a span into the instant at which the span has run out.

The rules (domain 4.4):

* Minutes and hours marked C run through nights, weekends and holidays.
* Working time runs only inside the calendar's periods, on Monday to Friday unless the date is a
  listed holiday, and on weekend dates listed as make-up workdays. A working day is
  ``hours_per_workday`` working hours.
* A natural day ends at the same time on the local clock, however long a night with a clock change
  was.
* A span has run out at the earliest instant by which all of it has elapsed: four working hours from
  08:00 end at 12:00, not when the afternoon starts.
* In a year whose holidays are not published yet, Monday to Friday are taken as workdays and the
  result says that it is provisional. Whether that is good enough is for the caller to say.

A working period is what lies between its two ends, so one that spans a change of the local clock is
shorter or longer than its label.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator

from models.holidays import SATURDAY, CalendarYear
from models.local_clock import Period, face_at, first_instant_at, later_on_local_clock
from models.spans import Clock, Span

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_NOTHING = timedelta()
_UNIT_WORTH = {
    Clock.URGENT_MINUTE: timedelta(minutes=1),
    Clock.URGENT_HOUR: _HOUR,
    Clock.WORK_HOUR: _HOUR,
    Clock.NATURAL_DAY: _DAY,
}

Stretch = tuple[datetime, datetime]


class WorkCalendar(BaseModel):
    """One published version of an organisation's working time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=60)]
    version: Annotated[str, Field(min_length=1, max_length=60)]
    zone: Annotated[str, Field(min_length=1, max_length=60)]
    periods: tuple[Period, ...] = (Period.parse("08:00-12:00"), Period.parse("14:00-18:00"))
    hours_per_workday: Annotated[int, Field(strict=True, gt=0, le=24)] = 8
    years: tuple[CalendarYear, ...]

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"{zone!r} is not a zone such as 'Asia/Shanghai'") from error
        return zone

    @field_validator("periods")
    @classmethod
    def _follow_each_other(cls, periods: tuple[Period, ...]) -> tuple[Period, ...]:
        if not periods:
            raise ValueError("without a working period no working limit would ever run out")
        for earlier, later in pairwise(periods):
            if later.start < earlier.end:
                raise ValueError(f"{later} does not come after {earlier}")
        return periods

    @field_validator("years")
    @classmethod
    def _in_order(cls, years: tuple[CalendarYear, ...]) -> tuple[CalendarYear, ...]:
        if len({entry.year for entry in years}) < len(years):
            raise ValueError("a year is published twice")
        return tuple(sorted(years, key=lambda entry: entry.year))

    def slice(self, years: Collection[int]) -> "WorkCalendar":
        """Return this version with only the wanted years; any other counts as not published."""
        return self._with(tuple(entry for entry in self.years if entry.year in years), version=self.version)

    def frozen_for(self, moment: datetime) -> "WorkCalendar":
        """Return what a run starting at ``moment`` carries: its local year and the two beside it.

        Raises:
            ValueError: if ``moment`` carries no time zone.
        """
        year = face_at(self.tz, _aware(moment)).year
        return self.slice(range(year - 1, year + 2))

    def with_year(self, published: CalendarYear, version: str) -> "WorkCalendar":
        """Return a new version that knows ``published``, in place of any older entry for its year."""
        others = tuple(entry for entry in self.years if entry.year != published.year)
        return self._with((*others, published), version=version)

    def _with(self, years: tuple[CalendarYear, ...], *, version: str) -> "WorkCalendar":
        return WorkCalendar(
            code=self.code,
            version=version,
            zone=self.zone,
            periods=self.periods,
            hours_per_workday=self.hours_per_workday,
            years=years,
        )

    @cached_property
    def tz(self) -> ZoneInfo:
        """The zone whose local clock the periods and the dates are on."""
        return ZoneInfo(self.zone)

    @cached_property
    def published_years(self) -> frozenset[int]:
        """The years whose holidays are known."""
        return frozenset(entry.year for entry in self.years)

    @cached_property
    def days_off(self) -> frozenset[date]:
        """The holidays of all published years."""
        return frozenset(day for entry in self.years for day in entry.holidays)

    @cached_property
    def worked_weekends(self) -> frozenset[date]:
        """The make-up workdays of all published years."""
        return frozenset(day for entry in self.years for day in entry.makeup_workdays)

    @cached_property
    def edges(self) -> tuple[tuple[timedelta, timedelta], ...]:
        """The periods as distances from local midnight."""
        return tuple((_since_midnight(each.start), _since_midnight(each.end)) for each in self.periods)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch that was counted, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Reckoning:
    """An instant that was reckoned, and how: the segments add up to the time that was asked for.

    Working time has one segment for each period touched, continuous time one in all, no time none.
    """

    due_at: datetime
    segments: tuple[Segment, ...]
    provisional: bool


def publishes(calendar: WorkCalendar, year: int) -> bool:
    """Return whether the holidays of ``year`` are known."""
    return year in calendar.published_years


def is_workday(calendar: WorkCalendar, day: date) -> bool:
    """Return whether ``day`` has working time; in a year not published, Monday to Friday do."""
    if day.weekday() >= SATURDAY:
        return day in calendar.worked_weekends
    return day not in calendar.days_off


def worth_of(calendar: WorkCalendar, span: Span) -> timedelta:
    """Return how much time on its own clock ``span`` stands for."""
    if span.clock is Clock.WORK_DAY:
        return span.amount * calendar.hours_per_workday * _HOUR
    return span.amount * _UNIT_WORTH[span.clock]


def advance(calendar: WorkCalendar, base: datetime, span: Span) -> Reckoning:
    """Return when ``span``, counted from ``base``, has run out.

    Raises:
        ValueError: if ``base`` carries no time zone.
    """
    return advance_by(calendar, base, span.clock, worth_of(calendar, span))


def advance_by(calendar: WorkCalendar, base: datetime, clock: Clock, worth: timedelta) -> Reckoning:
    """Return when ``worth`` of time on ``clock``, counted from ``base``, has elapsed.

    No time at all has elapsed at once, also outside working time.

    Raises:
        ValueError: if ``base`` carries no time zone, or ``worth`` is negative.
    """
    start = _aware(base).astimezone(UTC)
    if worth < _NOTHING:
        raise ValueError(f"time cannot run backwards: {worth}")
    if not worth:
        return Reckoning(start, (), provisional=False)
    if clock.is_working:
        return _through_working_time(calendar, start, worth)
    due_at = later_on_local_clock(calendar.tz, start, worth) if clock is Clock.NATURAL_DAY else start + worth
    return Reckoning(due_at, (Segment(start, due_at),), provisional=False)


def worth_between(calendar: WorkCalendar, start: datetime, end: datetime, clock: Clock) -> timedelta:
    """Return how much time on ``clock`` lies between two instants; none if they are reversed.

    Raises:
        ValueError: if one of them carries no time zone.
    """
    first, last = _aware(start).astimezone(UTC), _aware(end).astimezone(UTC)
    if last <= first:
        return _NOTHING
    if clock is Clock.NATURAL_DAY:
        return max(face_at(calendar.tz, last) - face_at(calendar.tz, first), _NOTHING)
    if not clock.is_working:
        return last - first
    worth = _NOTHING
    for opens, closes in _working_time_from(calendar, first):
        if opens >= last:
            break
        worth += min(closes, last) - opens
    return worth


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment} carries no time zone, so it is no instant")
    return moment


def _since_midnight(edge: time) -> timedelta:
    return timedelta(hours=edge.hour, minutes=edge.minute)


def _through_working_time(calendar: WorkCalendar, base: datetime, worth: timedelta) -> Reckoning:
    segments = []
    due_at, left = base, worth
    for opens, closes in _working_time_from(calendar, base):
        due_at = opens + left
        if due_at <= closes:
            segments.append(Segment(opens, due_at))
            break
        segments.append(Segment(opens, closes))
        left = due_at - closes
    first, last = face_at(calendar.tz, base).year, face_at(calendar.tz, due_at).year
    provisional = not calendar.published_years.issuperset(range(first, last + 1))
    return Reckoning(due_at, tuple(segments), provisional)


def _working_time_from(calendar: WorkCalendar, base: datetime) -> Iterator[Stretch]:
    """Yield all working time after ``base``, one stretch for each period, without end."""
    day = face_at(calendar.tz, base).date()
    for opens, closes in _periods_of(calendar, day):
        if closes > base:
            yield max(opens, base), closes
    while True:
        day += _DAY
        yield from _periods_of(calendar, day)


def _periods_of(calendar: WorkCalendar, day: date) -> list[Stretch]:
    if not is_workday(calendar, day):
        return []
    tz, midnight = calendar.tz, datetime.combine(day, time.min, UTC)
    offset = tz.utcoffset(midnight) or _NOTHING
    if offset == tz.utcoffset(midnight + _DAY):
        # No change of the clock today: one conversion for all periods keeps long limits cheap.
        since = midnight - offset
        return [(since + start, since + end) for start, end in calendar.edges]
    face = datetime.combine(day, time.min)
    edges = ((first_instant_at(tz, face + start), first_instant_at(tz, face + end)) for start, end in calendar.edges)
    return [(opens, closes) for opens, closes in edges if opens < closes]
