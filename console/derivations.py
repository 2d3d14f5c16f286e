"""Shows why each limit is what it is, and what time will bring if nobody acts."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.text import Text

from console.timelines import named
from console.wording import Wording
from models.explanations import Cause, ComingStep, LimitExplanation
from models.facts import NobodyOnDuty, NoChannel
from models.limits import ANSWERS
from models.policy import Escalation


def explanation_page(limits: Iterable[LimitExplanation], wording: Wording) -> RenderableType:
    """Return the derivation of each limit, one paragraph each."""
    return Group(*(line for limit in limits for line in _paragraph(limit, wording)))


def _paragraph(limit: LimitExplanation, wording: Wording) -> Iterator[Text]:
    owner = wording.unit_with_code(limit.owner)
    stage = wording.name("stage", limit.stage) + (f" [{wording.about(limit.about)}]" if limit.about else "")
    heading = Text(wording.say("explain.heading", owner=owner, stage=stage), style="bold")
    heading.append("  ")
    heading.append(wording.say("explain.due", due_at=wording.instant(limit.due_at)), style="cyan")
    yield heading
    yield Text(f"  {_counting(limit, wording)}")
    law = wording.say("explain.law", row=limit.row, calendar=limit.calendar_version, mode=limit.mode)
    yield Text(f"  {law}", style="dim")
    for segment in limit.segments:
        length = wording.length(segment.end - segment.start)
        line = wording.say(
            "explain.segment", start=wording.instant(segment.start), end=wording.instant(segment.end), length=length
        )
        yield Text(f"    {line}")
    yield from _verdict(limit, wording)
    for step in limit.steps_ahead:
        yield from _step(limit, step, wording)
    yield Text("")


def _counting(limit: LimitExplanation, wording: Wording) -> str:
    if limit.cause is Cause.PROMISED:
        return wording.say("explain.promised")
    return wording.say(
        "explain.counted",
        span=limit.span if limit.cause is not Cause.RESUMED else wording.length(limit.counted),
        clock=wording.name("clock", limit.clock),
        from_at=wording.instant(limit.counted_from),
        cause=wording.name("cause_of_instant", limit.cause),
    )


def _verdict(limit: LimitExplanation, wording: Wording) -> Iterator[Text]:
    if limit.agrees is False and limit.recomputed_due_at is not None:
        differs = wording.say("explain.differs", due_at=wording.second(limit.recomputed_due_at))
        yield Text(f"  {differs}", style="bold red")
    elif limit.agrees:
        yield Text(f"  {wording.say('explain.agrees')}", style="green")
    if limit.provisional:
        yield Text(f"  {wording.say('explain.provisional')}", style="yellow")
    if limit.met_at is not None:
        yield Text(f"  {wording.say('explain.met', at=wording.instant(limit.met_at))}", style="dim")
    if limit.missed:
        yield Text(f"  {wording.say('explain.missed')}", style="red")
    if limit.void:
        yield Text(f"  {wording.say('explain.void')}", style="dim")


def _step(limit: LimitExplanation, step: ComingStep, wording: Wording) -> Iterator[Text]:
    at = wording.instant(step.at)
    names = named(step.tells, wording) or wording.say("timeline.nobody")
    if limit.stage in ANSWERS:
        yield Text(f"  → {wording.say('explain.kept', at=at)}")
    elif step.level is Escalation.E0:
        yield Text(f"  → {wording.say('explain.warning', at=at, percent=step.percent, names=names)}")
    else:
        level = wording.name("escalation", step.level)
        yield Text(f"  → {wording.say('explain.step', at=at, level=level, names=names)}")
    for trouble in step.troubles:
        yield Text(f"      {_trouble(trouble, wording)}", style="yellow")


def _trouble(trouble: NobodyOnDuty | NoChannel, wording: Wording) -> str:
    if isinstance(trouble, NoChannel):
        return wording.say("explain.no_channel", officer=wording.officer(trouble.officer))
    posts = ", ".join(wording.name("post", post) for post in trouble.posts)
    return wording.say("explain.nobody", unit=wording.unit(trouble.unit), posts=posts)
