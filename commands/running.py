"""Runs the engine: the whole process tree in the foreground, or a worker alone."""

import asyncio
import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from activities.database import RecordAwayError
from commands.site import open_record, record_url
from commands.verbs import Call, plain
from console.printing import print_json, remark, say
from engine.home import RunningEngine
from engine.supervisor import Change, Died, Ready, Restarted, Stopping, supervise
from engine.worker_process import WorkerProgram
from workflows.connection import TASK_QUEUE

app = typer.Typer()


@plain(app, "up")
def up(call: Call) -> None:
    """Run server, worker and record until somebody stops it."""
    call.home.create()
    try:
        open_record(call).migrate()
    except RecordAwayError:
        # Whistles go on without it, and the record catches up.
        remark(call.texts.say("up.record_away"))
    program = WorkerProgram((*_worker_program(), "--home", str(call.home.path)), TASK_QUEUE)
    asyncio.run(supervise(call.home, program, lambda change: _tell(call, change), database_url=record_url(call.home)))


def _tell(call: Call, change: Change) -> None:
    match change:
        case Ready(engine):
            _ready(call, engine)
        case Died(part, exit_code, pause):
            remark(call.texts.say("up.died", part=part, exit_code=exit_code, seconds=pause.total_seconds()))
        case Restarted(part):
            remark(call.texts.say("up.restarted", part=part))
        case Stopping():
            remark(call.texts.say("up.stopping"))
    sys.stdout.flush()


def _ready(call: Call, engine: RunningEngine) -> None:
    """Print the one line that others wait for. The record's URL may hold a secret, so only its kind is shown."""
    addresses = {
        "home": str(call.home.path),
        "temporal": engine.temporal_address,
        "namespace": engine.namespace,
        "ui": engine.ui_address,
        "metrics": engine.metrics_address,
        "record": engine.database_url.partition(":")[0],
    }
    if call.as_json:
        print_json({"ready": True, **addresses})
    else:
        say(" ".join(["READY", *(f"{name}={value}" for name, value in addresses.items() if value)]))


@plain(app, "worker")
def worker(
    call: Call,
    address: Annotated[str | None, typer.Option("--address", metavar="HOST:PORT")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace")] = None,
    database: Annotated[str | None, typer.Option("--database", metavar="URL")] = None,
    metrics: Annotated[str | None, typer.Option("--metrics", metavar="HOST:PORT")] = None,
) -> None:
    """Become the worker's program."""
    chosen = {"--address": address, "--namespace": namespace, "--database": database, "--metrics": metrics}
    options = [part for name, value in chosen.items() if value is not None for part in (name, value)]
    command = [*_worker_program(), "--home", str(call.home.path), *options]
    os.execv(command[0], command)  # noqa: S606 - no shell is the point


def _worker_program() -> tuple[str, ...]:
    """Return how to start the worker. It is found, not imported: nothing imports the doors."""
    found = importlib.util.find_spec("worker")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("worker")
    return (sys.executable, str(Path(found.origin)))
