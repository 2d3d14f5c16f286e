"""How much of the bare engine's speed is left for a whole whistle? Prints one JSON document and nothing else.

A lifecycle is one lead and two supporters, 14 acts through the real door, with the record (SQLite) and the worker's
postman and sweeper on. The control runs on the same server, worker process, sandbox, converter and codec, with the
same number of updates and as many in flight. Rounds alternate, so a noisy machine disturbs both alike; the ratio is
the median over them.

    lifecycle.rate           whistles from source to closing, per second
    lifecycle.bare_rate      control runs per second
    lifecycle.ratio          median of the rounds' rate / bare_rate
    lifecycle.events         events in one whistle's history
    lifecycle.server_cpu_ms  the Temporal server's CPU time for one whistle, null where /proc does not tell
"""

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from activities.database import Database
from activities.directory import install_profile
from activities.profiles import load_profile
from benchmarks.bare import BareWorkflow, Word
from engine.processes import leave
from engine.server import REAL_WORK, EmbeddedServer
from models import commands as c
from models.case import Aspect, Case, Presence, Role, Summons
from models.organisation import Post
from models.parties import freeze_parties
from models.policy import Kind, Urgency
from models.profile import Profile
from models.recording import Purpose
from workflows.client import Door
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, connect, worker_options
from workflows.running import WorkerPlan, worker_running

STREET, UNITS = "cczl", ("water", "police-cczl", "gas")
IN_FLIGHT = 10
BARE_QUEUE = "bare"


@dataclass(frozen=True)
class Round:
    """Whistles and control runs per second, measured one after the other."""

    rate: float
    bare_rate: float
    server_cpu_ms: float | None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=40, help="of each kind in a round")
    options = parser.parse_args()
    figures = asyncio.run(measure(options.rounds, options.runs))
    print(json.dumps(figures, indent=2))
    leave(0)


async def measure(rounds: int, runs: int) -> dict[str, object]:
    """Return the figures of ``rounds`` rounds with ``runs`` runs of each kind."""
    profile = load_profile("jinfeng")
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        database = Database.open(f"sqlite:///{home / 'whistle.db'}")
        database.migrate()
        install_profile(database, profile, Purpose.REAL, datetime.now(UTC))
        (home / "temporal").mkdir()
        async with EmbeddedServer(home / "temporal", REAL_WORK) as server:
            client = await connect(server.address, NAMESPACE, Keyring({"bench": os.urandom(32)}))
            bare = Worker(client, task_queue=BARE_QUEUE, workflows=[BareWorkflow], **worker_options())
            plan = WorkerPlan(home / "notices.log")
            async with bare, worker_running(client, database, plan, lambda: datetime.now(UTC)):
                course = Course(client, database, profile)
                await course.round("warm-up", 10, server.identity.pid)
                measured = [await course.round(f"r{n}", runs, server.identity.pid) for n in range(rounds)]
                events = await course.events("r0-0")
        database.close()
    return figures(measured, events, runs)


def figures(measured: list[Round], events: int, runs: int) -> dict[str, object]:
    """Return what is printed."""
    cpu = [one.server_cpu_ms for one in measured if one.server_cpu_ms is not None]
    return {
        "lifecycle.rate": round(statistics.median(one.rate for one in measured), 3),
        "lifecycle.bare_rate": round(statistics.median(one.bare_rate for one in measured), 3),
        "lifecycle.ratio": round(statistics.median(one.rate / one.bare_rate for one in measured), 3),
        "lifecycle.events": events,
        "lifecycle.server_cpu_ms": round(statistics.median(cpu), 1) if cpu else None,
        "lifecycle.rounds": [{"rate": round(one.rate, 3), "bare_rate": round(one.bare_rate, 3)} for one in measured],
        "lifecycle.runs_per_round": runs,
        "lifecycle.acts": ACTS,
    }


class Course:
    """The road that every run takes."""

    def __init__(self, client: Client, database: Database, profile: Profile) -> None:
        self._client = client
        self._door = Door(client, database, lambda: datetime.now(UTC), name="benchmark")
        self._profile = profile

    async def round(self, name: str, runs: int, server_pid: int) -> Round:
        """Run whistles, then control runs."""
        cpu = cpu_seconds(server_pid)
        rate = await timed(lambda n: self._whistle(f"{name}-{n}"), runs)
        spent = None if cpu is None else (cpu_seconds(server_pid) or 0) - cpu
        bare_rate = await timed(lambda n: self._bare(f"bare-{name}-{n}"), runs)
        return Round(rate, bare_rate, None if spent is None else spent * 1000 / runs)

    async def events(self, key: str) -> int:
        """Return the length of one whistle's history."""
        handle = self._client.get_workflow_handle(f"whistle/{self._profile.code}/{key}")
        return len((await handle.fetch_history()).events)

    async def _whistle(self, key: str) -> None:
        duty = street_officer("duty-1", Post.STREET_DUTY_OFFICER)
        done = await self._door.open(self._profile.code, key, (a_source(), a_blow(self._profile)), duty)
        for number, (command, actor) in enumerate(acts()):
            await self._door.act(done.whistle_id, command, actor, f"{key}-{number}")
        await self._client.get_workflow_handle(done.whistle_id).result()

    async def _bare(self, key: str) -> None:
        handle = await self._client.start_workflow(BareWorkflow.run, ACTS, id=key, task_queue=BARE_QUEUE)
        for number in range(ACTS):
            word = Word(key=f"{key}-{number}", text="the valve is closed")
            await handle.execute_update(BareWorkflow.hear, word, id=word.key)
        await handle.result()


async def timed(go: Callable[[int], Awaitable[None]], runs: int) -> float:
    """Return runs per second with ten in flight."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def one(number: int) -> None:
        async with gate:
            await go(number)

    started = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(runs)))
    return runs / (time.perf_counter() - started)


def cpu_seconds(pid: int) -> float | None:
    """Return the CPU time that a process has used, or None where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


def street_officer(name: str, post: Post) -> c.Actor:
    """Return somebody of the street."""
    return c.Actor(officer=f"o-{STREET}-{name}", unit=STREET, capacity=post)


def unit_officer(unit: str) -> c.Actor:
    """Return the handler of a unit."""
    return c.Actor(officer=f"o-{unit}-handler", unit=unit, capacity=Post.DEPT_HANDLER)


def a_source() -> c.RegisterSource:
    """Return where it comes from."""
    return c.RegisterSource(
        source_type="hotline", source_id="1", street=STREET, place="Zhengyuan Street 7", text="water on the road"
    )


def a_blow(profile: Profile) -> c.Blow:
    """Return an emergency with one lead and two supporters."""
    now = datetime.now(UTC)
    roles = (Role.LEAD, Role.SUPPORT, Role.SUPPORT)
    case = Case(
        kind=Kind.EMERGENCY_RESPONSE,
        urgency=Urgency.U1,
        matter="water-main-burst",
        duty_item=profile.duties.item_for("water-main-burst").code,
        place="Zhengyuan Street 7",
        text="burst main, the road is under water",
        summons=tuple(Summons(unit=unit, role=role) for unit, role in zip(UNITS, roles, strict=True)),
    )
    return c.Blow(
        case=case,
        policy=profile.policy.slice(case.kind, case.urgency),
        calendar=profile.calendar.frozen_for(now),
        parties=freeze_parties(profile.organisation, STREET, UNITS, now.date()),
    )


def acts() -> list[tuple[c.Command, c.Actor]]:
    """Return the fourteen acts between sounding and closing, each with whoever says it."""
    duty = street_officer("duty-1", Post.STREET_DUTY_OFFICER)
    verifier = street_officer("verifier", Post.STREET_VERIFIER)
    commander = street_officer("commander", Post.STREET_COMMANDER)
    lead, *supporters = UNITS
    arrivals: list[tuple[c.Command, c.Actor]] = []
    for unit in UNITS:
        arrivals += [
            (c.ReportIn(unit=unit, people=2, presence=Presence.ONSITE), unit_officer(unit)),
            (c.ConfirmArrival(unit=unit), duty),
        ]
    return [
        *arrivals,
        (c.ReportProgress(unit=lead, text="the valve is found"), unit_officer(lead)),
        *((c.SubmitResult(unit=unit, result="done"), unit_officer(unit)) for unit in (*supporters, lead)),
        (c.PassVerification(), verifier),
        *((c.Evaluate(unit=unit, stars=5, aspects=tuple(Aspect)), commander) for unit in UNITS),
    ]


ACTS = len(acts())


if __name__ == "__main__":
    main()
