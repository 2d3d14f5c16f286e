"""The one door through which command line, console, drills and tests reach a whistle.

An act is announced in the ledger, said to the run, and its facts are written into the record together with the
outcome of the attempt. Whatever dies on the way, nothing is lost and nothing doubled: the run has the act or has it
not, the key tells, and an attempt left pending is repaired by the worker's sweeper. With the database away the run
records by itself.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.database import Database, RecordAwayError
from activities.ledger import Ledger
from activities.queries import facts_of
from models.commands import Act, Actor, Command, Opening, Recorder
from models.decide import open_whistle
from models.facts import Fact
from models.recording import Attempt, Begun, RecordBatch
from models.refusals import Reason, RefusedError
from models.whistle import Whistle
from workflows.answers import brought_by, is_said, opened_by, refusal, require_fitting
from workflows.connection import TASK_QUEUE, EngineUnreachableError
from workflows.whistle import Start, WhistleWorkflow

# Longer than a restart of the worker takes, shorter than a person waits.
PATIENCE = timedelta(seconds=20)
# A registration takes some 60 ms on an idle machine (seconds).
LOOK_FIRST_AFTER, LOOK_AT_LEAST_EVERY, ASK_THE_RUN_AFTER = 0.04, 0.5, 5.0
OPENING_SOURCE = "opening.source"
T = TypeVar("T")


class OutcomeUnknownError(Exception):
    """Nobody answered in time: the act may have been taken. Saying it again under the same key is safe."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


class WhistleNotFoundError(Exception):
    """There is no such whistle."""

    def __init__(self, whistle_id: str) -> None:
        super().__init__(whistle_id)
        self.whistle_id = whistle_id


@dataclass(frozen=True)
class Done:
    """What an act brought. ``is_recorded`` is False while the record is away and will catch up."""

    whistle_id: str
    facts: tuple[Fact, ...]
    is_recorded: bool


class Door:
    """Says what people say, once. ``now`` stamps when the door had an act; a drill passes its own clock."""

    def __init__(
        self,
        temporal: Client,
        database: Database,
        now: Callable[[], datetime],
        *,
        name: str = "cli",
        patience: timedelta = PATIENCE,
    ) -> None:
        self._temporal = temporal
        self._database = database
        self._ledger = Ledger(database)
        self._now = now
        self._name = name
        self._patience = patience

    async def open(
        self,
        district: str,
        key: str,
        commands: Sequence[Command],
        actor: Actor,
        *,
        drill_offset: timedelta | None = None,
    ) -> Done:
        """Start the whistle that ``key`` names; the same key with the same content finds it again.

        Raises:
            RefusedError: if the rules say no, or the key was used for something else.
            EngineUnreachableError, OutcomeUnknownError: if nobody answered.
        """
        *before, last = commands
        received_at = self._now()
        acts = (
            *(Act(key=OPENING_SOURCE, command=x, actor=actor, received_at=received_at) for x in before),
            Act(key=key, command=last, actor=actor, received_at=received_at),
        )
        offset = None if drill_offset is None else drill_offset // timedelta(seconds=1)
        opening = Opening(district=district, key=key, acts=acts, drill_offset_seconds=offset)
        begun = await self._begin(opening.whistle_id, acts[-1])
        try:
            require_fitting(opening)
            open_whistle(opening, received_at)
            await self._start(opening)
            facts, is_recorded = await self._opened(opening, is_away=begun is None)
        except RefusedError as refused:
            await self._refuse(begun, refused)
            raise
        is_recorded = is_recorded and await self._complete(begun, opening.whistle_id, facts)
        return Done(opening.whistle_id, facts, is_recorded)

    async def act(self, whistle_id: str, command: Command, actor: Actor | None, key: str) -> Done:
        """Say ``command`` to a whistle; the same key with the same content gives the first answer again.

        Raises:
            RefusedError: if the rules say no, or the key was used for something else.
            WhistleNotFoundError: if there is no such whistle.
            EngineUnreachableError, OutcomeUnknownError: if nobody answered.
        """
        act = Act(key=key, command=command, actor=actor, received_at=self._now())
        begun = await self._begin(whistle_id, act)
        if begun is None:
            act = act.recorded_by(Recorder.RUN, through=0)
        else:
            act = act.recorded_by(Recorder.DOOR, through=begun.recorded_through)
        try:
            require_fitting(act)
            facts = await self._say(whistle_id, act)
        except RefusedError as refused:
            await self._refuse(begun, refused)
            raise
        is_recorded = await self._complete(begun, whistle_id, facts)
        return Done(whistle_id, facts, is_recorded)

    async def whistle(self, whistle_id: str) -> Whistle:
        """Return the state as the run has it.

        Raises:
            WhistleNotFoundError: if there is no such whistle.
            EngineUnreachableError: if no worker answers.
        """
        return await self._query(whistle_id, WhistleWorkflow.whistle)

    async def unrecorded(self, whistle_id: str) -> tuple[Fact, ...]:
        """Return the facts that the record may lack, from the run; raises what `whistle` raises."""
        return await self._query(whistle_id, WhistleWorkflow.unrecorded)

    async def _start(self, opening: Opening) -> None:
        start = self._temporal.start_workflow(
            WhistleWorkflow.run,
            Start(opening),
            id=opening.whistle_id,
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        try:
            await self._bounded(start, opening.key)
        except WorkflowAlreadyStartedError:
            # It has ended already; what it was is checked against the record like any repetition.
            return
        except RPCError as error:
            raise EngineUnreachableError(error.status.name) from error

    async def _opened(self, opening: Opening, *, is_away: bool) -> tuple[tuple[Fact, ...], bool]:
        """Return what the opening has brought, and whether the record has it; the run tells where the record does not.

        A record that somebody has locked still answers, so after a while its silence means that it is away.
        """
        waited, pause = 0.0, LOOK_FIRST_AFTER
        while not is_away and waited < ASK_THE_RUN_AFTER:
            await asyncio.sleep(pause)
            if facts := await self._recorded(opening.whistle_id):
                return opened_by(opening, facts), True
            waited, pause = waited + pause, min(pause * 1.5, LOOK_AT_LEAST_EVERY)
        try:
            if is_said(await self.whistle(opening.whistle_id), opening.acts[-1]):
                return opened_by(opening, await self.unrecorded(opening.whistle_id)), False
        except EngineUnreachableError as error:
            raise OutcomeUnknownError(opening.key) from error
        raise OutcomeUnknownError(opening.key)

    async def _say(self, whistle_id: str, act: Act) -> tuple[Fact, ...]:
        handle: WorkflowHandle[Any, Any] = self._temporal.get_workflow_handle(whistle_id)
        update = handle.execute_update(WhistleWorkflow.act, act, id=act.key)
        try:
            answer = await self._bounded(update, act.key)
        except WorkflowUpdateFailedError as error:
            raise refusal(error) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return await self._said_before(whistle_id, act)
            raise EngineUnreachableError(error.status.name) from error
        if answer.command_hash != act.command_hash:
            raise RefusedError(Reason.KEY_REUSED, key=act.key)
        if brought_by(act, answer.facts):
            return answer.facts
        # The run has continued as new since: it knows the key, the record what it brought.
        return (*brought_by(act, await self._recorded(whistle_id)), *answer.facts)

    async def _said_before(self, whistle_id: str, act: Act) -> tuple[Fact, ...]:
        """Return what the act brought before the whistle ended; refuse it if it comes only now."""
        ended = await self.whistle(whistle_id)
        if not is_said(ended, act):
            raise RefusedError(Reason.NOT_IN_STATE, state=ended.state)
        return brought_by(act, await self._recorded(whistle_id))

    async def _query(self, whistle_id: str, question: Callable[[WhistleWorkflow], T]) -> T:
        handle: WorkflowHandle[Any, Any] = self._temporal.get_workflow_handle(whistle_id)
        try:
            return await handle.query(question, rpc_timeout=self._patience)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise WhistleNotFoundError(whistle_id) from error
            raise EngineUnreachableError(error.status.name) from error
        except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            raise EngineUnreachableError(type(error).__name__) from error

    async def _bounded(self, call: Coroutine[Any, Any, T], key: str) -> T:
        try:
            return await asyncio.wait_for(call, self._patience.total_seconds())
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
            raise OutcomeUnknownError(key) from error

    async def _begin(self, whistle_id: str, act: Act) -> Begun | None:
        """Announce the act; None if the record is away, and then the run writes the facts down itself."""
        actor = act.actor
        attempt = Attempt(
            at=act.received_at,
            verb=act.command.verb,
            door=self._name,
            officer=actor.officer if actor else None,
            unit=actor.unit if actor else None,
            capacity=actor.capacity if actor else None,
            whistle_id=whistle_id,
            key=act.key,
            command_hash=act.command_hash,
        )
        try:
            return await asyncio.to_thread(self._ledger.begin, attempt)
        except RecordAwayError:
            return None

    async def _recorded(self, whistle_id: str) -> tuple[Fact, ...]:
        """Return the facts that the record has; none while it is away."""
        try:
            return await asyncio.to_thread(self._read_facts, whistle_id)
        except RecordAwayError:
            return ()

    def _read_facts(self, whistle_id: str) -> tuple[Fact, ...]:
        with self._database.reading() as session:
            return facts_of(session, whistle_id)

    async def _complete(self, begun: Begun | None, whistle_id: str, facts: tuple[Fact, ...]) -> bool:
        """Write what the act brought; if the record has gone away since, the sweeper finds the attempt pending."""
        if begun is None:
            return False
        batch = RecordBatch(whistle_id=whistle_id, facts=facts)
        try:
            await asyncio.to_thread(self._ledger.complete, begun.attempt_id, batch, self._now())
        except RecordAwayError:
            return False
        return True

    async def _refuse(self, begun: Begun | None, refused: RefusedError) -> None:
        if begun is None:
            return
        with suppress(RecordAwayError):
            await asyncio.to_thread(
                self._ledger.refuse, begun.attempt_id, refused.reason, refused.parameters, self._now()
            )
