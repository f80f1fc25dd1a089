"""What carries a call to an email API and its answer back, and what it means where no answer came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from newsletter.domain.verdicts import Kind, Scope, Verdict
from newsletter.providers.answers import Answer, Call

if TYPE_CHECKING:
    import httpx

#: An answer longer than this is not one of a provider's.
MAX_ANSWER = 4 * 1024 * 1024
#: Seconds. A connection that idled longer may close under the next request and leave it in doubt.
IDLE = 5.0
#: Bytes that are handed to the connection at once.
_PIECE = 256 * 1024
_UNWRITABLE = "the call cannot be written: is the key set in .env, on one line, and url an https address?"


class Carrier(Protocol):
    """Connections to one API, open as long as the block runs."""

    async def __aenter__(self) -> Self:
        """Open the block."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        ...

    async def ask(self, call: Call) -> Answer | Verdict:
        """Make a call once; a verdict instead of an answer where none came."""
        ...


def unreached(error: BaseException) -> Verdict:
    """Return what it means that there was no connection: nobody can have taken anything."""
    return Verdict(kind=Kind.RETRY, scope=Scope.MAILING, reason=f"no connection: {_named(error)}")


def unwritable() -> Verdict:
    """Return what it means that a call cannot be written: nothing left this machine.

    The error's own words would show the key.
    """
    return Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason=_UNWRITABLE)


def unanswered(error: BaseException) -> Verdict:
    """Return what it means that a call went out and nothing came back."""
    return Verdict(kind=Kind.UNKNOWN, reason=f"handed over, and no answer came: {_named(error)}")


class HttpxCarrier:
    """httpx, with HTTP/2 where it is offered: for calls that hold many messages."""

    def __init__(self, *, connections: int, timeout: float, verify: Any) -> None:
        import httpx

        self._client = httpx.AsyncClient(
            http2=True,
            verify=verify,
            timeout=timeout,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=connections, keepalive_expiry=IDLE),
        )

    async def __aenter__(self) -> Self:
        """Open the block."""
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._client.__aexit__(kind, error, trace)

    async def ask(self, call: Call) -> Answer | Verdict:
        """Make a call once; a verdict instead of an answer where none came."""
        import httpx

        try:
            async with self._client.stream(
                call.method, call.url, headers=_headers(call), content=_content(call)
            ) as response:
                body = await _read(response)
                names = {name.lower(): value for name, value in response.headers.items()}
                return Answer(status=response.status_code, headers=names, body=body)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            return unreached(error)
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol):
            return unwritable()
        except httpx.HTTPError as error:
            return unanswered(error)


def _headers(call: Call) -> dict[str, str]:
    length = {"Content-Length": str(len(call.content))} if len(call.content) > _PIECE else {}
    return {**call.headers, **length}


def _content(call: Call) -> bytes | AsyncIterator[bytes]:
    """Return what is sent: what is long in pieces, or each layer below would copy the whole of it."""
    return call.content if len(call.content) <= _PIECE else _pieces(call.content)


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]


def _named(error: BaseException) -> str:
    return f"{type(error).__name__} {error}".strip()


async def _read(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_ANSWER:
            break
    return body[:MAX_ANSWER]
