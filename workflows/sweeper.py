"""Settles attempts whose door died between the act and the record.

The run knows what became of them: an act that it has taken is marked under its key, and the facts that the record may
lack it still holds. An act that is nowhere was never taken; that is only said when no door can still be at it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from activities.ledger import Ledger
from activities.record import RecordConflictError
from models.facts import Fact
from models.recording import Attempt, PendingAttempt, RecordBatch, UnknownDistrictError
from workflows.client import PATIENCE, Door, WhistleNotFoundError
from workflows.connection import EngineUnreachableError

# So many runs in a row that do not answer mean that none does. One alone may be stuck.
_SILENT_RUNS = 3

_log = structlog.get_logger()


@dataclass(frozen=True)
class SweepTerms:
    """When an attempt is looked after.

    After ``settle_after`` a living door would have settled it. A door that gets no answer may say the same act again
    for as long as its patience lasts, so only after ``give_up_after`` is an act that is nowhere called never taken.
    """

    every: timedelta = timedelta(seconds=5)
    settle_after: timedelta = timedelta(seconds=10)
    give_up_after: timedelta = PATIENCE * 3


class Sweeper:
    """Looks after the attempts of one record. Several may: settling twice is settling once."""

    def __init__(self, door: Door, ledger: Ledger, now: Callable[[], datetime], terms: SweepTerms) -> None:
        self._door = door
        self._ledger = ledger
        self._now = now
        self._terms = terms
        self._troubled: set[str] = set()

    async def round(self) -> None:
        """Settle what can be settled. An attempt that cannot does not stand in the way of the others.

        Raises:
            RecordAwayError: if the record is away.
            EngineUnreachableError: if no run answers.
        """
        pending = await asyncio.to_thread(self._ledger.pending, self._now() - self._terms.settle_after)
        self._troubled &= {each.attempt_id for each in pending}
        silent = 0
        # Those that made trouble before come last.
        for each in sorted(pending, key=lambda each: each.attempt_id in self._troubled):
            try:
                await self._settle(each)
            except EngineUnreachableError as error:
                self._name(each, error)
                silent += 1
                if silent == _SILENT_RUNS:
                    raise
            except (RecordConflictError, UnknownDistrictError) as error:
                self._name(each, error)
            else:
                silent = 0

    async def _settle(self, pending: PendingAttempt) -> None:
        now, attempt = self._now(), pending.attempt
        facts = await self._facts_after(attempt)
        if facts is not None and attempt.whistle_id is not None:
            batch = RecordBatch(whistle_id=attempt.whistle_id, facts=facts)
            await asyncio.to_thread(self._ledger.complete, pending.attempt_id, batch, now)
        elif attempt.at <= now - self._terms.give_up_after:
            await asyncio.to_thread(self._ledger.abandon, pending.attempt_id, now)

    async def _facts_after(self, attempt: Attempt) -> tuple[Fact, ...] | None:
        """Return what the record may lack of a run that has taken the act, or None if it has not."""
        if attempt.whistle_id is None:
            return None
        try:
            whistle = await self._door.whistle(attempt.whistle_id)
            if not any((x.key, x.command_hash) == (attempt.key, attempt.command_hash) for x in whistle.marks):
                return None
            # Asked after the state, so that everything in the state is here or in the record.
            return await self._door.unrecorded(attempt.whistle_id)
        except WhistleNotFoundError:
            return None

    def _name(self, pending: PendingAttempt, error: Exception) -> None:
        """Say once in the log that an attempt cannot be settled."""
        if pending.attempt_id not in self._troubled:
            self._troubled.add(pending.attempt_id)
            workflow_id = pending.attempt.whistle_id
            _log.warning("attempt_not_settled", workflow_id=workflow_id, reason=type(error).__name__)
