"""Leaving by a link: GET shows, POST acts, and RFC 8058 needs neither page nor cookie nor redirect."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.domain import addresses, errors, subscribers, tokens
from newsletter.domain.tokens import Purpose
from newsletter.subscribing import leaving
from newsletter.web import desk, gathering, languages, pages, parting, refusals, security

_SHOW = ["GET", "HEAD"]
_PATH = "/u/"
#: What the form of our own page posts; anything else is a mail program's one click.
_BY_PAGE = b"from=page"
_DONE = b"You are unsubscribed.\n"
_DONE_HEADERS = (
    (b"content-type", b"text/plain; charset=utf-8"),
    (b"content-length", b"%d" % len(_DONE)),
    (b"cache-control", b"no-store"),
)


class Door:
    """Lets leavers out past everything that only pages need: after a mailing they come by the thousand."""

    def __init__(self, app: ASGIApp, *, ways: Ways) -> None:
        self._app = app
        self._ways = ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        token = ""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(_PATH):
            token = scope["path"][len(_PATH) :]
        if token and "/" not in token:
            await self._ways.leave(token, scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Ways:
    """The way out, and back in."""

    def __init__(self, at: desk.Desk) -> None:
        self._at = at
        self._exit = gathering.Gathering[leaving.Departure, leaving.Departed](
            lambda wanted: at.exit.take(wanted, now=at.clock())
        )

    def router(self) -> APIRouter:
        """Return the pages under /u and /undo; who posts to /u comes by the `Door`."""
        routes = APIRouter()
        routes.add_api_route("/u/{token}", self.ask, methods=_SHOW)
        routes.add_api_route("/undo/{token}", self.ask_undo, methods=_SHOW)
        routes.add_api_route("/undo/{token}", self.undo, methods=["POST"])
        return routes

    def ask(self, token: str, request: Request) -> Response:
        """Show who would leave what; change nothing."""
        subscriber, _ = self._named(Purpose.LEAVE, token)
        person = self._at.directory.get(subscriber)
        if person is None or person.status in subscribers.OFF:
            return self._seen(request, person)
        topics = parting.chosen(person, self._at.topics)
        return self._page(
            "leave", request, masked=addresses.masked(person.email), token=token, topics=topics, dropped=""
        )

    async def leave(self, token: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Let somebody leave; repeatable, and 200 for whoever left long ago (RFC 8058 §3.1)."""
        request = Request(scope, receive)
        try:
            by_page = _BY_PAGE in await security.body(request)
            how = subscribers.How.PAGE if by_page else subscribers.How.ONE_CLICK
            subscriber, mailing = self._named(Purpose.LEAVE, token)
            wish = leaving.Departure(subscriber=subscriber, mailing=mailing, how=how)
            departed = await self._exit.ask(wish)
            self._at.call_mailroom()
            if not by_page:
                await send({"type": "http.response.start", "status": 200, "headers": _DONE_HEADERS})
                await send({"type": "http.response.body", "body": _DONE})
                return
            answer = self._left(request, subscriber, departed.email, departed.now, token=token)
        except errors.TokenError:
            answer = refusals.forged(request, self._at.publication)
        except errors.StoreError as error:
            answer = refusals.unavailable(error)
        await answer(scope, receive, send)

    def ask_undo(self, token: str, request: Request) -> Response:
        """Show who would come back; change nothing."""
        person = self._returning(token)
        if person is None:
            return self._seen(request, None)
        return self._page("undo", request, masked=addresses.masked(person.email))

    def undo(self, token: str, request: Request) -> Response:
        """Take a leaving back."""
        person = self._returning(token)
        if person is not None:
            now = self._at.clock()
            person = leaving.come_back(self._at.directory, person.id, source="undo link", now=now)
        if person is None or person.status is not subscribers.Status.ACTIVE:
            return self._seen(request, person)
        return self._page("back", request, masked=addresses.masked(person.email))

    def _seen(self, request: Request, person: subscribers.Subscriber | None) -> Response:
        if person is None:
            return self._left(request, 0, "", None)
        return self._left(request, person.id, person.email, person.status)

    def _left(
        self,
        request: Request,
        subscriber: int,
        email: str,
        status: subscribers.Status | None,
        *,
        token: str = "",
    ) -> Response:
        undo = ""
        if status is subscribers.Status.UNSUBSCRIBED:
            undo = self._at.signer.sign(Purpose.UNDO, subscriber, tokens.fingerprint(email))
        masked = addresses.masked(email) if email else ""
        token = token if undo else ""
        return self._page("left", request, masked=masked, undo=undo, token=token, said=False)

    def _page(self, name: str, request: Request, **values: object) -> Response:
        language = languages.chosen(request, self._at.publication.language)
        return pages.page(name, self._at.publication, status=200, language=language, **values)

    def _returning(self, token: str) -> subscribers.Subscriber | None:
        """Return who may take a leaving back; a change of address makes the links of old mails worthless.

        Raises:
            TokenError: the link is not one of ours, or was one.
        """
        number, known_as = self._named(Purpose.UNDO, token)
        person = self._at.directory.get(number)
        if person is not None and tokens.fingerprint(person.email) != known_as:
            raise errors.TokenError("this link is no longer good")
        return person

    def _named(self, purpose: Purpose, token: str) -> tuple[int, int]:
        """Return the subscriber that a token names, and its second number; 0: none."""
        numbers = self._at.signer.read(purpose, token)
        return (numbers[0], numbers[1]) if len(numbers) > 1 else (numbers[0], 0)
