"""How scripts are written, and how what they expect is held against what came about."""

import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from activities.profiles import load_profile
from engine.drill_files import read_scenario, shipped_scenarios
from models.case import Presence, Role, Summons
from models.commands import ReportIn
from models.expectations import Played, Subject, unmet, within_minute
from models.refusals import Reason
from models.scenario import Expectation, Scenario, ScriptedAct, ScriptedWhistle
from tests.builders import a_sounded_emergency, minutes

TZ = ZoneInfo("Asia/Shanghai")
SCRIPT = """
title_zh = "题"
title_en = "Title"
profile = "jinfeng"
[[whistles]]
title_zh = "题"
title_en = "Title"
key = "one"
start = 2026-03-01T02:10:00
officer = "o-cczl-duty-1"
street = "cczl"
kind = "K1"
urgency = "U1"
matter = "water-main-burst"
place = "here"
text = "water"
source_type = "patrol"
source_id = "1"
acts = []
expect = []
"""


def a_script(**changes: object) -> ScriptedWhistle:
    return Scenario.model_validate(as_written(**changes)).whistles[0]


def as_written(**changes: object) -> dict[str, Any]:
    written = tomllib.loads(SCRIPT)
    written["whistles"][0] |= changes
    return written


def test_an_act_is_written_with_the_fields_of_its_command() -> None:
    act = {"at": "+27m", "officer": "o-water-operator", "verb": "report-in", "unit": "water", "people": 6}

    script = a_script(acts=[{**act, "presence": "onsite"}])

    assert script.acts == (
        ScriptedAct(
            at=minutes(27),
            officer="o-water-operator",
            command=ReportIn(unit="water", people=6, presence=Presence.ONSITE),
        ),
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("+0m", timedelta()),
        ("+90s", timedelta(seconds=90)),
        ("+1d2h30m5s", timedelta(days=1, hours=2, minutes=30, seconds=5)),
        (datetime(2026, 3, 1, 2, 14), datetime(2026, 3, 1, 2, 14)),  # noqa: DTZ001 - as on the local clock
    ],
)
def test_a_moment_is_on_the_local_clock_or_after_the_start(written: object, meant: object) -> None:
    assert Expectation.model_validate({"at": written, "state": "SOUNDED"}).at == meant


@pytest.mark.parametrize(
    "written",
    ["", "+", "30m", "+30", "+m", "-5m", "2026-03-01T02:14:00", 5, True, None, datetime(2026, 3, 1, tzinfo=UTC)],
)
def test_a_moment_that_is_neither_is_refused(written: object) -> None:
    with pytest.raises(ValidationError, match="local"):
        Expectation.model_validate({"at": written, "state": "SOUNDED"})


def test_moments_become_instants_by_the_districts_clock() -> None:
    script = a_script()

    assert script.instant(minutes(30), TZ) == datetime(2026, 2, 28, 18, 40, tzinfo=UTC)
    assert script.instant(script.start, TZ) == datetime(2026, 2, 28, 18, 10, tzinfo=UTC)


def test_at_one_instant_acts_come_before_expectations_and_each_in_their_order() -> None:
    ack = {"officer": "o-1", "verb": "ack"}
    script = a_script(
        acts=[{"at": "+5m", "unit": "b", **ack}, {"at": "+1m", "unit": "a", **ack}, {"at": "+5m", "unit": "c", **ack}],
        expect=[{"at": datetime(2026, 3, 1, 2, 15), "state": "SOUNDED"}, {"at": "+1m", "state": "MUSTERING"}],  # noqa: DTZ001
    )

    steps = [step.does for step in script.steps(TZ)]

    assert steps == [script.acts[1], script.expect[1], script.acts[0], script.acts[2], script.expect[0]]


def test_nothing_comes_before_the_start() -> None:
    script = a_script(expect=[{"at": datetime(2026, 3, 1, 2, 9), "state": "SOUNDED"}])  # noqa: DTZ001

    with pytest.raises(ValueError, match="before the start"):
        script.steps(TZ)


def test_whoever_is_not_named_is_summoned_by_the_duty_list() -> None:
    usual = (Summons(unit="water", role=Role.LEAD),)

    assert a_script().case("assist-01", usual).summons == usual


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"acts": [{"at": "+1m", "officer": "o-1", "verb": "shout"}]}, "shout"),
        ({"acts": [{"at": "+1m", "officer": "o-1", "verb": "ack", "unit": "a", "typo": 1}]}, "typo"),
        ({"acts": [{"at": "+1m", "officer": "o-1", "verb": "ack", "unit": "a", "refused": "because"}]}, "refused"),
        ({"acts": [7]}, "acts"),
        ({"expect": [{"at": "+1m"}]}, "nothing is expected"),
        ({"expect": [{"at": "+1m", "state": "ASLEEP"}]}, "state"),
        ({"start": datetime(2026, 3, 1, tzinfo=UTC)}, "start"),
        ({"key": "a/b"}, "key"),
        ({"typo": 1}, "typo"),
    ],
)
def test_a_script_that_means_nothing_is_refused(changes: dict[str, object], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Scenario.model_validate(as_written(**changes))


def test_two_whistles_have_two_keys() -> None:
    written = as_written()

    with pytest.raises(ValidationError, match="same key"):
        Scenario.model_validate(written | {"whistles": written["whistles"] * 2})


def test_a_script_can_be_shortened_to_its_first_whistles() -> None:
    script = read_scenario(shipped_scenarios()["friday-evening"])

    assert [whistle.key for whistle in script.shortened(1).whistles] == ["friday-ordinary"]
    assert script.shortened(None) == script


@pytest.mark.parametrize("name", sorted(shipped_scenarios()))
def test_every_shipped_scenario_fits_its_profile(name: str) -> None:
    scenario = read_scenario(shipped_scenarios()[name])
    profile = load_profile(scenario.profile)

    for whistle in scenario.whistles:
        assert profile.duties.item_for(whistle.matter).matter == whistle.matter
        assert whistle.steps(profile.calendar.tz)
        for officer in (whistle.officer, *(act.officer for act in whistle.acts)):
            assert profile.organisation.posts_of(officer, whistle.start.date())


def shortfalls(expected: dict[str, object], *, after: int = 30) -> list[tuple[Subject, str, str]]:
    """Return what is not as expected of an emergency that nobody answers, so many minutes after it sounded."""
    script = a_script(key="unanswered")
    story = a_sounded_emergency("unanswered").wait(minutes(after))
    expectation = Expectation.model_validate({"at": minutes(after), **expected})
    found = unmet(expectation, story.now, script, TZ, Played(story.whistle, story.facts))
    return [(each.about, each.expected, each.found) for each in found]


@pytest.mark.parametrize(
    "expected",
    [
        {"state": "MUSTERING"},
        {"task": {"unit": "police-cczl", "state": "ACKED"}},
        {"level": {"unit": "water", "level": "E1"}},
        {"limit": {"owner": "water", "stage": "report_in", "due": "+30m", "met": False, "missed": True}},
        {"limit": {"owner": "water", "stage": "reply", "about": "report_in", "due": datetime(2026, 3, 1, 2, 45)}},  # noqa: DTZ001
        {"escalated": {"owner": "water", "stage": "report_in", "level": "E1"}},
        {
            "escalated": {
                "owner": "water",
                "stage": "report_in",
                "level": "E1",
                "told": ["o-cczl-duty-2", "o-cczl-duty-1", "o-water-head"],
            }
        },
    ],
)
def test_what_has_come_about_is_as_expected(expected: dict[str, object]) -> None:
    assert shortfalls(expected) == []


@pytest.mark.parametrize(
    ("expected", "about", "found"),
    [
        ({"state": "CLOSED"}, Subject.STATE, "MUSTERING"),
        ({"task": {"unit": "water", "state": "ISSUED"}}, Subject.TASK, "water ACKED"),
        ({"task": {"unit": "gas", "state": "ISSUED"}}, Subject.TASK, "gas -"),
        ({"level": {"unit": "water", "level": "E2"}}, Subject.LEVEL, "water E1"),
        ({"level": {"unit": "cczl", "level": "E1"}}, Subject.LEVEL, "cczl -"),
        ({"limit": {"owner": "water", "stage": "plan"}}, Subject.LIMIT, "-"),
        (
            {"limit": {"owner": "water", "stage": "report_in", "due": "+29m"}},
            Subject.DUE,
            "water report_in 2026-02-28T18:40:00.000000Z",
        ),
        ({"limit": {"owner": "water", "stage": "report_in", "met": True}}, Subject.MET, "water report_in False"),
        ({"limit": {"owner": "water", "stage": "ack", "missed": False}}, Subject.MISSED, "water ack True"),
        ({"escalated": {"owner": "cczl", "stage": "verify", "level": "E1"}}, Subject.ESCALATED, "cczl verify E1 -"),
        (
            {"escalated": {"owner": "water", "stage": "ack", "level": "E1"}},
            Subject.ESCALATED,
            "water ack E1 2026-02-28T18:15:00.000000Z",
        ),
        (
            {"escalated": {"owner": "water", "stage": "report_in", "level": "E1", "told": ["o-water-head"]}},
            Subject.TOLD,
            "water report_in E1 o-cczl-duty-1,o-cczl-duty-2,o-water-head",
        ),
    ],
)
def test_what_has_come_about_otherwise_is_named(expected: dict[str, object], about: Subject, found: str) -> None:
    assert [(each[0], each[2]) for each in shortfalls(expected)] == [(about, found)]


def test_an_instant_holds_for_the_minute_that_it_starts() -> None:
    expected = datetime(2026, 3, 1, 2, 40, tzinfo=UTC)

    assert within_minute(expected, expected)
    assert within_minute(expected, expected + timedelta(seconds=59, milliseconds=999))
    assert not within_minute(expected, expected + timedelta(minutes=1))
    assert not within_minute(expected, expected - timedelta(microseconds=1))


def test_a_refusal_is_expected_by_its_reason() -> None:
    act = {"at": "+1m", "officer": "o-1", "verb": "ack", "unit": "water", "refused": "already_done"}

    assert a_script(acts=[act]).acts[0].refused is Reason.ALREADY_DONE
