"""Downloads: small, within a time, and never from a private address."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import pytest

from newsletter.authoring import downloads
from newsletter.authoring.downloads import Downloader, DownloadError, Limits
from tests.authoring.press import Press

LOOSE = Limits(allow_private=True)


def refused(url: str, limits: Limits = LOOSE, resolver: downloads.Resolver = downloads.resolve) -> str:
    downloader = Downloader(limits, resolver=resolver)
    try:
        with pytest.raises(DownloadError) as caught:
            downloader.fetch(url)
        return str(caught.value)
    finally:
        downloader.close()


def test_a_page_comes_with_its_type_charset_and_final_address(press: Press) -> None:
    press.put("/old", b"", status=302, headers={"Location": "/new"})
    url = press.put("/new", "naïve", kind="Text/HTML; charset=UTF-8")
    downloader = Downloader(LOOSE)
    page = downloader.fetch(f"{press.base}/old")
    downloader.close()
    assert (page.url, page.content, page.media_type) == (url, "naïve".encode(), "text/html")
    assert page.charset.lower() == "utf-8"
    assert "newsletter" in press.asked[0][1]["User-Agent"]


def test_a_page_of_200_megabytes_is_left_after_the_first_five(press: Press) -> None:
    sent = itertools.count()

    def endless() -> Iterator[bytes]:
        for _ in range(3_200):
            next(sent)
            yield b"x" * 65_536

    press.put("/endless", b"", stream=endless)
    assert "larger than 5,000,000 bytes" in refused(f"{press.base}/endless")
    assert next(sent) < 1_000
    press.put("/announced", b"", headers={"Content-Length": "200000000"}, stream=lambda: iter(()))
    assert "larger than" in refused(f"{press.base}/announced")


def test_a_small_file_that_unpacks_into_a_large_one_is_left_too(press: Press) -> None:
    import gzip

    press.put("/bomb", gzip.compress(b"0" * 30_000_000), headers={"Content-Encoding": "gzip"})
    assert "larger than" in refused(f"{press.base}/bomb")


def test_a_page_that_drips_is_left_when_its_time_is_up(press: Press) -> None:
    import time

    def dripping() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x"
            time.sleep(0.05)

    press.put("/drip", b"", stream=dripping)
    assert "no whole answer within 0.3 seconds" in refused(
        f"{press.base}/drip", Limits(seconds=0.3, allow_private=True)
    )


def test_a_redirect_loop_ends_after_five(press: Press) -> None:
    press.put("/loop", b"", status=302, headers={"Location": "/loop"})
    assert "more than 5 redirects" in refused(f"{press.base}/loop")
    assert len(press.asked) == 6


def test_a_private_address_is_refused_before_anything_is_sent(press: Press) -> None:
    assert "a private address" in refused(f"{press.base}/page", Limits())
    assert press.asked == []


def test_a_redirect_to_a_private_address_is_refused(press: Press) -> None:
    port = int(press.base.rpartition(":")[2])
    press.put("/out", b"", status=302, headers={"Location": f"http://inside.example.org:{port}/secret"})
    known = {"press.example.org": "127.0.0.1", "inside.example.org": "10.0.0.7"}
    guard = _as_public({"127.0.0.1"})
    with guard:
        message = refused(f"http://press.example.org:{port}/out", Limits(), lambda host, _: [known[host]])
    assert "inside.example.org is 10.0.0.7, a private address" in message
    assert press.paths() == ["/out"]


def test_the_address_that_was_checked_is_the_one_connected_to(press: Press) -> None:
    """A name that answers public first and private afterwards gains nothing: it is asked once a request."""
    answers = iter([["127.0.0.1"], ["10.0.0.7"]])
    port = int(press.base.rpartition(":")[2])
    press.put("/page", "text")
    with _as_public({"127.0.0.1"}):
        downloader = Downloader(Limits(), resolver=lambda *_: next(answers))
        page = downloader.fetch(f"http://turncoat.example.org:{port}/page")
        downloader.close()
    assert page.content == b"text"
    assert press.asked[0][1]["Host"] == f"turncoat.example.org:{port}"
    assert next(answers) == ["10.0.0.7"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "::ffff:10.0.0.1",
        "2002:0a00:0001::",
        "64:ff9b:1::1",
        "64:ff9b::10.0.0.1",
        "fec0::1",
        "nonsense",
    ],
)
def test_addresses_inside_a_network_are_not_public(address: str) -> None:
    assert not downloads.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::93.184.216.34"])
def test_addresses_of_the_open_internet_are(address: str) -> None:
    assert downloads.is_public(address)


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    message = refused("http://mixed.example.org/", Limits(), lambda *_: ["93.184.216.34", "192.168.0.1"])
    assert "192.168.0.1, a private address" in message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://example.org/x", "ftp"),
        ("file:///etc/passwd", "file"),
        ("http://", ""),
        ("http://[::1", "not a web address"),
        ("javascript:alert(1)", ""),
    ],
)
def test_an_address_that_is_not_of_the_web_is_refused(url: str, words: str) -> None:
    assert words in refused(url)


def test_a_host_without_address_a_closed_port_and_a_missing_page_each_say_so(press: Press) -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    assert "gone.example.org has no address" in refused("http://gone.example.org/", LOOSE, nowhere)
    assert "answered 404" in refused(f"{press.base}/nothing")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert f"127.0.0.1:{port}" in refused(f"http://127.0.0.1:{port}/")


class _as_public:  # noqa: N801 - reads as a word in a with statement
    """Let loopback pass for the open internet: there is no other server to ask in a test."""

    def __init__(self, addresses: set[str]) -> None:
        self._addresses, self._patch = addresses, pytest.MonkeyPatch()

    def __enter__(self) -> None:
        real = downloads.is_public
        self._patch.setattr(
            downloads, "is_public", lambda address: address in self._addresses or real(address)
        )

    def __exit__(self, *_: object) -> None:
        self._patch.undo()
