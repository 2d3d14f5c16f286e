"""A door with no engine behind it: it decides by the same rules at an instant of its own, and writes the record."""

from collections.abc import Sequence
from datetime import datetime

from activities.database import Database
from activities.queries import facts_of, find_whistle
from activities.record import register, write_facts
from models.commands import Act, Actor, Command, Opening
from models.decide import decide, open_whistle
from models.recording import RecordBatch, Registration
from models.whistle import Whistle
from workflows.client import Done


class DecidingDoor:
    """Does what `workflows.client.Door` promises for one person at a time. ``said`` are the acts that it had."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.said: list[Act] = []
        self._database = database
        self.now = now

    async def open(self, district: str, key: str, commands: Sequence[Command], actor: Actor) -> Done:
        """Open a whistle."""
        acts = tuple(
            Act(key=f"{key}.{number}" if number < len(commands) else key, command=x, actor=actor, received_at=self.now)
            for number, x in enumerate(commands, start=1)
        )
        self.said += acts
        opening = Opening(district=district, key=key, acts=acts)
        outcome = open_whistle(opening, self.now)
        with self._database.writing() as session:
            register(session, Registration(district=district, key=key, drill=False, facts=outcome.facts), self.now)
        return Done(opening.whistle_id, outcome.facts, is_recorded=True)

    async def act(self, whistle_id: str, command: Command, actor: Actor | None, key: str) -> Done:
        """Say something to a whistle that the record has."""
        act = Act(key=key, command=command, actor=actor, received_at=self.now)
        self.said.append(act)
        outcome = decide(await self.whistle(whistle_id), act, self.now)
        with self._database.writing() as session:
            write_facts(session, RecordBatch(whistle_id=whistle_id, facts=outcome.facts), self.now)
        return Done(whistle_id, outcome.facts, is_recorded=True)

    async def whistle(self, whistle_id: str) -> Whistle:
        """Return the state that the record has."""
        with self._database.reading() as session:
            assert facts_of(session, whistle_id)
            return find_whistle(session, whistle_id).whistle
