"""The demonstration: a scenario minute by minute, forty real cases, and an audit, on one engine of their own."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from commands.acting import run
from commands.audit import document_of as audit_document
from commands.audit import print_finding
from commands.drill import (
    NOT_AS_EXPECTED,
    CasePlan,
    Outcome,
    ScenarioPlan,
    document_of,
    planned,
    print_outcome,
    rehearse,
)
from commands.site import now
from commands.verbs import Call, plain
from console.printing import print_json, print_page, say

if TYPE_CHECKING:
    from engine.drill_rig import DrillRig
    from workflows.audit import Finding

SCENARIO = "burst-main"
CASES = "los-angeles"
# Two of them are rejected: forty cases are played.
ROWS = 42

app = typer.Typer()


@plain(app, "demo")
def demo(call: Call, *, limit: Annotated[int, typer.Option("--limit", min=1)] = ROWS) -> None:
    """Exit code 1 says that something came out otherwise than it should."""
    run(_demo(call, limit))


async def _demo(call: Call, limit: int) -> None:
    from engine.drill_files import shipped_cases
    from engine.drill_rig import drill_rig

    began_at = now()
    scenario = planned(SCENARIO, None, None)
    cases = planned(str(shipped_cases(CASES)), CASES, limit)
    _introduce(call)
    async with drill_rig(now) as rig:
        parts = []
        for plan, chapter in ((scenario, "scenario"), (cases, "cases")):
            _chapter(call, chapter)
            outcome = await rehearse(call, rig, plan, now())
            parts.append((plan, outcome))
            if not call.as_json:
                print_outcome(call, plan, outcome)
        _chapter(call, "audit")
        finding = await _audit(rig, parts[-1][1])
    seconds = (now() - began_at) // timedelta(seconds=1)
    if call.as_json:
        print_json(_document(parts, finding, seconds))
    else:
        print_finding(finding, call.texts)
        say("\n" + call.texts.say("demo.done", seconds=seconds))
    if not finding.agrees or not all(outcome.is_as_expected for _, outcome in parts):
        raise typer.Exit(NOT_AS_EXPECTED)


async def _audit(rig: "DrillRig", outcome: Outcome) -> "Finding":
    """Audit the case with the longest story."""
    from workflows.audit import audit

    longest = max(outcome.cases, key=lambda case: len(case.played.facts))
    return await audit(rig.client, rig.database, longest.played.whistle.id)


def _introduce(call: Call) -> None:
    if not call.as_json:
        say(call.texts.say("demo.welcome"))


def _chapter(call: Call, name: str) -> None:
    from rich.text import Text

    if not call.as_json:
        say("")
        print_page(Text(call.texts.say(f"demo.{name}"), style="bold reverse"))
        say(call.texts.say(f"demo.{name}_note"))


def _document(
    parts: list[tuple[ScenarioPlan | CasePlan, Outcome]], finding: "Finding", seconds: int
) -> dict[str, object]:
    (scenario, played), (cases, replayed) = parts
    return {
        "scenario": document_of(scenario, played),
        "cases": document_of(cases, replayed),
        "audit": audit_document(finding),
        "wall_seconds": seconds,
    }
