"""What the doors themselves refuse, and what an error has to say for itself."""

from collections.abc import Mapping


class DoorError(Exception):
    """Something stopped at the door. ``reason`` names its text in the catalogues."""

    def __init__(self, reason: str, **parameters: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.parameters = parameters


class UsageError(DoorError):
    """What was typed makes no sense."""


class MissingError(DoorError):
    """What was named is not there."""


class ForbiddenError(DoorError):
    """Who asks may not, or not now."""


def parameters_of(error: Exception) -> Mapping[str, object]:
    """Return what a text about ``error`` may name: its own parameters, else its public attributes."""
    given = getattr(error, "parameters", None)
    if given is not None:
        return dict(given)
    if type(error).__module__.startswith("typer"):
        return _usage(error)
    public = {name: value for name, value in vars(error).items() if not name.startswith("_")}
    return {"kind": type(error).__name__, "detail": str(error), **public}


def _usage(error: Exception) -> dict[str, object]:
    """Return what Typer's errors know, in our words."""
    ctx, param = getattr(error, "ctx", None), getattr(error, "param", None)
    near = ", ".join(getattr(error, "possibilities", None) or ())
    name = getattr(error, "option_name", None)
    if param is not None:
        name = param.opts[0] if param.param_type_name == "option" else param.metavar or param.name
    said = str(getattr(error, "message", "") or error).removeprefix("Value error, ").rstrip(".")
    return {"command": ctx.command_path if ctx else "whistle", "name": name or "-", "near": near, "detail": said}
