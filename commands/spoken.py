"""Commands whose help is in the reader's language: usage, headings, one text for each verb and each option."""

from collections.abc import Iterable
from typing import Any

from typer import Context
from typer.core import TyperCommand, TyperGroup

from console.texts import Texts

_HELP = "help"


class SpokenCommand(TyperCommand):
    """One verb, with its texts looked up by `speak`."""

    texts: Texts

    def format_usage(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]
        """Write the usage line."""
        _write_usage(self, self.texts, ctx, formatter)

    def format_options(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]
        """Write arguments and options."""
        _write_parameters(self, self.texts, ctx, formatter)


class SpokenGroup(TyperGroup):
    """A verb that has verbs below it."""

    texts: Texts

    def format_usage(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]
        """Write the usage line."""
        _write_usage(self, self.texts, ctx, formatter)

    def format_options(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]
        """Write options, then the verbs."""
        _write_parameters(self, self.texts, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Write the verbs below this one."""
        with formatter.section(self.texts.say("help.commands")):
            formatter.write_dl([(name, below.help or "") for name, below in self.commands.items()])


def speak(command: Any, texts: Texts, path: str) -> None:
    """Give ``command`` and everything below it its texts. What the catalogue does not know keeps its own."""
    command.texts, command.rich_markup_mode = texts, None
    for key in (f"verb.{path}", f"subverb.{path}"):
        if texts.knows(key):
            command.help = command.short_help = texts.say(key)
    for parameter in command.params:
        if texts.knows(f"option.{parameter.name}"):
            parameter.help = texts.say(f"option.{parameter.name}")
    for name, below in getattr(command, "commands", {}).items():
        speak(below, texts, f"{path}_{name}")


def _write_usage(command: Any, texts: Texts, ctx: Any, formatter: Any) -> None:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    formatter.write_usage(ctx.command_path, pieces, prefix=f"{texts.say('help.usage')} ")


def _write_parameters(command: Any, texts: Texts, ctx: Any, formatter: Any) -> None:
    parameters = command.get_params(ctx)
    for heading, kind in (("help.arguments", "argument"), ("help.options", "option")):
        rows = list(_rows((x for x in parameters if x.param_type_name == kind), texts, ctx))
        if rows:
            with formatter.section(texts.say(heading)):
                formatter.write_dl(rows)


def _rows(parameters: Iterable[Any], texts: Texts, ctx: Any) -> Iterable[tuple[str, str]]:
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None:
            words = texts.say("help.help") if parameter.name == _HELP else parameter.help or ""
            required = f" {texts.say('help.required')}" if parameter.required else ""
            yield record[0], words + required
