"""What the law asks is asked of every issue."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from newsletter import checking
from newsletter.domain import findings, messages
from tests.checking import desk

RULES = [rule.id for rule in checking.rules() if rule.family == "compliance"]


def letter(tmp_path: Path, **changes: Any) -> checking.Subject:
    """Return a subject whose two parts have all that the law asks."""
    subject = desk.subject(tmp_path)
    footer = "1 Quay Street,<br>Harbour Town 12345"
    html = f'<html><body><p>{footer}</p><a href="{subject.leave_url}">Unsubscribe</a></body></html>'
    text = f"1 Quay Street, Harbour Town\n12345\n\nUnsubscribe: {subject.leave_url}"
    return dataclasses.replace(subject, rendered=desk.rendered(), html=html, text=text, **changes)


def test_a_letter_with_all_that_is_asked_has_no_finding(tmp_path: Path) -> None:
    assert checking.check(letter(tmp_path), only=RULES) == []


def test_an_issue_that_was_not_rendered_is_not_blamed_for_its_footer(tmp_path: Path) -> None:
    assert checking.check(desk.subject(tmp_path), only=RULES) == []


@pytest.mark.parametrize("gone", ["html", "text"])
def test_a_part_without_a_way_to_leave_is_an_error(tmp_path: Path, gone: str) -> None:
    subject = letter(tmp_path)
    assert subject.rendered is not None
    without: dict[str, Any] = {gone: ("bare",)}
    broken = dataclasses.replace(subject, rendered=dataclasses.replace(subject.rendered, **without))
    (finding,) = desk.found(broken, "unsubscribe-link")
    assert (finding.severity, gone.lower() in finding.message.lower()) == ("error", True)


def test_a_way_to_leave_that_nobody_sees_does_not_count(tmp_path: Path) -> None:
    subject = letter(tmp_path)
    hidden = subject.html.replace("<a href", '<a style="display:none" href')
    nameless = subject.html.replace(">Unsubscribe<", "><")
    for html in (hidden, nameless):
        assert desk.found(dataclasses.replace(subject, html=html), "unsubscribe-link")


HEADERS = (
    b"From: a@example.org\r\nList-Unsubscribe: <https://u>\r\nList-Unsubscribe-Post: x\r\n\r\nList-Id: no"
)


@pytest.mark.parametrize("name", [b"List-Unsubscribe", b"List-Unsubscribe-Post"])
def test_a_message_without_the_headers_to_leave_by_is_an_error(tmp_path: Path, name: bytes) -> None:
    assert desk.found(letter(tmp_path, raw=HEADERS), "unsubscribe-header") == []
    (finding,) = desk.found(letter(tmp_path, raw=HEADERS.replace(name + b":", b"X:")), "unsubscribe-header")
    assert finding.message.endswith(name.decode())


@pytest.mark.parametrize("part", ["html", "text"])
def test_a_part_that_does_not_show_the_postal_address_is_an_error(tmp_path: Path, part: str) -> None:
    subject = letter(tmp_path)
    changed = getattr(subject, part).replace("12345", "")
    (finding,) = desk.found(dataclasses.replace(subject, **{part: changed}), "postal-address")
    assert part in finding.message.lower()


def test_a_publication_without_postal_address_is_warned(
    tmp_path: Path,
) -> None:
    publication = dataclasses.replace(desk.PUBLICATION, postal_address=" ")
    (finding,) = desk.found(letter(tmp_path, publication=publication), "postal-address")
    assert finding.severity is findings.Severity.WARNING
    assert "postal_address" in finding.fix


@pytest.mark.parametrize(
    ("rule", "sender"),
    [
        ("sender-identity", {"name": " "}),
        ("sender-identity", {"name": "news@example.org"}),
        ("sender-identity", {"email": "news"}),
        ("sender-no-reply", {"reply_to": "no-reply@example.org"}),
        ("sender-no-reply", {"reply_to": "", "email": "donotreply@example.org"}),
    ],
)
def test_a_sender_is_somebody_who_can_be_answered(tmp_path: Path, rule: str, sender: dict[str, str]) -> None:
    changed = dataclasses.replace(desk.PUBLICATION.sender, **sender)
    publication = dataclasses.replace(desk.PUBLICATION, sender=changed)
    assert desk.found(letter(tmp_path, publication=publication), rule)


SUBJECTS = [
    ("subject-length", "Ports", "advice"),
    ("subject-length", "Ports and railways " * 5, "advice"),
    ("subject-shape", "PORTS AND RAILWAYS AGREE", "warning"),
    ("subject-shape", "Ports agree!!!", "warning"),
    ("subject-shape", "'🚢🚂🎉 2026 🚢🚂🎉'", "warning"),
    ("subject-deceptive", "'Re: the timetable of the ports'", "error"),
    ("subject-deceptive", "'FWD: the timetable of the ports'", "error"),
    ("subject-deceptive", "'返信：港の時刻表について'", "error"),
]


@pytest.mark.parametrize(("rule", "subject", "severity"), SUBJECTS)
def test_a_subject_that_misleads_or_shouts_is_found_on_its_line(
    tmp_path: Path, rule: str, subject: str, severity: str
) -> None:
    text = desk.CLEAN.replace("Ports agree on one timetable for night trains", subject, 1)
    (finding,) = desk.found(desk.subject(tmp_path, text), rule)
    assert finding.severity == severity
    assert finding.line == desk.line_of(text, "subject:")


@pytest.mark.parametrize(
    "subject", ["Reform of the ports: a timetable", "Fwd motion at the ports", "U.S. and EU ports, NATO"]
)
def test_a_subject_that_only_looks_like_it_is_left_alone(tmp_path: Path, subject: str) -> None:
    text = desk.CLEAN.replace("Ports agree on one timetable for night trains", f"'{subject}'", 1)
    assert checking.check(desk.subject(tmp_path, text), only=RULES) == []


def test_an_empty_subject_is_an_error(tmp_path: Path) -> None:
    subject = desk.subject(tmp_path)
    issue = dataclasses.replace(subject.issue, subject=" ")
    (finding,) = desk.found(dataclasses.replace(subject, issue=issue), "subject-length")
    assert finding.severity == "error"


def test_a_line_end_in_a_header_is_an_error(tmp_path: Path) -> None:
    subject = desk.subject(tmp_path)
    issue = dataclasses.replace(subject.issue, subject="Ports agree\r\nBcc: all@example.org")
    (finding,) = desk.found(dataclasses.replace(subject, issue=issue), "subject-control")
    assert finding.severity == "error"


@pytest.mark.parametrize(
    "preheader", ["Also this fortnight", "x" * 111, "Ports agree on one timetable for night trains"]
)
def test_a_preheader_that_wastes_its_line_is_pointed_out(tmp_path: Path, preheader: str) -> None:
    text = desk.CLEAN.replace(
        "Also this fortnight, a bridge opens early and two archives are joined", preheader
    )
    (finding,) = desk.found(desk.subject(tmp_path, text), "preheader-length")
    assert finding.line == desk.line_of(text, "preheader:")


def test_a_field_without_value_takes_its_default_and_html_is_escaped() -> None:
    pieces = ("Dear ", messages.Field("subscriber.first_name", "reader"), "!")
    assert checking.personalise(pieces, {}, is_html=True) == "Dear reader!"
    assert checking.personalise(pieces, {"subscriber.first_name": "A&B"}, is_html=True) == "Dear A&amp;B!"
    assert checking.personalise(pieces, {"subscriber.first_name": "A&B"}, is_html=False) == "Dear A&B!"
