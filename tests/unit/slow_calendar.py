"""Counts working time the slow way: looks at every single minute, as somebody with a wall clock would.

It takes the dates and periods from a calendar and nothing else, so that it can be held against the fast arithmetic.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from models.calendar import WorkCalendar

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class SlowCalendar:
    """All working minutes from the start of ``first`` to the end of ``last``, both local dates."""

    calendar: WorkCalendar
    first: date
    last: date

    def after(self, base: datetime, worth: timedelta) -> datetime:
        """Return the instant by which ``worth`` of working time has gone by since ``base``."""
        minutes = self.working_minutes
        index = bisect_right(minutes, base - _MINUTE)
        if not worth:
            return base
        in_this_minute = minutes[index] + _MINUTE - max(base, minutes[index])
        if worth <= in_this_minute:
            return max(base, minutes[index]) + worth
        whole, rest = divmod(worth - in_this_minute, _MINUTE)
        if rest:
            return minutes[index + whole + 1] + rest
        return minutes[index + whole] + _MINUTE

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much working time lies between two instants."""
        touched = self.working_minutes[
            bisect_right(self.working_minutes, start - _MINUTE) : bisect_left(self.working_minutes, end)
        ]
        return sum((min(minute + _MINUTE, end) - max(minute, start) for minute in touched), timedelta())

    def left_after(self, base: datetime) -> timedelta:
        """Return how much working time can be counted from ``base`` at least."""
        minutes = self.working_minutes
        return (len(minutes) - bisect_left(minutes, base)) * _MINUTE

    def touches_unpublished(self, base: datetime, due_at: datetime) -> bool:
        """Return whether any local date from one instant to the other is in a year not published."""
        zone = ZoneInfo(self.calendar.zone)
        day, last = base.astimezone(zone).date(), due_at.astimezone(zone).date()
        known = [entry.year for entry in self.calendar.years]
        while day <= last:
            if day.year not in known:
                return True
            day += _DAY
        return False

    @cached_property
    def working_minutes(self) -> list[datetime]:
        """The start of every minute, in UTC, in which somebody was at work."""
        zone = ZoneInfo(self.calendar.zone)
        moment = datetime.combine(self.first, time(), UTC) - _DAY
        found = list[datetime]()
        today, latest_seen, shifts = date.min, time(), list[tuple[time, time]]()
        while True:
            shown = moment.astimezone(zone)
            if shown.date() != today:
                today, latest_seen = shown.date(), time()
                shifts = self._shifts(today)
            if today > self.last:
                return found
            # A clock set back does not send anybody home again, nor back to work.
            if shifts:
                latest_seen = max(latest_seen, shown.time())
            if today >= self.first and any(start <= latest_seen < end for start, end in shifts):
                found.append(moment)
            moment += _MINUTE

    def _shifts(self, day: date) -> list[tuple[time, time]]:
        weekend = day.strftime("%a") in {"Sat", "Sun"}
        made_up = any(day in entry.makeup_workdays for entry in self.calendar.years)
        off = any(day in entry.holidays for entry in self.calendar.years)
        if off or (weekend and not made_up):
            return []
        return [(period.start, period.end) for period in self.calendar.periods]
