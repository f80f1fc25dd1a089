"""Snippets: Markdown that is kept in one place and named in issues."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from newsletter.domain import errors, issues
from newsletter.rendering import issue as issue_room
from newsletter.rendering import merge, theme
from tests.rendering import samples


@pytest.fixture
def own(tmp_path: Path) -> theme.Theme:
    """The packaged theme behind snippets of its own."""
    (tmp_path / "snippets").mkdir()
    return theme.packaged().with_templates(tmp_path)


def write(own: theme.Theme, name: str, text: str) -> Path:
    path = own.folders[0] / "snippets" / f"{name}.md"
    path.write_text(text, "utf-8")
    return path


def letter(own: theme.Theme, **texts: str) -> tuple[str, str]:
    issue = dataclasses.replace(samples.ISSUE, **texts)  # type: ignore[arg-type]
    rendered = issue_room.render(issue, samples.PUBLICATION, own)
    merger = merge.compile(samples.template(rendered=rendered))
    return merger.html(samples.READER), merger.text(samples.READER)


def test_a_snippet_stands_where_it_is_named_and_its_fields_are_filled(own: theme.Theme) -> None:
    write(
        own, "seminar", 'Dear {{ subscriber.first_name | default("you") }}, **come** on Friday.\n\n- at 9\n'
    )
    html, text = letter(own, intro='Before.\n\n{{ snippet "seminar" }}\n\nAfter.')
    assert "Before.\n\nDear Ada, *come* on Friday.\n\n- at 9\n\nAfter." in text
    assert ">come</strong> on Friday." in html


def test_a_workspaces_own_snippet_goes_before_the_packaged_one(own: theme.Theme) -> None:
    assert "forwarded to you?" in letter(own, closing='{{ snippet "forwarded" }}')[1]
    write(own, "forwarded", "Pass it on.")
    assert "Pass it on." in letter(own, closing='{{ snippet "forwarded" }}')[1]


def test_a_missing_snippet_is_named_with_its_line_and_what_there_is(own: theme.Theme) -> None:
    write(own, "seminar", "x")
    entry = dataclasses.replace(samples.ENTRIES[0], body='One\n\n{{ snippet "semniar" }}', body_line=20)
    issue = dataclasses.replace(samples.ISSUE, entries=(entry,), path=Path("issues/vol-2-23.md"))
    with pytest.raises(
        errors.RenderError, match=r"issues/vol-2-23\.md:22: there is no snippet “semniar”"
    ) as caught:
        issue_room.render(issue, samples.PUBLICATION, own)
    assert "forwarded, seminar" in caught.value.hint


def test_a_snippet_with_an_unknown_field_is_named_with_its_own_line(own: theme.Theme) -> None:
    path = write(own, "seminar", "One\ntwo {{ nope }}")
    with pytest.raises(errors.RenderError) as caught:
        letter(own, intro='{{ snippet "seminar" }}')
    assert str(caught.value).startswith(f"{path}:2: “nope”")


def test_a_snippet_that_names_itself_is_refused(own: theme.Theme) -> None:
    write(own, "loop", '{{ snippet "loop" }}')
    with pytest.raises(errors.RenderError, match="cannot hold another"):
        letter(own, intro='{{ snippet "loop" }}')


def test_a_snippet_has_no_place_in_a_line_of_text(own: theme.Theme) -> None:
    entry: issues.Entry = dataclasses.replace(samples.ENTRIES[0], headline='{{ snippet "forwarded" }}')
    issue = dataclasses.replace(samples.ISSUE, entries=(entry,))
    with pytest.raises(errors.RenderError, match="snippets go into the body"):
        issue_room.render(issue, samples.PUBLICATION, own)


def test_a_snippet_cannot_be_fetched_from_elsewhere(own: theme.Theme) -> None:
    with pytest.raises(errors.RenderError, match="not written as a personal field"):
        letter(own, intro='{{ snippet "../../secret" }}')
