"""The calendars of the shipped profiles, as the tests about time use them."""

import tomllib
from pathlib import Path

from models.calendar import WorkCalendar

_PROFILES = Path(__file__).resolve().parents[2] / "profiles"


def _shipped(profile: str) -> WorkCalendar:
    text = (_PROFILES / profile / "calendar.toml").read_text("utf-8")
    return WorkCalendar.model_validate(tomllib.loads(text))


CHINA = _shipped("jinfeng")
CITY = _shipped("los-angeles")
