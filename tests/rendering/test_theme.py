"""Themes: where templates and labels come from, and what is said when they are wrong."""

from __future__ import annotations

import dataclasses
from datetime import date
from pathlib import Path

import jinja2.nodes
import pytest

from newsletter.domain import errors
from newsletter.rendering import issue as issue_room
from newsletter.rendering import labels, templating, theme, views
from newsletter.rendering import tokens as token_room
from tests.rendering import samples


def test_a_workspace_without_templates_has_the_packaged_theme(tmp_path: Path) -> None:
    assert theme.of_workspace(tmp_path / "templates") == theme.packaged()


def test_the_repository_is_its_own_workspace_without_looking_twice() -> None:
    (folder,) = theme.packaged().folders
    assert theme.of_workspace(folder).folders == (folder,)


def test_a_workspaces_templates_and_tokens_go_first(tmp_path: Path) -> None:
    tokens = token_room.Tokens(width=640)
    found = theme.of_workspace(tmp_path, tokens=tokens)
    assert found.folders == (tmp_path, *theme.packaged().folders)
    assert found.tokens == tokens


def test_parsing_names_every_template_or_every_fault(tmp_path: Path) -> None:
    assert {"digest.mjml.j2", "letter.txt.j2", "web.html.j2"} <= set(theme.parse(theme.packaged()))
    (tmp_path / "a.j2").write_text("{% if %}")
    (tmp_path / "b.j2").write_text("ok\n{% endfor %}")
    with pytest.raises(errors.RenderError, match=r"(?s)a\.j2:1: .*b\.j2:2: "):
        theme.parse(theme.packaged().with_templates(tmp_path))


def test_macros_without_their_context_are_refused(tmp_path: Path) -> None:
    (tmp_path / "digest.mjml.j2").write_text("\n{% import 'm.j2' as m %}{{ m.m() }}")
    (tmp_path / "m.j2").write_text("{% macro m() %}{{ 'x' }}{% endmacro %}")
    with pytest.raises(errors.RenderError, match="import macros “with context”"):
        issue_room.render(samples.ISSUE, samples.PUBLICATION, theme.packaged().with_templates(tmp_path))


def test_labels_can_be_said_in_another_way_and_in_another_language(tmp_path: Path) -> None:
    (tmp_path / "labels.toml").write_text('[en]\nheadlines = "In brief"\n[de]\nheadlines = "Kurz"\n', "utf-8")
    folders = (tmp_path, *theme.packaged().folders)
    assert labels.read(folders, "en")["headlines"] == "In brief"
    assert labels.read(folders, "en-GB")["headlines"] == "In brief"
    assert labels.read(folders, "de")["headlines"] == "Kurz"
    assert labels.read(folders, "de")["details"] == "Details"
    assert labels.read(folders, "ja")["headlines"] == "ヘッドライン"


@pytest.mark.parametrize("content", [b"[en", b"\xff\xfe"])
def test_a_broken_file_of_labels_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "labels.toml").write_bytes(content)
    with pytest.raises(errors.RenderError, match=r"labels\.toml: "):
        labels.read((tmp_path, *theme.packaged().folders), "en")


def test_every_language_says_every_label() -> None:
    import tomllib

    (folder,) = theme.packaged().folders
    tables = tomllib.loads((folder / "labels.toml").read_text("utf-8"))
    assert {language: set(table) for language, table in tables.items()} == {
        language: set(tables["en"]) for language in tables
    }


def test_dates_are_written_as_the_language_does() -> None:
    folders = theme.packaged().folders
    assert labels.written_date(date(2026, 1, 9), labels.read(folders, "en")) == "January 9, 2026"
    assert labels.written_date(date(2026, 1, 9), labels.read(folders, "ja")) == "2026年1月9日"


def written(source: str, dressed: theme.Theme, *, with_tokens: bool) -> str:
    tokens = dressed.tokens if with_tokens else None
    environment = theme.environment(dressed.folders, escaping=True, tokens=tokens)
    reading = views.Views(samples.ISSUE, samples.PUBLICATION, dressed)
    context = reading.context() | {"preheader_filler": "", "address": ""}
    return templating.run(environment, source, context)


@pytest.mark.parametrize("name", ["digest.mjml.j2", "letter.mjml.j2", "web.html.j2", "feed.html.j2"])
def test_tokens_that_are_part_of_a_template_are_written_as_those_that_are_looked_up(name: str) -> None:
    tokens = token_room.Tokens(
        width=640, corner=8, logo="a.png", accent=token_room.Pair("#005f3c", "#7fd1ae")
    )
    for dressed in (theme.packaged(), dataclasses.replace(theme.packaged(), tokens=tokens)):
        assert written(name, dressed, with_tokens=True) == written(name, dressed, with_tokens=False)


def test_packaged_templates_leave_the_name_of_the_theme_as_it_is() -> None:
    environment = theme.environment(theme.packaged().folders, escaping=True)
    for name in environment.list_templates(extensions=["j2"]):
        source, *_ = environment.loader.get_source(environment, name) if environment.loader else ("",)
        names = environment.parse(source).find_all(jinja2.nodes.Name)
        assert {found.ctx for found in names if found.name == "theme"} <= {"load"}


def test_a_workspaces_own_template_may_call_something_else_its_theme(tmp_path: Path) -> None:
    (tmp_path / "x.html.j2").write_text("{{ theme.width }}{% set theme = labels %}{{ theme.view }}")
    own = theme.packaged().with_templates(tmp_path)
    assert written("x.html.j2", own, with_tokens=True).startswith("600Q")


@pytest.mark.parametrize(
    "expression",
    [
        "hero.__class__",
        "hero.__dataclass_fields__",
        "articles[0].__init__",
        "labels.__dict__",
        "theme.__class__",
    ],
)
def test_records_show_templates_nothing_but_what_they_hold(tmp_path: Path, expression: str) -> None:
    (tmp_path / "x.html.j2").write_text(f"{{{{ {expression} }}}}")
    with pytest.raises(errors.RenderError, match="unsafe"):
        written("x.html.j2", theme.packaged().with_templates(tmp_path), with_tokens=True)


def test_a_loop_shows_where_it_is_and_nothing_inside_it(tmp_path: Path) -> None:
    (tmp_path / "x.html.j2").write_text("{% for a in [1, 2] %}{{ loop.index }}{{ loop.last }}{% endfor %}")
    own = theme.packaged().with_templates(tmp_path)
    assert written("x.html.j2", own, with_tokens=True) == "1False2True"
    (tmp_path / "x.html.j2").write_text("{% for a in [1, 2] %}{{ loop._iterable }}{% endfor %}")
    with pytest.raises(errors.RenderError, match="unsafe"):
        written("x.html.j2", own, with_tokens=True)


@pytest.mark.parametrize(
    ("macro", "call", "said"),
    [
        ("m(a, b)", "m(1, 2)", "1-2-"),
        ("m(a, b)", "m(1, b=2)", "1-2-"),
        ("m(a, b=3)", "m(1)", "1-3-"),
        ("m(a, b=3)", "m(b=1, a=2)", "2-1-"),
    ],
)
def test_macros_take_what_they_ask_for_in_any_way(tmp_path: Path, macro: str, call: str, said: str) -> None:
    body = f"{{% macro {macro} %}}{{{{ a }}}}-{{{{ b }}}}-{{% endmacro %}}{{{{ {call} }}}}"
    (tmp_path / "x.html.j2").write_text(body)
    assert written("x.html.j2", theme.packaged().with_templates(tmp_path), with_tokens=True) == said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{{ varargs | length }}{% endmacro %}{{ m(1, 2, 3) }}", "2"),
        ("{{ kwargs | length }}{% endmacro %}{{ m(1, x=2) }}", "1"),
        ("{{ caller() }}{% endmacro %}{% call m(1) %}<i>{% endcall %}", "<i>"),
    ],
)
def test_macros_take_more_where_they_say_so(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "x.html.j2").write_text("{% macro m(a) %}" + body)
    assert written("x.html.j2", theme.packaged().with_templates(tmp_path), with_tokens=True) == said


@pytest.mark.parametrize("call", ["m(1, 2, 3)", "m(1, c=2)", "m(1)"])
def test_macros_are_refused_what_they_do_not_ask_for(tmp_path: Path, call: str) -> None:
    body = f"{{% macro m(a, b) %}}{{{{ a }}}}{{{{ b }}}}{{% endmacro %}}\n{{{{ {call} }}}}"
    (tmp_path / "x.html.j2").write_text(body)
    with pytest.raises(errors.RenderError, match=r"x\.html\.j2:[12]: "):
        written("x.html.j2", theme.packaged().with_templates(tmp_path), with_tokens=True)
