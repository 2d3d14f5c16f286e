"""What doors show is the state and the chain as they are, in the shape that others script against."""

import json

import pytest

from models.canonical import plain
from models.case import Aspect
from models.commands import Acknowledge
from models.facts import Fact
from models.policy import Escalation, Stage
from models.views import LimitView, TaskView, WhistleView, fact_view, whistle_view
from models.whistle import TaskState
from tests.builders import SUNDAY_0210, WATER, Story, a_closed_emergency, a_sounded_emergency, minutes

NUMBER = "JINFENG-2026-000001"


def shown(story: Story) -> WhistleView:
    return whistle_view(story.whistle, story.facts, NUMBER)


def as_json(story: Story) -> dict[str, object]:
    document: dict[str, object] = json.loads(json.dumps(plain(shown(story))))
    return document


def limit_of(task: TaskView, stage: Stage) -> LimitView:
    return next(limit for limit in task.limits if limit.stage is stage)


def test_show_has_everything_that_scripts_rely_on() -> None:
    document = as_json(a_sounded_emergency("burst"))

    promised = {
        *("id", "number", "state", "kind", "urgency", "level", "street", "matter", "mode", "mode_epoch"),
        *("policy_version", "calendar_version", "escalation", "lead", "tasks", "limits", "facts", "head_hash"),
    }
    assert promised <= document.keys()


def test_every_task_and_limit_has_everything_that_scripts_rely_on() -> None:
    document = as_json(a_sounded_emergency("burst"))

    tasks = document["tasks"]
    assert isinstance(tasks, list)
    for task in tasks:
        assert {"unit", "role", "state", "escalation", "limits"} <= task.keys()
        for limit in task["limits"]:
            fields = {"stage", "due_at", "base_at", "clock", "provisional", "met_at", "missed", "excused"}
            assert fields <= limit.keys()


def test_an_emergency_is_shown_as_it_was_blown() -> None:
    document = as_json(a_sounded_emergency("burst"))

    head = {name: value for name, value in document.items() if name not in {"tasks", "limits", "facts", "head_hash"}}
    assert head == {
        "id": "whistle/jinfeng/burst",
        "number": NUMBER,
        "state": "SOUNDED",
        "kind": "K1",
        "urgency": "U1",
        "level": "routine",
        "street": "cczl",
        "matter": "water-main-burst",
        "duty_item": "assist-01",
        "place": "银川市长城中路 12 号",
        "text": "Water is coming up through the road.",
        "own_efforts": None,
        "source": {"type": "patrol", "id": "p-1", "community": None},
        "mode": "NORMAL",
        "mode_level": None,
        "mode_epoch": 0,
        "policy_version": "jinfeng-2026.1",
        "calendar_version": "cn-2026.1",
        "escalation": None,
        "lead": "water",
        "sounded_at": "2026-02-28T18:10:00.000000Z",
        "closed_at": None,
        "reworks": 0,
    }


def test_a_source_without_a_case_leaves_open_what_only_a_case_can_say() -> None:
    view = shown(Story("draft").source())

    assert (view.kind, view.urgency, view.level, view.lead, view.tasks) == (None, None, None, None, ())
    assert view.text == "seen on patrol"


def test_limits_belong_to_whoever_owes_them() -> None:
    view = shown(a_sounded_emergency("burst"))

    assert [(task.unit, [limit.stage for limit in task.limits]) for task in view.tasks] == [
        ("water", [Stage.ACK, Stage.REPORT_IN, Stage.SITUATION, Stage.RESOLVE]),
        ("police-cczl", [Stage.ACK, Stage.REPORT_IN, Stage.SUPPORT]),
    ]
    assert [limit.stage for limit in view.limits] == [Stage.CONFIRM_SOUNDING]


def test_a_limit_says_whether_and_when_it_was_met_or_missed() -> None:
    story = a_sounded_emergency("burst").act(Acknowledge(unit="water"), by=WATER, after=minutes(4)).wait(minutes(2))

    water, police = shown(story).tasks

    assert limit_of(water, Stage.ACK).met_at == SUNDAY_0210 + minutes(4)
    assert not limit_of(water, Stage.ACK).missed
    assert limit_of(police, Stage.ACK).missed
    assert (police.deemed, police.state, police.escalation) == (True, TaskState.ACKED, Escalation.E1)


def test_a_closed_whistle_shows_the_stars_of_each_unit() -> None:
    view = shown(a_closed_emergency("done"))

    assert [dict(task.stars) for task in view.tasks] == [dict.fromkeys(Aspect, 5)] * 3
    assert view.closed_at is not None


@pytest.mark.parametrize("fact", a_closed_emergency("chain").facts, ids=lambda fact: f"{fact.number}-{fact.type}")
def test_whoever_reads_the_timeline_can_recompute_every_hash(fact: Fact) -> None:
    line = plain(fact_view(fact))
    assert isinstance(line, dict)

    body = {name: value for name, value in line.items() if name not in {"type", "hash"}}

    reread = Fact.model_validate({**body, "hash": line["hash"]})
    assert reread.is_sealed_truly
    assert line["type"] == line["detail"]["type"]


def test_the_timeline_says_who_acted_and_in_which_capacity() -> None:
    story = a_sounded_emergency("burst").act(Acknowledge(unit="water"), by=WATER, after=minutes(4))

    line = shown(story).facts[-1]

    assert (line.number, line.type, line.actor, line.unit, line.capacity) == (
        4,
        "acknowledged",
        WATER,
        "water",
        "utility_operator",
    )
    assert line.received_at == line.at == SUNDAY_0210 + minutes(4)
    assert (line.due_at, line.observed_at) == (None, None)


def test_what_time_brought_carries_its_nominal_instant_and_the_one_at_which_it_was_noticed() -> None:
    story = a_sounded_emergency("burst").wait(minutes(7))

    missed = next(line for line in shown(story).facts if line.type == "limit_missed")

    assert (missed.at, missed.due_at) == (SUNDAY_0210 + minutes(5), SUNDAY_0210 + minutes(5))
    assert missed.observed_at == SUNDAY_0210 + minutes(7)
    assert (missed.actor, missed.capacity, missed.key) == ("system", None, None)
