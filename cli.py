"""The command line: finds the verb, runs it, and turns whatever goes wrong into one line and an exit code.

A verb's module is imported when the verb is called, so that ``whistle --help`` answers at once.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from commands.spoken import SpokenGroup, speak
from commands.troubles import UsageError, parameters_of
from console.complaints import Complaint, complaint
from console.printing import print_json, remark
from console.texts import Texts, language_for, texts_in

TRACE_VARIABLE = "WHISTLE_TRACE"


class Exit(IntEnum):
    """What the exit code says. Scripts rely on it."""

    DONE = 0
    FAULT = 1
    USAGE = 2
    REFUSED = 3
    UNREACHABLE = 4
    NOT_FOUND = 5


# Panel of the help, verb, module that has it.
VERBS = {
    "running": {
        "init": "commands.setting_up",
        "login": "commands.setting_up",
        "up": "commands.running",
        "worker": "commands.running",
        "doctor": "commands.doctor",
        "calendar": "commands.calendar",
    },
    "sounding": {
        "source": "commands.sounding",
        "blow": "commands.sounding",
        "approve": "commands.sounding",
        "reject": "commands.sounding",
        "confirm-sounding": "commands.sounding",
        "cancel": "commands.sounding",
    },
    "answering": {
        "ack": "commands.answering",
        "contact": "commands.answering",
        "report-in": "commands.answering",
        "confirm-arrival": "commands.answering",
        "progress": "commands.answering",
        "submit": "commands.answering",
        "waive": "commands.answering",
        "stand-down": "commands.answering",
        "reply": "commands.answering",
    },
    "closing": {"verify": "commands.closing", "evaluate": "commands.closing"},
    "reading": {
        "list": "commands.reading",
        "show": "commands.reading",
        "timeline": "commands.reading",
        "explain": "commands.reading",
    },
    "audit": {"audit": "commands.audit", "drill": "commands.drill", "demo": "commands.demo"},
}
MODULES = {verb: module for panel in VERBS.values() for verb, module in panel.items()}

# Where an error is defined, with its reason where that matters: the exit code, and the texts that say it.
# The names are strings so that nothing is imported before it has failed. A parent class stands for its children.
FAILURES = {
    "models.refusals.RefusedError": (Exit.REFUSED, "reason"),
    "engine.reasons.EngineError:home_locked": (Exit.REFUSED, "engine"),
    "engine.reasons.EngineError:home_on_network_file_system": (Exit.REFUSED, "engine"),
    "engine.reasons.EngineError:server_file_from_other_version": (Exit.REFUSED, "engine"),
    "engine.reasons.EngineError:home_not_a_directory": (Exit.USAGE, "engine"),
    "engine.reasons.EngineError": (Exit.UNREACHABLE, "engine"),
    "commands.troubles.UsageError": (Exit.USAGE, "trouble"),
    "commands.troubles.MissingError": (Exit.NOT_FOUND, "trouble"),
    "commands.troubles.ForbiddenError": (Exit.REFUSED, "trouble"),
    "activities.profiles.ProfileError": (Exit.USAGE, "profile"),
    "activities.keys.KeysMalformedError": (Exit.FAULT, "trouble.keys_malformed"),
    "activities.database.RecordAwayError": (Exit.UNREACHABLE, "trouble.record_away"),
    "activities.database.RecordNotReadyError": (Exit.UNREACHABLE, "trouble.record_not_ready"),
    "activities.database.UnknownDatabaseError": (Exit.USAGE, "trouble.unknown_database"),
    "activities.migrations.RecordFromLaterVersionError": (Exit.UNREACHABLE, "trouble.record_from_later_version"),
    "activities.record.RecordConflictError": (Exit.FAULT, "trouble.record_conflict"),
    "workflows.connection.EngineUnreachableError": (Exit.UNREACHABLE, "trouble.engine_unreachable"),
    "workflows.client.OutcomeUnknownError": (Exit.UNREACHABLE, "trouble.outcome_unknown"),
    "workflows.client.WhistleNotFoundError": (Exit.NOT_FOUND, "trouble.whistle_not_found"),
    "typer._click.exceptions.MissingParameter": (Exit.USAGE, "trouble.missing_option"),
    "typer._click.exceptions.NoSuchOption": (Exit.USAGE, "trouble.unknown_option"),
    "typer._click.exceptions.BadParameter": (Exit.USAGE, "trouble.bad_value"),
    "typer.exceptions.TyperException": (Exit.USAGE, "trouble.usage"),
    "typer.exceptions.Abort": (Exit.USAGE, "trouble.no_passcode"),
    "builtins.Exception": (Exit.FAULT, "trouble.fault"),
}


class LazyGroup(SpokenGroup):
    """All verbs by name; a verb's module is imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - Typer's signature
        """Return all verbs."""
        return list(MODULES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return the verb, or None if there is none of that name."""
        if cmd_name not in MODULES:
            return None
        command = _command(importlib.import_module(MODULES[cmd_name]), cmd_name)
        speak(command, self.texts, cmd_name)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the verbs in the order of a whistle's life, without importing any of them."""
        for panel, verbs in VERBS.items():
            with formatter.section(self.texts.say(f"panel.{panel}")):
                formatter.write_dl([(verb, self.texts.say(f"verb.{verb}")) for verb in verbs])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb that was typed, or say which were perhaps meant."""
        name = args[0]
        if name not in MODULES and not name.startswith("-"):
            from difflib import get_close_matches

            near = ", ".join(get_close_matches(name, MODULES))
            raise UsageError("unknown_verb", name=name, near=near, command=ctx.command_path)
        return super().resolve_command(ctx, args)


def _command(module: Any, name: str) -> Any:
    """Return the verb ``name`` of a module that has an ``app`` with it, or whose ``app`` it is as a whole."""
    group: Any = typer.main.get_group(module.app)
    return group.commands.get(name, group) if isinstance(group, TyperGroup) else group


def verbs_in(texts: Texts) -> Any:
    """Return the whole command line in one language."""
    app = typer.Typer(cls=LazyGroup, add_completion=False, rich_markup_mode=None, no_args_is_help=False)
    app.callback(invoke_without_command=True)(_whistle)
    group = typer.main.get_group(app)
    group.help, group.epilog = texts.say("help.program"), texts.say("help.epilog")
    speak(group, texts, "")
    return group


def _whistle(
    ctx: typer.Context,
    lang: str | None = typer.Option(None, "--lang"),  # noqa: ARG001 - read before anything else
    version: bool = typer.Option(False, "--version"),
) -> None:
    if version:
        from importlib.metadata import version as installed_version

        typer.echo(installed_version("whistle"))
    elif ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


def run(arguments: Sequence[str]) -> int:
    """Do what ``arguments`` say and return the exit code. Nothing flies out of here but an interrupt of the process."""
    texts = texts_in(language_for(arguments, os.environ))
    try:
        _check_encoding(arguments)
        code = verbs_in(texts).main(list(arguments), prog_name="whistle", standalone_mode=False, obj=texts)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.FAULT
    # The one outermost spot of this process: nothing is swallowed, everything is said.
    except Exception as error:  # noqa: BLE001
        return _complain(error, texts, as_json="--json" in arguments)
    return code if isinstance(code, int) else Exit.DONE


def _check_encoding(arguments: Sequence[str]) -> None:
    for argument in arguments:
        if not argument.isprintable() and argument != argument.encode(errors="replace").decode():
            raise UsageError("not_utf8", argument=argument.encode(errors="backslashreplace").decode())


def _complain(error: Exception, texts: Texts, *, as_json: bool) -> int:
    if os.environ.get(TRACE_VARIABLE):
        traceback.print_exception(error)
    found = _complaint(error, texts)
    remark(found.line)
    if as_json:
        print_json(found.document())
    return found.exit_code


def _complaint(error: Exception, texts: Texts) -> Complaint:
    reason = getattr(error, "reason", None)
    for kind in type(error).__mro__:
        name = f"{kind.__module__}.{kind.__qualname__}"
        code, key = FAILURES.get(f"{name}:{reason}") or FAILURES.get(name) or (None, "")
        if code is not None:
            parameters = parameters_of(error)
            return complaint(texts, key if "." in key else f"{key}.{reason}", parameters, code)
    raise error


def main() -> NoReturn:
    """Run the command line and end the process."""
    for stream in (sys.stdout, sys.stderr):
        # A name that this terminal's encoding lacks is no reason to fail.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        # Not an orderly end: after the Temporal SDK was used that crashes now and then (sdk-python issue 300).
        os._exit(code)


if __name__ == "__main__":
    main()
