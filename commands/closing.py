"""The street's verbs at the end of a whistle: verify and evaluate."""

from typing import Annotated

import typer

from commands.acting import act
from commands.troubles import UsageError
from commands.verbs import ActingCall, WhistleName, acting
from models.case import Aspect
from models.commands import Evaluate, FailVerification, PassVerification

app = typer.Typer()


@acting(app, "verify")
def verify(
    call: ActingCall,
    whistle: WhistleName,
    *,
    passed: Annotated[bool, typer.Option("--pass")] = False,
    failed: Annotated[bool, typer.Option("--fail")] = False,
    reason: Annotated[str | None, typer.Option("--reason")] = None,
    send_back: Annotated[list[str] | None, typer.Option("--unit", metavar="UNIT")] = None,
) -> None:
    """T20, T21. With ``--pass`` the reason is kept as a note."""
    if passed is failed:
        raise UsageError("verdict_needed", command="whistle verify")
    if passed:
        act(call, whistle, lambda _: PassVerification(note=reason), verb="verify-pass")
        return
    if reason is None:
        raise UsageError("reason_needed")
    units = tuple(send_back or ())
    act(call, whistle, lambda _: FailVerification(reason=reason, units=units), verb="verify-fail")


@acting(app, "evaluate")
def evaluate(
    call: ActingCall,
    whistle: WhistleName,
    *,
    unit: Annotated[str, typer.Option("--unit")],
    stars: Annotated[int, typer.Option("--stars", min=1, max=5)],
    on: Annotated[str, typer.Option("--on")] = ",".join(Aspect),
) -> None:
    """T25."""
    aspects = tuple(_aspect(name.strip()) for name in on.split(","))
    act(call, whistle, lambda _: Evaluate(unit=unit, stars=stars, aspects=aspects))


def _aspect(name: str) -> Aspect:
    if name not in set(Aspect):
        raise UsageError("bad_value", name="--on", detail=", ".join(Aspect), command="whistle evaluate")
    return Aspect(name)
