"""Keeps evidence files under the hash of their content. What is kept is never changed, and the same file only once."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from activities.lasting import make_lasting, written_draft
from models.case import Evidence

LARGEST_FILE = 50 * 1024 * 1024
_CHUNK = 1024 * 1024
_LONGEST_NAME = 200
_READ_ONLY = 0o400


class EvidenceTooLargeError(Exception):
    """The file is larger than what is kept."""

    def __init__(self, path: Path, limit: int) -> None:
        super().__init__(f"{path.name} has more than {limit} bytes")
        self.path = path
        self.limit = limit


class EvidenceUnreadableError(Exception):
    """There is no such file, or none that can be read as one."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path.name} cannot be read")
        self.path = path


def store_evidence(directory: Path, path: Path) -> Evidence:
    """Copy the file at ``path`` into ``directory``, and return what a fact says of it.

    Storing the same content again changes nothing. What is hashed is what is stored, even if the file is being written.

    Raises:
        EvidenceUnreadableError: if there is no such file.
        EvidenceTooLargeError: if it is too large; nothing is kept then.
    """
    digest = hashlib.sha256()
    try:
        with _opened(path) as source:
            draft = written_draft(directory, _hashed_chunks(source, digest, path))
    except OSError as error:
        if error.filename is not None and Path(error.filename) == path:
            raise EvidenceUnreadableError(path) from error
        raise
    size = draft.stat().st_size
    kept = evidence_file(directory, digest.hexdigest())
    kept.parent.mkdir(mode=0o700, exist_ok=True)
    draft.chmod(_READ_ONLY)
    draft.replace(kept)
    make_lasting(kept.parent)
    make_lasting(directory)
    return Evidence(sha256=digest.hexdigest(), size=size, name=_shown_name(path))


def evidence_file(directory: Path, sha256: str) -> Path:
    """Return where the content with this hash is kept, whether or not it is there."""
    return directory / sha256[:2] / sha256


def _opened(path: Path) -> BinaryIO:
    # A pipe or a device would never end, or block; only a plain file has a size to hold it to.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise EvidenceUnreadableError(path)
    return os.fdopen(descriptor, "rb")


def _hashed_chunks(source: BinaryIO, digest: "hashlib._Hash", path: Path) -> Iterator[bytes]:
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > LARGEST_FILE:
            raise EvidenceTooLargeError(path, LARGEST_FILE)
        digest.update(chunk)
        yield chunk


def _shown_name(path: Path) -> str:
    """Return the file's name as a fact can hold it: names of files need not be text."""
    return path.name.encode(errors="replace").decode()[:_LONGEST_NAME]
