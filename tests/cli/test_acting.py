"""Who acts is proven by a token, in which office is found or asked for, and what was typed becomes one command."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from activities.attempts import ListedAttempt
from activities.database import Database
from commands import acting, blowing
from models.case import Role, Summons
from models.commands import Actor, Blow
from models.organisation import Post
from models.recording import AttemptOutcome
from tests.builders import DUTY, SUNDAY_0210, WATER, Story, a_sounded_emergency, minutes
from tests.cli.conftest import Sessions, Whistle
from tests.fakes.deciding_door import DecidingDoor

Record = Callable[[Story], Story]
Attempts = Callable[[], tuple[ListedAttempt, ...]]
BURST = (
    "--street",
    "cczl",
    "--kind",
    "K1",
    "--urgency",
    "U1",
    "--matter",
    "water-main-burst",
    "--place",
    "here",
    "--text",
    "burst",
)


@pytest.fixture
def door(database: Database, monkeypatch: pytest.MonkeyPatch) -> DecidingDoor:
    standing_in = DecidingDoor(database, SUNDAY_0210 + minutes(3))

    async def open_door(_site: object) -> DecidingDoor:
        return standing_in

    for room in (acting, blowing):
        monkeypatch.setattr(room, "open_door", open_door)
    return standing_in


def test_an_officer_with_one_fitting_office_acts_in_it(
    whistle: Whistle, record: Record, sessions: Sessions, door: DecidingDoor
) -> None:
    record(a_sounded_emergency("burst"))
    sessions.admit(WATER, ("water", Post.UTILITY_OPERATOR), ("gas", Post.UTILITY_OPERATOR))

    outcome = whistle("ack", "burst", "--as", WATER)

    assert (outcome.code, outcome.err) == (0, "")
    assert door.said[-1].actor == Actor(officer=WATER, unit="water", capacity=Post.UTILITY_OPERATOR)
    assert outcome.out.splitlines()[0] == "JINFENG-2026-000001 · sounded"


def test_an_officer_with_two_fitting_offices_has_to_choose_and_the_choice_is_recorded(
    whistle: Whistle, record: Record, sessions: Sessions, door: DecidingDoor
) -> None:
    record(a_sounded_emergency("burst"))
    sessions.admit("o-both", ("cczl", Post.STREET_LEADER), ("cczl", Post.STREET_DIRECTOR))

    refused = whistle("confirm-sounding", "burst", "--as", "o-both", "--json")
    chosen = whistle("confirm-sounding", "burst", "--as", "o-both", "--capacity", "street_director", "--json")

    assert (refused.code, refused.document["error"]["reason"]) == (3, "capacity_ambiguous")
    assert refused.document["error"]["parameters"] == {"choices": "street_leader@cczl, street_director@cczl"}
    assert refused.err.endswith("Name one with --capacity or --unit.\n")
    assert (chosen.code, chosen.document["facts"][-1]["capacity"]) == (0, "street_director")
    assert len(door.said) == 1


def test_an_officer_of_two_summoned_units_names_the_one_that_is_spoken_for(
    whistle: Whistle, record: Record, sessions: Sessions, door: DecidingDoor
) -> None:
    record(a_sounded_emergency("burst"))
    sessions.admit("o-both", ("water", Post.DEPT_HANDLER), ("police-cczl", Post.DEPT_HANDLER))

    refused = whistle("ack", "burst", "--as", "o-both", "--json")
    chosen = whistle("ack", "burst", "--as", "o-both", "--unit", "police-cczl", "--json")

    assert refused.document["error"]["reason"] == "capacity_ambiguous"
    assert [fact["detail"]["unit"] for fact in chosen.document["facts"]] == ["police-cczl"]
    assert len(door.said) == 1


def test_an_escalated_unit_answers_the_reminder_and_explains_itself(
    whistle: Whistle, record: Record, sessions: Sessions, door: DecidingDoor
) -> None:
    record(a_sounded_emergency("burst").wait(minutes(46)))
    door.now += timedelta(hours=1)
    sessions.admit("o-chief", ("police-cczl", Post.DISPATCHED_OFFICE_HEAD))

    answered = whistle("reply", "burst", "--text", "All cars are out.", "--as", "o-chief", "--json").document
    explained = whistle("reply", "burst", "--text", "A strike.", "--level", "E2", "--as", "o-chief", "--json").document

    assert [fact["detail"] for fact in answered["facts"] + explained["facts"] if fact["type"] == "replied"] == [
        {"type": "replied", "unit": "police-cczl", "level": "E1", "text": "All cars are out."},
        {"type": "replied", "unit": "police-cczl", "level": "E2", "text": "A strike."},
    ]
    assert len(door.said) == 2


def test_without_units_the_duty_list_says_whom_to_summon(
    whistle: Whistle, sessions: Sessions, door: DecidingDoor
) -> None:
    sessions.admit(DUTY, ("cczl", Post.STREET_DUTY_OFFICER))

    whistle("blow", *BURST, "--as", DUTY)

    assert summons(door) == (
        Summons(unit="water", role=Role.LEAD),
        Summons(unit="police-cczl", role=Role.SUPPORT),
    )


def test_a_single_unit_leads_without_being_asked_to(whistle: Whistle, sessions: Sessions, door: DecidingDoor) -> None:
    sessions.admit(DUTY, ("cczl", Post.STREET_DUTY_OFFICER))

    whistle("blow", *BURST, "--unit", "water", "--as", DUTY)

    assert summons(door) == (Summons(unit="water", role=Role.LEAD),)


def test_where_no_source_is_named_the_street_itself_has_noticed_it(
    whistle: Whistle, sessions: Sessions, door: DecidingDoor
) -> None:
    sessions.admit(DUTY, ("cczl", Post.STREET_DUTY_OFFICER))

    whistle("blow", *BURST, "--as", DUTY, "--key", "k-1")

    shown = whistle("show", "k-1", "--json").document
    assert shown["source"] == {"type": "street", "id": "k-1", "community": None}
    assert [act.command.verb for act in door.said] == ["source", "blow"]


def summons(door: DecidingDoor) -> tuple[Summons, ...]:
    command = door.said[-1].command
    assert isinstance(command, Blow)
    return command.case.summons


def test_an_officer_comes_from_the_environment_too(
    whistle: Whistle, record: Record, sessions: Sessions, door: DecidingDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(a_sounded_emergency("burst"))
    sessions.admit(WATER, ("water", Post.UTILITY_OPERATOR))
    monkeypatch.setenv("WHISTLE_OFFICER", WATER)

    assert whistle("ack", "burst").code == 0
    assert [act.actor.officer for act in door.said if act.actor] == [WATER]


@pytest.mark.usefixtures("door")
def test_nobody_acts_namelessly(whistle: Whistle, record: Record) -> None:
    record(a_sounded_emergency("burst"))

    outcome = whistle("ack", "burst")

    assert outcome.code == 2
    assert outcome.err == (
        "Nobody acts: there is neither --as nor WHISTLE_OFFICER. "
        "Log in with `whistle login OFFICER` and add --as OFFICER.\n"
    )


def _forged(file: Path) -> None:
    file.write_text(file.read_text(encoding="ascii")[:-4] + "AAA=", encoding="ascii")


def _taken_from_somebody_else(file: Path) -> None:
    file.rename(file.with_name("o-thief.token"))


@dataclass(frozen=True)
class BadToken:
    """What is wrong with a token, and who shows it."""

    officer: str
    until: timedelta
    spoil: Callable[[Path], object]


@pytest.mark.parametrize(
    "bad",
    [
        BadToken(WATER, timedelta(0), lambda _: None),
        BadToken(WATER, timedelta(hours=1), _forged),
        BadToken("o-thief", timedelta(hours=1), _taken_from_somebody_else),
    ],
    ids=["expired", "forged", "taken"],
)
def test_a_token_that_proves_nothing_is_refused_and_that_is_kept(
    bad: BadToken, whistle: Whistle, sessions: Sessions, attempts: Attempts
) -> None:
    bad.spoil(sessions.admit(WATER, ("water", Post.UTILITY_OPERATOR), until=bad.until))

    outcome = whistle("ack", "burst", "--as", bad.officer, "--key", "k-1")

    assert outcome.code == 3
    assert outcome.err == f"The session of {bad.officer} is over or was altered. whistle login {bad.officer}\n"
    (kept,) = attempts()
    assert (kept.outcome, kept.reason) == (AttemptOutcome.REFUSED, "token_refused")
    assert (kept.attempt.officer, kept.attempt.verb, kept.attempt.key) == (bad.officer, "ack", "k-1")


@pytest.mark.parametrize("officer", ["../../etc/passwd", "o/../../x", "", "."])
@pytest.mark.usefixtures("home")
def test_an_officer_s_name_leads_to_no_other_file(officer: str, whistle: Whistle) -> None:
    assert whistle("ack", "burst", "--as", officer).code in {2, 3}


def test_a_refusal_of_the_authority_table_is_kept_with_the_whistle_it_was_about(
    whistle: Whistle, record: Record, sessions: Sessions, attempts: Attempts, door: DecidingDoor
) -> None:
    record(a_sounded_emergency("burst"))
    sessions.admit(WATER, ("water", Post.UTILITY_OPERATOR))

    outcome = whistle("cancel", "burst", "--reason", "no", "--as", WATER)

    assert outcome.code == 3
    assert outcome.err == (
        "You hold no office that may do this (cancel). "
        "Ask an officer who does, or act in another office with --capacity.\n"
    )
    (kept,) = attempts()
    assert (kept.attempt.whistle_id, kept.attempt.verb, kept.reason) == (
        "whistle/jinfeng/burst",
        "cancel",
        "no_authority",
    )
    assert door.said == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("blow", *BURST, "--source", "hotline"),
            "hotline is not of the form TYPE:ID. Write, for instance, --source hotline:12345-0001.\n",
        ),
        (
            ("blow", *BURST, "--unit", "water:boss"),
            (
                "water:boss is not of the form UNIT, UNIT:lead or UNIT:support. "
                "Write, for instance, --unit water:lead --unit police:support.\n"
            ),
        ),
        (("ack", "burst", "--key", "no blanks"), None),
        (("blow", *BURST[:-1], "   "), None),
    ],
    ids=["source", "unit", "key", "text"],
)
@pytest.mark.usefixtures("door")
def test_what_cannot_be_said_is_a_matter_of_usage(
    arguments: tuple[str, ...], line: str | None, whistle: Whistle, sessions: Sessions
) -> None:
    sessions.admit(DUTY, ("cczl", Post.STREET_DUTY_OFFICER))

    outcome = whistle(*arguments, "--as", DUTY)

    assert (outcome.code, outcome.out) == (2, "")
    assert line is None or outcome.err == line


@pytest.mark.usefixtures("door")
def test_evidence_that_is_not_there_is_named(whistle: Whistle, record: Record, sessions: Sessions) -> None:
    record(a_sounded_emergency("burst"))
    sessions.admit(WATER, ("water", Post.UTILITY_OPERATOR))

    outcome = whistle("submit", "burst", "--result", "done", "--evidence", "nowhere.jpg", "--as", WATER)

    assert (outcome.code, outcome.err) == (2, "nowhere.jpg cannot be read. Check the path.\n")
