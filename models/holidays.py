"""Says what was published of a year's holidays. In a country that moves weekends this is no formula."""

from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

SATURDAY = 5


class CalendarYear(BaseModel):
    """What was published for one year: the dates off, and the weekend dates worked in exchange.

    A holiday that falls on a weekend may be listed or left out; it is off either way.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    year: Annotated[int, Field(ge=1900, le=9000)]
    holidays: tuple[date, ...] = ()
    makeup_workdays: tuple[date, ...] = ()
    source: Annotated[str, Field(min_length=1, max_length=200)]

    @field_validator("holidays", "makeup_workdays")
    @classmethod
    def _in_order_and_once(cls, dates: tuple[date, ...]) -> tuple[date, ...]:
        return tuple(sorted(set(dates)))

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        for day in self.holidays + self.makeup_workdays:
            if day.year != self.year:
                raise ValueError(f"{day} is not in {self.year}")
        for day in self.makeup_workdays:
            if day in self.holidays:
                raise ValueError(f"{day} is both a holiday and a make-up workday")
            if day.weekday() < SATURDAY:
                raise ValueError(f"{day} is not on a weekend, so it makes up for nothing")
        return self
