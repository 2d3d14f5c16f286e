"""Keys are made once, for their owner alone, and are never lost to a race or a typing error."""

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from activities.keys import FILE_NAME, VARIABLE, KeysMalformedError, fingerprint, parsed, rendered, root_keys

KEY, OTHER_KEY = bytes(32), bytes([1]) * 32


def test_a_new_home_gets_one_key_that_stays(tmp_path: Path) -> None:
    directory = tmp_path / "home" / "keys"

    first = root_keys(directory, {})

    assert [fingerprint(key) for key in first.values()] == list(first)
    assert root_keys(directory, {}) == first


def test_only_the_owner_can_read_the_keys(tmp_path: Path) -> None:
    root_keys(tmp_path / "keys", {})

    assert (tmp_path / "keys" / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_processes_that_come_first_together_agree_on_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(max_workers=8) as threads:
        found = list(threads.map(lambda _: root_keys(tmp_path / "keys", {}), range(8)))

    assert all(keys == found[0] for keys in found)
    assert [file.name for file in (tmp_path / "keys").iterdir()] == [FILE_NAME]


def test_a_cluster_brings_its_keys_in_a_variable_and_no_file_is_made(tmp_path: Path) -> None:
    text = rendered([KEY, OTHER_KEY]).replace("\n", ",")

    keys = root_keys(tmp_path / "keys", {VARIABLE: text.rstrip(",")})

    assert list(keys.values()) == [KEY, OTHER_KEY]
    assert not (tmp_path / "keys").exists()


MALFORMED = {
    "empty": " ",
    "no id": base64.b64encode(KEY).decode(),
    "no base64": "k1:not base64!",
    "too short": f"k1:{base64.b64encode(b'short').decode()}",
    "twice": rendered([KEY, KEY]),
    "an id of another kind": f"k.1:{base64.b64encode(KEY).decode()}",
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_list_of_keys_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(KeysMalformedError) as refused:
        parsed(text)

    assert "entry" in str(refused.value)
    assert base64.b64encode(KEY).decode() not in str(refused.value)
