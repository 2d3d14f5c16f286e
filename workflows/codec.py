"""Seals whatever a run hears or says, so that no word of it can be read in a Temporal database.

Each payload is compressed if that pays, then encrypted with AES-GCM under a key that belongs to one workflow id. The
key id and that workflow id travel in clear beside it and are authenticated with it: a payload that was altered, or
moved over from another run, does not open.

What cannot be opened (never sealed, altered, another run's, a bomb, sealed with a key that is not here) never crashes a
worker and never stops a run for everybody: a note takes its place, which fails when it is read. So an update that
carries one is refused before it reaches history. If history itself holds one, the workflow task fails and waits for a
worker that can read it. Signals would be dropped, with a line in the log: what must not be lost is an update.

Not here: workflow ids, type and handler names, search attributes. Temporal needs them in clear, so nothing personal may
be in them.
"""

import dataclasses
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from google.protobuf.message import DecodeError
from pydantic import TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import (
    PydanticJSONPlainPayloadConverter,
    PydanticPayloadConverter,
    pydantic_data_converter,
)
from temporalio.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    EncodingPayloadConverter,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

SEALED = b"binary/encrypted"
NOTE = b"binary/unreadable"
COMPRESS_ABOVE = 512
# Temporal refuses payloads above 2 MiB, and a run whose update carries one answers nobody any more.
SEALED_AT_MOST = 2 * 1024 * 1024 - 1024
OPENED_AT_MOST = 4 * 1024 * 1024
# What has no run of its own (a schedule's memo, say) is sealed under this name.
LOOSE = "loose"
_VERSION = b"whistle-seal/1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_PLAIN, _COMPRESSED = b"\0", b"\1"


class Unreadable(StrEnum):
    """Why a payload does not open."""

    NOT_SEALED = "not_sealed"
    MALFORMED = "malformed"
    ALTERED = "altered"
    OF_ANOTHER_RUN = "of_another_run"
    TOO_LARGE = "too_large"
    UNKNOWN_KEY = "unknown_key"
    WRONG_SHAPE = "wrong_shape"


class UnreadablePayloadError(ValueError):
    """A payload does not open, or does not hold what was expected.

    The message may be logged: it carries no content. Not a Temporal failure on purpose: those would close a run.
    """

    def __init__(self, why: Unreadable, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}" if detail else str(why))
        self.why = why
        self.detail = detail


class Keyring:
    """Root keys by key id, newest first: the newest seals, every one of them opens.

    To rotate, put a new key in front and keep the old ones as long as a history lives that they sealed. Workers get a
    new key before the doors do: until then they refuse what the doors say.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys:
            raise ValueError("a keyring needs at least one key")
        for key_id, key in keys.items():
            if len(key) != _KEY_BYTES:
                raise ValueError(f"key {key_id!r} has {len(key)} bytes, not {_KEY_BYTES}")
        self._keys = dict(keys)

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return next(iter(self._keys))

    def cipher(self, key_id: str, scope: str) -> AESGCM:
        """Return the cipher of ``scope`` under that root key, which itself never seals anything.

        Raises:
            UnreadablePayloadError: if the ring lacks the key.
        """
        if key_id not in self._keys:
            raise UnreadablePayloadError(Unreadable.UNKNOWN_KEY, key_id)
        kdf = HKDF(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=None, info=scope.encode())
        return AESGCM(kdf.derive(self._keys[key_id]))

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"


@dataclass(frozen=True)
class SealingCodec(PayloadCodec, WithSerializationContext):
    """Seals and opens payloads for one scope: a run, a standalone activity, or neither.

    Without a scope (an auditor's tool, the codec of a web page) it opens every scope's payloads.
    """

    keyring: Keyring
    scope: str | None = None
    accepts_plain: bool = False

    def with_context(self, context: SerializationContext) -> Self:
        """Return the codec of the run or standalone activity that ``context`` names."""
        return dataclasses.replace(self, scope=scope_of(context))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Seal each payload under the newest key."""
        return [self.seal(payload) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Open each payload, or put a note in its place that fails when it is read."""
        return [self._opened_or_noted(payload) for payload in payloads]

    def seal(self, payload: Payload) -> Payload:
        """Return ``payload`` sealed; sealing the same twice gives different bytes.

        Raises:
            UnreadablePayloadError: if it is too large to be sent or opened again.
        """
        key_id, scope, nonce = self.keyring.newest, self.scope or LOOSE, os.urandom(_NONCE_BYTES)
        content = _packed(payload.SerializeToString())
        return Payload(
            metadata={"encoding": SEALED, "key-id": key_id.encode(), "scope": scope.encode()},
            data=nonce + self.keyring.cipher(key_id, scope).encrypt(nonce, content, _bound(key_id, scope)),
        )

    def open(self, payload: Payload) -> Payload:
        """Return what was sealed.

        Raises:
            UnreadablePayloadError: if it was never sealed, was altered, is another run's, too large, or under a key
                that is not here.
        """
        if payload.metadata.get("encoding") != SEALED:
            if self.accepts_plain:
                return payload
            raise UnreadablePayloadError(Unreadable.NOT_SEALED)
        key_id, scope = _label(payload, "key-id"), _label(payload, "scope")
        if self.scope is not None and scope != self.scope:
            raise UnreadablePayloadError(Unreadable.OF_ANOTHER_RUN)
        cipher = self.keyring.cipher(key_id, scope)
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            content = cipher.decrypt(nonce, sealed, _bound(key_id, scope))
        except (InvalidTag, ValueError) as error:  # ValueError: the nonce itself is cut short
            raise UnreadablePayloadError(Unreadable.ALTERED) from error
        return _unpacked(content)

    def _opened_or_noted(self, payload: Payload) -> Payload:
        try:
            return self.open(payload)
        except UnreadablePayloadError as error:
            return Payload(metadata={"encoding": NOTE, "why": error.why.encode()}, data=error.detail.encode())


def scope_of(context: SerializationContext) -> str | None:
    """Return the name under which payloads of ``context`` are sealed, None if it belongs to no run.

    A standalone activity has no run: its own id stands in, which client and worker both know. A schedule knows only the
    first part of its runs' ids, so what it starts does not open: start runs from a client instead.
    """
    match context:
        case WorkflowSerializationContext(workflow_id=workflow_id):
            return f"run:{workflow_id}"
        case ActivitySerializationContext(workflow_id=str(workflow_id)) if workflow_id:
            return f"run:{workflow_id}"
        case ActivitySerializationContext(activity_id=str(activity_id)) if activity_id:
            return f"activity:{activity_id}"
        case _:
            return None


def _bound(key_id: str, scope: str) -> bytes:
    return b"\n".join((_VERSION, key_id.encode(), scope.encode()))


def _label(payload: Payload, name: str) -> str:
    return payload.metadata.get(name, b"").decode(errors="replace")


def _packed(content: bytes) -> bytes:
    packed = _COMPRESSED + zlib.compress(content) if len(content) > COMPRESS_ABOVE else _PLAIN + content
    if len(content) > OPENED_AT_MOST or len(packed) > SEALED_AT_MOST:
        raise UnreadablePayloadError(Unreadable.TOO_LARGE)
    return packed


def _unpacked(content: bytes) -> Payload:
    how, content = content[:1], content[1:]
    try:
        return Payload.FromString(_inflated(content) if how == _COMPRESSED else content)
    except (zlib.error, DecodeError) as error:
        raise UnreadablePayloadError(Unreadable.MALFORMED) from error


def _inflated(content: bytes) -> bytes:
    # One byte more than is allowed tells a bomb from a payload of just that size.
    inflated = zlib.decompressobj().decompress(content, OPENED_AT_MOST + 1)
    if len(inflated) > OPENED_AT_MOST:
        raise UnreadablePayloadError(Unreadable.TOO_LARGE)
    return inflated


class _NoteConverter(EncodingPayloadConverter):
    """Fails on the note that the codec left in place of an unreadable payload."""

    @property
    def encoding(self) -> str:
        return NOTE.decode()

    def to_payload(self, value: Any) -> Payload | None:  # noqa: ARG002 - never chosen for writing
        return None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:  # noqa: ARG002
        raise UnreadablePayloadError(Unreadable(payload.metadata["why"].decode()), payload.data.decode())


class _QuietJsonConverter(PydanticJSONPlainPayloadConverter):
    """Pydantic's JSON, except that a failure names the places and kinds of error, never the values.

    The SDK logs these failures, and the values are people's words.
    """

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        try:
            return _reader_of(Any if type_hint is None else type_hint).validate_json(payload.data)
        except ValidationError as error:
            detail = "; ".join(
                f"{'.'.join(map(str, flaw['loc'])) or '(whole)'} {flaw['type']}"
                for flaw in error.errors(include_url=False, include_context=False, include_input=False)
            )
            raise UnreadablePayloadError(Unreadable.WRONG_SHAPE, detail) from None


@cache
def _reader_of(kind: Any) -> TypeAdapter[Any]:
    """Return what reads a type, one for all runs: the SDK would build one for each, at 20 ms for our larger models."""
    return TypeAdapter(kind)


class SealedPayloadConverter(CompositePayloadConverter):
    """Pydantic's converter, made quiet, and able to refuse what the codec could not open."""

    def __init__(self) -> None:
        usual = PydanticPayloadConverter().converters.values()
        quiet = _QuietJsonConverter()
        super().__init__(
            *(quiet if converter.encoding == quiet.encoding else converter for converter in usual),
            _NoteConverter(),
        )


def data_converter(keyring: Keyring, *, accepts_plain: bool = False) -> DataConverter:
    """Return the one data converter of clients, workers and replays.

    ``accepts_plain`` is for histories that were exported in clear; nothing live sets it.
    """
    return dataclasses.replace(
        pydantic_data_converter,
        payload_converter_class=SealedPayloadConverter,
        payload_codec=SealingCodec(keyring, accepts_plain=accepts_plain),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
