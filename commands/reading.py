"""The verbs that look: list, show, timeline, explain. They ask the record alone, so they need no engine."""

import re
from datetime import timedelta
from typing import Annotated

import typer

from activities.queries import (
    AmbiguousKeyError,
    RecordedWhistle,
    UnknownWhistleError,
    Wanted,
    facts_of,
    find_whistle,
    list_whistles,
)
from commands.site import Site, claims_of, now, open_site
from commands.troubles import MissingError, UsageError
from commands.verbs import Call, WhistleName, reading
from console.derivations import explanation_page
from console.lists import list_page
from console.printing import print_json, print_page, remark
from console.timelines import timeline_page
from console.whistles import whistle_page
from models.case import WhistleState
from models.explanations import explain as explained
from models.facts import Fact
from models.views import timeline as timeline_of
from models.views import whistle_view

app = typer.Typer()

_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_PATIENCE = re.compile(r"([1-9][0-9]{0,4})([mhd])")


@reading(app, "list")
def listed(
    call: Call,
    *,
    street: Annotated[str | None, typer.Option("--street")] = None,
    unit: Annotated[str | None, typer.Option("--unit")] = None,
    state: Annotated[WhistleState | None, typer.Option("--state")] = None,
    overdue: Annotated[bool, typer.Option("--overdue")] = False,
    due_within: Annotated[str | None, typer.Option("--due-within", metavar="2h")] = None,
    mine: Annotated[bool, typer.Option("--mine")] = False,
    ended: Annotated[bool, typer.Option("--all")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 100,
) -> None:
    """What falls due first comes first."""
    site = open_site(call)
    wanted = Wanted(
        street=street,
        unit=unit,
        state=state,
        overdue=overdue,
        due_within=_patience(due_within) if due_within else None,
        mine=tuple(dict.fromkeys(held.unit for held in claims_of(site).appointments)) if mine else None,
        ended=ended,
    )
    asked_at = now()
    with site.database.reading() as session:
        page = list_whistles(session, wanted, asked_at, limit=limit)
    if page.next_after is not None:
        remark(call.texts.say("list.more", count=len(page.whistles)))
    if call.as_json:
        print_json(page.whistles)
    else:
        print_page(list_page(page.whistles, site.wording, asked_at))


@reading(app, "show")
def show(call: Call, whistle: WhistleName) -> None:
    """One whistle with all that it owes."""
    site = open_site(call)
    recorded, facts = _found(site, whistle)
    view = whistle_view(recorded.whistle, facts, recorded.number)
    if call.as_json:
        print_json(view)
    else:
        print_page(whistle_page(view, site.wording, now()))


@reading(app, "timeline")
def timeline(call: Call, whistle: WhistleName) -> None:
    """The chain of facts."""
    site = open_site(call)
    _, facts = _found(site, whistle)
    if call.as_json:
        print_json(timeline_of(facts))
    else:
        print_page(timeline_page(timeline_of(facts), site.wording))


@reading(app, "explain")
def explain(call: Call, whistle: WhistleName) -> None:
    """Why each limit is what it is."""
    site = open_site(call)
    recorded, facts = _found(site, whistle)
    limits = explained(recorded.whistle.district, recorded.whistle.key, facts)
    if call.as_json:
        print_json(limits)
    else:
        print_page(explanation_page(limits, site.wording))


def _found(site: Site, name: str) -> tuple[RecordedWhistle, tuple[Fact, ...]]:
    """Return the whistle as the record has it, and the facts that its state rests on: those without a gap."""
    try:
        with site.database.reading() as session:
            recorded = find_whistle(session, name)
            return recorded, facts_of(session, recorded.id)[: recorded.whistle.number]
    except UnknownWhistleError:
        raise MissingError("whistle_not_found", whistle_id=name) from None
    except AmbiguousKeyError as error:
        raise UsageError("ambiguous_key", key=name, ids=", ".join(error.ids)) from None


def _patience(text: str) -> timedelta:
    written = _PATIENCE.fullmatch(text)
    if written is None:
        raise UsageError("bad_patience", value=text)
    return int(written[1]) * _UNITS[written[2]]
