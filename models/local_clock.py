"""Says which instant the clock on the wall means.

The face of a clock is a datetime without a zone: what can be read off it. Where the local clock is
set forward, a face that is skipped means the instant of the change; where it is set back, a face
that comes twice means the first time.
"""

from bisect import bisect_left
from datetime import UTC, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, model_serializer, model_validator

_SECOND = timedelta(seconds=1)


class Period(BaseModel):
    """One stretch of working time within a day, on the local clock, written ``08:00-12:00``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the period that ``text`` stands for.

        Raises:
            ValueError: if it is not in the notation, or not a stretch of whole minutes.
        """
        return cls.model_validate(text)

    @property
    def canonical_text(self) -> str:
        """The one way to write this period, in files and in hashes."""
        return f"{self.start:%H:%M}-{self.end:%H:%M}"

    def __str__(self) -> str:
        return self.canonical_text

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        start, dash, end = value.partition("-")
        if not dash:
            raise ValueError(f"{value!r} is not a period: write '08:00-12:00'")
        return {"start": start, "end": end}

    @model_validator(mode="after")
    def _is_a_stretch_of_whole_minutes(self) -> Self:
        for edge in (self.start, self.end):
            if edge.tzinfo is not None or edge.second or edge.microsecond:
                raise ValueError(f"{edge} is not a local time in whole minutes")
        if self.start >= self.end:
            raise ValueError(f"{self} does not end after it starts")
        return self

    @model_serializer
    def _to_text(self) -> str:
        return self.canonical_text


def face_at(tz: ZoneInfo, moment: datetime) -> datetime:
    """Return what the local clock shows at ``moment``."""
    return moment.astimezone(tz).replace(tzinfo=None)


def first_instant_at(tz: ZoneInfo, face: datetime) -> datetime:
    """Return the first instant at which the local clock shows ``face`` or, if it skips that, more."""
    first, second = (face.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    # Skipped: the offset before the change gives an instant after it, and the other way round.
    seconds = range((first - second) // _SECOND)
    instant = bisect_left(seconds, face, key=lambda n: face_at(tz, second + n * _SECOND))
    return second + instant * _SECOND


def later_on_local_clock(tz: ZoneInfo, base: datetime, worth: timedelta) -> datetime:
    """Return the instant at which the face shows ``worth`` more than at ``base``."""
    face = face_at(tz, base) + worth
    due_at = first_instant_at(tz, face)
    # A base within the second pass of a repeated hour stays in that pass.
    return due_at if due_at >= base else face.replace(tzinfo=tz, fold=1).astimezone(UTC)
