"""Freezes who has a part in a whistle, and who holds which post there, as of the day it is blown."""

from datetime import date

from models.case import Party
from models.organisation import Organisation


def freeze_parties(organisation: Organisation, street: str, units: tuple[str, ...], on: date) -> tuple[Party, ...]:
    """Return the street, the summoned units and everything above them, each once.

    Raises:
        UnknownUnitError: if one of them is not in the organisation.
    """
    codes: dict[str, None] = {}
    for unit in (street, *units):
        codes[organisation.unit(unit).code] = None
        codes |= {above.code: None for above in organisation.ancestry(unit)}
    codes |= {organisation.command_centre.code: None, organisation.district.code: None}
    return tuple(_party(organisation, code, on) for code in codes)


def _party(organisation: Organisation, code: str, on: date) -> Party:
    above = organisation.superior(code)
    posts = tuple(
        (held.post, officer.token, bool(officer.channels))
        for held in organisation.appointments
        if held.unit == code and held.in_force(on)
        for officer in (organisation.officer(held.officer),)
    )
    return Party(
        unit=code,
        kind=organisation.unit(code).kind,
        superior=above.code if above else None,
        posts=posts,
    )
