"""Keeps a bug in one handler from stopping its run.

Temporal answers an unexpected exception in a handler by failing the workflow task and trying again for ever;
meanwhile no other act reaches the run. Here only the message that met the bug fails. A bug in `run` itself is
left alone: that task has to fail and wait for a fixed worker, because going on would lose what `run` owes.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import (
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

FAULT = "Fault"

# Not faults: failures that were meant, and the SDK's own verdict that the code is not deterministic.
# Cancellation, eviction and continue-as-new are no `Exception`s and pass untouched.
_MEANT = (FailureError, workflow.NondeterminismError)


class FaultBarrier(Interceptor):
    """Puts the barrier around the handlers of every workflow; a worker and its replays need it alike."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - Temporal's name
    ) -> type[WorkflowInboundInterceptor]:
        """Return the barrier for one run."""
        return _HandlersOnly


class FaultError(ApplicationError):
    """What the sender of a message gets when its handler met a bug: the kind of the bug, never its text."""

    def __init__(self, bug: Exception) -> None:
        super().__init__(type(bug).__name__, type=FAULT, non_retryable=True)


class _HandlersOnly(WorkflowInboundInterceptor):
    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:  # noqa: A002
        with keep_bugs_in("update", input.update):
            return await super().handle_update_handler(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:  # noqa: A002
        with keep_bugs_in("validator of", input.update):
            super().handle_update_validator(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:  # noqa: A002
        with keep_bugs_in("query", input.query):
            return await super().handle_query(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:  # noqa: A002
        """Drop a signal that meets a bug: it has no sender to tell, and any failure would close the run."""
        with suppress(FaultError), keep_bugs_in("signal", input.signal):
            await super().handle_signal(input)


@contextmanager
def keep_bugs_in(kind: str, name: str) -> Iterator[None]:
    """Turn a bug into a `FaultError` and log where it came up.

    Neither the log nor the answer carries the bug's text: it may quote what people wrote.
    """
    try:
        yield
    except _MEANT:
        raise
    # The one broad except of this room: what a bug raises cannot be listed beforehand.
    except Exception as bug:  # noqa: BLE001
        trail = " > ".join(_trail(bug.__traceback__))
        workflow.logger.error("fault in %s %s: %s at %s", kind, name, type(bug).__name__, trail)
        raise FaultError(bug) from None


def _trail(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        yield f"{traceback.tb_frame.f_code.co_qualname}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
