"""Says what went wrong in one line that ends with the next thing to try, or as one document for a program."""

from collections.abc import Mapping
from dataclasses import dataclass

from console.texts import Texts

# Parameters that are codes of a closed set, and the tables that have words for them.
_TABLES = {"state": ("state", "task"), "level": ("escalation",)}


@dataclass(frozen=True)
class Complaint:
    """One trouble in words. ``reason`` and ``parameters`` are free of language, for programs."""

    exit_code: int
    reason: str
    parameters: Mapping[str, object]
    says: str
    next_step: str

    @property
    def line(self) -> str:
        """What a person reads."""
        return " ".join(part for part in (self.says, self.next_step) if part)

    def document(self) -> dict[str, object]:
        """Return what ``--json`` prints instead of a result."""
        return {
            "error": {
                "reason": self.reason,
                "parameters": dict(self.parameters),
                "message": self.says,
                "next": self.next_step,
                "exit_code": self.exit_code,
            }
        }


def complaint(texts: Texts, key: str, parameters: Mapping[str, object], exit_code: int) -> Complaint:
    """Return the complaint with the texts of ``key``, or of its table where it has no next step of its own."""
    spoken = {name: _in_words(texts, name, value) for name, value in parameters.items()}
    table, _, reason = key.rpartition(".")
    following = f"{key}.next" if texts.knows(f"{key}.next") else f"{table}.next"
    return Complaint(
        exit_code=exit_code,
        reason=reason,
        parameters={name: str(value) for name, value in parameters.items()},
        says=" ".join([texts.say(f"{key}.says", **spoken), *_hint(texts, parameters)]),
        next_step=texts.say(following, **spoken) if texts.knows(following) else "",
    )


def _hint(texts: Texts, parameters: Mapping[str, object]) -> list[str]:
    """Return what was perhaps meant, if anybody has an idea."""
    near = parameters.get("near")
    return [texts.say("hint.near", near=near)] if near else []


def _in_words(texts: Texts, name: str, value: object) -> object:
    tables = _TABLES.get(name, ())
    words = (texts.name(table, str(value)) for table in tables if texts.knows(f"{table}.{value}"))
    return next(words, value)
