"""Who is told: named officers, from the parties frozen at sounding.

A vacant post is never silence: the notice goes one level up, and the vacancy is a fact. So is an officer without a
channel; where nobody reachable is left in a unit, the level above is told as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from models.case import Addressee, Party
from models.facts import NobodyOnDuty, NoChannel
from models.organisation import Post
from models.policy import AddresseeRule, Escalation, Relation
from models.whistle import HEAD_POSTS, Whistle, holders

STREET_LEADERS = AddresseeRule(
    relation=Relation.STREET,
    posts=(Post.STREET_LEADER, Post.STREET_DIRECTOR, Post.STREET_COMMANDER),
)
STREET_DUTY = AddresseeRule(relation=Relation.STREET, posts=(Post.STREET_DUTY_OFFICER,))
STREET_VERIFIERS = AddresseeRule(relation=Relation.STREET, posts=(Post.STREET_VERIFIER,))
COMMAND_CENTRE_DUTY = AddresseeRule(relation=Relation.COMMAND_CENTRE, posts=(Post.COMMAND_CENTRE_DUTY_OFFICER,))


@dataclass(frozen=True)
class Told:
    """Who is told, and what stood in the way."""

    addressees: tuple[Addressee, ...] = ()
    troubles: tuple[NobodyOnDuty | NoChannel, ...] = ()

    def __add__(self, other: "Told") -> "Told":
        fresh = tuple(x for x in other.addressees if x.officer not in self.officers)
        troubles = tuple(x for x in other.troubles if x not in self.troubles)
        return Told((*self.addressees, *fresh), (*self.troubles, *troubles))

    @property
    def officers(self) -> frozenset[str]:
        """The tokens of everybody who is told."""
        return frozenset(x.officer for x in self.addressees)


def tell(whistle: Whistle, owner: str, rules: Iterable[AddresseeRule]) -> Told:
    """Return who is told about something that ``owner`` owes; each officer once."""
    told = Told()
    for rule in rules:
        party = whistle.related(rule.relation, owner)
        if party is not None:
            told += _in_unit(whistle, party, rule.posts)
    return told


def tell_unit(whistle: Whistle, unit: str) -> Told:
    """Return who is told of an order to ``unit``: those who are warned of its limits (E0)."""
    return tell(whistle, unit, whistle.frozen_law.policy.addressees[Escalation.E0])


def tell_owner(whistle: Whistle, owner: str, level: Escalation) -> Told:
    """Return who is told that a limit of ``owner`` has reached ``level``."""
    policy = whistle.frozen_law.policy
    own = owner == whistle.street
    return tell(whistle, owner, (policy.addressees_street if own else policy.addressees)[level])


def _in_unit(whistle: Whistle, party: Party, posts: tuple[Post, ...]) -> Told:
    found = holders(party, posts)
    mute = tuple(NoChannel(unit=x.unit, officer=x.officer) for x in found if not x.reachable)
    told = Told(found, mute)
    if len(mute) < len(found):
        return told
    above = whistle.party(party.superior) if party.superior else None
    if not found:
        passed_to = above.unit if above else None
        told += Told((), (NobodyOnDuty(unit=party.unit, posts=posts, passed_to=passed_to),))
    return told + _in_unit(whistle, above, HEAD_POSTS.get(above.kind, ())) if above else told
