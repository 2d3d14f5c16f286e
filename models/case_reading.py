"""What the columns of another system's table mean: a profile's ``cases.toml``."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from models.case import Code
from models.local_clock import first_instant_at
from models.policy import Frozen, Kind, Urgency

_DAY = timedelta(days=1)
# Beyond these a date is a slip of the pen, and clocks of engines run out.
YEARS = range(1970, 2200)
Column = Annotated[str, Field(min_length=1, max_length=200)]


class CaseOutcome(StrEnum):
    """How a past case ended."""

    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    REFERRED_OUT = "referred_out"


class Columns(Frozen):
    """Which column says what. ``place`` and ``text`` may be put together from several."""

    id: Column
    opened: Column
    closed: Column
    promised: Column
    outcome: Column
    unit: Column
    matter: Column
    street: Column
    community: Column
    place: Annotated[tuple[Column, ...], Field(min_length=1)]
    text: Annotated[tuple[Column, ...], Field(min_length=1)]

    @property
    def needed(self) -> frozenset[str]:
        """All columns that a file must have."""
        single = {getattr(self, name) for name in type(self).model_fields if name not in {"place", "text"}}
        return frozenset({*single, *self.place, *self.text})


class CaseReading(Frozen):
    """How the cases of one source are read: as whistles of one kind and urgency.

    A unit's code is what its column says, in small letters; a matter goes by its English name in the duty list.
    """

    source: Code
    zone: str
    date_format: Annotated[str, Field(min_length=2, max_length=60)]
    kind: Kind
    urgency: Urgency
    street_prefix: str
    community_prefix: str
    columns: Columns
    outcomes: Mapping[str, CaseOutcome]

    @field_validator("zone")
    @classmethod
    def _is_known(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"{zone!r} is not a zone such as 'America/Los_Angeles'") from error
        return zone

    @cached_property
    def tz(self) -> ZoneInfo:
        """The zone whose local clock the dates are on."""
        return ZoneInfo(self.zone)

    def instant(self, text: str) -> datetime:
        """Return the instant that a date of the file means.

        Raises:
            ValueError: if it is not written in the format.
        """
        return first_instant_at(self.tz, self._face(text))

    def end_of_day(self, text: str) -> datetime:
        """Return the end of the day that a date of the file falls on; its time of day means nothing.

        Raises:
            ValueError: if it is not written in the format.
        """
        return first_instant_at(self.tz, datetime.combine(self._face(text).date() + _DAY, time.min))

    def _face(self, text: str) -> datetime:
        face = datetime.strptime(text.strip(), self.date_format)  # noqa: DTZ007 - the face of the local clock
        if face.tzinfo is not None or face.year not in YEARS:
            raise ValueError(f"{text!r} is not a date on the local clock")
        return face
