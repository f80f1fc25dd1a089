"""Forms that strangers fill in: proof against forged posts, and against robots in a hurry."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from newsletter import ports
from newsletter.domain import errors
from newsletter.domain.tokens import Purpose, Signer
from newsletter.web import security

_COOKIE = "form"
#: Nobody reads and fills in a form faster; a page may stay open for a working day.
FASTEST = timedelta(seconds=2)
SLOWEST = timedelta(hours=12)
#: What no keyboard types: control characters, and those that turn the direction of what follows.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def is_framed(request: Request) -> bool:
    """Say whether a browser asks for a page to show it in a frame (https://www.w3.org/TR/fetch-metadata)."""
    return request.headers.get("sec-fetch-dest") in {"iframe", "frame"}


class ForgedFormError(errors.NewsletterError):
    """A form was posted that we did not show to whoever posts it."""

    def __init__(self, message: str, filled: Filled) -> None:
        super().__init__(message)
        #: What was typed, for the form to be shown again.
        self.filled = filled


@dataclass(frozen=True, kw_only=True)
class Blank:
    """The hidden fields of a form that is shown."""

    csrf: str
    began: str
    cookie: str


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A form that came back."""

    values: Mapping[str, list[str]]
    #: Whether it was a person's pace, and the trap is empty.
    human: bool

    def text(self, name: str) -> str:
        """Return a field, trimmed and on one line; empty when it is not there."""
        return " ".join(_CONTROLS.sub(" ", self.values.get(name, [""])[0]).split())[:320]

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return tuple(self.values.get(name, []))


class Forms:
    """Shows forms and reads them again."""

    def __init__(
        self, signer: Signer, *, clock: ports.Clock, new_id: Callable[[], str], secure: bool
    ) -> None:
        self._signer = signer
        self._clock = clock
        self._new_id = new_id
        self._secure = secure

    def blank(self, request: Request) -> Blank:
        """Return the hidden fields for a form that is about to be shown."""
        cookie = request.cookies.get(_COOKIE, "")
        if not cookie.isalnum() or len(cookie) > 64:
            cookie = self._new_id()
        began = self._signer.sign(Purpose.FORM, int(self._clock().timestamp()))
        return Blank(csrf=self._mark(cookie), began=began, cookie=cookie)

    def show(self, response: Response, blank: Blank, *, framed: bool = False) -> Response:
        """Send a form's cookie along: it goes nowhere but back to us, and no script reads it.

        In a frame on another site it is kept for that site alone (https://developer.mozilla.org, CHIPS).
        """
        rules = "SameSite=None; Partitioned" if framed and self._secure else "SameSite=Strict"
        secure = "; Secure" if self._secure else ""
        response.headers.append("Set-Cookie", f"{_COOKIE}={blank.cookie}; HttpOnly; Path=/; {rules}{secure}")
        return response

    async def read(self, request: Request) -> Filled:
        """Read a form that came back.

        Raises:
            ForgedFormError: it was not shown to whoever posts it, or too long ago.
            HTTPException: it holds what no form can.
        """
        values = _parsed(await security.body(request))
        cookie, mark = request.cookies.get(_COOKIE, ""), values.get("csrf", [""])[0]
        if not cookie or not hmac.compare_digest(self._mark(cookie).encode(), mark.encode()):
            raise ForgedFormError("the form was not shown by us", Filled(values=values, human=False))
        age = self._age(values)
        if age > SLOWEST:
            raise ForgedFormError("the form was open for too long", Filled(values=values, human=False))
        return Filled(values=values, human=age >= FASTEST and not values.get("website", [""])[0])

    def _age(self, values: Mapping[str, list[str]]) -> timedelta:
        try:
            (at,) = self._signer.read(Purpose.FORM, values.get("began", [""])[0])
        except (errors.TokenError, ValueError):
            raise ForgedFormError(
                "the form was not shown by us", Filled(values=values, human=False)
            ) from None
        return timedelta(seconds=self._clock().timestamp() - at)

    def _mark(self, cookie: str) -> str:
        return self._signer.keyed_hash(f"csrf {cookie}")[:32]


def _parsed(body: bytes) -> Mapping[str, list[str]]:
    try:
        values = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError:  # more fields than any form of ours has
        return {}
    # PostgreSQL has no place for it, and no browser sends it.
    if any("\0" in text for texts in values.values() for text in texts):
        raise HTTPException(400, "This form holds what nobody can have typed.")
    return values
