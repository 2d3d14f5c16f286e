"""What travels between a run, a door and the record."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field

from models.case import Code
from models.facts import Fact
from models.organisation import Post
from models.policy import Frozen, ModeStamp

_LONGEST_CLAIM = 200


def _cut(said: object) -> object:
    """Return what a row can hold of something that a stranger may have typed."""
    if not isinstance(said, str):
        return said
    return said.encode(errors="replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")[:_LONGEST_CLAIM]


Claim = Annotated[str, BeforeValidator(_cut)]


class Purpose(StrEnum):
    """Whether a record holds a district's real work or a drill. The two never share one."""

    REAL = "real"
    DRILL = "drill"


class LawKind(StrEnum):
    """The four bodies of published data that decisions rest on."""

    POLICY = "policy"
    CALENDAR = "calendar"
    DUTIES = "duties"
    ORGANISATION = "organisation"


class AttemptOutcome(StrEnum):
    """What became of an attempt. A pending one is settled by the door, or by the sweeper if the door died."""

    PENDING = "pending"
    DONE = "done"
    REFUSED = "refused"
    NEVER_ACCEPTED = "never_accepted"


class UnknownDistrictError(LookupError):
    """The record has no such district."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the record has no district '{code}'")
        self.code = code


class Registration(Frozen):
    """What a run tells the record first: that it exists, and its facts so far."""

    district: Code
    key: str
    drill: bool
    facts: Annotated[tuple[Fact, ...], Field(min_length=1)]

    @property
    def whistle_id(self) -> str:
        """The workflow id."""
        return f"whistle/{self.district}/{self.key}"


class Registered(Frozen):
    """What the record answers: the number that people say, and the mode that the district is in at that moment."""

    number: str
    mode: ModeStamp


class RecordBatch(Frozen):
    """Facts on their way into the record; in any order, and as often as it takes."""

    whistle_id: str
    facts: tuple[Fact, ...]


class Attempt(Frozen):
    """Somebody at a door wants something. What is unknown stays None: a stranger has no office, a typo no whistle.

    Officer, unit, whistle and key are as claimed, which may be anything: they are cut, never refused.
    """

    at: datetime
    verb: Annotated[str, Field(min_length=1, max_length=60)]
    door: Annotated[str, Field(min_length=1, max_length=120)]
    officer: Claim | None = None
    unit: Claim | None = None
    capacity: Post | None = None
    whistle_id: Claim | None = None
    key: Claim | None = None
    command_hash: Annotated[str, Field(max_length=64)] | None = None


class Begun(Frozen):
    """An attempt that the record knows of, and the last fact of its whistle that the record has without a gap."""

    attempt_id: str
    recorded_through: int


class PendingAttempt(Frozen):
    """An attempt whose door never said how it ended."""

    attempt_id: str
    attempt: Attempt
