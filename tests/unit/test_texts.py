"""Both catalogues say the same things, and have words for every code that people can meet."""

import re
from enum import StrEnum

import pytest

import cli
from console.health import Verdict
from console.texts import Language, Texts, language_for, texts_in
from engine.reasons import EngineReason
from models.case import Aspect, CancelCause, Presence, Role, WhistleLevel, WhistleState
from models.explanations import Cause
from models.facts import Detail
from models.organisation import Post
from models.policy import Escalation, Kind, Phase, Stage, Urgency
from models.profile_faults import ProfileFault
from models.refusals import Reason
from models.spans import Clock
from models.whistle import TaskState

PLACEHOLDER = re.compile(r"\{(\w+)\}")
FACTS = {kind.model_fields["type"].default: kind for kind in Detail.__origin__.__args__}  # type: ignore[attr-defined]
WORDS: list[tuple[str, type[StrEnum]]] = [
    ("state", WhistleState),
    ("task", TaskState),
    ("stage", Stage),
    ("kind", Kind),
    ("urgency", Urgency),
    ("level", WhistleLevel),
    ("escalation", Escalation),
    ("role", Role),
    ("presence", Presence),
    ("aspect", Aspect),
    ("cause", CancelCause),
    ("phase", Phase),
    ("clock", Clock),
    ("post", Post),
    ("cause_of_instant", Cause),
    ("doctor", Verdict),
]
COMPLAINTS: list[tuple[str, type[StrEnum]]] = [
    ("reason", Reason),
    ("engine", EngineReason),
    ("profile", ProfileFault),
]


@pytest.fixture(params=list(Language))
def texts(request: pytest.FixtureRequest) -> Texts:
    return texts_in(request.param)


def test_both_languages_have_the_same_texts() -> None:
    assert texts_in(Language.ZH).entries.keys() == texts_in(Language.EN).entries.keys()


def test_a_text_names_the_same_things_in_both_languages() -> None:
    chinese, english = (
        {key: sorted(PLACEHOLDER.findall(text)) for key, text in texts_in(language).entries.items()}
        for language in Language
    )

    assert chinese == english


def test_no_text_is_empty(texts: Texts) -> None:
    assert [key for key, text in texts.entries.items() if not text.strip()] == []


@pytest.mark.parametrize(("table", "codes"), WORDS, ids=[table for table, _ in WORDS])
def test_every_code_has_a_word(table: str, codes: type[StrEnum], texts: Texts) -> None:
    assert [code for code in codes if not texts.knows(f"{table}.{code}")] == []


@pytest.mark.parametrize(("table", "codes"), COMPLAINTS, ids=[table for table, _ in COMPLAINTS])
def test_every_reason_says_what_is_wrong_and_what_to_do(table: str, codes: type[StrEnum], texts: Texts) -> None:
    assert [code for code in codes if not texts.knows(f"{table}.{code}.says")] == []
    next_steps = [texts.knows(f"{table}.{code}.next") or texts.knows(f"{table}.next") for code in codes]
    assert all(next_steps)


def test_every_failure_in_the_table_has_its_texts(texts: Texts) -> None:
    keys = {key for _, key in cli.FAILURES.values() if "." in key}

    assert [key for key in keys if not texts.knows(f"{key}.says") or not texts.knows(f"{key}.next")] == []


def test_every_kind_of_fact_is_a_sentence(texts: Texts) -> None:
    assert [name for name in FACTS if not texts.knows(f"fact.{name}")] == []


def test_every_fact_that_is_told_has_a_text_for_its_notice(texts: Texts) -> None:
    told = [name for name, kind in FACTS.items() if "told" in kind.model_fields]

    assert told
    assert [name for name in told if not texts.knows(f"notice.{name}")] == []


def test_every_verb_has_a_line_of_help(texts: Texts) -> None:
    assert [verb for verb in cli.MODULES if not texts.knows(f"verb.{verb}")] == []


def test_a_placeholder_that_nobody_fills_is_shown_as_unknown(texts: Texts) -> None:
    assert "?" in texts.say("reason.not_summoned.says")


def test_a_code_from_a_newer_version_stands_for_itself(texts: Texts) -> None:
    assert texts.name("state", "SUSPENDED") == "SUSPENDED"


@pytest.mark.parametrize(
    ("arguments", "environment", "language"),
    [
        ([], {}, Language.EN),
        ([], {"LANG": "zh_CN.UTF-8"}, Language.ZH),
        ([], {"LANG": "zh_TW"}, Language.ZH),
        ([], {"LANG": "de_DE.UTF-8"}, Language.EN),
        ([], {"LANG": "C.UTF-8"}, Language.EN),
        ([], {"LC_ALL": "en_GB.UTF-8", "LANG": "zh_CN.UTF-8"}, Language.EN),
        ([], {"LC_ALL": "", "LANG": "zh_CN.UTF-8"}, Language.ZH),
        (["list", "--lang", "zh"], {"LC_ALL": "en_GB.UTF-8"}, Language.ZH),
        (["--lang=en", "list"], {"LC_ALL": "zh_CN.UTF-8"}, Language.EN),
        # Not a language: the parser will say so, in the language of the locale.
        (["list", "--lang", "fr"], {"LC_ALL": "zh_CN.UTF-8"}, Language.ZH),
        (["source", "--text", "--", "--lang", "zh"], {}, Language.EN),
        (["list", "--lang"], {}, Language.EN),
    ],
    ids=str,
)
def test_the_language_is_the_option_s_then_the_locale_s(
    arguments: list[str], environment: dict[str, str], language: Language
) -> None:
    assert language_for(arguments, environment) is language
