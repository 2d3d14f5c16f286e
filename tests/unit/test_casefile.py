"""How rows of another system become cases, and why some do not."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache

import pytest
from pydantic import ValidationError

from activities.profiles import SHIPPED, load_profile
from engine.drill_files import reading_of
from models.case_reading import CaseOutcome, CaseReading
from models.casefile import ColumnsMissingError, PastCase, Promise, Rejection, RejectReason, read_cases
from models.profile import Profile

HEADING = "SRNumber,CreatedDate,Owner,RequestType,Status,RequestSource,ServiceDate,ClosedDate,ZipCode,CD,NC,NCName"
EXCERPT = SHIPPED / "los-angeles" / "cases-2018-01.csv"


@cache
def los_angeles() -> Profile:
    return load_profile("los-angeles")


@cache
def reading() -> CaseReading:
    return reading_of("los-angeles")


def a_row(  # noqa: PLR0913 - one for each column that a test is about
    *,
    case: str = "1-1",
    opened: str = "01/02/2018 08:00:00 AM",
    closed: str = "01/03/2018 08:00:00 AM",
    promised: str = "01/05/2018 12:00:00 AM",
    status: str = "Closed",
    owner: str = "BOS",
    matter: str = "Bulky Items",
    district: str = "4",
) -> str:
    return f"{case},{opened},{owner},{matter},{status},Call,{promised},{closed},90001,{district},55,SOME NC"


def read(*rows: str) -> list[PastCase | Rejection]:
    return read_lines([HEADING, *rows])


def read_lines(lines: Iterable[str]) -> list[PastCase | Rejection]:
    text = "".join(line + "\n" for line in lines)
    return list(read_cases(text.splitlines(keepends=True), reading(), los_angeles()))


def the_case(row: str) -> PastCase:
    (case,) = read(row)
    assert isinstance(case, PastCase)
    return case


def test_a_row_becomes_a_case_of_its_council_district_led_by_the_bureau() -> None:
    case = the_case(a_row(case="1-870704814", owner="OCB", matter="Graffiti Removal", district="14"))

    assert case == PastCase(
        line=2,
        id="1-870704814",
        opened_at=datetime(2018, 1, 2, 16, tzinfo=UTC),
        closed_at=datetime(2018, 1, 3, 16, tzinfo=UTC),
        promised_at=datetime(2018, 1, 6, 8, tzinfo=UTC),
        promise=Promise.GIVEN,
        outcome=CaseOutcome.RESOLVED,
        street="cd-14",
        community="nc-55",
        unit="ocb",
        matter="graffiti-removal",
        duty_item="taken-back-02",
        place="SOME NC, 90001",
        text="Graffiti Removal, Call",
    )


def test_the_time_of_day_of_a_promise_means_nothing() -> None:
    case = the_case(a_row(promised="01/05/2018 02:29:10 PM"))

    assert case.promised_at == datetime(2018, 1, 6, 8, tzinfo=UTC)


def test_a_promised_day_ends_an_hour_earlier_in_summer() -> None:
    case = the_case(a_row(promised="07/04/2018 12:00:00 AM"))

    assert case.promised_at == datetime(2018, 7, 5, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("closed", "was_late"),
    [
        ("01/05/2018 11:59:59 PM", False),
        ("01/06/2018 12:00:00 AM", True),
        ("01/06/2018 12:00:01 AM", True),
    ],
)
def test_to_close_at_the_end_of_the_promised_day_is_late(closed: str, was_late: bool) -> None:  # noqa: FBT001
    assert the_case(a_row(closed=closed)).was_late is was_late


@pytest.mark.parametrize("status", ["Cancelled", "Referred Out"])
def test_only_a_resolved_case_is_late(status: str) -> None:
    case = the_case(a_row(status=status, closed="02/01/2018 12:00:00 PM"))

    assert not case.is_judged
    assert not case.was_late


@pytest.mark.parametrize(
    ("promised", "promise"),
    [
        ("", Promise.MISSING),
        ("01/01/2018 12:00:00 AM", Promise.OVER),
        ("01/02/2018 12:00:00 AM", Promise.GIVEN),
    ],
)
def test_a_day_that_had_ended_before_the_case_was_opened_is_no_promise(promised: str, promise: Promise) -> None:
    case = the_case(a_row(promised=promised))

    assert case.promise is promise
    assert (case.promised_at is None) is (promise is not Promise.GIVEN)


def test_a_case_opened_at_the_very_end_of_the_promised_day_has_no_promise() -> None:
    assert the_case(a_row(opened="01/03/2018 12:00:00 AM", promised="01/02/2018 12:00:00 AM")).promise is Promise.OVER


def test_a_case_may_close_in_the_instant_in_which_it_was_opened() -> None:
    at = "01/02/2018 08:00:00 AM"

    case = the_case(a_row(opened=at, closed=at))

    assert case.opened_at == case.closed_at


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (a_row(closed="01/02/2018 07:59:59 AM"), RejectReason.CLOSED_BEFORE_OPENED),
        (a_row(district=""), RejectReason.NO_STREET),
        (a_row(district="16"), RejectReason.UNKNOWN_STREET),
        (a_row(opened="2018-01-02 08:00"), RejectReason.UNREADABLE_DATE),
        (a_row(opened=""), RejectReason.UNREADABLE_DATE),
        (a_row(closed="01/32/2018 08:00:00 AM"), RejectReason.UNREADABLE_DATE),
        (a_row(closed="01/03/0001 08:00:00 AM"), RejectReason.UNREADABLE_DATE),
        (a_row(promised="soon"), RejectReason.UNREADABLE_DATE),
        (a_row(promised="12/31/9999 12:00:00 AM"), RejectReason.UNREADABLE_DATE),
        (a_row(owner="NSA"), RejectReason.UNKNOWN_UNIT),
        (a_row(owner="BSL"), RejectReason.UNIT_WITHOUT_DUTY),
        (a_row(owner="cd-4"), RejectReason.UNIT_WITHOUT_DUTY),
        (a_row(matter="Potholes"), RejectReason.UNKNOWN_MATTER),
        (a_row(status="Open"), RejectReason.UNKNOWN_OUTCOME),
        (a_row(case=""), RejectReason.UNUSABLE_ID),
        (a_row(case="../1"), RejectReason.UNUSABLE_ID),
        (a_row(case="x" * 65), RejectReason.UNUSABLE_ID),
        ("1-1,01/02/2018 08:00:00 AM", RejectReason.ROW_WIDTH),
        (a_row() + ",more", RejectReason.ROW_WIDTH),
        (a_row(case="1-1\udcff"), RejectReason.UNREADABLE_ROW),
        (a_row(case="1-" + "1" * 140_000), RejectReason.UNREADABLE_ROW),
        (a_row(case='"1"-1'), RejectReason.UNREADABLE_ROW),
    ],
)
def test_a_row_that_does_not_say_clearly_what_happened_is_rejected(row: str, reason: RejectReason) -> None:
    (rejection,) = read(row)

    assert isinstance(rejection, Rejection)
    assert (rejection.line, rejection.reason) == (2, reason)


def test_a_rejected_row_does_not_take_its_neighbours_with_it() -> None:
    rows = read(a_row(case="a"), a_row(case='"b"-1'), a_row(case="c"), "short", a_row(case="d"))

    assert [row.id if isinstance(row, PastCase) else row.line for row in rows] == ["a", 3, "c", 5, "d"]


def test_the_second_row_with_an_id_is_rejected() -> None:
    _, rejection = read(a_row(case="1-1"), a_row(case="1-1"))

    assert rejection == Rejection(3, RejectReason.REPEATED_ID, "1-1")


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    rows = read(a_row(case="a"), "", a_row(case="b").replace("SOME NC", '"SOME\nNC"'), a_row(case="c"))

    assert [row.line for row in rows] == [2, 4, 6]


def test_columns_may_stand_in_any_order_behind_a_byte_order_mark() -> None:
    names, values = HEADING.split(","), a_row().split(",")

    (case,) = read_lines(["\ufeff" + ",".join(reversed(names)), ",".join(reversed(values))])

    assert isinstance(case, PastCase)


@pytest.mark.parametrize("lines", [[], [""], ["name,age"], ['"']])
def test_another_table_is_refused_with_the_columns_that_it_lacks(lines: list[str]) -> None:
    with pytest.raises(ColumnsMissingError, match="SRNumber"):
        read_lines(lines)


def test_the_shipped_excerpt_has_every_kind_of_case() -> None:
    rows = read_lines(EXCERPT.read_text(encoding="utf-8").splitlines())
    cases = [row for row in rows if isinstance(row, PastCase)]
    rejected = [row for row in rows if isinstance(row, Rejection)]

    assert len(rows) == 42
    assert Counter(case.outcome for case in cases) == {"resolved": 32, "withdrawn": 7, "referred_out": 1}
    assert Counter(case.promise for case in cases) == {"given": 29, "missing": 10, "over": 1}
    assert [case.line for case in cases if case.was_late] == [7, 15, 16, 20, 35]
    assert [(row.line, row.reason) for row in rejected] == [(40, "closed_before_opened"), (41, "no_street")]


@pytest.mark.parametrize(("key", "value"), [("zone", "Mars/Olympus"), ("kind", "K9"), ("columns", {}), ("typo", 1)])
def test_a_reading_that_means_nothing_is_refused(key: str, value: object) -> None:
    written = reading().model_dump() | {key: value}

    with pytest.raises(ValidationError, match=key):
        CaseReading.model_validate(written)
