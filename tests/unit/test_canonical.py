"""One value, one byte string, one hash: also next year, on another machine."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

from models.canonical import canonical_json, digest, instant
from models.facts import Acknowledged, Fact
from models.organisation import Post
from models.spans import Span

CHINA = timezone(timedelta(hours=8))


def test_an_instant_is_written_in_utc_with_all_its_microseconds() -> None:
    assert instant(datetime(2026, 11, 22, 2, 10, tzinfo=CHINA)) == "2026-11-21T18:10:00.000000Z"


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        instant(datetime(2026, 11, 22))  # noqa: DTZ001 - the point of the test


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        canonical_json({"share": 0.5})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 1, "a": [True, None, "吹哨"]}, '{"a":[true,null,"吹哨"],"b":1}'),
        (date(2026, 10, 1), '"2026-10-01"'),
        (time(8, 30), '"08:30:00"'),
        (timedelta(seconds=1, microseconds=5), "1000005"),
        (Span.parse("4h W"), '"4h W"'),
        (Post.STREET_LEADER, '"street_leader"'),
        (Acknowledged(unit="water"), '{"type":"acknowledged","unit":"water"}'),
    ],
)
def test_golden_text(value: object, written: str) -> None:
    assert canonical_json(value).decode() == written


def test_golden_hash_of_a_fact() -> None:
    """A change of this hash breaks every chain that was ever written: raise the version of the form instead."""
    fact = Fact(
        number=1,
        at=datetime(2026, 11, 21, 18, 10, tzinfo=UTC),
        actor="o-water-1",
        unit="water",
        capacity=Post.DEPT_HANDLER,
        key="k1",
        command_hash="c" * 64,
        mode="NORMAL/0",
        detail=Acknowledged(unit="water"),
        previous_hash="0" * 64,
    ).sealed()

    assert fact.hash == "9b81bd44b3783f52d5d8ec67f8f9e2bd8a7b8afa027afa5f4790f14f4b89d7fe"
    assert fact.is_sealed_truly
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1})
