"""Duty lists: each matter stands in one place, and says who may be summoned for it."""

import pytest
from pydantic import ValidationError

from models.duties import DutyItem, DutyListName, DutyLists, UnknownMatterError

BURST = {
    "code": "assist-01",
    "matter": "water-main-burst",
    "name_zh": "供水主管爆裂",
    "name_en": "Burst water main",
    "list": DutyListName.ASSIST,
    "holders": ("water",),
    "supporters": ("police",),
    "lead": "water",
    "supports": ("police",),
    "legal_basis": "城市供水条例",
}


def an_item(**changed: object) -> DutyItem:
    return DutyItem.model_validate(BURST | changed)


def test_matter_is_found_in_its_item() -> None:
    burst, noise = an_item(), an_item(code="assist-02", matter="noise")

    lists = DutyLists(items=(burst, noise))

    assert lists.item_for("noise") == noise
    assert lists.matters == ("water-main-burst", "noise")


def test_holders_may_lead_and_supporters_may_only_support() -> None:
    item = an_item(holders=("water", "housing"))

    assert item.holders == ("water", "housing")
    assert item.units == ("water", "housing", "police")


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("water-main", ("water-main-burst",)),
        ("爆裂", ("water-main-burst",)),
        ("burst water", ("water-main-burst",)),
        ("xyz", ()),
    ],
)
def test_unknown_matter_is_answered_with_the_nearest(asked: str, near: tuple[str, ...]) -> None:
    with pytest.raises(UnknownMatterError) as refusal:
        DutyLists(items=(an_item(),)).item_for(asked)

    assert (refusal.value.code, refusal.value.near) == (asked, near)


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (an_item(code="assist-02"), "overlapping_duty_items"),
        (an_item(matter="noise"), "duplicate_code"),
    ],
)
def test_matter_and_code_stand_in_one_item_only(second: DutyItem, reason: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        DutyLists(items=(an_item(), second))

    assert [error["type"] for error in refusal.value.errors()] == [reason]


def test_usual_lead_must_hold_the_duty() -> None:
    with pytest.raises(ValidationError, match="'police' is to lead 'water-main-burst' but"):
        an_item(lead="police", supports=())


@pytest.mark.parametrize("stranger", ["gas", "water"])
def test_usual_supporter_is_another_unit_of_the_item(stranger: str) -> None:
    with pytest.raises(ValidationError, match=f"'{stranger}' cannot be the usual support"):
        an_item(supports=(stranger,))


def test_item_without_holder_is_refused() -> None:
    with pytest.raises(ValidationError, match="holders"):
        an_item(holders=())
