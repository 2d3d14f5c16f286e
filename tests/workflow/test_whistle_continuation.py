"""A long life goes over several runs: state, keys and the unrecorded go along, and an audit reads them as one."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.converter import WorkflowSerializationContext

from engine.server import THROWAWAY, EmbeddedServer, Purpose
from models import commands as c
from models.case import Presence, WhistleState
from models.facts import LimitMissed
from models.policy import Stage
from models.refusals import Reason
from tests.small_district import LEAD, a_blow, a_case, a_source, an_act
from tests.workflow.whistles import Played, Rehearsal, rehearsing
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, connect
from workflows.history import fetch_histories
from workflows.whistle import Carried, Start, WhistleWorkflow

# Temporal suggests to continue as new after 4096 events; a few acts have to be enough here.
SHORT_RUNS = Purpose(
    (*THROWAWAY.flags, "--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=30"),
    THROWAWAY.has_ui,
    THROWAWAY.grace,
)


@pytest.fixture
async def short_runs(keyring: Keyring, blank_record: Path, tmp_path: Path) -> AsyncIterator[Rehearsal]:
    """A rehearsal with a worker, on a server that suggests to continue as new all the time."""
    (tmp_path / "server").mkdir()
    async with EmbeddedServer(tmp_path / "server", SHORT_RUNS) as server:
        client = await connect(server.address, NAMESPACE, keyring)
        async with rehearsing(client, blank_record, tmp_path) as rehearsal, rehearsal.worker():
            yield rehearsal


async def runs(played: Played) -> int:
    return len(await fetch_histories(played.rehearsal.client, played.id))


async def handed_over(played: Played) -> Carried:
    """Return what the first run handed to the second."""
    client = played.rehearsal.client
    _, second, *_ = await fetch_histories(client, played.id)
    [payload] = second.events[0].workflow_execution_started_event_attributes.input.payloads
    context = WorkflowSerializationContext(client.namespace, played.id)
    [start] = await client.data_converter.with_context(context).decode([payload], [Start])
    carried: Carried = start.carried
    return carried


async def test_a_long_life_goes_over_several_runs_and_reads_as_one(short_runs: Rehearsal) -> None:
    played = await short_runs.blow(a_source(), a_blow(a_case(units=[LEAD])))
    first = await played.say(c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE), key="first")
    await played.say(c.ConfirmArrival(unit=LEAD))
    unheard = an_act(c.ConfirmSounding(), "unheard", await played.now())
    await played.handle.execute_update(WhistleWorkflow.act, unheard, id=unheard.key)
    for number in range(12):
        await played.say(c.ReportProgress(unit=LEAD, text=f"metre {number}"))
    again = await played.say(c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE), key="first")
    other = await played.refusal(c.ReportIn(unit=LEAD, people=3, presence=Presence.ONSITE), key="first")
    await played.pass_limit(LEAD, Stage.RESOLVE)
    before = await runs(played)
    await played.say(c.Cancel(reason="somebody else took it over"))
    await played.handle.result()

    ended = await played.settled()
    finding = await played.audit()

    missed = [fact.detail for fact in played.facts() if isinstance(fact.detail, LimitMissed)]
    assert before > 2
    assert again == first
    assert other.reason is Reason.KEY_REUSED
    assert missed == [LimitMissed(owner=LEAD, stage=Stage.RESOLVE)]
    assert sum(fact.key == "unheard" for fact in played.facts()) == 1
    assert ended.state is WhistleState.CANCELLED
    assert (finding.runs, finding.agrees) == (await runs(played), True)


async def test_what_no_door_has_recorded_goes_along(short_runs: Rehearsal) -> None:
    played = await short_runs.blow(a_source(), a_blow(a_case(units=[LEAD])))
    await played.say(c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE))
    await played.say(c.ConfirmArrival(unit=LEAD))
    for number in range(8):
        unheard = an_act(c.ReportProgress(unit=LEAD, text=f"metre {number}"), f"u{number}", await played.now())
        await played.handle.execute_update(WhistleWorkflow.act, unheard, id=unheard.key)
    carried = await handed_over(played)

    await played.say(c.Cancel(reason="somebody else took it over"))
    await played.handle.result()

    await played.settled()
    assert carried.is_registered
    assert {fact.key for fact in carried.unrecorded} & {f"u{number}" for number in range(8)}
    assert [fact.key for fact in played.facts() if fact.type == "progress_reported"] == [f"u{n}" for n in range(8)]
    assert (await played.audit()).agrees
