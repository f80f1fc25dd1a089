"""Requests as no browser would make them, the same ones for the same seed, as bytes on a socket."""

from __future__ import annotations

import base64
import http.client
import random
import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from newsletter.domain.tokens import Purpose

#: What no answer may hold as it stands.
MARKUP = "<zq onload=x>"
NASTY = (
    *(MARKUP, f"'\"--></title></script>{MARKUP}", f'"{MARKUP}"@example.org', "{{ 7 * 7 }}", "%(title)s %s"),
    *("..", "../../etc/passwd", "vol-2-23", "vol-2-23.ja", "vol-2-24.png", "trade", "Ports of call"),
    *(
        "\x00",
        "a\x00b",
        "nora\x00@example.org",
        "nora@exam\x00ple.org",
        "\r\nX-Evil: 1",
        "\x1b[2J",
        "\x85\u2028",
    ),
    *("é港\U0001f6a2", "\ud800", "nora\udfff@example.org", "\ufffe\uffff", "e\u0301" * 50, "\u202eevil"),
    *("0" * 300, "-1", "9" * 30, "1e400", "٣", "²", "0x10", "9223372036854775808", "x" * 3000, "港" * 900),
    *("nora@example.org", "NORA@EXAMPLE.ORG", "nora@例え.jp", "'; DROP TABLE subscriber; --", "true", ""),
)
#: What stands in an address as it is, not as an encoder would write it.
RAW = (
    *(
        b"%",
        b"%zz",
        b"%0",
        b"%00",
        b"%ff%fe",
        b"%ed%a0%80",
        b"%c0%af",
        b"%2e%2e%2f%2e%2e",
        b"%2f",
        b"//",
        b"\\",
    ),
    *(
        b"%0d%0aX-Evil:%201",
        b"\xff\xfe",
        b"\xe6\xb8\xaf",
        b";",
        b"&",
        b"??",
        b"#",
        b"%E2%80%AE",
        b"%25%30%30",
    ),
)
FIELDS = (
    *("email", "name", "topic", "language", "timezone", "until", "act", "sure", "csrf", "began"),
    *("website", "from", "why", "q", "lang", "to", "page", "reason", "List-Unsubscribe"),
)
ACTS = (
    *("save", "address", "back", "export", "forget", "yes", "trade", "ja", "en"),
    *("2026-02-30", "0001-01-01", "9999-12-31", "Asia/Tokyo", "Asia", "../x"),
)
HEADERS: dict[bytes, Sequence[bytes]] = {
    b"Accept-Language": (
        b"ja",
        b"en",
        b";;q=x",
        b"*",
        b"\xe9" * 3,
        b"a" * 3000,
        b"ja;q=1.0001, en;q=1e9",
        b",",
    ),
    b"If-None-Match": (b'"x"', b"*", b"W/", b",,,", b'"' * 500),
    b"If-Modified-Since": (b"never", b"Fri, 20 Nov 2026 09:00:00 GMT", b"0"),
    b"X-Forwarded-For": (
        b"1.2.3.4",
        b"x",
        b"::1, ,",
        MARKUP.encode(),
        b"\xff",
        b"1.2.3.4," * 300,
        b"fe80::1%eth0",
    ),
    b"X-Forwarded-Host": (b"evil.example", MARKUP.encode()),
    b"X-Forwarded-Proto": (b"javascript", b"https"),
    b"Forwarded": (b"for=x;host=" + MARKUP.encode(),),
    b"Range": (
        b"bytes=0-",
        b"bytes=9-1",
        b"bytes=a-b",
        b"bytes=" + b"0-1," * 200,
        b"bytes=99999999999999999999-",
    ),
    b"Cookie": (b"form=\xe9", b"form=", b"form=a; form=b", b"=;=;", b"form=" + b"x" * 4000, b'form="\\x00"'),
    b"Referer": (MARKUP.encode(),),
    b"Accept": (b"application/json", b"*/*;q=nan"),
    b"Expect": (b"the-unexpected",),
    b"Upgrade": (b"h2c",),
    b"Authorization": (b"Basic", b"Basic \xff", b"Bearer x", b"Basic " + base64.b64encode(b"hook:wrong")),
    b"svix-timestamp": (b"9" * 400, b"x"),
}
HOSTS = (
    b"evil.example",
    b"",
    b"a:b:c",
    MARKUP.encode(),
    b"x" * 3000,
    b"[::1",
    b"\xff",
    b"digest.example.org:99999",
)
KINDS = (
    *(
        b"application/x-www-form-urlencoded; charset=klingon",
        b"application/x-www-form-urlencoded; charset=utf-16",
    ),
    *(
        b"multipart/form-data",
        b"multipart/form-data; boundary=x",
        b"text/html",
        b"application/json",
        b"/",
        b"\xff",
    ),
)
#: What stands in the addresses of pages that there are.
USUAL = {
    "{page}": ("1",),
    "{topic}": ("trade",),
    "{slug}": ("vol-2-23",),
    "{name:path}": ("quay.png",),
    "/issues/ {name}": ("vol-2-23", "vol-2-23.ja"),
    "/webhooks/ {name}": ("mail",),
}
#: Routes that only take something in, and what.
POSTED = {"/webhooks/{name}": "{}", "/u/{token}/why": "why=often", "/u/{token}/topics": "topic=trade"}
METHODS = (*["GET"] * 6, *["POST"] * 6, "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "BREW")


@dataclass(frozen=True)
class Ask:
    """A request, and the route that it was made for."""

    route: str
    method: str
    raw: bytes


@dataclass(frozen=True)
class Answer:
    """What came back; status 0: the connection was closed without an answer."""

    status: int
    head: str
    body: bytes


@dataclass
class Stranger:
    """Makes requests up."""

    rng: random.Random
    routes: Sequence[str]
    #: Makes a token for an act on somebody known.
    sign: Any
    #: Purpose → the numbers of tokens that are good now.
    good: dict[Purpose, list[tuple[int, ...]]]
    #: The hidden fields of a form that was shown a while ago, and its cookie.
    hidden: dict[str, str]
    cookie: bytes
    #: User and password of a webhook.
    hook: bytes
    _turn: int = field(default=0)

    def knock(self, route: str) -> Ask:
        """Ask for a page of a route as a browser would; a page that takes reports only is posted one."""

        def value(match: re.Match[str]) -> str:
            if match[0] == "{token}":
                purpose = self._purpose(route)
                return str(self.sign(purpose, *self.good[purpose][0]))
            return usual(route, match[0])[0]

        path = re.sub(r"\{\w+(?::path)?\}", value, route)
        basic = base64.b64encode(self.hook).decode()
        body = POSTED.get(route, "")
        method = "POST" if body else "GET"
        head = f"Host: digest.example.org\r\nConnection: close\r\nAuthorization: Basic {basic}\r\n"
        raw = f"{method} {path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n{body}"
        return Ask(route, method, raw.encode())

    def ask(self) -> Ask:
        """Make one request; every route has its turn."""
        rng, self._turn = self.rng, self._turn + 1
        route = self.routes[self._turn % len(self.routes)]
        method = rng.choice(METHODS)
        if route.startswith("/webhooks") and rng.random() < 0.6:
            method = "POST"
        target = self._target(route)
        if rng.random() < 0.5:
            target += b"?" + (self._form() if rng.random() < 0.8 else rng.choice(RAW) * rng.randrange(1, 4))
        body = self._body(route) if method not in ("GET", "HEAD") or rng.random() < 0.05 else b""
        head = [method.encode() + b" " + target + b" HTTP/1.1"]
        head += [name + b": " + value for name, value in self._head(route, body)]
        return Ask(route, method, b"\r\n".join(head) + b"\r\n\r\n" + body)

    def _head(self, route: str, body: bytes) -> Iterator[tuple[bytes, bytes]]:
        rng = self.rng
        yield b"Host", rng.choice(HOSTS) if rng.random() < 0.1 else b"digest.example.org"
        yield b"Connection", b"close"
        kind = rng.choice(KINDS) if rng.random() < 0.2 else b"application/x-www-form-urlencoded"
        if body:
            yield b"Content-Type", kind
        # A length that promises more than comes would only wait.
        length = str(len(body)).encode()
        wrong = (b"-1", b"x", b"9" * 5000, b"\xb2", b"+" + length, length + b", " + length)
        yield b"Content-Length", rng.choice(wrong) if rng.random() < 0.03 else length
        if rng.random() < 0.8:
            yield b"Cookie", self.cookie
        if route.startswith("/webhooks") and rng.random() < 0.7:
            yield b"Authorization", b"Basic " + base64.b64encode(self.hook)
        for name, values in HEADERS.items():
            if rng.random() < 0.08:
                yield name, rng.choice(values)

    def _target(self, route: str) -> bytes:
        rng = self.rng

        def value(match: re.Match[str]) -> str:
            if match[0] == "{token}" and rng.random() < 0.8:
                return quote(self._token(route), safe="")
            if match[0] != "{token}" and rng.random() < 0.6:
                return rng.choice(usual(route, match[0]))
            if rng.random() < 0.3:
                return rng.choice(RAW).decode("latin-1").replace("#", "%23")
            return quote(self._text(), safe=rng.choice(("", "/")), errors="surrogatepass") or "x"

        target = re.sub(r"\{\w+(?::path)?\}", value, route).encode("latin-1")
        return target + (rng.choice(RAW) if rng.random() < 0.03 else b"")

    def _text(self) -> str:
        rng = self.rng
        if rng.random() < 0.75:
            return rng.choice(NASTY)
        return "".join(
            chr(rng.choice((rng.randrange(128), rng.randrange(0x3000)))) for _ in range(rng.randrange(40))
        )

    def _token(self, route: str) -> str:
        """Return a token of ours, for this act or another, often spoiled."""
        rng = self.rng
        purpose = self._purpose(route) if rng.random() < 0.7 else rng.choice(list(self.good))
        numbers = rng.choice(self.good[purpose])
        if rng.random() < 0.15:
            odd = (2**31, 2**63 - 1, 2**63, 2**64, 2**100, 0)
            numbers = tuple(rng.choice(odd) if rng.random() < 0.5 else number for number in numbers)
        token: str = self.sign(purpose, *numbers)
        return token if rng.random() < 0.75 else spoiled(token, rng)

    @staticmethod
    def _purpose(route: str) -> Purpose:
        act = route.split("/")[1]
        return Purpose.LEAVE if act == "u" else Purpose(act)

    def _form(self) -> bytes:
        return self._likely() if self.rng.random() < 0.5 else self._odd()

    def _likely(self) -> bytes:
        """Return a form as a browser would send it, but for what is in some fields."""
        rng = self.rng
        fields = dict(self.hidden)
        fields |= {"email": f"n{rng.randrange(10**6)}@host{rng.randrange(50)}.example.org", "sure": "yes"}
        fields |= {
            "act": rng.choice(ACTS[:5]),
            "name": "Nora",
            "topic": "trade",
            "language": "ja",
            "website": "",
        }
        for name in ("email", "name", "topic", "language", "timezone", "until", "reason", "act"):
            if rng.random() < 0.25:
                fields[name] = rng.choice((self._text(), "a\x00b", rng.choice(ACTS)))
        return urlencode(list(fields.items()), errors="surrogatepass").encode()

    def _odd(self) -> bytes:
        rng = self.rng
        fields = [(rng.choice(FIELDS), self._text()) for _ in range(rng.randrange(6))]
        if rng.random() < 0.75:
            fields += self.hidden.items()
        for name, values, likely in (
            ("act", ACTS[:5], 0.6),
            (
                "email",
                ("nora@example.org", f"n{rng.randrange(10**6)}@host{rng.randrange(50)}.example.org"),
                0.5,
            ),
            (rng.choice(FIELDS), ACTS, 0.4),
            ("sure", ("yes",), 0.3),
        ):
            if rng.random() < likely:
                fields.append((name, rng.choice(values)))
        rng.shuffle(fields)
        return urlencode(fields, errors="surrogatepass").encode()

    def _body(self, route: str) -> bytes:
        rng = self.rng
        if route.startswith("/webhooks") and rng.random() < 0.7:
            return self._report()
        chance = rng.random()
        if chance < 0.75:
            return self._form()
        if chance < 0.85:
            return rng.randbytes(rng.choice((0, 10, 500, 20_000)))
        return rng.choice(
            (b"List-Unsubscribe=One-Click", b"from=page", b"act=" * 200, b"{}", b"--x\r\n\r\n--x--", b"%")
        )

    def _report(self) -> bytes:
        """Return a vendor's report with something odd in it."""
        import json

        rng = self.rng
        odd: tuple[object, ...] = (
            None,
            [],
            {},
            self._text(),
            -1,
            2**63,
            1.5,
            True,
            "Bounce",
            "HardBounce",
            "delivery:1",
            "1",
        )
        names = (
            "RecordType",
            "Type",
            "TypeCode",
            "Email",
            "Recipient",
            "MessageID",
            "Metadata",
            "DeliveredAt",
        )
        report: object = {name: rng.choice(odd) for name in names if rng.random() < 0.8}
        if rng.random() < 0.2:
            report = rng.choice(odd)
        if rng.random() < 0.02:
            return b"[" * 5000
        return json.dumps(report).encode("utf-8", "surrogatepass")


def usual(route: str, parameter: str) -> Sequence[str]:
    """Return what stands in the address of a page that there is, for a parameter of its route."""
    found = USUAL.get(f"{route.partition('{')[0]} {parameter}") or USUAL.get(parameter)
    assert found, f"what does {parameter} stand for in {route}? Add it to USUAL"
    return found


def spoiled(token: str, rng: random.Random) -> str:
    """Return a token with something wrong."""
    place = rng.randrange(len(token))
    other = rng.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. é")
    return rng.choice(
        (token[:place], token[:place] + other + token[place + 1 :], token[place:], f"{token}{other}")
    )


def paths(routes: Iterable[Any]) -> Iterator[str]:
    """Yield the path of every route, those of included routers among them."""
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from paths(inner.routes)
        else:
            yield route.path


def send(port: int, ask: Ask) -> Answer:
    """Send a request over a connection of its own, and read the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(ask.raw)
        response = http.client.HTTPResponse(connection, method=ask.method)
        try:
            response.begin()
            return Answer(response.status, str(response.headers), response.read())
        except (http.client.BadStatusLine, http.client.IncompleteRead, ConnectionError):
            return Answer(0, "", b"")
