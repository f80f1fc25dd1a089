"""What a report means does not hang on names, spelling or packing: here they change, and it does not."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

import pytest

from newsletter.bounces import Report, examine

MAILS = {path.stem: path.read_bytes() for path in sorted((Path(__file__).parent / "mails").glob("*.eml"))}

#: Every name in the samples, and another one as good; none is part of another's replacement.
RENAMED = {
    b"ann@": b"k.o-nrad_7+list@",
    b"bob@": b"x999@",
    b"eve@": b"info@",
    b"example.com": b"spam-blocked.unknown.test",
    b"example.net": b"full-quota.relay.test",
    b"gone.example": b"user-unknown.invalid",
    b"192.0.2.": b"198.51.100.",
}


def renamed(raw: bytes) -> bytes:
    for old, new in RENAMED.items():
        raw = re.sub(rb"(?<![\w.+-])" + re.escape(old) if old.endswith(b"@") else re.escape(old), new, raw)
    return raw


def meaning(report: Report) -> list[tuple[str, str, str, str, int, bool]]:
    return [
        (each.address, each.verdict, each.cause, each.status, each.reply_code, each.given_up)
        for each in report.recipients
    ]


def head_and_body(raw: bytes) -> tuple[list[bytes], bytes]:
    """Return the header fields, each with its continuation lines, and the rest."""
    head, _, body = raw.partition(b"\n\n")
    return re.split(rb"\n(?![ \t])", head), body


def has_one_part(raw: bytes) -> bool:
    fields, body = head_and_body(raw)
    return not any(b"multipart/" in field.lower() for field in fields) and b"\nContent-" not in body


def packed(raw: bytes, encoding: str) -> bytes:
    """Return a mail of one part with its body in another transfer encoding."""
    fields, body = head_and_body(raw)
    if not any(field.lower().startswith(b"content-type:") for field in fields):
        fields.append(b"Content-Type: text/plain; charset=utf-8")
    fields.append(b"Content-Transfer-Encoding: " + encoding.encode())
    coded = base64.encodebytes(body) if encoding == "base64" else binascii.b2a_qp(body, istext=True)
    return b"\n".join(fields) + b"\n\n" + coded


@pytest.mark.parametrize("name", sorted(set(MAILS) - {"internationalised_address", "report_in_base64"}))
def test_other_names_change_nothing_but_the_names(name: str) -> None:
    before, after = examine(MAILS[name]), examine(renamed(MAILS[name]))
    assert after.kind is before.kind
    assert meaning(after) == [
        (renamed(address.encode()).decode(), *rest) for address, *rest in meaning(before)
    ]


@pytest.mark.parametrize("name", MAILS)
def test_the_order_and_the_case_of_header_fields_do_not_matter(name: str) -> None:
    fields, body = head_and_body(MAILS[name])
    turned = [
        label.upper() + b":" + value for label, _, value in (each.partition(b":") for each in fields[::-1])
    ]
    assert examine(b"\n".join(turned) + b"\n\n" + body) == examine(MAILS[name])


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
@pytest.mark.parametrize("name", [name for name, raw in MAILS.items() if has_one_part(raw)])
def test_the_transfer_encoding_does_not_matter(name: str, encoding: str) -> None:
    assert meaning(examine(packed(MAILS[name], encoding))) == meaning(examine(MAILS[name]))


@pytest.mark.parametrize("name", [name for name, raw in MAILS.items() if b"Diagnostic-Code:" in raw])
def test_a_folded_diagnosis_says_the_same(name: str) -> None:
    def fold(found: re.Match[bytes]) -> bytes:
        return found[1] + found[2].replace(b" ", b"\n    ")

    folded = re.sub(rb"(?m)^(Diagnostic-Code: *[\w-]+; *)(\S.*)$", fold, MAILS[name])
    assert meaning(examine(folded)) == meaning(examine(MAILS[name]))


@pytest.mark.parametrize("name", [name for name, raw in MAILS.items() if b"Diagnostic-Code:" in raw])
def test_the_fields_of_a_recipient_come_in_any_order_and_case(name: str) -> None:
    def turn(found: re.Match[bytes]) -> bytes:
        fields = re.split(rb"\n(?![ \t])", found[0])
        return b"\n".join(
            label.lower() + b":" + value
            for label, _, value in (each.partition(b":") for each in sorted(fields))
        )

    names = rb"Final-Recipient|Original-Recipient|Action|Status|Diagnostic-Code|Remote-MTA"
    block = rb"(?m)(?:^(?:" + names + rb"):.*\n?(?:[ \t].*\n)*)+(?<!\n)"
    assert meaning(examine(re.sub(block, turn, MAILS[name]))) == meaning(examine(MAILS[name]))


@pytest.mark.parametrize("name", MAILS)
def test_what_a_relay_adds_above_changes_nothing(name: str) -> None:
    added = (
        b"Received: from mx.example.net by in.example.org; Tue, 3 Mar 2026 10:00:01 +0000\n"
        b"X-Spam-Status: No, score=-1.0\nDKIM-Signature: v=1; d=example.net;\n\th=from; b=QUJD\n"
    )
    assert examine(added + MAILS[name]) == examine(MAILS[name])
