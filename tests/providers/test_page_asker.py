"""Our own page, asked over https as a mail program does."""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import trustme

from newsletter.providers.page_asker import PageAsker
from tests.providers.apis.harness import Asked, Told, serving


class Page:
    """A page that answers in one way, and keeps what it was asked."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.asked: list[Asked] = []
        self.faults: deque[Told] = deque()
        self.taken: list[str] = []

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        return self.told


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def page() -> Page:
    return Page(Told(200, headers={"Date": "Fri, 20 Nov 2026 09:00:00 GMT", "Set-Cookie": "a=b"}))


@pytest.fixture
def url(page: Page, authority: trustme.CA) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with serving(page, tls=context) as base:
        yield f"{base}/u/token"


def trusting(authority: trustme.CA) -> PageAsker:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return PageAsker(verify=context)


def test_the_post_is_a_form_without_cookies(page: Page, url: str, authority: trustme.CA) -> None:
    asker = trusting(authority)
    for _ in range(2):
        found = asker.ask("POST", url, b"List-Unsubscribe=One-Click")
        assert (found.status, found.failure) == (200, "")
        assert found.date == datetime(2026, 11, 20, 9, tzinfo=UTC)
    for asked in page.asked:
        assert (asked.method, asked.path, asked.body) == ("POST", "/u/token", b"List-Unsubscribe=One-Click")
        assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
        assert "cookie" not in asked.headers


def test_a_redirect_is_told_and_not_followed(page: Page, url: str, authority: trustme.CA) -> None:
    page.told = Told(301, headers={"Location": "https://elsewhere.example.org/"})
    found = trusting(authority).ask("POST", url, b"x")
    assert (found.status, found.location) == (301, "https://elsewhere.example.org/")
    assert len(page.asked) == 1


def test_a_certificate_that_nobody_knows_is_a_failure(page: Page, url: str) -> None:
    found = PageAsker().ask("GET", url)
    assert "certificate" in found.failure.lower()
    assert page.asked == []


def test_a_server_that_is_not_there_is_a_failure() -> None:
    assert PageAsker().ask("GET", "https://127.0.0.1:1/").failure
