"""Subscribing by form, and confirming by button: no answer tells who is on the list."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from newsletter.domain import addresses, errors
from newsletter.domain.subscribers import Subscriber
from newsletter.domain.tokens import Purpose, fingerprint
from newsletter.subscribing.joining import Request as Joining
from newsletter.web import desk, forms, languages, pages, security, visitors

_SHOW = ["GET", "HEAD"]
NAMES = {"en": "English", "ja": "日本語"}


def router(at: desk.Desk) -> APIRouter:
    """Return the pages under /subscribe, /confirm and /manage."""
    routes = APIRouter()
    porch = _Porch(at)
    routes.add_api_route("/subscribe", porch.form, methods=_SHOW)
    routes.add_api_route("/subscribe", porch.subscribe, methods=["POST"])
    routes.add_api_route("/confirm/{token}", porch.ask, methods=_SHOW)
    routes.add_api_route("/confirm/{token}", porch.confirm, methods=["POST"])
    routes.add_api_route("/manage", porch.manage_form, methods=_SHOW)
    routes.add_api_route("/manage", porch.manage, methods=["POST"])
    return routes


def language_names() -> list[tuple[str, str]]:
    """Return the languages that a reader may choose, each by its own name."""
    return [(tag, NAMES.get(tag, tag)) for tag in languages.known()]


class _Porch:
    """Where strangers knock."""

    def __init__(self, at: desk.Desk) -> None:
        self._at = at

    def form(self, request: Request) -> Response:
        """Show the form, also in other sites' frames; change nothing."""
        return _framable(self._form(request))

    async def subscribe(self, request: Request) -> Response:
        """Take a request in; the answer is the same for everybody."""
        language = self._language(request)
        try:
            filled = await self._at.forms.read(request)
        except forms.ForgedFormError as error:
            # A form on somebody else's site leads here: ours is shown, filled in, with its own button.
            typed = error.filled
            return self._form(
                request, email=typed.text("email"), name=typed.text("name"), chosen=typed.all("topic")
            )
        if not await self._admit(request):
            return _framable(self._page("busy", request, status=429))
        wanted = Joining(
            email=filled.text("email"),
            name=filled.text("name"),
            language=self._spoken(filled, language),
            topics=tuple(each for each in filled.all("topic") if each in self._at.topics),
            visitor=self._visitor(request),
            wording=self._wording(language),
        )
        try:
            await run_in_threadpool(self._ask, wanted, filled.human)
        except errors.AddressError as error:
            again = self._form(
                request,
                email=wanted.email,
                name=wanted.name,
                chosen=wanted.topics,
                problem=str(error),
                status=422,
            )
            return _framable(again)
        return _framable(self._asked(request))

    def ask(self, token: str, request: Request) -> Response:
        """Show who would be confirmed; change nothing."""
        person = self._at.hall.confirmable(token, now=self._at.clock())
        if person is None:
            return self._page("stale", request, status=410)
        blank = self._at.forms.blank(request)
        shown = self._page(
            "confirm",
            request,
            masked=addresses.masked(person.email),
            form=blank,
            wording=self._wording(self._language(request)),
        )
        return self._at.forms.show(shown, blank)

    async def confirm(self, token: str, request: Request) -> Response:
        """Make somebody a reader who pressed the button."""
        try:
            await self._at.forms.read(request)
        except forms.ForgedFormError:
            return self._page("expired", request, status=403)
        language = self._language(request)
        person = await run_in_threadpool(self._confirm, token, request, language)
        if person is None:
            return self._page("stale", request, status=410)
        own = self._at.signer.sign(Purpose.PREFERENCES, person.id, fingerprint(person.email))
        self._at.call_mailroom()
        return self._page("confirmed", request, masked=addresses.masked(person.email), own=own)

    def manage_form(self, request: Request) -> Response:
        """Show where one's own link can be asked for."""
        return self._manage_form(request)

    async def manage(self, request: Request) -> Response:
        """Mail the link to a person's page to whoever asks; the answer is always the same."""
        try:
            filled = await self._at.forms.read(request)
        except forms.ForgedFormError:
            return self._page("expired", request, status=403)
        if not await self._admit(request):
            return self._page("busy", request, status=429)
        email, now = filled.text("email"), self._at.clock()
        try:
            await run_in_threadpool(self._find, email, filled.human, now)
        except errors.AddressError as error:
            return self._manage_form(request, email=email, problem=str(error), status=422)
        return self._asked(request)

    def _ask(self, wanted: Joining, human: bool) -> None:
        if human:
            self._at.hall.ask(wanted, now=self._at.clock())

    def _find(self, email: str, human: bool, now: datetime) -> None:
        if human:
            self._at.hall.find(email, now=now)

    def _confirm(self, token: str, request: Request, language: str) -> Subscriber | None:
        return self._at.hall.confirm(
            token,
            visitor=self._visitor(request),
            wording=self._wording(language),
            now=self._at.clock(),
        )

    async def _admit(self, request: Request) -> bool:
        visitor, now = self._visitor(request), self._at.clock()
        return await run_in_threadpool(self._at.hall.admit, visitor, now=now)

    def _asked(self, request: Request) -> Response:
        # The letter goes after the answer: how long that takes must not tell who is on the list.
        self._at.call_mailroom()
        return self._page("asked", request)

    def _form(
        self,
        request: Request,
        *,
        email: str = "",
        name: str = "",
        chosen: Collection[str] = (),
        problem: str = "",
        status: int = 200,
    ) -> Response:
        blank = self._at.forms.blank(request)
        shown = self._page(
            "subscribe",
            request,
            status=status,
            form=blank,
            email=email,
            name=name,
            problem=problem,
            topic_names=self._at.topics,
            chosen=chosen,
            language_names=language_names(),
            wording=self._wording(self._language(request)),
        )
        return self._at.forms.show(shown, blank, framed=forms.is_framed(request))

    def _manage_form(
        self, request: Request, *, email: str = "", problem: str = "", status: int = 200
    ) -> Response:
        blank = self._at.forms.blank(request)
        shown = self._page("manage", request, status=status, form=blank, email=email, problem=problem)
        return self._at.forms.show(shown, blank)

    def _page(self, name: str, request: Request, /, *, status: int = 200, **values: object) -> Response:
        language = self._language(request)
        return pages.page(name, self._at.publication, status=status, language=language, **values)

    def _language(self, request: Request) -> str:
        return languages.chosen(request, self._at.publication.language)

    def _spoken(self, filled: forms.Filled, fallback: str) -> str:
        wanted = filled.text("language")
        return wanted if wanted in languages.known() else fallback

    def _wording(self, language: str) -> str:
        words = pages.words(language)
        return words(
            "By pressing the button you ask us to send %(title)s to this address. "
            "You can end it at any time with one click."
        ) % {"title": self._at.publication.title}

    def _visitor(self, request: Request) -> str:
        return visitors.address(request, self._at.trusted)


def _framable(page: Response) -> Response:
    """Let a page stand in other sites' frames: a form that only asks for a letter with a button."""
    page.headers.update(security.FRAMABLE)
    return page
