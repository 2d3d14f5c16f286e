"""Reads a run's history the way an auditor does: what was said, when the engine looked, what it answered.

Nothing is taken from the state of a worker. The chain of runs of one whistle (continue-as-new) reads as one story.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter, WorkflowSerializationContext

from models.commands import Act, Opening
from models.recompute import Moment
from workflows.whistle import Ending, Start

T = TypeVar("T")


@dataclass(frozen=True)
class Story:
    """One whistle as its histories tell it. ``ending`` is None while it is open."""

    opening: Opening
    started_at: datetime
    moments: tuple[Moment, ...]
    ending: Ending | None
    histories: tuple[WorkflowHistory, ...]


class UnreadableHistoryError(Exception):
    """A payload of the history does not open or does not parse: altered, or sealed with a key that is not here."""

    def __init__(self, event_id: int, kind: str) -> None:
        super().__init__(f"event {event_id} does not read as {kind}")
        self.event_id = event_id
        self.kind = kind


async def fetch_histories(client: Client, whistle_id: str) -> tuple[WorkflowHistory, ...]:
    """Return the histories of all runs of a whistle, first to last.

    Raises:
        RPCError: of status NOT_FOUND if there is no such whistle.
    """
    description = await client.get_workflow_handle(whistle_id).describe()
    first = description.raw_description.workflow_execution_info.first_run_id or description.run_id
    run_id: str | None = first
    histories = []
    while run_id:
        history = await client.get_workflow_handle(whistle_id, run_id=run_id).fetch_history()
        histories.append(history)
        run_id = _next_run(history.events[-1])
    return tuple(histories)


async def read_story(
    histories: Sequence[WorkflowHistory], whistle_id: str, converter: DataConverter, namespace: str
) -> Story:
    """Return what ``histories`` tell.

    Raises:
        UnreadableHistoryError: naming the event whose payload does not open.
    """
    reader = _Reader(converter.with_context(WorkflowSerializationContext(namespace=namespace, workflow_id=whistle_id)))
    first = histories[0].events[0]
    start = await reader.value(first, first.workflow_execution_started_event_attributes.input.payloads[0], Start)
    drill = timedelta(seconds=start.opening.drill_offset_seconds or 0)
    moments: list[Moment] = []
    for history in histories:
        moments += [moment async for moment in reader.moments(history.events, drill)]
    last = histories[-1].events[-1]
    ending = None
    if last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
        result = last.workflow_execution_completed_event_attributes.result.payloads[0]
        ending = await reader.value(last, result, Ending)
    return Story(start.opening, _at(first) + drill, tuple(moments), ending, tuple(histories))


def _next_run(last: HistoryEvent) -> str | None:
    if last.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
        return None
    return last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id


def _at(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(tzinfo=UTC)


class _Reader:
    def __init__(self, converter: DataConverter) -> None:
        self._converter = converter

    async def value(self, event: HistoryEvent, payload: Payload, kind: type[T]) -> T:
        try:
            decoded = await self._converter.decode([payload], [kind])
        except (ValueError, RuntimeError) as error:
            raise UnreadableHistoryError(event.event_id, kind.__name__) from error
        value = decoded[0]
        if not isinstance(value, kind):
            raise UnreadableHistoryError(event.event_id, kind.__name__)
        return value

    async def moments(self, events: Sequence[HistoryEvent], drill: timedelta) -> AsyncIterator[Moment]:
        """Yield each completed task in which the engine looked at the time or took in acts."""
        looked = True  # the first task looks at the time by itself
        started_at = _at(events[0])
        pending: Moment | None = None
        for event in events:
            match event.event_type:
                case EventType.EVENT_TYPE_TIMER_FIRED:
                    looked = True
                case EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
                    started_at = _at(event)
                case EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
                    if pending is not None:
                        yield pending
                    pending = Moment(now=started_at + drill, observes_time=looked)
                    looked = False
                case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED if pending is not None:
                    act = await self._act(event)
                    pending = replace(pending, acts=(*pending.acts, act))
        if pending is not None:
            yield pending

    async def _act(self, event: HistoryEvent) -> Act:
        said = event.workflow_execution_update_accepted_event_attributes.accepted_request.input
        return await self.value(event, said.args.payloads[0], Act)
