"""Lists go by the countdown, and a whistle is found by whatever people call it."""

from datetime import UTC, datetime, timedelta

import pytest

from activities.database import Database
from activities.queries import (
    AmbiguousKeyError,
    ListedWhistle,
    UnknownWhistleError,
    Wanted,
    find_whistle,
    list_whistles,
    open_with_provisional_limits,
)
from activities.record import register
from models.case import WhistleState
from models.commands import Acknowledge, Cancel
from models.decide import open_whistle
from models.holidays import CalendarYear
from models.policy import Escalation, Phase, Stage
from models.recording import Purpose, Registration
from models.tables import DistrictRow
from tests.builders import (
    COMMANDER,
    SUNDAY_0210,
    WATER,
    Story,
    a_closed_emergency,
    a_noise_complaint,
    a_sounded_emergency,
    an_approved_demand,
    jinfeng,
    minutes,
)
from tests.small_district import a_source, an_opening

NOW = SUNDAY_0210 + minutes(4)


def recorded(database: Database, *stories: Story) -> None:
    with database.writing() as session:
        for story in stories:
            register(session, story.registration(), NOW)


def listed(database: Database, wanted: Wanted | None = None, *, now: datetime = NOW) -> list[str]:
    with database.reading() as session:
        page = list_whistles(session, wanted or Wanted(), now)
    return [whistle.id.rpartition("/")[2] for whistle in page.whistles]


@pytest.mark.parametrize("name", ["whistle/jinfeng/k", "JINFENG-2026-000001", "jinfeng-2026-000001", "k"])
def test_a_whistle_is_found_by_id_number_or_key(database: Database, name: str) -> None:
    story = a_sounded_emergency("k")
    recorded(database, story)

    with database.reading() as session:
        found = find_whistle(session, name)

    assert (found.id, found.number, found.opened_at) == (story.id, "JINFENG-2026-000001", SUNDAY_0210)
    assert found.whistle == story.whistle


def test_what_is_not_there_is_not_found(database: Database) -> None:
    with database.reading() as session, pytest.raises(UnknownWhistleError, match="k"):
        find_whistle(session, "k")


def test_a_key_that_two_districts_use_is_ambiguous_and_names_both(empty_database: Database) -> None:
    empty_database.migrate()
    with empty_database.writing() as session:
        session.add_all(a_bare_district(code) for code in ("east", "west"))
        session.flush()
        for code in ("east", "west"):
            drafted = open_whistle(an_opening(a_source(), key="k", district=code), SUNDAY_0210)
            register(session, Registration(district=code, key="k", drill=False, facts=drafted.facts), NOW)

    with empty_database.reading() as session:
        with pytest.raises(AmbiguousKeyError) as caught:
            find_whistle(session, "k")
        found = find_whistle(session, "whistle/west/k")

    assert caught.value.ids == ("whistle/east/k", "whistle/west/k")
    assert found.number == "WEST-2026-000001"


def test_what_falls_due_first_comes_first_and_what_has_none_comes_last(database: Database) -> None:
    later = a_sounded_emergency("later", at=SUNDAY_0210 + minutes(3))
    overdue = a_sounded_emergency("overdue", at=SUNDAY_0210 - timedelta(hours=3)).wait(timedelta(hours=3))
    recorded(database, later, Story("draft").source(), a_sounded_emergency("first"), overdue)

    assert listed(database) == ["overdue", "first", "later", "draft"]


def test_whistles_due_at_the_same_instant_come_by_their_names(database: Database) -> None:
    recorded(database, *(a_sounded_emergency(key) for key in ("b", "c", "a")))

    assert listed(database) == ["a", "b", "c"]


def test_pages_follow_each_other_without_gap_or_repetition(database: Database) -> None:
    stories = [a_sounded_emergency(key, at=SUNDAY_0210 + minutes(at)) for key, at in (("b", 1), ("a", 1), ("c", 0))]
    recorded(database, *stories, Story("e").source(), Story("d").source())

    seen: list[list[str]] = []
    after: str | None = None
    while True:
        with database.reading() as session:
            page = list_whistles(session, Wanted(), NOW, limit=2, after=after)
        seen.append([whistle.id.rpartition("/")[2] for whistle in page.whistles])
        if (after := page.next_after) is None:
            break

    assert seen == [["c", "a"], ["b", "d"], ["e"]]


def test_ended_whistles_show_only_where_asked_for(database: Database) -> None:
    cancelled = a_sounded_emergency("cancelled").act(Cancel(reason="false alarm"), by=COMMANDER)
    recorded(database, a_closed_emergency("closed"), cancelled, a_sounded_emergency("open"))

    assert listed(database) == ["open"]
    assert listed(database, Wanted(state=WhistleState.CLOSED)) == ["closed"]
    assert listed(database, Wanted(ended=True)) == ["open", "cancelled", "closed"]


def test_lists_are_narrowed_by_street_unit_and_state(database: Database) -> None:
    recorded(
        database,
        a_sounded_emergency("main"),
        a_sounded_emergency("power", "power"),
        Story("noise").source().blow(a_noise_complaint()),
    )

    assert listed(database, Wanted(street="cczl")) == ["main", "power", "noise"]
    assert listed(database, Wanted(street="bjzl")) == []
    assert listed(database, Wanted(unit="power")) == ["power"]
    assert listed(database, Wanted(state=WhistleState.PENDING_APPROVAL)) == ["noise"]
    assert listed(database, Wanted(unit="water", state=WhistleState.SOUNDED)) == ["main", "power"]


@pytest.mark.parametrize(
    ("mine", "expected"),
    [(("cczl",), ["k"]), (("water",), ["k"]), (("gas", "police-cczl"), ["k"]), (("gas",), []), ((), [])],
)
def test_mine_is_what_my_units_have_a_part_in(database: Database, mine: tuple[str, ...], expected: list[str]) -> None:
    recorded(database, a_sounded_emergency("k"))

    assert listed(database, Wanted(mine=mine)) == expected


def test_overdue_is_as_of_the_question_and_at_the_limit_exactly_it_is(database: Database) -> None:
    recorded(database, a_sounded_emergency("k"))
    due = SUNDAY_0210 + minutes(5)

    assert listed(database, Wanted(overdue=True), now=due - timedelta(microseconds=1)) == []
    assert listed(database, Wanted(overdue=True), now=due) == ["k"]


def test_with_a_unit_overdue_means_what_that_unit_owes(database: Database) -> None:
    story = a_sounded_emergency("k").act(Acknowledge(unit="water"), by=WATER, after=minutes(1))
    recorded(database, story)
    now = SUNDAY_0210 + minutes(6)

    assert listed(database, Wanted(overdue=True, unit="water"), now=now) == []
    assert listed(database, Wanted(overdue=True, unit="police-cczl"), now=now) == ["k"]


def test_due_within_means_not_yet_due_and_due_by_then(database: Database) -> None:
    recorded(database, a_sounded_emergency("k"), a_sounded_emergency("later", at=SUNDAY_0210 + timedelta(days=3)))

    assert listed(database, Wanted(due_within=minutes(1)), now=NOW) == ["k"]
    assert listed(database, Wanted(due_within=minutes(1)), now=NOW - timedelta(microseconds=1)) == []
    assert listed(database, Wanted(due_within=minutes(20)), now=SUNDAY_0210 + minutes(5)) == []


def test_a_line_says_what_a_duty_officer_has_to_know(database: Database) -> None:
    recorded(database, a_sounded_emergency("k").wait(minutes(20)))

    with database.reading() as session:
        (line,) = list_whistles(session, Wanted(), SUNDAY_0210 + minutes(20)).whistles

    assert isinstance(line, ListedWhistle)
    assert (line.number, line.lead, line.overdue, line.provisional) == ("JINFENG-2026-000001", "water", True, False)
    assert (line.place, line.mode, line.escalation) == ("银川市长城中路 12 号", "NORMAL/0", Escalation.E1)
    assert line.next_due_stage is Stage.REPLY
    assert [(task.unit, task.state, task.escalation) for task in line.tasks] == [
        ("water", "ACKED", Escalation.E1),
        ("police-cczl", "ACKED", Escalation.E1),
    ]


def test_open_whistles_with_provisional_limits_are_found_until_they_follow_the_new_calendar(database: Database) -> None:
    # Nobody has published the holidays of 2031 yet.
    far = datetime(2031, 9, 29, 2, tzinfo=UTC)
    provisional = an_approved_demand("far", at=far)
    recorded(database, provisional, an_approved_demand("near"), a_sounded_emergency("main"))
    published = jinfeng().calendar.with_year(CalendarYear(year=2031, source="a notice"), "cn-2031.1")

    with database.reading() as session:
        waiting = open_with_provisional_limits(session, published.version)
        same = open_with_provisional_limits(session, jinfeng().calendar.version)

    assert waiting == (provisional.id,)
    assert same == ()


def a_bare_district(code: str) -> DistrictRow:
    return DistrictRow(
        code=code,
        name_zh=code,
        name_en=code,
        zone="Asia/Shanghai",
        purpose=Purpose.REAL,
        phase=Phase.NORMAL,
        policy_version="1",
        calendar_version="1",
        duties_version="1",
    )
