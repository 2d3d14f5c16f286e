"""A token says who somebody is, to whoever has the key, until it expires."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from activities.credentials import (
    TOKEN_KEY_FILE,
    Claims,
    HeldPost,
    InvalidTokenError,
    InvalidTokenReason,
    hashed,
    issue_token,
    matches,
    new_passcode,
    read_token,
    token_key,
)
from activities.lasting import create_file
from models.organisation import Post

NOW = datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)
KEY = Fernet.generate_key()
CLAIMS = Claims(
    district="jinfeng",
    officer="o-cczl-leader",
    appointments=(HeldPost(unit="cczl", post=Post.STREET_LEADER),),
    issued_at=NOW,
    expires_at=NOW + timedelta(hours=12),
)


def test_a_token_says_what_was_put_into_it() -> None:
    assert read_token(KEY, issue_token(KEY, CLAIMS), NOW) == CLAIMS


def test_a_token_copied_with_white_space_around_it_is_read() -> None:
    assert read_token(KEY, f" {issue_token(KEY, CLAIMS)}\n", NOW) == CLAIMS


def test_a_token_has_expired_at_its_last_instant_exactly() -> None:
    token = issue_token(KEY, CLAIMS)
    last = CLAIMS.expires_at

    assert read_token(KEY, token, last - timedelta(microseconds=1)) == CLAIMS
    with pytest.raises(InvalidTokenError) as caught:
        read_token(KEY, token, last)

    assert caught.value.reason is InvalidTokenReason.EXPIRED


@given(place=st.integers(min_value=0, max_value=200), other=st.sampled_from("AZaz09-_"))
def test_an_altered_token_is_worth_nothing(place: int, other: str) -> None:
    token = issue_token(KEY, CLAIMS)
    altered = token[:place] + other + token[place + 1 :]

    if altered != token:
        with pytest.raises(InvalidTokenError) as caught:
            read_token(KEY, altered, NOW)
        assert caught.value.reason is InvalidTokenReason.MALFORMED


@pytest.mark.parametrize("token", ["", "x", "令牌", issue_token(Fernet.generate_key(), CLAIMS)])
def test_what_was_not_sealed_here_is_malformed(token: str) -> None:
    with pytest.raises(InvalidTokenError, match="malformed"):
        read_token(KEY, token, NOW)


def test_a_sealed_text_that_says_something_else_is_malformed() -> None:
    with pytest.raises(InvalidTokenError, match="malformed"):
        read_token(KEY, Fernet(KEY).encrypt(b"{}").decode(), NOW)


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = token_key(tmp_path / "keys")
    second = token_key(tmp_path / "keys")

    files = list((tmp_path / "keys").iterdir())
    assert first == second
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600]
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_of_two_keys_that_are_made_at_once_the_first_stays(tmp_path: Path) -> None:
    create_file(tmp_path / TOKEN_KEY_FILE, b"first")
    create_file(tmp_path / TOKEN_KEY_FILE, b"second")

    assert token_key(tmp_path) == b"first"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_passcode_matches_however_it_is_typed() -> None:
    passcode = new_passcode()
    kept = hashed(passcode)

    assert matches(kept, passcode)
    assert matches(kept, f" {passcode.lower().replace('-', ' ')} ")
    assert not matches(kept, new_passcode())
    assert not matches(kept, "")


def test_passcodes_are_long_enough_to_be_hashed_lightly() -> None:
    passcodes = {new_passcode() for _ in range(1000)}

    assert len(passcodes) == 1000
    assert {len(passcode.replace("-", "")) * 5 for passcode in passcodes} == {80}
