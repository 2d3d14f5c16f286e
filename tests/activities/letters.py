"""Letters to test with, and records that hold them."""

import tempfile
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from activities.database import Database
from models.case import WhistleState
from models.notices import Letter, Notice, letter_id
from models.organisation import Channel, Post
from models.policy import Escalation, Phase, Stage
from models.recording import Purpose
from models.tables import DistrictRow, NoticeRow, OfficerRow, WhistleRow

NOW = datetime(2026, 11, 22, 2, 10, tzinfo=UTC)
WHISTLE_ID = "whistle/jinfeng/w1"
NUMBER = "JINFENG-2026-000001"


def a_letter(count: int = 1, channel: Channel = Channel.WEBHOOK, whistle_id: str = WHISTLE_ID) -> Letter:
    """Return a letter that differs from others by ``count``."""
    notice = Notice(
        fact_number=3,
        fact_hash=f"{count:064x}"[::-1],
        type="escalated",
        at=NOW,
        receiver="o-water-dept-head",
        unit="water",
        post=Post.DEPT_HEAD,
        owner="water",
        stage=Stage.ACK,
        level=Escalation.E1,
        due_at=NOW + timedelta(minutes=5),
    )
    return Letter(
        id=letter_id(notice.fact_hash, notice.receiver, channel),
        channel=channel,
        whistle_id=whistle_id,
        drill=False,
        notice=notice,
        number=NUMBER,
    )


def a_record(directory: Path, *letters: Letter, whistle_id: str = WHISTLE_ID, number: str = NUMBER) -> Database:
    """Return a new record with one district, one whistle and these letters, oldest first."""
    database = an_empty_record(directory)
    with database.writing() as session:
        session.add(a_district())
    furnish(database, *letters, whistle_id=whistle_id, number=number)
    return database


def furnish(database: Database, *letters: Letter, whistle_id: str = WHISTLE_ID, number: str = NUMBER) -> None:
    """Put a whistle with these letters, oldest first, into a record that has the district."""
    with database.writing() as session:
        session.add(
            WhistleRow(
                id=whistle_id,
                district="jinfeng",
                key=whistle_id.rpartition("/")[2],
                number=number,
                state=WhistleState.SOUNDED,
                head_hash="0" * 64,
            )
        )
    post(database, *letters)


def an_empty_record(directory: Path) -> Database:
    """Return a new record with its tables and nothing in them."""
    file = directory / "whistle.db"
    file.write_bytes(_fresh_record())
    return Database.open(f"sqlite:///{file}")


@cache
def _fresh_record() -> bytes:
    """Migrate once; a copy takes a hundredth of the time."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "whistle.db"
        database = Database.open(f"sqlite:///{file}")
        database.migrate()
        database.close()
        return file.read_bytes()


def a_district(code: str = "jinfeng") -> DistrictRow:
    """Return the row of a district without people or law."""
    return DistrictRow(
        code=code,
        name_zh="金凤区",
        name_en="Jinfeng",
        zone="Asia/Shanghai",
        purpose=Purpose.REAL,
        phase=Phase.NORMAL,
        policy_version="test-1",
        calendar_version="test-cal-1",
        duties_version="test-1",
    )


def an_officer(token: str, *channels: Channel) -> OfficerRow:
    """Return the row of an officer who is told on ``channels``."""
    return OfficerRow(
        district="jinfeng",
        token=token,
        position=0,
        label_zh=token,
        label_en=token,
        channels=[channel.value for channel in channels],
        passcode_hash="",
    )


def post(database: Database, *letters: Letter) -> None:
    """Put letters into the record, each a second younger than the one before."""
    with database.writing() as session:
        session.add_all(
            NoticeRow(
                id=letter.id,
                whistle_id=letter.whistle_id,
                fact_number=letter.notice.fact_number,
                fact_hash=letter.notice.fact_hash,
                receiver=letter.notice.receiver,
                unit=letter.notice.unit,
                level=letter.notice.level,
                channel=letter.channel,
                drill=letter.drill,
                body=letter.notice.model_dump(mode="json"),
                created_at=NOW + timedelta(seconds=place),
            )
            for place, letter in enumerate(letters)
        )
