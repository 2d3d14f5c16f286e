"""Tells whether a directory lies on a file system that SQLite must not be used on."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

# SQLite's write-ahead log shares memory and byte-range locks between processes of one host. These file systems
# promise neither, or promise and do not keep: https://www.sqlite.org/wal.html#overview
NETWORK_KINDS = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.ceph",
        "fuse.davfs",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb",
        "smb3",
        "smbfs",
    }
)

LINUX_MOUNTS = Path("/proc/self/mounts")
_OCTAL_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True)
class Mount:
    """One line of the mounts table."""

    point: Path
    kind: str


def parse_mounts(text: str) -> list[Mount]:
    """Read the format of ``/proc/mounts``, in which blanks inside names are written as octal numbers."""
    rows = [line.split() for line in text.splitlines()]
    return [Mount(Path(_unescape(row[1])), row[2]) for row in rows if len(row) > 2]  # noqa: PLR2004 (device, point, kind)


def mount_of(path: Path, mounts: list[Mount]) -> Mount | None:
    """Return the mount that ``path`` lies on: the deepest one, and of two at the same point the later."""
    holding = [mount for mount in mounts if path.is_relative_to(mount.point)]
    return max(reversed(holding), key=lambda mount: len(mount.point.parts), default=None)


def network_kind(path: Path) -> str | None:
    """Return the kind of network file system under ``path``, which need not exist yet.

    Other systems than Linux have no such table; there the answer is always None.
    """
    if sys.platform != "linux":
        return None
    mount = mount_of(path.resolve(), parse_mounts(LINUX_MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")))
    return mount.kind if mount and mount.kind in NETWORK_KINDS else None


def _unescape(name: str) -> str:
    return _OCTAL_ESCAPE.sub(lambda match: chr(int(match[1], 8)), name)
