"""What somebody may say at the door: why they leave, or that one topic is all that they want no more of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from newsletter.domain import addresses, subscribers
from newsletter.domain.subscribers import Status, Subscriber
from newsletter.domain.tokens import Purpose
from newsletter.subscribing import leaving
from newsletter.web import desk, languages, pages, security


def router(at: desk.Desk) -> APIRouter:
    """Return what the forms below /u/TOKEN post to; the token is all that they need."""
    routes = APIRouter()
    hall = _Hall(at)
    routes.add_api_route("/u/{token}/why", hall.why, methods=["POST"])
    routes.add_api_route("/u/{token}/topics", hall.drop_topic, methods=["POST"])
    return routes


def chosen(person: Subscriber, names: Mapping[str, str]) -> dict[str, str]:
    """Return the topics that a person chose, by the names they read."""
    return {topic: names[topic] for topic in person.topics if topic in names}


class _Hall:
    def __init__(self, at: desk.Desk) -> None:
        self._at = at

    async def why(self, token: str, request: Request) -> Response:
        """Note why somebody left; one press, once, and only if they like."""
        reason = await _field(request, "why")
        person = await run_in_threadpool(self._note, self._named(token), reason)
        return self._page(request, "left", person, undo="", token="", said=True)

    async def drop_topic(self, token: str, request: Request) -> Response:
        """Take one topic from a person's choice, and leave the rest as it is."""
        topic = await _field(request, "topic")
        person = await run_in_threadpool(self._drop, self._named(token), topic)
        if person is None or person.status is not Status.ACTIVE:
            return self._page(request, "left", person, undo="", token="", said=False)
        topics = chosen(person, self._at.topics)
        dropped = "" if topic in topics else self._at.topics.get(topic, "")
        return self._page(request, "leave", person, token=token, topics=topics, dropped=dropped)

    def _note(self, number: int, reason: str) -> Subscriber | None:
        if reason not in subscribers.REASONS:
            return self._at.directory.get(number)
        return leaving.say_why(self._at.directory, number, reason=reason, now=self._at.clock())

    def _drop(self, number: int, topic: str) -> Subscriber | None:
        person = self._at.directory.get(number)
        if person is None or person.status is not Status.ACTIVE or topic not in person.topics:
            return person
        kept = dataclasses.replace(person, topics=tuple(each for each in person.topics if each != topic))
        self._at.directory.save(kept, now=self._at.clock())
        return kept

    def _named(self, token: str) -> int:
        return self._at.signer.read(Purpose.LEAVE, token)[0]

    def _page(self, request: Request, name: str, person: Subscriber | None, **values: object) -> Response:
        language = languages.chosen(request, self._at.publication.language)
        masked = addresses.masked(person.email) if person else ""
        return pages.page(name, self._at.publication, status=200, language=language, masked=masked, **values)


async def _field(request: Request, name: str) -> str:
    body = (await security.body(request)).decode("utf-8", "replace")
    try:
        return parse_qs(body, max_num_fields=20).get(name, [""])[0]
    except ValueError:  # more fields than this form has
        return ""
