"""A workspace's own templates may do what they like: a render ends, says where, and takes nothing down."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.domain import errors
from newsletter.rendering import confinement, theme, web
from newsletter.rendering import issue as issue_room
from tests.rendering import samples, stubborn

FRAME = '{% extends "frame.mjml.j2" %}{% block content %}<mj-text>x</mj-text>\nBODY{% endblock %}'
#: Thirty thousand characters, which a template can go through as often as it likes.
LONG = "{% set text = '" + "x" * 30_000 + "' %}"
BAD = [
    (
        LONG + "{% for a in text %}{% for b in text %}{% endfor %}{% endfor %}",
        "takes more than 1 seconds of processor time",
    ),
    (
        LONG + "{% for a in text %}{% set it = text|list|sort|join|reverse|list %}{% endfor %}",
        "takes more than 1 seconds of processor time",
    ),
    (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
        "takes more than 1 seconds of processor time",
    ),
    (
        "{% macro grow(s) %}{{ grow(s ~ s) }}{% endmacro %}{{ grow('x') }}",
        "memory|without end|processor time",
    ),
    ('{% set s = "x"|center(title|length * 400000000) %}', "memory"),
    ('{% set s = "{:>9000000000}".format(title) %}', "memory"),
]


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a render one second of processor time instead of three: the tests wait for its end."""
    monkeypatch.setattr(confinement, "SECONDS", 1.0)


@pytest.fixture
def own(tmp_path: Path) -> theme.Theme:
    return theme.packaged().with_templates(tmp_path)


def write(own: theme.Theme, body: str, name: str = "digest.mjml.j2") -> None:
    (own.folders[0] / name).write_text(FRAME.replace("BODY", body), "utf-8")


def html(own: theme.Theme) -> str:
    return str(issue_room.render(samples.ISSUE, samples.PUBLICATION, own).html)


@pytest.mark.parametrize(("body", "said"), BAD)
def test_a_template_without_end_or_measure_says_where(own: theme.Theme, body: str, said: str) -> None:
    write(own, body)
    with pytest.raises(errors.RenderError, match=said) as caught:
        html(own)
    assert f"{own.folders[0] / 'digest.mjml.j2'}:2:" in str(caught.value)
    # The next render is as good as ever.
    write(own, "<mj-text>mended</mj-text>")
    assert "mended" in html(own)


def test_the_packaged_templates_and_copies_of_them_need_no_second_process(tmp_path: Path) -> None:
    packaged = theme.packaged()
    assert not theme.is_own(packaged)
    shutil.copytree(packaged.folders[0], tmp_path / "templates")
    own = packaged.with_templates(tmp_path / "templates")
    assert not theme.is_own(own)
    with (tmp_path / "templates" / "parts.mjml.j2").open("a") as parts:
        parts.write("{# ours #}")
    assert theme.is_own(own)


def test_what_comes_back_is_what_would_have_been_made_in_place(own: theme.Theme) -> None:
    for name in ("digest.mjml.j2", "web.html.j2", "feed.html.j2"):
        (own.folders[0] / name).write_bytes(own.folders[1].joinpath(name).read_bytes() + b"{# ours #}")
    assert theme.is_own(own)
    there, here = (
        (
            issue_room.render(samples.ISSUE, samples.PUBLICATION, dressed, image_base="https://x.example/"),
            web.render(samples.ISSUE, samples.PUBLICATION, dressed, image_base="https://x.example/"),
            web.content(samples.ISSUE, samples.PUBLICATION, dressed, page="https://x.example/1"),
        )
        for dressed in (own, theme.packaged())
    )
    assert there == here


@pytest.mark.parametrize("name", ["web.html.j2", "feed.html.j2"])
def test_pages_and_feeds_end_too(own: theme.Theme, name: str) -> None:
    (own.folders[0] / name).write_text(BAD[0][0], "utf-8")
    pour = web.render if name == "web.html.j2" else web.content
    with pytest.raises(errors.RenderError, match=f"{name}:1: takes more than"):
        pour(samples.ISSUE, samples.PUBLICATION, own)


def test_an_error_keeps_its_words_and_its_hint(own: theme.Theme) -> None:
    write(own, "{% include 'x.j2' %}")
    with pytest.raises(errors.RenderError, match=r"the template x\.j2 is in none") as caught:
        html(own)
    assert "--eject-templates" in caught.value.hint


def test_a_process_that_breaks_down_takes_nothing_with_it(own: theme.Theme) -> None:
    with pytest.raises(errors.RenderError, match=r"broke the renderer down \(exit code 3\)"):
        confinement.run(os._exit, 3)
    with pytest.raises(errors.RenderError, match=r"broke the renderer down \(SIGABRT\)"):
        confinement.run(os.abort)
    write(own, "<mj-text>sound</mj-text>")
    assert "sound" in html(own)


@pytest.mark.parametrize("job", [stubborn.swallow, stubborn.linger])
def test_a_job_that_swallows_every_exception_is_ended_all_the_same(job: Callable[[], object]) -> None:
    """Among those that swallow: finalizers, and whatever measures or traces a program while it runs."""
    confinement.end()
    before = _processor_time_of_children()
    with pytest.raises(errors.RenderError) as caught:
        confinement.run(job)
    assert str(caught.value) == "the template: takes more than 1 seconds of processor time"
    assert "loops inside loops" in caught.value.hint
    # Ended at its own second; where only the patience of who waits for it ends it, that is half a minute.
    assert _processor_time_of_children() - before < 8
    assert confinement.run(len, "sound") == 5


def _processor_time_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_what_is_constant_in_a_template_is_worked_out_within_limits_too(own: theme.Theme) -> None:
    write(own, '{{ "x"|center(9000000000) }}')
    assert "digest.mjml.j2" in theme.parse(own)
    assert theme.parse(own) == theme.parse(theme.packaged())
