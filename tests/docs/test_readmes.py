"""The two front pages tell the same, and what they tell is so."""

from pathlib import Path

import pytest

from benchmarks import lifecycle
from console.texts import Language
from tests.docs.documents import CHINESE, ENGLISH, ROOT, headings, prose_of, quoted, rows, text_of, typed
from tests.docs.program import verb_texts

# People's words differ from one language to the other.
IN_WORDS = {"--place", "--text", "--result"}
TABLES = [("Room", "房间"), ("Verb", "动词"), ("Key", "键")]


def levels(text: str) -> list[int]:
    return [len(line) - len(line.lstrip("#")) for line in headings(text)]


def without_words(words: tuple[str, ...]) -> list[str]:
    return [word for before, word in zip(("", *words), words, strict=False) if before not in IN_WORDS]


def test_both_have_the_same_headings() -> None:
    assert levels(text_of(ENGLISH)) == levels(text_of(CHINESE))


def test_both_have_the_same_commands_in_the_same_order() -> None:
    english, chinese = ([without_words(each.words) for each in typed(page)] for page in (ENGLISH, CHINESE))

    assert english == chinese


@pytest.mark.parametrize(("english", "chinese"), TABLES)
def test_both_have_the_same_tables(english: str, chinese: str) -> None:
    first = [row[0] for row in rows(text_of(ENGLISH), english)]

    assert first
    assert first == [row[0] for row in rows(text_of(CHINESE), chinese)]


def test_each_names_the_other() -> None:
    assert f"({CHINESE.name})" in text_of(ENGLISH)
    assert f"({ENGLISH.name})" in text_of(CHINESE)


@pytest.mark.parametrize(
    ("page", "column", "language"), [(ENGLISH, "Verb", Language.EN), (CHINESE, "动词", Language.ZH)]
)
def test_the_table_of_verbs_is_what_the_help_says(page: Path, column: str, language: Language) -> None:
    shown = {quoted(verb)[0]: says for verb, says in rows(text_of(page), column)}

    assert shown == verb_texts(language)
    assert list(shown) == list(verb_texts(language))


def test_the_map_has_every_room() -> None:
    named = {room.rstrip("/") for cell, _ in rows(text_of(ENGLISH), "Room") for room in quoted(cell)}
    folders = {entry.name for entry in ROOT.iterdir() if entry.is_dir() and not entry.name.startswith((".", "_"))}

    assert named == folders | {"cli.py", "worker.py"}


def test_the_keys_of_the_benchmark_are_those_that_it_prints() -> None:
    named = {key for cell, _ in rows(text_of(ENGLISH), "Key") for key in quoted(cell)}

    assert named == set(lifecycle.figures([lifecycle.Round(1.0, 2.0, None)], 88, 40))


@pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=lambda page: page.name)
def test_the_python_versions_are_those_of_the_project(page: Path) -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")

    assert 'requires-python = ">=3.11,<3.15"' in project
    assert all(version in prose_of(text_of(page)) for version in ("3.11", "3.14"))
