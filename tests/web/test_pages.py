"""What every page has in common, and the issue in the browser."""

from __future__ import annotations

import html5lib
import pytest
from fastapi.testclient import TestClient

from newsletter.domain.tokens import Purpose
from tests.web.conftest import House


def test_the_issue_is_shown_as_it_was_sent_with_nothing_personal_in_it(client: TestClient) -> None:
    answer = client.get("/issues/vol-2-23")
    assert answer.status_code == 200
    assert "Dear reader" in answer.text
    assert 'href="https://digest.example.org/leave"' in answer.text
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("slug", ["vol-9-9", "2.23", "vol-2-23.md", "nonsense", "vol-0-0", "vol-99999-1"])
def test_an_issue_that_was_never_sent_is_not_shown(client: TestClient, slug: str) -> None:
    assert client.get(f"/issues/{slug}").status_code == 404


def test_a_picture_of_an_issue_is_served(client: TestClient, house: House) -> None:
    (house.desk.issues / "hero.png").write_bytes(b"\x89PNG picture")
    answer = client.get("/issues/vol-2-23/hero.png")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == b"\x89PNG picture"


@pytest.mark.parametrize(
    "path", ["vol-2-23.md", "../.env", "%2e%2e/.env", "..%2fsecret.png", "approvals.toml", "missing.png"]
)
def test_nothing_but_pictures_beside_the_issues_is_served(
    client: TestClient, house: House, path: str
) -> None:
    (house.desk.issues / "vol-2-23.md").write_text("draft")
    (house.desk.issues.parent / ".env").write_text("NEWSLETTER_SIGNING_KEY=x")
    (house.desk.issues.parent / "secret.png").write_text("x")
    assert client.get(f"/issues/vol-2-23/{path}").status_code == 404


def test_health_answers(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


def test_every_page_is_well_formed_strict_and_without_scripts(client: TestClient, house: House) -> None:
    paths = [
        f"/u/{house.token(Purpose.LEAVE, house.active)}",
        f"/u/{house.token(Purpose.LEAVE, house.left)}",
        f"/undo/{house.token(Purpose.UNDO, house.left)}",
        f"/preferences/{house.token(Purpose.PREFERENCES, house.active)}",
        "/leave",
        "/nowhere",
    ]
    for path in paths:
        answer = client.get(path)
        html5lib.HTMLParser(strict=True).parse(answer.text)
        assert "<script" not in answer.text
        assert "http://" not in answer.text
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "unsafe-inline" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["strict-transport-security"]
        assert ("set-cookie" in answer.headers) is path.startswith("/preferences")
        assert "1 Sample Street" in answer.text


def test_the_style_sheet_needs_nothing_from_elsewhere(client: TestClient) -> None:
    answer = client.get("/style.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert "url(" not in answer.text
    assert "@import" not in answer.text
