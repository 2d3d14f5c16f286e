"""A district is installed once, published law stays, and people get in with what they were given."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from activities.credentials import HeldPost
from activities.database import Database, RecordAwayError
from activities.directory import (
    ONE_SHIFT,
    SNAPSHOT_FILE,
    InstalledDistrict,
    LawPublishedError,
    ProfileDiffersError,
    WrongPasscodeError,
    admit,
    current_profile,
    install_profile,
    installed_district,
    installed_districts,
    publish_calendar_year,
    read_snapshot,
    restore,
    snapshot,
    write_snapshot,
)
from activities.profiles import load_profile
from models.canonical import digest
from models.holidays import CalendarYear
from models.organisation import Post
from models.policy import ModeStamp, Phase
from models.recording import LawKind, Purpose, UnknownDistrictError
from models.tables import AppointmentRow, DistrictRow, LawRow, OfficerRow
from tests.builders import SUNDAY_0210, WATER, jinfeng

NEW_YEAR = CalendarYear(year=2031, holidays=(date(2031, 1, 1),), source="a notice")
PARTS_THAT_DIFFER: dict[str, dict[str, object]] = {
    "policy": {"policy": jinfeng().policy.model_copy(update={"version": "other"})},
    "calendar": {"calendar": jinfeng().calendar.with_year(NEW_YEAR, jinfeng().calendar.version)},
    "duties": {"duties": jinfeng().duties.model_copy(update={"items": jinfeng().duties.items[1:]})},
    "organisation": {
        "organisation": jinfeng().organisation.model_copy(
            update={"appointments": jinfeng().organisation.appointments[1:]}
        )
    },
    "district": {"name_en": "Another name"},
}


@pytest.fixture
def ready(empty_database: Database) -> Database:
    """A record with tables and no district."""
    empty_database.migrate()
    return empty_database


@pytest.mark.parametrize("name", ["jinfeng", "los-angeles"])
def test_a_profile_comes_back_from_the_record_as_it_was_written(ready: Database, name: str) -> None:
    profile = load_profile(name)

    passcodes = install_profile(ready, profile, Purpose.REAL, SUNDAY_0210)

    with ready.reading() as session:
        assert current_profile(session, name) == profile
        assert installed_districts(session) == (name,)
        assert installed_district(session, name).mode == ModeStamp()
    assert passcodes.keys() == {officer.token for officer in profile.organisation.officers}
    assert len(set(passcodes.values())) == len(passcodes)


def test_law_is_kept_with_the_hash_of_its_content(database: Database) -> None:
    with database.reading() as session:
        laws = session.exec(select(LawRow)).all()

    assert {law.kind: law.hash for law in laws} == {
        LawKind.POLICY: digest(jinfeng().policy),
        LawKind.CALENDAR: digest(jinfeng().calendar),
        LawKind.DUTIES: digest(jinfeng().duties),
        LawKind.ORGANISATION: digest(jinfeng().organisation),
    }


def test_the_record_holds_no_passcode(ready: Database) -> None:
    passcodes = install_profile(ready, jinfeng(), Purpose.REAL, SUNDAY_0210)

    with ready.reading() as session:
        hashes = session.exec(select(OfficerRow.passcode_hash)).all()

    assert not [kept for kept in hashes for passcode in passcodes.values() if passcode in kept]
    assert all(kept.startswith("$argon2id$") for kept in hashes)


def test_installing_the_same_once_more_changes_nothing(database: Database) -> None:
    with database.reading() as session:
        before = session.exec(select(OfficerRow.passcode_hash).order_by(OfficerRow.token)).all()

    assert install_profile(database, jinfeng(), Purpose.REAL, SUNDAY_0210) == {}

    with database.reading() as session:
        assert session.exec(select(OfficerRow.passcode_hash).order_by(OfficerRow.token)).all() == before


@pytest.mark.parametrize("part", PARTS_THAT_DIFFER)
def test_installing_other_content_is_refused_and_changes_nothing(database: Database, part: str) -> None:
    other = jinfeng().model_copy(update=PARTS_THAT_DIFFER[part])

    with pytest.raises(ProfileDiffersError) as caught:
        install_profile(database, other, Purpose.REAL, SUNDAY_0210)

    assert caught.value.parts == (part,)
    with database.reading() as session:
        assert current_profile(session, "jinfeng") == jinfeng()


def test_a_record_of_real_work_does_not_become_that_of_a_drill(database: Database) -> None:
    with pytest.raises(ProfileDiffersError, match="purpose"):
        install_profile(database, jinfeng(), Purpose.DRILL, SUNDAY_0210)


def test_an_unknown_district_is_named(database: Database) -> None:
    with database.reading() as session, pytest.raises(UnknownDistrictError, match="nowhere"):
        current_profile(session, "nowhere")
    with pytest.raises(UnknownDistrictError, match="nowhere"):
        publish_calendar_year(database, "nowhere", NEW_YEAR, "v2", SUNDAY_0210)


def test_a_published_year_is_in_force_and_the_version_before_it_stays(own_database: Database) -> None:
    published = publish_calendar_year(own_database, "jinfeng", NEW_YEAR, "cn-2031.1", SUNDAY_0210)
    again = publish_calendar_year(own_database, "jinfeng", NEW_YEAR, "cn-2031.1", SUNDAY_0210)

    with own_database.reading() as session:
        assert current_profile(session, "jinfeng").calendar == published == again
        versions = session.exec(select(LawRow.version).where(LawRow.kind == LawKind.CALENDAR)).all()
    assert published.published_years == jinfeng().calendar.published_years | {2031}
    assert set(versions) == {jinfeng().calendar.version, "cn-2031.1"}


def test_a_published_version_does_not_change(own_database: Database) -> None:
    publish_calendar_year(own_database, "jinfeng", NEW_YEAR, "cn-2031.1", SUNDAY_0210)
    corrected = CalendarYear(year=2031, holidays=(date(2031, 1, 2),), source="a notice")

    with pytest.raises(LawPublishedError, match=r"cn-2031\.1"):
        publish_calendar_year(own_database, "jinfeng", corrected, "cn-2031.1", SUNDAY_0210)


def test_a_profile_may_be_installed_again_after_a_year_was_published(own_database: Database) -> None:
    publish_calendar_year(own_database, "jinfeng", NEW_YEAR, "cn-2031.1", SUNDAY_0210)

    assert install_profile(own_database, jinfeng(), Purpose.REAL, SUNDAY_0210) == {}


def test_an_officer_with_the_passcode_is_admitted_to_the_offices_of_that_day(ready: Database) -> None:
    passcodes = install_profile(ready, jinfeng(), Purpose.REAL, SUNDAY_0210)
    with ready.writing() as session:
        session.connection().execute(
            update(AppointmentRow).where(col(AppointmentRow.officer) == WATER).values(valid_to=date(2026, 3, 1))
        )

    # 18:10 UTC is already the first of March in Yinchuan, the first day that counts no more.
    before = admit(ready, "jinfeng", WATER, passcodes[WATER], SUNDAY_0210 - timedelta(hours=3))
    after = admit(ready, "jinfeng", WATER, passcodes[WATER].lower(), SUNDAY_0210)

    assert before.appointments == (HeldPost(unit="water", post=Post.UTILITY_OPERATOR),)
    assert after.appointments == ()
    assert (after.officer, after.district) == (WATER, "jinfeng")
    assert after.expires_at - after.issued_at == ONE_SHIFT


@pytest.mark.parametrize("officer", [WATER, "o-nobody", ""])
def test_nobody_else_is_admitted_and_nobody_learns_why(database: Database, officer: str) -> None:
    with pytest.raises(WrongPasscodeError) as caught:
        admit(database, "jinfeng", officer, "AAAA-AAAA-AAAA-AAAA", SUNDAY_0210)

    assert str(caught.value) == ""


def test_a_snapshot_lets_a_door_act_while_the_record_is_away(own_database: Database, tmp_path: Path) -> None:
    with own_database.writing() as session:
        session.connection().execute(update(DistrictRow).values(phase=Phase.ALERT, level=1, epoch=3))
    with own_database.reading() as session:
        installed = installed_district(session, "jinfeng")

    write_snapshot(tmp_path, installed)
    write_snapshot(tmp_path, installed)

    expected = InstalledDistrict(
        profile=jinfeng(), mode=ModeStamp(phase=Phase.ALERT, level=1, epoch=3), purpose=Purpose.REAL
    )
    assert read_snapshot(tmp_path) == expected == restore(snapshot(installed))
    assert (tmp_path / SNAPSHOT_FILE).stat().st_mode & 0o777 == 0o600
    assert b"argon2" not in (tmp_path / SNAPSHOT_FILE).read_bytes()


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"profile": 1}'])
def test_without_a_snapshot_that_can_be_read_there_is_none(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / SNAPSHOT_FILE).write_bytes(content)

    assert read_snapshot(tmp_path) is None


def test_with_the_record_away_nobody_is_admitted(tmp_path: Path) -> None:
    away = Database.open(f"sqlite:///{tmp_path / 'none.db'}")

    with pytest.raises(RecordAwayError):
        admit(away, "jinfeng", WATER, "AAAA-AAAA-AAAA-AAAA", SUNDAY_0210)
