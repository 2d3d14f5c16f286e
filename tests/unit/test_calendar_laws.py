"""Working time against an oracle that looks at every minute, and the laws that its arithmetic keeps."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from models.calendar import WorkCalendar, advance_by, worth_between
from models.spans import Clock
from tests.unit.shipped_calendars import CHINA, CITY
from tests.unit.slow_calendar import SlowCalendar

MICROSECOND = timedelta(microseconds=1)
WORKING = st.sampled_from([Clock.WORK_HOUR, Clock.WORK_DAY])
# The oracle looks at a terrain's minutes when it is first used: that example is slower than the others.
unhurried = settings(deadline=None, max_examples=60)


class Count(NamedTuple):
    """Something to count: so much time from a base."""

    slow: SlowCalendar
    base: datetime
    worth: timedelta


def a_night_shift(zone: str, *sundays: str) -> WorkCalendar:
    """Work at the hours at which clocks are changed, on the Sundays on which they are."""
    return WorkCalendar.model_validate(
        {
            "code": "night",
            "version": "night-1",
            "zone": zone,
            "periods": ["00:00-00:01", "00:20-01:30", "01:30-02:15", "02:20-02:40", "02:45-03:30", "22:00-23:59"],
            "years": [{"year": int(day[:4]), "makeup_workdays": [day], "source": "made up"} for day in sundays],
        }
    )


# Each has something that arithmetic gets wrong: a year's end with a make-up Sunday, a make-up Saturday before a
# nine-day feast, a year not published, clocks set forward and back within working time, at midnight too, and a Friday
# that an island left out of its calendar.
TERRAINS = (
    SlowCalendar(CHINA, date(2025, 12, 30), date(2026, 1, 9)),
    SlowCalendar(CHINA, date(2026, 2, 12), date(2026, 2, 27)),
    SlowCalendar(CHINA, date(2026, 12, 29), date(2027, 1, 6)),
    SlowCalendar(CITY, date(2017, 12, 29), date(2018, 1, 5)),
    SlowCalendar(a_night_shift("America/Los_Angeles", "2018-03-11"), date(2018, 3, 8), date(2018, 3, 16)),
    SlowCalendar(a_night_shift("America/Los_Angeles", "2018-11-04"), date(2018, 11, 1), date(2018, 11, 9)),
    SlowCalendar(a_night_shift("America/Havana", "2018-03-11"), date(2018, 3, 8), date(2018, 3, 16)),
    SlowCalendar(a_night_shift("America/Havana", "2018-11-04"), date(2018, 11, 1), date(2018, 11, 9)),
    SlowCalendar(a_night_shift("Pacific/Apia", "2011-12-31"), date(2011, 12, 27), date(2012, 1, 4)),
)


def instants_from(day: date) -> st.SearchStrategy[datetime]:
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return times_up_to(timedelta(days=5)).map(lambda passed: noon + passed)


def times_up_to(limit: timedelta) -> st.SearchStrategy[timedelta]:
    """Every other draw is in steps that hit the edges of periods."""
    step = timedelta(minutes=5)
    steps = st.integers(0, limit // step).map(lambda n: n * step)
    return steps | st.integers(0, limit // MICROSECOND).map(lambda n: n * MICROSECOND)


@st.composite
def counts(draw: st.DrawFn) -> Count:
    slow = draw(st.sampled_from(TERRAINS))
    return Count(slow, draw(instants_from(slow.first)), draw(times_up_to(timedelta(hours=20))))


@settings(unhurried, max_examples=120)
@given(counts(), WORKING)
def test_working_time_ends_where_counting_every_minute_ends(count: Count, clock: Clock) -> None:
    slow, base, _ = count
    worth = min(count.worth, slow.left_after(base))

    reckoning = advance_by(slow.calendar, base, clock, worth)

    assert reckoning.due_at == slow.after(base, worth)
    assert reckoning.provisional is (bool(worth) and slow.touches_unpublished(base, reckoning.due_at))


@unhurried
@given(st.sampled_from(TERRAINS), st.data())
def test_working_time_between_two_instants_is_what_counting_every_minute_finds(
    slow: SlowCalendar, data: st.DataObject
) -> None:
    start, end = data.draw(instants_from(slow.first)), data.draw(instants_from(slow.first))

    worth = worth_between(slow.calendar, start, end, Clock.WORK_DAY)

    assert worth == (slow.between(start, end) if start < end else timedelta())


@unhurried
@given(counts(), WORKING)
def test_segments_are_the_time_counted(count: Count, clock: Clock) -> None:
    slow, base, worth = count

    reckoning = advance_by(slow.calendar, base, clock, worth)

    segments = reckoning.segments
    assert sum((each.end - each.start for each in segments), timedelta()) == worth
    assert all(each.start < each.end and each.start.tzinfo is each.end.tzinfo is UTC for each in segments)
    assert all(earlier.end <= later.start for earlier, later in pairwise(segments))
    assert reckoning.due_at == (segments[-1].end if segments else base)


@unhurried
@given(counts(), WORKING, st.integers(0, 100))
def test_working_time_may_be_counted_in_two_parts(count: Count, clock: Clock, percent: int) -> None:
    slow, base, worth = count
    part = worth * percent // 100

    halfway = advance_by(slow.calendar, base, clock, part).due_at

    whole = advance_by(slow.calendar, base, clock, worth).due_at
    assert advance_by(slow.calendar, halfway, clock, worth - part).due_at == whole


@unhurried
@given(counts(), st.sampled_from(Clock))
def test_the_time_up_to_a_limit_is_what_the_limit_was_made_of(count: Count, clock: Clock) -> None:
    slow, base, worth = count
    calendar = CHINA if clock is Clock.NATURAL_DAY else slow.calendar

    due_at = advance_by(calendar, base, clock, worth).due_at

    assert worth_between(calendar, base, due_at, clock) == worth
    assert not worth or worth_between(calendar, base, due_at - MICROSECOND, clock) == worth - MICROSECOND
    assert worth_between(calendar, due_at, base, clock) == timedelta()


@unhurried
@given(counts(), times_up_to(timedelta(days=3)), st.sampled_from(Clock))
def test_more_time_or_a_later_base_never_brings_a_limit_forward(count: Count, more: timedelta, clock: Clock) -> None:
    slow, base, worth = count
    calendar = CHINA if clock is Clock.NATURAL_DAY else slow.calendar

    due_at = advance_by(calendar, base, clock, worth).due_at

    assert base <= due_at <= advance_by(calendar, base, clock, worth + more).due_at
    assert due_at <= advance_by(calendar, base + more, clock, worth).due_at
