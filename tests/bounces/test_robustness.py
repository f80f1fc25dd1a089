"""No bytes, however broken or hostile, make the reader fail."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.bounces import examine, read

MAILS = [path.read_bytes() for path in sorted((Path(__file__).parent / "mails").glob("*.eml"))]

#: Crumbs that mean something to some step of the reading.
CRUMBS = st.sampled_from(
    [
        b"\n\n",
        b"\r",
        b"@",
        b"<a@b.example>:",
        b"--=cut",
        b"--=cut--\n",
        b"Content-Type: multipart/mixed; boundary=\n",
        b"Content-Type: message/delivery-status\n\n",
        b"Content-Transfer-Encoding: base64\n",
        b"Final-Recipient: utf-8; \\x{110000}\\x{D800}@b.example\n",
        b"Feedback-Type: \n",
        b'{"notificationType":"Bounce","bounce":{"bouncedRecipients":[1,{"emailAddress":null}]}}',
        b'{"notificationType"' + b":[" * 3000,
        b"=?utf-8?B?%%%?=",
        b"=?iso-2022-jp?Q?=1b$B?=",
        b"\x1b$B\xff",
        b">>> RCPT TO:<",
        b"<<< 550 ",
        b"X-Failed-Recipients: ,,@,<>\n",
        b"\x00\xff\xfe",
        b"charset=utf-16\n",
    ]
)


@st.composite
def broken_mails(draw: st.DrawFn) -> bytes:
    """Return a report with a few pieces cut, doubled, moved or replaced."""
    raw = draw(st.sampled_from(MAILS))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(raw)))
        end = min(len(raw), start + draw(st.integers(0, 60)))
        piece = draw(st.one_of(CRUMBS, st.binary(max_size=8), st.just(raw[start:end] * 2)))
        raw = raw[:start] + piece + raw[end:]
    return raw


def check(raw: bytes) -> None:
    report = examine(raw)
    found = read(raw)
    assert {verdict for _, verdict in found} <= {"hard", "soft"}
    assert all("@" in address and "\n" not in address for address, _ in found)
    assert len(report.recipients) <= 50


@settings(max_examples=400, deadline=None)
@given(broken_mails())
def test_a_broken_report_is_read_or_let_go(raw: bytes) -> None:
    check(raw)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.lists(CRUMBS, max_size=40).map(b"".join)))
def test_any_bytes_are_a_mail(raw: bytes) -> None:
    check(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"\x00", b":", b"From ", b"@" * 100_000, b"a@b.example\n" * 9999]
)
def test_nothing_and_too_much_are_mails_too(raw: bytes) -> None:
    check(raw)


def test_a_thousand_recipients_are_cut_to_what_one_report_may_cost() -> None:
    status = "".join(
        f"Final-Recipient: rfc822; u{number}@b.example\nAction: failed\nStatus: 5.1.1\n\n"
        for number in range(1000)
    )
    raw = f"From: MAILER-DAEMON@x.example\nContent-Type: message/delivery-status\n\n{status}".encode()
    assert len(read(raw)) == 50
