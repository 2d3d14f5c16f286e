"""What people write is in clear in the record and nowhere else: each text is marked, and everything is searched."""

import asyncio
import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import pytest
from pydantic import TypeAdapter
from temporalio.client import WorkflowUpdateFailedError

from activities.keys import parsed, rendered
from engine.server import THROWAWAY, EmbeddedServer
from models import commands as c
from models.case import Case, Evidence, Presence
from models.policy import Escalation, Kind, Stage, Urgency
from models.tables import OfficerRow
from tests.small_district import LEAD, PARTIES, SECOND_SUPPORT, SUPPORT, a_blow, a_case, an_act
from tests.workflow.whistles import DISTRICT, Played, Rehearsal, eventually, locked, rehearsing, worker_process
from workflows.codec import Keyring
from workflows.connection import NAMESPACE, connect
from workflows.whistle import WhistleWorkflow


class Marks:
    """Texts that can be told from everything else, one for each place where people write."""

    def __init__(self) -> None:
        self.planted: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        """Return what somebody writes at ``place``."""
        return self.planted.setdefault(place, f"{place} 北京中路 {uuid4().hex}")


def free_texts() -> set[str]:
    """Return every place where a command takes words with blanks between them."""
    commands = {command.__name__ for command in get_args(get_args(c.Command)[0])}
    described = TypeAdapter(c.Command).json_schema()["$defs"]
    return {
        f"{name}.{field}"
        for name in commands | {Case.__name__, Evidence.__name__}
        for field, schema in described[name]["properties"].items()
        if any(takes_words(option) for option in schema.get("anyOf", [schema]))
    }


def takes_words(schema: dict[str, Any]) -> bool:
    of_its_own = schema.get("type") == "string" and not {"const", "enum", "format"} & schema.keys()
    return of_its_own and re.search(schema.get("pattern", ""), "two words") is not None


def traces(mark: str) -> Iterator[bytes]:
    """Yield how a text looks in a file that has it in clear."""
    telling = mark.rpartition(" ")[2]
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield telling.encode(encoding)
    for shift in range(3):
        # What stands before it in the same base64 shifts it; the first and last letters depend on the neighbours.
        yield base64.b64encode(b"x" * shift + telling.encode())[4:-4]


def a_marked_blow(mark: Marks, kind: Kind, urgency: Urgency) -> c.Blow:
    case = a_case(kind, urgency)
    told = {"place": mark("Case.place"), "text": mark("Case.text"), "own_efforts": mark("Case.own_efforts")}
    return a_blow(Case.model_validate({**case.model_dump(), **told}))


def a_marked_source(mark: Marks) -> c.RegisterSource:
    return c.RegisterSource(
        source_type="hotline",
        source_id="12345-7",
        street="cczl",
        place=mark("RegisterSource.place"),
        text=mark("RegisterSource.text"),
    )


async def a_demand(rehearsal: Rehearsal, mark: Marks) -> Played:
    blow = a_marked_blow(mark, Kind.PUBLIC_DEMAND, Urgency.U3)
    photo = Evidence(sha256="0" * 64, size=1024, name=mark("Evidence.name"))
    played = await rehearsal.blow(a_marked_source(mark), blow)
    said: tuple[c.Command, ...] = (
        c.Reject(reason=mark("Reject.reason"), back_to_draft=True),
        blow,
        c.Approve(note=mark("Approve.note")),
        c.Acknowledge(unit=LEAD),
        c.ContactStreet(unit=LEAD, note=mark("ContactStreet.note")),
        c.ReportIn(unit=LEAD, people=2, presence=Presence.ONSITE, note=mark("ReportIn.note")),
        c.DenyArrival(unit=LEAD, reason=mark("DenyArrival.reason")),
        *(c.ReportIn(unit=unit, people=2, presence=Presence.ONSITE) for unit in (LEAD, SUPPORT)),
        *(c.ConfirmArrival(unit=unit) for unit in (LEAD, SUPPORT)),
        c.ReportProgress(unit=LEAD, text=mark("ReportProgress.text")),
        c.StandDown(unit=SUPPORT, reason=mark("StandDown.reason")),
        c.WaiveResult(
            unit=SECOND_SUPPORT,
            reason=mark("WaiveResult.reason"),
            interim_status=mark("WaiveResult.interim_status"),
        ),
        c.SubmitResult(unit=LEAD, result=mark("SubmitResult.result"), evidence=(photo,)),
        c.FailVerification(reason=mark("FailVerification.reason")),
        c.SubmitResult(unit=LEAD, result="done"),
        c.PassVerification(note=mark("PassVerification.note")),
    )
    for command in said:
        await played.say(command)
    return played


async def an_emergency(rehearsal: Rehearsal, mark: Marks) -> Played:
    played = await rehearsal.blow(a_marked_source(mark), a_marked_blow(mark, Kind.EMERGENCY_RESPONSE, Urgency.U1))
    await played.say(c.ConfirmSounding(note=mark("ConfirmSounding.note")))
    await played.pass_limit(LEAD, Stage.ACK)
    await played.say(c.ReplyToEscalation(unit=LEAD, level=Escalation.E1, text=mark("ReplyToEscalation.text")))
    return played


async def what_goes_wrong(played: Played, mark: Marks) -> list[str]:
    """Say what is refused, what cannot be read and what cannot be recorded, and return what the speaker hears."""
    result = mark("SubmitResult.result")
    refused = await played.refusal(c.SubmitResult(unit=LEAD, result=result))
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await played.handle.execute_update("act", {"key": "k", "command": {"verb": "submit", "result": result}})
    with locked(played.rehearsal):
        act = an_act(c.Cancel(reason=mark("Cancel.reason")), "cancel", await played.now())
        await played.handle.execute_update(WhistleWorkflow.act, act.recorded_by(c.Recorder.RUN, through=0))
        await eventually(lambda: has_failed_to_record(played))
    return [repr(error) + repr(error.__cause__) for error in (refused, failed.value)]


async def has_failed_to_record(played: Played) -> bool:
    described = await played.handle.describe()
    return any(each.attempt > 1 for each in described.raw_description.pending_activities)


def let_officers_be_told(rehearsal: Rehearsal) -> None:
    """Put into the record by what channel each officer is told."""
    with rehearsal.database.writing() as session:
        for number, token in enumerate(officer for party in PARTIES for _, officer, _ in party.posts):
            labels = {"label_zh": "值班员", "label_en": "an officer"}
            row = OfficerRow(
                district=DISTRICT, token=token, position=number, channels=["file"], passcode_hash="", **labels
            )
            session.add(row)


async def has_told_somebody(home: Path) -> bool:
    return (home / "notices.log").exists()


def places_in_clear(folder: Path, mark: Marks) -> set[tuple[str, str]]:
    """Return every mark that a file holds in clear, but for the files of the record."""
    return {
        (place, file.name)
        for file in files(folder)
        for place, text in mark.planted.items()
        if any(trace in file.read_bytes() for trace in traces(text))
    }


def files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("whistle.db")]


async def test_what_people_write_is_in_clear_in_the_record_and_nowhere_else(blank_record: Path, tmp_path: Path) -> None:
    mark, keys = Marks(), rendered([bytes(range(32))])
    (tmp_path / "server").mkdir()
    async with EmbeddedServer(tmp_path / "server", THROWAWAY) as server:
        client = await connect(server.address, NAMESPACE, Keyring(parsed(keys)))
        async with rehearsing(client, blank_record, tmp_path) as rehearsal:
            let_officers_be_told(rehearsal)
            async with worker_process(rehearsal, server.address, keys, "--log-level", "debug"):
                told = await asyncio.gather(a_demand(rehearsal, mark), an_emergency(rehearsal, mark))
                heard = await what_goes_wrong(told[1], mark)
                for played in told:
                    await played.settled()
                await eventually(lambda: has_told_somebody(tmp_path / "home"))
            heard += [(await played.handle.fetch_history()).to_json() for played in told]
            recorded = "".join(fact.model_dump_json() for played in told for fact in played.facts())
    (tmp_path / "heard").write_text("\n".join(heard), encoding="utf-8")

    assert mark.planted.keys() == free_texts()
    assert [place for place, text in mark.planted.items() if text not in recorded] == []
    assert {"server.db", "server.db-wal", "worker.log", "notices.log", "heard"} <= {
        each.name for each in files(tmp_path)
    }
    assert places_in_clear(tmp_path, mark) == set()
    # It is the right file: what Temporal needs in clear is there.
    assert any(told[0].id.encode() in file.read_bytes() for file in (tmp_path / "server").glob("server.db*"))


def test_a_mark_is_found_however_it_is_written(tmp_path: Path) -> None:
    mark = Marks()
    text = f'{{"reason": "{mark("Cancel.reason")}"}}'
    for name, encoding in {"eight": "utf-8", "sixteen": "utf-16"}.items():
        (tmp_path / name).write_text(text, encoding=encoding)
    for shift in range(3):
        (tmp_path / f"base64-{shift}").write_bytes(base64.b64encode(b"x" * shift + text.encode()))
    (tmp_path / "innocent").write_bytes(base64.b64encode(b"nothing"))

    found = {name for _, name in places_in_clear(tmp_path, mark)}

    assert found == {"eight", "sixteen", "base64-0", "base64-1", "base64-2"}
