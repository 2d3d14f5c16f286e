"""Who was on time, by the facts of real stories."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.case import Presence
from models.commands import Acknowledge, Cancel, ConfirmArrival, ReportIn
from models.policy import Stage
from models.punctuality import Percentiles, Punctuality, escalations, lateness, missed, on_time, percentiles
from tests.builders import (
    COMMANDER,
    DUTY,
    OFFICERS,
    Story,
    a_closed_emergency,
    a_sounded_emergency,
    minutes,
)


def rates(*stories: Story) -> dict[tuple[str, Stage], tuple[int, int]]:
    """Return by unit and stage how many limits were met in time, of how many that are settled."""
    found = on_time(story.whistle for story in stories)
    return {(rate.unit, rate.stage): (rate.on_time, rate.settled) for rate in found}


def a_late_emergency() -> Story:
    """Return an emergency whose lead is an hour late with its result, and whose supporter never comes."""
    story = a_sounded_emergency("late").act(Acknowledge(unit="water"), by=OFFICERS["water"], after=minutes(1))
    arrived = ReportIn(unit="water", people=4, presence=Presence.ONSITE)
    story.act(arrived, by=OFFICERS["water"], after=minutes(1)).act(ConfirmArrival(unit="water"), by=DUTY)
    return story.wait(timedelta(hours=25))


def test_what_was_met_in_time_is_on_time() -> None:
    found = rates(a_closed_emergency("good"))

    assert found["water", Stage.REPORT_IN] == (1, 1)
    assert all(met == settled for met, settled in found.values())


def test_what_was_missed_is_settled_and_not_on_time() -> None:
    found = rates(a_late_emergency(), a_closed_emergency("good"))

    assert found["water", Stage.RESOLVE] == (1, 2)
    assert found["police-cczl", Stage.REPORT_IN] == (1, 2)


def test_what_still_runs_says_nothing() -> None:
    found = rates(a_sounded_emergency("fresh").wait(minutes(29)))

    assert ("water", Stage.ACK) in found
    assert not {stage for _, stage in found} & {Stage.REPORT_IN, Stage.RESOLVE}


def test_what_was_dropped_before_it_ran_out_says_nothing() -> None:
    story = a_sounded_emergency("dropped").wait(minutes(10)).act(Cancel(reason="wrong place"), by=COMMANDER)

    assert ("water", Stage.REPORT_IN) not in rates(story)


def test_what_was_missed_before_a_whistle_was_withdrawn_stays_missed() -> None:
    story = a_sounded_emergency("missed").wait(minutes(31)).act(Cancel(reason="wrong place"), by=COMMANDER)

    assert rates(story)["water", Stage.REPORT_IN] == (0, 1)


def test_an_act_that_was_in_time_at_the_door_is_exempt() -> None:
    whistle = a_late_emergency().whistle
    excused = tuple(replace(x, excused=x.stage is Stage.RESOLVE) for x in whistle.limits)

    found = on_time([replace(whistle, limits=excused)])

    assert not any(rate.stage is Stage.RESOLVE for rate in found)


def test_rates_come_by_unit_and_then_as_stages_follow_each_other() -> None:
    found = [(rate.unit, rate.stage) for rate in on_time([a_closed_emergency("good").whistle])]

    assert found == sorted(found, key=lambda name: (name[0], list(Stage).index(name[1])))


@pytest.mark.parametrize(("on_time", "settled", "percent"), [(0, 3, 0), (2, 3, 66), (199, 200, 99), (3, 3, 100)])
def test_a_percentage_is_rounded_down_so_that_a_hundred_means_all(on_time: int, settled: int, percent: int) -> None:
    assert Punctuality("water", Stage.RESOLVE, settled, on_time).percent == percent


def test_a_miss_is_found_in_the_facts() -> None:
    story = a_late_emergency()

    assert missed(story.whistle, story.facts, "water", Stage.RESOLVE)
    assert not missed(story.whistle, story.facts, "water", Stage.REPORT_IN)
    assert not missed(story.whistle, story.facts, "cczl", Stage.RESOLVE)


def test_a_miss_that_is_excused_does_not_count() -> None:
    story = a_late_emergency()
    excused = tuple(replace(x, excused=x.stage is Stage.RESOLVE) for x in story.whistle.limits)

    assert not missed(replace(story.whistle, limits=excused), story.facts, "water", Stage.RESOLVE)


def test_every_step_up_is_counted_once_and_levels_never_reached_are_nought() -> None:
    story = a_sounded_emergency("silent").wait(minutes(61))

    # Two units: warned twice, missed three limits and a fourth that has no ladder, two of them twice more.
    assert {level.value: count for level, count in escalations(story.facts).items()} == {
        "E0": 4,
        "E1": 4,
        "E2": 2,
        "E3": 2,
        "E4": 0,
        "E5": 0,
    }


def test_the_engines_lateness_is_what_lies_between_due_and_noticed() -> None:
    story = a_sounded_emergency("silent").wait(minutes(7))

    assert set(lateness(story.facts)) == {minutes(2)}


def test_what_people_did_has_no_lateness() -> None:
    assert lateness(a_sounded_emergency("prompt").facts) == ()


def test_percentiles_are_values_that_were_measured() -> None:
    measured = [timedelta(milliseconds=number) for number in range(200, 0, -1)]

    assert percentiles(measured) == Percentiles(
        p50=timedelta(milliseconds=100), p99=timedelta(milliseconds=198), max=timedelta(milliseconds=200)
    )


def test_of_one_value_every_percentile_is_that_value() -> None:
    assert percentiles([minutes(1)]) == Percentiles(minutes(1), minutes(1), minutes(1))


def test_of_nothing_there_are_no_percentiles() -> None:
    assert percentiles([]) == Percentiles(None, None, None)
