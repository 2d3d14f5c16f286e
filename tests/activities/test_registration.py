"""A whistle is registered once, under a number that people can say, in the record that is meant for it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select, update

from activities.database import Database
from activities.queries import find_whistle
from activities.record import DrillMismatchError, register, write_facts
from models.policy import ModeStamp, Phase
from models.recording import Purpose, RecordBatch, Registered, Registration, UnknownDistrictError
from models.tables import DistrictRow, NoticeRow
from tests.activities.districts import with_jinfeng
from tests.builders import SUNDAY_0210, a_sounded_emergency

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def registered(database: Database, registration: Registration) -> Registered:
    with database.writing() as session:
        return register(session, registration, NOW)


def written(database: Database, batch: RecordBatch) -> int:
    with database.writing() as session:
        return write_facts(session, batch, NOW)


def test_registering_twice_gives_the_same_number(database: Database) -> None:
    story = a_sounded_emergency("k")

    first = registered(database, story.registration())
    second = registered(database, story.registration())

    assert first == second


def test_numbers_are_given_out_by_district_and_local_year_without_a_gap(database: Database) -> None:
    # 16:30 UTC on New Year's Eve is already next year in Yinchuan.
    new_year = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
    openings = (SUNDAY_0210, SUNDAY_0210 + timedelta(days=1), new_year)

    numbers = [
        registered(database, a_sounded_emergency(f"k{place}", at=at).registration()).number
        for place, at in enumerate(openings)
    ]

    assert numbers == ["JINFENG-2026-000001", "JINFENG-2026-000002", "JINFENG-2027-000001"]


def test_an_opening_that_is_rolled_back_leaves_no_gap_in_the_numbers(database: Database) -> None:
    with database.writing() as session:
        register(session, a_sounded_emergency("k1").registration(), NOW)
        session.rollback()

    assert registered(database, a_sounded_emergency("k2").registration()).number == "JINFENG-2026-000001"


def test_a_door_may_come_before_the_run_has_registered(database: Database) -> None:
    story = a_sounded_emergency("k")

    written(database, story.batch())

    with database.reading() as session:
        assert find_whistle(session, "k").number == "JINFENG-2026-000001"
    assert registered(database, story.registration()).number == "JINFENG-2026-000001"


def test_registration_says_the_mode_that_the_district_is_in(own_database: Database) -> None:
    with own_database.writing() as session:
        session.connection().execute(update(DistrictRow).values(phase=Phase.RESPONSE, level=2, epoch=7))

    answer = registered(own_database, a_sounded_emergency("k").registration())

    assert answer.mode == ModeStamp(phase=Phase.RESPONSE, level=2, epoch=7)


def test_a_drill_has_no_place_in_a_record_of_real_work(database: Database) -> None:
    with pytest.raises(DrillMismatchError, match="real"):
        registered(database, a_sounded_emergency("k").registration(drill=True))


def test_real_work_has_no_place_in_the_record_of_a_drill(empty_database: Database) -> None:
    with_jinfeng(empty_database, Purpose.DRILL)
    story = a_sounded_emergency("k")

    with pytest.raises(DrillMismatchError, match="drill"):
        registered(empty_database, story.registration())
    registered(empty_database, story.registration(drill=True))

    with empty_database.reading() as session:
        assert find_whistle(session, "k").drill
        assert all(session.exec(select(NoticeRow.drill)).all())


def test_a_whistle_of_an_unknown_district_is_refused(database: Database) -> None:
    story = a_sounded_emergency("k")

    with pytest.raises(UnknownDistrictError, match="nowhere"):
        registered(database, Registration(district="nowhere", key="k", drill=False, facts=story.facts))
    with pytest.raises(UnknownDistrictError, match="nowhere"):
        written(database, RecordBatch(whistle_id="whistle/nowhere/k", facts=story.facts))
