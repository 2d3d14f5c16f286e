"""Follows lines of parents: whether they make a forest, and who stands above whom."""

from collections.abc import Mapping

from models.profile_faults import ProfileFault, fault


def check_lines(parents: Mapping[str, str | None]) -> None:
    """Refuse parents that nobody knows, and lines that run in a circle.

    Raises:
        PydanticCustomError: with the line as it runs.
    """
    for code, parent in parents.items():
        if parent is not None and parent not in parents:
            raise fault(ProfileFault.UNKNOWN_PARENT, f"unit '{code}' has the unknown parent '{parent}'")
    safe: set[str] = set()
    for code in parents:
        line = [code]
        while (above := parents[line[-1]]) is not None and above not in safe:
            if above in line:
                circle = " > ".join([*line[line.index(above) :], above])
                raise fault(ProfileFault.CYCLIC_ORGANISATION, f"parents run in a circle: {circle}")
            line.append(above)
        safe.update(line)


def line_of(parents: Mapping[str, str | None], code: str) -> tuple[str, ...]:
    """Return ``code`` and all that stand above it, nearest first."""
    line = [code]
    while (above := parents[line[-1]]) is not None:
        line.append(above)
    return tuple(line)
