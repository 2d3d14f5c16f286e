"""Says how long a limit is, and on which clock it runs.

Domain table 4.4 has four limit types; the continuous one is written in minutes or in hours, which makes five clocks.
A span knows nothing of dates: turning one into an instant needs a calendar (``models.calendar``).
"""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_serializer, model_validator


class Clock(StrEnum):
    """When time counts towards a limit."""

    URGENT_MINUTE = "urgent_minute"
    URGENT_HOUR = "urgent_hour"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"
    NATURAL_DAY = "natural_day"

    @property
    def is_working(self) -> bool:
        """Whether nights, weekends and holidays stop this clock."""
        return self in {Clock.WORK_HOUR, Clock.WORK_DAY}


_UNITS = {
    "m C": Clock.URGENT_MINUTE,
    "h C": Clock.URGENT_HOUR,
    "h W": Clock.WORK_HOUR,
    "wd": Clock.WORK_DAY,
    "d C": Clock.NATURAL_DAY,
}
_NOTATION = {clock: unit for unit, clock in _UNITS.items()}
_WRITTEN = re.compile(rf"([1-9][0-9]{{0,4}})({'|'.join(_UNITS)})")
_FORMS = "'5m C', '24h C', '4h W', '1wd' or '7d C'"


class Span(BaseModel):
    """So much time on one clock, read from and written as the policy's own notation: ``4h W``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # The ceiling keeps any span within the years that a date can have, and within a moment's reckoning.
    amount: Annotated[int, Field(strict=True, gt=0, le=10_000)]
    clock: Clock

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the span that ``text`` stands for.

        Raises:
            ValueError: if it is not in the notation; the message shows every accepted form.
        """
        return cls.model_validate(text)

    @property
    def canonical_text(self) -> str:
        """The one way to write this span, in files, in hashes and on screens."""
        return f"{self.amount}{_NOTATION[self.clock]}"

    def __str__(self) -> str:
        return self.canonical_text

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        written = _WRITTEN.fullmatch(value)
        if written is None:
            raise ValueError(f"{value!r} is not a span: write {_FORMS}")
        return {"amount": int(written[1]), "clock": _UNITS[written[2]]}

    @model_serializer
    def _to_text(self) -> str:
        return self.canonical_text
