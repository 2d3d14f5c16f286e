"""Where the recorded stories lie, and how to read them.

A story is one whistle: the histories of its runs, sealed as on any server, and beside them in clear the facts that came
about. What a release has recorded stays as it is; the next one adds its own.
"""

import gzip
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from models.canonical import canonical_json
from models.facts import Fact
from workflows.codec import Keyring

# A key for tests, known to everybody: what it seals is as good as open.
TEST_KEYRING = Keyring({"replay-test": b"not a secret: for replay fixtures"[:32]})
# Stands in every history instead of the name of a host and a user.
RECORDER = "recorder"
FOLDER = Path(__file__).with_name("histories")
STORIES = tuple(sorted(path.relative_to(FOLDER).as_posix().removesuffix(".json.gz") for path in FOLDER.rglob("*.gz")))

_LAW = {"policy", "calendar", "parties"}


def of_this_version(story: str) -> str:
    """Return the name under which this version records a story."""
    return f"{version('whistle')}/{story}"


def transcript(facts: tuple[Fact, ...]) -> list[dict[str, Any]]:
    """Return the facts for people to compare. The law of a whistle is left out, though its hash covers it."""
    shown = ({**json.loads(canonical_json(fact)), "detail": _told(fact)} for fact in facts)
    return [{name: value for name, value in fact.items() if value is not None} for fact in shown]


def write_story(name: str, histories: tuple[WorkflowHistory, ...], facts: tuple[Fact, ...]) -> None:
    """Put a story in the place of what was recorded under its name."""
    content = {
        "whistle": histories[0].workflow_id,
        "runs": [history.to_json_dict() for history in histories],
    }
    file = FOLDER / f"{name}.json.gz"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))
    lines = ",\n".join(json.dumps(fact, ensure_ascii=False) for fact in transcript(facts))
    _transcript_file(name).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def read_content(name: str) -> dict[str, Any]:
    """Return the file of a story."""
    content: dict[str, Any] = json.loads(gzip.decompress((FOLDER / f"{name}.json.gz").read_bytes()))
    return content


def read_histories(name: str) -> tuple[WorkflowHistory, ...]:
    """Return the runs of a story, first to last."""
    content = read_content(name)
    return tuple(WorkflowHistory.from_json(content["whistle"], run) for run in content["runs"])


def read_transcript(name: str) -> list[dict[str, Any]]:
    """Return what the story said when it was recorded."""
    told: list[dict[str, Any]] = json.loads(_transcript_file(name).read_text(encoding="utf-8"))
    return told


def _transcript_file(name: str) -> Path:
    return FOLDER / f"{name}.facts.json"


def _told(fact: Fact) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(canonical_json(fact.detail))
    return {name: value for name, value in told.items() if name not in _LAW}
