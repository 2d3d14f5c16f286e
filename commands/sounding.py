"""The street's verbs up to a sounded whistle: source, blow, approve, reject, confirm-sounding, cancel."""

from typing import Annotated

import typer

from commands import blowing
from commands.acting import act
from commands.verbs import ActingCall, Note, WhistleName, acting
from models.case import CancelCause, WhistleLevel
from models.commands import Approve, Cancel, ConfirmSounding, Reject
from models.policy import Kind, Urgency

app = typer.Typer()

Street = Annotated[str, typer.Option("--street")]
Place = Annotated[str, typer.Option("--place")]
What = Annotated[str, typer.Option("--text")]
Reason = Annotated[str, typer.Option("--reason")]
Community = Annotated[str | None, typer.Option("--community")]


@acting(app, "source")
def source(
    call: ActingCall,
    *,
    street: Street,
    place: Place,
    text: What,
    source: Annotated[str, typer.Option("--source", metavar="TYPE:ID")],
    matter: Annotated[str | None, typer.Option("--matter")] = None,
    community: Community = None,
) -> None:
    """T1."""
    blowing.bring(call, blowing.Matter(street, place, text, source, matter, community))


@acting(app, "blow")
def blow(
    call: ActingCall,
    *,
    street: Street,
    kind: Annotated[Kind, typer.Option("--kind")],
    urgency: Annotated[Urgency, typer.Option("--urgency")],
    matter: Annotated[str, typer.Option("--matter")],
    place: Place,
    text: What,
    summons: Annotated[list[str] | None, typer.Option("--unit", metavar="UNIT[:lead|:support]")] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="TYPE:ID")] = None,
    level: Annotated[WhistleLevel, typer.Option("--level")] = WhistleLevel.ROUTINE,
    own_efforts: Annotated[str | None, typer.Option("--own-efforts")] = None,
    community: Community = None,
) -> None:
    """T2, T3e."""
    brought = blowing.Matter(street, place, text, source, matter, community)
    said = blowing.Sounding(kind, urgency, level, tuple(summons or ()), own_efforts)
    blowing.blow(call, brought, said)


@acting(app, "approve")
def approve(call: ActingCall, whistle: WhistleName, note: Note = None) -> None:
    """T3."""
    act(call, whistle, lambda _: Approve(note=note))


@acting(app, "reject")
def reject(
    call: ActingCall,
    whistle: WhistleName,
    *,
    reason: Reason,
    draft: Annotated[bool, typer.Option("--draft")] = False,
) -> None:
    """T4."""
    act(call, whistle, lambda _: Reject(reason=reason, back_to_draft=draft))


@acting(app, "confirm-sounding")
def confirm_sounding(call: ActingCall, whistle: WhistleName, note: Note = None) -> None:
    """T3e, afterwards."""
    act(call, whistle, lambda _: ConfirmSounding(note=note))


@acting(app, "cancel")
def cancel(
    call: ActingCall,
    whistle: WhistleName,
    *,
    reason: Reason,
    cause: Annotated[CancelCause, typer.Option("--cause")] = CancelCause.WITHDRAWN,
) -> None:
    """T26."""
    act(call, whistle, lambda _: Cancel(reason=reason, cause=cause))
