"""Help exists for every verb and every option in both languages, and comes at once."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

import cli
from console.texts import Language, Texts, texts_in
from tests.cli.conftest import Whistle

ROOT = Path(__file__).parents[2]
SLOW = ("pydantic", "sqlalchemy", "sqlmodel", "temporalio", "rich", "cryptography", "asyncio")
EVERYWHERE = {"home", "lang", "json"}
ACTING = {"acting_officer", "capacity", "key"}
VERBS = [*cli.VERBS["sounding"], *cli.VERBS["answering"], *cli.VERBS["closing"]]


def command(verb: str, texts: Texts) -> Any:
    root = cli.verbs_in(texts)
    return root.get_command(typer.Context(root), verb)


def leaves(found: Any) -> list[Any]:
    return [leaf for below in getattr(found, "commands", {}).values() for leaf in leaves(below)] or [found]


@pytest.fixture(params=list(Language))
def texts(request: pytest.FixtureRequest) -> Texts:
    return texts_in(request.param)


@pytest.mark.parametrize("verb", sorted(cli.MODULES))
def test_every_verb_and_every_option_has_a_text_in_the_catalogue(verb: str, texts: Texts) -> None:
    said = set(texts.entries.values())

    for leaf in leaves(command(verb, texts)):
        assert leaf.help in said
        assert [option.name for option in leaf.params if option.help not in said] == []


@pytest.mark.parametrize("verb", sorted(cli.MODULES))
def test_every_verb_takes_a_home_a_language_and_can_speak_json(verb: str) -> None:
    for leaf in leaves(command(verb, texts_in(Language.EN))):
        assert {option.name for option in leaf.params} >= EVERYWHERE


@pytest.mark.parametrize("verb", VERBS)
def test_every_act_is_said_by_somebody_in_some_office_under_some_key(verb: str) -> None:
    assert {option.name for option in command(verb, texts_in(Language.EN)).params} >= ACTING


def test_the_help_of_a_verb_is_one_page(whistle: Whistle) -> None:
    outcome = whistle("cancel", "--help")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        "Usage: whistle cancel [OPTIONS] {WHISTLE}\n"
        "\n"
        "  Withdraw a whistle.\n"
        "\n"
        "Arguments:\n"
        "  WHISTLE <str>  The whistle: its number, its full id or its key. (required)\n"
        "\n"
        "Options:\n"
        "  --reason <str>                  Why. (required)\n"
        "  --cause <withdrawn|rejected|referred_out>\n"
        "                                  Why it is withdrawn.\n"
        "  --as OFFICER                    The officer who acts. Else WHISTLE_OFFICER.\n"
        "  --capacity POST                 The post in which the officer acts, if\n"
        "                                  several would do.\n"
        "  --key <str>                     The idempotency key: the same key says the\n"
        "                                  same thing once. Made up if left out.\n"
        "  --home DIRECTORY                The home directory. Else WHISTLE_HOME, else\n"
        "                                  ~/.whistle.\n"
        "  --lang <zh|en>                  The language of texts. Else LC_ALL or LANG.\n"
        "  --json                          Print exactly one JSON document on stdout.\n"
        "  --help                          Show this text and exit.\n"
    )


def test_the_first_page_names_every_verb_and_every_exit_code(whistle: Whistle, texts: Texts) -> None:
    page = whistle("--lang", texts.language, "--help").out

    assert [verb for verb in cli.MODULES if f"\n  {verb} " not in page] == []
    assert [str(int(code)) for code in cli.Exit if f"{int(code)} " not in page] == []


def test_calling_nothing_is_asking_for_help(whistle: Whistle) -> None:
    assert whistle() == whistle("--help")


def test_the_first_page_loads_nothing_that_is_slow() -> None:
    command = [sys.executable, "-X", "importtime", str(ROOT / "cli.py"), "--help"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)

    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in answer.stderr.splitlines()}
    assert "typer" in imported
    assert imported.isdisjoint(SLOW)


def test_the_version_is_that_of_the_package(whistle: Whistle) -> None:
    assert whistle("--version").out == "0.1.0\n"
