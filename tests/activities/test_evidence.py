"""Evidence is kept under the hash of its content, whole or not at all."""

import hashlib
import os
from pathlib import Path

import pytest

from activities.evidence import (
    LARGEST_FILE,
    EvidenceTooLargeError,
    EvidenceUnreadableError,
    evidence_file,
    store_evidence,
)
from models.case import Evidence

CONTENT = "阀门已关 ".encode() * 1000


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    file = tmp_path / "阀门 1.jpg"
    file.write_bytes(CONTENT)
    return file


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


def a_file_of(size: int, directory: Path) -> Path:
    file = directory / "large"
    with file.open("wb") as stream:
        stream.truncate(size)
    return file


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_what_is_stored_is_found_by_its_hash(photo: Path, kept: Path) -> None:
    stored = store_evidence(kept, photo)

    sha256 = hashlib.sha256(CONTENT).hexdigest()
    assert stored == Evidence(sha256=sha256, size=len(CONTENT), name="阀门 1.jpg")
    assert evidence_file(kept, sha256).read_bytes() == CONTENT
    assert evidence_file(kept, sha256).stat().st_mode & 0o777 == 0o400


def test_the_same_content_is_kept_once(photo: Path, kept: Path) -> None:
    other = photo.with_name("copy.jpg")
    other.write_bytes(CONTENT)

    first, second = store_evidence(kept, photo), store_evidence(kept, other)

    assert (first.sha256, second.name) == (second.sha256, "copy.jpg")
    assert files(kept) == [evidence_file(kept, first.sha256)]


def test_an_empty_file_is_evidence_too(tmp_path: Path, kept: Path) -> None:
    (tmp_path / "empty").touch()

    assert store_evidence(kept, tmp_path / "empty").size == 0


def test_a_file_of_the_largest_size_is_kept(tmp_path: Path, kept: Path) -> None:
    assert store_evidence(kept, a_file_of(LARGEST_FILE, tmp_path)).size == LARGEST_FILE


def test_of_a_file_that_is_one_byte_larger_nothing_is_kept(tmp_path: Path, kept: Path) -> None:
    with pytest.raises(EvidenceTooLargeError, match="large"):
        store_evidence(kept, a_file_of(LARGEST_FILE + 1, tmp_path))

    assert files(kept) == []


def test_what_cannot_be_read_as_a_file_is_named(tmp_path: Path, kept: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name in ("none.jpg", ".", "pipe"):
        with pytest.raises(EvidenceUnreadableError):
            store_evidence(kept, tmp_path / name)

    assert not kept.exists()


def test_a_name_that_is_no_text_can_still_stand_in_a_fact(tmp_path: Path, kept: Path) -> None:
    file = Path(os.fsdecode(bytes(tmp_path) + b"/photo-\xff"))
    try:
        file.write_bytes(CONTENT)
    except OSError:
        pytest.skip("this file system takes text only")

    assert store_evidence(kept, file).name == "photo-?"


def test_a_long_name_is_cut(tmp_path: Path, kept: Path) -> None:
    file = tmp_path / ("x" * 240)
    file.write_bytes(CONTENT)

    assert store_evidence(kept, file).name == "x" * 200
