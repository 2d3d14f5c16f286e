"""Posts notices to a web address of the customer's, signed as the Standard Webhooks convention has it.

A receiver verifies ``webhook-signature`` (``v1,`` and the base64 of HMAC-SHA256 over id, timestamp and body, joined by
dots), refuses an old ``webhook-timestamp``, and drops a ``webhook-id`` that it has had: a repetition has the same id.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import httpx

from activities.lasting import create_file
from activities.notice_file import content_of
from models.canonical import canonical_json
from models.notices import Letter

URL_VARIABLE = "WHISTLE_WEBHOOK_URL"
SECRET_VARIABLE = "WHISTLE_WEBHOOK_SECRET"  # noqa: S105 (the name of it, not the secret)
SECRET_FILE = "webhook"  # noqa: S105 (where it is kept)
SECRET_PREFIX = "whsec_"  # noqa: S105 (what Standard Webhooks begins a secret with)

# A receiver that has to think should answer first and think then; a slow one must not hold up the others.
PATIENCE = timedelta(seconds=3)

_SECRET_BYTES = 32
# What a receiver answers is of no interest; this much is read so that the connection can be used again.
_READ_AT_MOST = 16 * 1024
_WORTH_ANOTHER_TRY = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})


class WebhookSettingsError(ValueError):
    """The address or the secret of the webhook cannot be used. The message holds neither."""


class UndeliveredError(Exception):
    """A letter did not arrive. ``code`` says why; after a dead end another try would end the same way."""

    def __init__(self, code: str, *, is_dead_end: bool) -> None:
        super().__init__(code)
        self.code = code
        self.is_dead_end = is_dead_end


@dataclass(frozen=True)
class WebhookSettings:
    """Where notices are posted, and the secret that proves them to be ours."""

    url: httpx.URL = field(repr=False)  # customers put tokens into it
    secret: bytes = field(repr=False)

    @classmethod
    def read(cls, keys: Path, environment: Mapping[str, str]) -> "WebhookSettings | None":
        """Return what the environment says, or None if it names no address.

        Without a secret in the environment there is one in the directory ``keys``, which is made on first use.

        Raises:
            WebhookSettingsError: if the address is not one of the web, or the secret is malformed.
        """
        address = environment.get(URL_VARIABLE, "").strip()
        if not address:
            return None
        secret = environment.get(SECRET_VARIABLE, "").strip() or _kept_secret(keys / SECRET_FILE)
        return cls(_web_address(address), _secret_bytes(secret))


class Webhook:
    """Posts letters one by one, over connections that are kept. Close it when done."""

    def __init__(self, settings: WebhookSettings, now: Callable[[], datetime], patience: timedelta = PATIENCE) -> None:
        self._settings = settings
        self._now = now
        self._patience = patience.total_seconds()
        self._http = httpx.AsyncClient(timeout=self._patience, headers={"user-agent": "whistle"})

    async def post(self, letter: Letter) -> None:
        """Post ``letter``; posting it again is safe, for the receiver knows it by its id.

        Raises:
            UndeliveredError: if the answer is not one of success, or none came in time.
        """
        body = canonical_json(content_of(letter))
        headers = signed_headers(self._settings.secret, letter.id, self._now(), body)
        try:
            # A limit over all: httpx counts each read anew, and a receiver that drips would hold us for ever.
            async with asyncio.timeout(self._patience):
                status = await self._status(body, headers)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise UndeliveredError("timeout", is_dead_end=False) from error
        except httpx.TransportError as error:
            raise UndeliveredError("unreachable", is_dead_end=False) from error
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return
        is_ours = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
        raise UndeliveredError(f"http_{status}", is_dead_end=is_ours and status not in _WORTH_ANOTHER_TRY)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def _status(self, body: bytes, headers: Mapping[str, str]) -> int:
        async with self._http.stream("POST", self._settings.url, content=body, headers=dict(headers)) as answer:
            read = 0
            async for chunk in answer.aiter_raw():
                read += len(chunk)
                if read > _READ_AT_MOST:
                    break
            return answer.status_code


def signed_headers(secret: bytes, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that let a receiver know a message for ours, for new, and for one it has had."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signature = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{signature}",
    }


def _web_address(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise WebhookSettingsError(f"{URL_VARIABLE} is not an address") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise WebhookSettingsError(f"{URL_VARIABLE} does not begin with http:// or https:// and a host")
    return url


def _secret_bytes(text: str) -> bytes:
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise WebhookSettingsError(f"{SECRET_VARIABLE} is not {SECRET_PREFIX} and base64") from error
    if not secret:
        raise WebhookSettingsError(f"{SECRET_VARIABLE} is empty")
    return secret


def _kept_secret(file: Path) -> str:
    if not file.exists():
        create_file(file, f"{SECRET_PREFIX}{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}\n".encode())
    return file.read_text(encoding="ascii").strip()
