"""The gates that webhooks come in by: one for each email API in the settings, by the provider's name."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from newsletter.domain import errors, events
from newsletter.providers import hooks, registry, sns

if TYPE_CHECKING:
    import httpx

#: A certificate has about 2 KB.
_MAX_ANSWER = 64 * 1024
_TIMEOUT = 10.0

#: Asks for a URL and returns the body of its answer.
Get = Callable[[str], bytes]


class Gate:
    """Checks who sent a webhook, and reads what it tells."""

    def __init__(self, kind: str, secrets: Sequence[str], *, get: Get | None = None) -> None:
        self._adapter: Any = importlib.import_module(registry.KINDS[kind].partition(":")[0])
        self._kind = kind
        self._secrets = tuple(secrets)
        self._get = get or fetch
        #: Whether `check` and `confirm` may ask another server, and so must not run in an event loop.
        self.asks = kind == "ses"

    @property
    def is_open(self) -> bool:
        """Whether there is a secret to check webhooks with."""
        return bool(self._secrets)

    def check(self, hook: hooks.Hook, *, now: datetime) -> None:
        """Make sure that a webhook was signed by whom it names, and lately.

        Raises:
            SignatureError: it was not, or no secret is set to check it with.
        """
        if not self._secrets:
            raise hooks.SignatureError("no secret is set to check this webhook with")
        if self._kind == "ses":
            sns.verify(hook, secrets=self._secrets, now=now, fetch=self._get)
        else:
            self._adapter.verify(hook, secrets=self._secrets, now=now)

    def read(self, body: bytes) -> list[events.Event]:
        """Return the events that a webhook tells of."""
        found: list[events.Event] = self._adapter.parse_events(body)
        return found

    def confirm(self, body: bytes) -> bool:
        """Confirm the subscription that a verified webhook asks for; False when it asks for nothing."""
        url = sns.confirmation(body) if self._kind == "ses" else ""
        if url:
            self._get(url)
        return bool(url)


@lru_cache(maxsize=32)
def fetch(url: str) -> bytes:
    """Ask for a small document of the vendor's own host; a redirect is not followed.

    Raises:
        ProviderError: it cannot be had.
    """
    import httpx

    try:
        with (
            httpx.Client(timeout=_TIMEOUT, follow_redirects=False) as client,
            client.stream("GET", url) as response,
        ):
            response.raise_for_status()
            return _small(response)
    except httpx.HTTPError as error:
        raise errors.ProviderError(f"{url} cannot be fetched: {error}") from error


def _small(response: httpx.Response) -> bytes:
    body = b""
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > _MAX_ANSWER:
            raise errors.ProviderError(f"{response.url} is larger than such a document is")
    return body
