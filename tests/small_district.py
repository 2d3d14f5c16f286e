"""A small district with round limits, for tests of the rules: one officer for each post, every post reachable.

Deliberately independent of the shipped profiles, so that editing a profile breaks no rule's test.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from models.calendar import WorkCalendar
from models.case import Aspect, Case, Party, Role, Summons, WhistleLevel
from models.commands import Act, Actor, Blow, Command, Opening, RegisterSource
from models.organisation import Post, UnitKind
from models.policy import Kind, Policy, Urgency

# Sunday 22 November 2026, 02:10 in Yinchuan.
SUNDAY_0210 = datetime(2026, 11, 21, 18, 10, tzinfo=UTC)
STREET = "cczl"
LEAD, SUPPORT, SECOND_SUPPORT = "water", "police-cczl", "gas"
UNITS = (LEAD, SUPPORT, SECOND_SUPPORT)
ALL_ASPECTS = tuple(Aspect)

_K1_U1 = {
    "confirm_sounding": "24h C",
    "ack": "5m C",
    "report_in": "30m C",
    "confirm_arrival": "15m C",
    "situation": "2h C",
    "support": "20h C",
    "resolve": "24h C",
    "verify": "2h C",
    "evaluate": "3wd",
}
_K3_U3 = {
    "approve": "4h W",
    "ack": "1h W",
    "contact": "24h C",
    "report_in": "3wd",
    "confirm_arrival": "4h W",
    "support": "6d C",
    "resolve": "7d C",
    "verify": "1wd",
    "evaluate": "3wd",
}
_K4_U3 = {"approve": "1wd", "ack": "1h W", "plan": "10wd", "resolve": "60d C"}
_HIGHER_UP = {
    "E2": ["command_centre:command_centre_director"],
    "E3": ["district:district_leader"],
}
POLICY = Policy.model_validate(
    {
        "version": "test-1",
        "limits": {"normal": {"K1": {"U1": _K1_U1}, "K3": {"U3": _K3_U3}, "K4": {"U3": _K4_U3}}},
        "forewarning": {"percents": [50, 80], "stages": ["report_in", "resolve"]},
        "ladder": {
            "normal": {
                "E2": {"U1": "15m C", "other": "1wd"},
                "E3": {"U1": "30m C", "other": "3wd"},
            },
            "emergency": {
                "E2": {"U1": "10m C", "other": "10m C"},
                "E3": {"U1": "20m C", "other": "20m C"},
            },
        },
        "replies": {
            "E1": {"K1": "5m C", "other": "1h W"},
            "E2": {"K1": "30m C", "other": "24h C"},
        },
        "addressees": {
            "E0": ["unit:dept_handler|dept_liaison"],
            "E1": ["unit:dept_head|dispatched_office_head", "street:street_duty_officer"],
            **_HIGHER_UP,
        },
        "addressees_street": {
            "E0": ["street:street_duty_officer"],
            "E1": ["street:street_commander", "command_centre:command_centre_duty_officer"],
            **_HIGHER_UP,
        },
        "evaluation": {"default_stars": 3},
    }
)

CALENDAR = WorkCalendar.model_validate(
    {
        "code": "test",
        "version": "test-cal-1",
        "zone": "Asia/Shanghai",
        "years": [
            {"year": 2026, "holidays": ["2026-10-01"], "makeup_workdays": [], "source": "test"},
            {"year": 2027, "holidays": ["2027-01-01"], "makeup_workdays": [], "source": "test"},
        ],
    }
)


def officer(unit: str, post: Post) -> str:
    """Return the token of whoever holds ``post`` in ``unit``."""
    return f"o-{unit}-{post}".replace("_", "-")


def party(unit: str, kind: UnitKind, superior: str | None, *posts: Post) -> Party:
    """Return a unit whose every post is held by one reachable officer."""
    held = tuple((post, officer(unit, post), True) for post in posts)
    return Party(unit=unit, kind=kind, superior=superior, posts=held)


_ANSWERERS = (Post.DEPT_HEAD, Post.DEPT_LIAISON, Post.DEPT_HANDLER)
_CENTRE = (Post.COMMAND_CENTRE_DUTY_OFFICER, Post.COMMAND_CENTRE_DIRECTOR)
_STREET_STAFF = (
    Post.STREET_DUTY_OFFICER,
    Post.STREET_LEADER,
    Post.STREET_DIRECTOR,
    Post.STREET_COMMANDER,
    Post.STREET_VERIFIER,
)
PARTIES = (
    party("jinfeng", UnitKind.DISTRICT, None, Post.DISTRICT_LEADER),
    party("hq", UnitKind.COMMAND_CENTRE, "jinfeng", *_CENTRE),
    party(STREET, UnitKind.STREET, "hq", *_STREET_STAFF),
    party(LEAD, UnitKind.UTILITY, "hq", *_ANSWERERS),
    party(SUPPORT, UnitKind.DISPATCHED_OFFICE, "hq", *_ANSWERERS),
    party(SECOND_SUPPORT, UnitKind.UTILITY, "hq", *_ANSWERERS),
)

_STREET_POSTS = {
    "source": Post.STREET_DUTY_OFFICER,
    "blow": Post.STREET_DUTY_OFFICER,
    "confirm-arrival": Post.STREET_DUTY_OFFICER,
    "deny-arrival": Post.STREET_DUTY_OFFICER,
    "verify-pass": Post.STREET_VERIFIER,
    "verify-fail": Post.STREET_VERIFIER,
    "approve": Post.STREET_COMMANDER,
    "reject": Post.STREET_COMMANDER,
    "confirm-sounding": Post.STREET_COMMANDER,
    "evaluate": Post.STREET_COMMANDER,
    "stand-down": Post.STREET_COMMANDER,
    "cancel": Post.STREET_COMMANDER,
}


def actor_for(command: Command) -> Actor:
    """Return somebody with the office for ``command``."""
    unit = str(getattr(command, "unit", STREET))
    post = _STREET_POSTS.get(command.verb)
    if post or unit == STREET:
        post = post or Post.STREET_DUTY_OFFICER
        return Actor(officer=officer(STREET, post), unit=STREET, capacity=post)
    return Actor(officer=officer(unit, Post.DEPT_HANDLER), unit=unit, capacity=Post.DEPT_HANDLER)


def an_act(command: Command, key: str, at: datetime, actor: Actor | None = None) -> Act:
    """Return ``command`` said at ``at`` by somebody with the office for it."""
    return Act(key=key, command=command, actor=actor or actor_for(command), received_at=at)


def a_case(
    kind: Kind = Kind.EMERGENCY_RESPONSE,
    urgency: Urgency = Urgency.U1,
    units: Sequence[str] = UNITS,
    level: WhistleLevel = WhistleLevel.ROUTINE,
) -> Case:
    """Return a case that summons ``units``; the first leads."""
    roles = (Role.LEAD, *(Role.SUPPORT for _ in units[1:]))
    summons = tuple(Summons(unit=unit, role=role) for unit, role in zip(units, roles, strict=True))
    return Case(
        kind=kind,
        urgency=urgency,
        level=level,
        matter="water-main-burst",
        duty_item="assist-01",
        place="Zhengyuan Street 7",
        text="burst main, the road is under water",
        summons=summons,
    )


def a_source() -> RegisterSource:
    """Return a source of the test street."""
    return RegisterSource(
        source_type="hotline",
        source_id="12345-7",
        street=STREET,
        place="Zhengyuan Street 7",
        text="water on the road",
    )


def a_blow(case: Case | None = None, parties: tuple[Party, ...] = PARTIES) -> Blow:
    """Return the blow that puts ``case`` under the test law."""
    return Blow(case=case or a_case(), policy=POLICY, calendar=CALENDAR, parties=parties)


def an_opening(*commands: Command, key: str = "w1", at: datetime = SUNDAY_0210, district: str = "jinfeng") -> Opening:
    """Return an opening that says ``commands``, by default a source and an emergency blow."""
    said = commands or (a_source(), a_blow())
    keys = (*(f"opening.{number}" for number in range(len(said) - 1)), key)
    acts = tuple(an_act(command, name, at) for command, name in zip(said, keys, strict=True))
    return Opening(district=district, key=key, acts=acts)


def minutes(count: float) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=count)
