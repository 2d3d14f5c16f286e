"""Puts a case: from what a duty officer types to the acts that open a whistle, checked against the district's lists.

What the lists do not allow is refused here, before an engine is asked; the refusal is kept like any other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar

from activities.attempts import WantedAttempts, list_attempts
from activities.database import RecordAwayError
from activities.queries import Wanted, find_whistle, list_whistles
from commands.acting import Named, check_key, office_for, open_door, run, scene_in, scene_of, speaking
from commands.answers import print_done
from commands.site import Site, claims_of, keep_refusal, now, open_site
from commands.troubles import UsageError
from commands.verbs import ActingCall
from models.case import Case, Role, Summons, WhistleLevel, WhistleState
from models.commands import Blow, Command, RegisterSource
from models.duties import UnknownMatterError
from models.offices import Wish
from models.organisation import UnitKind, UnknownUnitError
from models.parties import freeze_parties
from models.policy import Kind, Urgency
from models.profile import Profile
from models.refusals import Reason, RefusedError

T = TypeVar("T")

# Where nobody says where a matter comes from, the street itself has noticed it.
OWN_SOURCE = "street"
_LATELY = 500


@dataclass(frozen=True)
class Matter:
    """What was brought to the street, as typed."""

    street: str
    place: str
    text: str
    source: str | None
    matter: str | None
    community: str | None


@dataclass(frozen=True)
class Sounding:
    """How the whistle is to sound, as typed."""

    kind: Kind
    urgency: Urgency
    level: WhistleLevel
    summons: tuple[str, ...]
    own_efforts: str | None


def bring(call: ActingCall, matter: Matter) -> None:
    """T1: register a source, in a whistle of its own."""
    run(_bring(open_site(call), call, matter))


def blow(call: ActingCall, matter: Matter, sounding: Sounding) -> None:
    """T2, T3e: put a case, in the draft that its source has, else in a new whistle."""
    run(_blow(open_site(call), call, matter, sounding))


async def _bring(site: Site, call: ActingCall, matter: Matter) -> None:
    check_key(call)
    claims = claims_of(site)
    _allowed(site, lambda profile: _check_place(profile, matter))
    actor = office_for(site, claims, Wish("source", capacity=call.capacity), scene_in(site, matter.street))
    said = speaking(site, lambda: _source(matter, call.key))
    door = await open_door(site)
    done = await door.open(site.code, call.key, [said], actor)
    await print_done(site, call, door, done)


async def _blow(site: Site, call: ActingCall, matter: Matter, sounding: Sounding) -> None:
    check_key(call)
    claims = claims_of(site)
    _allowed(site, lambda profile: _check_place(profile, matter))
    summons = _allowed(site, lambda profile: _summons(profile, matter, sounding))
    draft = _draft(site, call, matter)
    scene = scene_of(draft.whistle) if draft else scene_in(site, matter.street)
    actor = office_for(site, claims, Wish("blow", capacity=call.capacity), scene)
    said = speaking(site, lambda: _case(site, matter, sounding, summons, now()))
    door = await open_door(site)
    if draft is not None:
        done = await door.act(draft.id, said, actor, call.key)
    else:
        source = speaking(site, lambda: _source(matter, call.key))
        done = await door.open(site.code, call.key, [source, said], actor)
    await print_done(site, call, door, done)


def _allowed(site: Site, check: Callable[[Profile], T]) -> T:
    """Ask the district's lists; what they refuse is kept."""
    try:
        return check(site.district.profile)
    except RefusedError as refusal:
        keep_refusal(site, refusal.reason, refusal.parameters)
        raise


def _check_place(profile: Profile, matter: Matter) -> None:
    """Refuse a street or community that is none, and a matter that no list has."""
    streets = tuple(unit.code for unit in profile.organisation.of_kind(UnitKind.STREET))
    if matter.street not in streets:
        near = ", ".join(streets)
        raise RefusedError(Reason.UNKNOWN_STREET, street=matter.street, near=near)
    communities = tuple(unit.code for unit in profile.organisation.communities(matter.street))
    if matter.community is not None and matter.community not in communities:
        raise RefusedError(Reason.UNKNOWN_UNIT, unit=matter.community, near=", ".join(communities[:3]))
    if matter.matter is not None:
        try:
            profile.duties.item_for(matter.matter)
        except UnknownMatterError as error:
            near = ", ".join(error.near)
            raise RefusedError(Reason.UNKNOWN_MATTER, matter=matter.matter, near=near) from error


def _summons(profile: Profile, matter: Matter, sounding: Sounding) -> tuple[Summons, ...]:
    """Return whom to summon: as typed, or else as the duty list has it.

    A single unit leads; of several one has to be marked.
    """
    topic = matter.matter or ""
    if not sounding.summons:
        return profile.usual_summons(topic, matter.street)
    typed = [_typed_summons(value) for value in sounding.summons]
    unmarked = Role.LEAD if len(typed) == 1 else Role.SUPPORT
    summons = tuple(Summons(unit=unit, role=role or unmarked) for unit, role in typed)
    for each in summons:
        _check_duty(profile, each, topic, matter.street)
    return summons


def _typed_summons(value: str) -> tuple[str, Role | None]:
    unit, colon, role = value.partition(":")
    if not unit or (colon and role not in set(Role)):
        raise UsageError("bad_summons", value=value)
    return unit, Role(role) if colon else None


def _check_duty(profile: Profile, summons: Summons, topic: str, street: str) -> None:
    may = profile.may_lead if summons.role is Role.LEAD else profile.may_support
    try:
        allowed = may(summons.unit, topic, street)
    except UnknownUnitError as error:
        raise RefusedError(Reason.UNKNOWN_UNIT, unit=summons.unit, near=", ".join(error.near)) from error
    if not allowed:
        raise RefusedError(Reason.UNIT_CANNOT_BE_SUMMONED, unit=summons.unit)


def _case(site: Site, matter: Matter, sounding: Sounding, summons: tuple[Summons, ...], at: datetime) -> Blow:
    profile = site.district.profile
    units = tuple(each.unit for each in summons)
    topic = matter.matter or ""
    return Blow(
        case=Case(
            kind=sounding.kind,
            urgency=sounding.urgency,
            level=sounding.level,
            matter=topic,
            duty_item=profile.duties.item_for(topic).code,
            place=matter.place,
            text=matter.text,
            own_efforts=sounding.own_efforts,
            summons=summons,
        ),
        policy=profile.policy,
        calendar=profile.calendar.frozen_for(at),
        parties=freeze_parties(profile.organisation, matter.street, units, _local_day(profile, at)),
        mode=site.district.mode,
    )


def _local_day(profile: Profile, at: datetime) -> date:
    return at.astimezone(profile.calendar.tz).date()


def _source(matter: Matter, key: str) -> Command:
    kind, source_id = _typed_source(matter.source) if matter.source else (OWN_SOURCE, key)
    return RegisterSource(
        source_type=kind,
        source_id=source_id,
        street=matter.street,
        community=matter.community,
        matter=matter.matter,
        place=matter.place,
        text=matter.text,
    )


def _typed_source(value: str) -> tuple[str, str]:
    kind, _, source_id = value.partition(":")
    if not kind or not source_id:
        raise UsageError("bad_source", value=value)
    return kind, source_id


def _draft(site: Site, call: ActingCall, matter: Matter) -> Named | None:
    """Return the whistle that a case is put into: the one that this key went to before, else the source's open draft.

    None if it opens one of its own. With the record away nobody can look, and an emergency does not wait for that.
    """
    if matter.source is None:
        return None
    source = _typed_source(matter.source)
    own = f"whistle/{site.code}/{call.key}"
    try:
        with site.database.reading() as session:
            found = _said_before(session, call) if call.key_was_given else None
            found = found or _open_draft(session, matter.street, source)
            recorded = find_whistle(session, found) if found and found != own else None
    except RecordAwayError:
        return None
    return Named(recorded.id, recorded.whistle) if recorded else None


def _said_before(session: Any, call: ActingCall) -> str | None:
    attempts = list_attempts(session, WantedAttempts(officer=call.officer, limit=_LATELY))
    ids = (x.attempt.whistle_id for x in attempts if (x.attempt.key, x.attempt.verb) == (call.key, "blow"))
    return next((whistle_id for whistle_id in ids if whistle_id), None)


def _open_draft(session: Any, street: str, source: tuple[str, str]) -> str | None:
    drafts = list_whistles(session, Wanted(state=WhistleState.DRAFT, street=street), now(), limit=_LATELY)
    for draft in drafts.whistles:
        registered = find_whistle(session, draft.id).whistle.registered
        if (registered.source_type, registered.source_id) == source:
            return draft.id
    return None
