"""Fetch what others publish: small, within a time, and never from a private address."""

from __future__ import annotations

import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from newsletter.domain import errors

AGENT = "newsletter (reads pages that an editor saved or follows)"
#: Headers and their order that a polite reader sends.
_HEADERS = {
    "User-Agent": AGENT,
    "Accept": "text/html, application/xhtml+xml, application/pdf;q=0.9, */*;q=0.5",
}

#: RFC 6052 and RFC 8215: IPv4 addresses inside IPv6 ones, on the open internet and within a network.
_TRANSLATION = ipaddress.IPv6Network("64:ff9b::/96")
_LOCAL_TRANSLATION = ipaddress.IPv6Network("64:ff9b:1::/48")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one download may cost."""

    #: Bytes, after decompression.
    size: int = 5_000_000
    #: Seconds for everything, redirects included.
    seconds: float = 20
    redirects: int = 5
    #: Whether addresses inside this network may be asked.
    allow_private: bool = False


@dataclass(frozen=True, kw_only=True)
class Page:
    """What came back."""

    #: Where it was found, after redirects.
    url: str
    status: int
    content: bytes
    #: Without its parameters, lower case: ``text/html``.
    media_type: str = ""
    charset: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class DownloadError(errors.NewsletterError):
    """A page cannot be fetched."""


#: Returns the addresses of a host; `socket.getaddrinfo` in short.
Resolver = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Downloader:
    """Fetches pages within limits."""

    def __init__(self, limits: Limits | None = None, *, resolver: Resolver = resolve) -> None:
        self.limits = limits or Limits()
        self._resolver = resolver
        self._client: httpx.Client | None = None

    def fetch(self, url: str, *, headers: Mapping[str, str] | None = None) -> Page:
        """Fetch one page; a status of 304 comes back as it is.

        Raises:
            DownloadError: it cannot be reached, is too large, takes too long, or lies in a private network.
        """
        deadline = time.monotonic() + self.limits.seconds
        try:
            with self._open().stream("GET", url, headers=dict(headers or {})) as response:
                content = self._read(response, url, deadline)
        except httpx.TooManyRedirects:
            message = f"{url}: more than {self.limits.redirects} redirects"
            raise DownloadError(
                message, hint="open it in a browser and clip the address it ends at"
            ) from None
        except httpx.TimeoutException:
            raise self._too_slow(url) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:
            raise DownloadError(f"{url}: not a web address: {error}") from None
        except httpx.HTTPError as error:
            raise DownloadError(f"{url}: {error or type(error).__name__}") from error
        return _page(response, content)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _open(self) -> httpx.Client:
        if self._client is None:
            self._client = httpx.Client(
                transport=_Guarded(self._resolver, allow_private=self.limits.allow_private),
                headers=_HEADERS,
                timeout=min(10, self.limits.seconds),
                follow_redirects=True,
                max_redirects=self.limits.redirects,
                # A proxy of the environment would resolve names itself, past the check of addresses.
                trust_env=False,
            )
        return self._client

    def _read(self, response: httpx.Response, url: str, deadline: float) -> bytes:
        if response.status_code >= 400:
            raise DownloadError(f"{url}: answered {response.status_code} {response.reason_phrase}".rstrip())
        announced = response.headers.get("Content-Length", "")
        if announced.isdigit() and int(announced) > self.limits.size:
            raise self._too_large(url)
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self.limits.size:
                raise self._too_large(url)
            if time.monotonic() > deadline:
                raise self._too_slow(url)
            chunks.append(chunk)
        return b"".join(chunks)

    def _too_large(self, url: str) -> DownloadError:
        hint = "save the part you need as a file, and clip that"
        return DownloadError(f"{url}: larger than {self.limits.size:,} bytes", hint=hint)

    def _too_slow(self, url: str) -> DownloadError:
        return DownloadError(f"{url}: no whole answer within {self.limits.seconds:g} seconds")


class _Guarded(httpx.BaseTransport):
    """Resolves a host, checks its addresses, and connects to the very address it checked."""

    def __init__(self, resolver: Resolver, *, allow_private: bool) -> None:
        self._resolver = resolver
        self._allow_private = allow_private
        # Connections are told apart by address: one kept alive would serve another host of the same address
        # under the first one's certificate.
        self._inner = httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=0))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; each redirect comes through here again."""
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        if request.url.scheme not in {"http", "https"} or not host:
            raise httpx.UnsupportedProtocol(
                f"{request.url.scheme or 'no scheme'} is not http", request=request
            )
        address = self._address(host, port, request)
        inner = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            # The certificate is still the host's, not the address's.
            extensions={**request.extensions, "sni_hostname": host},
        )
        return self._inner.handle_request(inner)

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()

    def _address(self, host: str, port: int, request: httpx.Request) -> str:
        try:
            found = self._resolver(host, port)
        except OSError as error:
            raise httpx.ConnectError(f"{host} has no address ({error})", request=request) from error
        for address in found:
            if not self._allow_private and not is_public(address):
                raise httpx.ConnectError(f"{host} is {address}, a private address", request=request)
        if not found:
            raise httpx.ConnectError(f"{host} has no address", request=request)
        return found[0]


def is_public(address: str) -> bool:
    """Whether an address lies on the open internet."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _LOCAL_TRANSLATION or ip.is_site_local:
            return False
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo or (None, None))[1]
        if ip in _TRANSLATION:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast


def _page(response: httpx.Response, content: bytes) -> Page:
    kind = response.headers.get("Content-Type", "")
    # The request that was answered went to an address; its own URL has the host again.
    return Page(
        url=str(response.url),
        status=response.status_code,
        content=content,
        media_type=kind.partition(";")[0].strip().lower(),
        charset=response.charset_encoding or "",
        headers={key.lower(): value for key, value in response.headers.items()},
    )
