"""Shows one whistle: what it is about, and for each unit what it owes by when."""

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from console.urgency import urgency_style
from console.wording import Wording
from models.views import LimitView, WhistleView

_SHORT_HASH = 12
# So that the limits of all units stand in line below each other.
_STAGE_WIDTH, _DUE_WIDTH = 40, 18


def whistle_page(whistle: WhistleView, wording: Wording, now: datetime) -> RenderableType:
    """Return the page of one whistle as of ``now``."""
    provisional = any(limit.provisional for limit in _all_limits(whistle))
    notes = [Text(wording.say("done.provisional"), style="yellow")] if provisional else []
    foot = wording.say("show.facts", count=len(whistle.facts), hash=whistle.head_hash[:_SHORT_HASH])
    return Group(*_head(whistle, wording), *_owners(whistle, wording, now), *notes, Text(foot, style="dim"))


def _head(whistle: WhistleView, wording: Wording) -> list[Text]:
    number = whistle.number or wording.say("show.unregistered")
    state = wording.name("state", whistle.state)
    lines = [Text(wording.say("done.heading", number=number, state=state), style="bold")]
    if whistle.kind is not None:
        case = wording.say(
            "show.case",
            kind=f"{whistle.kind} {wording.name('kind', whistle.kind)}",
            urgency=f"{whistle.urgency} {wording.name('urgency', whistle.urgency)}",
            level=wording.name("level", whistle.level),
        )
        if whistle.escalation is not None:
            case += f" · {wording.name('escalation', whistle.escalation)}"
        lines.append(Text(case))
    lines.append(Text(f"{wording.unit_with_code(whistle.street)} · {whistle.matter or '-'} · {whistle.place}"))
    lines.append(Text(f"“{whistle.text}”"))
    lines.append(Text(wording.say("show.source", type=whistle.source.type, id=whistle.source.id), style="dim"))
    if whistle.policy_version is not None:
        law = wording.say(
            "show.law",
            policy=whistle.policy_version,
            calendar=whistle.calendar_version,
            mode=wording.name("phase", whistle.mode),
            epoch=whistle.mode_epoch,
        )
        lines.append(Text(law, style="dim"))
    times = [
        wording.say(key, at=wording.instant(at))
        for key, at in (("show.sounded", whistle.sounded_at), ("show.closed", whistle.closed_at))
        if at is not None
    ]
    return [*lines, Text(" · ".join(times), style="dim"), Text(whistle.id, style="dim")]


def _owners(whistle: WhistleView, wording: Wording, now: datetime) -> Iterator[RenderableType]:
    """Yield each unit with what it owes, the street last."""
    for task in whistle.tasks:
        state = wording.name("task", task.state) + (f" ({wording.say('show.deemed')})" if task.deemed else "")
        parts = [wording.unit_with_code(task.unit), wording.name("role", task.role), state]
        if task.escalation is not None:
            parts.append(wording.name("escalation", task.escalation))
        yield Text(" · ".join(parts), style="bold")
        yield _limits(task.limits, wording, now)
    if whistle.limits:
        yield Text(wording.say("show.street", name=wording.unit_with_code(whistle.street)), style="bold")
        yield _limits(whistle.limits, wording, now)


def _limits(limits: tuple[LimitView, ...], wording: Wording, now: datetime) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(min_width=_STAGE_WIDTH)
    table.add_column(min_width=_DUE_WIDTH)
    table.add_column()
    for limit in limits:
        table.add_row(*_limit_cells(limit, wording, now))
    return table


def _limit_cells(limit: LimitView, wording: Wording, now: datetime) -> list[Text]:
    still_owed = limit.met_at is None and not limit.void
    stage = wording.name("stage", limit.stage) + (f" [{wording.about(limit.about)}]" if limit.about else "")
    due = wording.instant(limit.due_at) + (" ~" if limit.provisional else "")
    style = urgency_style(limit.base_at, limit.due_at, now) if still_owed else "dim"
    return [Text(f"  {stage}", style="" if still_owed else "dim"), Text(due, style=style), _outcome(limit, wording)]


def _outcome(limit: LimitView, wording: Wording) -> Text:
    parts = [wording.instant(limit.met_at)] if limit.met_at else []
    if limit.void:
        parts.append(wording.say("show.void"))
    if limit.missed:
        parts.append(wording.say("show.excused" if limit.excused else "show.missed"))
    if not parts:
        parts.append(wording.say("show.open"))
    return Text(" · ".join(parts), style="red" if limit.missed and not limit.excused else "dim")


def _all_limits(whistle: WhistleView) -> list[LimitView]:
    return [*whistle.limits, *(limit for task in whistle.tasks for limit in task.limits)]
