"""What gets into a log, and what must not."""

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from engine.logs import configure

ReadLines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[ReadLines]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    log = tmp_path / "worker.log"
    with log.open("w", encoding="utf-8", buffering=1) as target:
        configure("info", target)
        yield lambda: [json.loads(line) for line in log.read_text().splitlines()]
    structlog.reset_defaults()
    root.handlers[:], root.level = before


def test_codes_and_numbers_are_logged_as_one_json_document_a_line(lines: ReadLines) -> None:
    structlog.get_logger().warning("part_died", part="server", exit_code=-9)

    (line,) = lines()
    assert line.pop("at").endswith("Z")
    assert line == {"event": "part_died", "level": "warning", "part": "server", "exit_code": -9}


@pytest.mark.parametrize(
    "text", ["the lift at gate 3", "南门外", "x" * 201, ["nested"]], ids=["words", "zh", "long", "list"]
)
def test_whatever_is_not_a_code_is_kept_out_and_named(lines: ReadLines, text: object) -> None:
    structlog.get_logger().info("seen", reason=text)

    (line,) = lines()
    assert line["kept_out"] == ["reason"]
    assert "reason" not in line


def test_key_that_nobody_has_listed_is_kept_out_and_named(lines: ReadLines) -> None:
    structlog.get_logger().info("seen", phone="13800000000")

    (line,) = lines()
    assert line["kept_out"] == ["phone"]


def test_exception_is_logged_by_type_and_place_without_its_text(lines: ReadLines) -> None:
    try:
        int("Zhang San")
    except ValueError:
        structlog.get_logger().exception("unreadable")

    (line,) = lines()
    assert line["exception"].startswith("ValueError@test_logs.py:")
    assert "Zhang" not in json.dumps(line)


def test_line_of_a_library_is_reduced_to_where_it_comes_from(lines: ReadLines) -> None:
    logging.getLogger("temporalio.worker").warning("Failed for %s", "Zhang San")
    logging.getLogger("temporalio.worker").info("not worth it")

    (line,) = lines()
    assert (line["event"], line["logger"], line["file"]) == ("library_line", "temporalio.worker", "test_logs.py")
    assert "Zhang" not in json.dumps(line)


def test_lines_below_the_level_are_not_written(lines: ReadLines) -> None:
    structlog.get_logger().debug("seen")

    assert lines() == []
