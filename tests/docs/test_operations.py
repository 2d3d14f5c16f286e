"""What the page for operators shows is what they will meet."""

import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from activities.webhook import SECRET_PREFIX, signed_headers
from console.texts import Language, texts_in
from engine.home import Home
from engine.processes import SUPERVISOR_VARIABLE
from models.holidays import CalendarYear
from models.notices import Letter, Notice
from tests.docs.documents import blocks, page, quoted, rows
from tests.docs.program import variables

TEXT = page("operations.md")
SECRET = b"0123456789abcdef"


def test_every_setting_is_listed() -> None:
    listed = {name for cell, _ in rows(TEXT, "Variable") for name in quoted(cell)}

    assert {name for name in listed if name.startswith("WHISTLE_")} == variables() - {SUPERVISOR_VARIABLE}


@pytest.mark.parametrize(
    "file",
    ["engine_file", "lock_file", "record_file", "server_directory", "evidence", "sessions", "notices_file", "logs"],
)
def test_every_part_of_the_home_is_listed(file: str) -> None:
    listed = {name.rstrip("/") for cell, _ in rows(TEXT, "In the home") for name in quoted(cell)}

    assert getattr(Home(Path("home")), file).name in listed


def test_the_receiver_that_is_shown_accepts_ours_and_nothing_else() -> None:
    shown: dict[str, Any] = {}
    exec(blocks(TEXT, "python")[0], shown)  # noqa: S102 - a reader would run it too
    body = b'{"id":"notice/1"}'
    headers = signed_headers(SECRET, "notice/1", datetime(2026, 3, 1, tzinfo=UTC), body)
    secret = f"{SECRET_PREFIX}MDEyMzQ1Njc4OWFiY2RlZg=="

    assert shown["is_from_whistle"](secret, headers, body)
    assert not shown["is_from_whistle"](secret, headers, body + b" ")
    assert not shown["is_from_whistle"](f"{SECRET_PREFIX}MDEyMw==", headers, body)


def test_every_header_of_the_webhook_is_listed() -> None:
    listed = {name for cell, _ in rows(TEXT, "Header") for name in quoted(cell)}

    assert listed == set(signed_headers(SECRET, "i", datetime(2026, 3, 1, tzinfo=UTC), b"")) - {"content-type"}


def test_the_notice_that_is_shown_is_one() -> None:
    shown = json.loads(blocks(TEXT, "json")[0])
    notice = Notice.model_validate(shown["notice"])

    assert notice.text_key == shown["type"]
    assert set(shown["notice"]) == set(Notice.model_fields)
    assert set(shown["whistle"]) == {"id", "number", "drill"}
    assert {"id", "notice", "number", "drill"} <= set(Letter.model_fields)


def test_the_file_of_holidays_that_is_shown_can_be_published() -> None:
    year = CalendarYear.model_validate(tomllib.loads(blocks(TEXT, "toml")[0]))

    assert (year.year, len(year.holidays), len(year.makeup_workdays)) == (2026, 19, 6)


def test_the_doctor_that_is_shown_says_what_the_doctor_says() -> None:
    entries = texts_in(Language.EN).entries
    parts = {text for key, text in entries.items() if key.startswith("doctor.part.")}
    (shown,) = [block for block in blocks(TEXT, "text") if "runs with problems" in block]
    lines = [line for line in shown.splitlines() if line.startswith(entries["doctor.ok"])]

    assert lines
    assert all(any(line.split("  ", 2)[1].strip() == part for part in parts) for line in lines)
