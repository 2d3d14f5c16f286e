"""The auditor's verb: replay one whistle and hold its accounts against each other."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from commands.acting import find, open_door, reach_engine, run
from commands.site import open_site
from commands.verbs import Call, WhistleName, reading
from console.printing import print_json, say
from console.texts import Texts

if TYPE_CHECKING:
    from workflows.audit import Finding

DIFFERENT = 1

app = typer.Typer()


@app.callback()
def audit() -> None:
    """Look into the past."""


@reading(app, "replay")
def replay(call: Call, whistle: WhistleName) -> None:
    """Exit code 1 names the first difference."""
    run(_replay(call, whistle))


async def _replay(call: Call, name: str) -> None:
    from workflows.audit import audit as audited

    site = open_site(call)
    named = await find(site, await open_door(site), name)
    finding = await audited(await reach_engine(site), site.database, named.id)
    if call.as_json:
        print_json(document_of(finding))
    else:
        print_finding(finding, call.texts)
    if not finding.agrees:
        raise typer.Exit(DIFFERENT)


def document_of(finding: "Finding") -> Mapping[str, object]:
    """Return what ``--json`` prints of an audit."""
    return {**asdict(finding), "agrees": finding.agrees}


def print_finding(finding: "Finding", texts: Texts) -> None:
    """Print what an audit found; the first difference in full."""
    say(texts.say("audit.heading", whistle=finding.whistle_id))
    counts = {"runs": finding.runs, "events": finding.events, "acts": finding.acts, "facts": finding.facts}
    say(texts.say("audit.accounts", **counts))
    if finding.record_lag:
        say(texts.say("audit.lag", lag=finding.record_lag))
    if finding.agrees:
        say(texts.say("audit.agrees", hash=finding.head_hash))
        return
    first, *others = finding.differences
    what = texts.name("audit_difference", first.what)
    say(texts.say("audit.differs", place=first.number or "-", what=what, expected=first.expected, found=first.found))
    if others:
        say(texts.say("audit.others", count=len(others)))
