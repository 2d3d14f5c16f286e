"""What is sealed stays sealed, opens for its own run only, and never takes a worker down."""

import os
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import ActivitySerializationContext, WorkflowSerializationContext
from temporalio.exceptions import ApplicationError

from engine.server import EmbeddedServer
from tests.workflow.probes import PROBE_QUEUE, LedgerProbe, TalkativeProbe, carry_out
from tests.workflow.words import Words
from workflows.codec import (
    OPENED_AT_MOST,
    Keyring,
    SealingCodec,
    Unreadable,
    UnreadablePayloadError,
    data_converter,
)
from workflows.connection import NAMESPACE, connect

OLD, NEW, OTHER = bytes(32), bytes([1]) * 32, bytes([2]) * 32
RING = Keyring({"new": NEW, "old": OLD})
BURST = WorkflowSerializationContext(NAMESPACE, "whistle/jinfeng/burst")
FIRE = WorkflowSerializationContext(NAMESPACE, "whistle/jinfeng/fire")
TEXT = Payload(metadata={"encoding": b"json/plain"}, data=b'"a burst main"')
FIVE_SECONDS = timedelta(seconds=5)
MARKER = "Ziyang-Road-17-cellar"


def codec(ring: Keyring = RING) -> SealingCodec:
    return SealingCodec(ring).with_context(BURST)


def altered(payload: Payload) -> Payload:
    return Payload(metadata=payload.metadata, data=payload.data[:-1] + bytes([payload.data[-1] ^ 1]))


def relabelled(payload: Payload, **labels: bytes) -> Payload:
    metadata = {name.replace("_", "-"): label for name, label in labels.items()}
    return Payload(metadata={**payload.metadata, **metadata}, data=payload.data)


@pytest.mark.parametrize("size", [0, 1, 512, 513, 100_000])
def test_what_was_sealed_opens_again_whatever_its_size(size: int) -> None:
    payload = Payload(metadata={"encoding": b"binary/plain"}, data=b"x" * size)

    assert codec().open(codec().seal(payload)) == payload


def test_long_texts_are_compressed_before_they_are_sealed() -> None:
    assert len(codec().seal(Payload(data=b"x" * 100_000)).data) < 1_000


def test_the_same_text_never_looks_the_same_twice() -> None:
    assert codec().seal(TEXT).data != codec().seal(TEXT).data


def test_after_a_rotation_old_payloads_open_and_new_ones_have_the_new_key() -> None:
    before = codec(Keyring({"old": OLD})).seal(TEXT)

    assert codec().open(before) == TEXT
    assert codec().seal(TEXT).metadata["key-id"] == b"new"


def everything_in(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.rglob("*") if file.is_file())


HARMS: dict[str, tuple[Callable[[Payload], Payload], Unreadable]] = {
    "one bit": (altered, Unreadable.ALTERED),
    "cut short": (lambda sealed: Payload(metadata=sealed.metadata, data=sealed.data[:5]), Unreadable.ALTERED),
    "other key id": (lambda sealed: relabelled(sealed, key_id=b"old"), Unreadable.ALTERED),
    "other scope": (lambda sealed: relabelled(sealed, scope=b"run:x"), Unreadable.OF_ANOTHER_RUN),
    "no text for a scope": (lambda sealed: relabelled(sealed, scope=b"\xff"), Unreadable.OF_ANOTHER_RUN),
    "another run's": (lambda _: SealingCodec(RING).with_context(FIRE).seal(TEXT), Unreadable.OF_ANOTHER_RUN),
    "no run's": (lambda _: SealingCodec(RING).seal(TEXT), Unreadable.OF_ANOTHER_RUN),
    "never sealed": (lambda _: TEXT, Unreadable.NOT_SEALED),
    "a key that is not here": (lambda _: codec(Keyring({"lost": OTHER})).seal(TEXT), Unreadable.UNKNOWN_KEY),
}


@pytest.mark.parametrize(("harm", "why"), HARMS.values(), ids=HARMS)
def test_what_was_tampered_with_does_not_open(harm: Callable[[Payload], Payload], why: Unreadable) -> None:
    with pytest.raises(UnreadablePayloadError) as refused:
        codec().open(harm(codec().seal(TEXT)))

    assert refused.value.why is why


def test_a_payload_moved_to_another_run_does_not_open_even_for_a_reader_without_a_run() -> None:
    moved = relabelled(codec().seal(TEXT), scope=b"run:whistle/jinfeng/fire")

    with pytest.raises(UnreadablePayloadError, match="altered"):
        SealingCodec(RING).open(moved)


def test_a_bomb_does_not_open() -> None:
    bomb = b"\1" + zlib.compress(bytes(OPENED_AT_MOST + 1))
    scope, nonce = "run:whistle/jinfeng/burst", bytes(12)
    sealed = codec().seal(TEXT)
    data = nonce + RING.cipher("new", scope).encrypt(nonce, bomb, f"whistle-seal/1\nnew\n{scope}".encode())

    with pytest.raises(UnreadablePayloadError, match="too_large"):
        codec().open(Payload(metadata=sealed.metadata, data=data))


@pytest.mark.parametrize("size", [OPENED_AT_MOST + 1, 2 * 1024 * 1024])
def test_what_is_too_large_for_temporal_or_to_be_opened_again_is_not_sealed(size: int) -> None:
    with pytest.raises(UnreadablePayloadError, match="too_large"):
        codec().seal(Payload(data=os.urandom(size)))


async def test_plain_payloads_open_only_where_that_was_asked_for() -> None:
    plain = await pydantic_data_converter.encode(["exported in clear"])

    assert await data_converter(RING, accepts_plain=True).decode(plain, [str]) == ["exported in clear"]
    with pytest.raises(UnreadablePayloadError, match="not_sealed"):
        await data_converter(RING).decode(plain, [str])


async def test_a_value_of_the_wrong_shape_is_told_without_its_content() -> None:
    converter = data_converter(RING)
    sealed = await converter.encode([{"text": "x", "phone": MARKER}])

    with pytest.raises(UnreadablePayloadError) as refused:
        await converter.decode(sealed, [Words])

    assert str(refused.value) == "wrong_shape: phone extra_forbidden"


def test_a_standalone_activity_is_sealed_under_its_own_id() -> None:
    def of(activity_id: str) -> SealingCodec:
        # The client leaves the workflow id out, the worker leaves it empty.
        return SealingCodec(RING).with_context(
            ActivitySerializationContext(NAMESPACE, activity_id, None, None, "", None, is_local=False)
        )

    assert of("notice-1").open(of("notice-1").seal(TEXT)) == TEXT
    with pytest.raises(UnreadablePayloadError, match="of_another_run"):
        of("notice-2").open(of("notice-1").seal(TEXT))


def test_a_keyring_does_not_print_its_keys_and_refuses_short_ones() -> None:
    assert repr(RING) == "Keyring(new, old)"
    with pytest.raises(ValueError, match="'weak' has 5 bytes"):
        Keyring({"weak": b"short"})


async def test_an_update_that_was_not_sealed_is_refused_and_leaves_no_trace(
    server: EmbeddedServer, probes: Client
) -> None:
    handle = await probes.start_workflow(LedgerProbe.run, Words(text="a"), id="codec/plain", task_queue=PROBE_QUEUE)
    outsider = await Client.connect(server.address, data_converter=pydantic_data_converter)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await outsider.get_workflow_handle("codec/plain").execute_update("note", Words(text="in clear"))

    # Nor can the outsider read why.
    assert str(refused.value.cause) == "RuntimeError: Encoded failure"
    await expect_untouched(handle)


async def test_a_door_with_the_wrong_keys_harms_only_itself(server: EmbeddedServer, probes: Client) -> None:
    handle = await probes.start_workflow(
        LedgerProbe.run, Words(text="a"), id="codec/wrong-keys", task_queue=PROBE_QUEUE
    )
    stranger = await connect(server.address, NAMESPACE, Keyring({"lost": OTHER}))

    with pytest.raises(WorkflowUpdateFailedError):
        await stranger.get_workflow_handle("codec/wrong-keys").execute_update("note", Words(text="sealed elsewhere"))

    await expect_untouched(handle)


async def expect_untouched(handle: WorkflowHandle[LedgerProbe, str]) -> None:
    await handle.execute_update(LedgerProbe.note, Words(text="sealed"))

    said = [event.event_type for event in (await handle.fetch_history()).events]
    assert said.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) == 1
    assert EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED not in said
    assert await handle.query(LedgerProbe.read) == ["sealed"]


async def test_an_oversized_update_never_leaves_and_the_run_goes_on(probes: Client) -> None:
    handle = await probes.start_workflow(LedgerProbe.run, Words(text="a"), id="codec/large", task_queue=PROBE_QUEUE)

    with pytest.raises(UnreadablePayloadError, match="too_large"):
        await handle.execute_update(LedgerProbe.note, Words(text="x" * (OPENED_AT_MOST + 1)))

    await handle.execute_update(LedgerProbe.note, Words(text="small"))
    assert await handle.query(LedgerProbe.read) == ["small"]


async def test_an_update_id_gives_its_first_answer_again_even_after_the_run_has_closed(probes: Client) -> None:
    handle = await probes.start_workflow(LedgerProbe.run, Words(text="a"), id="codec/twice", task_queue=PROBE_QUEUE)
    first = await handle.execute_update(LedgerProbe.note, Words(text="one"), id="key-1")

    again = await handle.execute_update(LedgerProbe.note, Words(text="other"), id="key-1")
    notes = await handle.query(LedgerProbe.read)
    await handle.execute_update(LedgerProbe.close)
    await handle.result()
    closed = await handle.execute_update(LedgerProbe.note, Words(text="one"), id="key-1")

    assert first == again == closed
    assert notes == ["one"]


async def test_no_word_of_anybody_is_in_clear_in_the_database(
    server_directory: Path, probes: Client, caplog: pytest.LogCaptureFixture
) -> None:
    words = Words(text=MARKER)
    handle = await probes.start_workflow(
        TalkativeProbe.run,
        words,
        id="codec/seen-in-clear",
        task_queue=PROBE_QUEUE,
        memo={"first": MARKER},
        static_summary=MARKER,
        static_details=MARKER,
    )
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update(TalkativeProbe.reject, words)
    with pytest.raises(WorkflowUpdateFailedError):
        await handle.execute_update("reject", {"text": MARKER, "phone": MARKER})
    await handle.signal("hear", {"phone": MARKER})
    await handle.signal(TalkativeProbe.hear, words)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    await probes.execute_activity(
        carry_out, words, id="codec-notice", task_queue=PROBE_QUEUE, summary=MARKER, start_to_close_timeout=FIVE_SECONDS
    )

    found = everything_in(server_directory)

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.details == (MARKER,)
    assert await (await handle.describe()).static_summary() == MARKER
    assert (await handle.describe()).id.encode() in found
    assert MARKER.encode() not in found
    assert MARKER not in "".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
