"""Scripts for drills: what people do at which minute, and what has to be true by then.

A scenario is data (TOML) and tells of one or more whistles, each on its own clock. Instants are on the district's local
clock, or ``+30m`` after the start. A drill's clock is never early and always a moment late, so an instant that is
expected to the minute holds for the whole of that minute.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, TypeAdapter, model_validator

from models.canonical import instant
from models.case import Case, Code, Summons, Text, WhistleLevel, WhistleState
from models.case_reading import YEARS
from models.commands import Command
from models.local_clock import first_instant_at
from models.organisation import Label
from models.policy import Escalation, Frozen, Kind, Stage, Urgency
from models.refusals import Reason
from models.whistle import TaskState

_AFTER = re.compile(r"\+(?=\d)(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?")


def _local(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is not None or value.year not in YEARS:
        raise ValueError(f"{value} is not a date and time as the local clock shows it, such as 2026-03-01T02:10:00")
    return value


def _moment(value: object) -> datetime | timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        return _local(value)
    written = _AFTER.fullmatch(value)
    if written is None:
        raise ValueError(f"{value!r} is neither a local date and time nor of the form +1d2h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in written.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


# A local date-time, or how long after the start.
Moment = Annotated[datetime | timedelta, BeforeValidator(_moment)]
_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


class ScriptedAct(Frozen):
    """What one officer says, and the reason if the rules are expected to refuse it.

    In a script the fields of the command stand beside these, as its class in ``models.commands`` has them.
    """

    at: Moment
    officer: Code
    command: Command
    refused: Reason | None = None

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "command" in value:
            return value
        own = {name: value[name] for name in ("at", "officer", "refused") if name in value}
        said = {name: field for name, field in value.items() if name not in own}
        return {**own, "command": _COMMAND.validate_python(said)}


class ExpectedTask(Frozen):
    """A unit has come so far."""

    unit: Code
    state: TaskState


class ExpectedLimit(Frozen):
    """Somebody owes something by an instant, or owed it. ``missed`` and ``met`` are checked where they are given."""

    owner: Code
    stage: Stage
    about: str = ""
    due: Moment | None = None
    met: bool | None = None
    missed: bool | None = None


class ExpectedEscalation(Frozen):
    """A missed limit went up at this very instant; exactly these officers were told, where they are given."""

    owner: Code
    stage: Stage
    level: Escalation
    told: tuple[Code, ...] | None = None


class ExpectedLevel(Frozen):
    """How far anything that a unit owes has gone up by now."""

    unit: Code
    level: Escalation


class Expectation(Frozen):
    """What is true at an instant, after everything that is said at it."""

    at: Moment
    state: WhistleState | None = None
    task: ExpectedTask | None = None
    limit: ExpectedLimit | None = None
    escalated: ExpectedEscalation | None = None
    level: ExpectedLevel | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not any((self.state, self.task, self.limit, self.escalated, self.level)):
            raise ValueError("nothing is expected: give state, task, limit, escalated or level")
        return self


class ScriptedWhistle(Frozen):
    """One whistle: how it is blown, by whom and when, and what follows. ``summons`` None means the duty list's."""

    title_zh: Label
    title_en: Label
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    start: Annotated[datetime, BeforeValidator(_local)]
    officer: Code
    street: Code
    kind: Kind
    urgency: Urgency
    level: WhistleLevel = WhistleLevel.ROUTINE
    matter: Code
    place: Text
    text: Text
    own_efforts: Text | None = None
    source_type: Code
    source_id: Code
    summons: Annotated[tuple[Summons, ...], Field(max_length=20)] | None = None
    acts: tuple[ScriptedAct, ...] = ()
    expect: tuple[Expectation, ...] = ()

    def instant(self, moment: datetime | timedelta, tz: ZoneInfo) -> datetime:
        """Return the instant that a moment of this script means."""
        if isinstance(moment, timedelta):
            return first_instant_at(tz, self.start) + moment
        return first_instant_at(tz, moment)

    def case(self, duty_item: str, usual: tuple[Summons, ...]) -> Case:
        """Return what the street says; ``usual`` is whom the duty list would summon."""
        return Case(
            kind=self.kind,
            urgency=self.urgency,
            level=self.level,
            matter=self.matter,
            duty_item=duty_item,
            place=self.place,
            text=self.text,
            own_efforts=self.own_efforts,
            summons=usual if self.summons is None else self.summons,
        )

    def steps(self, tz: ZoneInfo) -> tuple["Step", ...]:
        """Return acts and expectations as they come; at one instant acts before expectations, each in their order.

        Raises:
            ValueError: if one of them comes before the start.
        """
        items: tuple[ScriptedAct | Expectation, ...] = (*self.acts, *self.expect)
        steps = sorted((Step(self.instant(item.at, tz), item) for item in items), key=_by_time)
        if steps and steps[0].at < self.instant(self.start, tz):
            raise ValueError(f"{self.key}: {instant(steps[0].at)} is before the start")
        return tuple(steps)


class Scenario(Frozen):
    """A drill by script, in one district."""

    title_zh: Label
    title_en: Label
    profile: Annotated[str, Field(min_length=1)]
    whistles: Annotated[tuple[ScriptedWhistle, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if len({whistle.key for whistle in self.whistles}) < len(self.whistles):
            raise ValueError("two whistles have the same key")
        return self

    def shortened(self, limit: int | None) -> "Scenario":
        """Return the script with its first ``limit`` whistles; None means all."""
        return Scenario(
            title_zh=self.title_zh, title_en=self.title_en, profile=self.profile, whistles=self.whistles[:limit]
        )


@dataclass(frozen=True)
class Step:
    """One line of a script, at its instant."""

    at: datetime
    does: ScriptedAct | Expectation


def _by_time(step: Step) -> tuple[datetime, bool]:
    return step.at, isinstance(step.does, Expectation)
