"""What a calendar may say, and what the shipped ones do say."""

from datetime import UTC, date, datetime

import pytest
from pydantic import ValidationError

from activities.holidays import YearNotPublishedError, latest_published_year, published_year
from models.calendar import WorkCalendar
from models.canonical import canonical_json, digest
from models.holidays import CalendarYear
from models.local_clock import Period
from tests.unit.shipped_calendars import CHINA, CITY


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"zone": "Asia/Yinchuan"}, "'Asia/Yinchuan' is not a zone"),
        ({"zone": "../etc/passwd"}, "is not a zone"),
        ({"zone": "America"}, "is not a zone"),
        ({"periods": []}, "without a working period"),
        ({"periods": ["14:00-18:00", "08:00-12:00"]}, "08:00-12:00 does not come after 14:00-18:00"),
        ({"periods": ["08:00-12:00", "11:59-18:00"]}, "11:59-18:00 does not come after 08:00-12:00"),
        ({"periods": ["12:00-08:00"]}, "does not end after it starts"),
        ({"periods": ["08:00-08:00"]}, "does not end after it starts"),
        ({"periods": ["08:00"]}, "write '08:00-12:00'"),
        ({"periods": ["08:00-12:00:30"]}, "whole minutes"),
        ({"periods": ["08:00-25:00"]}, "periods"),
        ({"hours_per_workday": 0}, "hours_per_workday"),
        ({"holydays": []}, "holydays"),
        ({"years": [{"year": 2026, "source": "a"}, {"year": 2026, "source": "b"}]}, "published twice"),
        ({"years": [{"year": 2026, "source": ""}]}, "source"),
        ({"years": [{"year": 2026, "source": "a", "holidays": ["2025-12-31"]}]}, "2025-12-31 is not in 2026"),
        ({"years": [{"year": 2026, "source": "a", "makeup_workdays": ["2026-03-02"]}]}, "not on a weekend"),
        (
            {"years": [{"year": 2026, "source": "a", "holidays": ["2026-03-07"], "makeup_workdays": ["2026-03-07"]}]},
            "2026-03-07 is both",
        ),
    ],
)
def test_a_calendar_that_cannot_be_meant_is_refused(change: dict[str, object], complaint: str) -> None:
    sound: dict[str, object] = {"code": "x", "version": "1", "zone": "Asia/Shanghai", "years": []}
    assert WorkCalendar.model_validate(sound).version == "1"

    with pytest.raises(ValidationError, match=complaint):
        WorkCalendar.model_validate(sound | change)


def test_the_order_in_which_dates_and_years_are_listed_does_not_matter() -> None:
    def a_calendar(*years: CalendarYear) -> WorkCalendar:
        return WorkCalendar(code="x", version="1", zone="Asia/Shanghai", years=years)

    first, second = date(2026, 1, 1), date(2026, 1, 2)
    listed = CalendarYear(year=2026, holidays=(second, first, second), source="a")
    other = CalendarYear(year=2025, source="a")

    assert listed.holidays == (first, second)
    assert digest(a_calendar(listed, other)) == digest(a_calendar(other, listed))


def test_a_calendar_is_read_back_as_it_was_written() -> None:
    assert WorkCalendar.model_validate_json(CHINA.model_dump_json()) == CHINA
    assert b'"periods":["08:00-12:00","14:00-18:00"]' in canonical_json(CHINA)
    assert Period.parse("08:00-12:00").canonical_text == str(Period.parse("08:00-12:00")) == "08:00-12:00"


def test_a_run_carries_its_year_and_the_two_beside_it() -> None:
    frozen = CHINA.frozen_for(datetime(2024, 12, 31, 16, tzinfo=UTC))

    assert [entry.year for entry in frozen.years] == [2024, 2025, 2026]
    assert (frozen.code, frozen.version, frozen.periods) == (CHINA.code, CHINA.version, CHINA.periods)
    assert len(frozen.model_dump_json()) < 1_500


def test_what_is_published_again_replaces_what_was_known() -> None:
    corrected = CalendarYear(year=2026, source="made up")

    calendar = CHINA.with_year(corrected, "cn-2026.2")

    assert calendar.version == "cn-2026.2"
    assert calendar.years == (*CHINA.years[:-1], corrected)


@pytest.mark.parametrize("year", range(2018, 2027))
def test_the_district_has_every_year_as_it_was_published(year: int) -> None:
    published = published_year(year)

    (entry,) = CHINA.slice([year]).years
    assert (entry.holidays, entry.makeup_workdays) == (published.holidays, published.makeup_workdays)


@pytest.mark.parametrize("year", [2003, latest_published_year() + 1, 9999])
def test_a_year_not_published_yet_fails_loudly(year: int) -> None:
    with pytest.raises(YearNotPublishedError, match=f"of {year} are not .* {latest_published_year()}") as refusal:
        published_year(year)

    assert (refusal.value.year, refusal.value.latest) == (year, latest_published_year())


@pytest.mark.parametrize("entry", CITY.years, ids=lambda entry: str(entry.year))
def test_the_real_cases_have_ten_holidays_a_year_on_weekdays(entry: CalendarYear) -> None:
    assert len(entry.holidays) == 10
    assert all(day.weekday() < 5 for day in entry.holidays)
