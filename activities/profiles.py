"""Reads a district from its directory of TOML files.

A profile is what a customer writes by hand, so every fault in one is named with its file and its place in that file;
none of them is repaired silently. The shipped profiles lie beside this room, in a checkout as in an installed wheel.
"""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from models.calendar import WorkCalendar
from models.duties import DutyLists
from models.organisation import Organisation
from models.policy import Policy
from models.profile import District, Profile
from models.profile_faults import ProfileFault

SHIPPED = Path(__file__).resolve().parent.parent / "profiles"

# The tables of policy.toml that hold nothing but spans.
_SPAN_TABLES = frozenset({"limits", "ladder", "replies"})
# A fault between files is laid at the door of the one that refers to the other.
_REFERRING_FILE = {
    ProfileFault.DISTRICT_MISMATCH: "district.toml",
    ProfileFault.ZONE_MISMATCH: "calendar.toml",
    ProfileFault.UNKNOWN_UNIT: "duties.toml",
    ProfileFault.UNIT_CANNOT_BE_SUMMONED: "duties.toml",
}
# Our validators raise faults under their own codes; two of pydantic's have a code of ours.
_FAULTS = {
    **{fault.value: fault for fault in ProfileFault},
    "extra_forbidden": ProfileFault.UNKNOWN_KEY,
    "missing": ProfileFault.MISSING_KEY,
}

Part = TypeVar("Part", bound=BaseModel)


class ProfileError(Exception):
    """A profile cannot be loaded. ``key`` is the dotted place in the file, empty where the file as a whole is meant."""

    def __init__(self, reason: ProfileFault, file: Path, *, key: str = "", detail: str = "") -> None:
        place = f"{file}: {key}" if key else str(file)
        super().__init__(f"{reason}: {place}: {detail}" if detail else f"{reason}: {place}")
        self.reason = reason
        self.file = file
        self.key = key
        self.detail = detail


def shipped_profiles() -> tuple[str, ...]:
    """Return the names of the profiles that come with the program."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob("*/district.toml")))


def load_profile(name_or_path: str | Path) -> Profile:
    """Return the shipped profile of that name, or the one in that directory; a shipped name wins.

    Raises:
        ProfileError: at the first fault found, file by file and then between the files.
    """
    directory = _directory_of(name_or_path)
    district = _part(District, directory / "district.toml")
    organisation = _part(Organisation, directory / "organisation.toml")
    duties = _part(DutyLists, directory / "duties.toml")
    policy = _part(Policy, directory / "policy.toml")
    calendar = _part(WorkCalendar, directory / "calendar.toml")
    try:
        return Profile(
            code=district.code,
            name_zh=district.name_zh,
            name_en=district.name_en,
            zone=district.zone,
            organisation=organisation,
            duties=duties,
            policy=policy,
            calendar=calendar,
        )
    except ValidationError as error:
        first = error.errors()[0]
        reason = _reason(first, "")
        raise ProfileError(reason, directory / _REFERRING_FILE[reason], detail=first["msg"]) from error


def _directory_of(name_or_path: str | Path) -> Path:
    if name_or_path in shipped_profiles():
        return SHIPPED / name_or_path
    directory = Path(name_or_path)
    if not directory.is_dir():
        detail = f"no such directory; shipped profiles: {', '.join(shipped_profiles())}"
        raise ProfileError(ProfileFault.UNKNOWN_PROFILE, directory, detail=detail)
    return directory


def _part(model: type[Part], file: Path) -> Part:
    table = _table(file)
    try:
        return model.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(step) for step in first["loc"] if step != "[key]")
        raise ProfileError(_reason(first, file.name), file, key=key, detail=first["msg"]) from error


def _table(file: Path) -> dict[str, Any]:
    try:
        # Editors on Windows put a mark in front of UTF-8, which TOML does not know.
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ProfileError(ProfileFault.MISSING_FILE, file) from error
    except OSError as error:
        raise ProfileError(ProfileFault.UNREADABLE_FILE, file, detail=str(error.strerror)) from error
    except UnicodeDecodeError as error:
        raise ProfileError(ProfileFault.NOT_UTF8, file, detail=f"byte {error.start} is not UTF-8") from error
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Not only TOMLDecodeError: a number of 5,000 digits and brackets nested 1,000 deep fail in their own way.
        raise ProfileError(ProfileFault.BAD_TOML, file, detail=str(error)) from error


def _reason(error: ErrorDetails, file_name: str) -> ProfileFault:
    kind, place = error["type"], error["loc"]
    if kind in _FAULTS:
        return _FAULTS[kind]
    if place and place[-1] == "[key]":
        return ProfileFault.UNKNOWN_KEY
    if file_name == "policy.toml" and place and place[0] in _SPAN_TABLES:
        return ProfileFault.BAD_SPAN
    return ProfileFault.BAD_VALUE
