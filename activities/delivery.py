"""Delivers a letter with patience: once for each try of a standalone activity, whose id is the letter's.

A letter is tried a bounded number of times, and the record counts the tries. What stands in the way of counting (the
record or the engine is away) is waited for without end, for it says nothing about the receiver.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from temporalio import activity
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.notice_file import NoticeFile, error_code
from activities.postbox import Postbox, Posted, UnknownLetterError
from activities.webhook import UndeliveredError
from models.canonical import digest
from models.commands import ReportNoticeFailure
from models.notices import Letter, NoticeState
from models.organisation import Channel

UNDELIVERED = "Undelivered"
GIVEN_UP = "GivenUp"
UNKNOWN_LETTER = "UnknownLetter"

_KEY_DIGITS = 32


@dataclass(frozen=True)
class Terms:
    """How often a letter is tried, and at which distance.

    Eight tries within about six minutes: long enough for a gateway to be restarted, short enough that an emergency
    whistle hears of a failure while somebody can still pick up a telephone (its first ladder takes fifteen minutes).
    The first pause is short because most trouble is a hiccup; the factor spares a gateway that is coming up; the
    longest pause also says how soon after an outage of the record letters go out again.
    A try takes three seconds for the receiver, and some more where the record or the run answers slowly; a worker that
    was killed in the middle of one is replaced after ``per_try``. A start that takes longer than ``per_start`` means
    that Temporal is away.
    """

    tries: int = 8
    first_pause: timedelta = timedelta(seconds=1)
    factor: float = 3.0
    longest_pause: timedelta = timedelta(minutes=2)
    per_try: timedelta = timedelta(seconds=20)
    per_start: timedelta = timedelta(seconds=5)

    @property
    def retries(self) -> RetryPolicy:
        """What Temporal is told: try without end, for the end of trying is decided by the record's count."""
        return RetryPolicy(
            initial_interval=self.first_pause,
            backoff_coefficient=self.factor,
            maximum_interval=self.longest_pause,
        )


class Posting(Protocol):
    """The webhook, or what stands in for it."""

    async def post(self, letter: Letter) -> None:
        """Post a letter, or raise `UndeliveredError`."""


# Tells a whistle that a notice was given up, under a key; returns also if the whistle refuses to hear it.
Report = Callable[[str, ReportNoticeFailure, str], Awaitable[None]]


@dataclass(frozen=True)
class Channels:
    """The ways out. ``webhook`` is None where no address is configured: its letters are given up at once."""

    file: NoticeFile
    webhook: Posting | None

    async def carry(self, letter: Letter) -> None:
        """Bring ``letter`` to its receiver.

        Raises:
            UndeliveredError: if that did not work.
        """
        match letter.channel:
            case Channel.FILE:
                try:
                    await asyncio.to_thread(self.file.append, [letter])
                except OSError as error:
                    raise UndeliveredError(error_code(error), is_dead_end=False) from error
            case Channel.WEBHOOK:
                if self.webhook is None:
                    raise UndeliveredError("webhook_not_configured", is_dead_end=True)
                await self.webhook.post(letter)


class DeliveryActivities:
    """Carries letters, one at a time and with patience."""

    def __init__(
        self, postbox: Postbox, channels: Channels, report: Report, now: Callable[[], datetime], terms: Terms
    ) -> None:
        self._postbox = postbox
        self._channels = channels
        self._report = report
        self._now = now
        self._terms = terms

    @activity.defn
    async def deliver(self, letter_id: str) -> None:
        """Carry a letter to its receiver, or give it up and tell its whistle so.

        Safe to run twice: one that has arrived is left alone, and the receiver knows a repetition by its id. The report
        of a failure has a key of its own that follows from the letter's id.

        Raises:
            ApplicationError: of type ``Undelivered`` after a try in vain, to be called again; of type ``GivenUp``,
                not retried, after the last; of type ``UnknownLetter``, not retried, if the record has no such letter.
        """
        try:
            posted = await asyncio.to_thread(self._postbox.look_up, letter_id)
        except UnknownLetterError as unknown:
            raise _ended(UNKNOWN_LETTER, UNKNOWN_LETTER) from unknown
        if posted.state is NoticeState.SENT:
            return
        # A letter that was given up already comes back only because the report of that did not get through.
        error = posted.error if posted.state is NoticeState.FAILED else await self._try(posted)
        if error is None:
            return
        await self._report(posted.letter.whistle_id, failure_of(posted.letter, error), report_key(letter_id))
        raise _ended(GIVEN_UP, error)

    async def _try(self, posted: Posted) -> str | None:
        """Return None if the letter has arrived, or why it is given up."""
        letter = posted.letter
        try:
            await self._channels.carry(letter)
        except UndeliveredError as trouble:
            if not trouble.is_dead_end and posted.attempts + 1 < self._terms.tries:
                await asyncio.to_thread(self._postbox.mark_trouble, letter.id, trouble.code)
                raise _to_be_repeated(trouble.code) from trouble
            await asyncio.to_thread(self._postbox.mark_failed, letter.id, trouble.code)
            return trouble.code
        await asyncio.to_thread(self._postbox.mark_sent, [letter.id], self._now())
        return None


def failure_of(letter: Letter, error: str) -> ReportNoticeFailure:
    """Return the command that tells a whistle that ``letter`` was given up."""
    return ReportNoticeFailure(
        fact_number=letter.notice.fact_number,
        receiver=letter.notice.receiver,
        channel=letter.channel,
        error=error,
    )


def report_key(letter_id: str) -> str:
    """Return the key under which the failure of a letter is reported: the same whenever it is."""
    return f"notice-failed.{digest(letter_id)[:_KEY_DIGITS]}"


def _to_be_repeated(error: str) -> ApplicationError:
    # Benign: receivers that are away are in the record, and not worth a line in the log for each try.
    return ApplicationError(error, type=UNDELIVERED, category=ApplicationErrorCategory.BENIGN)


def _ended(kind: str, error: str) -> ApplicationError:
    return ApplicationError(error, type=kind, non_retryable=True, category=ApplicationErrorCategory.BENIGN)
