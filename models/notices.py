"""Derives from a fact who is told what: notices are computed, never composed.

A notice holds codes and instants, no word that a person wrote, so it may lie in a log and cross a webhook. Texts for
people are rendered from the message catalogues under the key ``notice.<type>``, with the fields of the notice and the
number of the whistle as parameters.

Not here: which channels an officer has. That is looked up when the notice is written into the record, in the same
transaction as the fact; each channel then gets a letter of its own.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from models.case import Addressee, Code, WhistleState
from models.facts import Escalated, Fact, Forewarned, StageEntered
from models.limits import Limit
from models.organisation import Channel, Post
from models.policy import Escalation, Frozen, Stage

_HASH_DIGITS_IN_ID = 32


class NoticeState(StrEnum):
    """How far a letter has come. A dispatched one is taken care of; failed means given up, and the whistle hears it."""

    PENDING = "pending"
    DISPATCHED = "dispatched"
    SENT = "sent"
    FAILED = "failed"


class Notice(Frozen):
    """One officer is told of one fact. ``unit`` and ``post`` say in which office.

    ``owner``, ``stage`` and ``about`` name the obligation that it concerns; ``due_at`` is the next instant that matters
    to who is told: until when the obligation runs, or until when an escalated unit has to answer.
    ``level`` is set on warnings and escalations, ``percent`` on warnings, ``state`` where the whistle moved on.
    """

    fact_number: int
    fact_hash: str
    type: Code
    at: datetime
    receiver: Code
    unit: Code
    post: Post
    owner: Code | None = None
    stage: Stage | None = None
    about: str = ""
    level: Escalation | None = None
    percent: int | None = None
    state: WhistleState | None = None
    due_at: datetime | None = None

    @property
    def text_key(self) -> str:
        """The key of its text in the message catalogues."""
        return f"notice.{self.type}"


class Letter(Frozen):
    """A notice on its way through one channel. ``drill`` marks what nobody should act upon.

    ``number`` is what people call the whistle; it is looked up when the letter leaves.
    """

    id: str
    channel: Channel
    whistle_id: str
    drill: bool
    notice: Notice
    number: str | None = None


def notices_of(fact: Fact) -> tuple[Notice, ...]:
    """Return one notice for each officer whom ``fact`` tells and who can be reached.

    Who cannot be reached is a fact of its own (``NoChannel``) and brings no notice.
    """
    told: tuple[Addressee, ...] = getattr(fact.detail, "told", ())
    return tuple(_notice(fact, addressee) for addressee in told if addressee.reachable)


def letter_id(fact_hash: str, receiver: str, channel: Channel) -> str:
    """Return the id of a letter: in the record, in Temporal, and to whoever receives it."""
    return f"notice/{fact_hash[:_HASH_DIGITS_IN_ID]}/{receiver}/{channel}"


def letters(notice: Notice, channels: Iterable[Channel], *, whistle_id: str, drill: bool) -> tuple[Letter, ...]:
    """Return one letter for each of the receiver's ``channels``, each channel once.

    The receiver had one when the whistle was blown. If none is left by now, the letter goes to the file, so that it is
    not lost without a trace.
    """
    return tuple(
        Letter(
            id=letter_id(notice.fact_hash, notice.receiver, channel),
            channel=channel,
            whistle_id=whistle_id,
            drill=drill,
            notice=notice,
        )
        for channel in dict.fromkeys(channels) or (Channel.FILE,)
    )


def _notice(fact: Fact, addressee: Addressee) -> Notice:
    detail = fact.detail
    limit = _next_limit(getattr(detail, "limits", ()), addressee.unit)
    concerns = detail if isinstance(detail, Forewarned | Escalated) else limit
    return Notice(
        fact_number=fact.number,
        fact_hash=fact.hash,
        type=fact.type,
        at=fact.at,
        receiver=addressee.officer,
        unit=addressee.unit,
        post=addressee.post,
        owner=concerns.owner if concerns else getattr(detail, "unit", None),
        stage=concerns.stage if concerns else None,
        about=concerns.about if concerns else "",
        level=_level(fact),
        percent=detail.percent if isinstance(detail, Forewarned) else None,
        state=detail.state if isinstance(detail, StageEntered) else None,
        due_at=detail.limit_due_at if isinstance(detail, Forewarned) else limit.due_at if limit else None,
    )


def _next_limit(limits: tuple[Limit, ...], unit: str) -> Limit | None:
    """Return what falls due first for ``unit``, or for anybody if it owes nothing itself."""
    still_owed = [limit for limit in limits if limit.is_open]
    own = [limit for limit in still_owed if limit.owner == unit]
    return min(own or still_owed, key=lambda limit: limit.due_at, default=None)


def _level(fact: Fact) -> Escalation | None:
    match fact.detail:
        case Forewarned():
            return Escalation.E0
        case Escalated(level=level):
            return level
        case _:
            return None
