"""The top-level folders are the rooms of the house, and nothing else moves in unannounced."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

CODE_ROOMS = {"models", "workflows", "activities", "engine", "console", "commands"}
DATA_ROOMS = {"profiles"}
DOORS = {"cli.py", "worker.py"}
OUTBUILDINGS = {"tests", "benchmarks", "docs", "tools"}


def _top_level_folders() -> set[str]:
    folders = (entry for entry in ROOT.iterdir() if entry.is_dir())
    return {entry.name for entry in folders if not entry.name.startswith((".", "__"))}


def test_the_top_level_folders_are_the_rooms_and_the_outbuildings() -> None:
    assert _top_level_folders() == CODE_ROOMS | DATA_ROOMS | OUTBUILDINGS


def test_the_only_top_level_modules_are_the_two_doors() -> None:
    assert {path.name for path in ROOT.glob("*.py")} == DOORS


@pytest.mark.parametrize("room", sorted(CODE_ROOMS))
def test_every_room_of_code_says_what_it_is_for(room: str) -> None:
    opening = (ROOT / room / "__init__.py").read_text(encoding="utf-8")

    assert opening.startswith('"""')


def test_the_wheel_takes_every_room_and_both_doors() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]

    assert set(wheel["only-include"]) == CODE_ROOMS | DATA_ROOMS | DOORS


def test_the_import_contracts_cover_every_room_of_code() -> None:
    contracts = PROJECT["tool"]["importlinter"]
    (layers,) = (contract["layers"] for contract in contracts["contracts"] if contract["type"] == "layers")

    assert set(contracts["root_packages"]) == set(layers) == CODE_ROOMS


def test_the_lock_names_neither_an_index_nor_a_path() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    assert "://" not in lock
    assert " /" not in lock
