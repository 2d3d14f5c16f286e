"""The worker's program: puts the durable side together and runs it until it is asked to stop.

It ends with 0 after SIGTERM or SIGINT, with 2 if its settings cannot be used, with 4 if no Temporal answers. The record
may be away when it starts and at any time later.
"""

import argparse
import asyncio
import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from temporalio.envconfig import ClientConnectConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig

from activities.database import Database, UnknownDatabaseError, database_url
from activities.keys import KeysMalformedError, root_keys
from activities.webhook import WebhookSettings, WebhookSettingsError
from engine.addresses import engine_address
from engine.home import Home
from engine.logs import configure
from engine.processes import exit_when_orphaned, leave
from engine.reasons import EngineError, EngineReason
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, TASK_QUEUE, EngineUnreachableError, connect
from workflows.running import WorkerPlan, worker_running

STOPPED, UNUSABLE_SETTINGS, UNREACHABLE = 0, 2, 4

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

_log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker in the foreground and return the code to end the process with, by ``engine.processes.leave``."""
    options = _options(arguments)
    configure(options.log_level)
    exit_when_orphaned()
    try:
        asyncio.run(_work(options))
    except (UnknownDatabaseError, KeysMalformedError, WebhookSettingsError) as error:
        _log.error("worker_misconfigured", reason=type(error).__name__)
        return UNUSABLE_SETTINGS
    except EngineUnreachableError:
        _log.error("engine_unreachable")
        return UNREACHABLE
    except EngineError as error:
        _log.error("engine_unusable", reason=error.reason.value)
        return UNREACHABLE if error.reason is EngineReason.ENGINE_NOT_RUNNING else UNUSABLE_SETTINGS
    return STOPPED


async def _work(options: argparse.Namespace) -> None:
    home = Home.locate(options.home)
    home.create()
    keyring = Keyring(root_keys(home.keys, os.environ))
    plan = WorkerPlan(home.notices_file, webhook=WebhookSettings.read(home.keys, os.environ))
    database = Database.open(options.database or database_url(home.path))
    if options.metrics:
        # Before the first client: each is bound to the runtime it was made under.
        Runtime.set_default(Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=options.metrics))))
    connection = _connection(options, home)
    address, namespace = connection["target_host"], connection["namespace"]
    client = await connect(address, namespace, keyring, settings=connection)
    asked_to_stop = _stop_request()
    try:
        async with worker_running(client, database, plan, lambda: datetime.now(UTC)):
            _log.info("worker_ready", task_queue=TASK_QUEUE, address=address, namespace=namespace, pid=os.getpid())
            await asked_to_stop.wait()
            _log.info("worker_stopping", pid=os.getpid())
    finally:
        database.close()


def _connection(options: argparse.Namespace, home: Home) -> ClientConnectConfig:
    """Return how to reach Temporal: as the options say, else the environment, else where this home's engine runs."""
    if options.address:
        return {"target_host": options.address, "namespace": options.namespace or NAMESPACE}
    found = engine_address(home).connect
    return {**found, "namespace": options.namespace} if options.namespace else found


def _stop_request() -> asyncio.Event:
    """Return what is set at the first signal to stop. The second one ends the process as it would any other."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def stop() -> None:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)
        asked.set()

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    return asked


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="worker", description="Run whistles, record them, and send their notices.")
    parser.add_argument("--home", type=Path, help="the home directory (WHISTLE_HOME, ~/.whistle)")
    parser.add_argument("--database", help="where the record is (WHISTLE_DATABASE, the file in the home)")
    parser.add_argument("--address", help="where Temporal answers (Temporal's own settings, the engine of the home)")
    parser.add_argument("--namespace", help="the namespace in that Temporal")
    parser.add_argument("--metrics", metavar="HOST:PORT", help="where Prometheus may read figures")
    parser.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    return parser.parse_args(arguments)


if __name__ == "__main__":
    leave(main())
