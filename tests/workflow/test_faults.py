"""A bug in a handler costs the message that met it, never the run."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from temporalio import workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from tests.workflow import probes as code
from tests.workflow.probes import PROBE_QUEUE, BuggyProbe, UnfinishedProbe
from tests.workflow.words import Words
from workflows.faults import FAULT, keep_bugs_in

PLACE = "Ziyang Road 17"
Handle = WorkflowHandle[BuggyProbe, str]


@pytest.fixture
async def buggy(probes: Client, request: pytest.FixtureRequest) -> Handle:
    return await probes.start_workflow(BuggyProbe.run, id=f"faults/{request.node.name}", task_queue=PROBE_QUEUE)


MESSAGES: dict[str, tuple[Callable[[Handle], Awaitable[str]], str]] = {
    "update": (lambda run: run.execute_update(BuggyProbe.stumble, Words(text=PLACE)), "ValueError"),
    "validator": (lambda run: run.execute_update(BuggyProbe.stumble_before, Words(text=PLACE)), "LookupError"),
    "query": (lambda run: run.query(BuggyProbe.ponder, PLACE), "ZeroDivisionError"),
}


@pytest.mark.parametrize(("say", "bug"), MESSAGES.values(), ids=MESSAGES)
async def test_only_the_message_that_met_a_bug_fails(
    buggy: Handle, say: Callable[[Handle], Awaitable[str]], bug: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises((WorkflowUpdateFailedError, WorkflowQueryFailedError)) as failed:
        await say(buggy)
    after = await buggy.execute_update(BuggyProbe.close)

    # The SDK does not open the failure of a query for its sender; the log has it.
    assert str(failed.value.__cause__ or failed.value) in {f"Fault: {bug}", "Encoded failure"}
    assert after == "closing"
    assert await buggy.result() == "closed"
    assert f"{bug} at " in caplog.text
    assert PLACE not in caplog.text


async def test_a_signal_that_meets_a_bug_is_dropped_and_logged(buggy: Handle, caplog: pytest.LogCaptureFixture) -> None:
    await buggy.signal(BuggyProbe.trip, Words(text=PLACE))
    await buggy.execute_update(BuggyProbe.close)

    assert await buggy.result() == "closed"
    assert "fault in signal trip: KeyError at " in caplog.text
    assert PLACE not in caplog.text


async def test_the_sender_is_told_of_a_fault_and_that_trying_again_is_no_use(buggy: Handle) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await buggy.execute_update(BuggyProbe.stumble, Words(text=PLACE))

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == FAULT
    assert failed.value.cause.non_retryable
    assert failed.value.cause.cause is None


async def test_a_failure_that_was_meant_reaches_the_sender_as_it_is(buggy: Handle) -> None:
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await buggy.execute_update(BuggyProbe.stumble, Words(text="meant"))

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "Meant"


@pytest.mark.parametrize(
    "meant",
    [
        ApplicationError("refused", type="Refused"),
        workflow.NondeterminismError("the SDK's verdict"),
        asyncio.CancelledError(),
        GeneratorExit(),
    ],
    ids=lambda meant: type(meant).__name__,
)
def test_what_is_no_bug_passes_untouched(meant: BaseException) -> None:
    with pytest.raises(type(meant)) as passed, keep_bugs_in("update", "act"):
        raise meant

    assert passed.value is meant


async def test_a_bug_in_run_waits_for_a_fixed_worker(probes: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = await probes.start_workflow(UnfinishedProbe.run, id="faults/run", task_queue=PROBE_QUEUE)
    async for event in handle.fetch_history_events(wait_new_event=True):
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            break

    monkeypatch.setattr(code, "IS_FIXED", True)

    assert await handle.result() == "fixed"
