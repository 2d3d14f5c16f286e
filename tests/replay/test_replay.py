"""What was recorded once is what today's code would do: the same commands with the same content, the same facts."""

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from models.recompute import recompute
from tests.replay.fixtures import (
    RECORDER,
    STORIES,
    TEST_KEYRING,
    of_this_version,
    read_content,
    read_histories,
    read_transcript,
    transcript,
)
from tests.replay.record import RECORDINGS
from workflows.codec import data_converter
from workflows.connection import NAMESPACE, replay_options
from workflows.history import Story, read_story
from workflows.recording import replay_with_content
from workflows.whistle import WhistleWorkflow

CONVERTER = data_converter(TEST_KEYRING)


async def told(histories: tuple[WorkflowHistory, ...]) -> Story:
    return await read_story(histories, histories[0].workflow_id, CONVERTER, NAMESPACE)


def test_this_version_has_recorded_every_story() -> None:
    assert {of_this_version(story) for story in RECORDINGS} <= set(STORIES)


@pytest.mark.parametrize("name", STORIES)
async def test_todays_code_says_the_same_in_every_command(name: str) -> None:
    for history in read_histories(name):
        assert await replay_with_content([WhistleWorkflow], history, CONVERTER) == []


@pytest.mark.parametrize("name", STORIES)
async def test_todays_worker_takes_the_run_over(name: str) -> None:
    """In the sandbox this time, as a worker that finds the run in the middle of its life."""
    replayer = Replayer(workflows=[WhistleWorkflow], **replay_options(TEST_KEYRING))
    for history in read_histories(name):
        await replayer.replay_workflow(history)


@pytest.mark.parametrize("name", STORIES)
async def test_todays_rules_give_the_same_facts_hash_by_hash(name: str) -> None:
    story = await told(read_histories(name))

    again = recompute(story.opening, story.started_at, story.moments)

    assert transcript(again.facts) == read_transcript(name)
    assert story.ending
    assert (again.whistle.number, again.whistle.head_hash) == (story.ending.number, story.ending.head_hash)


@pytest.mark.parametrize("name", STORIES)
async def test_a_story_names_no_host_and_no_user(name: str) -> None:
    assert identities(read_content(name)) == {RECORDER}


def identities(content: object) -> set[str]:
    """Return everything in a history that says who wrote it."""
    match content:
        case dict():
            own = {value for name, value in content.items() if name == "identity" and isinstance(value, str)}
            return own.union(*map(identities, content.values()))
        case list():
            return set().union(*map(identities, content))
        case _:
            return set()


async def test_a_story_for_each_way_of_life_is_among_them() -> None:
    """Real and drill, one run and several."""
    lives = {name: await told(read_histories(of_this_version(name))) for name in RECORDINGS}

    assert {story.opening.drill_offset_seconds is None for story in lives.values()} == {True, False}
    assert {len(story.histories) > 1 for story in lives.values()} == {True, False}
