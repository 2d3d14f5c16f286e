"""Reads what comes back to a door: the facts of an act, a refusal, or an earlier answer to the same key."""

from collections.abc import Sequence
from itertools import takewhile

from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.canonical import canonical_json
from models.commands import Act, Opening
from models.facts import Fact
from models.refusals import Reason, RefusedError
from models.whistle import Whistle
from workflows.whistle import REFUSED

# Temporal takes 2 MiB and wedges above it; nothing that a person says needs a thirtieth of that.
LARGEST_ACT = 64 * 1024


def require_fitting(said: Act | Opening) -> None:
    """Refuse what is larger than anything that a person says.

    Raises:
        RefusedError: if it is.
    """
    size = len(canonical_json(said))
    if size > LARGEST_ACT:
        raise RefusedError(Reason.TOO_LARGE, size=str(size), limit=str(LARGEST_ACT))


def is_said(whistle: Whistle, act: Act) -> bool:
    """Return whether a run has taken ``act`` before.

    Raises:
        RefusedError: if its key was used for something else.
    """
    mark = next((mark for mark in whistle.marks if mark.key == act.key), None)
    if mark is not None and mark.command_hash != act.command_hash:
        raise RefusedError(Reason.KEY_REUSED, key=act.key)
    return mark is not None


def brought_by(act: Act, facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Return what ``act`` has brought: its own facts and what followed by itself, until time or somebody else spoke.

    Raises:
        RefusedError: if its key was used for something else.
    """
    said = next((place for place, fact in enumerate(facts) if fact.key == act.key), None)
    if said is None:
        return ()
    if facts[said].command_hash != act.command_hash:
        raise RefusedError(Reason.KEY_REUSED, key=act.key)
    return tuple(takewhile(lambda fact: fact.key == act.key or not (fact.key or fact.due_at), facts[said:]))


def opened_by(opening: Opening, facts: Sequence[Fact]) -> tuple[Fact, ...]:
    """Return what ``opening`` has brought, out of everything that came about since.

    Raises:
        RefusedError: if its key was used for something else.
    """
    return tuple(fact for act in opening.acts for fact in brought_by(act, facts))


def refusal(error: WorkflowUpdateFailedError) -> RefusedError:
    """Return the refusal that came back from a run; anything else is a fault and flies on."""
    cause = error.cause
    if not isinstance(cause, ApplicationError) or cause.type != REFUSED:
        raise error
    said = cause.details[0]
    return RefusedError(Reason(said["reason"]), **said["parameters"])
