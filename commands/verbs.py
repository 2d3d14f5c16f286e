"""Registers verbs: adds the options that all of them have, so that each says only what is its own.

@reading(app, "show")
def show(call: Call, whistle: WhistleName) -> None: ...

@acting(app, "ack")
def ack(call: ActingCall, whistle: WhistleName, unit: OwnUnit = None) -> None: ...
"""

import inspect
import secrets
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from commands.spoken import SpokenCommand
from console.texts import Language, Texts
from engine.home import Home
from models.organisation import Post

OFFICER_VARIABLE = "WHISTLE_OFFICER"
_KEY_BYTES = 10

HomeOption = Annotated[Path | None, typer.Option("--home", metavar="DIRECTORY")]
LangOption = Annotated[Language | None, typer.Option("--lang")]
JsonOption = Annotated[bool, typer.Option("--json")]
OfficerOption = Annotated[str | None, typer.Option("--as", envvar=OFFICER_VARIABLE, metavar="OFFICER")]
CapacityOption = Annotated[Post | None, typer.Option("--capacity", metavar="POST")]
KeyOption = Annotated[str | None, typer.Option("--key")]
WhistleName = Annotated[str, typer.Argument(metavar="WHISTLE", show_default=False)]
OwnUnit = Annotated[str | None, typer.Option("--unit")]
Note = Annotated[str | None, typer.Option("--note")]


@dataclass(frozen=True)
class Call:
    """How a verb was called. ``officer`` is who says it; some verbs of looking ask for that too.

    What a verb opens it leaves to ``leaving`` to close.
    """

    verb: str
    home: Home
    texts: Texts
    as_json: bool
    officer: str | None = None
    leaving: ExitStack = field(default_factory=ExitStack, repr=False, compare=False)


@dataclass(frozen=True)
class ActingCall(Call):
    """How a verb was called that changes something. ``key_was_given`` tells whose key it is."""

    capacity: Post | None = None
    key: str = ""
    key_was_given: bool = False


Verb = TypeVar("Verb", bound=Callable[..., None])

_EVERY: dict[str, tuple[Any, object]] = {
    "home": (HomeOption, None),
    "lang": (LangOption, None),
    "json": (JsonOption, False),
}
_WITH_OFFICER: dict[str, tuple[Any, object]] = {"acting_officer": (OfficerOption, None), **_EVERY}
_ACTING: dict[str, tuple[Any, object]] = {
    "acting_officer": (OfficerOption, None),
    "capacity": (CapacityOption, None),
    "key": (KeyOption, None),
    **_EVERY,
}


def plain(app: typer.Typer, name: str) -> Callable[[Verb], Verb]:
    """Register a verb that nobody in particular says."""
    return _registration(app, name, _EVERY, lambda verb, texts, chosen: Call(verb, **_place(texts, chosen)))


def reading(app: typer.Typer, name: str) -> Callable[[Verb], Verb]:
    """Register a verb that looks."""

    def make(verb: str, texts: Texts, chosen: dict[str, Any]) -> Call:
        return Call(verb, **_place(texts, chosen), officer=chosen["acting_officer"])

    return _registration(app, name, _WITH_OFFICER, make)


def acting(app: typer.Typer, name: str) -> Callable[[Verb], Verb]:
    """Register a verb that changes something, said by an officer in one capacity, once for each key."""

    def make(verb: str, texts: Texts, chosen: dict[str, Any]) -> Call:
        key = chosen["key"]
        return ActingCall(
            verb,
            **_place(texts, chosen),
            officer=chosen["acting_officer"],
            capacity=chosen["capacity"],
            key=key or secrets.token_hex(_KEY_BYTES),
            key_was_given=key is not None,
        )

    return _registration(app, name, _ACTING, make)


def _place(texts: Texts, chosen: dict[str, Any]) -> dict[str, Any]:
    return {"home": Home.locate(chosen["home"]), "texts": texts, "as_json": chosen["json"]}


def _registration(
    app: typer.Typer,
    name: str,
    shared: dict[str, tuple[Any, object]],
    make: Callable[[str, Texts, dict[str, Any]], Call],
) -> Callable[[Verb], Verb]:
    def register(verb: Verb) -> Verb:
        _, *own = inspect.signature(verb, eval_str=True).parameters.values()

        @wraps(verb)
        def run(ctx: typer.Context, **options: Any) -> None:
            chosen = {key: options.pop(key) for key in shared}
            call = make(name, ctx.obj, chosen)
            with call.leaving:
                verb(call, **options)

        _declare(run, [*own, *(_parameter(key, *value) for key, value in shared.items())])
        app.command(name, cls=SpokenCommand)(run)
        return verb

    return register


def _parameter(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _declare(run: Callable[..., None], parameters: Iterable[inspect.Parameter]) -> None:
    """Give ``run`` the signature that Typer reads options from."""
    first = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    declared = [first, *(x.replace(kind=inspect.Parameter.KEYWORD_ONLY) for x in parameters)]
    run.__signature__ = inspect.Signature(declared)  # type: ignore[attr-defined]
    run.__annotations__ = {x.name: x.annotation for x in declared}
