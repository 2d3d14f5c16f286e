"""Supervises a stand-in worker and prints what it is told as JSON lines: ``python -m tests.fakes.stand_in_up HOME``."""

import asyncio
import json
import sys
from pathlib import Path

from engine.home import Home
from engine.processes import leave
from engine.reasons import EngineError
from engine.supervisor import Change, Died, Ready, Restarted, Stopping, supervise
from engine.worker_process import WorkerProgram
from tests.fakes.stand_in_worker import TASK_QUEUE


def say(change: Change) -> None:
    """Print one change as the caller of a supervisor sees it."""
    match change:
        case Ready(engine):
            line = {"told": "ready", **engine.model_dump(mode="json")}
        case Died(part, exit_code, _):
            line = {"told": "died", "part": part, "exit_code": exit_code}
        case Restarted(part):
            line = {"told": "restarted", "part": part}
        case Stopping():
            line = {"told": "stopping"}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def up(home: Home) -> int:
    """Run until stopped and return the exit code."""
    command = (sys.executable, "-m", "tests.fakes.stand_in_worker", str(home.path))
    try:
        asyncio.run(supervise(home, WorkerProgram(command, TASK_QUEUE), say, database_url="sqlite://"))
    except EngineError as error:
        sys.stdout.write(json.dumps({"told": error.reason, **error.parameters}) + "\n")
        return 4
    return 0


if __name__ == "__main__":
    leave(up(Home(Path(sys.argv[1]))))
