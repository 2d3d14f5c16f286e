"""The words a whistle is told in: who is summoned in which role, what the street says, the states it goes through."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from models.organisation import Post, UnitKind
from models.policy import Frozen, Kind, Urgency

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,79}$")]


# Lines and tabs are welcome; other control characters are no text, and PostgreSQL cannot even keep some of them.
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$"),
]


class Role(StrEnum):
    """A summoned unit leads or supports; one leads."""

    LEAD = "lead"
    SUPPORT = "support"


class WhistleState(StrEnum):
    """The states of domain 4.2."""

    DRAFT = "DRAFT"
    PENDING_APPROVAL = "PENDING_APPROVAL"
    SOUNDED = "SOUNDED"
    MUSTERING = "MUSTERING"
    HANDLING = "HANDLING"
    VERIFYING = "VERIFYING"
    EVALUATING = "EVALUATING"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


class Aspect(StrEnum):
    """What a street scores an answering unit on."""

    SPEED = "speed"
    HANDLING = "handling"
    SATISFACTION = "satisfaction"
    CONDUCT = "conduct"


class Presence(StrEnum):
    """How a unit reports in."""

    ONSITE = "onsite"
    VIDEO = "video"


class CancelCause(StrEnum):
    """Why a whistle is withdrawn."""

    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"
    REFERRED_OUT = "referred_out"


class WhistleLevel(StrEnum):
    """Routine whistles are sounded by any street leader, tough ones by secretary or director."""

    ROUTINE = "routine"
    TOUGH = "tough"


class Addressee(Frozen):
    """One officer who is told, and for which post; ``reachable`` is False where no channel is known."""

    officer: Code
    unit: Code
    post: Post
    reachable: bool


class Party(Frozen):
    """A unit as this whistle knows it: frozen at sounding, with who holds which post."""

    unit: Code
    kind: UnitKind
    superior: Code | None
    posts: tuple[tuple[Post, Code, bool], ...]


class Summons(Frozen):
    """One unit summoned, and in which role."""

    unit: Code
    role: Role


class Evidence(Frozen):
    """A stored file, by the SHA-256 of its content."""

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Case(Frozen):
    """What a street says when it blows."""

    kind: Kind
    urgency: Urgency
    level: WhistleLevel = WhistleLevel.ROUTINE
    matter: Code
    duty_item: Code
    place: Text
    text: Text
    own_efforts: Text | None = None
    summons: Annotated[tuple[Summons, ...], Field(max_length=20)]
    promised_at: datetime | None = None
