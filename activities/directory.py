"""Keeps the district: who there is and which law applies, installed once from a profile and added to since.

Published law is never edited. A snapshot of all of it lies beside the record, so that a door can go on while the record
is away.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from sqlmodel import Session, SQLModel, col, select

from activities.credentials import Claims, HeldPost, hashed, matches, new_passcode, nobodys_hash
from activities.database import Database
from activities.lasting import replace_file
from models.calendar import WorkCalendar
from models.canonical import digest
from models.duties import DutyLists
from models.holidays import CalendarYear
from models.organisation import Appointment, Officer, Organisation, Unit
from models.policy import Frozen, ModeStamp, Phase, Policy
from models.profile import Profile
from models.recording import LawKind, Purpose, UnknownDistrictError
from models.tables import AppointmentRow, DistrictRow, LawRow, OfficerRow, UnitRow

SNAPSHOT_FILE = "district.json"
ONE_SHIFT = timedelta(hours=12)
_VERSION_DIGITS = 12
Part = TypeVar("Part", bound=BaseModel)


class ProfileDiffersError(Exception):
    """The district is installed with other content. ``parts`` says in which parts; nothing was changed."""

    def __init__(self, code: str, parts: tuple[str, ...]) -> None:
        super().__init__(f"'{code}' is installed with other content: {', '.join(parts)}")
        self.code = code
        self.parts = parts


class LawPublishedError(Exception):
    """This version is published with other content. A change needs a version of its own."""

    def __init__(self, kind: LawKind, version: str) -> None:
        super().__init__(f"{kind} '{version}' is published with other content")
        self.kind = kind
        self.version = version


class WrongPasscodeError(Exception):
    """No officer of that token has that passcode. Which of the two is wrong is not said."""


class InstalledDistrict(Frozen):
    """A district as the record has it now: its people, the law in force, its mode, and what the record is for."""

    profile: Profile
    mode: ModeStamp
    purpose: Purpose


def install_profile(database: Database, profile: Profile, purpose: Purpose, now: datetime) -> dict[str, str]:
    """Install a district and return the passcode of each officer, which nobody can find out again.

    Installing the same once more changes nothing and returns nothing.

    Raises:
        ProfileDiffersError: if the district is there with other content.
    """
    with database.writing() as session:
        installed = session.get(DistrictRow, profile.code)
        if installed is not None:
            _require_same(session, installed, profile, purpose)
            return {}
        passcodes = {officer.token: new_passcode() for officer in profile.organisation.officers}
        session.add(_district_row(profile, purpose))
        session.flush()
        session.add_all(_law_row(profile.code, kind, part, now) for kind, part in _parts(profile).items())
        session.add_all(_people(profile, passcodes))
    return passcodes


def publish_calendar_year(
    database: Database, code: str, year: CalendarYear, version: str, now: datetime
) -> WorkCalendar:
    """Put a new version of the calendar in force that knows ``year``, and return it. Open whistles are told by others.

    Publishing the same once more changes nothing.

    Raises:
        UnknownDistrictError: if there is no such district.
        LawPublishedError: if that version is there with other content.
    """
    with database.writing() as session:
        district = session.get(DistrictRow, code, with_for_update=True)
        if district is None:
            raise UnknownDistrictError(code)
        published = session.get(LawRow, (code, LawKind.CALENDAR, version))
        if published is not None:
            calendar = WorkCalendar.model_validate(published.body)
            if year not in calendar.years:
                raise LawPublishedError(LawKind.CALENDAR, version)
            return calendar
        in_force = WorkCalendar.model_validate(_law(session, code, LawKind.CALENDAR, district.calendar_version))
        calendar = in_force.with_year(year, version)
        session.add(_law_row(code, LawKind.CALENDAR, calendar, now))
        district.calendar_version = version
    return calendar


def installed_districts(session: Session) -> tuple[str, ...]:
    """Return the codes of the districts that the record holds."""
    return tuple(session.exec(select(DistrictRow.code).order_by(DistrictRow.code)).all())


def installed_district(session: Session, code: str) -> InstalledDistrict:
    """Return the district as it is now.

    Raises:
        UnknownDistrictError: if there is no such district.
    """
    row = session.get(DistrictRow, code)
    if row is None:
        raise UnknownDistrictError(code)
    profile = Profile(
        code=code,
        name_zh=row.name_zh,
        name_en=row.name_en,
        zone=row.zone,
        organisation=_organisation(session, code),
        duties=DutyLists.model_validate(_law(session, code, LawKind.DUTIES, row.duties_version)),
        policy=Policy.model_validate(_law(session, code, LawKind.POLICY, row.policy_version)),
        calendar=WorkCalendar.model_validate(_law(session, code, LawKind.CALENDAR, row.calendar_version)),
    )
    mode = ModeStamp(phase=row.phase, level=row.level, epoch=row.epoch)
    return InstalledDistrict(profile=profile, mode=mode, purpose=row.purpose)


def current_profile(session: Session, code: str) -> Profile:
    """Return the district's people and the law in force.

    Raises:
        UnknownDistrictError: if there is no such district.
    """
    return installed_district(session, code).profile


def admit(database: Database, code: str, officer: str, passcode: str, now: datetime) -> Claims:
    """Return what a token for ``officer`` is to say: the offices held today, good for one shift.

    Raises:
        UnknownDistrictError: if there is no such district.
        WrongPasscodeError: if there is no such officer, or the passcode is another.
    """
    with database.reading() as session:
        profile = current_profile(session, code)
        row = session.get(OfficerRow, (code, officer))
    # Both ways take as long, so nobody learns from the clock which tokens there are.
    if not matches(row.passcode_hash if row else nobodys_hash(), passcode) or row is None:
        raise WrongPasscodeError
    held = profile.organisation.posts_of(officer, now.astimezone(profile.calendar.tz).date())
    return Claims(
        district=code,
        officer=officer,
        appointments=tuple(HeldPost(unit=each.unit, post=each.post) for each in held),
        issued_at=now,
        expires_at=now + ONE_SHIFT,
    )


def snapshot(installed: InstalledDistrict) -> bytes:
    """Return a district as a file can hold it. Passcodes are not in it."""
    return installed.model_dump_json().encode()


def restore(content: bytes) -> InstalledDistrict:
    """Return the district that `snapshot` has written.

    Raises:
        ValidationError: if another version wrote it, or nobody did.
    """
    return InstalledDistrict.model_validate_json(content)


def write_snapshot(home: Path, installed: InstalledDistrict) -> None:
    """Keep the district in ``home``, in the place of what was kept there."""
    replace_file(home / SNAPSHOT_FILE, [snapshot(installed)])


def read_snapshot(home: Path) -> InstalledDistrict | None:
    """Return the district that is kept in ``home``, or None if there is none that this version can read."""
    try:
        return restore((home / SNAPSHOT_FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _parts(profile: Profile) -> dict[LawKind, BaseModel]:
    return {
        LawKind.POLICY: profile.policy,
        LawKind.CALENDAR: profile.calendar,
        LawKind.DUTIES: profile.duties,
        LawKind.ORGANISATION: profile.organisation,
    }


def _version(part: BaseModel) -> str:
    """Return the version a part names itself by, or one made from its content."""
    return str(getattr(part, "version", None) or digest(part)[:_VERSION_DIGITS])


def _law_row(code: str, kind: LawKind, part: BaseModel, now: datetime) -> LawRow:
    return LawRow(
        district=code,
        kind=kind,
        version=_version(part),
        hash=digest(part),
        body=part.model_dump(mode="json"),
        published_at=now,
    )


def _district_row(profile: Profile, purpose: Purpose) -> DistrictRow:
    return DistrictRow(
        code=profile.code,
        name_zh=profile.name_zh,
        name_en=profile.name_en,
        zone=profile.zone,
        purpose=purpose,
        phase=Phase.NORMAL,
        policy_version=profile.policy.version,
        calendar_version=profile.calendar.version,
        duties_version=_version(profile.duties),
    )


def _people(profile: Profile, passcodes: dict[str, str]) -> Iterator[SQLModel]:
    code, organisation = profile.code, profile.organisation
    for position, unit in enumerate(organisation.units):
        yield UnitRow(district=code, position=position, **unit.model_dump())
    for position, officer in enumerate(organisation.officers):
        labels = officer.model_dump(mode="json")
        yield OfficerRow(district=code, position=position, passcode_hash=hashed(passcodes[officer.token]), **labels)
    for position, appointment in enumerate(organisation.appointments):
        yield AppointmentRow(district=code, position=position, **appointment.model_dump())


def _require_same(session: Session, row: DistrictRow, profile: Profile, purpose: Purpose) -> None:
    laws = session.exec(select(LawRow).where(LawRow.district == row.code)).all()
    # Compared as values, not by hash: a later version of the program may know more fields.
    differing = [
        kind.value
        for kind, part in _parts(profile).items()
        if not any(type(part).model_validate(law.body) == part for law in laws if law.kind is kind)
    ]
    if (row.name_zh, row.name_en, row.zone) != (profile.name_zh, profile.name_en, profile.zone):
        differing.append("district")
    if row.purpose is not purpose:
        differing.append("purpose")
    if differing:
        raise ProfileDiffersError(row.code, tuple(differing))


def _law(session: Session, code: str, kind: LawKind, version: str) -> dict[str, object]:
    return session.get_one(LawRow, (code, kind, version)).body


def _organisation(session: Session, code: str) -> Organisation:
    units = session.exec(select(UnitRow).where(UnitRow.district == code).order_by(col(UnitRow.position)))
    officers = session.exec(select(OfficerRow).where(OfficerRow.district == code).order_by(col(OfficerRow.position)))
    held = session.exec(
        select(AppointmentRow).where(AppointmentRow.district == code).order_by(col(AppointmentRow.position))
    )
    return Organisation(
        units=tuple(_from_row(Unit, row) for row in units),
        officers=tuple(_from_row(Officer, row) for row in officers),
        appointments=tuple(_from_row(Appointment, row) for row in held),
    )


def _from_row(kind: type[Part], row: SQLModel) -> Part:
    return kind.model_validate({name: getattr(row, name) for name in kind.model_fields})
