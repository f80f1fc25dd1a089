"""Each limit speaks when it is passed, and not before."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from newsletter import checking
from newsletter.checking import limits
from newsletter.domain import tokens
from tests.checking import desk
from tests.rendering import samples


def page(body: str = "", head: str = "") -> str:
    return f'<html lang="en"><head><title>t</title>{head}</head><body>{body}</body></html>'


#: rule, HTML at fault, HTML that is not.
PAGES = [
    (
        "style-total",
        page(head="<style>" + ".a{color:#111111}" * 900 + "</style>"),
        page(head="<style>.a{}</style>"),
    ),
    (
        "style-nested-at",
        page(head="<style>@media print{@media screen{.a{}}}</style>"),
        page(head="<style>@media print{.a{color:#111111}}</style>"),
    ),
    (
        "style-parse",
        page(head="<style>.a{color #111111}</style>"),
        page(head="<style>.a{color:#111111}</style>"),
    ),
    ("style-parse", page(head="<style>.a{} }</style>"), page(head="<style>.a{} .b{}</style>")),
    (
        "style-url",
        page("<p style=\"background:url('a.png')\">x</p>"),
        page('<p style="color:#111111">url(</p>'),
    ),
    ("style-comment", page('<p style="color:red/* no */">x</p>'), page("<p style='color:red'>/* yes */</p>")),
    (
        "important-space",
        page(head="<style>.a{color:red!important}</style>"),
        page(head="<style>.a{color:red !important}</style>"),
    ),
    (
        "important-space",
        page('<p style="color:red !IMPORTANT">x</p>'),
        page('<p style="color:red !important">x</p>'),
    ),
    (
        "bg-url-quotes",
        page('<p style="background:url(a.png)">x</p>'),
        page("<p style=\"background:url('a.png')\">x</p>"),
    ),
    ("hex3", page('<table bgcolor="#fff"></table>'), page('<table bgcolor="#ffffff"></table>')),
    ("fractional-width", page('<td width="287.5">x</td>'), page('<table><td width="287">x</td></table>')),
    (
        "content-width",
        page('<table width="700"></table>'),
        page('<table width="640"></table><table width="100%"></table>'),
    ),
    ("remote-css", page(head='<link rel="stylesheet" href="https://a.example.org/a.css">'), page()),
    ("remote-css", page(head="<style>@import url('https://a.example.org/a.css');</style>"), page()),
    (
        "anchor-link",
        page('<a href="#part">x</a>'),
        page('<a href="#">x</a><a href="https://a.example.org/#p">y</a>'),
    ),
    (
        "url-http",
        page('<a href="http://a.example.org/">x</a>'),
        page('<a href="https://a.example.org/">x</a>'),
    ),
    ("url-host", page('<a href="https://localhost/x">x</a>'), page('<a href="mailto:a@example.org">x</a>')),
    (
        "url-host",
        page('<a href="https://192.168.1.4/x">x</a>'),
        page('<a href="https://93.184.215.14/x">x</a>'),
    ),
    ("url-host", page('<a href="/issues/1">x</a>'), page('<a href="tel:+123">x</a>')),
    ("url-host", page('<a href="https://a.example.org/{{ name }}">x</a>'), page()),
    (
        "url-length",
        page(f'<a href="https://a.example.org/{"x" * 1000}">x</a>'),
        page(f'<a href="https://a.example.org/{"x" * 900}">x</a>'),
    ),
    (
        "image-format",
        page('<img src="data:image/png;base64,AAAA" alt="">'),
        page('<img src="https://a.example.org/a.png" alt="">'),
    ),
]


@pytest.mark.parametrize(("rule", "bad", "good"), PAGES)
def test_a_page_past_the_limit_is_found(tmp_path: Path, rule: str, bad: str, good: str) -> None:
    assert desk.found(desk.subject(tmp_path, html=bad), rule)
    assert desk.found(desk.subject(tmp_path, html=good), rule) == []


BODIES = [
    ("url-http", "A [paper](http://a.example.org/r).", "(http://"),
    ("url-host", "A [paper](localhost:8000/r).", "(localhost"),
    ("url-host", "A [paper](https://intranet.local/r).", "intranet.local"),
    ("url-length", f"A [paper](https://a.example.org/{'x' * 2001}).", "paper"),
    ("control-chars", "The port\u0092s [paper](https://a.example.org/r).", "\u0092"),
]


@pytest.mark.parametrize(("rule", "body", "words"), BODIES)
def test_what_an_editor_wrote_past_a_limit_is_found_on_its_line(
    tmp_path: Path, rule: str, body: str, words: str
) -> None:
    text = desk.CLEAN.replace(desk.ENTRIES.split("\n\n")[1], body)
    (finding,) = desk.found(desk.subject(tmp_path, text), rule)
    assert finding.line == desk.line_of(text, words)
    assert finding.severity == "error"
    assert finding.entry == "ports-agree-on-one-timetable"


def test_a_windows_apostrophe_is_named_for_what_it_was_meant_to_be(tmp_path: Path) -> None:
    text = desk.CLEAN.replace("The bridge", "The port\u0092s bridge")
    (finding,) = desk.found(desk.subject(tmp_path, text), "control-chars")
    assert (finding.line, finding.column) == (desk.line_of(text, "The port"), 9)
    assert "U+0092" in finding.message
    assert finding.fix == "write ’"


@pytest.mark.parametrize(
    ("size", "severity"), [(74_999, None), (75_000, "advice"), (90_000, "warning"), (102_000, "error")]
)
def test_the_size_is_counted_in_bytes_and_graver_towards_the_clip(
    tmp_path: Path, size: int, severity: str | None
) -> None:
    html = "é" * (size // 2) + "x" * (size % 2)
    found = desk.found(desk.subject(tmp_path, html=html), "html-size")
    assert [f.severity for f in found] == ([severity] if severity else [])


def test_the_size_says_which_entry_spends_how_much(tmp_path: Path) -> None:
    rendered = desk.rendered(bytes_by_entry={"a": 1_200, "b": 60_000})
    (finding,) = desk.found(desk.subject(tmp_path, html="x" * 80_000, rendered=rendered), "html-size")
    assert finding.fix == "bytes per entry: b 60,000, a 1,200"


def test_the_encoded_size_counts_three_for_each_byte_outside_ascii(tmp_path: Path) -> None:
    assert desk.found(desk.subject(tmp_path, html="日" * 12_000), "encoded-size")
    assert desk.found(desk.subject(tmp_path, html="x" * 90_000), "encoded-size") == []


def test_the_way_to_leave_must_not_be_cut_off(tmp_path: Path) -> None:
    subject = desk.subject(tmp_path)
    late = "x" * 95_000 + f'<a href="{subject.leave_url}">Leave</a>'
    assert desk.found(dataclasses.replace(subject, html=late), "unsubscribe-clipped")
    early = f'<a href="{subject.leave_url}">Leave</a>' + "x" * 99_000
    assert desk.found(dataclasses.replace(subject, html=early), "unsubscribe-clipped") == []


def test_a_line_of_999_bytes_is_too_long_and_998_are_not(tmp_path: Path) -> None:
    assert desk.found(desk.subject(tmp_path, raw=b"a\r\n" + b"x" * 999 + b"\r\n"), "line-998")
    assert desk.found(desk.subject(tmp_path, raw=b"a\r\n" + b"x" * 998 + b"\r\n"), "line-998") == []


def test_only_addresses_may_be_wider_than_the_text_part(tmp_path: Path) -> None:
    assert desk.found(desk.subject(tmp_path, text="x" * 79), "text-width")
    assert (
        desk.found(desk.subject(tmp_path, text="[1] https://a.example.org/" + "x" * 79), "text-width") == []
    )


def test_a_very_long_issue_is_too_high(tmp_path: Path) -> None:
    long = desk.CLEAN + ("\n\n" + "Words that go on and on for a line. " * 12) * 27
    (finding,) = desk.found(desk.subject(tmp_path, long), "height")
    assert finding.severity == "warning"
    longer = desk.CLEAN + ("\n\n" + "Words that go on and on for a line. " * 12) * 60
    assert desk.found(desk.subject(tmp_path, longer), "height")[0].severity == "error"
    assert desk.found(desk.subject(tmp_path), "height") == []


def test_the_limit_of_gmail_is_the_one_that_the_meter_draws() -> None:
    assert limits.CLIPPED == 102_000


PICTURE = desk.CLEAN.replace("The bridge", "![The bridge at dawn](bridge.png)\n\nThe bridge")


def with_picture(tmp_path: Path, **facts: object) -> checking.Subject:
    known = {"format": "png", "size": 50_000, "width": 1200, "height": 800, **facts}
    image = checking.ImageFacts(**known)  # type: ignore[arg-type]  # a mixed dict of its fields
    html = page(
        '<img src="https://digest.example.org/media/bridge.png" width="600" alt="The bridge at dawn">'
    )
    return desk.subject(tmp_path, PICTURE, html=html, images={"bridge.png": image}.get)


FACTS = [
    ("image-weight", {"size": 200_001}, "warning"),
    ("image-weight", {"size": 1_000_001}, "error"),
    ("image-pixels", {"width": 8_000, "height": 5_000}, "error"),
    ("image-format", {"format": "webp"}, "error"),
    ("image-format", {"format": "heic"}, "error"),
    ("image-scale", {"width": 599}, "warning"),
    ("image-scale", {"width": 1_801}, "warning"),
    ("image-upscale", {"width": 9}, "warning"),
    ("image-file", {"problem": "is cut short"}, "error"),
    ("image-ratio", {}, "warning"),
]


@pytest.mark.parametrize(("rule", "facts", "severity"), FACTS)
def test_a_picture_past_its_limit_is_found_where_it_is_named(
    tmp_path: Path, rule: str, facts: dict[str, object], severity: str
) -> None:
    found = desk.found(with_picture(tmp_path, **facts), rule)
    line = 0 if rule == "image-ratio" else desk.line_of(PICTURE, "![The")
    assert (severity, line) in [(finding.severity, finding.line) for finding in found]


def test_a_good_picture_is_left_alone(tmp_path: Path) -> None:
    rules = sorted({rule for rule, _, _ in FACTS} - {"image-ratio"})
    assert checking.check(with_picture(tmp_path), only=rules) == []


def test_pictures_among_enough_words_are_in_balance(tmp_path: Path) -> None:
    wordy = PICTURE + "\n" + "Some words that say what happened at the quay. " * 10
    subject = dataclasses.replace(desk.subject(tmp_path, wordy), images=lambda _: None)
    assert desk.found(subject, "image-ratio") == []


def test_the_kind_of_a_remote_picture_is_told_by_its_name(tmp_path: Path) -> None:
    text = PICTURE.replace("bridge.png", "https://a.example.org/bridge.webp?w=600")
    (finding,) = desk.found(desk.subject(tmp_path, text), "image-format")
    assert finding.line == desk.line_of(text, "![The")


def test_several_pictures_are_weighed_together(tmp_path: Path) -> None:
    text = desk.CLEAN + "".join(f"\n![View {n}]({n}.png)\n" for n in range(5))
    image = checking.ImageFacts(format="png", size=190_000, width=1200, height=800)
    found = desk.found(desk.subject(tmp_path, text, images=lambda _: image), "image-weight")
    assert ["together" in f.message for f in found] == [True]


@pytest.mark.parametrize("url", ["http://localhost:8000", "https://10.0.0.7", "http://digest.example.org"])
def test_a_publication_at_an_address_that_readers_cannot_reach_is_told_once(tmp_path: Path, url: str) -> None:
    publication = dataclasses.replace(desk.PUBLICATION, url=url)
    html = page(f'<a href="{url}/u/x">Leave</a><a href="{url}/p/x">Choose</a>')
    subject = desk.subject(tmp_path, publication=publication, html=html)
    found = checking.check(subject, only=["publication-url", "url-host", "url-http"])
    assert [finding.rule for finding in found] == ["publication-url"]
    assert desk.found(desk.subject(tmp_path), "publication-url") == []


def test_what_counting_clicks_and_opens_adds_is_weighed(tmp_path: Path) -> None:
    link = '<a class="x" href="https://a.example.org/r">r</a>'
    html = f"<body>{'x' * 74_950}{link * 2}<a href='#'>y</a></body>"
    subject = desk.subject(tmp_path, html=html)
    added = {
        (clicks, opens): len(
            checking.tracked(html, desk.PUBLICATION, checking.Tracking(clicks=clicks, opens=opens))
        )
        - len(html)
        for clicks in (False, True)
        for opens in (False, True)
    }
    address = len(f"{desk.PUBLICATION.url}/c/") + 32
    assert added[False, False] == 0
    assert added[True, False] == 2 * (address - len("https://a.example.org/r"))
    assert added[False, True] > address
    assert added[True, True] == added[True, False] + added[False, True]
    small = dataclasses.replace(subject, html=html.replace("x" * 100, "", 1))
    assert desk.found(small, "html-size") == []
    counted = dataclasses.replace(small, counted=checking.Tracking(clicks=True, opens=True))
    assert [finding.rule for finding in desk.found(counted, "html-size")] == ["html-size"]


def test_links_of_our_own_pages_are_not_led_past_themselves(tmp_path: Path) -> None:
    html = f'<body><a href="{desk.PUBLICATION.url}/u/TOKEN">Unsubscribe</a></body>'
    assert checking.tracked(html, desk.PUBLICATION, checking.Tracking(clicks=True)) == html


def test_sample_links_are_as_long_as_real_ones_ever_get() -> None:
    signer = tokens.Signer(b"k" * 32)
    many = 10**12
    leave = signer.sign(tokens.Purpose.LEAVE, many, 10**6)
    preferences = signer.sign(tokens.Purpose.PREFERENCES, many, 2**32 - 1)
    values = checking.sample_values(desk.PUBLICATION, samples.ISSUE)
    assert len(leave) <= len(values["unsubscribe_url"].rpartition("/")[2])
    assert len(preferences) <= len(values["preferences_url"].rpartition("/")[2])
