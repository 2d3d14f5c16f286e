"""Which Temporal is talked to."""

import os

import pytest

from engine.addresses import FILE_VARIABLE, PROFILE_VARIABLE, engine_address
from engine.home import Home
from engine.processes import ProcessIdentity
from engine.reasons import EngineError, EngineReason
from tests.engine.test_home import an_engine


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith("TEMPORAL_")]:
        monkeypatch.delenv(variable)


def reason_of(home: Home) -> EngineReason:
    with pytest.raises(EngineError) as refusal:
        engine_address(home)
    return refusal.value.reason


def test_home_whose_engine_runs_gives_its_address(home: Home) -> None:
    home.write_engine(an_engine())

    address = engine_address(home)

    assert address.embedded
    assert address.connect == {"target_host": "127.0.0.1:20001", "namespace": "default"}


def test_environment_comes_before_the_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_engine(an_engine())
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.city.example:7233")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "jinfeng")

    address = engine_address(home)

    assert not address.embedded
    assert (address.address, address.namespace) == ("temporal.city.example:7233", "jinfeng")
    assert address.connect["target_host"] == address.address


def test_profile_of_a_file_named_in_the_environment_is_used_with_its_key(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiles = home.path / "temporal.toml"
    profiles.write_text('[profile.city]\naddress = "temporal.city.example:7233"\napi_key = "hush"\n')
    monkeypatch.setenv(FILE_VARIABLE, str(profiles))
    monkeypatch.setenv(PROFILE_VARIABLE, "city")

    address = engine_address(home)

    assert address.connect["api_key"] == "hush"
    assert "hush" not in repr(address)


@pytest.mark.parametrize("variable", [FILE_VARIABLE, PROFILE_VARIABLE])
def test_profile_that_is_not_there_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    home.write_engine(an_engine())
    monkeypatch.setenv(variable, str(home.path / "absent"))

    assert reason_of(home) is EngineReason.PROFILE_UNREADABLE


def test_profile_without_an_address_is_refused(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    profiles = home.path / "temporal.toml"
    profiles.write_text('[profile.city]\nnamespace = "jinfeng"\n')
    monkeypatch.setenv(FILE_VARIABLE, str(profiles))
    monkeypatch.setenv(PROFILE_VARIABLE, "city")

    assert reason_of(home) is EngineReason.PROFILE_UNREADABLE


def test_file_that_names_no_address_leaves_the_home_its_own(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.write_engine(an_engine())
    monkeypatch.setenv(FILE_VARIABLE, os.devnull)

    assert engine_address(home).embedded


def test_home_without_an_engine_is_told_so(home: Home) -> None:
    assert reason_of(home) is EngineReason.ENGINE_NOT_RUNNING


def test_engine_file_that_a_killed_supervisor_left_is_not_believed(home: Home) -> None:
    gone = ProcessIdentity(pid=os.getpid(), born="another time")
    home.write_engine(an_engine().model_copy(update={"supervisor": gone}))

    assert reason_of(home) is EngineReason.ENGINE_NOT_RUNNING


def test_supervisor_without_a_server_of_its_own_keeps_no_credentials_for_others(home: Home) -> None:
    home.write_engine(an_engine().model_copy(update={"server": None}))

    assert reason_of(home) is EngineReason.ENGINE_NOT_RUNNING
