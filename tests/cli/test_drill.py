"""The drill and the demonstration as people and programs call them, on an empty home that stays so."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from activities.profiles import SHIPPED
from tests.cli.conftest import Whistle

ROOT = Path(__file__).parents[2]
EXCERPT = SHIPPED / "los-angeles" / "cases-2018-01.csv"
SCRIPT = SHIPPED / "jinfeng" / "drills" / "burst-main.toml"


@pytest.fixture(autouse=True)
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a home would be if a drill made one."""
    monkeypatch.setenv("WHISTLE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def excerpt(directory: Path, *lines: int) -> Path:
    """Return a file with the heading and some lines of the shipped cases."""
    text = EXCERPT.read_text(encoding="utf-8").splitlines(keepends=True)
    file = directory / "some.csv"
    file.write_text("".join(text[line - 1] for line in (1, *lines)), encoding="utf-8")
    return file


def test_a_case_file_gives_one_document_and_leaves_nothing_behind(tmp_path: Path, no_home: Path) -> None:
    # In time, late, withdrawn, in time without a promise, referred elsewhere, two rejected.
    file = excerpt(tmp_path, 2, 16, 26, 28, 39, 40, 41)
    room = tmp_path / "room"
    room.mkdir()

    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "drill", str(file), "--json"],
        env={**os.environ, "TMPDIR": str(room)},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout)
    counts = ("whistles", "resolved", "late", "late_by_policy", "without_promise", "cancelled", "referred", "open")
    assert [found[name] for name in counts] == [5, 3, 1, 0, 2, 1, 1, 0]
    assert found["profile"] == "los-angeles"
    assert found["rejected_rows"] == 2
    assert [(row["line"], row["reason"]) for row in found["rejected"]] == [
        (7, "closed_before_opened"),
        (8, "no_street"),
    ]
    assert found["promises"] == {"given": 3, "missing": 2, "over": 0}
    assert found["late_ids"] == ["1-870705766"]
    assert found["disagreements"] == []
    assert set(found["escalations"]) == {"E0", "E1", "E2", "E3", "E4", "E5"}
    assert found["escalations"]["E1"] == 1
    assert 0 <= found["engine_lateness_ms"]["p50"] <= found["engine_lateness_ms"]["max"]
    assert found["virtual_seconds"] > 5 * 24 * 3600 > found["wall_seconds"]
    resolve = {rate["unit"]: rate for rate in found["on_time"] if rate["stage"] == "resolve"}
    assert resolve["ocb"] == {"unit": "ocb", "stage": "resolve", "settled": 1, "on_time": 0, "percent": 0}
    # The engine is gone, and with it everything that it wrote.
    assert list(room.iterdir()) == []
    assert not no_home.exists()


def test_only_so_many_rows_are_played(whistle: Whistle, tmp_path: Path) -> None:
    file = excerpt(tmp_path, 40, 38, 2, 3)

    found = whistle("drill", str(file), "--limit", "2", "--json").document

    assert (found["whistles"], found["rejected_rows"]) == (1, 1)


def test_a_scenario_is_told_as_it_goes_in_the_readers_language(whistle: Whistle) -> None:
    done = whistle("drill", "friday-evening", "--lang", "zh", "--limit", "1")

    assert done.code == 0, done.err
    assert "周五十七点三十分的群众诉求 · 金凤区" in done.out
    assert "✓ 符合预期：金凤区住房和城乡建设局，签收，2026-03-09 08:30 到期" in done.out
    assert "核对预期 5 项，不符 0 项" in done.out


def test_a_scenario_that_comes_out_otherwise_fails(whistle: Whistle, tmp_path: Path) -> None:
    script = tmp_path / "other.toml"
    text = SCRIPT.read_text(encoding="utf-8")
    head = text[: text.index("acts = [")]
    script.write_text(head + 'expect = [{ at = "+1m", state = "CLOSED" }]\n', encoding="utf-8")

    done = whistle("drill", str(script), "--json")

    found = done.document
    assert done.code == 1
    assert found["expectations"]["checked"] == 1
    (failed,) = found["expectations"]["failed"]
    assert (failed["about"], failed["expected"], failed["found"]) == ("state", "CLOSED", "SOUNDED")


@pytest.mark.parametrize(
    ("name", "code", "says"),
    [
        ("no-such-drill", 5, "burst-main, friday-evening"),
        ("no-such-script.toml", 5, "no-such-script.toml"),
        ("table.csv", 2, "no shipped profile knows its columns"),
        ("broken.toml", 2, "broken.toml cannot be played"),
        ("empty.toml", 2, "title_zh"),
    ],
)
def test_what_cannot_be_played_is_named_before_any_engine_starts(
    whistle: Whistle, tmp_path: Path, name: str, code: int, says: str
) -> None:
    (tmp_path / "table.csv").write_text("name,age\n", encoding="utf-8")
    (tmp_path / "broken.toml").write_text("= 7", encoding="utf-8")
    (tmp_path / "empty.toml").write_text("", encoding="utf-8")

    done = whistle("drill", name, "--lang", "en")

    assert done.code == code
    assert done.out == ""
    assert says in done.err


def test_a_script_that_does_not_fit_its_district_is_a_matter_of_usage(whistle: Whistle, tmp_path: Path) -> None:
    script = tmp_path / "unfit.toml"
    text = SCRIPT.read_text(encoding="utf-8")
    script.write_text(text.replace('street = "cczl"', 'street = "nowhere"'), encoding="utf-8")

    done = whistle("drill", str(script), "--lang", "en")

    assert done.code == 2
    assert "nowhere" in done.err


def test_the_demonstration_plays_replays_and_audits(whistle: Whistle) -> None:
    done = whistle("demo", "--limit", "3", "--json")

    found = done.document
    assert done.code == 0
    assert found["scenario"]["expectations"]["failed"] == []
    assert found["cases"]["whistles"] == 3
    assert found["audit"]["agrees"] is True
    assert found["audit"]["whistle_id"].startswith("whistle/los-angeles/")
