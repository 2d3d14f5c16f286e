"""Finds what a replay alone does not: that today's code would have said something else than history says.

The SDK's `Replayer` checks the order and kind of commands, never what is in them: another limit, another
argument or another answer passes. Here every command of a replay is kept, and its content is held against the
event it led to, payloads opened first (each sealing of the same text differs).

Compared are timers, activities (type and arguments), outcomes of updates, search attributes, memo, and how the
run ended. Not compared are time-outs, retry policies and task queues, which may change, the stack traces of
failures, and what only the order proves (patch markers, cancellations).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter, PayloadCodec, StorageDriverStoreContext, WorkflowSerializationContext
from temporalio.worker import (
    Replayer,
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)

from workflows.connection import BUILD_ID, NAMESPACE
from workflows.faults import FaultBarrier

# What one command or event says, aspect by aspect, in values that can be compared.
Content: TypeAlias = dict[str, object]
# By place in the history ("timer 3", "update u-17", "end"): both sides number alike.
Transcript: TypeAlias = dict[str, Content]
Step: TypeAlias = tuple[str, Content]


@dataclass(frozen=True)
class Difference:
    """One aspect in which history and replay disagree; None is a side that has nothing there.

    The values may hold people's words and so stay out of its `repr`.
    """

    place: str
    aspect: str
    recorded: object = field(repr=False)
    replayed: object = field(repr=False)


@dataclass
class RecordingRunner(WorkflowRunner):
    """Runs workflows as the runner inside it does, and keeps the commands of each workflow task."""

    inner: WorkflowRunner
    # By the number of the event that started the task.
    tasks: dict[int, list[WorkflowCommand]] = field(default_factory=dict)
    update_ids: dict[str, str] = field(default_factory=dict)

    def prepare_workflow(self, defn: Any) -> None:
        """Let the inner runner prepare."""
        self.inner.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return the inner runner's instance, listened to."""
        return _Listened(self.inner.create_instance(det), self)

    def keep(self, told: WorkflowActivation, answer: WorkflowActivationCompletion) -> None:
        """Keep copies: the SDK goes on to seal the payloads in place."""
        for job in told.jobs:
            if job.HasField("do_update"):
                self.update_ids[job.do_update.protocol_instance_id] = job.do_update.id
        commands = self.tasks.setdefault(told.history_length, [])
        for command in answer.successful.commands:
            kept = WorkflowCommand()
            kept.CopyFrom(command)
            commands.append(kept)

    def transcript(self, events: Iterable[HistoryEvent]) -> Transcript:
        """Return what the replay said, place by place, in the tasks that ``events`` hold to their end.

        The history of an open run may break off within a task; what that one said is not in it yet.
        """
        ended = {event.workflow_task_completed_event_attributes.started_event_id for event in events}
        return _numbered(
            step
            for task, commands in self.tasks.items()
            if task in ended
            for command in _without_undone(commands)
            for step in self._said_by(command)
        )

    def _said_by(self, command: WorkflowCommand) -> Iterator[Step]:
        kind = command.WhichOneof("variant")
        if kind == "update_response":
            response = command.update_response
            place = f"update {self.update_ids[response.protocol_instance_id]}"
            if response.HasField("completed"):
                yield place, {"result": [response.completed]}
            elif response.HasField("rejected"):
                yield place, {"failure": response.rejected}
        elif kind in _COMMANDS:
            yield _COMMANDS[kind](getattr(command, kind))


class _Listened(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, runner: RecordingRunner) -> None:
        self._inner = inner
        self._runner = runner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        answer = self._inner.activate(act)
        self._runner.keep(act, answer)
        return answer

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> StorageDriverStoreContext:
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Any:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()


async def replay_with_content(
    workflows: Sequence[type], history: WorkflowHistory, converter: DataConverter
) -> list[Difference]:
    """Replay ``history`` with today's code and return all differences, those of order and kind included.

    A history of an open run is compared as far as it goes.
    """
    runner = RecordingRunner(UnsandboxedWorkflowRunner())
    with ThreadPoolExecutor(max_workers=1) as threads:
        replayer = Replayer(
            workflows=workflows,
            workflow_task_executor=threads,
            workflow_runner=runner,
            unsandboxed_workflow_runner=runner,
            data_converter=converter,
            interceptors=[FaultBarrier()],
            build_id=BUILD_ID,
        )
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if result.replay_failure is not None:
        return [Difference("replay", "order", None, str(result.replay_failure))]
    context = WorkflowSerializationContext(NAMESPACE, history.workflow_id)
    recorded = await _settled(_told(history.events), converter.with_context(context).payload_codec)
    replayed = await _settled(runner.transcript(history.events), None)
    return compare(recorded, replayed)


def compare(recorded: Transcript, replayed: Transcript) -> list[Difference]:
    """Return the differences in the order of history, then what only the replay has."""
    return [
        Difference(place, aspect, was, would_be)
        for place in dict.fromkeys([*recorded, *replayed])
        for aspect, was, would_be in _unlike(recorded.get(place, {}), replayed.get(place, {}))
    ]


def _unlike(recorded: Content, replayed: Content) -> Iterator[tuple[str, object, object]]:
    for aspect in dict.fromkeys([*recorded, *replayed]):
        if recorded.get(aspect) != replayed.get(aspect):
            yield aspect, recorded.get(aspect), replayed.get(aspect)


_COMMANDS: dict[str, Callable[[Any], Step]] = {
    "start_timer": lambda said: (f"timer {said.seq}", {"duration": said.start_to_fire_timeout.ToTimedelta()}),
    "schedule_activity": lambda said: (
        f"activity {said.activity_id}",
        {"type": said.activity_type, "arguments": list(said.arguments)},
    ),
    "upsert_workflow_search_attributes": lambda said: (
        "search attributes",
        {name: payload.data for name, payload in said.search_attributes.indexed_fields.items()},
    ),
    "modify_workflow_properties": lambda said: ("memo", dict(said.upserted_memo.fields)),
    "complete_workflow_execution": lambda said: ("end", {"result": [said.result]}),
    "fail_workflow_execution": lambda said: ("end", {"failure": said.failure}),
    "continue_as_new_workflow_execution": lambda said: ("end", {"continued with": list(said.arguments)}),
}

_EVENTS: dict[str, Callable[[Any], Step]] = {
    "timer_started_event_attributes": lambda told: (
        f"timer {told.timer_id}",
        {"duration": told.start_to_fire_timeout.ToTimedelta()},
    ),
    "activity_task_scheduled_event_attributes": lambda told: (
        f"activity {told.activity_id}",
        {"type": told.activity_type.name, "arguments": list(told.input.payloads)},
    ),
    "upsert_workflow_search_attributes_event_attributes": lambda told: (
        "search attributes",
        {name: payload.data for name, payload in told.search_attributes.indexed_fields.items()},
    ),
    "workflow_properties_modified_event_attributes": lambda told: ("memo", dict(told.upserted_memo.fields)),
    "workflow_execution_update_completed_event_attributes": lambda told: (
        f"update {told.meta.update_id}",
        {"failure": told.outcome.failure}
        if told.outcome.HasField("failure")
        else {"result": list(told.outcome.success.payloads)},
    ),
    "workflow_execution_completed_event_attributes": lambda told: ("end", {"result": list(told.result.payloads)}),
    "workflow_execution_failed_event_attributes": lambda told: ("end", {"failure": told.failure}),
    "workflow_execution_continued_as_new_event_attributes": lambda told: (
        "end",
        {"continued with": list(told.input.payloads)},
    ),
}


def _told(events: Iterable[HistoryEvent]) -> Transcript:
    kinds = ((event, event.WhichOneof("attributes")) for event in events)
    return _numbered(_EVENTS[kind](getattr(event, kind)) for event, kind in kinds if kind in _EVENTS)


def _numbered(steps: Iterable[Step]) -> Transcript:
    """Tell apart what has no number of its own, by counting."""
    transcript: Transcript = {}
    times: Counter[str] = Counter()
    for place, content in steps:
        times[place] += 1
        transcript[place if times[place] == 1 else f"{place} ({times[place]})"] = content
    return transcript


def _without_undone(commands: Sequence[WorkflowCommand]) -> Iterator[WorkflowCommand]:
    """Leave out what was started and cancelled within one workflow task: the server never hears of it."""
    timers = {each.cancel_timer.seq for each in commands if each.HasField("cancel_timer")}
    activities = {each.request_cancel_activity.seq for each in commands if each.HasField("request_cancel_activity")}
    for command in commands:
        undone_timer = command.HasField("start_timer") and command.start_timer.seq in timers
        undone_activity = command.HasField("schedule_activity") and command.schedule_activity.seq in activities
        if not undone_timer and not undone_activity:
            yield command


async def _settled(transcript: Transcript, codec: PayloadCodec | None) -> Transcript:
    """Open all payloads and turn them into values that compare."""
    return {
        place: {aspect: await _plain(value, codec) for aspect, value in content.items()}
        for place, content in transcript.items()
    }


async def _plain(value: object, codec: PayloadCodec | None) -> object:
    match value:
        case list():
            return [await _plain(each, codec) for each in value]
        case Payload():
            [payload] = await codec.decode([value]) if codec else [value]
            return payload.metadata["encoding"].decode(), payload.data
        case Failure():
            return await _plain_failure(value, codec)
        case _:
            return value


async def _plain_failure(failure: Failure, codec: PayloadCodec | None) -> Content:
    application = failure.application_failure_info
    return {
        "kind": failure.WhichOneof("failure_info"),
        "type": application.type,
        "message": await _message(failure, codec),
        "details": await _plain(list(application.details.payloads), codec),
        "cause": await _plain_failure(failure.cause, codec) if failure.HasField("cause") else None,
    }


async def _message(failure: Failure, codec: PayloadCodec | None) -> object:
    """Return the message alone: the stack trace beside it changes with every line of code that moves."""
    if not failure.HasField("encoded_attributes"):
        return failure.message
    match await _plain(failure.encoded_attributes, codec):
        case ("json/plain", bytes(data)):
            return json.loads(data)["message"]
        case unreadable:
            return unreadable
