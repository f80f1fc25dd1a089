"""Any request at any address: never a fault of ours, never a stranger's markup in the answer."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from newsletter.domain import errors, tokens
from newsletter.domain.tokens import Purpose
from newsletter.store.allowances import MemoryLimiter
from newsletter.web import app
from tests.web.conftest import PUBLICATION, House
from tests.web.test_archive import SHIPS, SHIPS_JA, write

FEW, MANY = 400, 10_000
FEW_TOKENS, MANY_TOKENS = 3_000, 100_000
#: What no answer may hold as it stands.
MARKUP = "<zq onload=x>"
NASTY = (
    MARKUP,
    f"'\"--></title></script>{MARKUP}",
    "..",
    "%2e%2e%2f",
    "\x00",
    "\r\nX-Evil: 1",
    "é港\U0001f6a2",
    "\ud800",
    "0" * 300,
    "-1",
    "9" * 30,
    "vol-2-23",
    "vol-2-23.ja",
    "trade",
    "{{ 7 * 7 }}",
    "%(title)s %s",
    "nora@example.org",
    f'"{MARKUP}"@example.org',
    "",
)
FIELDS = [
    *("email", "name", "topic", "language", "timezone", "until", "act", "sure", "csrf", "began"),
    *("website", "from", "q", "lang", "to", "page", "List-Unsubscribe"),
]
ACTS = [
    *("save", "address", "back", "export", "forget", "yes"),
    *("2026-02-30", "0001-01-01", "9999-12-31", "Asia", "../x"),
]


class Stranger:
    """Makes requests up, the same ones for the same seed."""

    def __init__(self, house: House, client: TestClient, seed: int) -> None:
        self._rng = random.Random(seed)
        self._house = house
        self._hidden = dict(re.findall(r'name="(csrf|began)" value="([^"]*)"', client.get("/subscribe").text))
        house.clock.now += timedelta(seconds=20)
        self._paths = sorted(set(paths(client.app.routes)))  # type: ignore[attr-defined]  # a FastAPI
        assert len(self._paths) > 20

    def text(self) -> str:
        rng = self._rng
        if rng.random() < 0.7:
            return rng.choice(NASTY)
        return "".join(
            chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) for _ in range(rng.randrange(40))
        )

    def token(self) -> str:
        """A token of ours for any act, often spoiled."""
        rng, house = self._rng, self._house
        person = rng.choice((house.active, house.pending, house.left))
        mark, now = tokens.fingerprint(person.email), int(house.clock.now.timestamp())
        number = rng.choice((person.id, person.id, 0, 999_999))
        numbers = rng.choice(((number, now, mark), (number, mark, 0), (number, house.mailing.id, 0)))
        token = house.desk.signer.sign(rng.choice(list(Purpose)), *numbers)
        return token if rng.random() < 0.6 else spoiled(token, rng)

    def path(self) -> str:
        from urllib.parse import quote

        def value(match: re.Match[str]) -> str:
            word = self.token() if match[1] == "token" and self._rng.random() < 0.8 else self.text()
            return quote(word, safe=self._rng.choice(("", "/")), errors="surrogatepass") or "x"

        return re.sub(r"\{(\w+)(?::path)?\}", value, self._rng.choice(self._paths))

    def fields(self) -> dict[str, str]:
        rng = self._rng
        chosen = {rng.choice(FIELDS): self.text() for _ in range(rng.randrange(5))}
        if rng.random() < 0.7:
            chosen |= self._hidden
        if rng.random() < 0.5:
            chosen["act"] = rng.choice(ACTS)
        if rng.random() < 0.3:
            chosen[rng.choice(FIELDS)] = rng.choice(ACTS)
        return chosen

    def request(self) -> dict[str, object]:
        from urllib.parse import urlencode

        rng = self._rng
        query = urlencode(self.fields(), errors="surrogatepass") if rng.random() < 0.5 else ""
        body = urlencode(self.fields(), errors="surrogatepass").encode()
        if rng.random() < 0.2:
            body = rng.randbytes(rng.choice((0, 10, 500, 20_000)))
        headers = {
            "Accept-Language": rng.choice(("ja", "en", ";;q=x", "*", "é" * 3, "a" * 3000)),
            "If-None-Match": rng.choice(('"x"', "*", "W/", ",,,")),
            "If-Modified-Since": rng.choice(("never", "Fri, 20 Nov 2026 09:00:00 GMT")),
            "X-Forwarded-For": rng.choice(("1.2.3.4", "x", "::1, ,", MARKUP)),
            "Content-Type": rng.choice(
                ("application/x-www-form-urlencoded", "multipart/form-data", "text/html")
            ),
        }
        return {
            "method": rng.choice(("GET", "GET", "HEAD", "POST", "POST", "PUT", "DELETE", "OPTIONS")),
            "url": self.path() + (f"?{query}" if query else ""),
            "content": body,
            "headers": {name: value.encode() for name, value in headers.items() if rng.random() < 0.3},
        }


def paths(routes: Iterable[Any]) -> Iterator[str]:
    """Yield the path of every route, those of included routers among them."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from paths(inner.routes)
        else:
            yield route.path


def spoiled(token: str, rng: random.Random) -> str:
    """Return a token with something wrong."""
    place = rng.randrange(len(token))
    other = rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. é")
    return rng.choice(
        (token[:place], token[:place] + other + token[place + 1 :], token[place:], f"{token}{other}")
    )


@pytest.fixture
def client(house: House) -> Iterator[TestClient]:
    write(house, "vol-2-23.md", SHIPS)
    write(house, "vol-2-23.ja.md", SHIPS_JA)
    with TestClient(app.create(house.desk), base_url=PUBLICATION.url, follow_redirects=False) as client:
        yield client


def knock(client: TestClient, house: House, times: int) -> None:
    stranger = Stranger(house, client, seed=times)
    codes: set[int] = set()
    for _ in range(times):
        # Nobody is kept out: what lies behind the limits is to be tried too.
        house.desk.hall._limiter = MemoryLimiter()
        request = stranger.request()
        answer = client.request(**request)  # type: ignore[arg-type]  # as httpx takes them
        codes.add(answer.status_code)
        assert answer.status_code < 500, request
        assert MARKUP not in answer.text, request
        assert "x-evil" not in answer.headers, request
        house.clock.now += timedelta(seconds=1)
        if (house.clock.now.second % 30) == 0:
            stranger = Stranger(house, client, seed=house.clock.now.minute)
    assert {200, 403, 404, 405} <= codes


def test_no_request_is_answered_by_a_fault_or_with_a_stranger_s_markup(
    client: TestClient, house: House
) -> None:
    knock(client, house, FEW)


@pytest.mark.soak
def test_ten_thousand_requests(client: TestClient, house: House) -> None:
    knock(client, house, MANY)


def forge(times: int) -> int:
    """Read so many wrong tokens for every act; return how many were taken."""
    rng, ours, theirs = random.Random(times), tokens.Signer(b"k" * 32), tokens.Signer(b"K" * 32)
    makers: list[Callable[[Purpose, tuple[int, ...]], str]] = [
        lambda purpose, numbers: spoiled(ours.sign(purpose, *numbers), rng),
        lambda purpose, numbers: theirs.sign(purpose, *numbers),
        lambda purpose, numbers: ours.sign(
            rng.choice([each for each in Purpose if each is not purpose]), *numbers
        ),
        lambda purpose, numbers: _swapped(ours, purpose, numbers, rng),
    ]
    taken = 0
    for _ in range(times):
        purpose = rng.choice(list(Purpose))
        numbers = tuple(rng.randrange(10**6) for _ in range(rng.randrange(1, 4)))
        wrong = rng.choice(makers)(purpose, numbers)
        if wrong == ours.sign(purpose, *numbers):
            continue  # put right again by chance
        try:
            ours.read(purpose, wrong)
            taken += 1
        except errors.TokenError:
            pass
    return taken


def _swapped(signer: tokens.Signer, purpose: Purpose, numbers: tuple[int, ...], rng: random.Random) -> str:
    """Return a token whose numbers are one person's and whose mark is another's."""
    import base64

    other = tuple(number + rng.randrange(1, 99) for number in numbers)
    one, two = (
        base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        for token in (signer.sign(purpose, *numbers), signer.sign(purpose, *other))
    )
    return base64.urlsafe_b64encode(one[:-12] + two[-12:]).rstrip(b"=").decode()


def test_no_forged_cut_or_swapped_token_is_accepted() -> None:
    assert forge(FEW_TOKENS) == 0


@pytest.mark.soak
def test_none_of_a_hundred_thousand_forged_tokens_is_accepted() -> None:
    assert forge(MANY_TOKENS) == 0
