"""Makes and checks what an officer proves himself by: a passcode once, and then a token that every door can read.

A token says who, in which offices, and until when. It is sealed with a key of the home, so a door needs no database to
trust it; whoever has the key can be anybody.
"""

import base64
import re
import secrets
from datetime import datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from cryptography.fernet import Fernet, InvalidToken
from pydantic import ValidationError

from activities.lasting import create_file
from models.case import Code
from models.organisation import Post
from models.policy import Frozen

TOKEN_KEY_FILE = "tokens"  # noqa: S105 (the name of a file)

_PASSCODE_BYTES = 10
_GROUP = 4
# Passcodes are made here, with 80 bits of chance: no dictionary holds them, and guessing at a billion a second takes
# ten million years. Costly hashing would protect nothing and make a login with two hundred officers to set up slow.
_HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)


class InvalidTokenReason(StrEnum):
    """Why a token is worth nothing."""

    EXPIRED = "expired"
    MALFORMED = "malformed"


class InvalidTokenError(Exception):
    """The token proves nothing; a new login does. Altered, cut or sealed elsewhere all count as malformed."""

    def __init__(self, reason: InvalidTokenReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class HeldPost(Frozen):
    """An office that the bearer of a token held when it was issued."""

    unit: Code
    post: Post


class Claims(Frozen):
    """What a token says. At ``expires_at`` exactly it has expired."""

    district: Code
    officer: Code
    appointments: tuple[HeldPost, ...]
    issued_at: datetime
    expires_at: datetime


def new_passcode() -> str:
    """Return a passcode for somebody to copy from paper: four groups of four letters and digits."""
    text = base64.b32encode(secrets.token_bytes(_PASSCODE_BYTES)).decode()
    return "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))


def hashed(passcode: str) -> str:
    """Return what the record keeps of a passcode."""
    return _HASHER.hash(_bare(passcode))


def matches(passcode_hash: str, passcode: str) -> bool:
    """Return whether it is the passcode; letter case, blanks and hyphens do not matter."""
    try:
        return _HASHER.verify(passcode_hash, _bare(passcode))
    except VerifyMismatchError:
        return False


@cache
def nobodys_hash() -> str:
    """Return the hash of a passcode that nobody has, to check against where there is no officer to check."""
    return hashed(new_passcode())


def token_key(directory: Path) -> bytes:
    """Return the key that seals the tokens of this home, made on first use."""
    file = directory / TOKEN_KEY_FILE
    if not file.exists():
        create_file(file, Fernet.generate_key())
    return file.read_bytes()


def issue_token(key: bytes, claims: Claims) -> str:
    """Return the token that says ``claims``."""
    sealed = Fernet(key).encrypt_at_time(claims.model_dump_json().encode(), int(claims.issued_at.timestamp()))
    return sealed.decode()


def read_token(key: bytes, token: str, now: datetime) -> Claims:
    """Return what ``token`` says.

    Raises:
        InvalidTokenError: if it was not sealed with this key, or has expired.
    """
    try:
        claims = Claims.model_validate_json(Fernet(key).decrypt(token.strip().encode()))
    except (InvalidToken, ValidationError, UnicodeEncodeError) as error:
        raise InvalidTokenError(InvalidTokenReason.MALFORMED) from error
    if claims.expires_at <= now:
        raise InvalidTokenError(InvalidTokenReason.EXPIRED)
    return claims


def _bare(passcode: str) -> str:
    return re.sub(r"[\s-]", "", passcode).upper()
