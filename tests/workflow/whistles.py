"""Plays whistles on the throwaway server: a record, a door for each whistle, and a worker while a test wants one.

    async with rehearsal.worker():
        played = await rehearsal.blow(a_source(), a_blow())
        await played.reach(minutes(4))
        await played.say(Acknowledge(unit=LEAD))
    assert (await played.settled()).state is WhistleState.SOUNDED

They are drills that start at 02:10 on a Sunday, whatever day it is, unless they are said to start now, for real. Each
has its own clock, which its door goes by.
"""

import asyncio
import math
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from activities.database import Database, RecordAwayError
from activities.keys import VARIABLE
from activities.queries import UnknownWhistleError, facts_of, find_whistle
from models.commands import Actor, Command
from models.facts import Fact
from models.policy import Phase, Stage
from models.recording import Purpose
from models.refusals import RefusedError
from models.tables import DistrictRow
from models.whistle import Whistle
from tests.small_district import SUNDAY_0210, actor_for
from workflows.audit import Finding, audit
from workflows.client import PATIENCE, Done, Door
from workflows.running import WorkerPlan, worker_running
from workflows.sweeper import SweepTerms
from workflows.virtual_clock import VirtualClock
from workflows.whistle import Ending, WhistleWorkflow

ROOT = Path(__file__).parents[2]
DISTRICT = "jinfeng"
# Nothing takes as long unless it is broken.
BROKEN_AFTER = 30.0
# A timer is armed when a task ends, and fires as much later as the task took: seconds at worst.
LATE = timedelta(seconds=10)
# By today's clock everything that is tried in a drill was tried long ago, so a sweeper would come too soon.
NO_SWEEPS = SweepTerms(settle_after=timedelta(days=10000), give_up_after=timedelta(days=10000))
_SECOND = timedelta(seconds=1)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return once ``condition`` holds: for what processes do by themselves, never for a limit."""
    async with asyncio.timeout(BROKEN_AFTER):
        while not await condition():  # noqa: ASYNC110 - other processes send no events
            await asyncio.sleep(0.02)


def new_record(file: Path) -> Database:
    """Return an empty record in ``file`` with the tables of this version."""
    database = Database.open(f"sqlite:///{file}")
    database.migrate()
    return database


def install_district(database: Database, purpose: Purpose = Purpose.DRILL) -> None:
    """Put the district into the record, without its people: acts carry theirs."""
    with database.writing() as session:
        session.add(
            DistrictRow(
                code=DISTRICT,
                name_zh="金凤区",
                name_en="Jinfeng",
                zone="Asia/Shanghai",
                purpose=purpose,
                phase=Phase.NORMAL,
                policy_version="test-1",
                calendar_version="test-cal-1",
                duties_version="test-1",
            )
        )


@dataclass
class Rehearsal:
    """One record and the whistles that are played into it."""

    client: Client
    database: Database
    notices_file: Path
    patience: timedelta = PATIENCE
    played: "list[Played]" = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock(self.client)
        self.tag = uuid4().hex[:8]

    @asynccontextmanager
    async def worker(self, *, cached: int = 1000, sweeps: SweepTerms | None = None) -> AsyncIterator[None]:
        """Run a worker, put together as the real one."""
        plan = WorkerPlan(self.notices_file, cached_runs=cached, sweeps=sweeps or NO_SWEEPS)
        async with worker_running(self.client, self.database, plan, lambda: datetime.now(UTC)):
            yield

    def whistle(self, starts_at: datetime | None = SUNDAY_0210) -> "Played":
        """Return a whistle that nobody has blown yet; without ``starts_at`` it is a real one."""
        self.played.append(Played(self, f"{self.tag}.{len(self.played) + 1}", starts_at))
        return self.played[-1]

    async def blow(
        self, *commands: Command, by: Actor | None = None, starts_at: datetime | None = SUNDAY_0210
    ) -> "Played":
        """Return a whistle that has been opened with ``commands``."""
        played = self.whistle(starts_at)
        await played.open(*commands, by=by)
        return played

    async def end(self) -> None:
        """End what is still open, so that it meets no other test's worker."""
        for played in self.played:
            try:
                await played.handle.terminate()
            except RPCError:
                continue


@dataclass
class Played:
    """One whistle and everybody who acts on it. Times are counted from its start."""

    rehearsal: Rehearsal
    key: str
    starts_at: datetime | None

    def __post_init__(self) -> None:
        rehearsal = self.rehearsal
        self.started_at = self.starts_at or datetime.now(UTC)
        # A start a second too early would be on Saturday.
        ahead = math.ceil((self.started_at - datetime.now(UTC)) / _SECOND)
        self.offset = _SECOND * (ahead if self.starts_at else 0)
        self.id = f"whistle/{DISTRICT}/{self.key}"
        self.handle: WorkflowHandle[WhistleWorkflow, Ending] = rehearsal.client.get_workflow_handle_for(
            WhistleWorkflow.run, self.id
        )
        self.door_time = self.started_at
        self.door = Door(
            rehearsal.client, rehearsal.database, lambda: self.door_time, name="test", patience=rehearsal.patience
        )
        self._keys = count(1)

    async def open(self, *commands: Command, by: Actor | None = None) -> Done:
        """Blow it, or only bring the source."""
        actor = by or actor_for(commands[-1])
        drill_offset = self.offset if self.starts_at else None
        done = await self.door.open(DISTRICT, self.key, commands, actor, drill_offset=drill_offset)
        self.started_at = done.facts[0].at
        return done

    async def say(
        self, command: Command, *, by: Actor | None = None, key: str | None = None, at: datetime | None = None
    ) -> Done:
        """Say something now; ``at`` is when the door had it, if that was earlier."""
        self.door_time = at or await self.now()
        return await self.door.act(self.id, command, by or actor_for(command), key or self.next_key())

    async def refusal(self, command: Command, *, by: Actor | None = None, key: str | None = None) -> RefusedError:
        """Say something that is refused, and return the refusal."""
        with pytest.raises(RefusedError) as refused:
            await self.say(command, by=by, key=key)
        return refused.value

    def next_key(self) -> str:
        """Return a key that nobody has used on this whistle."""
        return f"k{next(self._keys)}"

    async def now(self) -> datetime:
        """Return what the whistle's own clock shows."""
        return await self.rehearsal.clock.now(self.handle) + self.offset

    async def reach(self, after: timedelta) -> None:
        """Let time pass until ``after`` the start."""
        await self.reach_instant(self.started_at + after)

    async def reach_instant(self, instant: datetime) -> None:
        """Let time pass until ``instant``, with everything that falls due on the way."""
        await self.rehearsal.clock.advance_to(self.handle, instant - self.offset)

    async def pass_limit(self, owner: str, stage: Stage, about: str = "") -> datetime:
        """Let time pass until a limit has passed and the engine has noticed, and return its instant."""
        due_at = await self.due(owner, stage, about)
        await self.reach_instant(due_at + LATE)
        return due_at

    async def due(self, owner: str, stage: Stage, about: str = "") -> datetime:
        """Return the instant of a limit."""
        limit = (await self.state()).limit(owner, stage, about)
        assert limit
        return limit.due_at

    async def state(self) -> Whistle:
        """Return the state as the run has it."""
        return await self.door.whistle(self.id)

    def recorded(self) -> Whistle | None:
        """Return the state as SQL has it, or None if there is nothing yet."""
        with self.rehearsal.database.reading() as session:
            try:
                return find_whistle(session, self.id).whistle
            except UnknownWhistleError:
                return None

    def facts(self) -> tuple[Fact, ...]:
        """Return the facts as SQL has them."""
        with self.rehearsal.database.reading() as session:
            return facts_of(session, self.id)

    async def settled(self) -> Whistle:
        """Return the state as SQL has it, once it has all that the run has."""

        async def has_all() -> bool:
            known = await self.state()
            try:
                recorded = await asyncio.to_thread(self.recorded)
            except RecordAwayError:
                return False
            return recorded is not None and recorded.number >= known.number

        await eventually(has_all)
        recorded = self.recorded()
        assert recorded
        return recorded

    async def audit(self) -> Finding:
        """Return what an audit finds."""
        return await audit(self.rehearsal.client, self.rehearsal.database, self.id)


@asynccontextmanager
async def rehearsing(client: Client, template: Path, directory: Path, **settings: Any) -> AsyncIterator[Rehearsal]:
    """Give a rehearsal whose record is a copy of ``template``."""
    database = Database.open(f"sqlite:///{shutil.copy(template, directory / 'whistle.db')}")
    rehearsal = Rehearsal(client, database, directory / "notices.log", **settings)
    try:
        yield rehearsal
    finally:
        await rehearsal.end()
        database.close()


@asynccontextmanager
async def worker_process(rehearsal: Rehearsal, address: str, keys: str, *more: str) -> AsyncIterator[Path]:
    """Run the real worker as a process of its own, end it with SIGKILL, and give its log."""
    directory = rehearsal.notices_file.parent
    log = directory / "worker.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "worker", "--home", str(directory / "home"), "--address", address),
            *("--database", f"sqlite:///{directory / 'whistle.db'}", *more),
            stdout=output,
            stderr=output,
            cwd=ROOT,
            env=os.environ | {VARIABLE: keys},
        )
    try:
        yield log
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@contextmanager
def locked(rehearsal: Rehearsal) -> Iterator[None]:
    """Somebody holds the record's write lock."""
    connection = sqlite3.connect(rehearsal.notices_file.with_name("whistle.db"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()
