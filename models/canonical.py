"""Writes a value in exactly one way, so that a hash of it means the same thing in ten years.

Version 1: UTF-8 JSON, keys sorted, no white space, instants in UTC with six digits of microseconds.
Floats are refused: two machines may print the same float differently.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cache, singledispatch

from pydantic import BaseModel

VERSION = "whistle-canonical/1"


def instant(moment: datetime) -> str:
    """Return ``moment`` in the one form that is hashed and printed: UTC, microseconds, ``Z``.

    Raises:
        ValueError: if ``moment`` carries no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(value: object) -> object:
    """Return ``value`` as nothing but dicts, lists, strings, whole numbers, booleans and null.

    A model that has a ``canonical_text`` of its own (a span, say) is that text.

    Raises:
        TypeError: on a float, and on anything that has no canonical form.
    """
    # Hashing is the hot path of every decision: the commonest types first, by identity.
    return value if value is None or type(value) in _ALREADY_PLAIN else _plain(value)


_ALREADY_PLAIN = frozenset({str, int, bool})


@singledispatch
def _plain(value: object) -> object:
    if not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} has no canonical form")
    return {field.name: plain(getattr(value, field.name)) for field in fields(value)}


@_plain.register
def _(value: BaseModel) -> object:
    names = _parts(type(value))
    return str(value) if names is None else {name: plain(getattr(value, name)) for name in names}


@_plain.register
def _(value: Enum) -> object:
    return plain(value.value)


@_plain.register
def _(value: datetime) -> object:
    return instant(value)


@_plain.register(date)
@_plain.register(time)
def _(value: date | time) -> object:
    return value.isoformat()


@_plain.register
def _(value: timedelta) -> object:
    return value // timedelta(microseconds=1)


@_plain.register(list)
@_plain.register(tuple)
def _(value: Sequence[object]) -> object:
    return [plain(item) for item in value]


@_plain.register(Mapping)
def _(value: Mapping[object, object]) -> object:
    return {str(plain(key)): plain(item) for key, item in value.items()}


@cache
def _parts(kind: type[BaseModel]) -> tuple[str, ...] | None:
    """Return the names of the parts that a model is hashed by, None if it is hashed as its text."""
    return None if "canonical_text" in vars(kind) else tuple(kind.model_fields)


def canonical_json(value: object) -> bytes:
    """Return the one byte string that stands for ``value``."""
    text = json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest(value: object) -> str:
    """Return the SHA-256 of ``value`` in its canonical form, with the version of that form, as hex."""
    return hashlib.sha256(VERSION.encode() + b"\n" + canonical_json(value)).hexdigest()
