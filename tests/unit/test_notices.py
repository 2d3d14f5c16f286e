"""Who is told what of a fact."""

from datetime import timedelta
from typing import get_args

import pytest
from pydantic import BaseModel

from models import facts
from models.case import Addressee
from models.commands import Acknowledge
from models.decide import decide, open_whistle
from models.facts import Fact, UnitStoodDown
from models.lapse import Outcome, lapse
from models.notices import Notice, letter_id, letters, notices_of
from models.organisation import Channel, Post
from models.policy import Escalation, Stage
from models.whistle import Whistle
from tests.small_district import LEAD, STREET, SUNDAY_0210, SUPPORT, UNITS, an_act, an_opening, minutes, officer

DETAILS: tuple[type[BaseModel], ...] = get_args(get_args(facts.Detail)[0])


def sounded() -> Outcome:
    return open_whistle(an_opening(), SUNDAY_0210)


def the_fact(outcome: Outcome, kind: str) -> Fact:
    return next(fact for fact in outcome.facts if fact.type == kind)


def after(whistle: Whistle, minutes_passed: float) -> Outcome:
    return lapse(whistle, SUNDAY_0210 + minutes(minutes_passed))


def stood_down(*told: Addressee) -> Fact:
    outcome = sounded()
    detail = UnitStoodDown(unit=SUPPORT, reason="not needed any more", told=told)
    return Fact(
        number=9, at=SUNDAY_0210, actor="o-x", mode="NORMAL/0", detail=detail, previous_hash=outcome.whistle.head_hash
    ).sealed()


def test_an_order_tells_every_unit_of_its_own_first_limit_and_the_street_of_its_own() -> None:
    fact = the_fact(sounded(), "whistle_sounded")

    notices = notices_of(fact)

    answering = [notice for notice in notices if notice.unit in UNITS]
    assert {notice.unit for notice in answering} == set(UNITS)
    assert all((notice.owner, notice.stage) == (notice.unit, Stage.ACK) for notice in answering)
    assert {notice.due_at for notice in answering} == {SUNDAY_0210 + minutes(5)}
    assert {notice.stage for notice in notices if notice.unit == STREET} == {Stage.CONFIRM_SOUNDING}
    assert {(notice.fact_number, notice.fact_hash) for notice in notices} == {(fact.number, fact.hash)}


def test_a_warning_says_how_much_of_which_limit_is_used_up() -> None:
    fact = the_fact(after(sounded().whistle, 15), "forewarned")

    notice = notices_of(fact)[0]

    assert (notice.level, notice.percent, notice.stage) == (Escalation.E0, 50, Stage.REPORT_IN)
    assert notice.owner in UNITS
    assert notice.text_key == "notice.forewarned"


def test_an_escalation_tells_everybody_by_when_the_unit_has_to_answer() -> None:
    fact = the_fact(after(sounded().whistle, 5), "escalated")

    notices = notices_of(fact)

    assert {notice.unit for notice in notices} == {LEAD, STREET}
    assert {(notice.level, notice.owner, notice.stage) for notice in notices} == {(Escalation.E1, LEAD, Stage.ACK)}
    assert {notice.due_at for notice in notices} == {SUNDAY_0210 + minutes(10)}


def test_who_cannot_be_reached_gets_no_notice() -> None:
    reachable = Addressee(officer="o-a", unit=SUPPORT, post=Post.DEPT_HEAD, reachable=True)
    mute = Addressee(officer="o-b", unit=SUPPORT, post=Post.DEPT_HANDLER, reachable=False)

    notices = notices_of(stood_down(reachable, mute))

    assert [notice.receiver for notice in notices] == ["o-a"]


def test_a_fact_that_tells_nobody_brings_no_notice() -> None:
    assert notices_of(the_fact(sounded(), "source_registered")) == ()


def test_no_word_that_a_person_wrote_is_in_a_notice() -> None:
    addressee = Addressee(officer="o-a", unit=SUPPORT, post=Post.DEPT_HEAD, reachable=True)

    notice = notices_of(stood_down(addressee))[0]

    assert "not needed" not in notice.model_dump_json()
    assert notice.owner == SUPPORT


@pytest.mark.parametrize("detail", [detail for detail in DETAILS if "told" in detail.model_fields])
def test_whoever_is_told_is_told_under_the_name_that_notices_look_for(detail: type[BaseModel]) -> None:
    assert detail.model_fields["told"].annotation == tuple[Addressee, ...]


def test_every_channel_of_the_receiver_gets_a_letter_of_its_own() -> None:
    notice = notices_of(the_fact(sounded(), "whistle_sounded"))[0]

    sent = letters(notice, [Channel.FILE, Channel.WEBHOOK, Channel.FILE], whistle_id="whistle/jinfeng/w1", drill=False)

    assert [letter.channel for letter in sent] == [Channel.FILE, Channel.WEBHOOK]
    assert len({letter.id for letter in sent}) == 2


def test_a_receiver_whose_channels_are_gone_by_now_is_told_by_the_file() -> None:
    notice = notices_of(the_fact(sounded(), "whistle_sounded"))[0]

    (letter,) = letters(notice, [], whistle_id="whistle/jinfeng/w1", drill=False)

    assert letter.channel is Channel.FILE


def test_the_same_notice_has_the_same_id_wherever_it_is_derived() -> None:
    first = the_fact(sounded(), "whistle_sounded")
    again = Fact.model_validate_json(first.model_dump_json())

    assert notices_of(first) == notices_of(again)
    assert letter_id("ab" * 32, "o-a", Channel.FILE) == f"notice/{'ab' * 16}/o-a/file"


def test_what_is_told_follows_the_ladder_and_nobody_is_told_twice_of_one_fact() -> None:
    whistle = sounded().whistle
    acknowledged = decide(
        whistle, an_act(Acknowledge(unit=LEAD), "k1", SUNDAY_0210), SUNDAY_0210 + timedelta(minutes=1)
    )

    notices: list[Notice] = []
    for fact in after(acknowledged.whistle, 60 * 24).facts:
        told = notices_of(fact)
        assert len({notice.receiver for notice in told}) == len(told)
        notices += told

    assert {notice.level for notice in notices} >= {Escalation.E0, Escalation.E1, Escalation.E2, Escalation.E3}
    assert officer(STREET, Post.STREET_DUTY_OFFICER) in {notice.receiver for notice in notices}
