"""Who there is: units, the offices in them, and who holds which office on which day.

Two lines run through a district and are kept apart. The line of parents says where a unit belongs: a police station
belongs to the public security branch, a community to its street. The line of superiors says where a matter goes when
it is not dealt with: from any department, utility, dispatched office or street to the command centre, from there to
the district. Escalation follows the second line only (domain.md section 5).

People appear as tokens with role labels, never by name. Dates are half-open: the first day counts, ``valid_to`` is
the first day that no longer does, so a hand-over leaves neither a gap nor a day with two holders.
"""

from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from models.lineage import check_lines, line_of
from models.near_misses import UnknownCodeError, near_misses
from models.profile_faults import ProfileFault, fault, refuse_repeated

UnitCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
OfficerToken = Annotated[str, StringConstraints(pattern=r"^o-[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]


class UnitKind(StrEnum):
    """What a unit is in the district."""

    DISTRICT = "district"
    COMMAND_CENTRE = "command_centre"
    SUPERVISION = "supervision"
    DEPARTMENT = "department"
    DISPATCHED_OFFICE = "dispatched_office"
    UTILITY = "utility"
    STREET = "street"
    COMMUNITY = "community"


SUMMONABLE = frozenset({UnitKind.DEPARTMENT, UnitKind.DISPATCHED_OFFICE, UnitKind.UTILITY})


class Post(StrEnum):
    """An office that a person can hold in a unit (domain.md 2.2)."""

    STREET_COMMANDER = "street_commander"
    STREET_DIRECTOR = "street_director"
    STREET_LEADER = "street_leader"
    STREET_DUTY_OFFICER = "street_duty_officer"
    STREET_VERIFIER = "street_verifier"
    COMMUNITY_SECRETARY = "community_secretary"
    GRID_MEMBER = "grid_member"
    HOTLINE_CONNECTOR = "hotline_connector"
    DEPT_HEAD = "dept_head"
    DEPT_LIAISON = "dept_liaison"
    DEPT_HANDLER = "dept_handler"
    DISPATCHED_OFFICE_HEAD = "dispatched_office_head"
    UTILITY_OPERATOR = "utility_operator"
    COMMAND_CENTRE_DUTY_OFFICER = "command_centre_duty_officer"
    COMMAND_CENTRE_DIRECTOR = "command_centre_director"
    DISTRICT_LEADER = "district_leader"
    DISTRICT_SUPERVISOR = "district_supervisor"
    DISCIPLINE_AUDITOR = "discipline_auditor"
    LIST_AUTHORITY = "list_authority"
    SYSTEM_ADMINISTRATOR = "system_administrator"


class Channel(StrEnum):
    """How a notice reaches an officer."""

    FILE = "file"
    WEBHOOK = "webhook"


class UnknownUnitError(UnknownCodeError):
    """No unit has this code."""


class UnknownOfficerError(UnknownCodeError):
    """No officer has this token. None is suggested: whoever asks may be guessing."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _DatedRow(_Row):
    valid_from: date | None = None
    valid_to: date | None = None

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        if self.valid_from and self.valid_to and self.valid_from >= self.valid_to:
            detail = f"{self.valid_from} is not before {self.valid_to}"
            raise fault(ProfileFault.REVERSED_DATES, detail)
        return self

    def in_force(self, on: date) -> bool:
        """Say whether this counts on that day; no date means without limit on that side."""
        begun = self.valid_from is None or self.valid_from <= on
        return begun and (self.valid_to is None or on < self.valid_to)


class Unit(_DatedRow):
    """A body that can be told, summoned or act. ``street`` is the one that a community or an office serves."""

    code: UnitCode
    name_zh: Label
    name_en: Label
    kind: UnitKind
    parent: UnitCode | None = None
    street: UnitCode | None = None


class Officer(_Row):
    """A person as the engine knows one. Without a channel a notice cannot reach them, which is a fact of its own."""

    token: OfficerToken
    label_zh: Label
    label_en: Label
    channels: tuple[Channel, ...] = ()


class Appointment(_DatedRow):
    """One officer holds one post in one unit for some time."""

    officer: OfficerToken
    unit: UnitCode
    post: Post


class Organisation(_Row):
    """The district's units and people as one consistent whole: a single tree, every reference resolved."""

    units: tuple[Unit, ...]
    officers: tuple[Officer, ...] = ()
    appointments: tuple[Appointment, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        units = (unit.code for unit in self.units)
        refuse_repeated(ProfileFault.DUPLICATE_CODE, "unit", units)
        officers = (officer.token for officer in self.officers)
        refuse_repeated(ProfileFault.DUPLICATE_CODE, "officer", officers)
        check_lines(self._parents)
        self._check_heads()
        for unit in self.units:
            self._check_place(unit)
        for appointment in self.appointments:
            self._check_appointment(appointment)
        return self

    def _check_heads(self) -> None:
        roots = {unit.code for unit in self.units if unit.parent is None}
        districts = {unit.code for unit in self.of_kind(UnitKind.DISTRICT)}
        if len(districts) != 1 or roots != districts:
            found = ", ".join(sorted(roots | districts)) or "none"
            detail = f"one district must be the one root; found: {found}"
            raise fault(ProfileFault.NOT_ONE_DISTRICT, detail)
        centres = tuple(unit.code for unit in self.of_kind(UnitKind.COMMAND_CENTRE))
        if len(centres) != 1:
            detail = f"one command centre is needed; found: {', '.join(centres) or 'none'}"
            raise fault(ProfileFault.NOT_ONE_COMMAND_CENTRE, detail)

    def _is_of_kind(self, code: str | None, kind: UnitKind) -> bool:
        return code in self._units and self._units[code].kind is kind

    def _check_place(self, unit: Unit) -> None:
        office = unit.kind is UnitKind.DISPATCHED_OFFICE
        serves = unit.street is not None or office or unit.kind is UnitKind.COMMUNITY
        if serves and not self._is_of_kind(unit.street, UnitKind.STREET):
            detail = f"the {unit.kind} '{unit.code}' must name its street, not '{unit.street}'"
        elif unit.kind is UnitKind.COMMUNITY and unit.parent != unit.street:
            detail = f"the community '{unit.code}' must have its street as parent"
        elif office and not self._is_of_kind(unit.parent, UnitKind.DEPARTMENT):
            detail = f"the dispatched office '{unit.code}' must have its department as parent"
        else:
            return
        raise fault(ProfileFault.MISPLACED_UNIT, detail)

    def _check_appointment(self, held: Appointment) -> None:
        if held.unit not in self._units:
            detail = f"'{held.officer}' is appointed to the unknown unit '{held.unit}'"
            raise fault(ProfileFault.UNKNOWN_UNIT, detail)
        if held.officer not in self._officers:
            detail = f"the unknown officer '{held.officer}' is appointed to '{held.unit}'"
            raise fault(ProfileFault.UNKNOWN_OFFICER, detail)

    @cached_property
    def _units(self) -> dict[str, Unit]:
        return {unit.code: unit for unit in self.units}

    @cached_property
    def _parents(self) -> dict[str, str | None]:
        return {unit.code: unit.parent for unit in self.units}

    @cached_property
    def _officers(self) -> dict[str, Officer]:
        return {officer.token: officer for officer in self.officers}

    @property
    def district(self) -> Unit:
        """The root of the tree."""
        return self.of_kind(UnitKind.DISTRICT)[0]

    @property
    def command_centre(self) -> Unit:
        """The one place that every unanswered whistle goes up to."""
        return self.of_kind(UnitKind.COMMAND_CENTRE)[0]

    def of_kind(self, kind: UnitKind) -> tuple[Unit, ...]:
        """Return all units of one kind, in the order of the profile."""
        return tuple(unit for unit in self.units if unit.kind is kind)

    def unit(self, code: str) -> Unit:
        """Return the unit with this code.

        Raises:
            UnknownUnitError: with the codes nearest to it, or of the units whose name contains it.
        """
        if code not in self._units:
            names = {unit.code: f"{unit.name_zh} {unit.name_en}" for unit in self.units}
            raise UnknownUnitError(code, near_misses(code, names))
        return self._units[code]

    def officer(self, token: str) -> Officer:
        """Return the officer with this token.

        Raises:
            UnknownOfficerError: if there is none.
        """
        if token not in self._officers:
            raise UnknownOfficerError(token)
        return self._officers[token]

    def superior(self, code: str) -> Unit | None:
        """Return the unit that a missed limit of this one goes up to; nothing is above the district."""
        unit = self.unit(code)
        match unit.kind:
            case UnitKind.DISTRICT:
                return None
            case UnitKind.COMMAND_CENTRE | UnitKind.SUPERVISION:
                return self.district
            case UnitKind.COMMUNITY:
                return self.unit(unit.street or self.district.code)
            case UnitKind.DEPARTMENT | UnitKind.DISPATCHED_OFFICE | UnitKind.UTILITY | UnitKind.STREET:
                return self.command_centre

    def ancestry(self, code: str) -> tuple[Unit, ...]:
        """Return the unit itself, its parent, and so on up to the district."""
        line = line_of(self._parents, self.unit(code).code)
        return tuple(self._units[above] for above in line)

    def holders(self, unit: str, post: Post, on: date) -> tuple[Officer, ...]:
        """Return who holds the post in the unit on that day; empty if it is vacant."""
        code = self.unit(unit).code
        return tuple(
            self._officers[appointment.officer]
            for appointment in self.appointments
            if appointment.unit == code and appointment.post is post and appointment.in_force(on)
        )

    def posts_of(self, officer: str, on: date) -> tuple[Appointment, ...]:
        """Return the appointments that the officer holds on that day; more than one means a capacity must be chosen."""
        token = self.officer(officer).token
        return tuple(held for held in self.appointments if held.officer == token and held.in_force(on))

    def communities(self, street: str) -> tuple[Unit, ...]:
        """Return the communities of a street."""
        code = self.unit(street).code
        return tuple(unit for unit in self.of_kind(UnitKind.COMMUNITY) if unit.street == code)

    def office_of(self, department: str, street: str) -> Unit | None:
        """Return the department's own office in that street, if it has one there."""
        parent, served = self.unit(department).code, self.unit(street).code
        offices = self.of_kind(UnitKind.DISPATCHED_OFFICE)
        return next((unit for unit in offices if unit.parent == parent and unit.street == served), None)
