"""What a door finds on the spot: the record, the district that lives in the home, who is logged in.

With the record away the district comes from its snapshot, so that people can go on acting.
"""

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from activities.credentials import Claims, InvalidTokenError, read_token, token_key
from activities.database import VARIABLE, Database, RecordAwayError, database_url
from activities.directory import InstalledDistrict, installed_district, installed_districts, read_snapshot
from commands.troubles import ForbiddenError, MissingError, UsageError
from commands.verbs import ActingCall, Call
from console.wording import Wording
from engine.home import Home
from models.organisation import Organisation
from models.recording import Attempt

DOOR = "cli"
_LONGEST_CLAIM = 120
# Nothing else may become the name of a file.
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def now() -> datetime:
    """Return the door's own time: the one place where the command line looks at a clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Site:
    """One home with its record and its district; ``district`` is as of the start of the verb."""

    call: Call
    database: Database
    district: InstalledDistrict

    @property
    def code(self) -> str:
        """The district's code."""
        return self.district.profile.code

    @property
    def organisation(self) -> Organisation:
        """Who there is."""
        return self.district.profile.organisation

    @property
    def wording(self) -> Wording:
        """How units, officers and instants are called here."""
        return Wording.of(self.call.texts, self.district.profile.calendar.tz, self.organisation)


def record_url(home: Home) -> str:
    """Return where the record is: as the environment says, else as the running engine was told, else in the home."""
    running = None if os.environ.get(VARIABLE) else home.read_engine()
    return running.database_url if running else database_url(home.path)


def open_record(call: Call) -> Database:
    """Return the record of the home, to be closed when the verb ends. It need not answer."""
    database = Database.open(record_url(call.home))
    call.leaving.callback(database.close)
    return database


def open_site(call: Call) -> Site:
    """Return the site of ``call``.

    Raises:
        MissingError: if no district lives in the home.
        RecordAwayError, RecordNotReadyError: if the record does not answer and there is no snapshot either.
    """
    database = open_record(call)
    kept = read_snapshot(call.home.path)
    try:
        with database.reading() as session:
            codes = installed_districts(session)
            # A record can hold several districts; the snapshot says which of them lives here.
            code = kept.profile.code if kept and kept.profile.code in codes else next(iter(codes), None)
            found = installed_district(session, code) if code else None
    except RecordAwayError:
        if kept is None and not call.home.record_file.exists():
            raise MissingError("no_district", home=call.home.path) from None
        if kept is None:
            raise
        found = kept
    if found is None:
        raise MissingError("no_district", home=call.home.path)
    return Site(call, database, found)


def claims_of(site: Site) -> Claims:
    """Return what the officer's token says. Who is not logged in is refused, and the refusal is kept.

    Raises:
        UsageError: if nobody acts.
        ForbiddenError: if the officer is not logged in, or the session is over.
    """
    officer = site.call.officer
    if not officer:
        raise UsageError("no_officer")
    try:
        token = session_file(site.call.home, officer).read_text(encoding="ascii")
        claims = read_token(token_key(site.call.home.keys), token, now())
    except (OSError, UnicodeDecodeError):
        raise _kept(site, ForbiddenError("not_logged_in", officer=officer)) from None
    except InvalidTokenError:
        raise _kept(site, ForbiddenError("token_refused", officer=officer)) from None
    if claims.officer != officer or claims.district != site.code:
        raise _kept(site, ForbiddenError("token_refused", officer=officer))
    return claims


def session_file(home: Home, officer: str) -> Path:
    """Return where the token of an officer is kept. What is no token's name leads to a file that is not there."""
    return home.sessions / (f"{officer}.token" if _TOKEN.fullmatch(officer) else ".none")


def keep_refusal(
    site: Site,
    reason: str,
    parameters: Mapping[str, object],
    *,
    verb: str | None = None,
    whistle_id: str | None = None,
    officer: str | None = None,
) -> None:
    """Keep in the record that the door itself refused (AUD-2); with the record away there is nowhere to keep it."""
    # Temporal's SDK comes with it, which verbs that only look need not wait for.
    from activities.ledger import Ledger

    call = site.call
    claimed = officer or call.officer
    key = call.key if isinstance(call, ActingCall) else None
    attempt = Attempt(
        at=now(),
        verb=verb or call.verb,
        door=DOOR,
        officer=claimed[:_LONGEST_CLAIM] if claimed else None,
        capacity=call.capacity if isinstance(call, ActingCall) else None,
        whistle_id=whistle_id,
        key=key,
    )
    with suppress(RecordAwayError):
        Ledger(site.database).note_refusal(attempt, reason, {name: str(value) for name, value in parameters.items()})


def _kept(site: Site, refusal: ForbiddenError) -> ForbiddenError:
    keep_refusal(site, refusal.reason, refusal.parameters)
    return refusal
