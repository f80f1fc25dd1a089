"""Mails are taken apart however broken they are."""

from __future__ import annotations

import base64

import pytest

from newsletter.bounces import parts


def test_headers_are_unfolded_and_decoded() -> None:
    mail = parts.split(b"Subject: =?utf-8?B?VW56dXN0ZWxs?=\n =?utf-8?Q?bar=20=C3=A9?=\nX-A: 1\n 2\n\nbody")
    assert mail.headers.get("subject") == "Unzustellbar é"
    assert mail.headers.get("x-a") == "1 2"
    assert "x-b" not in mail.headers


def test_an_mbox_line_and_blank_lines_before_the_header_are_skipped() -> None:
    assert parts.split(b"\n\nFrom MAILER-DAEMON Thu Jan 1\nTo: a\n\nb").headers.get("to") == "a"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("base64", base64.encodebytes("größer\nals".encode())),
        ("quoted-printable", b"gr=C3=B6=C3=9Fer\nals"),
        ("8bit", "größer\nals".encode()),
    ],
)
def test_every_transfer_encoding_is_undone(encoding: str, body: bytes) -> None:
    head = f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n".encode()
    assert parts.split(head + body).leaves[0].text.strip() == "größer\nals"


@pytest.mark.parametrize("text", ["a", "ab", "abc", "abcd"])
def test_base64_loses_nothing_at_its_end(text: str) -> None:
    coded = base64.b64encode(text.encode())
    mail = parts.split(b"Content-Transfer-Encoding: base64\n\n" + coded + b"\n")
    assert mail.leaves[0].text == text


def test_japanese_is_decoded_even_when_nobody_says_so() -> None:
    text = "配信できませんでした"
    assert parts.split(b"Subject: x\n\n" + text.encode("iso-2022-jp")).leaves[0].text == text


def test_an_unknown_or_dangerous_charset_does_no_harm() -> None:
    for charset in ("x-unknown", "zip", "unicode_escape", "idna", "undefined"):
        raw = f"Content-Type: text/plain; charset={charset}\n\ncaf\\u00e9 \xe9".encode("latin-1")
        assert "caf\\u00e9" in parts.split(raw).leaves[0].text


def test_html_becomes_lines() -> None:
    raw = (
        b"Content-Type: text/html\n\n<html><head><title>x</title></head><style>p{}</style>"
        b"<p>was not delivered to<br>&lt;ann@example.com&gt;</p><p>because</p>"
    )
    lines = [line.strip() for line in parts.split(raw).leaves[0].text.split("\n") if line.strip()]
    assert lines == ["was not delivered to", "<ann@example.com>", "because"]


def test_nested_parts_are_flattened_and_a_missing_end_is_forgiven() -> None:
    raw = (
        b'Content-Type: multipart/mixed; boundary="a"\n\npreamble\n--a\n'
        b"Content-Type: multipart/alternative;\nboundary=b\n\n--b\n\nplain\n--b\n"
        b"Content-Type: text/html\n\n<p>h\n--b--\n--a\nContent-Type: message/rfc822\n\nTo: x\n"
    )
    assert [leaf.kind for leaf in parts.split(raw).leaves] == ["text/plain", "text/html", "message/rfc822"]


def test_a_multipart_that_is_none_is_read_as_text() -> None:
    raw = b"Content-Type: multipart/report; boundary=gone\n\nuser unknown"
    assert [(leaf.kind, leaf.text) for leaf in parts.split(raw).leaves] == [("text/plain", "user unknown")]


def test_an_endless_mail_is_cut() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=a\n\n" + b"--a\n\nx\n" * 100_000
    assert len(parts.split(raw).leaves) <= 40
