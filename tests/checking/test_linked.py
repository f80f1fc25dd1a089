"""What web servers answered becomes findings on the lines of the links."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter import checking
from newsletter.checking import link_health
from newsletter.domain import findings
from tests.checking import desk

URL = "https://bridge.example.org/opening"
TROUBLE = link_health.Trouble
LINKS = ["links"]


def judge(folder: Path, **facts: Any) -> list[findings.Finding]:
    values: dict[str, Any] = {"status": 200, "final": URL, **facts}
    answer = link_health.Answer(url=URL, asked_at=datetime(2026, 2, 5, tzinfo=UTC), **values)
    return checking.check(desk.subject(folder, answers={URL: answer}), only=LINKS)


@pytest.mark.parametrize(
    ("facts", "rule", "severity"),
    [
        ({"status": 404}, "link-gone", "error"),
        ({"status": 410}, "link-gone", "error"),
        ({"final": "https://bridge.example.org/"}, "link-home", "warning"),
        ({"final": "https://www.bridge.example.org/en/"}, "link-home", "warning"),
        ({"final": "https://bridge.example.org/", "moved": True}, "link-home", "warning"),
        ({"final": "https://bridge.example.org/new", "moved": True}, "link-moved", "advice"),
        ({"status": 0, "trouble": TROUBLE.UNKNOWN_HOST}, "link-host", "error"),
        ({"status": 0, "trouble": TROUBLE.CERTIFICATE, "detail": "expired"}, "link-certificate", "warning"),
        ({"status": 0, "trouble": TROUBLE.PRIVATE, "detail": "10.0.0.1"}, "link-private", "error"),
        ({"status": 0, "trouble": TROUBLE.TIMED_OUT}, "link-unanswered", "advice"),
        ({"status": 0, "trouble": TROUBLE.REDIRECTS}, "link-unanswered", "advice"),
        ({"status": 403}, "link-unanswered", "advice"),
        ({"status": 429}, "link-unanswered", "advice"),
        ({"status": 503}, "link-unanswered", "advice"),
    ],
)
def test_an_answer_is_judged_once_on_the_line_of_its_link(
    tmp_path: Path, facts: dict[str, Any], rule: str, severity: str
) -> None:
    (finding,) = judge(tmp_path, **facts)
    assert (finding.rule, finding.severity) == (rule, severity)
    assert finding.line == desk.line_of(desk.CLEAN, "The bridge")
    assert finding.entry == "bridge-opens-ahead-of-schedule"


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"final": "https://www.bridge.example.org/opening/", "moved": True},
        {"final": "https://bridge.example.org/login?next=/opening"},
    ],
)
def test_a_page_that_is_there_needs_no_word(tmp_path: Path, facts: dict[str, Any]) -> None:
    assert judge(tmp_path, **facts) == []


def test_a_troubled_answer_says_when_it_was_asked(tmp_path: Path) -> None:
    assert "asked 2026-02-05" in judge(tmp_path, status=404)[0].message


def test_without_answers_the_links_are_not_judged(tmp_path: Path) -> None:
    assert checking.check(desk.subject(tmp_path), only=LINKS) == []


def test_the_links_to_ask_are_those_of_the_issue_each_once(tmp_path: Path) -> None:
    text = desk.CLEAN.replace(
        "Both ports", "[Twice](https://bridge.example.org/opening) and [open](#)"
    ).replace(
        "## Two archives are joined\n",
        "## Two archives are joined\nsources:\n  - https://archive.example.org/list\n",
    )
    assert sorted(checking.links(desk.subject(tmp_path, text))) == [
        "https://archive.example.org/joined",
        "https://archive.example.org/list",
        "https://bridge.example.org/opening",
        "https://ports.example.org/timetable",
        "https://school.example.org/tide",
    ]
