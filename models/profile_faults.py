"""What can be wrong with a district as data: one code for each, so that doors can say it in either language."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from pydantic_core import PydanticCustomError


class ProfileFault(StrEnum):
    """Why a profile is not loaded. Everything that is none of the others is a ``BAD_VALUE``."""

    UNKNOWN_PROFILE = "unknown_profile"
    MISSING_FILE = "missing_file"
    UNREADABLE_FILE = "unreadable_file"
    NOT_UTF8 = "not_utf8"
    BAD_TOML = "bad_toml"
    UNKNOWN_KEY = "unknown_key"
    MISSING_KEY = "missing_key"
    BAD_VALUE = "bad_value"
    BAD_SPAN = "bad_span"
    DUPLICATE_CODE = "duplicate_code"
    UNKNOWN_PARENT = "unknown_parent"
    CYCLIC_ORGANISATION = "cyclic_organisation"
    NOT_ONE_DISTRICT = "not_one_district"
    NOT_ONE_COMMAND_CENTRE = "not_one_command_centre"
    MISPLACED_UNIT = "misplaced_unit"
    UNKNOWN_UNIT = "unknown_unit"
    UNKNOWN_OFFICER = "unknown_officer"
    REVERSED_DATES = "reversed_dates"
    OVERLAPPING_DUTY_ITEMS = "overlapping_duty_items"
    LEAD_NOT_HOLDER = "lead_not_holder"
    SUPPORT_NOT_HOLDER = "support_not_holder"
    UNIT_CANNOT_BE_SUMMONED = "unit_cannot_be_summoned"
    DISTRICT_MISMATCH = "district_mismatch"
    ZONE_MISMATCH = "zone_mismatch"


def fault(reason: ProfileFault, detail: str) -> PydanticCustomError:
    """Return what a validator raises, so that the code of the fault survives pydantic."""
    return PydanticCustomError(reason.value, detail)


def refuse_repeated(reason: ProfileFault, what: str, codes: Iterable[str]) -> None:
    """Raise ``reason`` if a code comes more than once."""
    repeated = [code for code, times in Counter(codes).items() if times > 1]
    if repeated:
        raise fault(reason, f"{what} given more than once: {', '.join(repeated)}")
