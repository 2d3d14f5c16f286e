"""What goes on in the background goes on, whatever is away meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from structlog.testing import capture_logs
from temporalio.service import RPCError, RPCStatusCode

from activities.database import RecordAwayError
from workflows.rounds import Rounds

SOON = timedelta(milliseconds=1)
NEVER = timedelta(hours=1)


class Beat:
    """Meets ``troubles``, one on each round, and then walks on in peace."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.walked = 0
        self.changed = asyncio.Event()

    async def walk(self) -> None:
        """Go one round."""
        self.walked += 1
        self.changed.set()
        if self.troubles:
            raise self.troubles.pop(0)

    async def until(self, walked: int) -> None:
        """Return after so many rounds."""
        async with asyncio.timeout(5):
            while self.walked < walked:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def going(go: Callable[[], Awaitable[None]], every: timedelta) -> AsyncIterator[Rounds]:
    rounds = Rounds("beat", go, every)
    task = asyncio.create_task(rounds.run())
    yield rounds
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def test_an_outage_is_named_once_and_once_when_it_is_over() -> None:
    away = RPCError("secret text", RPCStatusCode.UNAVAILABLE, b"")
    beat = Beat(RecordAwayError("secret text"), away, away)

    with capture_logs() as lines:
        async with going(beat.walk, SOON):
            await beat.until(6)

    assert lines == [
        {"event": "rounds_interrupted", "log_level": "warning", "part": "beat", "reason": "RecordAwayError"},
        {"event": "rounds_resumed", "log_level": "info", "part": "beat", "count": 3},
    ]


async def test_a_second_outage_is_named_again() -> None:
    beat = Beat(RecordAwayError())

    with capture_logs() as lines:
        async with going(beat.walk, SOON):
            await beat.until(3)
            beat.troubles.append(RecordAwayError())
            await beat.until(beat.walked + 3)

    assert [line["event"] for line in lines] == ["rounds_interrupted", "rounds_resumed"] * 2


async def test_a_poke_cuts_the_pause_short() -> None:
    beat = Beat()

    async with going(beat.walk, NEVER) as rounds:
        await beat.until(1)
        rounds.poke()
        await beat.until(2)

    assert beat.walked == 2


async def test_a_bug_is_not_an_outage() -> None:
    with pytest.raises(ZeroDivisionError):
        await Rounds("beat", Beat(ZeroDivisionError()).walk, SOON).run()


async def test_being_cancelled_ends_the_rounds_at_once() -> None:
    beat = Beat()
    task = asyncio.create_task(Rounds("beat", beat.walk, NEVER).run())
    await beat.until(1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
