"""Shows a drill: each thing as it comes, and what came out in the end."""

from collections.abc import Iterable
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from console.texts import Language
from console.timelines import fact_lines
from console.wording import Wording
from engine.drill_cases import PlayedCase
from engine.drill_report import DrillReport
from engine.drill_scenario import Beat, Begun, Checked, Happened, Refused
from models.case_reading import CaseOutcome
from models.casefile import PastCase, Promise, Rejection
from models.expectations import Shortfall
from models.policy import Escalation, Stage
from models.profile import Profile
from models.punctuality import Percentiles, Punctuality
from models.scenario import Expectation, ExpectedLimit, ScriptedWhistle
from models.views import fact_view

_INDENT = "     "
_MILLISECOND = timedelta(milliseconds=1)
_SECOND = timedelta(seconds=1)


def title_in(wording: Wording, titled: object) -> str:
    """Return the title or the name of something in the reader's language."""
    attribute = "zh" if wording.texts.language is Language.ZH else "en"
    found = getattr(titled, f"title_{attribute}", None) or getattr(titled, f"name_{attribute}", "")
    return str(found)


class Commentary:
    """Puts the beats of one scenario into lines."""

    def __init__(self, wording: Wording) -> None:
        self._wording = wording
        self._script: ScriptedWhistle | None = None

    def lines(self, beat: Beat) -> list[Text]:
        """Return what a beat looks like; empty for one that another beat has said already."""
        match beat:
            case Begun(script):
                self._script = script
                start = f"{script.start:%Y-%m-%d %H:%M}"
                begins = self._wording.say("drill.begins", title=title_in(self._wording, script), at=start)
                return [Text(), Text(begins, style="bold")]
            case Happened(fact):
                return fact_lines(fact_view(fact), self._wording)
            case Refused():
                return [Text(_INDENT + self._refused(beat), style="yellow" if beat.was_expected else "red")]
            case Checked(_, expectation, ()):
                held = self._wording.say("drill.held", what=self._expected(expectation))
                return [Text(_INDENT + held, style="green")]
            case Checked(_, _, shortfalls):
                return [self._short(shortfall) for shortfall in shortfalls]
            case Shortfall():
                return [self._short(beat)]

    def _refused(self, refused: Refused) -> str:
        wording, refusal = self._wording, refused.refusal
        says = wording.say(f"reason.{refusal.reason}.says", **refusal.parameters)
        officer = wording.officer(refused.act.officer)
        return wording.say("drill.refused", officer=officer, verb=refused.act.command.verb, says=says)

    def _short(self, shortfall: Shortfall) -> Text:
        short = self._wording.say("drill.short", expected=shortfall.expected, found=shortfall.found)
        return Text(_INDENT + short, style="bold red")

    def _expected(self, expectation: Expectation) -> str:
        wording = self._wording
        parts = []
        if expectation.state is not None:
            parts.append(wording.say("drill.expect_state", state=wording.name("state", expectation.state)))
        if task := expectation.task:
            state = wording.name("task", task.state)
            parts.append(wording.say("drill.expect_task", unit=wording.unit(task.unit), state=state))
        if expectation.limit is not None:
            parts.append(self._expected_limit(expectation.limit))
        if raised := expectation.escalated:
            level, stage = wording.name("escalation", raised.level), wording.name("stage", raised.stage)
            owner = wording.unit(raised.owner)
            parts.append(wording.say("drill.expect_escalated", level=level, owner=owner, stage=stage))
        if level_of := expectation.level:
            level = wording.name("escalation", level_of.level)
            parts.append(wording.say("drill.expect_level", unit=wording.unit(level_of.unit), level=level))
        return " · ".join(parts)

    def _expected_limit(self, limit: ExpectedLimit) -> str:
        wording = self._wording
        owner, stage = wording.unit(limit.owner), wording.name("stage", limit.stage)
        said = [wording.say("drill.expect_owed", owner=owner, stage=stage)]
        if limit.due is not None and self._script is not None:
            due = wording.instant(self._script.instant(limit.due, wording.zone))
            said = [wording.say("drill.expect_limit", owner=owner, stage=stage, due=due)]
        if limit.met is not None:
            said.append(wording.say("drill.expect_met" if limit.met else "drill.expect_not_met"))
        if limit.missed is not None:
            said.append(wording.say("drill.expect_missed" if limit.missed else "drill.expect_not_missed"))
        return " · ".join(said)


def case_line(done: PlayedCase, profile: Profile, wording: Wording) -> Text:
    """Return one line on a case that was played."""
    case = done.case
    line = wording.say(
        "drill.case",
        line=f"{case.line:>5}",
        opened=wording.instant(case.opened_at),
        closed=wording.instant(case.closed_at),
        unit=wording.unit(case.unit),
        matter=title_in(wording, profile.duties.item_for(case.matter)),
        street=wording.unit(case.street),
        verdict=_verdict(done, wording),
    )
    return Text(line, style="red" if done.was_late else "")


def _verdict(done: PlayedCase, wording: Wording) -> str:
    if done.case.outcome is not CaseOutcome.RESOLVED:
        return wording.say(f"drill_verdict.{done.case.outcome}")
    limit = done.played.whistle.limit(done.case.unit, Stage.RESOLVE)
    if limit is None or not done.was_late:
        return wording.say("drill_verdict.in_time")
    return wording.say("drill_verdict.late", time=wording.length(done.case.closed_at - limit.due_at))


def disagreement_line(done: PlayedCase, wording: Wording) -> Text:
    """Return one line on a case that the drill judges otherwise than reality did."""
    answers = {True: wording.say("drill.yes"), False: wording.say("drill.no")}
    was, found = answers[done.case.was_late], answers[done.was_late]
    said = wording.say("drill.differs", line=done.case.line, case=done.case.id, was=was, found=found)
    return Text(said, style="bold red")


def rejected_page(rejected: Iterable[Rejection], wording: Wording) -> Table:
    """Return a table of the rows that were not played."""
    table = _table(wording.say("drill_rejected.title"))
    table.add_column(wording.say("drill_rejected.line"), justify="right")
    table.add_column(wording.say("drill_rejected.reason"))
    table.add_column(wording.say("drill_rejected.detail"))
    for each in rejected:
        table.add_row(str(each.line), wording.say(f"drill_rejected.{each.reason}"), Text(each.detail))
    return table


def result_page(
    report: DrillReport, cases: Iterable[PastCase], rejected: int, wall_time: timedelta, wording: Wording
) -> RenderableType:
    """Return the tables at the end of a drill."""
    promises = [case.promise for case in cases]
    table = _table(wording.say("drill_result.title"))
    table.show_header = False
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    rows = {
        "whistles": report.whistles,
        "resolved": report.resolved,
        "late": report.late,
        "late_by_policy": report.late_by_policy,
        "cancelled": report.cancelled,
        "referred": report.referred,
        "open": report.open,
        "without_promise": report.without_promise if promises else 0,
        "missing_promise": promises.count(Promise.MISSING),
        "promise_over": promises.count(Promise.OVER),
        "rejected_rows": rejected,
        "engine_lateness": _lateness(report.engine_lateness, wording),
        "virtual_time": wording.length(report.virtual_time),
        "wall_time": wording.length(wall_time),
    }
    for name, value in rows.items():
        if value != 0:
            table.add_row(wording.say(f"drill_result.{name}"), str(value))
    return Group(_on_time(report.on_time, wording), Text(), _escalations(report, wording), Text(), table)


def _lateness(measured: Percentiles, wording: Wording) -> str:
    if measured.p50 is None or measured.p99 is None or measured.max is None:
        return wording.say("drill_result.nothing_measured")
    whole = {"p50": measured.p50, "p99": measured.p99, "max": measured.max}
    return wording.say("drill_result.milliseconds", **{name: value // _MILLISECOND for name, value in whole.items()})


def _on_time(rates: tuple[Punctuality, ...], wording: Wording) -> Table:
    """Return one row for each unit, one column for each stage."""
    table = _table(wording.say("drill_on_time.title"))
    table.add_column(wording.say("drill_on_time.unit"))
    stages = [stage for stage in Stage if any(rate.stage is stage for rate in rates)]
    for stage in stages:
        table.add_column(wording.name("stage", stage), justify="right")
    found = {(rate.unit, rate.stage): rate for rate in rates}
    for unit in dict.fromkeys(rate.unit for rate in rates):
        cells = (_rate(found.get((unit, stage)), wording) for stage in stages)
        table.add_row(wording.unit(unit), *cells)
    return table


def _rate(rate: Punctuality | None, wording: Wording) -> Text:
    if rate is None:
        return Text()
    cell = wording.say("drill_on_time.cell", on_time=rate.on_time, settled=rate.settled, percent=rate.percent)
    return Text(cell, style="" if rate.on_time == rate.settled else "red")


def _escalations(report: DrillReport, wording: Wording) -> Table:
    table = _table(wording.say("drill_escalation.title"))
    for level in Escalation:
        table.add_column(wording.name("escalation", level), justify="right")
    table.add_row(*(str(report.escalations[level]) for level in Escalation))
    return table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0), pad_edge=False)
