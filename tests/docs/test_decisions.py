"""Decisions are numbered without a gap, have one shape, and can be found."""

import re
from pathlib import Path

import pytest

from tests.docs.documents import ROOT, headings, page, rows, text_of

DECISIONS = sorted((ROOT / "docs" / "adr").iterdir())
NAME = re.compile(r"([0-9]{4})-[a-z0-9]+(?:-[a-z0-9]+)*\.md")
HALF_A_PAGE = 60


def number_of(decision: Path) -> str:
    return decision.name[:4]


def test_they_are_numbered_without_a_gap() -> None:
    assert all(NAME.fullmatch(decision.name) for decision in DECISIONS)
    assert [number_of(decision) for decision in DECISIONS] == [f"{n:04}" for n in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("decision", DECISIONS, ids=number_of)
def test_one_says_context_decision_consequences_and_what_was_rejected(decision: Path) -> None:
    title, *parts = headings(text_of(decision))

    assert title.startswith(f"# {number_of(decision)}. ")
    assert parts == ["## Context", "## Decision", "## Consequences", "## Rejected"]
    assert len(text_of(decision).splitlines()) <= HALF_A_PAGE


def test_the_index_has_all_of_them_by_their_titles() -> None:
    indexed = dict(rows(page("README.md"), "No."))
    titles = {
        f"[{number_of(each)}](adr/{each.name})": headings(text_of(each))[0].partition(". ")[2] for each in DECISIONS
    }

    assert indexed == titles
