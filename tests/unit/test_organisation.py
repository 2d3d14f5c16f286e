"""Units, offices and who holds them: the tree holds together, and both lines through it end at the district."""

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from models.lineage import check_lines, line_of
from models.organisation import (
    Appointment,
    Officer,
    Organisation,
    Post,
    Unit,
    UnitKind,
    UnknownOfficerError,
    UnknownUnitError,
)

DAY = date(2026, 3, 1)
NEXT_DAY = date(2026, 3, 2)


def a_unit(code: str, kind: UnitKind, parent: str | None = "jinfeng", street: str | None = None) -> Unit:
    return Unit(code=code, kind=kind, parent=parent, street=street, name_zh=f"{code}名", name_en=code)


DISTRICT = a_unit("jinfeng", UnitKind.DISTRICT, parent=None)
CENTRE = a_unit("hq", UnitKind.COMMAND_CENTRE)
POLICE = a_unit("police", UnitKind.DEPARTMENT)
STREET = a_unit("cczl", UnitKind.STREET)
OTHER_STREET = a_unit("bjzl", UnitKind.STREET)
OFFICE = a_unit("police-cczl", UnitKind.DISPATCHED_OFFICE, parent="police", street="cczl")
COMMUNITY = a_unit("wuli", UnitKind.COMMUNITY, parent="cczl", street="cczl")
UNITS = (DISTRICT, CENTRE, POLICE, STREET, OTHER_STREET, OFFICE, COMMUNITY)
DUTY = Officer.model_validate(
    {"token": "o-duty", "label_zh": "值班员", "label_en": "Duty officer", "channels": ("file",)}
)


def an_organisation(
    *appointments: Appointment,
    units: Iterable[Unit] = UNITS,
    officers: Iterable[Officer] = (DUTY,),
) -> Organisation:
    return Organisation(units=tuple(units), officers=tuple(officers), appointments=appointments)


def on_duty(valid_from: date | None = None, valid_to: date | None = None) -> Appointment:
    return Appointment(
        officer="o-duty",
        unit="cczl",
        post=Post.STREET_DUTY_OFFICER,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def without(*codes: str) -> tuple[Unit, ...]:
    return tuple(unit for unit in UNITS if unit.code not in codes)


INCONSISTENT = {
    "unknown_parent": (*UNITS, a_unit("water", UnitKind.UTILITY, parent="nowhere")),
    "cyclic_organisation": (
        *UNITS,
        a_unit("gas", UnitKind.UTILITY, parent="heat"),
        a_unit("heat", UnitKind.UTILITY, parent="gas"),
    ),
    "duplicate_code": (*UNITS, a_unit("hq", UnitKind.COMMAND_CENTRE)),
    "not_one_command_centre": without("hq"),
}


@pytest.mark.parametrize("reason", INCONSISTENT)
def test_inconsistent_tree_is_refused_by_name(reason: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        an_organisation(units=INCONSISTENT[reason])

    assert [error["type"] for error in refusal.value.errors()] == [reason]


@pytest.mark.parametrize(
    "second_root",
    [
        a_unit("xixia", UnitKind.DISTRICT, parent=None),
        a_unit("xixia", UnitKind.DISTRICT),
        a_unit("water", UnitKind.UTILITY, parent=None),
    ],
)
def test_only_the_one_district_stands_at_the_root(second_root: Unit) -> None:
    with pytest.raises(ValidationError, match="one district must be the one root; found: jinfeng"):
        an_organisation(units=(*UNITS, second_root))


def test_organisation_without_any_unit_is_refused() -> None:
    with pytest.raises(ValidationError, match="found: none"):
        an_organisation(units=())


@pytest.mark.parametrize(
    "misplaced",
    [
        a_unit("wuli-2", UnitKind.COMMUNITY, parent="cczl"),
        a_unit("wuli-2", UnitKind.COMMUNITY, parent="jinfeng", street="cczl"),
        a_unit("wuli-2", UnitKind.COMMUNITY, parent="police", street="police"),
        a_unit("police-bjzl", UnitKind.DISPATCHED_OFFICE, parent="police"),
        a_unit("police-bjzl", UnitKind.DISPATCHED_OFFICE, parent="bjzl", street="bjzl"),
        a_unit("police-bjzl", UnitKind.DISPATCHED_OFFICE, parent="police", street="nowhere"),
    ],
)
def test_communities_and_offices_need_their_street_and_parent(misplaced: Unit) -> None:
    with pytest.raises(ValidationError, match="must"):
        an_organisation(units=(*UNITS, misplaced))


def test_circle_of_parents_is_shown_as_it_runs() -> None:
    with pytest.raises(ValidationError, match="in a circle: gas > heat > gas"):
        an_organisation(units=INCONSISTENT["cyclic_organisation"])


@pytest.mark.parametrize(
    ("officer", "unit", "detail"),
    [("o-duty", "nowhere", "unknown unit 'nowhere'"), ("o-x", "cczl", "unknown officer 'o-x'")],
)
def test_appointment_needs_unit_and_officer(officer: str, unit: str, detail: str) -> None:
    with pytest.raises(ValidationError, match=detail):
        an_organisation(Appointment(officer=officer, unit=unit, post=Post.STREET_LEADER))


def test_appointment_counts_from_its_first_day_until_the_day_it_ends() -> None:
    organisation = an_organisation(on_duty(valid_from=DAY, valid_to=NEXT_DAY))

    held = [
        bool(organisation.holders("cczl", Post.STREET_DUTY_OFFICER, on=day))
        for day in (date(2026, 2, 28), DAY, NEXT_DAY)
    ]

    assert held == [False, True, False]


def test_appointment_without_dates_counts_on_any_day() -> None:
    organisation = an_organisation(on_duty())

    assert organisation.holders("cczl", Post.STREET_DUTY_OFFICER, on=date(1990, 1, 1)) == (DUTY,)
    assert organisation.posts_of("o-duty", on=date(2090, 1, 1)) == (on_duty(),)


@pytest.mark.parametrize("valid_to", [DAY, date(2026, 2, 1)])
def test_appointment_cannot_end_before_it_begins(valid_to: date) -> None:
    with pytest.raises(ValidationError, match="is not before"):
        on_duty(valid_from=DAY, valid_to=valid_to)


def test_vacant_post_has_no_holder() -> None:
    assert an_organisation().holders("cczl", Post.STREET_COMMANDER, on=DAY) == ()


def test_officer_of_two_posts_has_both() -> None:
    verifier = Appointment(officer="o-duty", unit="bjzl", post=Post.STREET_VERIFIER)
    organisation = an_organisation(on_duty(), verifier)

    assert organisation.posts_of("o-duty", on=DAY) == (on_duty(), verifier)


@pytest.mark.parametrize(
    ("code", "superior"),
    [
        ("police-cczl", "hq"),
        ("police", "hq"),
        ("cczl", "hq"),
        ("wuli", "cczl"),
        ("hq", "jinfeng"),
        ("jinfeng", None),
    ],
)
def test_missed_limits_go_up_by_way_of_the_command_centre(code: str, superior: str | None) -> None:
    above = an_organisation().superior(code)

    assert (above.code if above else None) == superior


def test_ancestry_follows_parents_and_not_superiors() -> None:
    assert an_organisation().ancestry("police-cczl") == (OFFICE, POLICE, DISTRICT)


def test_street_knows_its_communities_and_its_offices() -> None:
    organisation = an_organisation()

    assert organisation.communities("cczl") == (COMMUNITY,)
    assert organisation.communities("bjzl") == ()
    assert organisation.office_of("police", "cczl") == OFFICE
    assert organisation.office_of("police", "bjzl") is None


@pytest.mark.parametrize(("asked", "near"), [("polcie", ("police",)), ("wuli名", ("wuli",)), ("xyz", ()), ("", ())])
def test_unknown_unit_is_answered_with_the_nearest(asked: str, near: tuple[str, ...]) -> None:
    with pytest.raises(UnknownUnitError) as refusal:
        an_organisation().unit(asked)

    assert (refusal.value.code, refusal.value.near) == (asked, near)


def test_unknown_officer_is_answered_without_a_hint() -> None:
    with pytest.raises(UnknownOfficerError) as refusal:
        an_organisation().posts_of("o-dut", on=DAY)

    assert refusal.value.near == ()


def test_asking_an_organisation_does_not_change_it() -> None:
    asked = an_organisation(on_duty())
    asked.ancestry("wuli")

    assert asked == an_organisation(on_duty())
    assert Organisation.model_validate_json(asked.model_dump_json()) == asked


ANY_LINES = st.lists(st.integers(min_value=0, max_value=7), min_size=8, max_size=8)
UPWARD_LINES = st.tuples(*(st.integers(min_value=0, max_value=n) for n in range(8)))


@given(st.one_of(ANY_LINES, UPWARD_LINES))
def test_lines_either_reach_a_root_or_are_refused(above: Iterable[int]) -> None:
    parents = {str(n): None if up == n else str(up) for n, up in enumerate(above)}

    if all(_reaches_a_root(parents, code) for code in parents):
        check_lines(parents)
        assert all(parents[line_of(parents, code)[-1]] is None for code in parents)
    else:
        with pytest.raises(ValueError, match="parents run in a circle"):
            check_lines(parents)


def _reaches_a_root(parents: dict[str, str | None], code: str) -> bool:
    """Climb as often as there are codes: whoever is not at the top by then never will be."""
    at: str | None = code
    for _ in parents:
        at = parents[at] if at is not None else None
    return at is None
