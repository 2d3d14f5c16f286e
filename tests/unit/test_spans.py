"""The notation of the policy, both ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from models.canonical import canonical_json
from models.spans import Clock, Span

NOTATION = [
    ("5m C", 5, Clock.URGENT_MINUTE),
    ("24h C", 24, Clock.URGENT_HOUR),
    ("4h W", 4, Clock.WORK_HOUR),
    ("1wd", 1, Clock.WORK_DAY),
    ("7d C", 7, Clock.NATURAL_DAY),
]


@pytest.mark.parametrize(("text", "amount", "clock"), NOTATION)
def test_every_clock_has_its_notation(text: str, amount: int, clock: Clock) -> None:
    assert Span.parse(text) == Span(amount=amount, clock=clock)
    assert str(Span(amount=amount, clock=clock)) == text


@given(st.builds(Span, amount=st.integers(1, 10_000), clock=st.sampled_from(Clock)))
def test_a_span_is_read_back_as_it_was_written(span: Span) -> None:
    assert Span.parse(str(span)) == span
    assert Span.model_validate_json(span.model_dump_json()) == span


def test_a_span_stands_in_files_and_hashes_as_its_text() -> None:
    class Row(BaseModel):
        ack: Span

    row = Row.model_validate({"ack": "1h W"})

    assert row.model_dump(mode="json") == {"ack": "1h W"}
    assert canonical_json(row) == b'{"ack":"1h W"}'


@pytest.mark.parametrize(
    "text", ["", "5", "5m", "5mC", "0m C", "05m C", "-1wd", "1.5wd", "1 wd", "4h w", "7d W", "٣wd", "1wd\n"]
)
def test_text_in_no_known_notation_is_refused_with_the_notation(text: str) -> None:
    with pytest.raises(ValueError, match="write '5m C', '24h C', '4h W', '1wd' or '7d C'"):
        Span.parse(text)


@pytest.mark.parametrize("amount", [0, -1, 10_001, 1.0, True, "4"])
def test_an_amount_out_of_bounds_is_refused(amount: object) -> None:
    with pytest.raises(ValidationError, match="amount"):
        Span.model_validate({"amount": amount, "clock": "work_day"})


def test_an_amount_out_of_bounds_is_refused_in_text_too() -> None:
    with pytest.raises(ValidationError, match="less than or equal to 10000"):
        Span.parse("10001d C")


@pytest.mark.parametrize(
    ("clock", "is_working"),
    [
        (Clock.URGENT_MINUTE, False),
        (Clock.URGENT_HOUR, False),
        (Clock.WORK_HOUR, True),
        (Clock.WORK_DAY, True),
        (Clock.NATURAL_DAY, False),
    ],
)
def test_only_working_clocks_stop_at_night(clock: Clock, is_working: bool) -> None:  # noqa: FBT001 - a table's column
    assert clock.is_working is is_working
    assert clock == clock.name.lower()
