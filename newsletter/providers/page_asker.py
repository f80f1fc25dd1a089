"""Asks a page of our own the way a mail program does: no cookies, no redirects, a valid certificate."""

from __future__ import annotations

from typing import Any

from newsletter.providers import answers
from newsletter.sending.standing.pages import Reply

_SECONDS = 15.0
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class PageAsker:
    """Asks over https."""

    def __init__(self, *, verify: Any = True) -> None:
        self._verify = verify

    def ask(self, method: str, url: str, body: bytes = b"") -> Reply:
        """Ask; a form when there is a body."""
        import httpx

        try:
            with httpx.Client(verify=self._verify, timeout=_SECONDS, follow_redirects=False) as client:
                answer = client.request(method, url, content=body, headers=_FORM if body else {})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Reply(failure=f"{error}" or type(error).__name__)
        return Reply(
            status=answer.status_code,
            location=answer.headers.get("location", ""),
            date=answers.http_date(answer.headers.get("date", "")),
        )
