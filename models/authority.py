"""Who may do what: one table of verb, posts and the relation to the whistle (domain 2.2, 2.3 and 4.3).

The door asks it with the officer's appointments to find the capacity, the run asks it again with the capacity that the
command carries. Auditors and administrators stand in no row: they can never sign a business step (SOD-3).
"""

from dataclasses import dataclass
from enum import StrEnum

from models.organisation import Post


class Standing(StrEnum):
    """Which unit an officer must act for."""

    STREET = "street"
    STREET_OR_BELOW = "street_or_below"
    SUMMONED = "summoned"
    SUMMONED_OR_STREET = "summoned_or_street"
    OWNER = "owner"


@dataclass(frozen=True)
class Office:
    """The posts that may, and for which unit."""

    posts: frozenset[Post]
    standing: Standing


STREET_LEADERS = frozenset({Post.STREET_LEADER, Post.STREET_DIRECTOR, Post.STREET_COMMANDER})
STREET_STAFF = STREET_LEADERS | {Post.STREET_DUTY_OFFICER}
ANSWERERS = frozenset(
    {
        Post.DEPT_HEAD,
        Post.DEPT_LIAISON,
        Post.DEPT_HANDLER,
        Post.DISPATCHED_OFFICE_HEAD,
        Post.UTILITY_OPERATOR,
    }
)
SOURCES = STREET_STAFF | {Post.COMMUNITY_SECRETARY, Post.GRID_MEMBER, Post.HOTLINE_CONNECTOR}

OFFICES: dict[str, Office] = {
    "source": Office(SOURCES, Standing.STREET_OR_BELOW),
    "blow": Office(STREET_STAFF, Standing.STREET),
    "approve": Office(STREET_LEADERS, Standing.STREET),
    "reject": Office(STREET_LEADERS, Standing.STREET),
    "confirm-sounding": Office(STREET_LEADERS, Standing.STREET),
    "ack": Office(ANSWERERS, Standing.SUMMONED),
    "contact": Office(ANSWERERS, Standing.SUMMONED),
    "report-in": Office(ANSWERERS, Standing.SUMMONED),
    "confirm-arrival": Office(STREET_STAFF | {Post.STREET_VERIFIER}, Standing.STREET),
    "deny-arrival": Office(STREET_STAFF | {Post.STREET_VERIFIER}, Standing.STREET),
    "progress": Office(ANSWERERS, Standing.SUMMONED),
    "submit": Office(ANSWERERS, Standing.SUMMONED),
    "waive": Office(ANSWERERS | STREET_LEADERS, Standing.SUMMONED_OR_STREET),
    "verify-pass": Office(frozenset({Post.STREET_VERIFIER}), Standing.STREET),
    "verify-fail": Office(frozenset({Post.STREET_VERIFIER}), Standing.STREET),
    "evaluate": Office(STREET_LEADERS, Standing.STREET),
    "stand-down": Office(frozenset({Post.STREET_COMMANDER}), Standing.STREET),
    "reply": Office(ANSWERERS | STREET_STAFF, Standing.OWNER),
    "cancel": Office(STREET_LEADERS, Standing.STREET),
}

# T26: only the sounder's superior withdraws; the commander has none in the street and may withdraw his own.
RANK: dict[Post, int] = {
    Post.STREET_DUTY_OFFICER: 1,
    Post.STREET_LEADER: 2,
    Post.STREET_DIRECTOR: 3,
    Post.STREET_COMMANDER: 4,
}


def capacities(verb: str, posts: frozenset[Post]) -> frozenset[Post]:
    """Return those of ``posts`` that may say ``verb``; empty for a verb that only the engine says."""
    office = OFFICES.get(verb)
    return office.posts & posts if office else frozenset()
