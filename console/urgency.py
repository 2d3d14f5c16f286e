"""Colours a limit by how much of it is left, the same way on every page."""

from datetime import datetime, timedelta

OVERDUE = "bold red"
_NOTHING = timedelta()


def urgency_style(base_at: datetime, due_at: datetime, now: datetime) -> str:
    """Return the style for a limit that is still owed: red in the last fifth, yellow in the second half."""
    left, whole = due_at - now, due_at - base_at
    if left <= _NOTHING:
        return OVERDUE
    if left * 5 <= whole:
        return "red"
    return "yellow" if left * 2 <= whole else "green"
