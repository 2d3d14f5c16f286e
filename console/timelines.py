"""Shows the chain of facts as a story: when, who, what, why, and who was told."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from console.wording import Wording
from models.case import Addressee
from models.facts import NobodyOnDuty
from models.views import FactView

# Below this the engine was simply busy; above it, a reader should know.
_LATE = timedelta(seconds=2)
# The words that people wrote, in the order in which they are shown.
_FREE_TEXT = ("text", "result", "reason", "interim_status", "note")
_BAD = frozenset({"limit_missed", "escalated", "arrival_denied", "verification_failed", "ack_deemed"})
_WORTH_NOTING = frozenset({"forewarned", "nobody_on_duty", "no_channel", "notice_failed", "evaluation_defaulted"})
_Word = Callable[[Wording, str], str]


def _from(table: str) -> _Word:
    return lambda wording, code: wording.name(table, code)


# How the fields of facts are put into words: those that hold one code, and those that hold several.
_SINGLE: dict[str, _Word] = {
    **dict.fromkeys(("unit", "owner", "passed_to"), Wording.unit),
    **dict.fromkeys(("officer", "receiver"), Wording.officer),
    **{name: _from(name) for name in ("state", "stage", "presence", "cause")},
    "level": _from("escalation"),
}
_LISTED: dict[str, _Word] = {"returned": Wording.unit, "aspects": _from("aspect"), "posts": _from("post")}


def timeline_page(facts: Iterable[FactView], wording: Wording) -> RenderableType:
    """Return the whole timeline."""
    return Group(*(line for fact in facts for line in fact_lines(fact, wording)))


def fact_lines(fact: FactView, wording: Wording) -> list[Text]:
    """Return one fact as a line for what happened, and one for each thing there is to add."""
    head = Text(f"{fact.number:>3}  ", style="dim")
    head.append(wording.second(fact.at), style="cyan")
    head.append("  ")
    head.append(described(fact, wording), style=_style(fact.type))
    return [head, *(Text(f"     {line}", style="dim") for line in _additions(fact, wording))]


def described(fact: FactView, wording: Wording) -> str:
    """Return what happened, in one sentence."""
    return wording.say(f"fact.{fact.type}", **_parameters(fact, wording))


def _style(kind: str) -> str:
    if kind in _BAD:
        return "red"
    return "yellow" if kind in _WORTH_NOTING else ""


def _additions(fact: FactView, wording: Wording) -> Iterable[str]:
    for name in _FREE_TEXT:
        said = getattr(fact.detail, name, None) or getattr(getattr(fact.detail, "case", None), name, None)
        if said:
            yield f"“{said}”"
    told: tuple[Addressee, ...] = getattr(fact.detail, "told", ())
    if told:
        yield wording.say("timeline.told", names=named(told, wording))
    if fact.observed_at is not None and fact.observed_at - fact.at >= _LATE:
        yield wording.say("timeline.late", time=wording.length(fact.observed_at - fact.at))


def named(told: Iterable[Addressee], wording: Wording) -> str:
    """Return officers by their role labels."""
    return ", ".join(wording.officer(x.officer) for x in told)


def _parameters(fact: FactView, wording: Wording) -> dict[str, object]:
    """Return everything that a sentence about ``fact`` may name, in words."""
    parameters: dict[str, object] = {name: _in_words(name, value, wording) for name, value in fact.detail}
    parameters["actor"] = wording.officer(fact.actor)
    case = getattr(fact.detail, "case", None)
    if case is not None:
        parameters |= {
            "kind": f"{case.kind} {wording.name('kind', case.kind)}",
            "urgency": f"{case.urgency} {wording.name('urgency', case.urgency)}",
            "matter": case.matter,
            "units": ", ".join(f"{wording.unit(x.unit)} ({wording.name('role', x.role)})" for x in case.summons),
        }
    if isinstance(fact.detail, NobodyOnDuty) and fact.detail.passed_to is None:
        parameters["passed_to"] = wording.say("timeline.nobody")
    return parameters


def _in_words(name: str, value: object, wording: Wording) -> str:
    if isinstance(value, tuple):
        word = _LISTED.get(name)
        return ", ".join(word(wording, str(x)) for x in value) if word else str(len(value))
    if not isinstance(value, str):
        return str(value)
    word = _SINGLE.get(name)
    return word(wording, value) if word else value
