"""Many write at once; the record is as if they had come one after the other."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TypeVar

from sqlmodel import col, func, select, update
from temporalio.testing import ActivityEnvironment

from activities.database import Database, RecordAwayError
from activities.folding import folded_state
from activities.queries import facts_of
from activities.record import RecordActivities, register, write_facts
from models.policy import Phase
from models.recording import RecordBatch
from models.tables import DistrictRow, NoticeRow, WhistleRow
from tests.builders import Story, a_closed_emergency, a_sounded_emergency

NOW = datetime(2026, 3, 2, tzinfo=UTC)
WRITERS = 6
T = TypeVar("T")


def all_at_once(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Make all calls in threads; like an activity, each tries again while the record is away."""

    def persistently(call: Callable[[], T]) -> T:
        while True:
            try:
                return call()
            except RecordAwayError:
                continue

    with ThreadPoolExecutor(WRITERS) as pool:
        return [future.result() for future in [pool.submit(persistently, call) for call in calls]]


def writing(database: Database, batch: RecordBatch) -> Callable[[], int]:
    def write() -> int:
        with database.writing() as session:
            return write_facts(session, batch, NOW)

    return write


def registering(database: Database, story: Story) -> Callable[[], tuple[str, int]]:
    def register_it() -> tuple[str, int]:
        with database.writing() as session:
            answer = register(session, story.registration(), NOW)
        return answer.number, answer.mode.epoch

    return register_it


def test_overlapping_batches_from_many_writers_are_recorded_once(database: Database) -> None:
    story = a_closed_emergency("k")
    batches = [story.batch(first, first + 8) for first in range(1, len(story.facts) + 1, 2)]

    all_at_once(writing(database, batch) for batch in (*batches, *reversed(batches)))

    with database.reading() as session:
        assert facts_of(session, story.id) == story.facts
        assert folded_state(session.get_one(WhistleRow, story.id).folded or "") == story.whistle
        letters = session.exec(select(NoticeRow.id)).all()
    assert len(letters) == len(set(letters))


def test_openings_at_the_same_time_get_numbers_without_gap_or_twin(database: Database) -> None:
    stories = [a_sounded_emergency(f"k{place}") for place in range(12)]

    answers = all_at_once(registering(database, story) for story in (*stories, *stories))

    assert answers[:12] == answers[12:]
    assert {number for number, _ in answers} == {f"JINFENG-2026-{place:06d}" for place in range(1, 13)}


def test_a_switch_of_mode_finds_every_whistle_or_the_whistle_finds_the_switch(own_database: Database) -> None:
    database = own_database
    stories = [a_sounded_emergency(f"k{place}") for place in range(12)]

    def switch() -> tuple[str, int]:
        with database.writing() as session:
            session.connection().execute(update(DistrictRow).values(phase=Phase.RESPONSE, level=2, epoch=1))
        with database.reading() as session:
            below = session.exec(select(WhistleRow.key).where(col(WhistleRow.epoch) < 1)).all()
        found.update(below)
        return "switch", 1

    found: set[str] = set()
    calls = [registering(database, story) for story in stories]
    answers = all_at_once([*calls[:6], switch, *calls[6:]])

    told = {story.key for story, (_, epoch) in zip(stories, answers[:6] + answers[7:], strict=True) if epoch == 1}
    assert found | told == {story.key for story in stories}


def test_activities_write_what_the_functions_write(database: Database) -> None:
    story = a_closed_emergency("k")
    activities = RecordActivities(database)
    environment = ActivityEnvironment()

    registered = environment.run(activities.register_whistle, story.registration(through=4))
    through = environment.run(activities.record_facts, story.batch(first=5))

    assert registered.number == "JINFENG-2026-000001"
    assert through == len(story.facts)
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(WhistleRow)).one() == 1
        assert facts_of(session, story.id) == story.facts
