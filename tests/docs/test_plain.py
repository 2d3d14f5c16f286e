"""Documents lead somewhere, and say nothing of the machine that they were written on."""

import re
import socket
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.documents import DOCUMENTS, headings, name_of, prose_of, text_of

LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
# A home, a scratch folder, somebody's account.
MACHINE_PATHS = re.compile(r"(?<![\w.~])/(?:root|home|Users|tmp|work|var|opt|mnt)\b|[A-Z]:\\")
# The brackets keep this file itself from naming what no file may name.
INDEXES = re.compile(r"pyp[i]\.org|index-url|python[h]osted", re.IGNORECASE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_to_something(document: Path) -> None:
    for target in LINK.findall(prose_of(text_of(document))):
        if not target.startswith("https://"):
            assert (document.parent / target).exists(), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_no_document_names_a_machine_a_path_on_it_or_an_index(document: Path) -> None:
    text = text_of(document)

    assert MACHINE_PATHS.search(text) is None
    assert INDEXES.search(text) is None
    assert re.search(rf"\b{re.escape(socket.gethostname())}\b", text) is None or socket.gethostname() == "localhost"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_document_has_one_title_and_skips_no_level(document: Path) -> None:
    levels = [len(line) - len(line.lstrip("#")) for line in headings(text_of(document))]

    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_there_are_neither_pictures_nor_badges(document: Path) -> None:
    assert "![" not in text_of(document)
