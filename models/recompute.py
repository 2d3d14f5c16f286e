"""Recomputes a whistle from what people said and when the engine looked, without the engine.

The auditor's half of the bargain: the same pure rules over the same acts must give the same facts, hash by hash.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from models.commands import Act, Opening
from models.decide import decide, open_whistle
from models.facts import Fact
from models.lapse import Outcome, lapse
from models.refusals import RefusedError


@dataclass(frozen=True)
class Moment:
    """One look of the engine, at ``now``: whether it looked at the time, and the acts that it took in, in order."""

    now: datetime
    observes_time: bool
    acts: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Difference:
    """The first place where two accounts of a whistle part. ``what`` is a code for the doors to translate."""

    what: str
    number: int
    expected: str
    found: str


def recompute(opening: Opening, started_at: datetime, moments: Iterable[Moment]) -> Outcome:
    """Return the whistle and all its facts as the rules give them.

    An act that the rules refuse brings nothing, as it did then.
    """
    outcome = open_whistle(opening, started_at)
    whistle, facts = outcome.whistle, list(outcome.facts)
    for moment in moments:
        if moment.observes_time:
            outcome = lapse(whistle, moment.now)
            whistle = outcome.whistle
            facts += outcome.facts
        for act in moment.acts:
            try:
                outcome = decide(whistle, act, moment.now)
            except RefusedError:
                continue
            whistle = outcome.whistle
            facts += outcome.facts
    return Outcome(whistle, tuple(facts))


def first_difference(expected: Sequence[Fact], found: Sequence[Fact]) -> Difference | None:
    """Return the first fact of ``found`` that is not what it should be, or None if the chains are the same.

    Each found fact must carry a hash that fits its own content, join the one before it, and be the expected one.
    """
    previous = expected[0].previous_hash if expected else ""
    for number, fact in enumerate(found, start=1):
        if not fact.is_sealed_truly:
            return Difference("content_altered", number, fact.hash, fact.sealed().hash)
        if fact.number != number or fact.previous_hash != previous:
            return Difference("chain_broken", number, previous, fact.previous_hash)
        if number > len(expected):
            return Difference("fact_added", number, "-", fact.hash)
        if fact.hash != expected[number - 1].hash:
            return Difference("fact_differs", number, expected[number - 1].hash, fact.hash)
        previous = fact.hash
    if len(found) < len(expected):
        return Difference("fact_missing", len(found) + 1, expected[len(found)].hash, "-")
    return None
