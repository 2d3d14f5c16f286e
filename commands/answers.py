"""Prints what came of an act: the facts that it brought, and what the whistle owes next."""

from contextlib import suppress
from typing import TYPE_CHECKING

from activities.database import RecordAwayError
from activities.queries import RecordedWhistle, UnknownWhistleError, find_whistle
from commands.site import Site
from commands.verbs import ActingCall
from console.printing import print_json, print_page, remark
from console.timelines import timeline_page
from models.views import timeline

if TYPE_CHECKING:
    from workflows.client import Done, Door


async def print_done(site: Site, call: ActingCall, door: "Door", done: "Done") -> None:
    """Print the outcome of an act. Where the record is behind, the run is asked, and the key goes to stderr."""
    recorded = _recorded(site, done.whistle_id)
    number = recorded.number if recorded else None
    state = recorded.whistle.state if recorded else None
    if not done.is_recorded:
        state = (await door.whistle(done.whistle_id)).state
        remark(call.texts.say("done.unrecorded"))
        remark(call.texts.say("done.key", key=call.key))
    facts = timeline(done.facts)
    if call.as_json:
        outcome = {"id": done.whistle_id, "number": number, "state": state, "key": call.key}
        print_json({**outcome, "recorded": done.is_recorded, "facts": facts})
        return
    wording = site.wording
    print_page(wording.say("done.heading", number=number or done.whistle_id, state=wording.name("state", state)))
    print_page(timeline_page(facts, wording))


def _recorded(site: Site, whistle_id: str) -> RecordedWhistle | None:
    with suppress(RecordAwayError, UnknownWhistleError), site.database.reading() as session:
        return find_whistle(session, whistle_id)
    return None
