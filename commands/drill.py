"""The drill: plays a script or a file of past cases on an engine of its own, which is gone afterwards.

It needs no home and touches none. Exit code 1 says that something came out otherwise than the script expects, or than
it went in reality.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commands.acting import run
from commands.site import now
from commands.troubles import MissingError, UsageError
from commands.verbs import Call, plain
from console.printing import print_json, print_page, say

if TYPE_CHECKING:
    from rich.console import RenderableType

    from console.wording import Wording
    from engine.drill_cases import PlayedCase
    from engine.drill_report import DrillReport
    from engine.drill_rig import DrillRig
    from engine.drill_scenario import PlayedScenario
    from models.case_reading import CaseReading
    from models.casefile import PastCase, Rejection
    from models.profile import Profile
    from models.punctuality import Percentiles
    from models.scenario import Scenario

NOT_AS_EXPECTED = 1
_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)

app = typer.Typer()


@dataclass(frozen=True)
class ScenarioPlan:
    """A script and the district that it is played in."""

    name: str
    profile: "Profile"
    scenario: "Scenario"


@dataclass(frozen=True)
class CasePlan:
    """The rows of a case file and the district that they are played in."""

    name: str
    profile: "Profile"
    reading: "CaseReading"
    cases: "tuple[PastCase, ...]"
    rejected: "tuple[Rejection, ...]"


@dataclass(frozen=True)
class Outcome:
    """What a drill came to; ``cases`` is empty for a script, ``scenario`` None for a case file."""

    report: "DrillReport"
    wall_time: timedelta
    cases: "tuple[PlayedCase, ...]" = ()
    scenario: "PlayedScenario | None" = None

    @property
    def disagreements(self) -> "tuple[PlayedCase, ...]":
        """The cases that the engine judges otherwise than reality did."""
        return tuple(case for case in self.cases if not case.agrees_with_reality)

    @property
    def judged(self) -> "tuple[PlayedCase, ...]":
        """The cases that reality has judged: resolved, and promised to the day."""
        return tuple(done for done in self.cases if done.case.is_judged)

    @property
    def is_as_expected(self) -> bool:
        """Whether nothing came out otherwise."""
        return not self.disagreements and not (self.scenario and self.scenario.shortfalls)


@plain(app, "drill")
def drill(
    call: Call,
    scenario: Annotated[str, typer.Argument(metavar="FILE|SCENARIO", show_default=False)],
    *,
    profile: Annotated[str | None, typer.Option("--profile", metavar="NAME|DIRECTORY")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1)] = None,
) -> None:
    """The first ``limit`` rows of a file are played, or the first whistles of a script."""
    began_at = now()
    with _naming_file_trouble(scenario):
        plan = planned(scenario, profile, limit)
        run(_drill(call, plan, began_at))


async def _drill(call: Call, plan: ScenarioPlan | CasePlan, began_at: datetime) -> None:
    from engine.drill_rig import drill_rig

    async with drill_rig(now) as rig:
        outcome = await rehearse(call, rig, plan, began_at)
    if call.as_json:
        print_json(document_of(plan, outcome))
    else:
        print_outcome(call, plan, outcome)
    if not outcome.is_as_expected:
        raise typer.Exit(NOT_AS_EXPECTED)


def planned(name: str, profile: str | None, limit: int | None) -> ScenarioPlan | CasePlan:
    """Return what ``name`` means, read and checked before any engine starts.

    Raises:
        DrillFileError, ProfileError: naming the file that is of no use.
    """
    from activities.profiles import load_profile
    from engine.drill_files import profile_for, read_rows, read_scenario, reading_of, scenario_file
    from models.casefile import PastCase, Rejection

    script = scenario_file(name)
    if script is not None:
        scenario = read_scenario(script).shortened(limit)
        return ScenarioPlan(name, load_profile(profile or scenario.profile), scenario)
    file = Path(name)
    district = profile or profile_for(file)
    reading, loaded = reading_of(district), load_profile(district)
    rows = read_rows(file, reading, loaded, limit)
    cases = tuple(row for row in rows if isinstance(row, PastCase))
    return CasePlan(file.name, loaded, reading, cases, tuple(row for row in rows if isinstance(row, Rejection)))


async def rehearse(call: Call, rig: "DrillRig", plan: ScenarioPlan | CasePlan, began_at: datetime) -> Outcome:
    """Play ``plan``, telling people of each thing as it comes, and return what it came to."""
    from console.drills import Commentary, case_line, title_in
    from engine.drill_cases import play_cases
    from engine.drill_report import report_on
    from engine.drill_scenario import play_scenario

    wording, district = _wording(call, plan.profile), plan.profile
    if isinstance(plan, CasePlan):
        heading = {"count": len(plan.cases), "file": plan.name, "district": title_in(wording, district)}
        _tell(call, wording.say("drill.cases", **heading))
        played = await play_cases(
            rig, district, plan.reading, plan.cases, lambda done: _tell(call, case_line(done, district, wording))
        )
        return Outcome(report_on(done.played for done in played), now() - began_at, cases=played)
    heading = {"title": title_in(wording, plan.scenario), "district": title_in(wording, district)}
    _tell(call, wording.say("drill.scenario", **heading))
    commentary = Commentary(wording)
    scenario = await play_scenario(rig, district, plan.scenario, lambda beat: _tell(call, *commentary.lines(beat)))
    return Outcome(report_on(scenario.played), now() - began_at, scenario=scenario)


def print_outcome(call: Call, plan: ScenarioPlan | CasePlan, outcome: Outcome) -> None:
    """Print the tables at the end of a drill."""
    from console.drills import disagreement_line, rejected_page, result_page

    wording = _wording(call, plan.profile)
    rejected = plan.rejected if isinstance(plan, CasePlan) else ()
    cases = plan.cases if isinstance(plan, CasePlan) else ()
    for done in outcome.disagreements:
        print_page(disagreement_line(done, wording))
    if outcome.cases:
        counts = {"judged": len(outcome.judged), "agreeing": len(outcome.judged) - len(outcome.disagreements)}
        say("\n" + wording.say("drill.agrees", **counts))
    if outcome.scenario is not None:
        counts = {"checked": outcome.scenario.checked, "failed": len(outcome.scenario.shortfalls)}
        say("\n" + wording.say("drill.expectations", **counts))
    say("")
    print_page(result_page(outcome.report, cases, len(rejected), outcome.wall_time, wording))
    if rejected:
        say("")
        print_page(rejected_page(rejected, wording))


def document_of(plan: ScenarioPlan | CasePlan, outcome: Outcome) -> Mapping[str, object]:
    """Return what ``--json`` prints. Instants are in UTC, ``percent`` is rounded down."""
    report = outcome.report
    counts = ("whistles", "resolved", "late", "late_by_policy", "without_promise", "cancelled", "referred", "open")
    return {
        "drill": plan.name,
        "profile": plan.profile.code,
        **{name: getattr(report, name) for name in counts},
        "escalations": report.escalations,
        "engine_lateness_ms": _milliseconds(report.engine_lateness),
        "wall_seconds": _rounded_up(outcome.wall_time),
        "virtual_seconds": _rounded_up(report.virtual_time),
        "on_time": [{**asdict(rate), "percent": rate.percent} for rate in report.on_time],
        **(_case_parts(plan, outcome) if isinstance(plan, CasePlan) else {"rejected_rows": 0, "rejected": []}),
        **(_script_parts(outcome.scenario) if outcome.scenario else {}),
    }


def _case_parts(plan: CasePlan, outcome: Outcome) -> Mapping[str, object]:
    from models.casefile import Promise

    promises = [case.promise for case in plan.cases]
    return {
        "rejected_rows": len(plan.rejected),
        "rejected": [asdict(row) for row in plan.rejected],
        "promises": {promise: promises.count(promise) for promise in Promise},
        "late_ids": [done.case.id for done in outcome.cases if done.was_late],
        "disagreements": [
            {"line": done.case.line, "id": done.case.id, "late_in_reality": done.case.was_late, "late": done.was_late}
            for done in outcome.disagreements
        ],
    }


def _script_parts(played: "PlayedScenario") -> Mapping[str, object]:
    return {"expectations": {"checked": played.checked, "failed": [asdict(each) for each in played.shortfalls]}}


def _milliseconds(measured: "Percentiles") -> Mapping[str, object]:
    return {name: None if value is None else value // _MILLISECOND for name, value in vars(measured).items()}


def _rounded_up(time: timedelta) -> int:
    return -(-time // _SECOND)


def _wording(call: Call, profile: "Profile") -> "Wording":
    from console.wording import Wording

    return Wording.of(call.texts, profile.calendar.tz, profile.organisation)


def _tell(call: Call, *lines: "RenderableType") -> None:
    """Print lines as they come; a program gets its one document at the end."""
    if not call.as_json:
        for line in lines:
            print_page(line)


@contextmanager
def _naming_file_trouble(name: str) -> Iterator[None]:
    from engine.drill import DrillBrokenError
    from engine.drill_files import DrillFileError, DrillFileFault, shipped_scenarios

    try:
        yield
    except DrillFileError as error:
        if error.fault is DrillFileFault.MISSING:
            raise MissingError("no_drill", name=error.file, scenarios=", ".join(shipped_scenarios())) from error
        raise UsageError("drill_file", file=error.file, detail=error.detail) from error
    except DrillBrokenError as error:
        raise UsageError("drill_file", file=name, detail=str(error)) from error
