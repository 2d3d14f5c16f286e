"""Decides what an act brings, or refuses it. The one door through which a whistle changes.

`decide` first does what time has brought, so no act can slip in before a limit that has already passed. A refusal
leaves the state as it was: what had lapsed is brought by the next look.
"""

from datetime import datetime

from models import answering, closing, sounding
from models.authority import OFFICES, STREET_LEADERS, Standing
from models.commands import Act, Answer, Opening, RegisterSource
from models.facts import Fact
from models.lapse import Outcome, lapse
from models.refusals import Reason, RefusedError, require
from models.scribe import Scribe
from models.whistle import Whistle

RULES = {**sounding.RULES, **answering.RULES, **closing.RULES}


def blank(opening: Opening) -> Whistle:
    """Return the whistle before its first fact."""
    return Whistle(district=opening.district, key=opening.key)


def open_whistle(opening: Opening, started_at: datetime) -> Outcome:
    """Return the whistle with its opening acts done at ``started_at``.

    Raises:
        RefusedError: if one of them is refused; nothing is opened then.
    """
    whistle = blank(opening)
    require(isinstance(opening.acts[0].command, RegisterSource), Reason.NOT_A_WHISTLE)
    facts: list[Fact] = []
    for act in opening.acts:
        outcome = decide(whistle, act, started_at)
        whistle = outcome.whistle
        facts += outcome.facts
    return Outcome(whistle, tuple(facts))


def decide(whistle: Whistle, act: Act, now: datetime) -> Outcome:
    """Return the whistle after ``act`` at ``now``, and all facts since, those of passing time first.

    An act whose key was used with the same content brings nothing new.

    Raises:
        RefusedError: if the rules say no, or the key was used for something else.
    """
    lapsed = lapse(whistle, now)
    mark = next((mark for mark in lapsed.whistle.marks if mark.key == act.key), None)
    if mark is not None:
        require(mark.command_hash == act.command_hash, Reason.KEY_REUSED, key=act.key)
        return lapsed
    scribe = Scribe(lapsed.whistle, now, act)
    _authorise(lapsed.whistle, act)
    RULES[type(act.command)](scribe, act)
    scribe.settle()
    # An act may bring back a limit that has passed meanwhile: an arrival that was announced in time and is denied.
    after = lapse(scribe.whistle, now)
    return Outcome(after.whistle, (*lapsed.facts, *scribe.facts, *after.facts))


def answer(act: Act, outcome: Outcome) -> Answer:
    """Return what the run tells the door."""
    return Answer(command_hash=act.command_hash, facts=outcome.facts)


def _authorise(whistle: Whistle, act: Act) -> None:
    """Refuse an act without the office for it; the door has checked that the officer holds the post."""
    command, actor = act.command, act.actor
    office = OFFICES.get(command.verb)
    if office is None:
        # The engine's own words; no person may say them.
        require(actor is None, Reason.NO_AUTHORITY, verb=command.verb)
        return
    if actor is None or actor.capacity not in office.posts:
        raise RefusedError(Reason.NO_AUTHORITY, verb=command.verb)
    unit = str(getattr(command, "unit", ""))
    match office.standing:
        case Standing.STREET_OR_BELOW:
            stands = whistle.source is None
        case Standing.STREET:
            stands = actor.unit == whistle.street
        case Standing.SUMMONED:
            stands = actor.unit == unit
        case Standing.SUMMONED_OR_STREET:
            by_street = actor.unit == whistle.street and actor.capacity in STREET_LEADERS
            stands = by_street or actor.unit == unit
        case Standing.OWNER:
            stands = actor.unit == unit
    require(stands, Reason.NO_AUTHORITY, verb=command.verb, unit=actor.unit)
