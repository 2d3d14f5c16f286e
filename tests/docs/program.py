"""What of the program the documents speak of: its verbs, its tests, its names."""

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, get_args

from typer import Context
from typer.core import TyperGroup

import cli
from console.texts import Language, Texts, texts_in
from models.facts import Detail
from tests.docs.documents import ROOT

ROOMS = ("models", "workflows", "activities", "engine", "console", "commands")
_VARIABLE = re.compile(r"WHISTLE_[A-Z_]+")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
FACTS = tuple(kind.model_fields["type"].default for kind in get_args(get_args(Detail)[0]))


def verb_texts(language: Language) -> dict[str, str]:
    """Return each verb, those below others with both words, and what the help says of it."""
    texts = texts_in(language)
    return dict(_verbs(cli.verbs_in(texts), texts))


def _verbs(root: Any, texts: Texts) -> Iterator[tuple[str, str]]:
    for verb in cli.MODULES:
        below = getattr(root.get_command(Context(root), verb), "commands", {})
        for name in below:
            yield f"{verb} {name}", texts.say(f"subverb.{verb}_{name}")
        if not below:
            yield verb, texts.say(f"verb.{verb}")


def parse(words: Sequence[str]) -> None:
    """Let the command line read ``words`` without doing anything.

    Raises:
        Exception: Typer's own, or the door's, if it cannot.
    """
    command: Any = cli.verbs_in(texts_in(Language.EN))
    context: Context | None = None
    rest = list(words)
    while True:
        context = command.make_context(command.name or "whistle", rest, parent=context)
        if not isinstance(command, TyperGroup):
            return
        rest = [*context._protected_args, *context.args]  # noqa: SLF001 - Typer has no other way to look ahead
        _, command, rest = command.resolve_command(context, rest)


@cache
def proofs() -> frozenset[str]:
    """Return the names of all test functions."""
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "tests").rglob("test_*.py"))
    functions = (node for tree in trees for node in ast.walk(tree))
    return frozenset(node.name for node in functions if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def names() -> frozenset[str]:
    """Return what the code gives a name to: classes, functions, fields, and the values of enums and literals."""
    files = (file for room in ROOMS for file in (ROOT / room).rglob("*.py"))
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in files)
    return frozenset(name for tree in trees for node in ast.walk(tree) for name in _names_in(node))


def _names_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield name
            yield from _words_in(value)
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name
            yield from _words_in(value)
        case _:
            return


def _words_in(value: ast.AST | None) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(word)) if _WORD.fullmatch(word):
            yield word
        case ast.Dict(keys=keys):
            for key in keys:
                yield from _words_in(key)
        case _:
            return


@cache
def variables() -> frozenset[str]:
    """Return the environment variables of ours that the code names."""
    return frozenset(name for name in _constants() if _VARIABLE.fullmatch(name))


def _constants() -> Iterator[str]:
    files = [ROOT / "cli.py", ROOT / "worker.py", *(file for room in ROOMS for file in (ROOT / room).rglob("*.py"))]
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier():
                yield node.value
