"""A glossary is read, or said to be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.checking import glossaries
from newsletter.domain import errors

GOOD = """
[[term]]
preferred = "Japan-US"
forbidden = ["Japan-USA"]
note = "short"
languages = ["en"]

[[name]]
family = "Sato"
given = "Hana"

[[name]]
family = "Pell"
given = "Ada"
order = "given-first"

[acronyms]
known = ["METI"]
"""


def read(folder: Path, text: str) -> glossaries.Glossary:
    path = folder / "glossary.toml"
    path.write_text(text, encoding="utf-8")
    return glossaries.read(path)


def test_a_glossary_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "glossary.toml"
    path.write_text(GOOD, encoding="utf-8-sig")
    assert glossaries.read(path).acronyms == {"METI"}


def test_terms_names_and_acronyms_are_read(tmp_path: Path) -> None:
    glossary = read(tmp_path, GOOD)
    assert glossary.acronyms == {"METI"}
    assert [(term.preferred, term.forbidden) for term in glossary.terms] == [
        ("Japan-US", ("Japan-USA",)),
        ("Sato Hana", ("Hana Sato",)),
        ("Ada Pell", ("Pell Ada",)),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[term]\n", "glossary.toml"),
        ("[[term]]\npreferred = 'x'\n", r"\[\[term\]\] 1"),
        ("[[term]]\npreferred = ''\nforbidden = ['y']\n", r"\[\[term\]\] 1"),
        ("[[name]]\nfamily = 'x'\n", r"\[\[name\]\] 1"),
        ("[[name]]\nfamily = 'x'\ngiven = 'y'\norder = 'up'\n", "given-first"),
        ("[acronyms]\nknown = [1]\n", "acronyms"),
        ("[[terms]]\nx = 1\n", "terms"),
        ("term = 3\n", "term"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(errors.SettingsError, match=words):
        read(tmp_path, text)
