"""Appends notices to a file: one JSON document a line.

Whoever reads it may meet a line twice, after a crash between the writing and the note that it was written. Both have
the same ``id`` and are equal to the byte.
"""

import errno
import os
from collections.abc import Iterable
from pathlib import Path

from models.canonical import canonical_json
from models.notices import Letter

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class NoticeFile:
    """The file that notices go to. Several processes may append to it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, letters: Iterable[Letter]) -> None:
        """Write ``letters`` in one go, and return when a power cut cannot take them away any more.

        Raises:
            OSError: if the disk is full or the file cannot be written. Some of the letters may be in it then.
        """
        lines = b"".join(line_of(letter) for letter in letters)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if _is_torn(descriptor):
                lines = b"\n" + lines
            if os.write(descriptor, lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def line_of(letter: Letter) -> bytes:
    """Return ``letter`` as its line: the same bytes whenever it is written."""
    return canonical_json(content_of(letter)) + b"\n"


def content_of(letter: Letter) -> dict[str, object]:
    """Return what a letter says, on every channel."""
    return {
        "type": letter.notice.text_key,
        "id": letter.id,
        "whistle": {"id": letter.whistle_id, "number": letter.number, "drill": letter.drill},
        "notice": letter.notice,
    }


def error_code(error: OSError) -> str:
    """Return why a file could not be written, as a code."""
    return "disk_full" if error.errno in _NO_SPACE else "file_not_writable"


def _is_torn(descriptor: int) -> bool:
    """Tell whether the last line was cut short by a full disk, so that the next one must not be glued to it."""
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
