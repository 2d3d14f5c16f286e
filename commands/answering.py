"""The verbs between summons and result: ack, contact, report-in, confirm-arrival, progress, submit, waive and so on."""

from pathlib import Path
from typing import Annotated

import typer

from activities.evidence import EvidenceTooLargeError, EvidenceUnreadableError, store_evidence
from commands.acting import act
from commands.troubles import UsageError
from commands.verbs import ActingCall, Note, OwnUnit, WhistleName, acting
from models.case import Evidence, Presence
from models.commands import (
    Acknowledge,
    Command,
    ConfirmArrival,
    ContactStreet,
    DenyArrival,
    ReplyToEscalation,
    ReportIn,
    ReportProgress,
    StandDown,
    SubmitResult,
    WaiveResult,
)
from models.policy import Escalation

app = typer.Typer()

Unit = Annotated[str, typer.Option("--unit")]
Text = Annotated[str, typer.Option("--text")]
Reason = Annotated[str, typer.Option("--reason")]


@acting(app, "ack")
def ack(call: ActingCall, whistle: WhistleName, unit: OwnUnit = None) -> None:
    """T5."""
    act(call, whistle, lambda own: Acknowledge(unit=own), unit=unit)


@acting(app, "contact")
def contact(call: ActingCall, whistle: WhistleName, unit: OwnUnit = None, note: Note = None) -> None:
    """T10."""
    act(call, whistle, lambda own: ContactStreet(unit=own, note=note), unit=unit)


@acting(app, "report-in")
def report_in(
    call: ActingCall,
    whistle: WhistleName,
    *,
    people: Annotated[int, typer.Option("--people", min=1, max=10000)],
    mode: Annotated[Presence, typer.Option("--mode")] = Presence.ONSITE,
    unit: OwnUnit = None,
    note: Note = None,
) -> None:
    """T11, first half."""
    act(call, whistle, lambda own: ReportIn(unit=own, people=people, presence=mode, note=note), unit=unit)


@acting(app, "confirm-arrival")
def confirm_arrival(
    call: ActingCall,
    whistle: WhistleName,
    *,
    unit: Unit,
    absent: Annotated[bool, typer.Option("--absent")] = False,
    reason: Annotated[str | None, typer.Option("--reason")] = None,
) -> None:
    """T11, second half, or its denial."""
    if not absent:
        act(call, whistle, lambda _: ConfirmArrival(unit=unit))
        return
    if reason is None:
        raise UsageError("reason_needed")
    act(call, whistle, lambda _: DenyArrival(unit=unit, reason=reason), verb="deny-arrival")


@acting(app, "progress")
def progress(
    call: ActingCall,
    whistle: WhistleName,
    *,
    text: Text,
    plan: Annotated[bool, typer.Option("--plan")] = False,
    unit: OwnUnit = None,
) -> None:
    """T14."""
    act(call, whistle, lambda own: ReportProgress(unit=own, text=text, plan=plan), unit=unit)


@acting(app, "submit")
def submit(
    call: ActingCall,
    whistle: WhistleName,
    *,
    result: Annotated[str, typer.Option("--result")],
    evidence: Annotated[list[Path] | None, typer.Option("--evidence", metavar="FILE")] = None,
    unit: OwnUnit = None,
) -> None:
    """T18. The files are kept once it is clear that the officer may submit."""

    def said(own: str) -> Command:
        return SubmitResult(unit=own, result=result, evidence=_kept(call, evidence or []))

    act(call, whistle, said, unit=unit)


@acting(app, "waive")
def waive(
    call: ActingCall,
    whistle: WhistleName,
    *,
    reason: Reason,
    interim: Annotated[str | None, typer.Option("--interim")] = None,
    unit: OwnUnit = None,
) -> None:
    """A supporter's result is given up."""
    act(call, whistle, lambda own: WaiveResult(unit=own, reason=reason, interim_status=interim), unit=unit)


@acting(app, "stand-down")
def stand_down(call: ActingCall, whistle: WhistleName, unit: Unit, reason: Reason) -> None:
    """T22."""
    act(call, whistle, lambda _: StandDown(unit=unit, reason=reason))


@acting(app, "reply")
def reply(
    call: ActingCall,
    whistle: WhistleName,
    *,
    text: Text,
    escalation: Annotated[Escalation, typer.Option("--level")] = Escalation.E1,
    unit: OwnUnit = None,
) -> None:
    """Answer an escalation."""
    act(call, whistle, lambda own: ReplyToEscalation(unit=own, level=escalation, text=text), unit=unit)


def _kept(call: ActingCall, files: list[Path]) -> tuple[Evidence, ...]:
    try:
        return tuple(store_evidence(call.home.evidence, file) for file in files)
    except EvidenceUnreadableError as error:
        raise UsageError("file_unreadable", file=error.path) from error
    except EvidenceTooLargeError as error:
        raise UsageError("evidence_too_large", file=error.path, limit=error.limit) from error
