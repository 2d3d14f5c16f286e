"""Goes round after round beside a worker, whatever is away meanwhile.

An outage of the record or the engine is named once in the log, and once when it is over; the pauses between grow. A bug
is not an outage: it ends the rounds and with them the worker, for somebody to see.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from temporalio.service import RPCError

from activities.database import RecordAwayError, RecordNotReadyError
from workflows.connection import EngineUnreachableError

AWAY = (RecordAwayError, RecordNotReadyError, EngineUnreachableError, RPCError)

# Whoever waits for a notice after an outage waits this much longer at most.
LONGEST_PAUSE = timedelta(seconds=30)

_log = structlog.get_logger()


class Rounds:
    """Does ``go`` again and again, with a pause of ``every`` between, until it is cancelled."""

    def __init__(self, part: str, go: Callable[[], Awaitable[None]], every: timedelta) -> None:
        self._part = part
        self._go = go
        self._every = every
        self._poked = asyncio.Event()
        self._failures = 0

    def poke(self) -> None:
        """Cut the pause short: there is something to do."""
        self._poked.set()

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            self._poked.clear()
            try:
                await self._go()
            except AWAY as trouble:
                self._note(trouble)
            else:
                self._note(None)
            await self._pause()

    def _note(self, trouble: Exception | None) -> None:
        if trouble and not self._failures:
            _log.warning("rounds_interrupted", part=self._part, reason=_code(trouble))
        if not trouble and self._failures:
            _log.info("rounds_resumed", part=self._part, count=self._failures)
        self._failures = self._failures + 1 if trouble else 0

    async def _pause(self) -> None:
        # The exponent is bounded so that a long outage cannot make a number too large to multiply with.
        pause = min(self._every * 2 ** min(self._failures, 10), max(LONGEST_PAUSE, self._every))
        try:
            async with asyncio.timeout(pause.total_seconds()):
                await self._poked.wait()
        except TimeoutError:
            return


def _code(trouble: Exception) -> str:
    return f"RPCError.{trouble.status.name}" if isinstance(trouble, RPCError) else type(trouble).__name__
