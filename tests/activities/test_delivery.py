"""How often a letter is tried, and who hears of it when it is given up."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.database import Database, RecordAwayError
from activities.delivery import Channels, DeliveryActivities, Terms, report_key
from activities.notice_file import NoticeFile
from activities.postbox import Postbox
from activities.webhook import UndeliveredError
from models.commands import Act, ReportNoticeFailure
from models.notices import Letter, NoticeState
from models.organisation import Channel
from tests.activities.letters import NOW, WHISTLE_ID, a_letter, a_record

TERMS = Terms(tries=3)


@dataclass
class Gateway:
    """Says what is in ``troubles``, one after the other, and takes letters after that."""

    troubles: list[UndeliveredError] = field(default_factory=list)
    taken: list[Letter] = field(default_factory=list)

    async def post(self, letter: Letter) -> None:
        """Take a letter, or not."""
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append(letter)


@dataclass
class Whistles:
    """Hears of failures, unless it is out."""

    is_out: bool = False
    heard: dict[str, tuple[str, ReportNoticeFailure]] = field(default_factory=dict)

    async def report(self, whistle_id: str, failure: ReportNoticeFailure, key: str) -> None:
        """Take a report."""
        if self.is_out:
            raise ConnectionError
        self.heard[key] = (whistle_id, failure)


@dataclass
class PostOffice:
    """Everything that a delivery needs."""

    directory: Path
    database: Database
    gateway: Gateway = field(default_factory=Gateway)
    whistles: Whistles = field(default_factory=Whistles)
    has_webhook: bool = True

    @property
    def postbox(self) -> Postbox:
        """The letters."""
        return Postbox(self.database)

    async def deliver(self, letter: Letter) -> None:
        """Try once, as Temporal would."""
        file = NoticeFile(self.directory / "notices.log")
        channels = Channels(file, self.gateway if self.has_webhook else None)
        activities = DeliveryActivities(self.postbox, channels, self.whistles.report, lambda: NOW, TERMS)
        await ActivityEnvironment().run(activities.deliver, letter.id)


def trouble(code: str, *, is_dead_end: bool = False) -> UndeliveredError:
    return UndeliveredError(code, is_dead_end=is_dead_end)


LETTER, FILED = a_letter(), a_letter(2, Channel.FILE)


@pytest.fixture
def office(tmp_path: Path) -> PostOffice:
    return PostOffice(tmp_path, a_record(tmp_path, LETTER, FILED))


async def test_a_letter_that_arrives_is_marked_and_not_carried_again(office: PostOffice) -> None:
    await office.deliver(LETTER)
    await office.deliver(LETTER)

    assert office.gateway.taken == [LETTER]
    assert office.postbox.look_up(LETTER.id).state is NoticeState.SENT


async def test_a_letter_to_the_file_is_written_there(office: PostOffice) -> None:
    await office.deliver(FILED)

    assert FILED.id in (office.directory / "notices.log").read_text(encoding="utf-8")
    assert office.postbox.look_up(FILED.id).state is NoticeState.SENT


async def test_a_try_in_vain_is_counted_and_asks_for_another(office: PostOffice) -> None:
    office.gateway.troubles = [trouble("http_503")]

    with pytest.raises(ApplicationError, match="http_503") as raised:
        await office.deliver(LETTER)

    posted = office.postbox.look_up(LETTER.id)
    assert not raised.value.non_retryable
    assert (posted.state, posted.attempts, posted.error) == (NoticeState.DISPATCHED, 1, "http_503")
    assert office.whistles.heard == {}


async def test_after_the_last_try_the_letter_is_given_up_and_its_whistle_told(office: PostOffice) -> None:
    office.gateway.troubles = [trouble("timeout") for _ in range(TERMS.tries)]

    for _ in range(TERMS.tries - 1):
        with pytest.raises(ApplicationError, match="timeout"):
            await office.deliver(LETTER)
    with pytest.raises(ApplicationError, match="timeout") as raised:
        await office.deliver(LETTER)

    assert raised.value.non_retryable
    assert office.postbox.look_up(LETTER.id).state is NoticeState.FAILED
    failure = ReportNoticeFailure(fact_number=3, receiver="o-water-dept-head", channel=Channel.WEBHOOK, error="timeout")
    assert office.whistles.heard == {report_key(LETTER.id): (WHISTLE_ID, failure)}


async def test_a_dead_end_is_given_up_at_once(office: PostOffice) -> None:
    office.gateway.troubles = [trouble("http_404", is_dead_end=True)]

    with pytest.raises(ApplicationError, match="http_404") as raised:
        await office.deliver(LETTER)

    assert raised.value.non_retryable
    assert office.postbox.look_up(LETTER.id).error == "http_404"
    assert len(office.whistles.heard) == 1


async def test_without_an_address_a_letter_to_the_webhook_is_given_up(office: PostOffice) -> None:
    office.has_webhook = False

    with pytest.raises(ApplicationError, match="webhook_not_configured"):
        await office.deliver(LETTER)

    assert office.postbox.look_up(LETTER.id).state is NoticeState.FAILED


async def test_a_report_that_does_not_get_through_is_made_again_but_the_letter_is_not_carried(
    office: PostOffice,
) -> None:
    office.gateway.troubles = [trouble("http_404", is_dead_end=True)]
    office.whistles.is_out = True
    with pytest.raises(ConnectionError):
        await office.deliver(LETTER)

    office.whistles.is_out = False
    with pytest.raises(ApplicationError, match="http_404"):
        await office.deliver(LETTER)

    assert office.gateway.taken == []
    assert list(office.whistles.heard) == [report_key(LETTER.id)]


async def test_while_the_record_is_away_no_try_is_made_and_none_is_counted(office: PostOffice) -> None:
    file = office.directory / "whistle.db"
    office.database.close()
    file.rename(file.with_suffix(".away"))
    with pytest.raises(RecordAwayError):
        await office.deliver(LETTER)
    file.with_suffix(".away").rename(file)

    assert office.gateway.taken == []
    assert office.postbox.look_up(LETTER.id).attempts == 0


async def test_a_letter_that_the_record_does_not_have_is_not_asked_for_again(office: PostOffice) -> None:
    with pytest.raises(ApplicationError, match="UnknownLetter") as raised:
        await office.deliver(a_letter(77))

    assert raised.value.non_retryable


def test_the_tries_take_minutes_and_not_hours() -> None:
    terms = Terms()
    pauses = [min(terms.longest_pause, terms.first_pause * terms.factor**count) for count in range(terms.tries - 1)]

    assert timedelta(minutes=5) < sum(pauses, timedelta()) < timedelta(minutes=10)
    assert terms.retries.maximum_attempts == 0


def test_the_key_of_a_report_is_one_that_an_act_may_have() -> None:
    longest = a_letter()
    key = report_key(longest.id.replace("o-water-dept-head", "o-" + "x" * 58))

    act = Act.model_validate(
        {
            "key": key,
            "command": {"verb": "notice-failed", "fact_number": 1, "receiver": "o-x", "channel": "file", "error": "e"},
            "actor": None,
            "received_at": NOW,
        }
    )

    assert act.key == key
