"""Takes waiting letters from the record and sees to it that each is delivered.

A letter with a receiver that may be away is handed to Temporal as a standalone activity, whose id is the letter's:
started first and marked afterwards, so that a crash in between starts it again, which Temporal then refuses. It costs
the server some 20 ms of work (measured: 60 to 70 a second, two cores), about as much as two acts of a whistle. Letters
to the file are therefore not sent that way, but written down in bulk by the postman himself; only what does not get
into the file becomes an activity.

What is taken and then forgotten, by a worker that was killed or by a Temporal whose database was lost, is started again
a while later.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

import structlog
from temporalio.client import Client
from temporalio.common import (
    ActivityIDConflictPolicy,
    ActivityIDReusePolicy,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ActivityAlreadyStartedError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.delivery import DeliveryActivities, Terms
from activities.notice_file import NoticeFile, error_code
from activities.postbox import THE_FIRST, Postbox, Waiting
from models.organisation import Channel
from workflows.connection import TASK_QUEUE
from workflows.letter import NOTICE_QUEUE, LetterWorkflow

LOOK_EVERY = timedelta(seconds=1)
# Longer than any step between taking a letter and marking it takes.
LOST_AFTER = timedelta(minutes=1)

_BATCH = 100
# After so many batches the pauses and the search for lost letters get their turn; the next round goes on from there.
_BATCHES_A_ROUND = 20
# More at once brought no more a second.
_STARTS_AT_ONCE = 20
_AWAY = frozenset(
    {
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
        RPCStatusCode.RESOURCE_EXHAUSTED,
        RPCStatusCode.CANCELLED,
    }
)

_log = structlog.get_logger()


class Postman:
    """Walks through the letters of one record. Several may: each letter goes out once."""

    def __init__(
        self, client: Client, postbox: Postbox, file: NoticeFile, now: Callable[[], datetime], terms: Terms
    ) -> None:
        self._client = client
        self._postbox = postbox
        self._file = file
        self._now = now
        self._terms = terms
        self._place = THE_FIRST
        self._under_way: frozenset[str] = frozenset()
        self._knows_standalone = True
        self._looked_at: float | None = None

    async def round(self) -> None:
        """See to the letters that wait, and from time to time to those that were lost.

        Raises:
            RecordAwayError: if the record is away; what was taken before is under way.
            RPCError: if letters could not be started; they still wait.
        """
        await self._see_to_waiting()
        now = asyncio.get_running_loop().time()
        if self._looked_at is None or now - self._looked_at >= LOST_AFTER.total_seconds():
            self._looked_at = now
            await self.restart_lost()

    async def restart_lost(self) -> None:
        """Start what was under way at the last look already. What still runs stays as it is."""
        oldest = await asyncio.to_thread(self._postbox.under_way, THE_FIRST, _BATCH)
        under_way = frozenset(letter.id for letter in oldest)
        lost, self._under_way = sorted(under_way & self._under_way), under_way
        _, failure = await self.start(lost)
        if failure:
            raise failure

    async def start(self, letter_ids: Sequence[str]) -> tuple[list[str], RPCError | None]:
        """Start letters and return those that run now or have run before, and why the others do not."""
        started: list[str] = []
        failure: RPCError | None = None
        for first in range(0, len(letter_ids), _STARTS_AT_ONCE):
            some = letter_ids[first : first + _STARTS_AT_ONCE]
            outcomes = await asyncio.gather(*(self._start_one(letter_id) for letter_id in some))
            started += [letter_id for letter_id, error in zip(some, outcomes, strict=True) if error is None]
            failure = next((error for error in outcomes if error), failure)
            if failure and failure.status in _AWAY:
                break
        return started, failure

    async def _see_to_waiting(self) -> None:
        failure: RPCError | None = None
        for _ in range(_BATCHES_A_ROUND):
            batch = await asyncio.to_thread(self._postbox.waiting, self._place, _BATCH)
            failure = await self._see_to(batch) or failure
            is_last = len(batch) < _BATCH
            self._place = THE_FIRST if is_last else batch[-1]
            if is_last or (failure and failure.status in _AWAY):
                break
        if failure:
            raise failure

    async def _see_to(self, batch: Sequence[Waiting]) -> RPCError | None:
        """Send off a batch; return why some of it was not, if so."""
        for_file = [letter.id for letter in batch if letter.channel is Channel.FILE]
        unwritten = await asyncio.to_thread(self._write_down, for_file) if for_file else ()
        started, failure = await self.start([*unwritten, *(x.id for x in batch if x.channel is not Channel.FILE)])
        if started:
            await asyncio.to_thread(self._postbox.mark_dispatched, started)
        return failure

    def _write_down(self, letter_ids: Collection[str]) -> tuple[str, ...]:
        """Write letters to the file and return those that need patience. In one thread: nothing cuts it short."""
        letters = self._postbox.take(letter_ids)
        if not letters:
            return ()
        taken = tuple(letter.id for letter in letters)
        try:
            self._file.append(letters)
        except OSError as error:
            _log.warning("notices_not_written", reason=error_code(error), count=len(taken))
            return taken
        self._postbox.mark_sent(taken, self._now())
        return ()

    async def _start_one(self, letter_id: str) -> RPCError | None:
        """Start a letter unless it runs or has arrived; one that was given up starts anew."""
        try:
            if self._knows_standalone:
                try:
                    await self._start_activity(letter_id)
                except RPCError as error:
                    if error.status is not RPCStatusCode.UNIMPLEMENTED:
                        raise
                    self._knows_standalone = False
            if not self._knows_standalone:
                await self._start_workflow(letter_id)
        except (ActivityAlreadyStartedError, WorkflowAlreadyStartedError):
            return None
        except RPCError as error:
            return error
        return None

    async def _start_activity(self, letter_id: str) -> None:
        await self._client.start_activity_method(
            DeliveryActivities.deliver,
            letter_id,
            id=letter_id,
            task_queue=NOTICE_QUEUE,
            start_to_close_timeout=self._terms.per_try,
            retry_policy=self._terms.retries,
            id_reuse_policy=ActivityIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING,
            rpc_timeout=self._terms.per_start,
        )

    async def _start_workflow(self, letter_id: str) -> None:
        await self._client.start_workflow(
            LetterWorkflow.run,
            args=[letter_id, self._terms],
            id=letter_id,
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            rpc_timeout=self._terms.per_start,
        )
