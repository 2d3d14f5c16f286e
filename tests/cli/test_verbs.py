"""Every verb against a real engine, its result read by a process that started after writer and engine were killed."""

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.attempts import WantedAttempts, list_attempts
from activities.database import Database, database_url
from models.recording import AttemptOutcome
from tests.cli.conftest import Outcome
from tests.cli.script import (
    AT_LAST,
    BURST,
    LOCKED,
    NOISE,
    ON_BURST,
    ON_NOISE,
    ON_REJECTED,
    REFUSED,
    REJECTED,
    STEPS,
    WHILE_LOCKED,
    Step,
)
from tests.cli.town import OFFICERS, Town, Typist, profile_without_holidays, town, typist

YEAR = datetime.now(UTC).year
WHISTLES = (BURST, NOISE, REJECTED, LOCKED)
_LOOKS = 200
# Playing a town through takes longer than one test should, on a machine that is busy.
pytestmark = pytest.mark.timeout(600)


@dataclass
class Played:
    """What was typed and what came of it, and what was read when everybody who had typed was dead."""

    home: Path
    ready: str = ""
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    again: dict[str, Outcome] = field(default_factory=dict)
    while_locked: dict[str, Outcome] = field(default_factory=dict)
    refused: dict[str, Outcome] = field(default_factory=dict)
    others: dict[str, Outcome] = field(default_factory=dict)
    timelines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shown: dict[str, dict[str, Any]] = field(default_factory=dict)
    explained: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    kept_refusals: set[tuple[str | None, str, str | None]] = field(default_factory=set)
    audits: dict[str, Outcome] = field(default_factory=dict)
    stopped: int = -1


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    directory = tmp_path_factory.mktemp("town")
    with town(directory) as place:
        play = Played(place.home)
        _write(place, directory, play)
        place.kill()
        _read(place, play)
        place.start()
        _audit(place, play)
        play.stopped = place.stop()
        yield play


def _write(place: Town, directory: Path, play: Played) -> None:
    photo = directory / "photo.jpg"
    photo.write_bytes(b"a photo")
    with typist(place.home) as writer:
        assert writer.type("init", "--profile", str(profile_without_holidays(directory / "profile"))).code == 0
        play.ready = place.start()
        for officer in OFFICERS:
            assert writer.type("login", officer, "--passcode-file", str(place.passcode_file(officer))).code == 0
        for step in [*ON_BURST, *ON_NOISE, *ON_REJECTED]:
            play.outcomes[step.key] = _said(writer, step, photo)
        _publish(writer, directory / "holidays.toml", play)
        for name, (_, officer, arguments) in REFUSED.items():
            play.refused[name] = writer.type(*arguments, "--as", officer, "--json")
        _act_while_locked(writer, photo, play)
        for step in AT_LAST:
            play.outcomes[step.key] = _said(writer, step, photo)
        for step in STEPS:
            play.again[step.key] = _said(writer, step, photo)
        play.others["list"] = writer.type("list", "--json")
        play.others["doctor"] = writer.type("doctor", "--json")


def _act_while_locked(writer: Typist, photo: Path, play: Played) -> None:
    """Take the one lock that writers need, and let people act meanwhile; then wait for the record to catch up."""
    lock = sqlite3.connect(play.home / "whistle.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    for step in WHILE_LOCKED:
        play.while_locked[step.key] = _said(writer, step, photo)
    lock.execute("ROLLBACK")
    lock.close()
    for _ in range(_LOOKS):
        timeline = writer.type("timeline", LOCKED, "--json")
        if timeline.code == 0 and any(fact["key"] == WHILE_LOCKED[-1].key for fact in timeline.document):
            return
        time.sleep(0.2)


def _said(writer: Typist, step: Step, photo: Path) -> Outcome:
    arguments = [str(photo) if part == photo.name else part for part in step.arguments]
    return writer.type(*arguments, "--as", step.officer, "--key", step.key, "--json")


def _publish(writer: Typist, holidays: Path, play: Played) -> None:
    holidays.write_text(f'year = {YEAR}\nholidays = [{YEAR}-01-01]\nsource = "test"\n', encoding="utf-8")
    play.others["check before"] = writer.type("calendar", "check", str(YEAR), "--json")
    play.others["publish"] = writer.type("calendar", "publish", str(YEAR), "--file", str(holidays), "--json")
    play.others["publish again"] = writer.type("calendar", "publish", str(YEAR), "--file", str(holidays), "--json")
    play.others["check after"] = writer.type("calendar", "check", str(YEAR), "--json")


def _read(place: Town, play: Played) -> None:
    """Read everything back with nobody of those alive who wrote it."""
    with typist(place.home) as reader:
        for key in WHISTLES:
            play.timelines[key] = reader.type("timeline", key, "--json").document
            play.shown[key] = reader.type("show", key, "--json").document
            play.explained[key] = reader.type("explain", key, "--json").document
        play.others["list all"] = reader.type("list", "--all", "--json")
        play.others["doctor without engine"] = reader.type("doctor", "--json")
        play.others["ack without engine"] = reader.type("ack", BURST, "--as", "o-water-operator")
    record = Database.open(database_url(place.home, {}))
    with record.reading() as session:
        refused = list_attempts(session, WantedAttempts(outcome=AttemptOutcome.REFUSED, limit=500))
    record.close()
    play.kept_refusals = {(x.attempt.officer, x.attempt.verb, x.reason) for x in refused}


def _audit(place: Town, play: Played) -> None:
    with typist(place.home) as auditor:
        for key in WHISTLES:
            play.audits[key] = auditor.type("audit", "replay", key, "--json")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.key)
def test_what_was_said_is_found_in_the_record_by_whoever_comes_later(step: Step, played: Played) -> None:
    outcome = played.outcomes[step.key]

    assert (outcome.code, outcome.err) == (0, "")
    found = next(
        fact for fact in played.timelines[step.whistle] if fact["key"] == step.key and fact["type"] == step.fact
    )
    assert found["actor"] == step.officer
    assert {**found["detail"], **step.detail} == found["detail"]
    assert found in outcome.document["facts"]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.key)
def test_saying_the_same_again_gives_the_first_answer_even_when_all_is_over(step: Step, played: Played) -> None:
    first, again = played.outcomes[step.key], played.again[step.key]

    assert (again.code, again.err) == (0, "")
    known = {fact["number"]: fact for fact in again.document["facts"]}
    assert [known.get(fact["number"]) for fact in first.document["facts"]] == first.document["facts"]


@pytest.mark.parametrize("step", WHILE_LOCKED, ids=lambda step: step.key)
def test_people_act_while_the_record_is_locked_and_it_catches_up(step: Step, played: Played) -> None:
    outcome = played.while_locked[step.key]

    assert (outcome.code, outcome.document["recorded"]) == (0, False)
    assert outcome.document["state"] == ("SOUNDED" if step.key == LOCKED else "MUSTERING")
    assert outcome.err == f"The record is away; it catches up by itself.\nThe key of this act is {step.key}.\n"
    assert [fact for fact in outcome.document["facts"] if fact not in played.timelines[LOCKED]] == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_nobody_may_do_is_refused_with_its_reason(name: str, played: Played) -> None:
    reason, _, _ = REFUSED[name]
    outcome = played.refused[name]

    assert outcome.code == 3
    assert outcome.document["error"]["reason"] == reason
    assert outcome.err == f"{outcome.document['error']['message']} {outcome.document['error']['next']}\n"


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_every_refusal_is_kept_with_who_wanted_what(name: str, played: Played) -> None:
    reason, officer, arguments = REFUSED[name]

    assert (officer, arguments[0], reason) in played.kept_refusals


@pytest.mark.parametrize(
    ("key", "state"),
    [(BURST, "CLOSED"), (NOISE, "CANCELLED"), (REJECTED, "CANCELLED"), (LOCKED, "CANCELLED")],
    ids=lambda value: value,
)
def test_every_whistle_came_to_its_end(key: str, state: str, played: Played) -> None:
    assert played.shown[key]["state"] == state
    assert played.shown[key]["facts"] == played.timelines[key]


def test_the_tasks_ended_as_their_units_did(played: Played) -> None:
    assert [(task["unit"], task["role"], task["state"]) for task in played.shown[BURST]["tasks"]] == [
        ("water", "lead", "ACCEPTED"),
        ("police-cczl", "support", "ACCEPTED"),
        ("power", "support", "STOOD_DOWN"),
        ("fire", "support", "WAIVED"),
    ]


def test_evidence_is_kept_under_the_hash_that_the_fact_names(played: Played) -> None:
    (evidence,) = next(fact["detail"]["evidence"] for fact in played.timelines[BURST] if fact["key"] == "submit")

    kept = played.home / "evidence" / evidence["sha256"][:2] / evidence["sha256"]
    assert (evidence["name"], evidence["size"]) == ("photo.jpg", 7)
    assert kept.read_bytes() == b"a photo"


@pytest.mark.parametrize("key", WHISTLES)
def test_every_limit_can_be_counted_again(key: str, played: Played) -> None:
    assert played.explained[key]
    assert all(limit["agrees"] for limit in played.explained[key])


@pytest.mark.parametrize("key", WHISTLES)
def test_the_auditor_finds_history_and_record_agreeing(key: str, played: Played) -> None:
    audit = played.audits[key]

    assert (audit.code, audit.document["agrees"]) == (0, True)
    assert audit.document["head_hash"] == played.shown[key]["head_hash"]


def test_a_year_that_is_not_published_is_a_loud_failure_until_it_is(played: Played) -> None:
    before, after = played.others["check before"], played.others["check after"]

    assert (before.code, before.document["error"]["reason"]) == (3, "year_not_published")
    assert (after.code, after.document["version"]) == (0, f"cn-{YEAR}.1")


def test_publishing_a_year_counts_open_provisional_limits_anew_once(played: Played) -> None:
    first, again = played.others["publish"].document, played.others["publish again"].document

    assert (first["version"], first["open"], first["rebased"]) == (f"cn-{YEAR}.1", 1, 1)
    assert (again["version"], again["open"], again["rebased"]) == (f"cn-{YEAR}.1", 0, 0)
    (adopted,) = (fact for fact in played.timelines[NOISE] if fact["type"] == "calendar_adopted")
    assert (adopted["actor"], adopted["capacity"]) == ("system", None)
    assert adopted["detail"]["limits"]


def test_the_list_has_only_what_is_open_unless_asked_for_all(played: Played) -> None:
    assert played.others["list"].document == []
    assert {line["id"] for line in played.others["list all"].document} == {f"whistle/jinfeng/{key}" for key in WHISTLES}


def test_up_says_in_one_line_where_everything_is(played: Played) -> None:
    word, *addresses = played.ready.split()
    named = dict(address.partition("=")[::2] for address in addresses)

    assert word == "READY"
    assert named.keys() == {"home", "temporal", "namespace", "ui", "metrics", "record"}
    assert (named["home"], named["namespace"], named["record"]) == (str(played.home), "default", "sqlite")


def test_the_doctor_finds_all_well_while_the_engine_runs(played: Played) -> None:
    doctor = played.others["doctor"]

    assert (doctor.code, doctor.document["ok"]) == (0, True)
    assert {check["name"]: check["verdict"] for check in doctor.document["checks"]} == dict.fromkeys(
        ("record", "calendar", "attempts", "notices", "gaps", "provisional", "temporal", "worker", "runs", "stuck"),
        "ok",
    )


def test_without_an_engine_the_doctor_says_so_and_people_can_still_look(played: Played) -> None:
    doctor = played.others["doctor without engine"]

    assert (doctor.code, doctor.document["ok"]) == (4, False)
    assert [check["name"] for check in doctor.document["checks"] if check["verdict"] == "bad"] == ["temporal"]


def test_without_an_engine_nobody_acts(played: Played) -> None:
    outcome = played.others["ack without engine"]

    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err == f"No engine runs for {played.home}. Start one with `whistle up`.\n"


def test_interrupting_up_ends_it_well(played: Played) -> None:
    assert played.stopped == 0
    assert not (played.home / "engine.json").exists()
