"""What a dead door left behind is settled from the run; what never reached a run is called so, but not too soon."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from activities.attempts import WantedAttempts, list_attempts
from activities.database import RecordAwayError
from activities.ledger import Ledger
from models.case import WhistleState
from models.commands import Acknowledge, Act, Cancel, Command, Recorder
from models.recording import Attempt, AttemptOutcome, Begun
from models.tables import FactRow
from models.whistle import TaskState
from tests.small_district import LEAD, SUPPORT, a_blow, a_source, actor_for
from tests.workflow.whistles import Played, Rehearsal, eventually
from workflows.client import PATIENCE, Door
from workflows.connection import EngineUnreachableError
from workflows.sweeper import Sweeper, SweepTerms
from workflows.whistle import WhistleWorkflow

# The doors that die here do so today, whatever date their whistles play on.
NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
TERMS = SweepTerms()
ONE_SECOND = timedelta(seconds=1)


class DyingDoor:
    """Does what a door does, as far as it gets."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.ledger = Ledger(rehearsal.database)

    def begin(self, whistle_id: str | None, act: Act) -> Begun:
        """Announce an act, and die."""
        attempt = Attempt(
            at=NOON,
            verb=act.command.verb,
            door="test",
            whistle_id=whistle_id,
            key=act.key,
            command_hash=act.command_hash,
        )
        return self.ledger.begin(attempt)

    async def act(self, played: Played, act: Act) -> None:
        """Announce an act, say it, hear the answer, and die."""
        begun = self.begin(played.id, act)
        said = act.recorded_by(Recorder.DOOR, through=begun.recorded_through)
        await played.handle.execute_update(WhistleWorkflow.act, said, id=said.key)


def an_act(command: Command, key: str) -> Act:
    return Act(key=key, command=command, actor=actor_for(command), received_at=NOON)


def sweeper(rehearsal: Rehearsal, after: timedelta, patience: timedelta = PATIENCE) -> Sweeper:
    """Return a sweeper who comes so long after the attempts were begun."""
    door = Door(rehearsal.client, rehearsal.database, lambda: NOON, name="sweeper", patience=patience)
    return Sweeper(door, Ledger(rehearsal.database), lambda: NOON + after, TERMS)


def plant_a_fact(played: Played) -> None:
    """Put a fact into the record, after the last one, that no run has brought."""
    last = played.facts()[-1].number
    with played.rehearsal.database.writing() as session:
        genuine = session.get_one(FactRow, (played.id, last)).model_dump()
        session.add(FactRow(**{**genuine, "number": last + 1, "hash": "f" * 64}))


def outcomes(rehearsal: Rehearsal) -> dict[str | None, AttemptOutcome]:
    """Return what became of the attempts that were begun today, by their keys."""
    with rehearsal.database.reading() as session:
        attempts = list_attempts(session, WantedAttempts())
    return {each.attempt.key: each.outcome for each in attempts if each.attempt.at == NOON}


async def test_what_a_dead_door_did_gets_into_the_record(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    before = await played.settled()
    await DyingDoor(stage).act(played, an_act(Acknowledge(unit=LEAD), "k1"))
    assert played.recorded() == before

    await sweeper(stage, TERMS.settle_after + ONE_SECOND).round()

    recorded = played.recorded()
    assert recorded is not None
    assert recorded.task(LEAD).state is TaskState.ACKED
    assert outcomes(stage) == {"k1": AttemptOutcome.DONE}
    assert recorded == await played.state()
    assert (await played.audit()).agrees


async def test_a_door_that_may_still_be_at_it_is_left_alone(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    door = DyingDoor(stage)
    await door.act(played, an_act(Acknowledge(unit=LEAD), "taken"))
    door.begin(played.id, an_act(Acknowledge(unit=SUPPORT), "not-yet"))

    await sweeper(stage, TERMS.settle_after).round()
    untouched = outcomes(stage)
    await sweeper(stage, TERMS.give_up_after - ONE_SECOND).round()

    assert untouched == {"taken": AttemptOutcome.PENDING, "not-yet": AttemptOutcome.PENDING}
    assert outcomes(stage) == {"taken": AttemptOutcome.DONE, "not-yet": AttemptOutcome.PENDING}


async def test_what_never_reached_a_run_is_called_so_in_the_end(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    door = DyingDoor(stage)
    await door.act(played, an_act(Acknowledge(unit=LEAD), "taken"))
    door.begin(played.id, an_act(Acknowledge(unit=SUPPORT), "unsaid"))
    door.begin(played.id, an_act(Acknowledge(unit=SUPPORT), "taken-other"))
    door.begin(f"{played.id}.unknown", an_act(a_blow(), "no-whistle"))
    door.begin(None, an_act(a_blow(), "nowhere"))

    await sweeper(stage, TERMS.give_up_after).round()

    never = dict.fromkeys(("unsaid", "taken-other", "no-whistle", "nowhere"), AttemptOutcome.NEVER_ACCEPTED)
    assert outcomes(stage) == {"taken": AttemptOutcome.DONE} | never


async def test_a_key_that_a_run_knows_for_something_else_was_not_taken(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    await played.say(Acknowledge(unit=LEAD), key="k1")
    DyingDoor(stage).begin(played.id, an_act(Acknowledge(unit=SUPPORT), "k1"))

    await sweeper(stage, TERMS.give_up_after).round()

    assert outcomes(stage) == {"k1": AttemptOutcome.NEVER_ACCEPTED}


async def test_the_last_act_of_a_whistle_is_settled_after_its_end(stage: Rehearsal) -> None:
    played = await stage.blow(a_source(), a_blow())
    await DyingDoor(stage).act(played, an_act(Cancel(reason="a false alarm"), "k1"))
    await played.handle.result()

    await sweeper(stage, TERMS.settle_after + ONE_SECOND).round()

    recorded = played.recorded()
    assert recorded is not None
    assert recorded.state is WhistleState.CANCELLED
    assert outcomes(stage) == {"k1": AttemptOutcome.DONE}


async def test_an_attempt_that_does_not_fit_the_record_is_named_once_and_stops_nobody(stage: Rehearsal) -> None:
    altered, sound = [await stage.blow(a_source(), a_blow()) for _ in range(2)]
    for played in (altered, sound):
        await played.settled()
    door = DyingDoor(stage)
    for played in (altered, sound):
        await door.act(played, an_act(Acknowledge(unit=LEAD), f"{played.key}.k"))
    plant_a_fact(altered)
    late = sweeper(stage, TERMS.settle_after + ONE_SECOND)

    with capture_logs() as lines:
        await late.round()
        await late.round()

    assert outcomes(stage) == {f"{altered.key}.k": AttemptOutcome.PENDING, f"{sound.key}.k": AttemptOutcome.DONE}
    named = [line for line in lines if line["event"] == "attempt_not_settled"]
    assert [(line["workflow_id"], line["reason"]) for line in named] == [(altered.id, "RecordConflictError")]


async def test_where_no_run_answers_the_round_says_so_and_the_next_one_goes_on(rehearsal: Rehearsal) -> None:
    door = DyingDoor(rehearsal)
    async with rehearsal.worker():
        whistles = [await rehearsal.blow(a_source(), a_blow()) for _ in range(3)]
        for played in whistles:
            await played.settled()
            await door.act(played, an_act(Acknowledge(unit=LEAD), f"{played.key}.k"))
    late = sweeper(rehearsal, TERMS.settle_after + ONE_SECOND, patience=timedelta(seconds=0.2))

    with pytest.raises(EngineUnreachableError):
        await late.round()
    async with rehearsal.worker(sweeps=replace(TERMS, every=timedelta(hours=1))):
        await sweeper(rehearsal, TERMS.settle_after + ONE_SECOND).round()

    assert set(outcomes(rehearsal).values()) == {AttemptOutcome.DONE}


async def test_with_the_record_away_the_round_says_so(stage: Rehearsal) -> None:
    stage.database.close()
    file = stage.notices_file.with_name("whistle.db")
    file.rename(file.with_suffix(".away"))

    with pytest.raises(RecordAwayError):
        await sweeper(stage, TERMS.settle_after).round()

    file.with_suffix(".away").rename(file)


async def test_a_worker_sweeps_by_itself(rehearsal: Rehearsal) -> None:
    often = SweepTerms(every=timedelta(milliseconds=50), settle_after=timedelta(), give_up_after=timedelta())
    async with rehearsal.worker(sweeps=often):
        played = await rehearsal.blow(a_source(), a_blow())
        DyingDoor(rehearsal).begin(played.id, an_act(Acknowledge(unit=SUPPORT), "unsaid"))

        async def is_settled() -> bool:
            return outcomes(rehearsal) == {"unsaid": AttemptOutcome.NEVER_ACCEPTED}

        await eventually(is_settled)
