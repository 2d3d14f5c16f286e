"""Prints: text for people, or exactly one JSON document for programs."""

import json
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

_UTF8 = "utf"
# There is no terminal to fit into a file or a pipe, and whoever reads it line by line wants whole lines.
_WIDTH_IN_A_FILE = 250


def print_json(document: object) -> None:
    """Print ``document`` (anything canonical) as the one JSON document on stdout."""
    # Imported here: pydantic comes with it, and a refusal of the command line needs neither.
    from models.canonical import plain  # noqa: PLC0415

    speaks_unicode = (sys.stdout.encoding or "").lower().startswith(_UTF8)
    text = json.dumps(plain(document), ensure_ascii=not speaks_unicode, indent=2)
    print(text)  # noqa: T201


def print_page(page: "RenderableType") -> None:
    """Print a page for people; colours only on a terminal, and not where ``NO_COLOR`` is set."""
    from rich.console import Console  # noqa: PLC0415

    on_terminal = sys.stdout.isatty()
    # What people wrote may look like markup.
    console = Console(highlight=False, markup=False, width=None if on_terminal else _WIDTH_IN_A_FILE)
    console.print(page)


def say(line: str) -> None:
    """Print a line for people."""
    print(line)  # noqa: T201


def remark(line: str) -> None:
    """Print a line that is not the result, so that stdout stays what a program expects."""
    print(line, file=sys.stderr)  # noqa: T201
