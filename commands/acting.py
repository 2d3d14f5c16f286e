"""The way of an act from the command line to a whistle and back: who says it, in which office, to which run.

Whatever is refused on this way is kept in the record, whoever refused it.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from temporalio.client import Client

from activities.credentials import Claims
from activities.database import RecordAwayError
from activities.keys import root_keys
from activities.queries import AmbiguousKeyError, UnknownWhistleError, find_whistle
from commands.answers import print_done
from commands.site import DOOR, Site, claims_of, keep_refusal, now, open_site
from commands.troubles import MissingError, UsageError
from commands.verbs import ActingCall
from engine.addresses import engine_address
from engine.home import Home
from models.commands import Actor, Command, Key
from models.offices import Held, Scene, Wish, choose_office
from models.organisation import UnitKind
from models.refusals import Reason, RefusedError
from models.whistle import Whistle
from workflows.client import Door, WhistleNotFoundError
from workflows.codec import Keyring
from workflows.connection import connect

T = TypeVar("T")
_FULL_ID = "whistle/"


@dataclass(frozen=True)
class Named:
    """A whistle that was found by what people call it; its state as the record or the run has it."""

    id: str
    whistle: Whistle


def act(
    call: ActingCall,
    name: str,
    say: Callable[[str], Command],
    *,
    verb: str | None = None,
    unit: str | None = None,
) -> None:
    """Say something to the whistle called ``name`` and print what came of it.

    ``say`` is given the unit that is spoken for: ``unit`` if named, else the one that the officer acts for.
    """
    run(_act(open_site(call), call, name, say, Wish(verb or call.verb, unit, call.capacity)))


def run(work: Coroutine[Any, Any, None]) -> None:
    """Do something that talks to Temporal."""
    asyncio.run(work)


async def _act(site: Site, call: ActingCall, name: str, say: Callable[[str], Command], wish: Wish) -> None:
    check_key(call)
    claims = claims_of(site)
    door = await open_door(site)
    named = await find(site, door, name)
    actor = office_for(site, claims, wish, scene_of(named.whistle), whistle_id=named.id)
    with_words = speaking(site, lambda: say(wish.unit or actor.unit), whistle_id=named.id)
    done = await door.act(named.id, with_words, actor, call.key)
    await print_done(site, call, door, done)


async def reach_engine(site: Site) -> Client:
    """Return a client of this home's engine.

    Raises:
        EngineError, EngineUnreachableError: if there is none, or it does not answer.
    """
    return await reach_engine_of(site.call.home)


async def reach_engine_of(home: Home) -> Client:
    """Return a client of the engine of ``home``, whether or not a district lives there.

    Raises:
        EngineError, EngineUnreachableError: if there is none, or it does not answer.
    """
    settings = engine_address(home).connect
    keyring = Keyring(root_keys(home.keys, os.environ))
    return await connect(settings["target_host"], settings["namespace"], keyring, settings=settings)


def check_key(call: ActingCall) -> None:
    """Refuse a key that could not travel as one.

    Raises:
        UsageError: if it has other than letters, digits, dots, dashes and underscores, or is too long.
    """
    try:
        TypeAdapter(Key).validate_python(call.key)
    except ValidationError as error:
        raise UsageError("bad_value", name="--key", detail=error.errors()[0]["msg"]) from error


async def open_door(site: Site) -> Door:
    """Return the door to the engine of this home.

    Raises:
        EngineError, EngineUnreachableError: if there is none, or it does not answer.
    """
    return Door(await reach_engine(site), site.database, now, name=DOOR)


async def find(site: Site, door: Door, name: str) -> Named:
    """Return the whistle called ``name``; if the record is away or behind, the run is asked.

    Raises:
        MissingError: if nobody knows it.
    """
    try:
        with site.database.reading() as session:
            recorded = find_whistle(session, name)
    except AmbiguousKeyError as error:
        raise UsageError("ambiguous_key", key=name, ids=", ".join(error.ids)) from error
    except (UnknownWhistleError, RecordAwayError):
        whistle_id = name if name.startswith(_FULL_ID) else f"{_FULL_ID}{site.code}/{name}"
        try:
            return Named(whistle_id, await door.whistle(whistle_id))
        except WhistleNotFoundError:
            keep_refusal(site, "whistle_not_found", {"name": name})
            raise MissingError("whistle_not_found", whistle_id=name) from None
    return Named(recorded.id, recorded.whistle)


def scene_of(whistle: Whistle) -> Scene:
    """Return what the choice of an office needs to know of a whistle."""
    return Scene(whistle.street, frozenset(task.unit for task in whistle.tasks))


def scene_in(site: Site, street: str) -> Scene:
    """Return what the choice of an office needs to know before there is a whistle."""
    below = (unit.code for unit in site.organisation.units if unit.kind is UnitKind.COMMUNITY and unit.street == street)
    return Scene(street, below=frozenset(below))


def office_for(site: Site, claims: Claims, wish: Wish, scene: Scene, *, whistle_id: str | None = None) -> Actor:
    """Return the office that the officer acts in.

    Raises:
        RefusedError: if there is none or more than one; the refusal is kept.
    """
    held = [Held(each.unit, each.post) for each in claims.appointments]
    try:
        return choose_office(claims.officer, held, wish, scene)
    except RefusedError as refusal:
        keep_refusal(site, refusal.reason, refusal.parameters, verb=wish.verb, whistle_id=whistle_id)
        raise


def speaking(site: Site, words: Callable[[], T], *, whistle_id: str | None = None) -> T:
    """Return what ``words`` makes of what was typed.

    Raises:
        RefusedError: if a text is too long; the refusal is kept.
        UsageError: if something else does not fit its place.
    """
    try:
        return words()
    except ValidationError as error:
        first = error.errors()[0]
        name = next((str(step) for step in reversed(first["loc"]) if isinstance(step, str)), "")
        if first["type"] != "string_too_long":
            raise UsageError("bad_value", name=f"--{name.replace('_', '-')}", detail=first["msg"]) from error
        limits = {"size": str(len(str(first["input"]))), "limit": str(first["ctx"]["max_length"])}
        keep_refusal(site, Reason.TOO_LARGE, limits, whistle_id=whistle_id)
        raise RefusedError(Reason.TOO_LARGE, **limits) from error


def texts_of(values: Sequence[str] | None) -> tuple[str, ...]:
    """Return a repeatable option as a tuple; not given is none."""
    return tuple(values or ())
