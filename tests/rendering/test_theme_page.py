"""docs/theme.md names what templates may use and shows Markdown and a template that work."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from newsletter.domain import messages
from newsletter.rendering import issue as issue_room
from newsletter.rendering import merge, templating, theme, views
from tests.rendering import samples

PAGE = (Path(__file__).parents[2] / "docs" / "theme.md").read_text("utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


def test_every_name_that_templates_may_use_is_told() -> None:
    context = views.Views(samples.ISSUE, samples.PUBLICATION, theme.packaged()).context()
    table = PAGE.partition("| name | is |")[2].partition("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines() if row.count("|") > 1]
    told = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert told == set(context) - {templating.SLOTS}


def test_every_personal_field_is_told() -> None:
    section = PAGE.partition("## Personal fields")[2].partition("\n## ")[0]
    assert set(messages.FIELDS) <= set(re.findall(r"`([\w.]+)`", section))


def test_the_markdown_it_shows_does_what_it_says() -> None:
    entry = dataclasses.replace(samples.ENTRIES[0], body=block("markdown"))
    rendered = samples.rendered(dataclasses.replace(samples.ISSUE, entries=(entry,)))
    html = merge.compile(samples.template(rendered=rendered)).html(samples.READER)
    assert "The first ferry. Credit: Ada Moreno</p>" in html
    assert "— Mayor Ines Tal, at the opening</p>" in html
    assert "The note stands at the foot of its entry.</li>" in html


def test_the_template_it_shows_renders(tmp_path: Path) -> None:
    (tmp_path / "digest.mjml.j2").write_text(block("jinja"), "utf-8")
    own = theme.packaged().with_templates(tmp_path)
    rendered = issue_room.render(samples.ISSUE, samples.PUBLICATION, own)
    assert "Port opens pier 1 &amp; its sheds</h3>" in str(rendered.html)
    assert "Headlines" not in str(rendered.html)
