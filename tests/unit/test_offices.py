"""An officer acts in exactly one office: found if there is one, refused if none, asked for if there are two."""

import pytest

from models.commands import Actor
from models.offices import Held, Scene, Wish, choose_office
from models.organisation import Post
from models.refusals import Reason, RefusedError

SCENE = Scene("cczl", frozenset({"water", "police-cczl"}), frozenset({"cczl-02"}))
LEADER = Held("cczl", Post.STREET_LEADER)
DUTY = Held("cczl", Post.STREET_DUTY_OFFICER)
WATER = Held("water", Post.DEPT_HANDLER)
POLICE = Held("police-cczl", Post.DEPT_HANDLER)
GAS = Held("gas", Post.DEPT_HANDLER)


@pytest.mark.parametrize(
    ("wish", "held", "chosen"),
    [
        (Wish("approve"), [LEADER], LEADER),
        (Wish("approve"), [LEADER, DUTY, WATER], LEADER),
        (Wish("blow", capacity=Post.STREET_LEADER), [LEADER, DUTY], LEADER),
        (Wish("ack"), [WATER], WATER),
        (Wish("ack"), [WATER, GAS], WATER),
        (Wish("ack", unit="police-cczl"), [WATER, POLICE], POLICE),
        # Who could answer if asked is told by the rules that the unit was not asked.
        (Wish("ack"), [GAS], GAS),
        (Wish("waive"), [WATER], WATER),
        (Wish("waive", unit="police-cczl"), [LEADER], LEADER),
        (Wish("reply"), [DUTY], DUTY),
        (Wish("reply", unit="water"), [DUTY, WATER], WATER),
        (Wish("source"), [Held("cczl-02", Post.COMMUNITY_SECRETARY)], Held("cczl-02", Post.COMMUNITY_SECRETARY)),
        (Wish("source"), [Held("hq", Post.HOTLINE_CONNECTOR)], Held("hq", Post.HOTLINE_CONNECTOR)),
    ],
    ids=str,
)
def test_the_one_office_that_fits_is_chosen(wish: Wish, held: list[Held], chosen: Held) -> None:
    actor = choose_office("o-somebody", held, wish, SCENE)

    assert actor == Actor(officer="o-somebody", unit=chosen.unit, capacity=chosen.post)


@pytest.mark.parametrize(
    ("wish", "held"),
    [
        (Wish("approve"), []),
        (Wish("approve"), [DUTY]),
        (Wish("approve"), [Held("shxl", Post.STREET_LEADER)]),
        (Wish("approve", capacity=Post.STREET_DIRECTOR), [LEADER]),
        (Wish("ack", unit="gas"), [WATER]),
        (Wish("ack"), [LEADER]),
        (Wish("waive", unit="police-cczl"), [DUTY]),
        (Wish("source"), [Held("shxl-01", Post.COMMUNITY_SECRETARY)]),
        (Wish("approve"), [Held("cczl", Post.DISCIPLINE_AUDITOR)]),
        (Wish("approve"), [Held("cczl", Post.SYSTEM_ADMINISTRATOR)]),
        (Wish("adopt-calendar"), [LEADER]),
    ],
    ids=str,
)
def test_without_an_office_for_it_the_verb_is_refused(wish: Wish, held: list[Held]) -> None:
    with pytest.raises(RefusedError) as refused:
        choose_office("o-somebody", held, wish, SCENE)

    assert (refused.value.reason, refused.value.parameters) == (Reason.NO_AUTHORITY, {"verb": wish.verb})


@pytest.mark.parametrize(
    ("wish", "held", "choices"),
    [
        (Wish("blow"), [LEADER, DUTY], "street_leader@cczl, street_duty_officer@cczl"),
        (Wish("ack"), [WATER, POLICE], "dept_handler@water, dept_handler@police-cczl"),
    ],
    ids=str,
)
def test_with_two_offices_for_it_one_has_to_be_named(wish: Wish, held: list[Held], choices: str) -> None:
    with pytest.raises(RefusedError) as refused:
        choose_office("o-somebody", held, wish, SCENE)

    assert (refused.value.reason, refused.value.parameters) == (Reason.CAPACITY_AMBIGUOUS, {"choices": choices})


def test_the_same_office_held_twice_is_one_office() -> None:
    assert choose_office("o-somebody", [LEADER, LEADER], Wish("approve"), SCENE).capacity is Post.STREET_LEADER
