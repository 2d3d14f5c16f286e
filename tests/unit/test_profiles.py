"""The shipped districts: they hold what their sources say, and their parts answer together."""

from collections import Counter
from datetime import date
from functools import cache

import pytest

from activities.profiles import load_profile, shipped_profiles
from models.case import Role, Summons
from models.organisation import SUMMONABLE, Organisation, Post, UnitKind
from models.policy import Kind, ModeStamp, Stage, Urgency
from models.profile import Profile

ANY_DAY = date(2026, 3, 1)
NORMAL = ModeStamp()
SHIPPED_NAMES = ("jinfeng", "los-angeles")

shipped = cache(load_profile)


def limits_of(profile: Profile, kind: Kind, urgency: Urgency) -> dict[str, str]:
    _, rows = profile.policy.row(kind, urgency, NORMAL)
    return {stage.value: str(span) for stage, span in rows.items()}


def vacancies(organisation: Organisation, *posts: Post) -> set[str]:
    """Return the summonable units in which none of the posts is held."""
    return {
        unit.code
        for kind in SUMMONABLE
        for unit in organisation.of_kind(kind)
        if not any(organisation.holders(unit.code, post, on=ANY_DAY) for post in posts)
    }


def test_profiles_that_come_with_the_program_are_known_by_name() -> None:
    assert shipped_profiles() == SHIPPED_NAMES


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_shipped_profile_survives_a_round_trip(name: str) -> None:
    profile = shipped(name)

    assert Profile.model_validate_json(profile.model_dump_json()) == profile


def test_jinfeng_has_the_units_that_its_source_counts() -> None:
    units = shipped("jinfeng").organisation.units

    assert Counter(unit.kind for unit in units) == {
        UnitKind.DISTRICT: 1,
        UnitKind.COMMAND_CENTRE: 1,
        UnitKind.SUPERVISION: 2,
        UnitKind.DEPARTMENT: 11,
        UnitKind.UTILITY: 4,
        UnitKind.STREET: 5,
        UnitKind.DISPATCHED_OFFICE: 25,
        UnitKind.COMMUNITY: 48,
    }


def test_largest_jinfeng_street_has_the_published_share_of_communities() -> None:
    organisation = shipped("jinfeng").organisation
    largest, smallest = (len(organisation.communities(street)) for street in ("cczl", "bjzl"))

    assert f"{largest / smallest:.1f}" == "2.3"
    assert organisation.unit("cczl-wulishuixiang").name_zh == "五里水乡社区"


def test_every_post_is_held_by_somebody_in_jinfeng() -> None:
    assert {held.post for held in shipped("jinfeng").organisation.appointments} == set(Post)


@pytest.mark.parametrize("name", SHIPPED_NAMES)
def test_every_street_has_people_to_blow_approve_and_verify(name: str) -> None:
    organisation = shipped(name).organisation
    needed = (
        Post.STREET_COMMANDER,
        Post.STREET_LEADER,
        Post.STREET_DUTY_OFFICER,
        Post.STREET_VERIFIER,
    )

    missing = {
        (street.code, post)
        for street in organisation.of_kind(UnitKind.STREET)
        for post in needed
        if not organisation.holders(street.code, post, on=ANY_DAY)
    }

    assert missing == set()


def test_only_the_head_of_ecology_is_vacant_in_jinfeng() -> None:
    organisation = shipped("jinfeng").organisation

    assert vacancies(organisation, Post.DEPT_HEAD, Post.DISPATCHED_OFFICE_HEAD) == {"ecology"}
    assert vacancies(organisation, Post.DEPT_HANDLER) == set()


def test_only_the_head_of_heating_cannot_be_told_in_jinfeng() -> None:
    officers = shipped("jinfeng").organisation.officers

    assert [officer.token for officer in officers if not officer.channels] == ["o-heat-head"]


def test_only_one_officer_in_jinfeng_has_two_capacities() -> None:
    organisation = shipped("jinfeng").organisation

    several = {
        officer.token: tuple(held.post for held in organisation.posts_of(officer.token, on=ANY_DAY))
        for officer in organisation.officers
        if len(organisation.posts_of(officer.token, on=ANY_DAY)) != 1
    }

    assert several == {"o-mcbj-leader": (Post.STREET_LEADER, Post.STREET_VERIFIER)}


def test_limits_of_an_emergency_are_those_of_the_appendix() -> None:
    assert limits_of(shipped("jinfeng"), Kind.EMERGENCY_RESPONSE, Urgency.U1) == {
        "confirm_sounding": "24h C",
        "ack": "5m C",
        "report_in": "30m C",
        "confirm_arrival": "15m C",
        "situation": "2h C",
        "support": "20h C",
        "resolve": "24h C",
        "verify": "2h C",
        "evaluate": "3wd",
    }


def test_limits_of_an_ordinary_demand_are_those_of_the_appendix() -> None:
    assert limits_of(shipped("jinfeng"), Kind.PUBLIC_DEMAND, Urgency.U3) == {
        "approve": "4h W",
        "ack": "1h W",
        "contact": "24h C",
        "report_in": "3wd",
        "confirm_arrival": "4h W",
        "support": "6d C",
        "resolve": "7d C",
        "resolve_complex": "15d C",
        "verify": "1wd",
        "evaluate": "3wd",
    }


def test_policy_has_every_row_of_the_appendix_and_no_other() -> None:
    rows = shipped("jinfeng").policy.limits

    assert {f"{kind}.{urgency}" for kind, table in rows.normal.items() for urgency in table} == {
        "K1.U1",
        "K1.U2",
        "K2.U1",
        "K2.U2",
        "K2.U3",
        "K3.U2",
        "K3.U3",
        "K4.U2",
        "K4.U3",
    }
    assert list(rows.emergency) == [
        "K1",
        "K2",
        "K3_vital",
        "K3_street_check",
        "K3_other",
        "K4_related",
    ]


def test_los_angeles_limits_only_what_its_source_has_times_for() -> None:
    limits = shipped("los-angeles").policy.limits.normal

    assert {kind: set(rows) for kind, rows in limits.items()} == {Kind.PUBLIC_DEMAND: {Urgency.U3}}
    assert set(limits[Kind.PUBLIC_DEMAND][Urgency.U3]) == {
        Stage.RESOLVE,
        Stage.VERIFY,
        Stage.EVALUATE,
    }


def test_los_angeles_has_the_streets_and_matters_of_its_cases() -> None:
    profile = shipped("los-angeles")
    streets = [unit.code for unit in profile.organisation.of_kind(UnitKind.STREET)]

    assert streets == [f"cd-{number}" for number in range(1, 16)]
    assert len(profile.duties.matters) == 12
    assert profile.may_lead("bss", "feedback", "cd-1")


def test_duty_list_summons_the_department_s_office_in_the_street() -> None:
    assert shipped("jinfeng").usual_summons("water-main-burst", "cczl") == (
        Summons(unit="water", role=Role.LEAD),
        Summons(unit="police-cczl", role=Role.SUPPORT),
    )


@pytest.mark.parametrize(
    ("unit", "may_lead_and_support"),
    [
        ("police", (True, True)),
        ("police-cczl", (True, True)),
        ("police-bjzl", (False, False)),
        ("market", (False, True)),
        ("market-cczl", (False, True)),
        ("water", (False, False)),
        ("bjzl", (False, False)),
    ],
)
def test_duty_binds_the_offices_in_the_street_and_not_those_next_door(
    unit: str, may_lead_and_support: tuple[bool, bool]
) -> None:
    profile = shipped("jinfeng")

    leads = profile.may_lead(unit, "noise", "cczl")
    supports = profile.may_support(unit, "noise", "cczl")

    assert (leads, supports) == may_lead_and_support
