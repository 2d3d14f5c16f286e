"""Carries one whistle from its source to its end.

Every choice is made by `models.decide` and `models.lapse`; this file sleeps until what is due, takes acts in, and sends
facts to the record. One coroutine, `run`, emits every command, in an order that follows from the state alone: two of
them would wake in another order after a cold start and wedge the run for ever (SDK issue 1591).

Time is observed in three places only, so that a later replay observes it at the same instants: the opening, a fired
timer, an act. Each of them leaves a command in history; a task without one would be merged with the next on replay and
show it another `now`. That is why a run that is still open always has a timer armed.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.record import RecordActivities
    from models.commands import Act, Answer, Opening, Recorder
    from models.decide import answer, decide, open_whistle
    from models.facts import Fact
    from models.lapse import Outcome, due, lapse
    from models.recording import RecordBatch, Registered, Registration
    from models.refusals import RefusedError
    from models.whistle import ENDED, Whistle

REFUSED = "Refused"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An open run always has a timer, even if nothing is due.
LOOK_AGAIN = timedelta(days=30)
# One transaction; longer means that the database is away, and the retry policy takes over.
RECORD_PATIENCE = timedelta(seconds=10)
# Without end: the record catches up whenever the database is back.
RECORD_RETRIES = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=20))


@dataclass(frozen=True)
class Carried:
    """What a run hands to its continuation."""

    whistle: Whistle
    unrecorded: tuple[Fact, ...]
    is_registered: bool


@dataclass(frozen=True)
class Start:
    """What a run starts with: an opening, and what an earlier run of the same whistle carried over."""

    opening: Opening
    carried: Carried | None = None


@dataclass(frozen=True)
class Ending:
    """What a run leaves: the chain's end, to hold the record against."""

    state: str
    number: int
    head_hash: str


@workflow.defn
class WhistleWorkflow:
    """One run is one whistle with all its department tasks."""

    @workflow.init
    def __init__(self, start: Start) -> None:
        self._opening = start.opening
        self._drill = timedelta(seconds=start.opening.drill_offset_seconds or 0)
        self._refusal: RefusedError | None = None
        self._is_registered = False
        self._must_record = True
        self._unrecorded: tuple[Fact, ...] = ()
        self._sent_through = 0
        self._recorded_through = 0
        self._woken = False
        self._timer: asyncio.Task[None] | None = None
        self._timer_at: datetime | None = None
        self._recording: workflow.ActivityHandle[Any] | None = None
        if start.carried is None:
            self._open()
        else:
            self._whistle = start.carried.whistle
            self._unrecorded = start.carried.unrecorded
            self._is_registered = start.carried.is_registered

    @workflow.run
    async def run(self, start: Start) -> Ending:  # noqa: ARG002 - taken by __init__
        """Go on until the whistle has ended and the record has all of it."""
        if self._refusal is not None:
            # Only a door that did not ask the rules first can get here.
            raise _refused(self._refusal)
        self._observe_time()
        while not self._is_over():
            await self._arm_timer()
            self._send_record()
            await workflow.wait_condition(self._has_news)
            self._woken = False
            self._take_in_record()
            if self._timer is not None and self._timer.done():
                # One that could not be armed is a bug, and no look at the time: it has to fail the task.
                self._timer.result()
                self._timer = None
                self._observe_time()
            if self._may_continue_as_new():
                self._continue_as_new()
        await workflow.wait_condition(workflow.all_handlers_finished)
        ended = self._whistle
        return Ending(state=ended.state, number=ended.number, head_hash=ended.head_hash)

    @workflow.update
    def act(self, act: Act) -> Answer:
        """Do what somebody says. Refused by the rules before it reaches history; the key makes it idempotent."""
        self._recorded_through = max(self._recorded_through, act.recorded_through)
        try:
            outcome = decide(self._whistle, act, self._now())
        except RefusedError as refusal:
            raise _refused(refusal) from refusal
        self._take(outcome)
        self._must_record |= act.recorder is Recorder.RUN
        self._woken = True
        return answer(act, outcome)

    @act.validator
    def _refuse_act(self, act: Act) -> None:
        try:
            decide(self._whistle, act, self._now())
        except RefusedError as refusal:
            raise _refused(refusal) from refusal

    @workflow.query
    def unrecorded(self) -> tuple[Fact, ...]:
        """Return the facts that the record may lack, in order."""
        return self._unrecorded

    @workflow.query
    def whistle(self) -> Whistle:
        """Return the state as of the last task; what has lapsed since is not in it."""
        return self._whistle

    def _open(self) -> None:
        # The instant at which the server had the whistle; `start_time` is when a worker first looked.
        started_at = workflow.info().workflow_start_time + self._drill
        try:
            outcome = open_whistle(self._opening, started_at)
        except RefusedError as refusal:
            self._refusal = refusal
            return
        self._take(outcome)

    def _now(self) -> datetime:
        # Not workflow.now(): it goes through a float and may differ from the event's time by a microsecond.
        microseconds = workflow.time_ns() // 1000
        return EPOCH + timedelta(microseconds=microseconds) + self._drill

    def _take(self, outcome: Outcome) -> None:
        self._whistle = outcome.whistle
        self._unrecorded = (*self._unrecorded, *outcome.facts)

    def _observe_time(self) -> None:
        outcome = lapse(self._whistle, self._now())
        self._take(outcome)
        self._must_record |= bool(outcome.facts)

    def _has_news(self) -> bool:
        timer_fired = self._timer is not None and self._timer.done()
        recorded = self._recording is not None and self._recording.done()
        return self._woken or timer_fired or recorded

    def _is_over(self) -> bool:
        return self._whistle.state in ENDED and not self._unrecorded and self._is_registered

    async def _arm_timer(self) -> None:
        """Arm one timer for what is due next. One that is armed for earlier stays: it finds nothing and looks again."""
        wanted = due(self._whistle) or self._now() + LOOK_AGAIN
        if self._timer is not None and self._timer_at is not None:
            if self._timer_at <= wanted:
                return
            self._timer.cancel()
        self._timer_at = wanted
        self._timer = asyncio.create_task(workflow.sleep(wanted - self._now()))
        # The command belongs to the sleeping task: let it start before anything else is sent.
        await asyncio.sleep(0)

    def _send_record(self) -> None:
        """Send all that is unrecorded, if time or the end asks for it and nothing is on its way."""
        ended = self._whistle.state in ENDED
        if self._recording is not None or not (self._must_record or ended):
            return
        self._must_record = False
        if not self._unrecorded and self._is_registered:
            return
        self._sent_through = self._whistle.number
        if self._is_registered:
            self._recording = workflow.start_activity_method(
                RecordActivities.record_facts,
                RecordBatch(whistle_id=self._whistle.id, facts=self._unrecorded),
                start_to_close_timeout=RECORD_PATIENCE,
                retry_policy=RECORD_RETRIES,
            )
        else:
            self._recording = workflow.start_activity_method(
                RecordActivities.register_whistle,
                Registration(
                    district=self._opening.district,
                    key=self._opening.key,
                    drill=self._opening.drill_offset_seconds is not None,
                    facts=self._unrecorded,
                ),
                start_to_close_timeout=RECORD_PATIENCE,
                retry_policy=RECORD_RETRIES,
            )

    def _take_in_record(self) -> None:
        """Drop what is recorded, by the record's own word or a door's.

        Here and not in the handler, so that it comes out the same whether a cold run is shown the end of a recording
        before an act or together with it.
        """
        if self._recording is not None and self._recording.done():
            answered: Registered | None = self._recording.result()
            self._recording = None
            self._is_registered = self._is_registered or answered is not None
            self._recorded_through = max(self._recorded_through, self._sent_through)
        # Before registration nothing of this run can be in the record, whatever a door believes.
        if self._is_registered:
            self._unrecorded = tuple(fact for fact in self._unrecorded if fact.number > self._recorded_through)

    def _may_continue_as_new(self) -> bool:
        return workflow.info().is_continue_as_new_suggested() and self._recording is None

    def _continue_as_new(self) -> None:
        carried = Carried(self._whistle, self._unrecorded, self._is_registered)
        workflow.continue_as_new(Start(self._opening, carried))


def _refused(refusal: RefusedError) -> ApplicationError:
    return ApplicationError(
        refusal.reason.value,
        {"reason": refusal.reason.value, "parameters": refusal.parameters},
        type=REFUSED,
        non_retryable=True,
    )
