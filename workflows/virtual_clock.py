"""Makes days pass in milliseconds for the runs of a throwaway server, by the server's own time skipping.

Each run has its own clock there; between two skips it goes on at the pace of ours. The feature is
experimental, and nothing outside this module touches it.

The SDK's `TimeSkipper.fast_forward` is not used, for in server 1.32 a skip that has a timer close to it goes
wrong in two ways, both seen here. A timer that is due but has not fired yet is ignored by the next skip and
then fires hours late; and a skip whose goal has come by itself before the server gets to it runs on to the
next timer. So this clock goes from timer to timer: it asks for one bounded skip at a time, never with a timer
due, never for less than a second, and never while the run is busy. It also keeps clear of the server's limit
of skips in one request (200 by default), at which time quietly goes back to its real pace.
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.common.v1 import TimeSkippingConfig
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeWorkflowExecutionResponse,
    GetWorkflowExecutionHistoryRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

Handle = TypeVar("Handle", bound=WorkflowHandle[Any, Any])

# A run that is busy delays a skip; what is shorter than this is therefore waited for instead.
SHORTEST_SKIP = timedelta(seconds=1)
# A timer this near may come due while the request for a skip travels.
_NEAR = timedelta(milliseconds=100)
_RUNNING = WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
_EPOCH = datetime.fromtimestamp(0, UTC)
_LOOK_AGAIN_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.08)
# Some 30 s: nothing that a run does takes so long, so its worker is gone or its task fails again and again.
_LOOKS_AT_MOST = 400


class ClockError(Exception):
    """The clock of a run cannot be moved as asked."""


class VirtualClock:
    """Moves the clocks of the runs it tracks; each keeps its own, a little apart from the others.

    Needs a throwaway server: any other refuses with `RPCError` ``UNIMPLEMENTED``. A run without a worker
    can be moved to its next timer, and no further. One clock at a time may move a run.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._tracked: dict[str, _Watch] = {}

    def track(self, handle: Handle) -> Handle:
        """Let ``handle`` take part in `advance` until its run closes."""
        self._watch(handle)
        return handle

    async def now(self, handle: WorkflowHandle[Any, Any]) -> datetime:
        """Return the time that the server has for the run."""
        return _clock(await _describe(handle))

    async def advance(self, duration: timedelta) -> None:
        """Let ``duration`` pass for every tracked run at once; runs that close meanwhile drop out."""
        watches = list(self._tracked.values())
        await asyncio.gather(*(self._pass(watch, duration) for watch in watches))

    async def advance_to(self, handle: WorkflowHandle[Any, Any], instant: datetime) -> bool:
        """Move a run to ``instant``, or leave it if it is there; return False if the run closes before.

        Every timer up to and including ``instant`` has fired then; what the run makes of it is there for
        the next query or update to see. The clock ends some milliseconds later, never before.

        Raises:
            ClockError: if the run stays busy, or went past ``instant`` by more than reality explains.
        """
        watch = self._watch(handle)
        alive = await watch.reach(self._client, instant)
        if not alive:
            self._tracked.pop(handle.id, None)
        return alive

    async def _pass(self, watch: "_Watch", duration: timedelta) -> None:
        await self.advance_to(watch.handle, await self.now(watch.handle) + duration)

    def _watch(self, handle: WorkflowHandle[Any, Any]) -> "_Watch":
        return self._tracked.setdefault(handle.id, _Watch(handle))


@dataclass
class _Watch:
    """What the history of one run says of its timers, read as far as it went at the last look."""

    handle: WorkflowHandle[Any, Any]
    run_id: str = ""
    seen: int = 0
    page: bytes = b""
    due: dict[str, datetime] = field(default_factory=dict)

    async def reach(self, client: Client, instant: datetime) -> bool:
        """Go from timer to timer up to ``instant``; return False if the run closes before."""
        skipped_at = None
        looks = 0
        while True:
            described = await _describe(self.handle)
            if described.workflow_execution_info.status != _RUNNING:
                return False
            await self._read_on(client, described)
            now, left = _clock(described), instant - _clock(described)
            if left <= timedelta(0) and not self._wakes_by(described, now):
                if skipped_at is not None:
                    self._refuse_overshoot(-left, asyncio.get_running_loop().time() - skipped_at)
                if not _is_armed(described):
                    return True
                await _set_skipping(client, described, TimeSkippingConfig())
            elif _is_busy(described) or left < SHORTEST_SKIP or self._wakes_by(described, now + _NEAR):
                await self._wait(looks)
                looks += 1
            else:
                skipped_at = asyncio.get_running_loop().time()
                await _skip_once(client, described, left)
                looks = 0

    async def _read_on(self, client: Client, described: DescribeWorkflowExecutionResponse) -> None:
        """Take in the events since the last look; the server's page token remembers where that was."""
        told = described.workflow_execution_info
        if told.execution.run_id != self.run_id:
            self.run_id, self.seen, self.page, self.due = told.execution.run_id, 0, b"", {}
        while self.seen < told.history_length:
            answer = await client.workflow_service.get_workflow_execution_history(
                GetWorkflowExecutionHistoryRequest(
                    namespace=client.namespace,
                    execution=told.execution,
                    next_page_token=self.page,
                    wait_new_event=True,  # without it there is no token after the last event so far
                ),
                retry=True,
            )
            for event in answer.history.events:
                self._note(event)
            self.page = answer.next_page_token

    def _note(self, event: HistoryEvent) -> None:
        self.seen = event.event_id
        if event.HasField("timer_started_event_attributes"):
            started = event.timer_started_event_attributes
            runs_for = started.start_to_fire_timeout.ToTimedelta()
            self.due[started.timer_id] = _instant(event.event_time) + runs_for
        elif event.HasField("timer_fired_event_attributes"):
            self.due.pop(event.timer_fired_event_attributes.timer_id, None)
        elif event.HasField("timer_canceled_event_attributes"):
            self.due.pop(event.timer_canceled_event_attributes.timer_id, None)

    def _wakes_by(self, described: DescribeWorkflowExecutionResponse, instant: datetime) -> bool:
        """Say whether a timer, or another attempt at an activity, is due by ``instant``."""
        attempts = (_instant(each.next_attempt_schedule_time) for each in described.pending_activities)
        return any(_EPOCH < wake <= instant for wake in (*self.due.values(), *attempts))

    async def _wait(self, looks: int) -> None:
        if looks > _LOOKS_AT_MOST:
            raise ClockError(f"{self.handle.id} stays busy, or has no worker")
        await asyncio.sleep(_LOOK_AGAIN_SECONDS[min(looks, len(_LOOK_AGAIN_SECONDS) - 1)])

    def _refuse_overshoot(self, over: timedelta, real_seconds: float) -> None:
        if over > SHORTEST_SKIP + timedelta(seconds=real_seconds):
            raise ClockError(f"{self.handle.id} went {over} past the instant it was sent to")


async def _describe(handle: WorkflowHandle[Any, Any]) -> DescribeWorkflowExecutionResponse:
    return (await handle.describe()).raw_description


def _clock(described: DescribeWorkflowExecutionResponse) -> datetime:
    extended = described.workflow_extended_info
    if not extended.HasField("time_skipping_info"):
        return datetime.now(UTC)  # this run has never skipped: its clock is ours
    return _instant(extended.time_skipping_info.current_time)


def _instant(moment: Timestamp) -> datetime:
    return moment.ToDatetime(UTC)


def _is_busy(described: DescribeWorkflowExecutionResponse) -> bool:
    """Say whether the run does something that a skip would have to wait for."""
    return (
        described.HasField("pending_workflow_task")
        or any(not each.HasField("next_attempt_schedule_time") for each in described.pending_activities)
        or bool(described.pending_children)
        or bool(described.pending_nexus_operations)
    )


def _is_armed(described: DescribeWorkflowExecutionResponse) -> bool:
    """Say whether a skip is still to come: it was asked for while the run was about to be busy."""
    return described.workflow_extended_info.time_skipping_info.effective_config.enabled


async def _skip_once(client: Client, described: DescribeWorkflowExecutionResponse, at_most: timedelta) -> None:
    """Skip to the next timer of the run, or by ``at_most`` if that is nearer."""
    skipping = TimeSkippingConfig(enabled=True, max_session_skip_count=1)
    skipping.fast_forward_config.id = uuid.uuid4().hex
    skipping.fast_forward_config.duration.FromTimedelta(at_most)
    await _set_skipping(client, described, skipping)


async def _set_skipping(
    client: Client, described: DescribeWorkflowExecutionResponse, skipping: TimeSkippingConfig
) -> None:
    """Tell the server how the run may skip from now on; a run that has closed stays as it is."""
    try:
        await client.workflow_service.update_workflow_execution_options(
            UpdateWorkflowExecutionOptionsRequest(
                namespace=client.namespace,
                workflow_execution=described.workflow_execution_info.execution,
                workflow_execution_options=WorkflowExecutionOptions(time_skipping_config=skipping),
                update_mask=FieldMask(paths=["time_skipping_config"]),
                identity=client.identity,
            ),
            retry=True,
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
