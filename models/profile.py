"""One district as data: who there is, whose duty what is, the limits and the calendar, checked against each other."""

from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from models.calendar import WorkCalendar
from models.case import Role, Summons
from models.duties import DutyItem, DutyLists
from models.organisation import (
    SUMMONABLE,
    Label,
    Organisation,
    UnitCode,
    UnitKind,
    UnknownUnitError,
)
from models.policy import Policy
from models.profile_faults import ProfileFault, fault


class District(BaseModel):
    """What a district is called and which local clock it lives by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: UnitCode
    name_zh: Label
    name_en: Label
    zone: str


class Profile(District):
    """All that a district needs to start. Its code is that of the organisation's root, its zone the calendar's."""

    organisation: Organisation
    duties: DutyLists
    policy: Policy
    calendar: WorkCalendar

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        root = self.organisation.district.code
        if root != self.code:
            raise fault(
                ProfileFault.DISTRICT_MISMATCH,
                f"the profile is '{self.code}', its root unit is '{root}'",
            )
        if self.calendar.zone != self.zone:
            raise fault(
                ProfileFault.ZONE_MISMATCH,
                f"the profile is in {self.zone}, its calendar in {self.calendar.zone}",
            )
        for item in self.duties.items:
            self._check_units(item)
        return self

    def _check_units(self, item: DutyItem) -> None:
        for code in item.units:
            try:
                unit = self.organisation.unit(code)
            except UnknownUnitError as error:
                raise fault(ProfileFault.UNKNOWN_UNIT, f"duty item '{item.code}': {error}") from error
            if unit.kind not in SUMMONABLE:
                raise fault(
                    ProfileFault.UNIT_CANNOT_BE_SUMMONED,
                    f"duty item '{item.code}' names '{code}', which is a {unit.kind}",
                )

    def may_lead(self, unit: str, matter: str, street: str) -> bool:
        """Say whether the street may summon the unit to lead in the matter.

        Raises:
            UnknownUnitError: if there is no such unit.
            UnknownMatterError: if no list has the matter.
        """
        return self._is_bound(unit, self.duties.item_for(matter).holders, street)

    def may_support(self, unit: str, matter: str, street: str) -> bool:
        """Say whether the street may summon the unit at all in the matter; whoever may lead may also support.

        Raises:
            UnknownUnitError: if there is no such unit.
            UnknownMatterError: if no list has the matter.
        """
        return self._is_bound(unit, self.duties.item_for(matter).units, street)

    def _is_bound(self, unit: str, duty_units: tuple[str, ...], street: str) -> bool:
        """Say whether a duty of one of ``duty_units`` binds the unit in that street.

        A street commands the dispatched offices in its own territory, not those of its neighbours.
        """
        asked = self.organisation.unit(unit)
        if asked.code in duty_units:
            return True
        own_office = asked.kind is UnitKind.DISPATCHED_OFFICE and asked.street == street
        return own_office and asked.parent in duty_units

    def usual_summons(self, matter: str, street: str) -> tuple[Summons, ...]:
        """Return whom the duty list would summon, lead first: a department's office in the street, if it has one.

        Raises:
            UnknownUnitError: if there is no such street.
            UnknownMatterError: if no list has the matter.
        """
        item = self.duties.item_for(matter)
        lead = Summons(unit=self._nearest(item.lead, street), role=Role.LEAD)
        supports = (Summons(unit=self._nearest(unit, street), role=Role.SUPPORT) for unit in item.supports)
        return (lead, *supports)

    def _nearest(self, unit: str, street: str) -> str:
        office = self.organisation.office_of(unit, street)
        return unit if office is None else office.code
