"""The holidays of a year: whether they are published here, and publishing them.

Publishing puts a new version of the calendar in force and tells every open whistle whose limits were provisional.
Saying it again tells those that were not reached the first time.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from activities.directory import (
    LawPublishedError,
    installed_district,
    publish_calendar_year,
    write_snapshot,
)
from activities.holidays import YearNotPublishedError, published_year
from activities.queries import find_whistle, open_with_provisional_limits
from commands.acting import open_door, run
from commands.site import Site, now, open_site
from commands.spoken import SpokenGroup
from commands.troubles import ForbiddenError, UsageError
from commands.verbs import Call, plain
from console.printing import print_json, say
from models.calendar import WorkCalendar
from models.commands import AdoptCalendar
from models.holidays import CalendarYear
from models.refusals import RefusedError

# The calendar that the program itself can be asked about.
CHINA = "cn"
_EDITIONS = 100

app = typer.Typer(cls=SpokenGroup)

Year = Annotated[int, typer.Argument(metavar="YEAR", min=1900, max=9000)]


@plain(app, "check")
def check(call: Call, year: Year) -> None:
    """Exit code 3 unless the year is published."""
    calendar = open_site(call).district.profile.calendar
    published = _entry(calendar, year)
    if published is None:
        raise ForbiddenError("year_not_published", year=year)
    if call.as_json:
        print_json({"version": calendar.version, **published.model_dump()})
    else:
        say(call.texts.say("done.checked", year=year, version=calendar.version))


@plain(app, "publish")
def publish(
    call: Call, year: Year, file: Annotated[Path | None, typer.Option("--file", metavar="FILE")] = None
) -> None:
    """Publish, then tell open whistles."""
    site = open_site(call)
    in_force = site.district.profile.calendar
    published = _read(file, year) if file else _known(in_force, year)
    calendar = in_force if _entry(in_force, year) == published else _publish(site, published)
    run(_tell(site, call, calendar, year))


def _entry(calendar: WorkCalendar, year: int) -> CalendarYear | None:
    return next((entry for entry in calendar.years if entry.year == year), None)


def _known(calendar: WorkCalendar, year: int) -> CalendarYear:
    if calendar.code != CHINA:
        raise UsageError("calendar_file_needed", calendar=calendar.code)
    try:
        return published_year(year)
    except YearNotPublishedError as error:
        raise ForbiddenError("year_unknown_to_package", year=error.year, latest=error.latest) from error


def _read(file: Path, year: int) -> CalendarYear:
    try:
        table: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        read = CalendarYear.model_validate(table)
    except OSError as error:
        raise UsageError("file_unreadable", file=file) from error
    except ValidationError as error:
        raise UsageError("bad_calendar_file", file=file, detail=error.errors()[0]["msg"]) from error
    except ValueError as error:
        raise UsageError("bad_calendar_file", file=file, detail=error) from error
    if read.year != year:
        raise UsageError("bad_calendar_file", file=file, detail=f"{read.year} ≠ {year}")
    return read


def _publish(site: Site, year: CalendarYear) -> WorkCalendar:
    """Put the year in force under the next free version, and keep the new state of the district in the home."""
    code = site.district.profile.calendar.code
    for edition in range(1, _EDITIONS):
        version = f"{code}-{year.year}.{edition}"
        try:
            calendar = publish_calendar_year(site.database, site.code, year, version, now())
        except LawPublishedError:
            continue
        with site.database.reading() as session:
            write_snapshot(site.call.home.path, installed_district(session, site.code))
        return calendar
    raise ForbiddenError("law_published", kind="calendar", version=f"{code}-{year.year}")


async def _tell(site: Site, call: Call, calendar: WorkCalendar, year: int) -> None:
    with site.database.reading() as session:
        waiting = open_with_provisional_limits(session, calendar.version)
    door = await open_door(site) if waiting else None
    rebased = 0
    for whistle_id in waiting:
        with site.database.reading() as session:
            law = find_whistle(session, whistle_id).whistle.frozen_law
        # What the whistle knew, and the year that is new: more would only make its history larger.
        known = calendar.slice({*law.calendar.published_years, year})
        try:
            if door is not None:
                await door.act(whistle_id, AdoptCalendar(calendar=known), None, f"calendar.{calendar.version}")
                rebased += 1
        except RefusedError:
            # It has ended meanwhile, or knows that calendar already.
            continue
    figures = {"version": calendar.version, "year": year, "open": len(waiting), "rebased": rebased}
    if call.as_json:
        print_json(figures)
    else:
        say(call.texts.say("done.published", **figures))
