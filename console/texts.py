"""Finds the words: every text that people read is looked up here by its key, in one of two languages.

Imports nothing but the standard library: the first thing that ``whistle --help`` does is to find its words.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

CATALOGUES = Path(__file__).with_name("messages")
# What POSIX asks, in its order.
LOCALE_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
LANGUAGE_OPTION = "--lang"


class Language(StrEnum):
    """The languages there are. The values are those of ``--lang``."""

    ZH = "zh"
    EN = "en"


_FILES = {Language.ZH: "zh-CN.toml", Language.EN: "en.toml"}


class _Parameters(dict[str, object]):
    """What a text names and nobody gave is shown as a question mark: a message about trouble must not make more."""

    def __missing__(self, name: str) -> str:
        return "?"


@dataclass(frozen=True)
class Texts:
    """One catalogue: texts by dotted key, with ``{placeholders}``."""

    language: Language
    entries: Mapping[str, str]

    def say(self, key: str, /, **parameters: object) -> str:
        """Return the text of ``key`` with its placeholders filled."""
        return self.entries[key].format_map(_Parameters(parameters))

    def knows(self, key: str) -> bool:
        """Return whether there is a text for ``key``."""
        return key in self.entries

    def name(self, table: str, code: str | None) -> str:
        """Return the word for one code of a closed set; a code that a newer version brought stands for itself."""
        return "-" if code is None else self.entries.get(f"{table}.{code}", code)


@cache
def texts_in(language: Language) -> Texts:
    """Return the catalogue of ``language``."""
    table = tomllib.loads((CATALOGUES / _FILES[language]).read_text(encoding="utf-8"))
    return Texts(language, dict(_flat(table, "")))


def language_for(arguments: Sequence[str], environment: Mapping[str, str]) -> Language:
    """Return the language of ``--lang``, else of the locale: Chinese for any Chinese one, else English.

    Looks at the raw arguments because the help is made before they are parsed; a wrong value is the parser's to refuse.
    """
    for place, argument in enumerate(arguments):
        if argument == "--":
            break
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        named = following if argument == LANGUAGE_OPTION else argument.removeprefix(f"{LANGUAGE_OPTION}=")
        if named != argument and named in set(Language):
            return Language(named)
    locale = next((environment[name] for name in LOCALE_VARIABLES if environment.get(name)), "")
    return Language.ZH if locale.lower().startswith("zh") else Language.EN


def _flat(table: Mapping[str, object], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)
