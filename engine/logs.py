"""Sets up logging: JSON lines, or colours on a terminal, and nothing in them but codes and numbers.

A log travels further than the record, to support desks and shared disks. So a value gets in only under a key that is
listed here, and only if it looks like a code: no blanks, no letters beyond ASCII, not long. What was kept out is named
by its key. Log lines of libraries are reduced to where they come from, since their texts may quote anything.
"""

import logging
import re
import sys
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow

KEYS = frozenset(
    {
        "activity_id",
        "activity_type",
        "address",
        "at",
        "attempt",
        "build",
        "count",
        "district",
        "epoch",
        "event",
        "exception",
        "exit_code",
        "fact",
        "fact_hash",
        "file",
        "key_id",
        "lag_seconds",
        "level",
        "line",
        "logger",
        "milliseconds",
        "namespace",
        "notice_id",
        "number",
        "part",
        "pid",
        "reason",
        "run_id",
        "seconds",
        "signal",
        "task_queue",
        "update_id",
        "verb",
        "version",
        "wf_time",
        "workflow_id",
        "workflow_type",
    }
)

_CODE = re.compile(r"[\x21-\x7e]{1,200}")


def configure(level: str, target: TextIO | None = None) -> None:
    """Send log lines of ``level`` and above to ``target``, or to standard error.

    Library lines come from warnings upwards. Call it once for each process, before the first line; structlog has to be
    passed through the workflow sandbox, or each workflow gets a copy that knows nothing of this.
    """
    stream = target or sys.stderr
    threshold = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*_steps(), _renderer(stream)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[_LibraryLines()], level=max(threshold, logging.WARNING), force=True)


def temporal_context(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Say which run, update or activity a line belongs to, and drop lines that a replay would write again."""
    if workflow.in_workflow():
        # Not is_replaying(), which would silence queries and validators too.
        if workflow.unsafe.is_replaying_history_events():
            raise structlog.DropEvent
        run = workflow.info()
        event.update(workflow_id=run.workflow_id, run_id=run.run_id, wf_time=workflow.now().isoformat())
        if update := workflow.current_update_info():
            event["update_id"] = update.id
    elif activity.in_activity():
        task = activity.info()
        event.update(activity_id=task.activity_id, activity_type=task.activity_type, attempt=task.attempt)
        if task.workflow_id:
            event["workflow_id"] = task.workflow_id
    return event


def codes_only(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Keep what is a code or a number under a known key; name the rest in ``kept_out``."""
    kept = {key: value for key, value in event.items() if key in KEYS and _is_code(value)}
    kept_out = sorted(key for key in event.keys() - kept.keys() if _CODE.fullmatch(key))
    return kept | ({"kept_out": kept_out} if kept_out else {})


def exception_as_code(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put an exception's type and the place it came from in the place of its text and traceback."""
    found = event.pop("exc_info", None)
    error = sys.exception() if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = f"{type(error).__name__}@{_origin(error)}"
    return event


class _LibraryLines(logging.Handler):
    """Hands on where a library's line comes from, and the exception it carries, but not its text."""

    def emit(self, record: logging.LogRecord) -> None:
        structlog.get_logger().log(
            record.levelno,
            "library_line",
            logger=record.name,
            file=record.filename,
            line=record.lineno,
            exc_info=record.exc_info,
        )


def _steps() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        temporal_context,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        exception_as_code,
        codes_only,
    ]


def _renderer(stream: TextIO) -> Processor:
    if stream.isatty():
        return structlog.dev.ConsoleRenderer()
    return structlog.processors.JSONRenderer(sort_keys=True)


def _is_code(value: Any) -> bool:
    if isinstance(value, str):
        return _CODE.fullmatch(value) is not None
    return value is None or isinstance(value, int | float)


def _origin(error: BaseException) -> str:
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
