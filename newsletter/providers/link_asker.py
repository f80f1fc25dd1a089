"""Asks web servers whether pages are there: politely, at once, and never inside the house."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

import newsletter
from newsletter import ports
from newsletter.checking import link_health

_TROUBLE = link_health.Trouble
#: Statuses after which a page may still be there for GET: many servers answer HEAD by chance.
_TRY_GET = frozenset({400, 401, 403, 404, 405, 406, 410, 429, 500, 501, 502, 503})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
#: Translators' prefix for the whole internet, and that for a network's own use (RFC 6052, RFC 8215); the form
#: that IPv4 addresses had in IPv6 before (RFC 4291 §2.5.5.1).
_TRANSLATED, _LOCAL_USE, _COMPATIBLE = map(ipaddress.IPv6Network, ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))
#: An answer that a page is there is believed for a day, any other for an hour.
_GOOD_FOR, _BAD_FOR = timedelta(days=1), timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How much is asked of other people's servers."""

    #: Seconds for one hop, connection included.
    timeout: float = 10.0
    #: Seconds for one address, redirects included.
    patience: float = 20.0
    at_once: int = 16
    per_host: int = 2
    redirects: int = 5
    #: Bytes that are read of a page at most.
    most_read: int = 65_536
    #: Certificates that are believed; None: those that httpx brings.
    trust: ssl.SSLContext | None = None
    #: Ask private and loopback addresses too: tests, and newsrooms that link to their own network.
    allow_private: bool = False


class WebAsker:
    """Asks over HTTP, and remembers the answers in a file."""

    def __init__(
        self, *, clock: ports.Clock, contact: str, memory: Path | None = None, manners: Manners | None = None
    ) -> None:
        self._clock = clock
        self._memory = memory
        self._manners = manners or Manners()
        self._agent = f"newsletter/{newsletter.__version__} (link check; +{contact})"

    def ask(
        self, urls: Sequence[str], *, told: Callable[[link_health.Answer], None] = lambda _: None
    ) -> Mapping[str, link_health.Answer]:
        """Ask each address once, all at a time; ``told`` hears each answer as it comes."""
        known = {url: answer for url, answer in self._remembered() if self._is_fresh(answer)}
        answers = {url: known[url] for url in urls if url in known}
        for answer in answers.values():
            told(answer)
        asked = asyncio.run(self._ask([url for url in dict.fromkeys(urls) if url not in known], told))
        if _is_cut_off(asked.values()):
            return answers | {url: _unreachable(answer) for url, answer in asked.items()}
        self._remember(known | asked)
        return answers | asked

    async def _ask(
        self, urls: Sequence[str], told: Callable[[link_health.Answer], None]
    ) -> dict[str, link_health.Answer]:
        everywhere = asyncio.Semaphore(self._manners.at_once)
        hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(self._manners.per_host)
        )
        answers = {}

        async def one(client: httpx.AsyncClient, url: str) -> None:
            async with hosts[urlsplit(url).hostname or ""], everywhere:
                answers[url] = await self._visit(client, url)
            told(answers[url])

        # A connection is known by its address, which sites share: one made for another's name must not serve.
        limits = httpx.Limits(max_connections=self._manners.at_once, max_keepalive_connections=0)
        # No proxy of the environment: addresses are judged here, and must be the ones that are asked.
        async with httpx.AsyncClient(
            headers={"User-Agent": self._agent, "Accept": "*/*"},
            timeout=self._manners.timeout,
            limits=limits,
            verify=self._manners.trust or True,
            trust_env=False,
        ) as client:
            await asyncio.gather(*(one(client, url) for url in urls))
        return answers

    async def _visit(self, client: httpx.AsyncClient, url: str) -> link_health.Answer:
        try:
            async with asyncio.timeout(self._manners.patience):
                return await self._follow(client, url)
        except _NotAskedError as error:
            return self._answer(url, trouble=error.trouble, detail=str(error))
        except (TimeoutError, httpx.TimeoutException):
            return self._answer(url, trouble=_TROUBLE.TIMED_OUT)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            certificate = _certificate(error)
            trouble = _TROUBLE.CERTIFICATE if certificate else _TROUBLE.UNREACHABLE
            return self._answer(url, trouble=trouble, detail=certificate or type(error).__name__)

    async def _follow(self, client: httpx.AsyncClient, url: str) -> link_health.Answer:
        at, moved = url, True
        for _ in range(self._manners.redirects + 1):
            status, location = await self._hop(client, at)
            if status not in _REDIRECTS or not location:
                return self._answer(url, status=status, final=at, moved=moved and at != url)
            moved = moved and status in _PERMANENT
            at = urljoin(at, location)
        raise _NotAskedError(_TROUBLE.REDIRECTS, f"more than {self._manners.redirects}")

    async def _hop(self, client: httpx.AsyncClient, url: str) -> tuple[int, str]:
        """Ask one address, with HEAD and then, where that tells too little, with GET."""
        target, headers, extensions = await self._target(url)
        for method in ("HEAD", "GET"):
            request = client.build_request(method, target, headers=headers, extensions=extensions)
            response = await client.send(request, stream=True)
            try:
                if method == "HEAD" and response.status_code in _TRY_GET:
                    continue
                await self._read(response)
                return response.status_code, response.headers.get("location", "")
            finally:
                await response.aclose()
        raise AssertionError("GET always answers")

    async def _read(self, response: httpx.Response) -> None:
        """Read a little, so that small answers leave their connection fit for the next."""
        read = 0
        async for chunk in response.aiter_raw():
            read += len(chunk)
            if read > self._manners.most_read:
                return

    async def _target(self, url: str) -> tuple[httpx.URL, dict[str, str], dict[str, Any]]:
        """Return the address with its host resolved and judged, so that what is asked is what was judged."""
        parsed = httpx.URL(url)
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise _NotAskedError(_TROUBLE.REDIRECTS, f"to {url[:80]}")
        address = await self._resolve(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))
        host = parsed.raw_host.decode()
        named = f"{host}:{parsed.port}" if parsed.port else host
        return parsed.copy_with(host=address), {"Host": named}, {"sni_hostname": host}

    async def _resolve(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            unknown = error.errno in {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
            trouble = _TROUBLE.UNKNOWN_HOST if unknown else _TROUBLE.UNREACHABLE
            raise _NotAskedError(trouble, error.strerror or "no address") from error
        addresses = [str(entry[4][0]) for entry in found]
        private = [address for address in addresses if not _is_public(address)]
        if private and not self._manners.allow_private:
            raise _NotAskedError(_TROUBLE.PRIVATE, private[0])
        return addresses[0]

    def _answer(self, url: str, **facts: Any) -> link_health.Answer:
        return link_health.Answer(url=url, asked_at=self._clock(), **{"final": url, **facts})

    def last_asked(self, urls: Sequence[str]) -> datetime | None:
        """Return since when the answers of all these are known; None where one was never asked."""
        known = dict(self._remembered())
        times = [known[url].asked_at for url in urls if url in known]
        return min(times) if times and len(times) == len(urls) else None

    def _is_fresh(self, answer: link_health.Answer) -> bool:
        good = answer.trouble is _TROUBLE.NONE and answer.status < 400
        return self._clock() - answer.asked_at < (_GOOD_FOR if good else _BAD_FOR)

    def _remembered(self) -> Iterator[tuple[str, link_health.Answer]]:
        """Yield what the file remembers; one that cannot be read is no memory at all."""
        if self._memory is None:
            return
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            for row in json.loads(self._memory.read_text(encoding="utf-8")):
                row["asked_at"] = datetime.fromisoformat(row["asked_at"])
                row["trouble"] = _TROUBLE(row["trouble"])
                yield row["url"], link_health.Answer(**row)

    def _remember(self, answers: Mapping[str, link_health.Answer]) -> None:
        if self._memory is None:
            return
        rows = [asdict(answer) | {"asked_at": answer.asked_at.isoformat()} for answer in answers.values()]
        self._memory.parent.mkdir(parents=True, exist_ok=True)
        beside = self._memory.with_suffix(".new")
        beside.write_text(json.dumps(rows, ensure_ascii=False, indent=1), encoding="utf-8")
        beside.replace(self._memory)


class _NotAskedError(Exception):
    """An address that cannot or must not be asked."""

    def __init__(self, trouble: link_health.Trouble, detail: str) -> None:
        super().__init__(detail)
        self.trouble = trouble


def _is_cut_off(answers: Collection[link_health.Answer]) -> bool:
    """Say whether not one of several hosts could be reached: then the fault is on our side."""
    hosts = {urlsplit(answer.url).hostname for answer in answers}
    lost = {_TROUBLE.UNKNOWN_HOST, _TROUBLE.UNREACHABLE}
    return len(hosts) > 1 and all(answer.trouble in lost for answer in answers)


def _unreachable(answer: link_health.Answer) -> link_health.Answer:
    detail = "no host answers: is this machine online?"
    return replace(answer, trouble=_TROUBLE.UNREACHABLE, detail=detail)


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if within := _within(ip):
            return _is_public(str(within))
        if ip.is_site_local or ip in _LOCAL_USE:
            return False
    return ip.is_global and not ip.is_multicast


def _within(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 one leads to, if any: mapped, 6to4, or translated (RFC 6052)."""
    if ip in _TRANSLATED or ip in _COMPATIBLE:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _certificate(error: BaseException) -> str:
    """Return what is wrong with a certificate, found down the chain of causes; empty when it is something
    else."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return str(seen.verify_message)
        seen = seen.__cause__ or seen.__context__
    return "certificate verify failed" if "CERTIFICATE_VERIFY_FAILED" in str(error) else ""
