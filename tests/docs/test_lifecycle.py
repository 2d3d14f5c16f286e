"""The page of the lifecycle says of each transition what the program does, and names the test that proves it."""

import re

import pytest

import cli
from console.texts import Language, texts_in
from models.authority import OFFICES
from models.case import WhistleState
from models.policy import Escalation
from models.refusals import Reason
from models.whistle import TaskState
from tests.docs.documents import page, quoted, rows
from tests.docs.program import FACTS, proofs

TEXT = page("lifecycle.md")
TRANSITIONS = {row[0]: row[1:] for row in rows(TEXT, "No.")}
LEVELS = {row[0]: row[1:] for row in rows(TEXT, "Level")}
BUILT = [f"T{number}" for number in (1, 2, 3, "3e", 4, 5, 6, 10, 11, 12, 14, 18, 19, 20, 21, 22, 25, 26)]
# Options and their values stand beside the verbs.
NOT_VERBS = re.compile(r"--[a-z]+( E[0-9])?")
# Two verbs of the rules are one word with an option on the command line.
ON_THE_COMMAND_LINE = {"verify-pass": "verify", "verify-fail": "verify", "deny-arrival": "confirm-arrival"}


def verbs(cell: str) -> list[str]:
    return [word for word in quoted(cell) if not NOT_VERBS.fullmatch(word)]


def test_every_transition_and_level_that_is_built_has_a_row() -> None:
    assert list(TRANSITIONS) == BUILT
    assert list(LEVELS) == ["E0", "E1", "E2", "E3"]


@pytest.mark.parametrize("number", BUILT)
def test_a_transition_names_verbs_facts_and_tests_that_exist(number: str) -> None:
    _, said_with, _, facts, proven_by = TRANSITIONS[number]

    assert set(verbs(said_with)) <= set(cli.MODULES)
    assert quoted(facts)
    assert set(quoted(facts)) <= set(FACTS)
    assert quoted(proven_by)
    assert set(quoted(proven_by)) <= proofs()


@pytest.mark.parametrize("level", ["E0", "E1", "E2", "E3"])
def test_a_level_names_verbs_facts_and_tests_that_exist(level: str) -> None:
    _, answered_with, facts, proven_by = LEVELS[level]

    assert level in set(Escalation)
    assert set(verbs(answered_with)) <= set(cli.MODULES)
    assert quoted(facts)
    assert set(quoted(facts)) <= set(FACTS)
    assert quoted(proven_by)
    assert set(quoted(proven_by)) <= proofs()


def test_a_test_that_goes_by_a_number_proves_that_transition() -> None:
    numbers = {name: set(re.findall(r"(?:^test|and)_(t[0-9]+e?)(?=_)", name)) for name in proofs()}

    assert set().union(*numbers.values()) <= {number.lower() for number in BUILT}
    for number, row in TRANSITIONS.items():
        assert all(number.lower() in numbers[name] for name in quoted(row[-1]) if numbers[name])


def test_every_verb_that_people_say_to_a_whistle_is_in_the_tables() -> None:
    said = {verb for row in TRANSITIONS.values() for verb in verbs(row[1])}
    said |= {verb for row in LEVELS.values() for verb in verbs(row[1])}

    assert said == {ON_THE_COMMAND_LINE.get(verb, verb) for verb in OFFICES}


def test_every_fact_is_in_a_table() -> None:
    tables = [*TRANSITIONS.values(), *LEVELS.values(), *rows(TEXT, "Fact")]

    assert set(FACTS) - {word for row in tables for cell in row for word in quoted(cell)} == set()


def test_every_state_is_drawn() -> None:
    drawn = set(re.findall(r"\b[A-Z_]{5,}\b", TEXT))

    assert {state.value for state in (*WhistleState, *TaskState)} <= drawn


def test_every_reason_is_listed_as_the_catalogue_has_it() -> None:
    entries = texts_in(Language.EN).entries
    listed = {quoted(reason)[0]: (says, following) for reason, says, following in rows(TEXT, "Reason")}

    assert listed == {
        reason.value: (entries[f"reason.{reason}.says"], entries[f"reason.{reason}.next"]) for reason in Reason
    }
