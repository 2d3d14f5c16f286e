"""Finds and reads what drills are made of: scripts, case files, and how a profile reads case files."""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from activities.profiles import SHIPPED, shipped_profiles
from models.case_reading import CaseReading
from models.casefile import ColumnsMissingError, PastCase, Rejection, read_cases
from models.profile import Profile
from models.scenario import Scenario

READING_FILE = "cases.toml"
_SCRIPTS = "drills"
_SCRIPT_SUFFIX = ".toml"
_CASE_FILES = "cases-*.csv"
T = TypeVar("T", bound=BaseModel)


class DrillFileFault(StrEnum):
    """Why a drill cannot begin."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    INVALID = "invalid"
    NO_READING = "no_reading"


class DrillFileError(Exception):
    """A file that a drill needs is missing or means nothing. ``detail`` says where and what."""

    def __init__(self, fault: DrillFileFault, file: str, detail: str = "") -> None:
        super().__init__(f"{fault}: {file}: {detail}")
        self.fault = fault
        self.file = file
        self.detail = detail


def shipped_scenarios() -> dict[str, Path]:
    """Return the scripts that come with the program, by name."""
    return {file.stem: file for file in sorted(SHIPPED.glob(f"*/{_SCRIPTS}/*{_SCRIPT_SUFFIX}"))}


def shipped_cases(profile: str) -> Path:
    """Return the first case file that comes with a shipped profile.

    Raises:
        DrillFileError: if none does.
    """
    files = sorted((SHIPPED / profile).glob(_CASE_FILES))
    if not files:
        raise DrillFileError(DrillFileFault.MISSING, f"{profile}/{_CASE_FILES}")
    return files[0]


def scenario_file(name: str) -> Path | None:
    """Return the script that ``name`` means: a shipped one, or a TOML file; None for any other file."""
    if name in shipped_scenarios():
        return shipped_scenarios()[name]
    return Path(name) if name.endswith(_SCRIPT_SUFFIX) else None


def read_scenario(file: Path) -> Scenario:
    """Return the script in ``file``.

    Raises:
        DrillFileError: naming the first place that means nothing.
    """
    return _read_toml(Scenario, file)


def read_rows(
    file: Path, reading: CaseReading, profile: Profile, limit: int | None
) -> tuple[PastCase | Rejection, ...]:
    """Return the first ``limit`` rows of a case file, rejected ones among them; None means all.

    Raises:
        DrillFileError: if the file cannot be read, or is no such table.
    """
    with _opening(file), file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        try:
            return tuple(islice(read_cases(lines, reading, profile), limit))
        except ColumnsMissingError as error:
            raise DrillFileError(DrillFileFault.INVALID, str(file), str(error)) from error


def reading_of(profile: str) -> CaseReading:
    """Return how a profile, by name or directory, reads case files.

    Raises:
        DrillFileError: if it does not say.
    """
    directory = SHIPPED / profile if profile in shipped_profiles() else Path(profile)
    file = directory / READING_FILE
    if not file.is_file():
        raise DrillFileError(DrillFileFault.NO_READING, str(file), f"no {READING_FILE} in {profile}")
    return _read_toml(CaseReading, file)


def profile_for(file: Path) -> str:
    """Return the first shipped profile that knows the columns of a case file.

    Raises:
        DrillFileError: if none does, or the file cannot be read.
    """
    with _opening(file), file.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
        heading = lines.readline()
    columns = {name.strip().strip('"') for name in heading.split(",")}
    for name in shipped_profiles():
        if (SHIPPED / name / READING_FILE).is_file() and reading_of(name).columns.needed <= columns:
            return name
    raise DrillFileError(DrillFileFault.NO_READING, str(file), "no shipped profile knows its columns")


def _read_toml(kind: type[T], file: Path) -> T:
    with _opening(file):
        content = file.read_bytes()
    try:
        return kind.model_validate(tomllib.loads(content.decode("utf-8-sig")))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        raise DrillFileError(DrillFileFault.INVALID, str(file), f"{place}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:
        raise DrillFileError(DrillFileFault.INVALID, str(file), str(error)) from error


@contextmanager
def _opening(file: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DrillFileError(DrillFileFault.MISSING, str(file)) from error
    except OSError as error:
        raise DrillFileError(DrillFileFault.UNREADABLE, str(file), str(error.strerror)) from error
