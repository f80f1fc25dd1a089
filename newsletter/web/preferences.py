"""A reader's own page: choose, pause, change address, come back, take their data, be forgotten."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from newsletter.domain import addresses, errors, tokens
from newsletter.domain.subscribers import Status, Subscriber
from newsletter.domain.tokens import Purpose
from newsletter.subscribing import leaving, privacy
from newsletter.web import desk, forms, joining, languages, pages, visitors

_SHOW = ["GET", "HEAD"]


def router(at: desk.Desk) -> APIRouter:
    """Return the pages under /preferences and /address."""
    routes = APIRouter()
    room = _Room(at)
    routes.add_api_route("/preferences/{token}", room.show, methods=_SHOW)
    routes.add_api_route("/preferences/{token}", room.act, methods=["POST"])
    routes.add_api_route("/address/{token}", room.ask_address, methods=_SHOW)
    routes.add_api_route("/address/{token}", room.change_address, methods=["POST"])
    return routes


class _Room:
    """Where a reader is known by a link of their own."""

    def __init__(self, at: desk.Desk) -> None:
        self._at = at
        self._acts: dict[str, Callable[[Subscriber, forms.Filled, Request], Response]] = {
            "save": self._save,
            "address": self._ask_address,
            "back": self._come_back,
            "export": self._export,
            "forget": self._forget,
        }

    def show(self, token: str, request: Request) -> Response:
        """Show how a subscription stands; change nothing."""
        return self._shown(self._known(token), request)

    async def act(self, token: str, request: Request) -> Response:
        """Do what the button says that was pressed."""
        try:
            filled = await self._at.forms.read(request)
        except forms.ForgedFormError:
            return self._page("expired", request, status=403)
        act = self._acts.get(filled.text("act"))
        if act is None:
            return self._page("lost", request, status=404)
        return await run_in_threadpool(lambda: act(self._known(token), filled, request))

    def ask_address(self, token: str, request: Request, to: str = "") -> Response:
        """Show which address would be used from now on; change nothing."""
        self._at.signer.read(Purpose.ADDRESS, token)
        blank = self._at.forms.blank(request)
        shown = self._page("address", request, masked=addresses.masked(to), form=blank)
        return self._at.forms.show(shown, blank)

    async def change_address(self, token: str, request: Request, to: str = "") -> Response:
        """Use the address that was confirmed."""
        try:
            await self._at.forms.read(request)
        except forms.ForgedFormError:
            return self._page("expired", request, status=403)
        now = self._at.clock()
        try:
            person = await run_in_threadpool(self._at.hall.change_address, token, to, now=now)
        except errors.AddressError:
            person = None
        if person is None:
            return self._page("stale", request, status=410)
        return self._shown(person, request, said="Your address was changed.")

    def _save(self, person: Subscriber, filled: forms.Filled, request: Request) -> Response:
        spoken = filled.text("language")
        changed = dataclasses.replace(
            person,
            topics=tuple(each for each in filled.all("topic") if each in self._at.topics),
            language=spoken if spoken in languages.known() else person.language,
            timezone=_zone(filled.text("timezone")) or person.timezone,
            paused_until=_day(filled.text("until")),
        )
        self._at.directory.save(changed, now=self._at.clock())
        return self._shown(changed, request, said="What you chose is saved.")

    def _ask_address(self, person: Subscriber, filled: forms.Filled, request: Request) -> Response:
        now = self._at.clock()
        if not self._at.hall.admit(visitors.address(request, self._at.trusted), now=now):
            return self._page("busy", request, status=429)
        try:
            self._at.hall.ask_address(person, filled.text("email"), now=now)
        except errors.AddressError as error:
            return self._shown(person, request, said=str(error), status=422)
        self._at.call_mailroom()
        return self._shown(person, request, said="Please look into the new mailbox and confirm there.")

    def _come_back(self, person: Subscriber, filled: forms.Filled, request: Request) -> Response:
        now = self._at.clock()
        found = leaving.come_back(self._at.directory, person.id, source="own page", now=now)
        back = found is not None and found.status is Status.ACTIVE
        said = "You are back on the list." if back else "To come back, please subscribe again."
        return self._shown(found or person, request, said=said)

    def _export(self, person: Subscriber, filled: forms.Filled, request: Request) -> Response:
        text = json.dumps(self._at.data(person), ensure_ascii=False, indent=2, default=privacy.plain)
        headers = {"Content-Disposition": 'attachment; filename="my-data.json"', "Cache-Control": "no-store"}
        return Response(text, media_type="application/json", headers=headers)

    def _forget(self, person: Subscriber, filled: forms.Filled, request: Request) -> Response:
        if filled.text("sure") != "yes":
            return self._shown(person, request)
        self._at.directory.forget(person.id, now=self._at.clock())
        return self._page("forgotten", request)

    def _known(self, token: str) -> Subscriber:
        """Return whose page it is; a change of address makes the links of old mails worthless.

        Raises:
            TokenError: the link is not one of ours, or was one.
        """
        number, mark = (*self._at.signer.read(Purpose.PREFERENCES, token), 0)[:2]
        person = self._at.directory.get(number)
        if person is None or tokens.fingerprint(person.email) != mark:
            raise errors.TokenError("this link is no longer good")
        return person

    def _shown(self, person: Subscriber, request: Request, *, said: str = "", status: int = 200) -> Response:
        blank = self._at.forms.blank(request)
        words = pages.words(self._language(request))
        shown = self._page(
            "preferences",
            request,
            status=status,
            form=blank,
            masked=addresses.masked(person.email),
            active=person.status is Status.ACTIVE,
            said=words(said) if said else "",
            topic_names=self._at.topics,
            chosen=person.topics,
            language_names=joining.language_names(),
            spoken=person.language or self._at.publication.language,
            timezone=person.timezone,
            paused=f"{person.paused_until:%Y-%m-%d}" if person.paused_until else "",
            leave=self._at.signer.sign(Purpose.LEAVE, person.id, 0),
        )
        return self._at.forms.show(shown, blank)

    def _page(self, name: str, request: Request, /, *, status: int = 200, **values: object) -> Response:
        language = self._language(request)
        return pages.page(name, self._at.publication, status=status, language=language, **values)

    def _language(self, request: Request) -> str:
        return languages.chosen(request, self._at.publication.language)


def _zone(text: str) -> str:
    """Return the name of a time zone as it was typed, or nothing where there is none of that name."""
    try:
        return ZoneInfo(text).key if text else ""
    except (ValueError, OSError, KeyError):
        return ""


def _day(text: str) -> datetime | None:
    """Return the beginning of a day, or nothing."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if text else None
    except ValueError:
        return None
