"""Subscribing: a form, a mail, a button. No answer tells who is on the list."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import html5lib
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from newsletter.domain.subscribers import How, Status
from newsletter.web import forms
from tests.web.conftest import House

_HIDDEN = re.compile(r'name="(csrf|began)" value="([^"]*)"')


def fill(client: TestClient, house: House, path: str, post: str = "", **fields: Any) -> Response:
    """Open a form, take a person's time over it, and post it."""
    page = client.get(path)
    house.clock.now += timedelta(seconds=20)
    hidden = dict(_HIDDEN.findall(page.text))
    return client.post(post or path, data={**hidden, "website": "", **fields})


def subscribe(client: TestClient, house: House, email: str, **fields: Any) -> Response:
    return fill(client, house, "/subscribe", email=email, **fields)


def test_a_stranger_asks_confirms_by_button_and_is_on_the_list(client: TestClient, house: House) -> None:
    subscribe(client, house, "new@example.org", name="Nora", topic=["trade", "nonsense"])
    person = house.directory.find("new@example.org")
    assert person is not None
    assert (person.status, person.topics) == (Status.PENDING, ("trade",))
    ((kind, address, token),) = house.letters.sent
    assert (kind, address) == ("confirm", "new@example.org")
    for method in ("GET", "HEAD"):
        client.request(method, f"/confirm/{token}")
        assert house.status(person) is Status.PENDING
    done = fill(client, house, f"/confirm/{token}")
    assert done.status_code == 200
    assert house.status(person) is Status.ACTIVE
    record = house.directory.history(person.id)[-1]
    assert record.how is How.FORM
    assert "Weekly <Digest>" in record.wording
    assert house.letters.sent[-1] == ("welcome", "new@example.org", "")


def test_the_answer_is_the_same_for_known_unknown_and_suppressed_addresses(
    client: TestClient, house: House
) -> None:
    house.directory.suppress("gone@example.org", reason="bounced", now=house.clock.now)
    answers = [
        subscribe(client, house, email)
        for email in ("new@example.org", house.active.email, house.left.email, "gone@example.org")
    ]
    assert len({answer.text for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert house.directory.find("gone@example.org") is None
    assert [kind for kind, *_ in house.letters.sent] == ["confirm", "manage", "confirm"]


def test_who_left_is_not_raised_by_asking_only_by_confirming(client: TestClient, house: House) -> None:
    subscribe(client, house, house.left.email)
    assert house.status(house.left) is Status.UNSUBSCRIBED
    fill(client, house, f"/confirm/{house.letters.sent[-1][2]}")
    assert house.status(house.left) is Status.ACTIVE


def test_an_old_confirmation_cannot_undo_a_later_leaving(client: TestClient, house: House) -> None:
    subscribe(client, house, "new@example.org")
    token = house.letters.sent[-1][2]
    fill(client, house, f"/confirm/{token}")
    person = house.directory.find("new@example.org")
    assert person is not None
    house.clock.now += timedelta(days=1)
    from newsletter.subscribing import leaving

    leaving.leave(house.directory, person.id, how=How.ONE_CLICK, source="x", now=house.clock.now)
    assert client.get(f"/confirm/{token}").status_code == 410
    assert fill(client, house, "/subscribe", post=f"/confirm/{token}").status_code == 410
    assert house.status(person) is Status.UNSUBSCRIBED


def test_a_confirmation_is_good_for_thirty_days(client: TestClient, house: House) -> None:
    subscribe(client, house, "new@example.org")
    house.clock.now += timedelta(days=31)
    assert client.get(f"/confirm/{house.letters.sent[-1][2]}").status_code == 410


def test_one_address_is_written_to_once_a_day_and_three_times_ever(client: TestClient, house: House) -> None:
    for _ in range(6):
        subscribe(client, house, "victim@example.org")
        subscribe(client, house, "VICTIM@example.org")
        house.clock.now += timedelta(days=1)
    assert len(house.letters.sent) == 3


def test_one_visitor_may_use_the_forms_ten_times_an_hour(client: TestClient, house: House) -> None:
    codes = [subscribe(client, house, f"n{number}@example.org").status_code for number in range(12)]
    assert codes.count(429) == 2
    assert len(house.letters.sent) == 10


def test_a_robot_that_hurries_or_fills_in_the_trap_gets_the_same_answer_and_nothing_is_mailed(
    client: TestClient, house: House
) -> None:
    hidden = dict(_HIDDEN.findall(client.get("/subscribe").text))
    hasty = client.post("/subscribe", data={**hidden, "email": "new@example.org"})
    trapped = subscribe(client, house, "new@example.org", website="https://spam.example")
    honest = subscribe(client, house, "other@example.org")
    assert hasty.text == trapped.text == honest.text
    assert [address for _, address, _ in house.letters.sent] == ["other@example.org"]


def test_a_form_posted_from_another_site_is_shown_again_with_our_own_button(
    client: TestClient, house: House
) -> None:
    answer = client.post("/subscribe", data={"email": "new@example.org", "name": "<b>Nora"})
    assert answer.status_code == 200
    assert 'value="new@example.org"' in answer.text
    assert "<b>Nora" not in answer.text
    assert house.letters.sent == []
    assert house.directory.find("new@example.org") is None


@pytest.mark.parametrize("field", ["email", "name", "topic"])
def test_what_nobody_can_type_is_refused_before_it_is_read(
    client: TestClient, house: House, field: str
) -> None:
    answer = subscribe(client, house, **{"email": "new@example.org", field: "a\0b"})
    assert answer.status_code == 400
    assert house.letters.sent == []


def test_a_name_holds_no_control_characters(client: TestClient, house: House) -> None:
    subscribe(client, house, "new@example.org", name="Nora\x1b[2J\u202e\r\nBcc: Lind")
    person = house.directory.find("new@example.org")
    assert person is not None
    assert person.name == "Nora [2J Bcc: Lind"


@pytest.mark.parametrize("field", ["csrf", "began"])
def test_a_form_with_a_forged_mark_changes_nothing(client: TestClient, house: House, field: str) -> None:
    hidden = dict(_HIDDEN.findall(client.get("/subscribe").text))
    house.clock.now += timedelta(seconds=20)
    client.post("/subscribe", data={**hidden, field: "AAAA", "email": "new@example.org"})
    assert house.letters.sent == []


def test_a_form_that_was_open_for_a_day_is_shown_again(client: TestClient, house: House) -> None:
    hidden = dict(_HIDDEN.findall(client.get("/subscribe").text))
    house.clock.now += forms.SLOWEST + timedelta(seconds=1)
    client.post("/subscribe", data={**hidden, "email": "new@example.org"})
    assert house.letters.sent == []


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b", "a@example.org\r\nBcc: x@example.org", "@", "x" * 400]
)
def test_what_is_no_address_is_said_beside_the_field(client: TestClient, house: House, email: str) -> None:
    answer = subscribe(client, house, email)
    assert answer.status_code in {200, 422}
    assert "problem" in answer.text
    assert house.letters.sent == []


def test_no_word_that_a_stranger_typed_reaches_the_confirmation_mail(
    client: TestClient, house: House
) -> None:
    subscribe(client, house, "new@example.org", name="Buy at https://spam.example")
    assert all("spam" not in part for part in house.letters.sent[0])


def test_whoever_asks_for_their_own_link_gets_it_and_nobody_learns_who_is_on_the_list(
    client: TestClient, house: House
) -> None:
    known = fill(client, house, "/manage", email=house.active.email)
    unknown = fill(client, house, "/manage", email="nobody@example.org")
    assert known.text == unknown.text
    assert house.letters.sent == [("manage", house.active.email, "")]


@pytest.mark.parametrize(
    ("asked", "accepts", "found"),
    [
        ("", "ja,en;q=0.8", "ja"),
        ("", "fr-FR,en;q=0.8,ja;q=0.9", "ja"),
        ("", "fr", "en"),
        ("", "", "en"),
        ("?lang=ja", "en", "ja"),
        ("?lang=../../etc", "en", "en"),
        ("", "en;q=0, ja;q=0.1", "ja"),
        ("", ";;;q=,,*", "en"),
    ],
)
def test_a_page_speaks_the_reader_s_language(
    client: TestClient, asked: str, accepts: str, found: str
) -> None:
    page = client.get(f"/subscribe{asked}", headers={"Accept-Language": accepts}).text
    assert f'<html lang="{found}"' in page
    assert ("購読する" in page) is (found == "ja")


@pytest.mark.parametrize("path", ["/subscribe", "/manage", "/leave"])
def test_forms_are_well_formed_and_need_no_script(client: TestClient, path: str) -> None:
    answer = client.get(path)
    html5lib.HTMLParser(strict=True).parse(answer.text)
    assert "<script" not in answer.text
    assert "style=" not in answer.text
    assert len(answer.content) < 30_000


def test_the_form_s_cookie_goes_nowhere_else(client: TestClient) -> None:
    cookie = client.get("/subscribe").headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Secure"))


def test_only_the_form_may_stand_in_the_frames_of_other_sites(client: TestClient) -> None:
    form = client.get("/subscribe")
    assert "frame-ancestors *" in form.headers["content-security-policy"]
    assert "x-frame-options" not in form.headers
    for other in ("/", "/manage", "/leave", "/confirm/none"):
        answer = client.get(other)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
    # What a stranger's site filled in is not shown in its own frame: a press there would be its doing.
    forged = client.post("/subscribe", data={"email": "new@example.org"})
    assert forged.headers["x-frame-options"] == "DENY"


def test_in_a_frame_the_form_s_cookie_is_kept_for_that_site_alone(client: TestClient, house: House) -> None:
    framed = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}
    page = client.get("/subscribe", headers=framed)
    cookie = page.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=None", "Partitioned", "Secure"))
    house.clock.now += timedelta(seconds=20)
    hidden = dict(_HIDDEN.findall(page.text))
    answer = client.post(
        "/subscribe", data={**hidden, "website": "", "email": "new@example.org"}, headers=framed
    )
    assert "frame-ancestors *" in answer.headers["content-security-policy"]
    assert [address for _, address, _ in house.letters.sent] == ["new@example.org"]
