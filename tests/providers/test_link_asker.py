"""Web servers are asked politely, and never inside the house."""

from __future__ import annotations

import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from newsletter.checking import link_health
from newsletter.providers import link_asker

NOW = datetime(2026, 2, 6, 9, 0, tzinfo=UTC)
TROUBLE = link_health.Trouble


class Site(ThreadingHTTPServer):
    """A small web site that remembers who asked for what."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Page)
        self.asked: list[tuple[str, str, str]] = []
        self.closing = threading.Event()
        self.inside: Counter[str] = Counter()
        self.most_inside = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.answer()

    def do_GET(self) -> None:
        self.answer()

    def answer(self) -> None:
        self.server.asked.append((self.command, self.path, self.headers["User-Agent"]))
        name = self.path.strip("/").partition("/")[0]
        if name == "silent":
            self.server.closing.wait()
            return
        if name == "together":
            self.meet()
        if name == "endless" and self.command == "GET":
            self.pour()
            return
        statuses = {
            "gone": 410,
            "missing": 404,
            "broken": 500,
            "nohead": 405 if self.command == "HEAD" else 200,
        }
        self.reply(*self.redirect(name) or (statuses.get(name, 200), ""))

    def redirect(self, name: str) -> tuple[int, str] | None:
        return {
            "moved": (301, "/new"),
            "lost": (302, "/"),
            "loop": (302, "/loop"),
            "inward": (302, "http://10.0.0.1/secret"),
            "odd": (302, "ftp://127.0.0.1/x"),
            "endless": (405, ""),
        }.get(name)

    def reply(self, status: int, location: str) -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def pour(self) -> None:
        self.send_response(200)
        self.end_headers()
        try:
            while not self.server.closing.is_set():
                self.wfile.write(b"x" * 65_536)
        except OSError:
            return

    def meet(self) -> None:
        """Count how many requests are inside at once."""
        with self.server.lock:
            self.server.inside["now"] += 1
            self.server.most_inside = max(self.server.most_inside, self.server.inside["now"])
        self.server.closing.wait(0.05)
        with self.server.lock:
            self.server.inside["now"] -= 1


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def asker(clock: Clock | None = None, memory: Path | None = None, **manners: object) -> link_asker.WebAsker:
    chosen = link_asker.Manners(**{"allow_private": True, **manners})  # type: ignore[arg-type]  # fields by name
    return link_asker.WebAsker(
        clock=clock or Clock(), contact="editors@example.org", memory=memory, manners=chosen
    )


def ask(site: Site, path: str, **manners: object) -> link_health.Answer:
    url = site.url + path
    return asker(**manners).ask([url])[url]  # type: ignore[arg-type]  # manners only


def test_a_page_that_is_there_is_asked_by_head_alone(site: Site) -> None:
    answer = ask(site, "/page")
    assert (answer.status, answer.trouble, answer.asked_at) == (200, TROUBLE.NONE, NOW)
    assert [(method, path) for method, path, _ in site.asked] == [("HEAD", "/page")]


def test_we_say_who_asks_and_whom_to_write_to(site: Site) -> None:
    ask(site, "/page")
    agent = site.asked[0][2]
    assert agent.startswith("newsletter/")
    assert agent.endswith("(link check; +editors@example.org)")


@pytest.mark.parametrize(
    ("path", "status"), [("/missing", 404), ("/gone", 410), ("/broken", 500), ("/nohead", 200)]
)
def test_a_refusal_of_head_is_asked_again_by_get(site: Site, path: str, status: int) -> None:
    assert ask(site, path).status == status
    assert [method for method, _, _ in site.asked] == ["HEAD", "GET"]


def test_redirects_are_followed_and_told(site: Site) -> None:
    moved = ask(site, "/moved")
    assert (moved.status, moved.final, moved.moved) == (200, f"{site.url}/new", True)
    lost = ask(site, "/lost")
    assert (lost.status, lost.final, lost.moved) == (200, f"{site.url}/", False)


def test_redirects_without_end_are_given_up(site: Site) -> None:
    assert ask(site, "/loop", redirects=3).trouble is TROUBLE.REDIRECTS
    assert len(site.asked) == 4


def test_a_redirect_to_no_web_address_is_not_followed(site: Site) -> None:
    assert ask(site, "/odd").trouble is TROUBLE.REDIRECTS


def test_a_silent_server_is_left_after_the_time_given(site: Site) -> None:
    assert ask(site, "/silent", timeout=0.2).trouble is TROUBLE.TIMED_OUT
    assert ask(site, "/silent", timeout=60.0, patience=0.2).trouble is TROUBLE.TIMED_OUT


def test_an_endless_page_is_not_read_to_its_end(site: Site) -> None:
    assert ask(site, "/endless", patience=10.0).status == 200


def test_nobody_listening_is_unreachable(site: Site) -> None:
    with Site() as other:
        url = other.url
    assert asker().ask([url])[url].trouble is TROUBLE.UNREACHABLE


def test_a_host_without_a_name_server_is_unknown() -> None:
    url = "https://no-such-host.invalid/page"
    assert asker().ask([url])[url].trouble in {TROUBLE.UNKNOWN_HOST, TROUBLE.UNREACHABLE}


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1/", "http://localhost/", "http://[::1]/", "http://10.1.2.3/", "http://169.254.169.254/latest",
     "http://[::ffff:192.168.0.1]/", "http://0.0.0.0/", "http://[::]/", "http://[::127.0.0.1]/", "http://[fec0::1]/",
     # 6to4, and both prefixes of translators.
     "http://[2002:7f00:1::]/", "http://[64:ff9b::10.0.0.1]/", "http://[64:ff9b:1::1]/"],
)  # fmt: skip
def test_private_addresses_are_never_asked(url: str) -> None:
    answer = asker(allow_private=False).ask([url])[url]
    assert (answer.trouble, answer.status) == (TROUBLE.PRIVATE, 0)


def test_a_redirect_into_the_house_is_not_followed(site: Site) -> None:
    # The site itself lies on loopback, so the first hop is let through.
    class Doorkeeper(link_asker.WebAsker):
        async def _resolve(self, host: str, port: int) -> str:
            if host == "127.0.0.1":
                return host
            return await super()._resolve(host, port)

    url = f"{site.url}/inward"
    keeper = Doorkeeper(clock=Clock(), contact="x", manners=link_asker.Manners(allow_private=False))
    answer = keeper.ask([url])[url]
    assert (answer.trouble, answer.detail) == (TROUBLE.PRIVATE, "10.0.0.1")


def secured(site: Site, *names: str) -> ssl.SSLContext:
    """Put a site behind TLS for some names, and return what believes its certificate."""
    authority, serving = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(serving)
    site.socket = serving.wrap_socket(site.socket, server_side=True)
    believing = ssl.create_default_context()
    authority.configure_trust(believing)
    return believing


def test_a_certificate_is_held_to_the_name_that_was_asked(site: Site) -> None:
    trust = secured(site, "localhost")
    named, numbered = (
        site.url.replace("http://127.0.0.1", f"https://{host}") for host in ("localhost", "127.0.0.1")
    )
    answers = asker(trust=trust).ask([f"{named}/moved", f"{numbered}/page"])
    assert answers[f"{named}/moved"].status == 200
    # The same address, whose certificate is for another name: no connection is shared.
    assert answers[f"{numbered}/page"].trouble is TROUBLE.CERTIFICATE


def test_when_no_host_can_be_reached_the_fault_is_ours_and_is_not_remembered(tmp_path: Path) -> None:
    urls = ["https://one.invalid/", "https://two.invalid/"]
    answers = asker(memory=tmp_path / "links.json").ask(urls)
    assert {answer.trouble for answer in answers.values()} == {TROUBLE.UNREACHABLE}
    assert not (tmp_path / "links.json").exists()


def test_a_certificate_nobody_vouches_for_is_told(site: Site) -> None:
    secured(site, "localhost")
    url = site.url.replace("http://127.0.0.1", "https://localhost")
    answer = asker().ask([url])[url]
    assert answer.trouble is TROUBLE.CERTIFICATE
    assert answer.detail


def test_one_host_is_never_asked_by_more_than_its_share(site: Site) -> None:
    urls = [f"{site.url}/together/{n}" for n in range(8)]
    asker(per_host=2).ask(urls)
    assert len(site.asked) == 8
    assert site.most_inside <= 2


def test_each_answer_is_told_as_it_comes_and_each_address_asked_once(site: Site) -> None:
    told: list[str] = []
    url = f"{site.url}/page"
    asker().ask([url, url, f"{site.url}/gone"], told=lambda answer: told.append(answer.url))
    assert sorted(told) == [f"{site.url}/gone", url]


def test_good_answers_are_believed_for_a_day_and_bad_ones_for_an_hour(site: Site, tmp_path: Path) -> None:
    clock, memory = Clock(), tmp_path / "cache" / "links.json"
    urls = [f"{site.url}/page", f"{site.url}/gone"]

    def asked_after(hours: int) -> list[str]:
        clock.now = NOW + timedelta(hours=hours)
        site.asked.clear()
        answers = asker(clock, memory).ask(urls)
        assert answers[urls[0]].asked_at <= clock.now
        return sorted({path for _, path, _ in site.asked})

    assert asked_after(0) == ["/gone", "/page"]
    assert asked_after(0) == []
    assert asked_after(2) == ["/gone"]
    assert asked_after(25) == ["/gone", "/page"]


def test_a_memory_that_cannot_be_read_is_no_memory(site: Site, tmp_path: Path) -> None:
    memory = tmp_path / "links.json"
    memory.write_text("[{", encoding="utf-8")
    assert asker(memory=memory).ask([f"{site.url}/page"])
    assert asker(memory=memory).ask([f"{site.url}/page"])
    assert len(site.asked) == 1
