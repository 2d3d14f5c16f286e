"""Says instants, lengths of time, units and officers in the reader's words.

Instants are shown on the district's own clock. Who reads JSON gets UTC instead (``models.canonical``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from console.texts import Language, Texts
from models.facts import SYSTEM
from models.organisation import Organisation

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True)
class Wording:
    """One language, one local clock, and what units and officers are called; an unknown code stands for itself."""

    texts: Texts
    zone: ZoneInfo
    units: Mapping[str, str] = field(default_factory=dict)
    officers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Texts, zone: ZoneInfo, organisation: Organisation) -> "Wording":
        """Return the wording of one district in one language."""
        chinese = texts.language is Language.ZH
        return cls(
            texts=texts,
            zone=zone,
            units={unit.code: unit.name_zh if chinese else unit.name_en for unit in organisation.units},
            officers={
                officer.token: officer.label_zh if chinese else officer.label_en for officer in organisation.officers
            },
        )

    def say(self, key: str, /, **parameters: object) -> str:
        """Return a text of the catalogue."""
        return self.texts.say(key, **parameters)

    def name(self, table: str, code: str | None) -> str:
        """Return the word for one code of a closed set."""
        return self.texts.name(table, code)

    def unit(self, code: str | None) -> str:
        """Return what a unit is called."""
        return "-" if code is None else self.units.get(code, code)

    def unit_with_code(self, code: str) -> str:
        """Return what a unit is called, and what to type for it."""
        name = self.units.get(code)
        return f"{name} ({code})" if name else code

    def about(self, about: str) -> str:
        """Return what a limit concerns: a unit, or the stage that an answer answers."""
        stage, _, unit = about.partition(":")
        named = self.texts.knows(f"stage.{stage}")
        return ", ".join(x for x in (self.name("stage", stage) if named else self.unit(stage), self.unit(unit)) if x)

    def officer(self, token: str) -> str:
        """Return the role label of an officer; the engine has a name too."""
        return self.say("timeline.system") if token == SYSTEM else self.officers.get(token, token)

    def instant(self, moment: datetime | None) -> str:
        """Return a moment on the local clock, to the minute."""
        return "-" if moment is None else moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")

    def second(self, moment: datetime) -> str:
        """Return a moment on the local clock, to the second."""
        return moment.astimezone(self.zone).strftime("%Y-%m-%d %H:%M:%S")

    def length(self, time: timedelta) -> str:
        """Return a length of time in its two largest units, or one if it is whole; less than a minute in seconds."""
        time = abs(time)
        days, hours, minutes = time // _DAY, time % _DAY // _HOUR, time % _HOUR // _MINUTE
        if days:
            return self.say("time.days" if hours else "time.whole_days", days=days, hours=hours)
        if hours:
            return self.say("time.hours" if minutes else "time.whole_hours", hours=hours, minutes=minutes)
        if minutes:
            return self.say("time.minutes", minutes=minutes)
        return self.say("time.seconds", seconds=time // timedelta(seconds=1))
