"""Shows what answers, what does not, and what lags behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from console.texts import Texts


class Verdict(StrEnum):
    """How one part is."""

    OK = "ok"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True)
class Check:
    """One part and how it is. ``says`` names its text, ``figures`` what the text is filled with."""

    name: str
    verdict: Verdict
    says: str
    figures: Mapping[str, str | int] = field(default_factory=dict)


_STYLES = {Verdict.OK: "green", Verdict.NOTE: "yellow", Verdict.BAD: "bold red"}


def health_page(home: str, checks: Sequence[Check], versions: Mapping[str, str], texts: Texts) -> RenderableType:
    """Return the page of one home."""
    table = Table.grid(padding=(0, 2))
    for check in checks:
        table.add_row(
            Text(texts.say(f"doctor.{check.verdict}"), style=_STYLES[check.verdict]),
            Text(texts.say(f"doctor.part.{check.name}")),
            Text(texts.say(f"doctor.says.{check.says}", **check.figures)),
        )
    line = ", ".join(f"{name} {version}" for name, version in versions.items())
    return Group(Text(home, style="bold"), table, Text(line, style="dim"))
