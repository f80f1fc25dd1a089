"""Leaving by a link: a page for people, one click for mail programs, nothing for scanners."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

import pytest
from fastapi.testclient import TestClient

from newsletter.domain import errors
from newsletter.domain.deliveries import State
from newsletter.domain.subscribers import How, Status
from newsletter.domain.tokens import Purpose
from newsletter.subscribing.leaving import Departed, Departure
from newsletter.web import app
from tests.web.conftest import PUBLICATION, House

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
PAGE = {"from": "page"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("purpose", [Purpose.LEAVE, Purpose.UNDO, Purpose.PREFERENCES])
def test_looking_changes_nothing(client: TestClient, house: House, method: str, purpose: Purpose) -> None:
    path = {Purpose.LEAVE: "u", Purpose.UNDO: "undo", Purpose.PREFERENCES: "preferences"}[purpose]
    for person in (house.active, house.pending, house.left):
        answer = client.request(method, f"/{path}/{house.token(purpose, person)}")
        assert answer.status_code == 200
        assert house.status(person) is person.status
        assert len(house.directory.history(person.id)) == 1


def test_the_page_says_who_leaves_what_with_the_address_masked(client: TestClient, house: House) -> None:
    page = client.get(f"/u/{house.token(Purpose.LEAVE, house.active)}").text
    assert "a•••@example.org" in page
    assert "ada@example.org" not in page
    assert "Weekly &lt;Digest&gt;" in page


@pytest.mark.parametrize("encoding", ["form", "multipart", "empty"])
def test_one_click_is_answered_without_page_redirect_or_cookie(
    client: TestClient, house: House, encoding: str
) -> None:
    url = f"/u/{house.token(Purpose.LEAVE, house.active)}"
    if encoding == "form":
        answer = client.post(url, data=ONE_CLICK)
    elif encoding == "multipart":
        answer = client.post(url, files={"List-Unsubscribe": (None, "One-Click")})
    else:
        answer = client.post(url)
    assert answer.status_code == 200
    assert not {"location", "set-cookie"} & set(answer.headers)
    assert house.status(house.active) is Status.UNSUBSCRIBED
    assert house.directory.history(house.active.id)[-1].how is How.ONE_CLICK


def test_leaving_can_be_repeated_and_is_recorded_once(client: TestClient, house: House) -> None:
    url = f"/u/{house.token(Purpose.LEAVE, house.active)}"
    assert [client.post(url, data=ONE_CLICK).status_code for _ in range(3)] == [200, 200, 200]
    assert len(house.directory.history(house.active.id)) == 2


def test_the_button_on_the_page_leaves_and_offers_to_undo_it(client: TestClient, house: House) -> None:
    done = client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}", data=PAGE)
    assert done.status_code == 200
    assert house.status(house.active) is Status.UNSUBSCRIBED
    assert house.directory.history(house.active.id)[-1].how is How.PAGE
    undo = done.text.partition('action="')[2].partition('"')[0]
    assert undo.startswith("/undo/")
    assert client.post(undo).status_code == 200
    assert house.status(house.active) is Status.ACTIVE


def test_undo_gives_back_only_what_the_leaving_took(client: TestClient, house: House) -> None:
    client.post(f"/u/{house.token(Purpose.LEAVE, house.pending)}", data=PAGE)
    client.post(f"/undo/{house.token(Purpose.UNDO, house.pending)}")
    assert house.status(house.pending) is Status.PENDING


def test_a_delivery_remembers_that_its_reader_left_by_it(client: TestClient, house: House) -> None:
    client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}", data=ONE_CLICK)
    (delivery,) = house.ledger.deliveries(house.mailing.id)
    assert delivery.unsubscribed_at is not None
    assert delivery.state is State.SENT


def test_who_has_left_already_is_told_so(client: TestClient, house: House) -> None:
    page = client.get(f"/u/{house.token(Purpose.LEAVE, house.left)}").text
    assert "You are unsubscribed" in page


@pytest.mark.parametrize("path", ["/u/{}", "/undo/{}", "/preferences/{}"])
@pytest.mark.parametrize("token", ["AAAA", "x" * 500, "é", "..%2f", "AAAA" * 8])
def test_a_forged_token_gets_a_calm_page_and_changes_nothing(
    client: TestClient, house: House, path: str, token: str
) -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = client.request(method, path.format(token))
        # 403: the form on that page was not shown by us either.
        assert answer.status_code in {403, 404, 405}
    assert "There is nothing here" in client.get(path.format(token)).text
    assert house.status(house.active) is Status.ACTIVE


def test_a_token_for_the_preferences_does_not_unsubscribe(client: TestClient, house: House) -> None:
    answer = client.post(f"/u/{house.token(Purpose.PREFERENCES, house.active)}", data=ONE_CLICK)
    assert answer.status_code == 404
    assert house.status(house.active) is Status.ACTIVE


def test_a_reader_who_was_erased_is_unsubscribed_all_the_same(client: TestClient, house: House) -> None:
    token = house.desk.signer.sign(Purpose.LEAVE, 4711, house.mailing.id)
    assert client.post(f"/u/{token}", data=ONE_CLICK).status_code == 200
    assert client.get(f"/u/{token}").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_do_nothing(client: TestClient, house: House, method: str) -> None:
    assert client.request(method, f"/u/{house.token(Purpose.LEAVE, house.active)}").status_code == 405
    assert house.status(house.active) is Status.ACTIVE


def test_a_slash_at_the_end_is_not_answered_with_a_redirect(client: TestClient, house: House) -> None:
    answer = client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}/", data=ONE_CLICK)
    assert answer.status_code == 404


def test_a_body_that_no_form_of_ours_has_is_refused(client: TestClient, house: House) -> None:
    url = f"/u/{house.token(Purpose.LEAVE, house.active)}"
    assert client.post(url, content=b"x" * 1_000_000).status_code == 413
    assert house.status(house.active) is Status.ACTIVE


def test_the_one_click_answer_bears_the_safe_headers_and_says_how_long_it_is(
    client: TestClient, house: House
) -> None:
    answer = client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}", data=ONE_CLICK)
    assert answer.text == "You are unsubscribed.\n"
    assert answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["cache-control"] == "no-store"
    for name in (
        "content-security-policy",
        "referrer-policy",
        "strict-transport-security",
        "x-frame-options",
    ):
        assert name in answer.headers


def test_whoever_leaves_is_owed_a_goodbye_and_the_mailroom_is_called(house: House) -> None:
    calls: list[int] = []
    at = dataclasses.replace(house.desk, call_mailroom=lambda: calls.append(len(house.letters.sent)))
    with TestClient(app.create(at), base_url=PUBLICATION.url) as client:
        client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}", data=ONE_CLICK)
    # When it is called the letter is there already.
    assert calls == [1]
    assert house.letters.sent == [("goodbye", house.active.email, "")]


@pytest.mark.parametrize("data", [ONE_CLICK, PAGE])
def test_while_the_database_does_not_answer_nobody_is_told_that_they_have_left(
    house: House, data: dict[str, str]
) -> None:
    class Down:
        def take(self, wanted: Sequence[Departure], *, now: datetime) -> Sequence[Departed]:
            raise errors.StoreError("the database is locked")

    at = dataclasses.replace(house.desk, exit=Down())
    with TestClient(app.create(at), base_url=PUBLICATION.url) as client:
        answer = client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}", data=data)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert "unsubscribed" not in answer.text
    assert house.letters.sent == []


def leave(client: TestClient, house: House) -> str:
    """Have Ada leave by the page; return the address of her link."""
    url = f"/u/{house.token(Purpose.LEAVE, house.active)}"
    page = client.post(url, data=PAGE).text
    assert f'action="{url}/why"' in page
    return url


def test_who_left_may_say_why_with_one_press_and_it_is_noted_once(client: TestClient, house: House) -> None:
    url = leave(client, house)
    for why in ("often", "content", "often"):
        answer = client.post(f"{url}/why", data={"why": why})
        assert answer.status_code == 200
        assert "Thank you" in answer.text
    *_, left, said = house.directory.history(house.active.id)
    assert (left.status, left.source) == (Status.UNSUBSCRIBED, f"mailing {house.mailing.id}")
    assert (said.status, said.how, said.source) == (Status.UNSUBSCRIBED, How.PAGE, "reason: often")
    assert len(house.directory.history(house.active.id)) == 3


def test_who_said_why_may_come_back_all_the_same(client: TestClient, house: House) -> None:
    client.post(f"{leave(client, house)}/why", data={"why": "other"})
    client.post(f"/undo/{house.token(Purpose.UNDO, house.active)}")
    assert house.status(house.active) is Status.ACTIVE


@pytest.mark.parametrize("why", ["", "<b>spam", "\0", "often\0"])
def test_what_is_no_reason_is_not_noted(client: TestClient, house: House, why: str) -> None:
    answer = client.post(f"{leave(client, house)}/why", data={"why": why})
    assert answer.status_code == 200
    assert "<b>" not in answer.text
    assert len(house.directory.history(house.active.id)) == 2


def test_who_has_not_left_gives_no_reason(client: TestClient, house: House) -> None:
    client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}/why", data={"why": "often"})
    assert house.status(house.active) is Status.ACTIVE
    assert len(house.directory.history(house.active.id)) == 1


def test_one_topic_can_be_left_without_the_rest(client: TestClient, house: House) -> None:
    chose = dataclasses.replace(house.active, topics=("security", "trade"))
    house.directory.save(chose, now=house.clock.now)
    url = f"/u/{house.token(Purpose.LEAVE, house.active)}"
    page = client.get(url).text
    assert f'action="{url}/topics"' in page
    assert 'value="trade"' in page
    answer = client.post(f"{url}/topics", data={"topic": "trade"})
    assert "You will get nothing more about Trade." in answer.text
    assert 'value="trade"' not in answer.text
    person = house.directory.get(house.active.id)
    assert person is not None
    assert (person.topics, person.status) == (("security",), Status.ACTIVE)


def test_a_page_offers_no_topics_to_who_chose_none(client: TestClient, house: House) -> None:
    url = f"/u/{house.token(Purpose.LEAVE, house.active)}"
    assert "/topics" not in client.get(url).text
    answer = client.post(f"{url}/topics", data={"topic": "<b>x"})
    assert answer.status_code == 200
    assert "<b>" not in answer.text


@pytest.mark.parametrize("act", ["why", "topics"])
def test_what_is_said_at_the_door_needs_a_link_of_ours(client: TestClient, house: House, act: str) -> None:
    wrong = house.token(Purpose.PREFERENCES, house.active)
    assert client.post(f"/u/{wrong}/{act}", data={"why": "often", "topic": "trade"}).status_code == 404
    assert client.get(f"/u/{house.token(Purpose.LEAVE, house.active)}/{act}").status_code in (404, 405)
