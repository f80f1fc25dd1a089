"""A whole issue in the packaged theme."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from newsletter.domain import errors, issues, messages
from newsletter.rendering import issue as issue_room
from newsletter.rendering import merge, slots, theme
from newsletter.rendering import tokens as token_room
from tests.rendering import samples


def html_of(issue: issues.Issue = samples.ISSUE) -> str:
    return merge.compile(samples.template(rendered=samples.rendered(issue))).html(samples.READER)


def text_of(issue: issues.Issue = samples.ISSUE) -> str:
    return merge.compile(samples.template(rendered=samples.rendered(issue))).text(samples.READER)


def weight(rendered: messages.Rendered) -> int:
    return sum(len(piece.encode()) for piece in rendered.html if isinstance(piece, str))


def test_the_same_issue_gives_the_same_bytes() -> None:
    assert samples.rendered() == samples.rendered()


def test_the_personal_addresses_stay_open_in_both_parts() -> None:
    rendered = samples.rendered()
    for pieces in (rendered.html, rendered.text):
        names = {piece.name for piece in pieces if isinstance(piece, messages.Field)}
        assert names == {"unsubscribe_url", "preferences_url", "view_url", "subscriber.first_name"}


def test_a_local_hero_is_shown_from_the_issues_public_address() -> None:
    assert 'src="https://digest.example.org/issues/vol-2-23/images/pier.png"' in html_of()


def test_local_images_can_be_put_behind_another_base() -> None:
    rendered = issue_room.render(
        samples.ISSUE, samples.PUBLICATION, theme.packaged(), image_base="file:///srv/"
    )
    assert 'src="file:///srv/images/pier.png"' in str(rendered.html)


def test_a_remote_hero_keeps_its_address() -> None:
    hero = issues.Hero(src="https://img.example.org/a.png", alt="A", credit="B")
    assert 'src="https://img.example.org/a.png"' in html_of(dataclasses.replace(samples.ISSUE, hero=hero))


def test_an_unknown_personal_field_is_named() -> None:
    bad = dataclasses.replace(samples.ISSUE, intro="Dear {{ subscriber.title }}")
    with pytest.raises(errors.RenderError, match=r"subscriber\.title"):
        samples.rendered(bad)


def test_a_personal_field_in_a_heading_is_filled_though_plain_text_sets_headings_in_capitals() -> None:
    headed = dataclasses.replace(samples.ISSUE, intro="### For {{ subscriber.first_name }}")
    assert "FOR Ada" in text_of(headed)


def test_a_personal_field_never_enters_an_address() -> None:
    bad = dataclasses.replace(samples.ISSUE, intro="[x](https://example.org/?who={{ subscriber.email }})")
    with pytest.raises(errors.RenderError, match="cannot stand inside an address"):
        samples.rendered(bad)


def test_a_personal_address_may_be_a_links_whole_target() -> None:
    linked = dataclasses.replace(samples.ISSUE, intro="[leave]({{ unsubscribe_url }})")
    assert '<a href="https://digest.example.org/u/TOKEN-1"' in html_of(linked)


def test_markdown_is_never_run_through_the_template_engine() -> None:
    body = "Ten percent: {% raw %} and {# no comment #} and \\{{ 7 * 7 }}"
    entry = dataclasses.replace(samples.ENTRIES[0], body=body)
    issue = dataclasses.replace(samples.ISSUE, entries=(entry,))
    assert "{% raw %} and {# no comment #} and {{ 7 * 7 }}" in html_of(issue)
    assert "{% raw %} and {# no comment #} and {{ 7 * 7 }}" in text_of(issue)


def test_every_entry_is_named_in_order_and_costs_bytes() -> None:
    rendered = samples.rendered()
    text = text_of()
    headlines = [entry.headline for entry in samples.ENTRIES]
    assert [text.index(headline) for headline in headlines] == sorted(map(text.index, headlines))
    assert list(rendered.bytes_by_entry) == [entry.id for entry in samples.ENTRIES]
    assert all(size > 200 for size in rendered.bytes_by_entry.values())
    # An entry less is that much less, but for its line in the list of headlines.
    fewer = samples.rendered(dataclasses.replace(samples.ISSUE, entries=samples.ENTRIES[:-1]))
    saved = weight(rendered) - weight(fewer)
    assert rendered.bytes_by_entry["entry-5"] == pytest.approx(saved, abs=200)


def test_a_letter_is_one_text_without_a_list_of_headlines() -> None:
    letter = dataclasses.replace(samples.ISSUE, layout=issues.Layout.LETTER)
    found, text = html_of(letter), text_of(letter)
    assert found.count("<h1") == 1
    assert found.count("<h2") == len(samples.ENTRIES)
    assert "<h3" not in found
    assert (
        found.count("Port opens pier 1 &amp; its sheds") == text.count("Port opens pier 1 & its sheds") == 1
    )


def test_two_sources_never_share_a_text_and_lead_to_two_places() -> None:
    sources = tuple(issues.Source(url=f"https://www.port.example.org/{name}") for name in "ab")
    entry = dataclasses.replace(samples.ENTRIES[0], sources=sources)
    found = html_of(dataclasses.replace(samples.ISSUE, entries=(entry,)))
    assert ">port.example.org</a>" in found
    assert ">port.example.org (2)</a>" in found


def test_an_unknown_field_is_reported_with_its_line_in_the_issue_file() -> None:
    entry = dataclasses.replace(samples.ENTRIES[0], body="One\ntwo {{ nope }}", body_line=40)
    issue = dataclasses.replace(samples.ISSUE, entries=(entry,), path=Path("issues/vol-2-23.md"))
    with pytest.raises(errors.RenderError, match=r"issues/vol-2-23\.md:41: .*nope"):
        samples.rendered(issue)


def test_an_edition_in_japanese_speaks_japanese_at_its_edges_too() -> None:
    issue = dataclasses.replace(samples.ISSUE, language="ja")
    found, text = html_of(issue), text_of(issue)
    assert '<html lang="ja" dir="ltr"' in found
    assert "2026年11月20日" in found
    assert "配信停止" in text
    assert "font-style:italic" not in html_of(dataclasses.replace(issue, intro="*強調*"))


def test_an_edition_that_runs_from_right_to_left_starts_on_the_right() -> None:
    found = html_of(dataclasses.replace(samples.ISSUE, language="he"))
    assert '<html lang="he" dir="rtl"' in found
    assert "direction:ltr" not in found
    assert "padding-right:24px" in html_of(
        dataclasses.replace(samples.ISSUE, language="he", intro="- שלום\n- עולם")
    )


def in_theme(**tokens: Any) -> str:
    dressed = dataclasses.replace(theme.packaged(), tokens=token_room.Tokens(**tokens))
    rendered = issue_room.render(samples.ISSUE, samples.PUBLICATION, dressed)
    return merge.compile(samples.template(rendered=rendered)).html(samples.READER)


def test_tokens_reach_the_letter() -> None:
    found = in_theme(
        accent=token_room.Pair("#005f3c", "#7fd1ae"),
        width=640,
        corner=8,
        density=token_room.Density.AIRY,
        heading_font="'Iowan Old Style', serif",
    )
    assert "#005f3c" in found
    assert "#7fd1ae" in found
    assert "#9c2b2e" not in found
    assert "max-width:640px" in found
    assert "padding:28px 0 10px 0" in found
    assert "font-family:'Iowan Old Style', serif" in found


def test_a_logo_stands_for_the_title_and_has_it_as_its_text() -> None:
    found = in_theme(logo="logo.png", logo_dark="logo-dark.png")
    assert (
        'src="https://digest.example.org/issues/vol-2-23/logo.png" alt="Harbour Digest" width="240"' in found
    )
    assert found.count("<h1") == 1
    assert ".on-dark { display: block !important; }" in found
    assert "mso-hide:all" in found.partition("logo-dark.png")[2][:200]
    assert "logo" not in in_theme()


@pytest.mark.parametrize(
    "src", ["../secret.png", "images/../../secret.png", "/etc/secret.png", "%2e%2e/secret.png"]
)
def test_a_picture_outside_of_the_issues_folder_is_refused(src: str) -> None:
    hero = issues.Hero(src=src, alt="A", credit="B")
    with pytest.raises(errors.RenderError, match="outside of the issue's folder"):
        samples.rendered(dataclasses.replace(samples.ISSUE, hero=hero))


def test_addresses_that_run_code_are_refused_wherever_they_stand() -> None:
    source = dataclasses.replace(samples.ENTRIES[0], sources=(issues.Source(url="javascript:alert(1)"),))
    hero = issues.Hero(src="a.png", alt="A", credit="B", credit_url="javascript:alert(1)")
    for issue in (
        dataclasses.replace(samples.ISSUE, entries=(source,)),
        dataclasses.replace(samples.ISSUE, hero=hero),
    ):
        with pytest.raises(errors.RenderError, match="javascript:alert"):
            samples.rendered(issue)


def test_a_passage_that_was_read_before_is_numbered_and_placed_anew() -> None:
    first = samples.rendered()
    moved = dataclasses.replace(samples.ISSUE, intro="[New](https://new.example.org).")
    text = text_of(moved)
    assert "[1] https://new.example.org" in text
    assert "[2] https://news.example.org/pier-1?a=1&b=2" in text
    elsewhere = issue_room.render(samples.ISSUE, samples.PUBLICATION, theme.packaged(), image_base="cid:")
    assert 'src="cid:images/pier.png"' in str(elsewhere.html)
    assert samples.rendered() == first


def test_an_issue_of_five_megabytes_is_refused_at_once() -> None:
    entries = tuple(
        dataclasses.replace(samples.ENTRIES[0], id=f"e{number}", body="word " * 19_000)
        for number in range(53)
    )
    with pytest.raises(errors.RenderError, match="make no letter"):
        samples.rendered(dataclasses.replace(samples.ISSUE, entries=entries))


def test_an_issue_without_entries_has_no_empty_sections() -> None:
    empty = dataclasses.replace(samples.ISSUE, entries=())
    assert "<h2" not in html_of(empty)
    assert "<ol" not in html_of(empty)
    assert "HEADLINES" not in text_of(empty)


def test_a_postal_address_keeps_its_lines() -> None:
    publication = dataclasses.replace(samples.PUBLICATION, postal_address="12 Quay Street\n  Harbourtown\n")
    rendered = issue_room.render(samples.ISSUE, publication, theme.packaged())
    merger = merge.compile(samples.template(rendered=rendered))
    assert "<br />12 Quay Street<br />Harbourtown</p>" in merger.html(samples.READER)
    assert "\n12 Quay Street\nHarbourtown\n" in merger.text(samples.READER)


def test_from_right_to_left_tables_and_what_stands_in_other_letters_keep_their_direction() -> None:
    entry = dataclasses.replace(samples.ENTRIES[0], body="| سنة | عدد |\n|---|:-:|\n| 2024 | 4 |")
    found = html_of(dataclasses.replace(samples.ISSUE, language="ar", entries=(entry,)))
    assert "padding:8px 0 8px 12px;" in found
    assert 'font-weight:bold;text-align:right">سنة</th>' in found
    assert 'font-weight:bold;text-align:center">عدد</th>' in found
    assert '<span dir="auto">12 Quay Street, Harbourtown 10001</span>' in found
    assert '<span dir="auto">' not in html_of()


@pytest.mark.parametrize("much", [0, 30_000])
def test_what_looks_like_a_slot_is_what_an_editor_wrote(much: int) -> None:
    word = f"{slots.Slots('').text('x').removesuffix('0X')}1X"
    for said in (word, word.lower(), f"{word} again"):
        entry = dataclasses.replace(samples.ENTRIES[0], body=f"# {said}\n\n{'word ' * (much // 5)}")
        issue = dataclasses.replace(samples.ISSUE, entries=(*samples.ENTRIES[1:], entry))
        for _ in range(2):
            assert said in html_of(issue)
            assert said.upper() in text_of(issue)


def test_sizes_of_entries_are_the_same_whatever_was_rendered_before() -> None:
    fewer = dataclasses.replace(samples.ISSUE, entries=samples.ENTRIES[::-1])
    first = samples.rendered().bytes_by_entry
    samples.rendered(fewer)
    slots.forget()
    assert first == samples.rendered().bytes_by_entry
