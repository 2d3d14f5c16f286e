"""Shows whistles by countdown: what is overdue first, then what falls due next."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from activities.queries import ListedWhistle
from console.urgency import OVERDUE, urgency_style
from console.wording import Wording


def list_page(whistles: Sequence[ListedWhistle], wording: Wording, now: datetime) -> RenderableType:
    """Return the list as of ``now``."""
    if not whistles:
        return Text(wording.say("list.none"))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in ("due", "number", "what", "state", "level", "matter", "street", "lead"):
        table.add_column(wording.say(f"list.{column}"), no_wrap=column in {"due", "number", "level"})
    for whistle in whistles:
        table.add_row(*_cells(whistle, wording, now))
    return table


def _cells(whistle: ListedWhistle, wording: Wording, now: datetime) -> list[Text]:
    stage = wording.name("stage", whistle.next_due_stage) if whistle.next_due_stage else ""
    owner = f" ({whistle.next_due_owner})" if whistle.next_due_owner else ""
    kind = f"{whistle.kind}-{whistle.urgency} " if whistle.kind else ""
    drill = f" {wording.say('list.drill')}" if whistle.drill else ""
    return [
        _countdown(whistle, wording, now),
        Text(f"{whistle.number}{drill}"),
        Text(f"{stage}{owner}"),
        Text(wording.name("state", whistle.state)),
        Text(whistle.escalation or ""),
        Text(f"{kind}{whistle.matter or '-'}"),
        Text(whistle.street),
        Text(whistle.lead or "-"),
    ]


def _countdown(whistle: ListedWhistle, wording: Wording, now: datetime) -> Text:
    if whistle.next_due is None:
        return Text(wording.say("list.nothing_due"))
    left = whistle.next_due - now
    provisional = " ~" if whistle.provisional else ""
    if whistle.overdue:
        return Text(wording.say("list.overdue_by", time=wording.length(left)) + provisional, style=OVERDUE)
    style = urgency_style(whistle.opened_at, whistle.next_due, now)
    return Text(wording.say("list.left", time=wording.length(left)) + provisional, style=style)
