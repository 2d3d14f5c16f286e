"""Why an act is refused: a language-free reason and its parameters, for the doors to translate."""

from enum import StrEnum


class Reason(StrEnum):
    """What the rules say no for. The texts, with the next step, are in the message catalogues."""

    NOT_IN_STATE = "not_in_state"
    NOT_SUMMONED = "not_summoned"
    NO_AUTHORITY = "no_authority"
    CAPACITY_AMBIGUOUS = "capacity_ambiguous"
    SAME_PERSON = "same_person"
    ALREADY_DONE = "already_done"
    NOT_REPORTED_IN = "not_reported_in"
    NO_ARRIVAL_ANNOUNCED = "no_arrival_announced"
    SUPPORTERS_OUTSTANDING = "supporters_outstanding"
    LEAD_MISSING = "lead_missing"
    LEAD_TWICE = "lead_twice"
    LEAD_NEEDED = "lead_needed"
    UNIT_TWICE = "unit_twice"
    UNIT_CANNOT_BE_SUMMONED = "unit_cannot_be_summoned"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_OFFICER = "unknown_officer"
    UNKNOWN_MATTER = "unknown_matter"
    UNKNOWN_STREET = "unknown_street"
    CONVERTS_TO_K1 = "converts_to_k1"
    NO_LIMITS = "no_limits"
    NOTHING_TO_REPLY_TO = "nothing_to_reply_to"
    CALENDAR_OLDER = "calendar_older"
    KEY_REUSED = "key_reused"
    TOO_LARGE = "too_large"
    DRILL_MISMATCH = "drill_mismatch"
    NOT_A_WHISTLE = "not_a_whistle"


class RefusedError(Exception):
    """The world says no: the act changes nothing, and the refusal itself is kept in the record."""

    def __init__(self, reason: Reason, **parameters: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.parameters = parameters


def require(condition: object, reason: Reason, **parameters: str) -> None:
    """Refuse with ``reason`` unless ``condition`` holds.

    Raises:
        RefusedError: if it does not.
    """
    if not condition:
        raise RefusedError(reason, **parameters)
