"""When a limit falls due: examples that a clerk can check by hand."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.calendar import (
    Segment,
    WorkCalendar,
    advance,
    advance_by,
    is_workday,
    publishes,
    worth_between,
    worth_of,
)
from models.holidays import CalendarYear
from models.spans import Clock, Span
from tests.unit.shipped_calendars import CHINA, CITY

BEIJING, ANGELES = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/Los_Angeles")
MICROSECOND = timedelta(microseconds=1)


def beijing(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BEIJING)


def angeles(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ANGELES, fold=fold)


@pytest.mark.parametrize(
    ("base", "span", "due"),
    [
        # Scenario 1: a burst main at 02:10 on a Sunday.
        ("2026-03-01T02:10", "5m C", "2026-03-01T02:15"),
        ("2026-03-01T02:10", "30m C", "2026-03-01T02:40"),
        ("2026-03-01T02:40", "15m C", "2026-03-01T02:55"),
        ("2026-03-01T02:10", "24h C", "2026-03-02T02:10"),
        # Scenario 2: a continuous clock does not mind that the office has closed.
        ("2026-03-06T17:30", "2h C", "2026-03-06T19:30"),
        # Scenario 3: half an hour on Friday, half an hour on Monday; on Saturday if that is worked.
        ("2026-03-06T17:30", "1h W", "2026-03-09T08:30"),
        ("2026-02-27T17:30", "1h W", "2026-02-28T08:30"),
        # A count that ends with a period ends there, and does not wait for the next one.
        ("2026-03-02T08:00", "4h W", "2026-03-02T12:00"),
        ("2026-03-02T08:00", "1wd", "2026-03-02T18:00"),
        # Lunch, night, weekend and holiday do not count, at the edge either.
        ("2026-03-02T11:30", "1h W", "2026-03-02T14:30"),
        ("2026-03-02T12:00", "1h W", "2026-03-02T15:00"),
        ("2026-03-02T13:59", "1h W", "2026-03-02T15:00"),
        ("2026-03-07T10:00", "1h W", "2026-03-09T09:00"),
        ("2026-03-06T18:00", "1h W", "2026-03-09T09:00"),
        ("2026-02-14T17:30", "1h W", "2026-02-24T08:30"),
        ("2026-04-03T17:00", "3wd", "2026-04-09T17:00"),
        # Over the end of a year: 1 and 2 January are off, Sunday the 4th is worked.
        ("2025-12-31T17:00", "1wd", "2026-01-04T17:00"),
        # Natural days keep the time of day.
        ("2026-02-14T17:30", "7d C", "2026-02-21T17:30"),
    ],
)
def test_a_limit_falls_due_when_its_time_has_elapsed(base: str, span: str, due: str) -> None:
    reckoning = advance(CHINA, beijing(base), Span.parse(span))

    assert reckoning.due_at == beijing(due)
    assert reckoning.due_at.tzinfo is UTC
    assert not reckoning.provisional


def test_every_working_period_touched_is_a_segment() -> None:
    reckoning = advance(CHINA, beijing("2026-02-27T17:30:00.000001"), Span.parse("1wd"))

    assert reckoning.segments == (
        Segment(beijing("2026-02-27T17:30:00.000001"), beijing("2026-02-27T18:00")),
        Segment(beijing("2026-02-28T08:00"), beijing("2026-02-28T12:00")),
        Segment(beijing("2026-02-28T14:00"), beijing("2026-02-28T17:30:00.000001")),
    )


def test_a_period_that_ends_at_the_base_is_not_touched() -> None:
    reckoning = advance(CHINA, beijing("2026-03-02T12:00"), Span.parse("1h W"))

    assert reckoning.segments == (Segment(beijing("2026-03-02T14:00"), beijing("2026-03-02T15:00")),)


def test_a_date_that_the_zone_left_out_is_not_touched() -> None:
    # Samoa went from Thursday, 29 December 2011, to Saturday the 31st.
    samoa = WorkCalendar(code="x", version="1", zone="Pacific/Apia", years=())
    thursday = datetime(2011, 12, 29, 17, tzinfo=ZoneInfo("Pacific/Apia"))

    segments = advance(samoa, thursday, Span.parse("2h W")).segments

    assert [each.end - each.start for each in segments] == [timedelta(hours=1)] * 2
    assert segments[-1].end == datetime(2012, 1, 2, 9, tzinfo=ZoneInfo("Pacific/Apia"))


def test_continuous_time_is_one_segment() -> None:
    base = beijing("2026-02-27T17:30")

    assert advance(CHINA, base, Span.parse("7d C")).segments == (Segment(base, base + timedelta(days=7)),)


def test_no_time_has_elapsed_at_once_even_at_night() -> None:
    midnight = beijing("2027-03-02T00:00")

    reckoning = advance_by(CHINA, midnight, Clock.WORK_HOUR, timedelta())

    assert (reckoning.due_at, reckoning.segments, reckoning.provisional) == (midnight, (), False)


@pytest.mark.parametrize(
    ("base", "span", "provisional"),
    [
        ("2026-12-31T08:00", "1wd", False),
        ("2026-12-31T08:01", "1wd", True),
        ("2026-12-31T18:00", "1h W", True),
        ("2027-03-01T08:00", "1h W", True),
        ("2026-12-31T23:00", "7d C", False),
        ("2026-12-31T23:00", "24h C", False),
    ],
)
def test_only_working_time_in_a_year_not_published_is_provisional(base: str, span: str, *, provisional: bool) -> None:
    assert advance(CHINA, beijing(base), Span.parse(span)).provisional is provisional


def test_a_year_not_published_is_worked_from_monday_to_friday() -> None:
    assert not publishes(CHINA, 2027)
    assert advance(CHINA, beijing("2026-12-31T17:00"), Span.parse("2h W")).due_at == beijing("2027-01-01T09:00")


def test_time_counted_from_a_year_not_published_into_a_published_one_is_provisional() -> None:
    only_next_year = CHINA.slice([2026])

    assert advance(only_next_year, beijing("2025-12-31T17:00"), Span.parse("2h W")).provisional
    assert not advance(only_next_year, beijing("2026-01-01T17:00"), Span.parse("2h W")).provisional


def test_publication_moves_a_provisional_limit_and_makes_it_firm() -> None:
    year = CalendarYear(year=2027, holidays=(date(2027, 1, 1),), source="made up")

    reckoning = advance(CHINA.with_year(year, "cn-2027.1"), beijing("2026-12-31T17:00"), Span.parse("2h W"))

    assert reckoning.due_at == beijing("2027-01-04T09:00")
    assert not reckoning.provisional


@pytest.mark.parametrize(
    ("base", "due"),
    [
        (angeles("2018-03-10T12:00"), angeles("2018-03-11T12:00")),
        (angeles("2018-11-03T12:00"), angeles("2018-11-04T12:00")),
        # 02:30 is skipped, so the day is over when the clock jumps past it.
        (angeles("2018-03-10T02:30"), angeles("2018-03-11T03:00")),
        # 01:30 comes twice: the first will do; whoever starts in the second keeps the time of day.
        (angeles("2018-11-03T01:30"), angeles("2018-11-04T01:30", fold=0)),
        (angeles("2018-11-04T01:30", fold=1), angeles("2018-11-05T01:30")),
    ],
)
def test_a_natural_day_keeps_the_time_of_day_when_clocks_change(base: datetime, due: datetime) -> None:
    assert advance(CITY, base, Span.parse("1d C")).due_at == due.astimezone(UTC)


def test_natural_time_within_a_repeated_hour_goes_forward() -> None:
    second_pass = angeles("2018-11-04T01:30", fold=1)

    due_at = advance_by(CITY, second_pass, Clock.NATURAL_DAY, timedelta(minutes=10)).due_at

    assert due_at == angeles("2018-11-04T01:40", fold=1).astimezone(UTC)
    assert worth_between(CITY, angeles("2018-11-04T01:50"), due_at, Clock.NATURAL_DAY) == timedelta()


def test_a_working_day_has_as_many_hours_as_the_calendar_says() -> None:
    short = WorkCalendar(code="x", version="1", zone="Asia/Shanghai", hours_per_workday=6, years=())

    assert worth_of(short, Span.parse("2wd")) == timedelta(hours=12)
    assert advance(short, beijing("2026-03-02T08:00"), Span.parse("1wd")).due_at == beijing("2026-03-02T16:00")


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 2, 13), True),
        (date(2026, 2, 14), True),  # a Saturday before the feast
        (date(2026, 2, 15), False),  # a Sunday of the feast
        (date(2026, 2, 16), False),
        (date(2026, 2, 24), True),
        (date(2026, 2, 28), True),
        (date(2026, 3, 1), False),
        (date(2027, 1, 1), True),  # not published
        (date(2027, 1, 2), False),
    ],
)
def test_what_is_a_workday(day: date, *, worked: bool) -> None:
    assert is_workday(CHINA, day) is worked


def test_naive_instants_are_refused() -> None:
    naive, aware = datetime(2026, 3, 2, 8), beijing("2026-03-02T08:00")  # noqa: DTZ001 - that is the point

    with pytest.raises(ValueError, match="no time zone"):
        advance(CHINA, naive, Span.parse("1h W"))
    with pytest.raises(ValueError, match="no time zone"):
        worth_between(CHINA, aware, naive, Clock.WORK_HOUR)
    with pytest.raises(ValueError, match="no time zone"):
        CHINA.frozen_for(naive)


def test_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="time cannot run backwards"):
        advance_by(CHINA, beijing("2026-03-02T08:00"), Clock.WORK_HOUR, -MICROSECOND)
