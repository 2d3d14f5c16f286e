"""Whatever goes wrong becomes one line that ends with the next thing to try, and an exit code that scripts rely on."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cli
from activities.database import RecordAwayError
from engine.reasons import EngineError, EngineReason
from models.refusals import Reason, RefusedError
from tests.cli.conftest import Whistle
from workflows.client import OutcomeUnknownError, WhistleNotFoundError
from workflows.connection import EngineUnreachableError

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", sorted({name.partition(":")[0] for name in cli.FAILURES}))
def test_every_failure_in_the_table_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")

    assert issubclass(getattr(importlib.import_module(module), kind), Exception)


@pytest.mark.parametrize("name", sorted(name for name in cli.FAILURES if ":" in name))
def test_every_reason_in_the_table_exists(name: str) -> None:
    assert name.rpartition(":")[2] in set(EngineReason)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RefusedError(Reason.NOT_SUMMONED, unit="gas"), 3),
        (EngineError(EngineReason.HOME_LOCKED, pid=1, started_at="-"), 3),
        (EngineError(EngineReason.ENGINE_NOT_RUNNING, home="-"), 4),
        (EngineError(EngineReason.HOME_NOT_A_DIRECTORY, path="-"), 2),
        (EngineUnreachableError("nobody"), 4),
        (RecordAwayError("locked"), 4),
        (OutcomeUnknownError("k-1"), 4),
        (WhistleNotFoundError("whistle/jinfeng/x"), 5),
        (ZeroDivisionError("bug"), 1),
    ],
    ids=repr,
)
def test_who_has_to_act_decides_the_exit_code(
    error: Exception, code: int, whistle: Whistle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_texts: object) -> object:
        raise error

    monkeypatch.setattr(cli, "verbs_in", fail)

    outcome = whistle("show", "x")

    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.count("\n") == 1


def test_an_unknown_outcome_names_the_key_to_say_it_again_with(
    whistle: Whistle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_texts: object) -> object:
        raise OutcomeUnknownError("k-1")

    monkeypatch.setattr(cli, "verbs_in", fail)

    assert whistle("ack", "x").err == (
        "Nobody answered in time; the act may have been taken. Its key is k-1. "
        "Say it again with --key k-1: it then counts once.\n"
    )


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["shwo"], "There is no verb shwo. Perhaps: show. See `whistle --help`."),
        (["show"], "WHISTLE is missing. See `whistle show --help`."),
        (["evaluate", "w", "--stars", "5"], "--unit is missing. See `whistle evaluate --help`."),
        (["show", "w", "--jsno"], "There is no option --jsno. Perhaps: --json, --as. See `whistle show --help`."),
        (
            ["show", "w", "--lang", "fr"],
            "--lang cannot be used: 'fr' is not one of 'zh', 'en'. See `whistle show --help`.",
        ),
        (["show", "w", "x"], "Got unexpected extra argument(s) (x). See `whistle show --help`."),
        (["verify", "w"], "Say how it was found: --pass or --fail, and not both. See `whistle verify --help`."),
        (["verify", "w", "--fail"], "This needs a reason. Add --reason."),
        (["confirm-arrival", "w", "--unit", "water", "--absent"], "This needs a reason. Add --reason."),
        (
            ["show", "a\udcff"],
            "An argument is not valid UTF-8: a\\udcff Type it again in a terminal that uses UTF-8, or rename the file.",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
@pytest.mark.usefixtures("home")
def test_what_makes_no_sense_is_said_with_where_to_look(arguments: list[str], line: str, whistle: Whistle) -> None:
    outcome = whistle(*arguments)

    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"{line}\n")


def test_trouble_is_told_in_the_language_that_was_asked_for(whistle: Whistle) -> None:
    assert whistle("shwo", "--lang", "zh").err == "没有命令 shwo。 也许是：show。 请看 `whistle --help`。\n"


def test_a_fault_can_be_traced(whistle: Whistle, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_texts: object) -> object:
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(cli, "verbs_in", fail)
    monkeypatch.setenv("WHISTLE_TRACE", "1")

    outcome = whistle("show", "x")

    assert outcome.code == 1
    assert "ZeroDivisionError: bug" in outcome.err
    assert outcome.err.endswith(
        "A fault in the program: ZeroDivisionError. Run it again with WHISTLE_TRACE=1 and report what it prints.\n"
    )


@pytest.mark.usefixtures("home")
def test_without_an_engine_an_act_is_not_said_and_the_way_out_is(
    whistle: Whistle, passcodes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHISTLE_PASSCODE", passcodes["o-cczl-leader"])
    whistle("login", "o-cczl-leader")

    outcome = whistle("approve", "w", "--as", "o-cczl-leader")

    assert outcome.code == 4
    assert outcome.err == f"No engine runs for {os.environ['WHISTLE_HOME']}. Start one with `whistle up`.\n"


def _as_a_person_would(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WHISTLE_", "TEMPORAL_", "LC_", "LANG"))
    }
    command = [sys.executable, str(ROOT / "cli.py"), *arguments]
    return subprocess.run(command, capture_output=True, check=False, env={**inherited, **environment})


def test_a_worker_alone_says_that_there_is_nothing_to_work_for(tmp_path: Path) -> None:
    answer = _as_a_person_would("worker", "--home", str(tmp_path / "home"))

    assert answer.returncode == 4
    assert b"engine_not_running" in answer.stderr


def test_a_terminal_without_chinese_still_gets_its_output(home: Path) -> None:
    answer = _as_a_person_would("list", "--lang", "zh", WHISTLE_HOME=str(home), PYTHONIOENCODING="ascii")

    assert (answer.returncode, answer.stderr) == (0, b"")
    assert answer.stdout.isascii()


def test_json_is_json_in_every_encoding(tmp_path: Path) -> None:
    answer = _as_a_person_would("shwo", "--lang=zh", "--json", WHISTLE_HOME=str(tmp_path), PYTHONIOENCODING="ascii")

    assert json.loads(answer.stdout)["error"]["message"] == "没有命令 shwo。 也许是：show。"


def test_whoever_stops_reading_gets_no_traceback(home: Path) -> None:
    listing = f"{sys.executable} {ROOT / 'cli.py'} timeline --help | head -1"
    answer = subprocess.run(
        ["/bin/sh", "-c", listing], capture_output=True, check=False, env={**os.environ, "WHISTLE_HOME": str(home)}
    )

    assert (answer.returncode, answer.stderr) == (0, b"")
