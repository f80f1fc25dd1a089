"""Leaving by a link: GET shows, POST acts, and RFC 8058 needs neither page nor cookie nor redirect."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse

from newsletter.domain import addresses, subscribers
from newsletter.domain.tokens import Purpose
from newsletter.subscribing import leaving
from newsletter.web import desk, gathering, languages, pages, security

_SHOW = ["GET", "HEAD"]
#: What the form of our own page posts; anything else is a mail program's one click.
_BY_PAGE = b"from=page"


def router(at: desk.Desk) -> APIRouter:
    """Return the pages under /u and /undo."""
    routes = APIRouter()
    door = _Door(at)
    routes.add_api_route("/u/{token}", door.ask, methods=_SHOW)
    routes.add_api_route("/u/{token}", door.leave, methods=["POST"])
    routes.add_api_route("/undo/{token}", door.ask_undo, methods=_SHOW)
    routes.add_api_route("/undo/{token}", door.undo, methods=["POST"])
    return routes


class _Door:
    """The way out, and back in."""

    def __init__(self, at: desk.Desk) -> None:
        self._at = at
        self._exit = gathering.Gathering[leaving.Departure, leaving.Departed](
            lambda wanted: at.exit.take(wanted, now=at.clock())
        )

    def ask(self, token: str, request: Request) -> Response:
        """Show who would leave what; change nothing."""
        subscriber, _ = self._named(Purpose.LEAVE, token)
        person = self._at.directory.get(subscriber)
        if person is None or person.status in subscribers.OFF:
            return self._left(person, request)
        return self._page("leave", request, masked=addresses.masked(person.email))

    async def leave(self, token: str, request: Request) -> Response:
        """Let somebody leave; repeatable, and 200 for whoever left long ago (RFC 8058 §3.1)."""
        by_page = _BY_PAGE in await security.body(request)
        how = subscribers.How.PAGE if by_page else subscribers.How.ONE_CLICK
        subscriber, mailing = self._named(Purpose.LEAVE, token)
        wish = leaving.Departure(subscriber=subscriber, mailing=mailing, how=how)
        person, _ = await self._exit.ask(wish)
        self._at.call_mailroom()
        if by_page:
            return self._left(person, request)
        return PlainTextResponse("You are unsubscribed.\n", headers={"Cache-Control": "no-store"})

    def ask_undo(self, token: str, request: Request) -> Response:
        """Show who would come back; change nothing."""
        person = self._at.directory.get(self._named(Purpose.UNDO, token)[0])
        if person is None:
            return self._left(None, request)
        return self._page("undo", request, masked=addresses.masked(person.email))

    def undo(self, token: str, request: Request) -> Response:
        """Take a leaving back."""
        subscriber, _ = self._named(Purpose.UNDO, token)
        person = leaving.come_back(self._at.directory, subscriber, source="undo link", now=self._at.clock())
        if person is None or person.status is not subscribers.Status.ACTIVE:
            return self._left(person, request)
        return self._page("back", request, masked=addresses.masked(person.email))

    def _left(self, person: subscribers.Subscriber | None, request: Request) -> Response:
        undo = ""
        if person is not None and person.status is subscribers.Status.UNSUBSCRIBED:
            undo = self._at.signer.sign(Purpose.UNDO, person.id)
        masked = addresses.masked(person.email) if person else ""
        return self._page("left", request, masked=masked, undo=undo)

    def _page(self, name: str, request: Request, *, masked: str, undo: str = "") -> Response:
        language = languages.chosen(request, self._at.publication.language)
        return pages.page(name, self._at.publication, language=language, masked=masked, undo=undo)

    def _named(self, purpose: Purpose, token: str) -> tuple[int, int]:
        """Return the subscriber and the mailing that a token names; mailing 0: none."""
        numbers = self._at.signer.read(purpose, token)
        return (numbers[0], numbers[1]) if len(numbers) > 1 else (numbers[0], 0)
