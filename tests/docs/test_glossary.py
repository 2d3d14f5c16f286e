"""Every word of the glossary is a word of the code, and the words of the mechanism are all in it."""

import re

import pytest

import cli
from models.authority import OFFICES
from models.case import WhistleState
from models.organisation import UnitKind
from models.policy import Kind, Urgency
from models.spans import Clock
from models.whistle import TaskState
from tests.docs.documents import page, quoted, rows
from tests.docs.program import names

HAN = re.compile("[\u4e00-\u9fff]")
ENTRIES = rows(page("glossary.md"), "中文")
WORDS = [word for _, code, _ in ENTRIES for word in quoted(code)]


def test_an_entry_has_a_chinese_word_a_code_name_and_a_meaning() -> None:
    incomplete = [
        chinese
        for chinese, code, meaning in ENTRIES
        if not (HAN.search(chinese) and quoted(code) and meaning.endswith("."))
    ]

    assert incomplete == []


def test_every_code_name_is_one_of_the_code() -> None:
    assert set(WORDS) - (names() | set(cli.MODULES) | set(OFFICES)) == set()


@pytest.mark.parametrize(
    "terms",
    [
        set(WhistleState),
        set(TaskState),
        {kind.name for kind in Kind},
        set(Urgency),
        set(Clock),
        set(UnitKind),
        set(OFFICES),
    ],
    ids=["states", "task states", "kinds", "urgencies", "clocks", "units", "verbs"],
)
def test_the_words_of_the_mechanism_have_an_entry(terms: set[str]) -> None:
    assert terms - set(WORDS) == set()
