"""A district is set up once, and officers get in with a passcode and for one shift."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from activities.attempts import ListedAttempt
from activities.profiles import SHIPPED
from models.recording import AttemptOutcome
from tests.cli.conftest import Whistle

OFFICER = "o-cczl-duty-1"
Attempts = Callable[[], tuple[ListedAttempt, ...]]


@pytest.fixture
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "new"
    monkeypatch.setenv("WHISTLE_HOME", str(path))
    return path


def test_init_says_what_lives_there_now(empty_home: Path, whistle: Whistle) -> None:
    outcome = whistle("init", "--profile", "jinfeng")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == (
        f"jinfeng (金凤区) lives in {empty_home}: 97 units, 190 officers, policy jinfeng-2026.1, calendar cn-2026.1.\n"
        f"The officers' passcodes are in {empty_home}/passcodes.txt; hand them out and delete the file.\n"
    )


def test_init_hands_out_a_passcode_for_each_officer_to_the_owner_of_the_home_alone(
    empty_home: Path, whistle: Whistle
) -> None:
    outcome = whistle("init", "--profile", "jinfeng", "--json")

    file = Path(outcome.document["passcodes_file"])
    lines = [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]
    assert file.parent == empty_home
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len({passcode for _, passcode, _ in lines}) == outcome.document["officers"] == len(lines)


def test_init_again_changes_nothing_and_hands_out_nothing(empty_home: Path, whistle: Whistle) -> None:
    whistle("init", "--profile", "jinfeng")
    before = (empty_home / "passcodes.txt").read_bytes()

    again = whistle("init", "--profile", "jinfeng", "--json")

    assert (again.code, again.document["passcodes_file"]) == (0, None)
    assert (empty_home / "passcodes.txt").read_bytes() == before


def test_init_from_a_directory(empty_home: Path, whistle: Whistle) -> None:
    outcome = whistle("init", "--profile", str(SHIPPED / "jinfeng"), "--json")

    assert (outcome.code, outcome.document["home"]) == (0, str(empty_home))


def test_another_district_does_not_move_into_the_same_home(home: Path, whistle: Whistle) -> None:
    outcome = whistle("init", "--profile", "los-angeles")

    assert outcome.code == 3
    assert outcome.err == (
        "The record holds the district jinfeng; the profile is of los-angeles. Choose another home with --home.\n"
    )
    assert (home / "district.json").exists()


@pytest.mark.usefixtures("empty_home")
def test_a_profile_that_is_not_there_is_named_with_those_that_are(whistle: Whistle) -> None:
    outcome = whistle("init", "--profile", "atlantis")

    assert (outcome.code, outcome.out) == (2, "")
    assert "There is no profile atlantis" in outcome.err
    assert "jinfeng" in outcome.err


def test_a_fault_in_a_profile_is_named_with_its_file_and_its_place(
    empty_home: Path, whistle: Whistle, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in (SHIPPED / "jinfeng").glob("*.toml"):
        text = file.read_text(encoding="utf-8").replace('ack = "5m C"', 'ack = "5 minutes"')
        (broken / file.name).write_text(text, encoding="utf-8")

    outcome = whistle("init", "--profile", str(broken))

    assert outcome.code == 2
    assert outcome.err.startswith(f"{broken}/policy.toml: limits.normal.K1.U1.ack is no length of time: ")
    assert not empty_home.exists()


@pytest.mark.usefixtures("empty_home")
def test_without_a_district_every_verb_says_how_to_make_one(whistle: Whistle, empty_home: Path) -> None:
    outcome = whistle("list")

    assert (outcome.code, outcome.out) == (5, "")
    assert outcome.err == f"No district lives in {empty_home}. Make one: whistle init --profile jinfeng.\n"


def test_login_leaves_a_token_for_the_owner_alone(
    home: Path, whistle: Whistle, passcodes: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHISTLE_PASSCODE", passcodes[OFFICER])

    outcome = whistle("login", OFFICER, "--json")

    token = home / "sessions" / f"{OFFICER}.token"
    assert outcome.code == 0
    assert (outcome.document["officer"], outcome.document["appointments"]) == (
        OFFICER,
        [{"unit": "cczl", "post": "street_duty_officer"}],
    )
    assert stat.S_IMODE(token.stat().st_mode) == 0o600


def test_login_takes_the_passcode_from_the_first_line_of_a_file(
    home: Path, whistle: Whistle, passcodes: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "passcode"
    file.write_text(f"{passcodes[OFFICER].lower()}\nsomething else\n", encoding="utf-8")

    outcome = whistle("login", OFFICER, "--passcode-file", str(file))

    assert outcome.code == 0
    assert outcome.out.startswith(f"{OFFICER} is logged in until ")
    assert (home / "sessions" / f"{OFFICER}.token").exists()


@pytest.mark.parametrize(("officer", "passcode"), [(OFFICER, "WRON-GWRO-NGWR-ONGW"), ("o-stranger", "AAAA")])
def test_a_wrong_passcode_and_an_unknown_officer_are_refused_alike_and_kept(
    whistle: Whistle, attempts: Attempts, monkeypatch: pytest.MonkeyPatch, *, officer: str, passcode: str
) -> None:
    monkeypatch.setenv("WHISTLE_PASSCODE", passcode)

    outcome = whistle("login", officer)

    assert (outcome.code, outcome.out) == (3, "")
    assert outcome.err == (
        "Officer or passcode are not right. Check both; the profile's organisation.toml lists the officers.\n"
    )
    (kept,) = attempts()
    assert (kept.attempt.verb, kept.attempt.officer) == ("login", officer)
    assert (kept.outcome, kept.reason) == (AttemptOutcome.REFUSED, "login_refused")
    assert passcode not in str(kept)


@pytest.mark.usefixtures("home")
def test_without_a_terminal_nobody_is_asked_for_a_passcode(whistle: Whistle) -> None:
    outcome = whistle("login", OFFICER)

    assert outcome.code == 2
    assert outcome.err == (
        "No passcode was given. Use --passcode-file or WHISTLE_PASSCODE, or run this in a terminal.\n"
    )


def test_login_needs_the_record(home: Path, whistle: Whistle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHISTLE_PASSCODE", "whatever")
    (home / "whistle.db").unlink()

    assert whistle("login", OFFICER).code == 4
