"""Every fact is in the record once, in order, and what is folded there is what the facts say."""

import random
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlmodel import col, func, select, update

from activities.database import Database
from activities.folding import folded_state, stored_fact
from activities.queries import facts_of
from activities.record import RecordConflictError, register, write_facts
from models.commands import Reject
from models.facts import Fact, ResultSubmitted
from models.notices import NoticeState, letter_id, notices_of
from models.organisation import Channel
from models.policy import ModeStamp, Stage
from models.recording import RecordBatch, Registered, Registration
from models.tables import EvidenceRow, FactRow, NoticeRow, ObligationRow, TaskRow, WhistleRow
from models.whistle import TaskState
from tests.builders import (
    LEADER,
    SUNDAY_0210,
    Story,
    a_burst_main,
    a_closed_emergency,
    a_noise_complaint,
    a_sounded_emergency,
    minutes,
)

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def registered(database: Database, registration: Registration) -> Registered:
    with database.writing() as session:
        return register(session, registration, NOW)


def written(database: Database, batch: RecordBatch) -> int:
    with database.writing() as session:
        return write_facts(session, batch, NOW)


def assert_recorded(database: Database, story: Story) -> None:
    """The record has the story, the whole story, and its lists say what the fold says."""
    with database.reading() as session:
        assert facts_of(session, story.id) == story.facts
        row = session.get_one(WhistleRow, story.id)
        tasks = session.exec(select(TaskRow).where(TaskRow.whistle_id == story.id)).all()
        limits = session.exec(
            select(ObligationRow).where(ObligationRow.whistle_id == story.id).order_by(col(ObligationRow.position))
        ).all()
    assert folded_state(row.folded or "") == story.whistle
    assert (row.head_number, row.head_hash, row.state) == (
        story.whistle.number,
        story.whistle.head_hash,
        story.whistle.state,
    )
    assert {task.unit: task.state for task in tasks} == {task.unit: task.state for task in story.whistle.tasks}
    assert [(each.owner, each.stage, each.due_at, each.met_at) for each in limits] == [
        (each.owner, each.stage, each.due_at, each.met_at) for each in story.whistle.limits
    ]


def test_a_whole_story_is_recorded_as_it_was_told(database: Database) -> None:
    story = a_closed_emergency("k")

    answer = registered(database, story.registration())

    assert answer == Registered(number="JINFENG-2026-000001", mode=ModeStamp())
    assert_recorded(database, story)


def test_facts_come_back_with_hashes_that_fit(database: Database) -> None:
    story = a_closed_emergency("k")
    registered(database, story.registration())

    with database.reading() as session:
        found = facts_of(session, story.id)
        last = facts_of(session, story.id, after=20)

    assert all(fact.is_sealed_truly for fact in found)
    assert last == story.facts[20:]


def test_a_story_told_fact_by_fact_and_each_twice_is_recorded_once(database: Database) -> None:
    story = a_closed_emergency("k")

    for number in range(1, len(story.facts) + 1):
        batch = story.batch(number, number)
        assert [written(database, batch), written(database, batch)] == [number, number]

    assert_recorded(database, story)


@pytest.mark.parametrize("seed", range(3))
def test_facts_in_any_order_are_folded_when_the_gap_closes(database: Database, seed: int) -> None:
    story = a_closed_emergency("k")
    numbers = list(range(1, len(story.facts) + 1))
    random.Random(seed).shuffle(numbers)  # noqa: S311 (an order, not a secret)

    arrived: set[int] = set()
    for number in numbers:
        arrived.add(number)
        through = written(database, story.batch(number, number))
        assert through == next(n for n in range(len(numbers) + 1) if n + 1 not in arrived)

    assert_recorded(database, story)


def test_behind_a_gap_nothing_is_folded_and_nothing_lost(database: Database) -> None:
    story = a_closed_emergency("k")
    written(database, story.batch(1, 3))

    through = written(database, story.batch(5, 9))

    with database.reading() as session:
        row = session.get_one(WhistleRow, story.id)
        stored = session.exec(select(func.count()).select_from(FactRow)).one()
    assert (through, row.head_number, row.head_hash) == (3, 3, story.facts[2].hash)
    assert stored == 8
    assert written(database, story.batch(4, 4)) == 9


def test_a_batch_of_nothing_says_how_far_the_record_is(database: Database) -> None:
    story = a_sounded_emergency("k")
    registered(database, story.registration())

    assert written(database, RecordBatch(whistle_id=story.id, facts=())) == len(story.facts)


def test_another_fact_under_the_same_number_is_refused_and_changes_nothing(database: Database) -> None:
    story = a_sounded_emergency("k")
    registered(database, story.registration())
    other = Story("k").source(at=SUNDAY_0210 + minutes(1)).blow(a_burst_main())

    with pytest.raises(RecordConflictError, match="fact 1 "):
        written(database, other.batch())

    assert_recorded(database, story)


def test_a_fact_that_does_not_join_the_one_before_is_refused_and_changes_nothing(database: Database) -> None:
    story = a_sounded_emergency("k")
    registered(database, story.registration())
    other = Story("k").source(at=SUNDAY_0210 + minutes(1)).blow(a_burst_main()).wait(minutes(6))

    with pytest.raises(RecordConflictError):
        written(database, other.batch(first=len(story.facts) + 1))

    assert_recorded(database, story)


def test_a_fact_whose_content_was_altered_is_refused(database: Database) -> None:
    story = a_sounded_emergency("k")
    first = story.facts[0]
    altered = Fact(**{**dict(first), "actor": "o-cczl-duty-2"})

    with pytest.raises(RecordConflictError, match="fact 1 "):
        written(database, RecordBatch(whistle_id=story.id, facts=(altered,)))

    with database.reading() as session:
        assert session.get(WhistleRow, story.id) is None


def test_a_stray_from_another_chain_is_found_when_the_gap_closes(database: Database) -> None:
    story = a_sounded_emergency("k").wait(minutes(6))
    other = Story("k").source(at=SUNDAY_0210 + minutes(1)).blow(a_burst_main()).wait(minutes(6))
    written(database, story.batch(1, 3))
    written(database, other.batch(5, 5))

    with pytest.raises(RecordConflictError, match="fact 5 "):
        written(database, story.batch(4, 4))


def test_a_row_that_somebody_altered_comes_back_with_a_hash_that_does_not_fit(database: Database) -> None:
    story = a_sounded_emergency("k")
    registered(database, story.registration())

    with database.writing() as session:
        session.connection().execute(update(FactRow).where(col(FactRow.number) == 2).values(actor="o-nobody"))

    with database.reading() as session:
        row = session.get_one(FactRow, (story.id, 2))
    assert not stored_fact(row).is_sealed_truly


def test_each_officer_who_is_told_gets_one_letter_for_each_channel(database: Database) -> None:
    story = a_sounded_emergency("k").wait(minutes(56))
    registered(database, story.registration())
    registered(database, story.registration())

    with database.reading() as session:
        rows = session.exec(select(NoticeRow)).all()

    told = [notice for fact in story.facts for notice in notices_of(fact)]
    assert {row.id for row in rows} >= {letter_id(x.fact_hash, x.receiver, Channel.FILE) for x in told}
    assert Counter(row.channel for row in rows if row.receiver == "o-hq-director").keys() == set(Channel)
    assert {(row.state, row.attempts, row.drill, row.created_at) for row in rows} == {
        (NoticeState.PENDING, 0, False, NOW)
    }


def test_letters_do_not_wait_for_a_gap_to_close(database: Database) -> None:
    story = a_sounded_emergency("k")
    sounded = next(fact for fact in story.facts if fact.type == "whistle_sounded")

    written(database, story.batch(sounded.number, sounded.number))

    with database.reading() as session:
        receivers = session.exec(select(NoticeRow.receiver)).all()
    assert set(receivers) == {notice.receiver for notice in notices_of(sounded)}


def test_evidence_is_found_by_its_hash(database: Database) -> None:
    story = a_closed_emergency("k")
    registered(database, story.registration())

    with database.reading() as session:
        files = session.exec(select(EvidenceRow).order_by(col(EvidenceRow.fact_number))).all()

    submitted = [fact.detail for fact in story.facts if isinstance(fact.detail, ResultSubmitted)]
    assert [(file.sha256, file.name) for file in files] == [
        (each.evidence[0].sha256, each.evidence[0].name) for each in submitted
    ]


def test_the_countdown_is_that_of_the_nearest_limit_still_owed(database: Database) -> None:
    story = a_sounded_emergency("k")
    registered(database, story.registration())

    with database.reading() as session:
        row = session.get_one(WhistleRow, story.id)
        task = session.get_one(TaskRow, (story.id, "police-cczl"))

    assert (row.next_due, row.next_due_stage) == (SUNDAY_0210 + minutes(5), Stage.ACK)
    assert (task.next_due, task.state, task.missed) == (SUNDAY_0210 + minutes(5), TaskState.ISSUED, 0)


def test_a_whistle_sent_back_to_the_draft_owes_no_tasks(database: Database) -> None:
    story = Story("k").source().blow(a_noise_complaint())
    registered(database, story.registration())

    story.act(Reject(reason="talk to them first", back_to_draft=True), by=LEADER, after=minutes(5))
    written(database, story.batch())

    assert_recorded(database, story)
