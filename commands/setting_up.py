"""Sets up a district on this machine, and lets its officers in: init, login."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from activities.credentials import Claims, issue_token, token_key
from activities.directory import (
    ProfileDiffersError,
    WrongPasscodeError,
    admit,
    install_profile,
    installed_district,
    read_snapshot,
    write_snapshot,
)
from activities.keys import root_keys
from activities.lasting import replace_file
from activities.profiles import load_profile
from commands.site import Site, keep_refusal, now, open_record, open_site, session_file
from commands.troubles import ForbiddenError, UsageError
from commands.verbs import Call, plain
from console.printing import print_json, say
from models.profile import Profile
from models.recording import Purpose

PASSCODE_VARIABLE = "WHISTLE_PASSCODE"
PASSCODES_FILE = "passcodes.txt"

app = typer.Typer()


@plain(app, "init")
def init(call: Call, profile: Annotated[str, typer.Option("--profile", metavar="NAME|PATH")]) -> None:
    """Make the home and install the district. Saying it again changes nothing."""
    loaded = load_profile(profile)
    kept = read_snapshot(call.home.path)
    if kept is not None and kept.profile.code != loaded.code:
        raise ForbiddenError("another_district", found=kept.profile.code, wanted=loaded.code)
    call.home.create()
    root_keys(call.home.keys, os.environ)
    token_key(call.home.keys)
    database = open_record(call)
    database.migrate()
    try:
        passcodes = install_profile(database, loaded, Purpose.REAL, now())
    except ProfileDiffersError as error:
        raise ForbiddenError("profile_differs", code=error.code, parts=", ".join(error.parts)) from error
    file = _hand_out(call, loaded, passcodes)
    with database.reading() as session:
        write_snapshot(call.home.path, installed_district(session, loaded.code))
    _report(call, loaded, file)


def _hand_out(call: Call, profile: Profile, passcodes: dict[str, str]) -> Path | None:
    """Write the passcodes where only the owner of the home can read them; nobody can find them out again."""
    if not passcodes:
        return None
    file = call.home.path / PASSCODES_FILE
    labels = {officer.token: officer.label_zh for officer in profile.organisation.officers}
    lines = (f"{token}\t{passcode}\t{labels[token]}\n".encode() for token, passcode in passcodes.items())
    replace_file(file, lines)
    return file


def _report(call: Call, profile: Profile, file: Path | None) -> None:
    facts = {
        "district": profile.code,
        "name": profile.name_zh,
        "home": str(call.home.path),
        "units": len(profile.organisation.units),
        "officers": len(profile.organisation.officers),
        "policy": profile.policy.version,
        "calendar": profile.calendar.version,
    }
    if call.as_json:
        print_json({**facts, "passcodes_file": str(file) if file else None})
        return
    say(call.texts.say("done.initialised", **facts))
    if file is not None:
        say(call.texts.say("done.passcodes", file=file))


@plain(app, "login")
def login(
    call: Call,
    officer: Annotated[str, typer.Argument(metavar="OFFICER")],
    passcode_file: Annotated[Path | None, typer.Option("--passcode-file", metavar="FILE")] = None,
) -> None:
    """Trade a passcode for a token that is good for one shift."""
    site = open_site(call)
    passcode = _passcode(passcode_file)
    try:
        claims = admit(site.database, site.code, officer, passcode, now())
    except WrongPasscodeError:
        refusal = ForbiddenError("login_refused")
        keep_refusal(site, refusal.reason, {}, officer=officer)
        raise refusal from None
    _remember(site, claims)
    until = site.wording.instant(claims.expires_at)
    if call.as_json:
        print_json(claims)
    else:
        say(call.texts.say("done.logged_in", officer=officer, until=until))


def _passcode(file: Path | None) -> str:
    if file is not None:
        try:
            first, _, _ = file.read_text(encoding="utf-8").partition("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError("file_unreadable", file=file) from error
        return first.strip()
    if given := os.environ.get(PASSCODE_VARIABLE):
        return given
    if not sys.stdin.isatty():
        raise UsageError("no_passcode")
    return str(typer.prompt("passcode", hide_input=True))


def _remember(site: Site, claims: Claims) -> None:
    home = site.call.home
    replace_file(session_file(home, claims.officer), [issue_token(token_key(home.keys), claims).encode()])
