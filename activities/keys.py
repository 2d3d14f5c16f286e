"""Reads the root keys that seal histories, and makes the first one of a new home.

`WHISTLE_KEYS` overrides the file, for clusters whose secrets come from elsewhere.
Losing the keys means losing every history they sealed: whoever backs up a home backs up its keys too.
"""

import base64
import binascii
import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

VARIABLE = "WHISTLE_KEYS"
FILE_NAME = "roots"
KEY_BYTES = 32
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class KeysMalformedError(ValueError):
    """The file or variable holds no root keys; the message names the entry, never the key."""


def root_keys(directory: Path, environment: Mapping[str, str]) -> dict[str, bytes]:
    """Return the root keys by key id, newest first.

    Without `WHISTLE_KEYS` they are in a file of ``directory``, which is made on first use.
    Two processes that both come first end up with the same key.

    Raises:
        KeysMalformedError: if the variable or the file holds anything else.
    """
    if text := environment.get(VARIABLE, "").strip():
        return parsed(text)
    file = directory / FILE_NAME
    if not file.exists():
        _create(file, rendered([secrets.token_bytes(KEY_BYTES)]))
    return parsed(file.read_text(encoding="ascii", errors="replace"))


def parsed(text: str) -> dict[str, bytes]:
    """Return the keys that ``text`` spells: ``id:base64`` entries parted by white space or commas.

    Raises:
        KeysMalformedError: if an entry is malformed, comes twice, or there is none.
    """
    keys: dict[str, bytes] = {}
    for number, entry in enumerate(re.split(r"[\s,]+", text.strip()), start=1):
        key_id, _, encoded = entry.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise KeysMalformedError(f"entry {number} is not base64") from error
        if not _KEY_ID.fullmatch(key_id) or key_id in keys or len(key) != KEY_BYTES:
            raise KeysMalformedError(f"entry {number} is not a new id with {KEY_BYTES} bytes of key")
        keys[key_id] = key
    return keys


def rendered(keys: list[bytes]) -> str:
    """Return the text that `parsed` reads, one key a line; each id is the fingerprint of its key.

    Two different keys never share such an id: a key that is missing cannot look like tampering.
    """
    return "".join(f"{fingerprint(key)}:{base64.b64encode(key).decode()}\n" for key in keys)


def fingerprint(key: bytes) -> str:
    """Return a key id that tells ``key`` from every other without giving it away."""
    return hashlib.sha256(b"whistle key id\n" + key).hexdigest()[:12]


def _create(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    # A link, unlike a rename, fails if another process was first: its key stays.
    with suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
    _make_lasting(file.parent)


def _make_lasting(directory: Path) -> None:
    """See to it that a power cut cannot take the name of a key away after something was sealed with it."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
