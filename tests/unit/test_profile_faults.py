"""Reading a district from files: one's own is read like a shipped one, a broken one is refused by place."""

from pathlib import Path
from shutil import copytree

import pytest

from activities.profiles import SHIPPED, ProfileError, load_profile
from models.profile_faults import ProfileFault


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return copytree(SHIPPED / "jinfeng", tmp_path / "own")


def replace_in(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_directory_of_one_s_own_is_loaded_by_path(own: Path) -> None:
    assert load_profile(own) == load_profile(str(own)) == load_profile("jinfeng")


def test_mark_that_windows_editors_write_is_no_fault(own: Path) -> None:
    file = own / "district.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert load_profile(own) == load_profile("jinfeng")


FAULTY = [
    ("organisation.toml", 'parent = "police"', 'parent = "polcie"', "unknown_parent"),
    ("organisation.toml", 'code = "water"', 'code = "power"', "duplicate_code"),
    ("organisation.toml", '"command_centre"', '"supervision"', "not_one_command_centre"),
    ("organisation.toml", 'unit = "hq"', 'unit = "headquarters"', "unknown_unit"),
    ("organisation.toml", 'officer = "o-hq-director"', 'officer = "o-nobody"', "unknown_officer"),
    ("organisation.toml", 'channels = ["file"]', 'channels = ["pigeon"]', "bad_value"),
    ("organisation.toml", 'code = "water"', 'code = "Water Company"', "bad_value"),
    ("duties.toml", 'matter = "noise"', 'matter = "rubbish"', "overlapping_duty_items"),
    ("duties.toml", 'holders = ["water"]', 'holders = ["power"]', "lead_not_holder"),
    ("duties.toml", 'supports = ["police"]', 'supports = ["civil"]', "support_not_holder"),
    ("duties.toml", '"transport"', '"tramways"', "unknown_unit"),
    ("duties.toml", '"transport"', '"cczl"', "unit_cannot_be_summoned"),
    ("policy.toml", 'ack = "5m C"', 'ack = "5 minutes"', "bad_span"),
    ("policy.toml", 'ack = "5m C"', "ack = 5", "bad_span"),
    ("policy.toml", 'ack = "5m C"', 'ack = "0m C"', "bad_span"),
    ("policy.toml", 'ack = "5m C"', 'akc = "5m C"', "unknown_key"),
    ("policy.toml", "[limits.normal.K1.U1]", "[limits.normal.K1.U9]", "unknown_key"),
    ("policy.toml", "default_stars = 3", "default_stars = 9", "bad_value"),
    ("policy.toml", "default_stars = 3", "", "missing_key"),
    ("policy.toml", "[forewarning]", "[forewarning", "bad_toml"),
    ("calendar.toml", '"Asia/Shanghai"', '"Asia/Urumqi"', "zone_mismatch"),
    ("district.toml", 'code = "jinfeng"', 'code = "jin-feng"', "district_mismatch"),
    ("district.toml", "zone =", "time_zone =", "missing_key"),
    ("district.toml", "zone =", "mayor = 1\nzone =", "unknown_key"),
]


@pytest.mark.parametrize(("file", "old", "new", "reason"), FAULTY)
def test_fault_is_named_with_its_file(own: Path, file: str, old: str, new: str, reason: str) -> None:
    replace_in(own / file, old, new)

    with pytest.raises(ProfileError) as refusal:
        load_profile(own)

    assert (refusal.value.reason, refusal.value.file) == (ProfileFault(reason), own / file)
    assert refusal.value.detail


def test_cyclic_organisation_is_named(own: Path) -> None:
    file = own / "organisation.toml"
    kind = 'kind = "utility", parent ='
    replace_in(file, f'code = "gas", {kind} "jinfeng"', f'code = "gas", {kind} "heat"')
    replace_in(file, f'code = "heat", {kind} "jinfeng"', f'code = "heat", {kind} "gas"')

    with pytest.raises(ProfileError, match="gas > heat > gas") as refusal:
        load_profile(own)

    assert refusal.value.reason is ProfileFault.CYCLIC_ORGANISATION


def test_place_in_the_file_is_named(own: Path) -> None:
    replace_in(own / "policy.toml", 'ack = "5m C"', 'ack = "soon"')

    with pytest.raises(ProfileError) as refusal:
        load_profile(own)

    assert refusal.value.key == "limits.normal.K1.U1.ack"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("name = 金凤区".encode("gbk"), ProfileFault.NOT_UTF8),
        (b"code = [[", ProfileFault.BAD_TOML),
        (b"code = " + b"[" * 5000, ProfileFault.BAD_TOML),
        (b"code = " + b"9" * 5000, ProfileFault.BAD_TOML),
        (b"", ProfileFault.MISSING_KEY),
    ],
)
def test_file_that_cannot_be_read_as_toml_is_named(own: Path, content: bytes, reason: ProfileFault) -> None:
    (own / "district.toml").write_bytes(content)

    with pytest.raises(ProfileError) as refusal:
        load_profile(own)

    assert (refusal.value.reason, refusal.value.file) == (reason, own / "district.toml")


@pytest.mark.parametrize("file", ["district.toml", "organisation.toml", "duties.toml", "policy.toml", "calendar.toml"])
def test_missing_file_is_named(own: Path, file: str) -> None:
    (own / file).unlink()

    with pytest.raises(ProfileError) as refusal:
        load_profile(own)

    assert (refusal.value.reason, refusal.value.file) == (ProfileFault.MISSING_FILE, own / file)


def test_directory_in_the_place_of_a_file_is_named(own: Path) -> None:
    (own / "duties.toml").unlink()
    (own / "duties.toml").mkdir()

    with pytest.raises(ProfileError) as refusal:
        load_profile(own)

    assert refusal.value.reason is ProfileFault.UNREADABLE_FILE


@pytest.mark.parametrize("name", ["jingfeng", "no/such/directory"])
def test_unknown_profile_is_answered_with_the_shipped_ones(name: str) -> None:
    with pytest.raises(ProfileError, match="jinfeng, los-angeles") as refusal:
        load_profile(name)

    assert refusal.value.reason is ProfileFault.UNKNOWN_PROFILE


def test_shipped_name_wins_over_a_directory_of_that_name(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own.rename(own.parent / "jinfeng")
    (own.parent / "jinfeng" / "district.toml").unlink()
    monkeypatch.chdir(own.parent)

    assert load_profile("jinfeng") == load_profile("jinfeng")
