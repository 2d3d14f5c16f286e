"""What to say of a code that nobody knows: which known ones were perhaps meant."""

from collections.abc import Mapping
from difflib import get_close_matches

SUGGESTIONS = 3


class UnknownCodeError(LookupError):
    """Nothing has this code; ``near`` holds the known codes that were perhaps meant."""

    def __init__(self, code: str, near: tuple[str, ...] = ()) -> None:
        hint = f"; perhaps {', '.join(near)}" if near else ""
        super().__init__(f"nobody knows '{code}'{hint}")
        self.code = code
        self.near = near


def near_misses(wrong: str, named: Mapping[str, str]) -> tuple[str, ...]:
    """Return the few codes that look like ``wrong``, nearest first, or else those named like it.

    ``named`` gives the names of each code, in any language.
    """
    looking_alike = get_close_matches(wrong.lower(), named, n=SUGGESTIONS)
    sought = wrong.strip().lower()
    named_alike = [code for code, names in named.items() if sought and sought in names.lower()]
    return tuple(looking_alike or named_alike[:SUGGESTIONS])
