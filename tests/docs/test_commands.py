"""Whatever a document tells a reader to type can be typed."""

import re
from pathlib import Path

import pytest
from typer.exceptions import TyperException

import cli
from commands.troubles import UsageError
from tests.docs.documents import ALL_TYPED, DOCUMENTS, ROOT, Typed, blocks, name_of, text_of
from tests.docs.program import parse

OURS = [each for each in ALL_TYPED if each.is_whistle]
TARGETS = frozenset(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
# What else a reader may be told to run.
OTHERS = {"make", "export", ".venv/bin/temporal"}


@pytest.mark.parametrize("each", OURS, ids=str)
def test_a_whistle_command_has_a_verb_and_options_that_exist(each: Typed) -> None:
    parse(each.words[1:])


def test_a_command_that_does_not_exist_would_be_found() -> None:
    with pytest.raises(UsageError, match="unknown_verb"):
        parse(["blew"])
    with pytest.raises(TyperException, match="--loud"):
        parse(["list", "--loud"])


@pytest.mark.parametrize("each", [x for x in ALL_TYPED if x.words[0] == "make"], ids=str)
def test_a_make_command_has_a_target_that_exists(each: Typed) -> None:
    assert set(each.words[1:]) <= TARGETS


def test_nothing_else_is_to_be_typed() -> None:
    assert {each.words[0] for each in ALL_TYPED if not each.is_whistle} <= OTHERS


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_verbs_and_make_targets_that_are_mentioned_exist(document: Path) -> None:
    text = text_of(document)

    assert set(re.findall(r"`make ([a-z]+)", text)) <= TARGETS
    assert set(re.findall(r"`whistle ([a-z][a-z-]*)", text)) <= set(cli.MODULES)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_code_blocks_say_what_they_are(document: Path) -> None:
    text = text_of(document)
    fences = [line for line in text.splitlines() if line.startswith("```")]

    assert len(fences) == 2 * sum(len(blocks(text, kind)) for kind in ("sh", "text", "json", "toml", "python"))
