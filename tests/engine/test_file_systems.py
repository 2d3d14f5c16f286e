"""Which file systems SQLite is kept away from."""

from pathlib import Path

import pytest

from engine.file_systems import NETWORK_KINDS, mount_of, network_kind, parse_mounts

MOUNTS = r"""
/dev/sda1 / ext4 rw,relatime 0 0
tmpfs /run tmpfs rw 0 0
filer:/home /home nfs4 rw,vers=4.2 0 0
/dev/sdb1 /home/local xfs rw 0 0
//pc/share /mnt/street\040office cifs rw 0 0
someone@host: /home/local/remote fuse.sshfs rw 0 0
/dev/sdc1 /srv btrfs rw 0 0
filer:/srv /srv nfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/whistle", "ext4"),
        ("/home/ada/.whistle", "nfs4"),
        ("/homestead", "ext4"),
        ("/home/local/.whistle", "xfs"),
        ("/home/local/remote/.whistle", "fuse.sshfs"),
        ("/mnt/street office/.whistle", "cifs"),
        ("/srv/whistle", "nfs"),
    ],
)
def test_path_lies_on_the_deepest_mount_above_it_and_the_later_of_two(path: str, kind: str) -> None:
    mount = mount_of(Path(path), parse_mounts(MOUNTS))

    assert mount
    assert mount.kind == kind


def test_shares_between_hosts_are_network_file_systems_and_local_disks_are_not() -> None:
    assert {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs"} <= NETWORK_KINDS
    assert not {"ext4", "xfs", "btrfs", "tmpfs", "overlay", "apfs"} & NETWORK_KINDS


def test_directory_of_these_tests_is_admitted(tmp_path: Path) -> None:
    assert network_kind(tmp_path / "not" / "there" / "yet") is None
