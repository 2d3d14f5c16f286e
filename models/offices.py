"""Finds the one office in which an officer may say something, or says why there is none or more than one.

The authority table says which posts may; here the officer's appointments are held against it and against the whistle.
A person with two fitting offices has to choose, and the choice is recorded (SOD-2): nothing is guessed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from models.authority import OFFICES, STREET_LEADERS, Office, Standing
from models.commands import Actor
from models.organisation import Post
from models.refusals import Reason, RefusedError


@dataclass(frozen=True)
class Held:
    """One post that an officer holds in one unit."""

    unit: str
    post: Post


@dataclass(frozen=True)
class Scene:
    """What is known of the whistle: its street, the units it has summoned, and who is below the street.

    ``is_known`` is False where neither record nor run could be asked; then the run alone judges the relation.
    """

    street: str | None
    summoned: frozenset[str] = frozenset()
    below: frozenset[str] = frozenset()
    is_known: bool = True


@dataclass(frozen=True)
class Wish:
    """What the officer asks for: to say ``verb``, about ``unit`` where one was named, in ``capacity`` if chosen."""

    verb: str
    unit: str | None = None
    capacity: Post | None = None


def choose_office(officer: str, held: Iterable[Held], wish: Wish, scene: Scene) -> Actor:
    """Return who says it, for which unit and in which capacity.

    Raises:
        RefusedError: ``NO_AUTHORITY`` if no office fits, ``CAPACITY_AMBIGUOUS`` if more than one does.
    """
    office = OFFICES.get(wish.verb)
    if office is None:
        raise RefusedError(Reason.NO_AUTHORITY, verb=wish.verb)
    able = [
        each
        for each in dict.fromkeys(held)
        if each.post in office.posts and (wish.capacity is None or each.post is wish.capacity)
    ]
    fitting = [each for each in able if _stands(office, each, wish, scene)]
    if not fitting and wish.unit is None and office.standing is Standing.SUMMONED:
        # Whoever could answer if asked hears that the unit was not asked, not that the office is missing.
        fitting = able
    if not fitting:
        raise RefusedError(Reason.NO_AUTHORITY, verb=wish.verb)
    if len(fitting) > 1:
        choices = ", ".join(f"{each.post}@{each.unit}" for each in fitting)
        raise RefusedError(Reason.CAPACITY_AMBIGUOUS, choices=choices)
    return Actor(officer=officer, unit=fitting[0].unit, capacity=fitting[0].post)


def _stands(office: Office, held: Held, wish: Wish, scene: Scene) -> bool:
    """Say whether the unit of an office stands to the whistle as the table demands."""
    if not scene.is_known:
        return wish.unit is None or held.unit == wish.unit
    by_street = held.unit == scene.street
    own = held.unit == wish.unit if wish.unit is not None else held.unit in scene.summoned
    match office.standing:
        case Standing.STREET:
            return by_street
        case Standing.STREET_OR_BELOW:
            return by_street or held.unit in scene.below or held.post is Post.HOTLINE_CONNECTOR
        case Standing.SUMMONED:
            return own
        case Standing.SUMMONED_OR_STREET:
            return own or (by_street and held.post in STREET_LEADERS)
        case Standing.OWNER:
            return own or (wish.unit is None and by_street)
