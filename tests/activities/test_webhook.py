"""What a receiver gets, how it can trust it, and what its answers mean."""

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from activities import webhook
from activities.webhook import UndeliveredError, Webhook, WebhookSettings, WebhookSettingsError
from tests.activities.letters import a_letter
from tests.fakes.webhook import FakeWebhook, Received

SECRET = b"a secret of the district"
STAMP = datetime(2026, 11, 22, 2, 10, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def gateway() -> Iterator[FakeWebhook]:
    with FakeWebhook() as running:
        yield running


@pytest.fixture
def hook(gateway: FakeWebhook) -> FakeWebhook:
    gateway.received.clear()
    gateway.statuses.clear()
    gateway.drips = False
    return gateway


@pytest.fixture(scope="module")
async def sender(gateway: FakeWebhook) -> AsyncIterator[Webhook]:
    sender = Webhook(WebhookSettings(httpx.URL(gateway.url), SECRET), lambda: STAMP, timedelta(seconds=0.5))
    yield sender
    await sender.close()


def is_signed(request: Received, secret: bytes) -> bool:
    """Verify a request as a receiver would, from nothing but the convention."""
    headers = request.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    expected = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return headers["webhook-signature"] == f"v1,{expected}"


async def test_a_receiver_can_trust_and_read_what_it_gets(hook: FakeWebhook, sender: Webhook) -> None:
    await sender.post(a_letter())

    (request,) = hook.received
    assert is_signed(request, SECRET)
    assert not is_signed(request, b"another secret")
    assert request.headers["webhook-id"] == a_letter().id
    assert request.headers["webhook-timestamp"] == str(int(STAMP.timestamp()))
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body)["type"] == "notice.escalated"


async def test_a_repetition_has_the_same_id_and_body(hook: FakeWebhook, sender: Webhook) -> None:
    await sender.post(a_letter())
    await sender.post(a_letter())

    first, second = hook.received
    assert first.body == second.body
    assert hook.ids == [a_letter().id] * 2


@pytest.mark.parametrize(
    ("status", "is_dead_end"),
    [(400, True), (401, True), (404, True), (410, True), (408, False), (429, False), (302, False), (500, False)],
)
async def test_what_an_answer_means(hook: FakeWebhook, sender: Webhook, status: int, is_dead_end: bool) -> None:  # noqa: FBT001
    hook.statuses.append(status)

    with pytest.raises(UndeliveredError, match=f"http_{status}") as raised:
        await sender.post(a_letter())

    assert raised.value.is_dead_end is is_dead_end


async def test_a_receiver_that_never_comes_to_an_end_is_left_in_time(hook: FakeWebhook, sender: Webhook) -> None:
    hook.drips = True
    began = time.monotonic()

    with pytest.raises(UndeliveredError, match="timeout"):
        await sender.post(a_letter())

    assert time.monotonic() - began < 2


async def test_nobody_at_the_address_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sender = Webhook(WebhookSettings(httpx.URL(f"http://127.0.0.1:{port}/"), SECRET), lambda: STAMP)

    with pytest.raises(UndeliveredError, match="unreachable") as raised:
        await sender.post(a_letter())

    await sender.close()
    assert not raised.value.is_dead_end


def test_without_an_address_there_is_no_webhook_and_no_secret(tmp_path: Path) -> None:
    assert WebhookSettings.read(tmp_path / "keys", {}) is None
    assert not (tmp_path / "keys").exists()


def test_a_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    environment = {webhook.URL_VARIABLE: "https://gateway.example/notices"}

    first = WebhookSettings.read(tmp_path, environment)
    second = WebhookSettings.read(tmp_path, environment)

    assert first == second
    assert first is not None
    assert len(first.secret) == 32
    assert (tmp_path / webhook.SECRET_FILE).stat().st_mode & 0o777 == 0o600


def test_a_secret_from_the_environment_wins(tmp_path: Path) -> None:
    chosen = f"whsec_{base64.b64encode(SECRET).decode()}"

    settings = WebhookSettings.read(
        tmp_path, {webhook.URL_VARIABLE: "http://127.0.0.1/", webhook.SECRET_VARIABLE: chosen}
    )

    assert settings is not None
    assert settings.secret == SECRET
    assert not (tmp_path / webhook.SECRET_FILE).exists()


@pytest.mark.parametrize(
    "environment",
    [
        {webhook.URL_VARIABLE: "ftp://gateway.example/secret-token"},
        {webhook.URL_VARIABLE: "gateway.example/secret-token"},
        {webhook.URL_VARIABLE: "http:///secret-token"},
        {webhook.URL_VARIABLE: "http://gateway.example", webhook.SECRET_VARIABLE: "whsec_secret-token"},
        {webhook.URL_VARIABLE: "http://gateway.example", webhook.SECRET_VARIABLE: "whsec_"},
    ],
)
def test_settings_that_cannot_work_are_refused_without_being_shown(environment: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(WebhookSettingsError) as raised:
        WebhookSettings.read(tmp_path, environment)

    assert "secret-token" not in str(raised.value)


def test_neither_address_nor_secret_shows_when_settings_are_printed() -> None:
    settings = WebhookSettings(httpx.URL("http://gateway.example/secret-token"), SECRET)

    assert repr(settings) == "WebhookSettings()"
