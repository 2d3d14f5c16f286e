"""The parts of a worker work together: a whistle's notices leave, and it hears of those that do not arrive."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from activities.delivery import Terms, report_key
from activities.webhook import WebhookSettings
from models.case import WhistleState
from models.commands import Cancel
from models.facts import Fact, NoticeFailed
from models.notices import NoticeState, letter_id, notices_of
from models.organisation import Channel, Post
from models.tables import NoticeRow
from tests.activities.letters import an_officer
from tests.fakes.webhook import FakeWebhook
from tests.small_district import LEAD, UNITS, a_blow, a_source, officer
from tests.workflow.whistles import Rehearsal, eventually
from workflows.rounds import Rounds
from workflows.running import WorkerPlan, worker_running

HANDLER = officer(LEAD, Post.DEPT_HANDLER)


@pytest.fixture
def hook() -> Iterator[FakeWebhook]:
    with FakeWebhook() as running:
        yield running


@pytest.fixture
def town(rehearsal: Rehearsal) -> Rehearsal:
    """A district in which one officer is told by the webhook, and everybody else by the file."""
    with rehearsal.database.writing() as session:
        session.add(an_officer(HANDLER, Channel.WEBHOOK))
    return rehearsal


def worker(town: Rehearsal, hook: FakeWebhook) -> AbstractAsyncContextManager[Rounds]:
    webhook = WebhookSettings(httpx.URL(hook.url), b"secret")
    quick = Terms(tries=2, first_pause=timedelta(milliseconds=20), factor=1.0)
    plan = WorkerPlan(town.notices_file, webhook=webhook, letters=quick)
    return worker_running(town.client, town.database, plan, lambda: datetime.now(UTC))


def sounded(facts: tuple[Fact, ...]) -> Fact:
    return next(fact for fact in facts if fact.type == "whistle_sounded")


def row_of(town: Rehearsal, letter: str) -> NoticeRow | None:
    with town.database.reading() as session:
        return session.get(NoticeRow, letter)


async def until(town: Rehearsal, letter: str, state: NoticeState) -> NoticeRow:
    async def has_come_so_far() -> bool:
        row = row_of(town, letter)
        return row is not None and row.state is state

    await eventually(has_come_so_far)
    row = row_of(town, letter)
    assert row
    return row


async def test_everybody_who_is_told_gets_a_letter_on_their_channel(town: Rehearsal, hook: FakeWebhook) -> None:
    async with worker(town, hook):
        played = await town.blow(a_source(), a_blow())
        fact = sounded(played.facts())
        expected = {notice.receiver for notice in notices_of(fact)}
        await until(town, letter_id(fact.hash, HANDLER, Channel.WEBHOOK), NoticeState.SENT)
        by_file = [json.loads(line) for line in town.notices_file.read_text(encoding="utf-8").splitlines()]

    told = {said["notice"]["receiver"] for said in by_file if said["notice"]["fact_hash"] == fact.hash}
    assert told == expected - {HANDLER}
    assert {said["notice"]["unit"] for said in by_file} >= set(UNITS) - {LEAD}
    assert hook.ids == [letter_id(fact.hash, HANDLER, Channel.WEBHOOK)]
    said = json.loads(hook.received[0].body)
    assert said["whistle"] == {"id": played.id, "number": "JINFENG-2026-000001", "drill": True}
    assert b"burst main" not in hook.received[0].body


async def test_a_whistle_hears_of_a_notice_that_was_given_up(town: Rehearsal, hook: FakeWebhook) -> None:
    hook.statuses.extend([500, 500])
    async with worker(town, hook):
        played = await town.blow(a_source(), a_blow())
        fact = sounded(played.facts())
        letter = letter_id(fact.hash, HANDLER, Channel.WEBHOOK)
        row = await until(town, letter, NoticeState.FAILED)

        async def has_heard() -> bool:
            return any(fact.type == "notice_failed" for fact in played.facts())

        await eventually(has_heard)
        finding = await played.audit()

    (failed,) = (fact for fact in played.facts() if isinstance(fact.detail, NoticeFailed))
    detail = NoticeFailed(fact_number=fact.number, receiver=HANDLER, channel="webhook", error="http_500")
    assert failed.detail == detail
    assert (failed.key, failed.actor) == (report_key(letter), "system")
    assert (row.attempts, row.error) == (2, "http_500")
    assert finding.agrees


async def test_an_ended_whistle_does_not_want_to_hear_of_it_and_the_letter_keeps_its_error(
    town: Rehearsal, hook: FakeWebhook
) -> None:
    async with worker(town, hook):
        played = await town.blow(a_source(), a_blow())
        fact = sounded(played.facts())
        await until(town, letter_id(fact.hash, HANDLER, Channel.WEBHOOK), NoticeState.SENT)
        hook.statuses.append(410)
        done = await played.say(Cancel(reason="a false alarm"))
        cancelled = done.facts[-1]
        row = await until(town, letter_id(cancelled.hash, HANDLER, Channel.WEBHOOK), NoticeState.FAILED)
        handle = town.client.get_activity_handle(row.id)

        async def is_over() -> bool:
            return (await handle.describe()).close_time is not None

        await eventually(is_over)
        ended = await played.state()

    assert ended.state is WhistleState.CANCELLED
    assert row.error == "http_410"
    assert not any(fact.type == "notice_failed" for fact in played.facts())


@asynccontextmanager
async def stumbling(town: Rehearsal) -> AsyncIterator[None]:
    """Run a worker whose clock has a bug, which its sweeper meets first."""

    def now() -> datetime:
        raise ZeroDivisionError

    async with worker_running(town.client, town.database, WorkerPlan(town.notices_file), now):
        yield


async def test_a_bug_in_the_background_ends_the_worker(town: Rehearsal) -> None:
    async def forever() -> bool:
        return False

    with pytest.raises(ZeroDivisionError):
        async with stumbling(town):
            await eventually(forever)
