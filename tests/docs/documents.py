"""Reads the documents: their headings, code blocks, tables and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"
DOCUMENTS = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]))

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"`([^`]+)`")
_PROGRAM = re.compile(r"(?:\.venv/bin/)?whistle")


@dataclass(frozen=True)
class Typed:
    """The command of that ``number`` in a document; ``words`` are what a shell makes of it."""

    document: Path
    number: int
    words: tuple[str, ...]

    @property
    def is_whistle(self) -> bool:
        """Whether it is ours."""
        return _PROGRAM.fullmatch(self.words[0]) is not None

    def __str__(self) -> str:
        verb = next((word for word in self.words[1:] if not word.startswith("-")), "")
        return f"{self.document.name}:{self.number} {self.words[0]} {verb}"


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def name_of(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


def page(name: str) -> str:
    return text_of(ROOT / "docs" / name)


def prose_of(text: str) -> str:
    """Return a document without its code blocks."""
    return _BLOCK.sub("", text)


def blocks(text: str, language: str) -> list[str]:
    return [content for found, content in _BLOCK.findall(text) if found == language]


def headings(text: str) -> list[str]:
    return [line for line in prose_of(text).splitlines() if line.startswith("#")]


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of any level."""
    after = text.split(f"\n{heading}\n", 1)[1]
    return re.split(r"^#+ ", after, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str, first_column: str) -> list[list[str]]:
    """Return the rows of all tables whose first column has that heading, cell by cell."""
    found: list[list[str]] = []
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if inside and cells and not set(cells[0]) <= {"-"}:
            found.append(cells)
        inside = bool(cells) and (inside or cells[0] == first_column)
    return found


def quoted(cell: str) -> list[str]:
    """Return what is written as code."""
    return _QUOTED.findall(cell)


def typed(document: Path) -> Iterator[Typed]:
    """Yield each command of the shell blocks."""
    lines = (line for block in blocks(text_of(document), "sh") for line in block.splitlines())
    for number, line in enumerate(filter(None, lines), start=1):
        yield Typed(document, number, tuple(shlex.split(line)))


ALL_TYPED = tuple(each for document in DOCUMENTS for each in typed(document))
