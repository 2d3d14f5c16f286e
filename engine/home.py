"""The home directory: what lies where, who holds it, and where the engine of this home answers."""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.file_systems import network_kind
from engine.processes import ProcessIdentity
from engine.reasons import EngineError, EngineReason

HOME_VARIABLE = "WHISTLE_HOME"
DEFAULT_HOME = Path("~/.whistle")

# A server that runs out of space in the middle of a write stops everybody; refuse to start long before that.
LEAST_FREE_BYTES = 64 * 1024 * 1024

_OWNER_ONLY = 0o700
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_ACCESS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class RunningEngine(BaseModel):
    """What ``engine.json`` says: written when the server answers, and again whenever a process is replaced.

    ``server`` and ``ui_address`` are None where Temporal runs elsewhere, ``worker`` until it has been started.
    """

    model_config = ConfigDict(frozen=True)

    temporal_address: str
    namespace: str
    ui_address: str | None
    metrics_address: str | None
    database_url: str
    supervisor: ProcessIdentity
    server: ProcessIdentity | None
    worker: ProcessIdentity | None
    started_at: datetime
    versions: dict[str, str]


@dataclass(frozen=True)
class Home:
    """One district's files on this machine. Nothing is created before ``create``."""

    path: Path

    @classmethod
    def locate(cls, option: Path | None) -> "Home":
        """Return the home of ``option``, else of ``WHISTLE_HOME``, else ``~/.whistle``."""
        chosen = option or Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME)
        return cls(chosen.expanduser().absolute())

    @property
    def engine_file(self) -> Path:
        """Where the engine's addresses are kept while it runs."""
        return self.path / "engine.json"

    @property
    def lock_file(self) -> Path:
        """What the one supervisor holds."""
        return self.path / "up.lock"

    @property
    def record_file(self) -> Path:
        """The SQLite record."""
        return self.path / "whistle.db"

    @property
    def server_directory(self) -> Path:
        """The embedded server's database and its stamp."""
        return self.path / "temporal"

    @property
    def keys(self) -> Path:
        """The payload codec's keys. Without them no history can be read again."""
        return self.path / "keys"

    @property
    def sessions(self) -> Path:
        """Who is logged in on this machine."""
        return self.path / "sessions"

    @property
    def evidence(self) -> Path:
        """Evidence files by content hash."""
        return self.path / "evidence"

    @property
    def notices_file(self) -> Path:
        """Notices that go to a file."""
        return self.path / "notices.log"

    @property
    def logs(self) -> Path:
        """What the child processes print."""
        return self.path / "logs"

    def create(self) -> None:
        """Make the directory and its rooms, open to their owner alone. What exists is left as it is.

        Raises:
            EngineError: if SQLite is not safe there, or nothing can be written.
        """
        if kind := network_kind(self.path):
            raise EngineError(EngineReason.HOME_ON_NETWORK_FILE_SYSTEM, home=str(self.path), kind=kind)
        with _naming_disk_trouble(self.path):
            for room in (self.path, self.server_directory, self.keys, self.sessions, self.evidence, self.logs):
                room.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass  # an existing directory may still be read-only
        if shutil.disk_usage(self.path).free < LEAST_FREE_BYTES:
            raise EngineError(EngineReason.DISK_FULL, path=str(self.path))

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one supervisor of this home. The kernel lets go of it however this process ends.

        Raises:
            EngineError: ``HOME_LOCKED``, with the holder's process id and start.
        """
        with _naming_disk_trouble(self.path):
            descriptor = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EngineError(EngineReason.HOME_LOCKED, home=str(self.path), **_holder(descriptor)) from None
            _sign(descriptor)
            yield
        finally:
            os.close(descriptor)

    def read_engine(self) -> RunningEngine | None:
        """Return what ``engine.json`` says, or None if there is none that this version can read.

        What it says may be out of date: after a kill -9 of the supervisor it stays behind.
        """
        try:
            return RunningEngine.model_validate_json(self.engine_file.read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    def write_engine(self, engine: RunningEngine) -> None:
        """Replace ``engine.json``; readers see the old or the new one, never a part."""
        write_atomically(self.engine_file, engine.model_dump_json(indent=2) + "\n")

    def forget_engine(self) -> None:
        """Remove ``engine.json``, if there is one."""
        self.engine_file.unlink(missing_ok=True)


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, readable by its owner alone, in one step that also survives a crash.

    Raises:
        EngineError: if the disk is full or read-only.
    """
    with _naming_disk_trouble(path):
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 (a descriptor is not a path)
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            Path(draft).replace(path)
        finally:
            Path(draft).unlink(missing_ok=True)


@contextlib.contextmanager
def _naming_disk_trouble(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileExistsError, NotADirectoryError):
        raise EngineError(EngineReason.HOME_NOT_A_DIRECTORY, path=str(path)) from None
    except OSError as trouble:
        if trouble.errno in _NO_SPACE:
            raise EngineError(EngineReason.DISK_FULL, path=str(path)) from trouble
        if trouble.errno in _NO_ACCESS:
            raise EngineError(EngineReason.HOME_READ_ONLY, path=str(path)) from trouble
        raise


def _sign(descriptor: int) -> None:
    signature = {"pid": os.getpid(), "started_at": datetime.now(UTC).isoformat(timespec="seconds")}
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(signature).encode(), 0)


def _holder(descriptor: int) -> dict[str, str | int]:
    """Read who signed the lock; the holder may have taken it this very moment and not have signed yet."""
    text = os.pread(descriptor, 200, 0)
    try:
        signature = json.loads(text)
        return {"pid": int(signature["pid"]), "started_at": str(signature["started_at"])}
    except json.JSONDecodeError:
        return {"pid": 0, "started_at": ""}
