"""What the panels list, without a browser."""

from __future__ import annotations

from pathlib import Path

from newsletter import checking
from newsletter.checking import document, limits
from newsletter.domain import messages
from newsletter.sending import proofs
from newsletter.web.preview import lists
from tests.checking import desk


def rendered(**spent: int) -> messages.Rendered:
    return messages.Rendered(language="en", subject="", preheader="", html=(), text=(), bytes_by_entry=spent)


def test_the_meter_adds_up_to_the_whole_letter() -> None:
    html = "<p>" + "x" * 997
    meter = lists.meter(html, rendered(ports=200, bridge=300), document.Page(html))
    assert [(share.name, share.size) for share in meter.shares][:2] == [("bridge", 300), ("ports", 200)]
    assert sum(share.size for share in meter.shares) == meter.size == 1000
    assert meter.clipped == limits.CLIPPED
    assert meter.line == 85.0


def test_a_letter_beyond_the_scale_fills_it_and_no_more() -> None:
    html = "x" * 200_000
    assert lists.meter(html, rendered(), document.Page(html)).filled == 100


def test_the_outline_reads_headings_and_pictures_in_order() -> None:
    page = document.Page(
        '<h1>Digest</h1><img alt="Quay"><h2>Ports</h2><img alt=""><h3 style="display:none">No</h3><p>Text</p>'
    )
    assert [(stop.level, stop.kind, stop.text) for stop in lists.outline(page)] == [
        (1, "h1", "Digest"),
        (2, "picture", "Quay"),
        (2, "h2", "Ports"),
    ]


def test_a_link_carries_the_rules_that_speak_of_it(tmp_path: Path) -> None:
    subject = desk.subject(
        tmp_path, desk.CLEAN.replace("ports.example.org/timetable", "bit.ly/3xyz?utm_source=x")
    )
    edition = proofs.Edition(issue=subject.issue, template=None)  # type: ignore[arg-type]  # only the issue is read
    page = document.Page(
        "<a href='https://bit.ly/3xyz?utm_source=x'>signed</a><a href='https://b.example.org/'>b</a>"
    )
    first, second = lists.links(page, checking.check(subject), edition)
    assert (first.entry, first.rules) == (
        "ports-agree-on-one-timetable",
        ("link-shortener", "tracking-parameter"),
    )
    assert (second.entry, second.rules) == ("", ())


def test_the_source_gets_a_line_for_each_block_and_loses_nothing() -> None:
    html = "<table><tr><td><p>a <b>b</b></p></td></tr></table>"
    assert lists.formatted(html).replace("\n", "") == html
    assert "<p>a <b>b</b></p>" in lists.formatted(html)
    assert lists.formatted(html).count("\n") > 3


def test_parts_and_headers_are_read_from_the_message_itself() -> None:
    raw = (
        b"Subject: =?utf-8?q?H=C3=A4fen?=\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
        b"--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<p>=C3=A4</p>\r\n--b--\r\n"
    )
    headers, parts = lists.parts(raw)
    assert dict(headers)["Subject"] == "Häfen"
    assert [(part.depth, part.kind) for part in parts] == [
        (0, "multipart/alternative"),
        (1, "text/plain"),
        (1, "text/html"),
    ]
    assert parts[2].encoding == "quoted-printable"
    assert parts[2].size == len(b"<p>=C3=A4</p>")
