"""Holds what a script expects against what has come about."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from models.canonical import instant
from models.facts import Escalated, Fact
from models.limits import Limit
from models.refusals import RefusedError
from models.scenario import Expectation, ExpectedEscalation, ExpectedLimit, ExpectedTask, ScriptedWhistle
from models.whistle import Whistle

_MINUTE = timedelta(minutes=1)


class Subject(StrEnum):
    """What an expectation was about."""

    STATE = "state"
    TASK = "task"
    LIMIT = "limit"
    DUE = "due"
    MET = "met"
    MISSED = "missed"
    ESCALATED = "escalated"
    TOLD = "told"
    LEVEL = "level"
    REFUSED = "refused"


@dataclass(frozen=True)
class Shortfall:
    """What was expected and what was found instead, in codes; ``-`` stands for nothing."""

    at: datetime
    about: Subject
    expected: str
    found: str


def unmet(
    expectation: Expectation, at: datetime, script: ScriptedWhistle, tz: ZoneInfo, story: "Played"
) -> tuple[Shortfall, ...]:
    """Return what is not as expected at ``at``; empty if all of it is."""
    found = _Comparison(at)
    whistle = story.whistle
    if expectation.state is not None:
        found.same(Subject.STATE, expectation.state, whistle.state)
    if expectation.task is not None:
        _check_task(found, expectation.task, whistle)
    if expectation.level is not None:
        unit = expectation.level.unit
        found.same(Subject.LEVEL, f"{unit} {expectation.level.level}", f"{unit} {whistle.escalation_of(unit) or '-'}")
    if expectation.limit is not None:
        due = expectation.limit.due
        _check_limit(found, expectation.limit, None if due is None else script.instant(due, tz), whistle)
    if expectation.escalated is not None:
        _check_escalation(found, expectation.escalated, story.facts)
    return tuple(found.shortfalls)


@dataclass(frozen=True)
class Played:
    """A whistle as it stands in a drill, with its facts so far."""

    whistle: Whistle
    facts: tuple[Fact, ...]


class _Comparison:
    def __init__(self, at: datetime) -> None:
        self.at = at
        self.shortfalls: list[Shortfall] = []

    def same(self, about: Subject, expected: str, found: str) -> None:
        if expected != found:
            self.shortfalls.append(Shortfall(self.at, about, expected, found))


def _check_task(found: _Comparison, expected: ExpectedTask, whistle: Whistle) -> None:
    try:
        state = whistle.task(expected.unit).state.value
    except RefusedError:
        state = "-"
    found.same(Subject.TASK, f"{expected.unit} {expected.state}", f"{expected.unit} {state}")


def _check_limit(found: _Comparison, expected: ExpectedLimit, due: datetime | None, whistle: Whistle) -> None:
    name = " ".join(part for part in (expected.owner, expected.stage, expected.about) if part)
    limit = whistle.limit(expected.owner, expected.stage, expected.about)
    if limit is None:
        found.same(Subject.LIMIT, name, "-")
        return
    if due is not None and not within_minute(due, limit.due_at):
        found.same(Subject.DUE, f"{name} {instant(due)}", f"{name} {instant(limit.due_at)}")
    for about, wanted, was in _verdicts(expected, limit):
        found.same(about, f"{name} {wanted}", f"{name} {was}")


def _verdicts(expected: ExpectedLimit, limit: Limit) -> Iterator[tuple[Subject, bool, bool]]:
    if expected.met is not None:
        yield Subject.MET, expected.met, limit.met_at is not None
    if expected.missed is not None:
        yield Subject.MISSED, expected.missed, limit.missed


def _check_escalation(found: _Comparison, expected: ExpectedEscalation, facts: Iterable[Fact]) -> None:
    name = f"{expected.owner} {expected.stage} {expected.level}"
    raised = [
        (fact.at, fact.detail)
        for fact in facts
        if isinstance(fact.detail, Escalated)
        and (fact.detail.owner, fact.detail.stage, fact.detail.level)
        == (expected.owner, expected.stage, expected.level)
    ]
    then = next((detail for at, detail in raised if within_minute(found.at, at)), None)
    if then is None:
        others = ", ".join(instant(at) for at, _ in raised)
        found.same(Subject.ESCALATED, f"{name} {instant(found.at)}", f"{name} {others or '-'}")
    elif expected.told is not None:
        told = sorted(each.officer for each in then.told)
        found.same(Subject.TOLD, f"{name} {','.join(sorted(expected.told))}", f"{name} {','.join(told)}")


def within_minute(expected: datetime, found: datetime) -> bool:
    """Return whether ``found`` is in the minute that starts at ``expected``."""
    return expected <= found < expected + _MINUTE
