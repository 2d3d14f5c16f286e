"""The verbs that look ask the record alone: they need no engine and no login."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from activities.database import Database
from activities.record import write_facts
from models.canonical import plain
from models.commands import Acknowledge, Approve
from models.views import timeline, whistle_view
from tests.builders import POLICE, WATER, Story, a_closed_emergency, a_noise_complaint, a_sounded_emergency, minutes
from tests.cli.conftest import Whistle

NUMBER = "JINFENG-2026-000001"
Record = Callable[[Story], Story]


def in_json(value: object) -> object:
    return json.loads(json.dumps(plain(value)))


def sounded_just_now(key: str) -> Story:
    return a_sounded_emergency(key, at=datetime.now(UTC).replace(microsecond=0))


@pytest.mark.parametrize("name", ["burst", NUMBER, NUMBER.lower(), "whistle/jinfeng/burst"])
def test_a_whistle_is_shown_by_its_key_its_number_and_its_id(name: str, whistle: Whistle, record: Record) -> None:
    story = record(a_sounded_emergency("burst"))

    outcome = whistle("show", name, "--json")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.document == in_json(whistle_view(story.whistle, story.facts, NUMBER))


def test_the_timeline_is_the_list_of_facts(whistle: Whistle, record: Record) -> None:
    story = record(a_closed_emergency("done"))

    outcome = whistle("timeline", "done", "--json")

    assert outcome.document == in_json(timeline(story.facts))
    assert [line["number"] for line in outcome.document] == list(range(1, len(story.facts) + 1))
    assert [line["previous_hash"] for line in outcome.document[1:]] == [line["hash"] for line in outcome.document[:-1]]


def test_behind_a_gap_only_what_the_state_rests_on_is_shown(
    whistle: Whistle, record: Record, database: Database
) -> None:
    story = record(a_sounded_emergency("gap"))
    story.act(Acknowledge(unit="water"), by=WATER).act(Acknowledge(unit="police-cczl"), by=POLICE)
    with database.writing() as session:
        write_facts(session, story.batch(5, 5), datetime.now(UTC))

    document = whistle("show", "gap", "--json").document

    assert [line["number"] for line in document["facts"]] == [1, 2, 3]
    assert document["head_hash"] == document["facts"][-1]["hash"]


def test_explain_counts_every_limit_again(whistle: Whistle, record: Record) -> None:
    story = record(a_sounded_emergency("burst").wait(minutes(45)))

    document = whistle("explain", "burst", "--json").document

    assert len(document) == len(story.whistle.limits)
    assert all(limit["agrees"] and limit["recomputed_due_at"] == limit["due_at"] for limit in document)
    report_in = next(limit for limit in document if (limit["owner"], limit["stage"]) == ("police-cczl", "report_in"))
    assert (report_in["row"], report_in["span"], report_in["clock"]) == (
        "normal.K1.U1.report_in",
        "30m C",
        "urgent_minute",
    )
    # E1 and E2 have been; what is left of the ladder, and who will be told.
    (step,) = report_in["steps_ahead"]
    assert (step["level"], [told["officer"] for told in step["tells"]]) == ("E3", ["o-district-leader"])


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("verb", ["show", "timeline", "explain"])
def test_a_whistle_that_is_not_there_is_not_found(verb: str, whistle: Whistle) -> None:
    outcome = whistle(verb, "nowhere")

    assert (outcome.code, outcome.out) == (5, "")
    assert outcome.err == "There is no whistle nowhere. `whistle list --all` lists them.\n"


@pytest.mark.usefixtures("home")
def test_with_json_the_refusal_is_the_document(whistle: Whistle) -> None:
    outcome = whistle("show", "nowhere", "--json")

    assert outcome.code == 5
    assert outcome.document == {
        "error": {
            "reason": "whistle_not_found",
            "parameters": {"whistle_id": "nowhere"},
            "message": "There is no whistle nowhere.",
            "next": "`whistle list --all` lists them.",
            "exit_code": 5,
        }
    }


def test_the_list_goes_by_the_countdown(whistle: Whistle, record: Record) -> None:
    record(sounded_just_now("fresh"))
    record(a_sounded_emergency("old"))
    record(a_closed_emergency("done"))

    outcome = whistle("list", "--json")

    assert [(line["id"], line["overdue"]) for line in outcome.document] == [
        ("whistle/jinfeng/old", True),
        ("whistle/jinfeng/fresh", False),
    ]


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["--all"], ["old", "fresh", "demand", "done"]),
        (["--street", "cczl"], ["old", "fresh", "demand"]),
        (["--street", "shxl"], []),
        (["--unit", "urban-cczl"], ["demand"]),
        (["--state", "PENDING_APPROVAL"], ["demand"]),
        (["--state", "CLOSED"], ["done"]),
        (["--overdue"], ["old"]),
        (["--due-within", "10m"], ["fresh"]),
        (["--unit", "water", "--overdue"], ["old"]),
        (["--limit", "1"], ["old"]),
    ],
    ids=" ".join,
)
def test_the_list_shows_what_was_asked_for(
    whistle: Whistle, record: Record, options: list[str], keys: list[str]
) -> None:
    record(a_closed_emergency("done"))
    record(a_sounded_emergency("old"))
    record(sounded_just_now("fresh"))
    record(Story("demand").source(at=datetime.now(UTC)).blow(a_noise_complaint()))

    outcome = whistle("list", "--json", *options)

    assert [line["id"].rpartition("/")[2] for line in outcome.document] == keys


@pytest.mark.usefixtures("home")
def test_a_length_of_time_has_a_unit(whistle: Whistle) -> None:
    outcome = whistle("list", "--due-within", "soon")

    assert (outcome.code, outcome.err) == (2, "soon is no length of time. Write 30m, 2h or 1d.\n")


@pytest.mark.usefixtures("home")
def test_my_own_whistles_are_for_whoever_is_logged_in(whistle: Whistle) -> None:
    outcome = whistle("list", "--mine", "--as", "o-water-operator")

    assert outcome.code == 3
    assert outcome.err == "o-water-operator is not logged in on this machine. whistle login o-water-operator\n"


def test_my_own_whistles_are_those_of_the_units_i_act_for(
    whistle: Whistle, record: Record, passcodes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record(sounded_just_now("burst"))
    record(Story("demand").source(at=datetime.now(UTC)).blow(a_noise_complaint()))
    monkeypatch.setenv("WHISTLE_PASSCODE", passcodes[WATER])
    whistle("login", WATER)
    monkeypatch.setenv("WHISTLE_OFFICER", WATER)

    mine = whistle("list", "--mine", "--json").document

    assert [line["id"] for line in mine] == ["whistle/jinfeng/burst"]


def test_the_list_for_people_names_what_is_owed_and_by_whom(whistle: Whistle, record: Record) -> None:
    record(a_sounded_emergency("old"))

    heading, line = whistle("list").out.splitlines()

    assert heading.split() == ["due", "number", "owed", "state", "level", "matter", "street", "lead"]
    assert line.startswith("overdue ")
    for word in (NUMBER, "confirm receipt (water)", "sounded", "K1-U1 water-main-burst", "cczl"):
        assert word in line


@pytest.mark.usefixtures("home")
def test_an_empty_list_says_so(whistle: Whistle) -> None:
    assert whistle("list").out == "No whistle matches.\n"
    assert whistle("list", "--json").document == []
    assert whistle("list", "--lang", "zh").out == "没有符合条件的哨。\n"


def test_provisional_limits_are_marked(whistle: Whistle, record: Record) -> None:
    # In 2027 nothing is published, so the working days across the new year are a guess.
    story = Story("new-year").source(at=datetime(2026, 12, 31, 3, tzinfo=UTC)).blow(a_noise_complaint())
    late = story.act(Approve(), by="o-cczl-leader", after=timedelta(minutes=1))
    record(late)

    page = whistle("show", "new-year").out

    assert " ~ " in page
    assert "Limits marked ~ are provisional: the holidays of that year are not published." in page
