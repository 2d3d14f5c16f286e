"""Checks one whistle against itself: replay, recomputation, record. Trusts none of the three.

1. Its histories are replayed with today's code, and the content of every command is compared.
2. Every fact and limit is recomputed from the acts and the instants at which the engine looked, without Temporal.
3. The record's facts are compared with those, hash by hash, and the rows that lists read with the recomputed state.
4. What the run said at its end is compared with the recomputed head of the chain.
"""

from dataclasses import dataclass

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.agreement import disagreements
from activities.database import Database
from activities.queries import facts_of
from models.lapse import Outcome
from models.recompute import Difference, first_difference, recompute
from workflows.client import WhistleNotFoundError
from workflows.connection import EngineUnreachableError
from workflows.history import Story, UnreadableHistoryError, fetch_histories, read_story
from workflows.recording import replay_with_content
from workflows.whistle import WhistleWorkflow


@dataclass(frozen=True)
class Finding:
    """What an audit found. ``differences`` is empty if all accounts agree; the first one is the first in time.

    ``record_lag`` counts facts of an open run that the record does not have yet: a delay, not a difference.
    """

    whistle_id: str
    runs: int
    events: int
    acts: int
    facts: int
    head_hash: str
    record_lag: int
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether all accounts of the whistle are the same."""
        return not self.differences


async def audit(client: Client, database: Database, whistle_id: str) -> Finding:
    """Return what an audit of the whistle finds.

    Raises:
        WhistleNotFoundError: if Temporal has no such whistle.
        EngineUnreachableError: if Temporal does not answer.
        RecordAwayError: if the record does not answer.
    """
    try:
        histories = await fetch_histories(client, whistle_id)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise WhistleNotFoundError(whistle_id) from error
        raise EngineUnreachableError(error.status.name) from error
    events = sum(len(history.events) for history in histories)
    try:
        story = await read_story(histories, whistle_id, client.data_converter, client.namespace)
    except UnreadableHistoryError as error:
        unread = Difference("history_unreadable", error.event_id, error.kind, "-")
        return Finding(whistle_id, len(histories), events, 0, 0, "", 0, (unread,))
    again = recompute(story.opening, story.started_at, story.moments)
    lag, against_record = _against_record(database, story, again)
    differences = (*against_record, *_against_ending(story, again), *await _against_replay(client, story))
    acts = len(story.opening.acts) + sum(len(moment.acts) for moment in story.moments)
    head = again.whistle.head_hash
    return Finding(whistle_id, len(histories), events, acts, len(again.facts), head, lag, differences)


def _against_record(database: Database, story: Story, again: Outcome) -> tuple[int, tuple[Difference, ...]]:
    with database.reading() as session:
        recorded = facts_of(session, again.whistle.id)
        lag = max(0, len(again.facts) - len(recorded)) if story.ending is None else 0
        expected = again.facts[: len(recorded)] if lag else again.facts
        difference = first_difference(expected, recorded)
        if difference is not None:
            return lag, (difference,)
        unlike = None if lag else next(disagreements(session, again.whistle), None)
    if unlike is None:
        return lag, ()
    return lag, (Difference("state_differs", again.whistle.number, unlike.place, unlike.column),)


def _against_ending(story: Story, again: Outcome) -> tuple[Difference, ...]:
    ending, whistle = story.ending, again.whistle
    if ending is None or (ending.number, ending.head_hash) == (whistle.number, whistle.head_hash):
        return ()
    return (Difference("ending_differs", ending.number, whistle.head_hash, ending.head_hash),)


async def _against_replay(client: Client, story: Story) -> tuple[Difference, ...]:
    # The values may hold people's words: name the place, not what stands there.
    return tuple(
        [
            Difference("replay_differs", 0, unlike.place, unlike.aspect)
            for history in story.histories
            for unlike in await replay_with_content([WhistleWorkflow], history, client.data_converter)
        ]
    )
