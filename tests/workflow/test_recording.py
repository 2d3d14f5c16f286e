"""A change of content that a replay lets pass is found; what has not changed raises no alarm."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.converter import DataConverter
from temporalio.worker import Replayer

from tests.workflow import probes as code
from tests.workflow.probes import PROBE_QUEUE, PROBES, BuggyProbe, LedgerProbe
from tests.workflow.words import Words
from workflows.codec import Keyring, SealingCodec, data_converter
from workflows.connection import replay_options
from workflows.recording import replay_with_content

RUN = "recording/ledger"
Change = Callable[[pytest.MonkeyPatch, WorkflowHistory, SealingCodec], None]


@pytest.fixture(scope="session")
async def recorded(probes: Client) -> WorkflowHistory:
    """A run that holds one thing of each kind, a refused and a repeated update among them."""
    handle = await probes.start_workflow(LedgerProbe.run, Words(text="a burst main"), id=RUN, task_queue=PROBE_QUEUE)
    await handle.execute_update(LedgerProbe.note, Words(text="pumps are on their way"), id="u-1")
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(LedgerProbe.note, Words(text="nothing"))
    await handle.execute_update(LedgerProbe.note, Words(text="again"), id="u-1")
    await handle.execute_update(LedgerProbe.close, id="u-2")
    await handle.result()
    return await handle.fetch_history()


@pytest.fixture
def history(recorded: WorkflowHistory) -> WorkflowHistory:
    """A copy of the run's history, as a file of it would give."""
    return WorkflowHistory.from_json(RUN, recorded.to_json())


@pytest.fixture
def converter(keyring: Keyring) -> DataConverter:
    return data_converter(keyring)


def code_says(name: str, value: object) -> Change:
    def change(monkeypatch: pytest.MonkeyPatch, _history: WorkflowHistory, _codec: SealingCodec) -> None:
        monkeypatch.setattr(code, name, value)

    return change


def history_says(_monkeypatch: pytest.MonkeyPatch, history: WorkflowHistory, codec: SealingCodec) -> None:
    """Put another answer into the history, well sealed: somebody had the keys."""
    lie = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps({"text": "all is well"}).encode())
    outcome_of_first_update(history).CopyFrom(codec.seal(lie))


def outcome_of_first_update(history: WorkflowHistory) -> Payload:
    completed = next(
        event.workflow_execution_update_completed_event_attributes
        for event in history.events
        if event.HasField("workflow_execution_update_completed_event_attributes")
    )
    return completed.outcome.success.payloads[0]


CHANGES: dict[str, tuple[Change, tuple[str, str]]] = {
    "a timer's length": (code_says("PATIENCE", timedelta(minutes=20)), ("timer 1", "duration")),
    "an activity's argument": (code_says("ORDER", "bring"), ("activity 1", "arguments")),
    "an update's answer": (code_says("ANSWER", "heard"), ("update u-1", "result")),
    "a search attribute": (code_says("PLACE", "elsewhere"), ("search attributes", "District")),
    "the result": (code_says("RESULT", "over"), ("end", "result")),
    "the history itself": (history_says, ("update u-1", "result")),
}


@pytest.mark.parametrize(("change", "where"), CHANGES.values(), ids=CHANGES)
async def test_a_change_that_a_replay_lets_pass_is_found(
    change: Change,
    where: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    history: WorkflowHistory,
    keyring: Keyring,
) -> None:
    codec = SealingCodec(keyring, scope=f"run:{RUN}")
    change(monkeypatch, history, codec)

    await Replayer(workflows=PROBES, **replay_options(keyring, also_shared=["tests"])).replay_workflow(history)
    differences = await replay_with_content(PROBES, history, data_converter(keyring))

    assert [(each.place, each.aspect) for each in differences] == [where]


async def test_the_same_code_says_the_same_again(history: WorkflowHistory, converter: DataConverter) -> None:
    assert await replay_with_content(PROBES, history, converter) == []


async def test_an_open_run_compares_as_far_as_it_goes(probes: Client, converter: DataConverter) -> None:
    handle = await probes.start_workflow(LedgerProbe.run, Words(text="a"), id="recording/open", task_queue=PROBE_QUEUE)
    await handle.execute_update(LedgerProbe.note, Words(text="one"))

    assert await replay_with_content(PROBES, await handle.fetch_history(), converter) == []


async def test_failures_compare_without_their_stack_traces(
    probes: Client, converter: DataConverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = await probes.start_workflow(BuggyProbe.run, id="recording/fault", task_queue=PROBE_QUEUE)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(BuggyProbe.stumble, Words(text="x"), id="u-1")
    history = await handle.fetch_history()

    same = await replay_with_content(PROBES, history, converter)
    monkeypatch.setattr(code, "ValueError", LookupError, raising=False)
    other = await replay_with_content(PROBES, history, converter)

    assert same == []
    assert [(each.place, each.aspect) for each in other] == [("update u-1", "failure")]


async def test_a_payload_that_was_tampered_with_is_found(history: WorkflowHistory, converter: DataConverter) -> None:
    sealed = outcome_of_first_update(history)
    sealed.data = sealed.data[:-1] + bytes([sealed.data[-1] ^ 1])

    [difference] = await replay_with_content(PROBES, history, converter)

    assert (difference.place, difference.aspect) == ("update u-1", "result")
    assert difference.recorded == [("binary/unreadable", b"")]


async def test_another_kind_of_command_is_found_too(
    history: WorkflowHistory, converter: DataConverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "PATIENCE", None)

    [difference] = await replay_with_content(PROBES, history, converter)

    assert (difference.place, difference.aspect) == ("replay", "order")


async def test_a_difference_does_not_print_what_people_said(
    history: WorkflowHistory, converter: DataConverter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "ANSWER", "heard")

    assert "pumps" not in repr(await replay_with_content(PROBES, history, converter))
