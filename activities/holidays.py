"""Reads what has been published of the Chinese holidays. Nothing else may depend on the package that knows them.

The package is where calendars come from, not where limits are reckoned: what is read here is put into a calendar
under a version of its own, and an upgrade of the package cannot change a limit.
"""

from datetime import date
from importlib.metadata import version

from chinese_calendar import constants  # type: ignore[import-untyped]

from models.holidays import SATURDAY, CalendarYear


class YearNotPublishedError(Exception):
    """The package does not know the holidays of a year."""

    def __init__(self, year: int, latest: int) -> None:
        super().__init__(f"the holidays of {year} are not known; the latest published year is {latest}")
        self.year = year
        self.latest = latest


def published_year(year: int) -> CalendarYear:
    """Return the weekdays off and the weekend dates worked in ``year``, as the State Council published them.

    Raises:
        YearNotPublishedError: if the package does not know that year.
    """
    # A notice covers a whole year, and every year has its National Day: New Year's Day alone could have come with
    # the notice of the year before.
    if date(year, 10, 1) not in constants.holidays:
        raise YearNotPublishedError(year, latest_published_year())
    return CalendarYear(
        year=year,
        holidays=tuple(day for day in constants.holidays if day.year == year and day.weekday() < SATURDAY),
        makeup_workdays=tuple(day for day in constants.workdays if day.year == year),
        source=f"State Council holiday notice, by chinesecalendar {version('chinesecalendar')}",
    )


def latest_published_year() -> int:
    """Return the last year whose holidays the package knows."""
    latest: date = max(day for day in constants.holidays if (day.month, day.day) == (10, 1))
    return latest.year
