"""Every letter goes out, and goes out once, on a real Temporal and with a real gateway."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from temporalio.client import Client
from temporalio.service import RetryConfig, RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.database import Database, RecordAwayError
from activities.delivery import Channels, DeliveryActivities, Terms
from activities.notice_file import NoticeFile
from activities.postbox import Postbox
from activities.webhook import Webhook, WebhookSettings
from engine.server import THROWAWAY, EmbeddedServer
from models.commands import ReportNoticeFailure
from models.notices import Letter, NoticeState
from models.organisation import Channel
from tests.activities.letters import NOW, a_letter, a_record
from tests.fakes.webhook import FakeWebhook
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, TASK_QUEUE, connect, worker_options
from workflows.letter import NOTICE_QUEUE, LetterWorkflow
from workflows.postman import Postman

QUICK = Terms(tries=4, first_pause=timedelta(milliseconds=20), factor=1.0)


@dataclass(frozen=True)
class District:
    """One record, one file, one gateway, and whoever is told of failures."""

    client: Client
    database: Database
    path: Path
    hook: FakeWebhook
    failures: list[str]

    @property
    def postbox(self) -> Postbox:
        """The letters."""
        return Postbox(self.database)

    @property
    def filed(self) -> list[str]:
        """The ids of the letters in the file, in order."""
        return [json.loads(line)["id"] for line in self.path.read_text(encoding="utf-8").splitlines()]

    def postman(self) -> Postman:
        """A postman who has just begun."""
        return Postman(self.client, self.postbox, NoticeFile(self.path), lambda: NOW, QUICK)

    async def until(self, state: NoticeState, *letters: Letter) -> None:
        """Return when these letters have come so far."""
        await eventually(lambda: {self.postbox.look_up(letter.id).state for letter in letters} == {state})

    async def report(self, whistle_id: str, failure: ReportNoticeFailure, key: str) -> None:
        """Keep that a letter was given up."""
        self.failures.append(f"{whistle_id} {failure.error} {key}")

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Have a worker for letters."""
        webhook = Webhook(WebhookSettings(httpx.URL(self.hook.url), b"secret"), lambda: NOW)
        channels = Channels(NoticeFile(self.path), webhook)
        delivery = DeliveryActivities(self.postbox, channels, self.report, lambda: NOW, QUICK)
        async with Worker(self.client, task_queue=NOTICE_QUEUE, activities=[delivery.deliver]):
            yield
        await webhook.close()


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 (a record sends no events)
            await asyncio.sleep(0.01)


def new_letters(count: int, channel: Channel = Channel.WEBHOOK) -> list[Letter]:
    """Return letters that no other test on the same server has sent."""
    base = uuid.uuid4().int & ~0xFFFF
    return [a_letter(base + each, channel) for each in range(count)]


@pytest.fixture(scope="module")
def gateway() -> Iterator[FakeWebhook]:
    with FakeWebhook() as running:
        yield running


@pytest.fixture
def district(client: Client, tmp_path: Path, gateway: FakeWebhook) -> Callable[..., District]:
    """Found a district whose record holds the letters given."""
    gateway.received.clear()
    gateway.statuses.clear()

    def found(*letters: Letter) -> District:
        return District(client, a_record(tmp_path, *letters), tmp_path / "notices.log", gateway, [])

    return found


async def test_letters_to_the_webhook_are_delivered_once_each(district: Callable[..., District]) -> None:
    letters = new_letters(5)
    town = district(*letters)

    async with town.working():
        await town.postman().round()
        await town.until(NoticeState.SENT, *letters)
        await town.postman().round()

    assert sorted(town.hook.ids) == sorted(letter.id for letter in letters)
    assert {town.postbox.look_up(letter.id).attempts for letter in letters} == {1}


async def test_letters_to_the_file_are_written_in_their_order_without_troubling_temporal(
    district: Callable[..., District],
) -> None:
    letters = new_letters(250, Channel.FILE)
    town = district(*letters)

    await town.postman().round()

    assert town.filed == [letter.id for letter in letters]
    await town.until(NoticeState.SENT, *letters)
    with pytest.raises(RPCError, match="not found"):
        await town.client.get_activity_handle(letters[0].id).describe()


async def test_letters_that_do_not_get_into_the_file_are_tried_with_patience(
    district: Callable[..., District],
) -> None:
    letters = new_letters(2, Channel.FILE)
    town = district(*letters)
    town.path.mkdir()

    async with town.working():
        await town.postman().round()
        await eventually(lambda: town.postbox.look_up(letters[0].id).attempts > 0)
        town.path.rmdir()
        await town.until(NoticeState.SENT, *letters)

    assert sorted(town.filed) == sorted(letter.id for letter in letters)


async def test_a_gateway_that_comes_back_gets_the_letter_under_the_same_id(district: Callable[..., District]) -> None:
    (letter,) = new_letters(1)
    town = district(letter)
    town.hook.statuses.extend([503, 429])

    async with town.working():
        await town.postman().round()
        await town.until(NoticeState.SENT, letter)

    assert town.hook.ids == [letter.id] * 3
    assert town.postbox.look_up(letter.id).attempts == 3
    assert town.failures == []


@pytest.mark.parametrize(("statuses", "tries"), [([500] * QUICK.tries, QUICK.tries), ([410], 1)])
async def test_a_letter_that_is_given_up_is_reported_once(
    district: Callable[..., District], statuses: list[int], tries: int
) -> None:
    (letter,) = new_letters(1)
    town = district(letter)
    town.hook.statuses.extend(statuses)

    async with town.working():
        await town.postman().round()
        await town.until(NoticeState.FAILED, letter)
        await eventually(lambda: bool(town.failures))
        await town.postman().round()

    assert len(town.hook.received) == tries
    assert len(town.failures) == 1


async def test_a_postman_killed_after_the_start_and_before_the_mark_sends_nothing_twice(
    district: Callable[..., District],
) -> None:
    letters = new_letters(3)
    town = district(*letters)

    async with town.working():
        await town.postman().start([letter.id for letter in letters])
        await town.until(NoticeState.SENT, *letters)
        await town.postman().start([letter.id for letter in letters])
        await town.postman().round()

    assert sorted(town.hook.ids) == sorted(letter.id for letter in letters)


async def test_letters_that_were_taken_and_forgotten_go_out_later(district: Callable[..., District]) -> None:
    letters = [*new_letters(2, Channel.FILE), *new_letters(2)]
    town = district(*letters)
    town.postbox.take([letter.id for letter in letters])
    postman = town.postman()

    async with town.working():
        await postman.restart_lost()
        assert town.hook.received == []
        await postman.restart_lost()
        await town.until(NoticeState.SENT, *letters)

    assert len(town.filed) == 2
    assert len(town.hook.received) == 2


async def test_two_postmen_at_once_send_nothing_twice(district: Callable[..., District]) -> None:
    letters = [*new_letters(60, Channel.FILE), *new_letters(10)]
    town = district(*letters)

    async with town.working():
        await asyncio.gather(*(town.postman().round() for _ in range(3)))
        await town.until(NoticeState.SENT, *letters)

    assert sorted([*town.filed, *town.hook.ids]) == sorted(letter.id for letter in letters)


async def test_a_letter_that_temporal_does_not_take_holds_nobody_up(district: Callable[..., District]) -> None:
    refused, *others = new_letters(3)
    refused = refused.model_copy(update={"id": "x" * 2000})
    town = district(refused, *others)

    async with town.working():
        with pytest.raises(RPCError) as raised:
            await town.postman().round()
        await town.until(NoticeState.SENT, *others)

    assert raised.value.status is RPCStatusCode.INVALID_ARGUMENT
    assert town.postbox.look_up(refused.id).state is NoticeState.PENDING


async def test_with_the_record_away_the_round_says_so_and_the_next_one_goes_on(
    district: Callable[..., District], tmp_path: Path
) -> None:
    letters = new_letters(2, Channel.FILE)
    town = district(*letters)
    file = tmp_path / "whistle.db"
    postman = town.postman()
    town.database.close()
    file.rename(tmp_path / "away")
    with pytest.raises(RecordAwayError):
        await postman.round()

    (tmp_path / "away").rename(file)
    await postman.round()

    assert town.filed == [letter.id for letter in letters]


async def test_where_temporal_is_away_letters_wait(district: Callable[..., District], client: Client) -> None:
    letters = [*new_letters(1), *new_letters(1, Channel.FILE)]
    impatient = RetryConfig(max_elapsed_time_millis=100)
    async with EmbeddedServer.throwaway() as server:
        left = await Client.connect(server.address, retry_config=impatient, data_converter=client.data_converter)
    town = replace(district(*letters), client=left)

    with pytest.raises(RPCError) as raised:
        await town.postman().round()

    assert raised.value.status is RPCStatusCode.UNAVAILABLE
    assert town.postbox.look_up(letters[0].id).state is NoticeState.PENDING
    assert town.filed == [letters[1].id]


async def test_a_temporal_without_standalone_activities_delivers_all_the_same(
    district: Callable[..., District], keyring: Keyring, tmp_path: Path
) -> None:
    letters = new_letters(2)
    switched_off = ("--dynamic-config-value", "activity.enableStandalone=false")
    purpose = replace(THROWAWAY, flags=(*THROWAWAY.flags, *switched_off))
    (tmp_path / "server").mkdir()

    async with EmbeddedServer(tmp_path / "server", purpose) as server:
        client = await connect(server.address, NAMESPACE, keyring)
        town = replace(district(*letters), client=client)
        runs = Worker(client, task_queue=TASK_QUEUE, workflows=[LetterWorkflow], **worker_options())
        async with runs, town.working():
            await town.postman().round()
            await town.until(NoticeState.SENT, *letters)
            await town.postman().start([letter.id for letter in letters])

    assert sorted(town.hook.ids) == sorted(letter.id for letter in letters)
