"""Faults in MJML templates: each with its file, line and column."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from newsletter.domain import errors
from newsletter.rendering import issue as issue_room
from newsletter.rendering import mjml_check, theme
from tests.rendering import samples

FRAME = "<mjml>\n<mj-body>\n<mj-section>\n<mj-column>\n{}\n</mj-column>\n</mj-section>\n</mj-body>\n</mjml>\n"


def faults(inside: str, *, frame: str = FRAME) -> list[str]:
    found = mjml_check.check(Path("t.mjml.j2"), frame.format(inside) if frame else inside)
    return [f"{fault.line}:{fault.column} {fault.message}" for fault in found]


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<mj-txt>x</mj-txt>", "5:1 there is no element mj-txt; did you mean mj-text?"),
        (
            '<mj-text colour="#ffffff">x</mj-text>',
            "5:10 mj-text has no attribute colour; did you mean c",
        ),
        ('<mj-text color="#fff">x</mj-text>', "5:10 “#fff” is no value of color: six digits such as #1f2023"),
        (
            '<mj-text align="middle">x</mj-text>',
            "5:10 “middle” is no value of align: one of",
        ),
        (
            '<mj-text font-size="big">x</mj-text>',
            "5:10 “big” is no value of font-size: a length",
        ),
        ('<mj-text padding="0 4px">x</mj-text>', "5:10 write 0px in padding"),
        ("<mj-text color=red>x</mj-text>", "5:10 the value of color wants quotes"),
        ('<mj-text color="red" color="red">x</mj-text>', "5:22 color stands twice in this mj-text"),
        ("<mj-section></mj-section>", "5:1 mj-section cannot stand in mj-column"),
        ("<mj-text>x", "5:1 <mj-text> is not closed before </mj-column>"),
        ("<mj-text><p>x</mj-text>", "5:10 <p> is not closed before </mj-text>"),
        ("x</mj-text>", "5:2 </mj-text> closes nothing"),
        ("<mj-text>1 < 2</mj-text>", "5:12 this “<” opens no tag; write &lt;"),
        ("just text", "5:1 text goes inside mj-text or mj-raw, not straight into mj-column"),
        ("<p>x</p>", "5:1 <p> goes inside mj-text or mj-raw, not straight into mj-column"),
        ('<mj-image src="a" />', "5:1 an mj-image wants an alt"),
        ('<mj-image src="a" alt="a\nb" />', "5:19 the renderer mangles this value of alt"),
        ('<mj-image src="a" alt="a\u00a0b" />', "5:19 the renderer mangles this value of alt"),
        ("<mj-text><!--[if mso]x--></mj-text>", "5:10 a conditional comment is written"),
        ("<mj-text><!-- never</mj-text>", "5:10 this comment is never closed"),
        ('<mj-include path="x" />', "5:1 mj-include is not carried out; use Jinja's {% include %}"),
        ("<mj-hero></mj-hero>", "5:1 mj-hero leaves its tables without a role"),
    ],
)
def test_each_fault_has_its_place_and_a_way_out(inside: str, said: str) -> None:
    assert any(found.startswith(said) for found in faults(inside)), faults(inside)


@pytest.mark.parametrize(
    "inside",
    [
        "<mj-text>a<br>b<br/><img src='x' alt=''></mj-text>",
        '<mj-text color="{{ theme.ink.light }}" padding="0px {{ x }}px">{{ title }}</mj-text>',
        '{% if x %}<mj-text color="red">{% else %}<mj-text>{% endif %}x</mj-text>',
        "{% for x in y %}<mj-text>{{ x }}</mj-text>{% endfor %}",
        "<mj-text><h{{ level }}>x</h{{ level }}></mj-text>",
        '<mj-text {% if x %}color="red"{% else %}color="blue"{% endif %}>x</mj-text>',
        "<mj-text><!--[if mso]><b>x</b><![endif]--><!--[if !mso]><!-->x<!--<![endif]--></mj-text>",
        "{# <mj-nothing> #}{{ parts.macro() }}",
        '<mj-raw><div style="a:b">x</div></mj-raw>',
        '<mj-table><tr><th scope="col">x</th></tr></mj-table>',
        '<mj-image src="a" alt="" width="100px" />',
        '<mj-button href="x" inner-padding="12px 24px" line-height="120%">x</mj-button>',
    ],
)
def test_a_right_template_has_no_fault(inside: str) -> None:
    assert faults(inside) == []


def test_a_macro_is_looked_at_on_its_own() -> None:
    text = "{% macro a() %}\n<mj-text>x</mj-text>\n{% endmacro %}\n{% macro b() %}<mj-texx/>{% endmacro %}"
    assert faults(text, frame="") == ["4:16 there is no element mj-texx; did you mean mj-text?"]


def test_the_packaged_templates_have_no_fault() -> None:
    (folder,) = theme.packaged().folders
    assert len(list(folder.glob("*.mjml.j2"))) >= 4
    mjml_check.ensure(folder)


@pytest.fixture
def own(tmp_path: Path) -> theme.Theme:
    """The packaged theme behind templates of its own."""
    return dataclasses.replace(theme.packaged(), folders=(tmp_path, *theme.packaged().folders))


def render(own: theme.Theme) -> str:
    return str(issue_room.render(samples.ISSUE, samples.PUBLICATION, own).html)


def test_a_workspaces_own_template_goes_before_the_packaged_one(own: theme.Theme) -> None:
    text = '{% extends "frame.mjml.j2" %}{% block content %}<mj-text>{{ title }} only</mj-text>{% endblock %}'
    (own.folders[0] / "digest.mjml.j2").write_text(text, "utf-8")
    assert "Harbour Digest only" in render(own)


def test_faults_of_own_templates_stop_the_render_until_they_are_mended(own: theme.Theme) -> None:
    path = own.folders[0] / "digest.mjml.j2"
    frame = '{{% extends "frame.mjml.j2" %}}{{% block content %}}\n{}\n{{% endblock %}}'
    path.write_text(frame.format("<mj-txt>x</mj-txt>\n<mj-text padding='0'>x</mj-text>"), "utf-8")
    with pytest.raises(errors.RenderError) as caught:
        render(own)
    assert f"{path}:2:1: there is no element mj-txt; did you mean mj-text?" in str(caught.value)
    assert f"{path}:3:10: write 0px in padding" in str(caught.value)
    path.write_text(frame.format("<mj-text>mended</mj-text>"), "utf-8")
    os.utime(path, ns=(1, 1))
    assert "mended" in render(own)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n{{ nothing }}", r"digest\.mjml\.j2:2: 'nothing' is undefined"),
        ("\n\n{% if %}", r"digest\.mjml\.j2:3: "),
        ('{% include "digest.mjml.j2" %}', r"digest\.mjml\.j2:1: includes or calls itself without end"),
        (
            '{% import "parts.mjml.j2" as parts with context %}\n\n{% include "digest.mjml.j2" %}',
            r"digest\.mjml\.j2:3: includes or calls itself without end",
        ),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", r"digest\.mjml\.j2:1: .*without end"),
        ("{% for a in range(10**8) %}{% endfor %}", r"digest\.mjml\.j2:1: “\*\*” is not for templates"),
        ("{% for a in range(100000001) %}{% endfor %}", r"digest\.mjml\.j2:1: loops go round more than"),
        (
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
            r"digest\.mjml\.j2:1: loops go round more than",
        ),
        (
            "{% for a in range(90000) %}" + "x" * 100 + "{% endfor %}",
            r"writes more than 4,000,000",
        ),
        ("{% include 'x.j2' %}", r"the template x\.j2 is in none of the theme's folders"),
        ('{{ "a" * 100000000 }}', r"digest\.mjml\.j2:1: “\*” is not for templates"),
        ("{{ title.__class__.__mro__ }}", r"digest\.mjml\.j2:1: "),
    ],
)
def test_a_template_that_fails_or_loops_says_where(own: theme.Theme, text: str, said: str) -> None:
    (own.folders[0] / "digest.mjml.j2").write_text(text, "utf-8")
    with pytest.raises(errors.RenderError, match=said):
        render(own)
