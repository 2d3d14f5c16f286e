"""What scripts are told to rely on is what the command line gives."""

import inspect

import pytest

import cli
from commands.answers import print_done
from engine.drill_report import DrillReport
from models.views import FactView, LimitView, SourceView, TaskView, WhistleView
from tests.docs.documents import page, quoted, rows, section

TEXT = page("cli.md")


def codes_in(heading: str) -> set[str]:
    return set(quoted(section(TEXT, heading)))


def test_every_exit_code_is_listed() -> None:
    assert [int(row[0]) for row in rows(section(TEXT, "## Exit codes"), "Code")] == list(cli.Exit)


def test_every_verb_is_listed_in_its_panel() -> None:
    listed = [quoted(verbs) for verbs, _ in rows(TEXT, "Verb")]

    assert listed == [list(panel) for panel in cli.VERBS.values()]


@pytest.mark.parametrize("view", [WhistleView, TaskView, LimitView, SourceView], ids=lambda view: view.__name__)
def test_every_field_of_show_is_listed(view: type[WhistleView]) -> None:
    assert set(view.model_fields) <= codes_in("## JSON of `show`")


def test_every_field_of_a_fact_is_listed() -> None:
    assert set(FactView.model_fields) <= codes_in("## JSON of `timeline`")


def test_every_field_of_an_act_is_listed() -> None:
    printed = inspect.getsource(print_done)
    fields = {row[0].strip("`") for row in rows(section(TEXT, "## JSON of an act"), "Field")}

    assert all(f'"{field}":' in printed for field in fields)
    assert len(fields) == printed.count('": ')


def test_every_count_of_a_drill_is_listed() -> None:
    counts = {name for name, kind in inspect.get_annotations(DrillReport).items() if kind is int}

    assert counts <= codes_in("## JSON of `drill`")
