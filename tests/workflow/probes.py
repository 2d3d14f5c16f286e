"""Small workflows that let the tests look at the machinery around a whistle.

Constants in capitals are what a test changes to play a later version of the code.
"""

from datetime import timedelta

import sqlmodel
import structlog
from temporalio import activity, workflow
from temporalio.common import RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError

from models import canonical
from tests.workflow.words import Words
from workflows import connection

PROBE_QUEUE = "probes"
DISTRICT = SearchAttributeKey.for_keyword("District")

PATIENCE = timedelta(minutes=15)
ORDER = "fetch"
ANSWER = "noted"
PLACE = "jinfeng"
RESULT = "closed"
IS_FIXED = False


@activity.defn
async def carry_out(order: Words) -> Words:
    """Do as told, or fail for good if told to. The SDK logs the message of a failure, but not its details."""
    if order.text.startswith("fail"):
        raise ApplicationError("cannot", order.text, type="Dead", non_retryable=True)
    return Words(text=f"done: {order.text}")


@workflow.defn
class LedgerProbe:
    """Says one thing of each kind that a history holds."""

    @workflow.init
    def __init__(self, opening: Words) -> None:
        self.opening = opening
        self.notes: list[str] = []
        self.is_closing = False

    @workflow.run
    async def run(self, opening: Words) -> str:  # noqa: ARG002 - taken by __init__
        """End when told to, or when patience does."""
        workflow.upsert_search_attributes([DISTRICT.value_set(PLACE)])
        await workflow.execute_activity(carry_out, Words(text=ORDER), start_to_close_timeout=timedelta(seconds=5))
        try:
            await workflow.wait_condition(lambda: self.is_closing, timeout=PATIENCE)
        except TimeoutError:
            return "out of patience"
        return RESULT

    @workflow.update
    def note(self, words: Words) -> Words:
        """Take a note, unless there is nothing to note."""
        self.notes.append(words.text)
        return Words(text=f"{ANSWER}: {words.text} at {workflow.now().isoformat()}")

    @note.validator
    def _refuse_nothing(self, words: Words) -> None:
        if words.text.startswith("nothing"):
            raise ApplicationError(words.text, words.text, type="Nothing")

    @workflow.update
    def close(self) -> None:
        """Let the run end."""
        self.is_closing = True

    @workflow.query
    def read(self) -> list[str]:
        """Return the notes."""
        return self.notes


@workflow.defn
class TalkativeProbe:
    """Puts what it is told into every place where Temporal keeps text."""

    @workflow.init
    def __init__(self, opening: Words) -> None:
        self.opening = opening
        self.heard: list[str] = []

    @workflow.run
    async def run(self, opening: Words) -> str:
        """Fail with what it was told, once it has heard a signal."""
        await workflow.sleep(timedelta(milliseconds=1), summary=opening.text)
        workflow.upsert_memo({"later": opening.text})
        workflow.set_current_details(opening.text)
        await workflow.wait_condition(lambda: bool(self.heard))
        try:
            await workflow.execute_activity(
                carry_out,
                Words(text=f"fail {opening.text}"),
                summary=opening.text,
                start_to_close_timeout=timedelta(seconds=5),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError as error:
            raise ApplicationError(opening.text, opening.text, type="Talk") from error
        return opening.text

    @workflow.signal
    def hear(self, words: Words) -> None:
        """Hear something."""
        self.heard.append(words.text)

    @workflow.update
    def reject(self, words: Words) -> None:
        """Fail on purpose after having been accepted."""
        raise ApplicationError(words.text, words.text, type="Meant")


@workflow.defn
class BuggyProbe:
    """Has a bug in every handler."""

    def __init__(self) -> None:
        self.is_closing = False

    @workflow.run
    async def run(self) -> str:
        """End when told to."""
        await workflow.wait_condition(lambda: self.is_closing)
        return "closed"

    @workflow.update
    def stumble(self, words: Words) -> str:
        """Meet a bug, or fail on purpose."""
        if words.text == "meant":
            raise ApplicationError("meant", type="Meant", non_retryable=True)
        raise ValueError(words.text)

    @workflow.update
    def stumble_before(self, words: Words) -> str:
        """Meet a bug in the validator."""
        return words.text

    @stumble_before.validator
    def _stumble(self, words: Words) -> None:
        raise LookupError(words.text)

    @workflow.signal
    def trip(self, words: Words) -> None:
        """Meet a bug that nobody waits for."""
        raise KeyError(words.text)

    @workflow.query
    def ponder(self, text: str) -> str:
        """Meet a bug in a query."""
        raise ZeroDivisionError(text)

    @workflow.update
    def close(self) -> str:
        """Let the run end."""
        self.is_closing = True
        return "closing"


@workflow.defn
class UnfinishedProbe:
    """Has a bug in `run` until it is fixed."""

    @workflow.run
    async def run(self) -> str:
        """End at once, if that works."""
        if not IS_FIXED:
            raise ValueError("a bug in run")
        return "fixed"


@workflow.defn
class LimitsProbe:
    """Lets one limit after the other pass, and says how late it was told of each."""

    @workflow.init
    def __init__(self, gaps: list[timedelta]) -> None:
        self.gaps = gaps
        self.lateness: list[timedelta] = []

    @workflow.run
    async def run(self, gaps: list[timedelta]) -> int:
        """End after the last limit."""
        for gap in gaps:
            due = workflow.now() + gap
            await workflow.sleep(gap)
            self.lateness.append(workflow.now() - due)
        return len(self.lateness)

    @workflow.query
    def passed(self) -> list[timedelta]:
        """Return the lateness of each limit that has passed."""
        return self.lateness


def copies_seen() -> list[int]:
    """Tell one copy of what is imported from another."""
    return [id(seen) for seen in (sqlmodel.SQLModel, structlog.get_logger, canonical.digest, connection.connect, Words)]


@workflow.defn
class SharingProbe:
    """Tells which copies of other people's modules and of ours it sees."""

    @workflow.run
    async def run(self) -> list[int]:
        """End at once."""
        return copies_seen()


PROBES = [LedgerProbe, TalkativeProbe, BuggyProbe, UnfinishedProbe, LimitsProbe, SharingProbe]
PROBE_ACTIVITIES = [carry_out]
