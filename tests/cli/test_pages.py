"""What people see: whole pages, in both languages."""

from datetime import timedelta

import pytest
from rich.console import Console, RenderableType

from console.derivations import explanation_page
from console.health import Check, Verdict, health_page
from console.texts import Language, texts_in
from console.timelines import described, timeline_page
from console.urgency import urgency_style
from console.whistles import whistle_page
from console.wording import Wording
from models.case import Presence
from models.commands import Acknowledge, ConfirmArrival, ReportIn
from models.explanations import explain
from models.views import timeline, whistle_view
from tests.builders import (
    DUTY,
    SUNDAY_0210,
    WATER,
    Story,
    a_burst_main,
    a_closed_emergency,
    a_noise_complaint,
    a_sounded_emergency,
    an_approved_demand,
    jinfeng,
    minutes,
)

NUMBER = "JINFENG-2026-000001"


def printed(page: RenderableType) -> str:
    console = Console(width=100, color_system=None, highlight=False, markup=False)
    with console.capture() as capture:
        console.print(page)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def wording(language: Language) -> Wording:
    return Wording.of(texts_in(language), jinfeng().calendar.tz, jinfeng().organisation)


def one_absent() -> Story:
    """Return scenario 1: the water company comes, the police do not."""
    story = a_sounded_emergency("burst")
    story.act(Acknowledge(unit="water"), by=WATER, after=minutes(4))
    story.act(ReportIn(unit="water", people=4, presence=Presence.ONSITE), by=WATER, after=minutes(23))
    story.act(ConfirmArrival(unit="water"), by=DUTY, after=minutes(1))
    return story.wait(minutes(13))


SHOWN_ZH = """\
JINFENG-2026-000001 · 报到中
K1 应急处置 · U1 危急 · 工作推进 · E1 催办
长城中路街道 (cczl) · water-main-burst · 银川市长城中路 12 号
“Water is coming up through the road.”
哨源 patrol p-1
政策 jinfeng-2026.1 · 日历 cn-2026.1 · 模式 平时/0
吹哨 2026-03-01 02:10
whistle/jinfeng/burst
供水公司 (water) · 牵头 · 已报到 · E0 预警
  签收                                    2026-03-01 02:15    2026-03-01 02:14
  报到                                    2026-03-01 02:40    2026-03-01 02:37
  情况报告                                2026-03-01 04:10    进行中
  办结                                    2026-03-02 02:10    进行中
长城中路派出所 (police-cczl) · 协办 · 已签收 (视为签收) · E1 催办
  签收                                    2026-03-01 02:15    2026-03-01 02:15 · 超时
  报到                                    2026-03-01 02:40    超时
  协办                                    2026-03-01 22:10    进行中
  答复催办 [签收]                         2026-03-01 02:20    超时
  答复催办 [报到]                         2026-03-01 02:45    超时
长城中路街道 (cczl) · 街道
  事后确认                                2026-03-02 02:10    进行中
  确认到场 [供水公司]                     2026-03-01 02:52    2026-03-01 02:38
事实 18 条，链首 HEAD
"""
TIMELINE_EN = """\
  1  2026-03-01 02:10:00  Changcheng Middle Road duty officer 1 registers a source (patrol p-1)
     “seen on patrol”
  2  2026-03-01 02:10:00  Changcheng Middle Road duty officer 1 puts the case: K1 emergency response
U1 danger, matter water-main-burst, units Water Company (lead), Changcheng Middle Road Police
Station (support)
     “Water is coming up through the road.”
  3  2026-03-01 02:10:00  Sounded; all clocks run
     told: Water Company handler, Water Company liaison, Water Company control room operator,
Changcheng Middle Road Police Station handler, Changcheng Middle Road leader, Changcheng Middle Road
director, Changcheng Middle Road commander
  4  2026-03-01 02:14:00  Water Company confirms receipt
  5  2026-03-01 02:15:00  Changcheng Middle Road Police Station missed “confirm receipt”
     noticed 2 min late
  6  2026-03-01 02:15:00  E1 reminder: missed “confirm receipt” of Changcheng Middle Road Police
Station goes up
     told: Changcheng Middle Road Police Station head, Changcheng Middle Road duty officer 1,
Changcheng Middle Road duty officer 2
     noticed 2 min late
  7  2026-03-01 02:15:00  Changcheng Middle Road Police Station did not sign in time; receipt is
deemed confirmed
     noticed 2 min late
  8  2026-03-01 02:15:00  The whistle is now: mustering
     noticed 2 min late
"""
EXPLAINED_ZH = """\
长城中路派出所 (police-cczl)：报到  到期 2026-03-01 02:40
  30m C，按连续分钟，自 2026-03-01 02:10 起，从起点计算
  政策行 normal.K1.U1.report_in，日历 cn-2026.1，模式 NORMAL/0
    2026-03-01 02:10 – 2026-03-01 02:40  30 分
  重算结果相同
  超时
  → 2026-03-01 02:55 升至 E2 督办：指挥中心主任
  → 2026-03-01 03:10 升至 E3 协调裁定：分管区领导

"""
EXPLAINED_EN = """\
Changcheng Middle Road Subdistrict (cczl): approve  due 2026-03-02 12:00
  4h W in working hours from 2026-03-01 02:10, counted from the start
  policy row normal.K3.U3.approve, calendar cn-2026.1, mode NORMAL/0
    2026-03-02 08:00 – 2026-03-02 12:00  4 h
  counted again: the same instant
  → 2026-03-02 12:00 goes to E1 reminder: Changcheng Middle Road commander, Command centre duty
officer 1, Command centre duty officer 2
  → 2026-03-03 12:00 goes to E2 supervision: Command centre director
  → 2026-03-05 12:00 goes to E3 district leader: District leader in charge

"""


def test_a_whistle_names_its_units_and_what_they_owe() -> None:
    story = one_absent()
    view = whistle_view(story.whistle, story.facts, NUMBER)

    page = printed(whistle_page(view, wording(Language.ZH), story.now)).replace(story.whistle.head_hash[:12], "HEAD")

    assert page + "\n" == SHOWN_ZH


def test_a_timeline_tells_what_happened_who_was_told_and_what_was_noticed_late() -> None:
    story = a_sounded_emergency("burst").act(Acknowledge(unit="water"), by=WATER, after=minutes(4)).wait(minutes(3))

    assert printed(timeline_page(timeline(story.facts), wording(Language.EN))) + "\n" == TIMELINE_EN


def test_an_explanation_shows_the_counting_and_the_ladder_ahead() -> None:
    story = one_absent()
    limits = [x for x in explain("jinfeng", "burst", story.facts) if (x.owner, x.stage) == ("police-cczl", "report_in")]

    assert printed(explanation_page(limits, wording(Language.ZH))) + "\n" == EXPLAINED_ZH


def test_an_explanation_of_working_time_goes_segment_by_segment() -> None:
    story = Story("demand").source().blow(a_noise_complaint())

    page = explanation_page(explain("jinfeng", "demand", story.facts), wording(Language.EN))

    assert printed(page) + "\n" == EXPLAINED_EN


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("story", [a_closed_emergency("closed"), an_approved_demand("demand"), one_absent()])
def test_every_fact_is_told_without_a_gap(story: Story, language: Language) -> None:
    sentences = [described(fact, wording(language)) for fact in timeline(story.facts)]

    assert [sentence for sentence in sentences if "?" in sentence or "{" in sentence] == []


def test_what_people_wrote_is_no_markup() -> None:
    story = Story("markup").source().blow(a_burst_main(place="[bold]here[/bold]"))
    view = whistle_view(story.whistle, story.facts, NUMBER)

    assert "[bold]here[/bold]" in printed(whistle_page(view, wording(Language.EN), story.now))


def test_whatever_is_away_stands_out() -> None:
    checks = [
        Check("record", Verdict.OK, "answers", {"detail": "0001"}),
        Check("temporal", Verdict.BAD, "away", {"detail": "engine_not_running"}),
        Check("notices", Verdict.NOTE, "waiting", {"count": 3, "seconds": 900}),
    ]

    page = health_page("/home/w", checks, {"python": "3.11.7"}, texts_in(Language.EN))

    assert printed(page) == (
        "/home/w\n"
        "ok    record             answers (0001)\n"
        "BAD   Temporal           does not answer (engine_not_running)\n"
        "note  notices under way  3, the oldest for 900 s\n"
        "python 3.11.7"
    )


@pytest.mark.parametrize(
    ("share_left", "style"), [(1, "green"), (0.51, "green"), (0.5, "yellow"), (0.2, "red"), (0, "bold red")]
)
def test_the_less_is_left_the_redder_it_gets(share_left: float, style: str) -> None:
    due_at = SUNDAY_0210 + timedelta(hours=1)

    assert urgency_style(SUNDAY_0210, due_at, due_at - timedelta(hours=share_left)) == style


@pytest.mark.parametrize(
    ("time", "english", "chinese"),
    [
        (timedelta(seconds=59), "59 s", "59 秒"),
        (timedelta(minutes=59), "59 min", "59 分"),
        (timedelta(hours=4), "4 h", "4 小时"),
        (timedelta(hours=4, minutes=5), "4 h 5 min", "4 小时 5 分"),
        (timedelta(days=7), "7 d", "7 天"),
        (timedelta(days=7, hours=1, minutes=3), "7 d 1 h", "7 天 1 小时"),
    ],
    ids=str,
)
def test_a_length_of_time_is_said_in_its_two_largest_units(time: timedelta, english: str, chinese: str) -> None:
    assert [wording(language).length(-time) for language in (Language.EN, Language.ZH)] == [english, chinese]
