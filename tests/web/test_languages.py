"""Every word of the public pages stands in every catalogue, with the same open places."""

from __future__ import annotations

import ast
import importlib.resources
import re
from pathlib import Path

import pytest
from jinja2 import ext

from newsletter import web
from newsletter.web import languages, pages

_PLACE = re.compile(r"%\(\w+\)s")
_FOLDER = Path(str(importlib.resources.files(web)))


def words() -> set[str]:
    """Every text that a page may show, from templates and from code."""
    found: set[str] = set()
    for template in (_FOLDER / "pages").glob("*.html"):
        source = template.read_text(encoding="utf-8")
        for _, _, text in ext.extract_from_ast(pages.environment().parse(source)):
            first = text if isinstance(text, str) else next(iter(text or ()), None)
            found.add(str(first))
    for module in ("joining.py", "preferences.py"):
        for node in ast.walk(ast.parse((_FOLDER / module).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "words":
                found |= {each.value for each in node.args if isinstance(each, ast.Constant)}  # type: ignore[misc]  # texts
            if isinstance(node, ast.keyword) and node.arg == "said" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
    return found - {""}


@pytest.mark.parametrize("language", [each for each in languages.known() if each != languages.SOURCE])
def test_a_catalogue_has_every_word_with_the_same_places(language: str) -> None:
    catalogue = languages.catalogue(language)
    assert words() - set(catalogue) == set()
    for text, translated in catalogue.items():
        assert set(_PLACE.findall(text)) == set(_PLACE.findall(translated)), text
        assert text.count("<a ") == translated.count("<a "), text
