"""What is in the notices' file, and what a full disk does to it."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.notice_file import NoticeFile, error_code, line_of
from models.organisation import Channel
from tests.activities.letters import a_letter


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_a_letter_is_one_line_of_codes(tmp_path: Path) -> None:
    letter = a_letter(channel=Channel.FILE)

    NoticeFile(tmp_path / "notices.log").append([letter])

    (line,) = lines_of(tmp_path / "notices.log")
    said = json.loads(line)
    assert said["type"] == "notice.escalated"
    assert said["id"] == letter.id
    assert said["whistle"] == {"id": "whistle/jinfeng/w1", "number": "JINFENG-2026-000001", "drill": False}
    assert said["notice"]["due_at"] == "2026-11-22T02:15:00.000000Z"


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    NoticeFile(tmp_path / "notices.log").append([a_letter()])

    assert (tmp_path / "notices.log").stat().st_mode & 0o777 == 0o600


def test_a_letter_written_twice_is_the_same_line_twice(tmp_path: Path) -> None:
    file = NoticeFile(tmp_path / "notices.log")

    file.append([a_letter()])
    file.append([a_letter()])

    assert len(lines_of(tmp_path / "notices.log")) == 2
    assert len(set(lines_of(tmp_path / "notices.log"))) == 1


def test_writers_that_come_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "notices.log"
    expected = {line_of(a_letter(count)).decode().rstrip() for count in range(200)}

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda count: NoticeFile(path).append([a_letter(count)]), range(200)))

    assert set(lines_of(path)) == expected
    assert len(lines_of(path)) == 200


def test_a_line_that_a_full_disk_has_cut_short_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "notices.log"
    path.write_bytes(b'{"id": "torn')

    NoticeFile(path).append([a_letter()])

    torn, whole = lines_of(path)
    assert torn == '{"id": "torn'
    assert json.loads(whole)["id"] == a_letter().id


def test_a_file_that_cannot_be_written_is_named_by_a_code(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Is a directory") as raised:
        NoticeFile(tmp_path).append([a_letter()])

    assert error_code(raised.value) == "file_not_writable"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_named_by_a_code() -> None:
    with pytest.raises(OSError, match="No space left") as raised:
        NoticeFile(Path("/dev/full")).append([a_letter()])

    assert error_code(raised.value) == "disk_full"
