"""Writes files that are whole or not there, also after a power cut, and that only their owner may read."""

import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_OWNER_ONLY = 0o700


def replace_file(file: Path, chunks: Iterable[bytes]) -> None:
    """Put ``chunks`` into ``file``, in the place of what was there. Readers see the old or the new, never a part."""
    draft = written_draft(file.parent, chunks)
    draft.replace(file)
    make_lasting(file.parent)


def create_file(file: Path, content: bytes) -> None:
    """Put ``content`` into ``file`` unless there is one; of two that come at once, the first stays."""
    draft = written_draft(file.parent, [content])
    # A link, unlike a rename, fails if another process was first.
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    make_lasting(file.parent)


def written_draft(directory: Path, chunks: Iterable[bytes]) -> Path:
    """Write ``chunks`` into a new file of ``directory`` under a name of no meaning, and return it.

    If ``chunks`` raises, nothing is left behind.
    """
    directory.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
    draft = directory / f".draft.{os.getpid()}.{secrets.token_hex(6)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            for chunk in chunks:
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        draft.unlink()
        raise
    return draft


def make_lasting(directory: Path) -> None:
    """See to it that a power cut cannot take back the names that ``directory`` holds."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
