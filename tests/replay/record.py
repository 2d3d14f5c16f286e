"""Records the stories of this version: ``make record``. What earlier versions have recorded is left alone."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from engine.processes import leave
from engine.server import THROWAWAY, EmbeddedServer
from engine.server import Purpose as ServerPurpose
from models.recording import Purpose
from tests.replay import stories
from tests.replay.fixtures import RECORDER, TEST_KEYRING, of_this_version, write_story
from tests.workflow.whistles import Played, Rehearsal, install_district, new_record, rehearsing
from workflows.codec import data_converter
from workflows.connection import NAMESPACE
from workflows.history import fetch_histories

_SHORT_RUNS = ServerPurpose(
    (*THROWAWAY.flags, "--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40"),
    THROWAWAY.has_ui,
    THROWAWAY.grace,
)


@dataclass(frozen=True)
class Recording:
    """One story, the kind of record it goes into, and the server it is played on."""

    play: Callable[[Rehearsal], Awaitable[Played]]
    purpose: Purpose = Purpose.DRILL
    server: ServerPurpose = THROWAWAY


RECORDINGS = {
    "quiet-emergency": Recording(stories.quiet_emergency, Purpose.REAL),
    "escalated-emergency": Recording(stories.escalated_emergency),
    "demand-with-rework-and-waiver": Recording(stories.demand_with_rework_and_waiver),
    "cancelled-emergency": Recording(stories.cancelled_emergency, Purpose.REAL),
    "continued-emergency": Recording(stories.continued_emergency, server=_SHORT_RUNS),
}


class AuditFailedError(Exception):
    """A story that was just played does not agree with itself: not worth recording."""


async def record() -> None:
    """Play every story and write down what came about."""
    for story, recording in RECORDINGS.items():
        async with _stage(recording) as rehearsal:
            played = await recording.play(rehearsal)
            await played.handle.result()
            await played.settled()
            finding = await played.audit()
            if not finding.agrees:
                raise AuditFailedError(story, finding.differences)
            write_story(of_this_version(story), await fetch_histories(rehearsal.client, played.id), played.facts())
        sys.stdout.write(f"{story}: {finding.runs} runs, {finding.events} events, {finding.facts} facts\n")


@asynccontextmanager
async def _stage(recording: Recording) -> AsyncIterator[Rehearsal]:
    with tempfile.TemporaryDirectory(prefix="whistle-") as name:
        directory = Path(name)
        blank = directory / "blank.db"
        database = new_record(blank)
        install_district(database, recording.purpose)
        database.close()
        async with EmbeddedServer(directory, recording.server) as running:
            client = await Client.connect(
                running.address,
                namespace=NAMESPACE,
                data_converter=data_converter(TEST_KEYRING),
                # By default a history names the host of every client.
                identity=RECORDER,
            )
            async with rehearsing(client, blank, directory) as rehearsal, rehearsal.worker():
                yield rehearsal


if __name__ == "__main__":
    asyncio.run(record())
    leave(0)
