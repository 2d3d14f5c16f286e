"""Whose duty a matter is: the published lists, and which units may therefore be summoned for it.

The three list names are the street's (domain.md section 3): what it does itself, what it assists with, and what upper
departments have taken back. A department's duty binds its dispatched offices too; where there is one in the whistle's
street is for the organisation to say (``models.profile``).
"""

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.near_misses import UnknownCodeError, near_misses
from models.organisation import Label, UnitCode
from models.profile_faults import ProfileFault, fault, refuse_repeated

ItemCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
LegalBasis = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


class DutyListName(StrEnum):
    """The national three lists of a street."""

    CORE = "core"
    ASSIST = "assist"
    TAKEN_BACK = "taken_back"


class UnknownMatterError(UnknownCodeError):
    """No list has this matter."""


class DutyItem(BaseModel):
    """One matter on a list. Holders may lead; holders and supporters may support; the rest is what usually happens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: ItemCode
    matter: ItemCode
    name_zh: Label
    name_en: Label
    list: DutyListName
    holders: Annotated[tuple[UnitCode, ...], Field(min_length=1)]
    supporters: tuple[UnitCode, ...] = ()
    lead: UnitCode
    supports: tuple[UnitCode, ...] = ()
    legal_basis: LegalBasis

    @model_validator(mode="after")
    def _usual_units_hold_the_duty(self) -> Self:
        if self.lead not in self.holders:
            raise fault(
                ProfileFault.LEAD_NOT_HOLDER,
                f"'{self.lead}' is to lead '{self.matter}' but does not hold it",
            )
        strangers = tuple(unit for unit in self.supports if unit not in self.units or unit == self.lead)
        if strangers:
            raise fault(
                ProfileFault.SUPPORT_NOT_HOLDER,
                f"'{strangers[0]}' cannot be the usual support for '{self.matter}'",
            )
        return self

    @property
    def units(self) -> tuple[str, ...]:
        """All units that may be summoned for this, those that may lead first."""
        return self.holders + self.supporters


class DutyLists(BaseModel):
    """All items of a district; each matter stands in one of them only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: tuple[DutyItem, ...]

    @model_validator(mode="after")
    def _each_matter_once(self) -> Self:
        codes = (item.code for item in self.items)
        refuse_repeated(ProfileFault.DUPLICATE_CODE, "duty item", codes)
        matters = (item.matter for item in self.items)
        refuse_repeated(ProfileFault.OVERLAPPING_DUTY_ITEMS, "matter", matters)
        return self

    @cached_property
    def _by_matter(self) -> dict[str, DutyItem]:
        return {item.matter: item for item in self.items}

    @property
    def matters(self) -> tuple[str, ...]:
        """The codes of all matters, in the order of the profile."""
        return tuple(self._by_matter)

    def item_for(self, matter: str) -> DutyItem:
        """Return the item that the matter stands in.

        Raises:
            UnknownMatterError: with the matters nearest to it, or whose name contains it.
        """
        if matter not in self._by_matter:
            names = {item.matter: f"{item.name_zh} {item.name_en}" for item in self.items}
            raise UnknownMatterError(matter, near_misses(matter, names))
        return self._by_matter[matter]
