"""Maps between a folded whistle and the columns of its rows. Writes nothing itself."""

from pydantic import TypeAdapter

from models.facts import Detail, Fact
from models.limits import Limit
from models.tables import FactRow
from models.whistle import Task, Whistle

_STATE = TypeAdapter(Whistle)
_DETAIL: TypeAdapter[Detail] = TypeAdapter(Detail)
_OF_FACT = tuple(name for name in Fact.model_fields if name != "detail")
_OF_LIMIT = (
    "owner",
    "stage",
    "about",
    "base_at",
    "due_at",
    "clock",
    "calendar_version",
    "escalation",
    "met_at",
    "missed",
    "excused",
    "void",
    "provisional",
)

Values = dict[str, object]


def folded_state(folded: str) -> Whistle:
    """Return the whistle that a row holds."""
    return _STATE.validate_json(folded)


def stored_fact(row: FactRow) -> Fact:
    """Return the fact as it was sealed. Whether the hash still fits is for the reader to check."""
    kept = {name: getattr(row, name) for name in _OF_FACT}
    return Fact(**kept, detail=_DETAIL.validate_python(row.detail))


def fact_values(whistle_id: str, fact: Fact) -> Values:
    """Return the columns of ``fact``, but for when it was recorded."""
    kept = {name: getattr(fact, name) for name in _OF_FACT}
    detail = fact.detail.model_dump(mode="json")
    return {**kept, "whistle_id": whistle_id, "type": fact.type, "detail": detail}


def whistle_values(whistle: Whistle) -> Values:
    """Return what lists and searches need of ``whistle``, and the whole of it."""
    return {
        **_case_values(whistle),
        **_countdown_values(whistle),
        "state": whistle.state,
        "mode": str(whistle.mode),
        "epoch": whistle.mode.epoch,
        "escalation": whistle.escalation,
        "lead": whistle.lead.unit if whistle.lead else None,
        "sounded_at": whistle.sounded_at,
        "closed_at": whistle.closed_at,
        "head_number": whistle.number,
        "head_hash": whistle.head_hash,
        "folded": _STATE.dump_json(whistle).decode(),
    }


def _case_values(whistle: Whistle) -> Values:
    source, case, law = whistle.registered, whistle.case, whistle.law
    said = case or source
    return {
        "street": source.street,
        "community": source.community,
        "source_type": source.source_type,
        "source_id": source.source_id,
        "matter": said.matter,
        "place": said.place,
        "text": said.text,
        "kind": case.kind if case else None,
        "urgency": case.urgency if case else None,
        "level": case.level if case else None,
        "policy_version": law.policy.version if law else None,
        "calendar_version": law.calendar.version if law else None,
    }


def _countdown_values(whistle: Whistle) -> Values:
    owed = [limit for limit in whistle.limits if limit.is_open]
    nearest = _nearest(owed)
    return {
        "next_due": nearest.due_at if nearest else None,
        "next_due_owner": nearest.owner if nearest else None,
        "next_due_stage": nearest.stage if nearest else None,
        # Only these would be counted anew when a calendar is published.
        "provisional": any(limit.provisional and not limit.missed for limit in owed),
    }


def task_values(whistle: Whistle) -> list[Values]:
    """Return the columns of one `TaskRow` for each task."""
    return [_of_task(whistle, task) for task in whistle.tasks]


def _of_task(whistle: Whistle, task: Task) -> Values:
    own = [limit for limit in whistle.limits if limit.owner == task.unit]
    nearest = _nearest([limit for limit in own if limit.is_open])
    return {
        "whistle_id": whistle.id,
        "unit": task.unit,
        "role": task.role,
        "state": task.state,
        "escalation": whistle.escalation_of(task.unit),
        "next_due": nearest.due_at if nearest else None,
        "next_due_stage": nearest.stage if nearest else None,
        "missed": sum(limit.missed for limit in own),
        "deemed": task.deemed,
        "people": task.people,
        "reworks": task.reworks,
    }


def changed_obligations(before: Whistle, after: Whistle) -> list[Values]:
    """Return the columns of an `ObligationRow` for each limit that is new or not what it was.

    A limit keeps its place in the whistle: it may be replaced, and is never removed.
    """
    known = before.limits
    return [
        _of_limit(after.id, place, limit)
        for place, limit in enumerate(after.limits)
        if place >= len(known) or limit != known[place]
    ]


def _of_limit(whistle_id: str, position: int, limit: Limit) -> Values:
    kept = {name: getattr(limit, name) for name in _OF_LIMIT}
    return {**kept, "whistle_id": whistle_id, "position": position}


def _nearest(owed: list[Limit]) -> Limit | None:
    return min(owed, key=lambda limit: limit.due_at, default=None)
