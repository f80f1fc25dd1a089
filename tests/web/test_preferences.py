"""A reader's own page: everything by a button, nothing by looking, and old links die with the old address."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import html5lib
import pytest
from fastapi.testclient import TestClient

from newsletter.domain import tokens
from newsletter.domain.subscribers import Status, Subscriber
from newsletter.domain.tokens import Purpose
from tests.web.conftest import House
from tests.web.test_joining import fill


def own(house: House, person: Subscriber) -> str:
    return f"/preferences/{house.token(Purpose.PREFERENCES, person)}"


def now(house: House, person: Subscriber) -> Subscriber:
    found = house.directory.get(person.id)
    assert found is not None
    return found


def test_what_was_chosen_is_saved_and_shown(client: TestClient, house: House) -> None:
    page = fill(
        client,
        house,
        own(house, house.active),
        act="save",
        topic=["trade", "forged"],
        language="ja",
        timezone="Asia/Tokyo",
        until="2027-01-05",
    )
    person = now(house, house.active)
    assert (person.topics, person.language, person.timezone) == (("trade",), "ja", "Asia/Tokyo")
    assert person.paused_until is not None
    assert f"{person.paused_until:%Y-%m-%d}" == "2027-01-05"
    assert 'value="trade" checked' in page.text
    assert "What you chose is saved." in page.text


@pytest.mark.parametrize(
    "fields",
    [{"timezone": "../../etc/passwd"}, {"timezone": "Mars/Olympus"}, {"until": "soon"}, {"language": "xx"}],
)
def test_what_cannot_be_is_not_taken(client: TestClient, house: House, fields: dict[str, str]) -> None:
    fill(client, house, own(house, house.active), act="save", **fields)
    person = now(house, house.active)
    assert (person.timezone, person.language, person.paused_until) == ("", "", None)


def test_another_address_is_confirmed_at_the_new_one_and_the_old_links_die(
    client: TestClient, house: House
) -> None:
    old_page = own(house, house.active)
    old_leave = f"/u/{house.token(Purpose.LEAVE, house.active)}"
    fill(client, house, old_page, act="address", email="ada@new.example.org")
    assert now(house, house.active).email == "ada@example.org"
    ((kind, address, token),) = house.letters.sent
    assert (kind, address) == ("readdress", "ada@new.example.org")
    link = f"/address/{token}?to=ada%40new.example.org"
    assert client.get(link).status_code == 200
    assert now(house, house.active).email == "ada@example.org"
    assert fill(client, house, link).status_code == 200
    assert now(house, house.active).email == "ada@new.example.org"
    assert client.get(old_page).status_code == 404
    # Leaving by a mail already sent goes on working for that person.
    assert client.post(old_leave).status_code == 200
    assert now(house, house.active).status is Status.UNSUBSCRIBED


def test_a_link_for_one_new_address_does_not_confirm_another(client: TestClient, house: House) -> None:
    fill(client, house, own(house, house.active), act="address", email="ada@new.example.org")
    token = house.letters.sent[0][2]
    answer = fill(client, house, f"/address/{token}?to=thief%40example.org")
    assert answer.status_code == 410
    assert now(house, house.active).email == "ada@example.org"


def test_a_link_confirms_no_address_that_was_made_to_look_like_its_own(
    client: TestClient, house: House
) -> None:
    # One CRC-32 for both: whoever owns a domain finds a name in it that shares a checksum with any address.
    own_one, victim = "qqpqqqqqpppqpqqpppppqqqpppqqqqqpqqqqqqqq@evil.example.net", "victim@example.org"
    assert tokens.fingerprint(own_one) == tokens.fingerprint(victim)
    fill(client, house, own(house, house.active), act="address", email=own_one)
    token = house.letters.sent[0][2]
    for other in (victim, f"{own_one}\n", own_one.upper()):
        assert fill(client, house, f"/address/{token}?{urlencode({'to': other})}").status_code == 410
    assert now(house, house.active).email == "ada@example.org"
    assert fill(client, house, f"/address/{token}?{urlencode({'to': own_one})}").status_code == 200
    assert now(house, house.active).email == own_one


def test_a_change_of_address_takes_back_what_was_mailed_before_it(client: TestClient, house: House) -> None:
    fill(client, house, "/subscribe", email="nora@old.example.org")
    person = house.directory.find("nora@old.example.org")
    assert person is not None
    asked = house.letters.sent[-1][2]
    fill(client, house, f"/confirm/{asked}")
    fill(client, house, own(house, now(house, person)), act="address", email="typo@example.net")
    fill(client, house, own(house, now(house, person)), act="address", email="nora@new.example.com")
    wrong, right = (token for kind, _, token in house.letters.sent if kind == "readdress")
    undo = f"/undo/{house.token(Purpose.UNDO, now(house, person))}"
    fill(client, house, f"/address/{right}?to=nora%40new.example.com")
    house.clock.now += timedelta(days=1)
    # Whoever reads the old mailbox, or the one that was named by mistake, comes to no page of theirs.
    assert client.get(f"/confirm/{asked}").status_code == 410
    again = fill(client, house, "/subscribe", post=f"/confirm/{asked}")
    assert again.status_code == 410
    assert "/preferences/" not in again.text
    assert fill(client, house, f"/address/{wrong}?to=typo%40example.net").status_code == 410
    client.post(f"/u/{house.token(Purpose.LEAVE, person)}")
    assert client.get(undo).status_code == 404
    assert client.post(undo).status_code == 404
    found = now(house, person)
    assert (found.email, found.status) == ("nora@new.example.com", Status.UNSUBSCRIBED)


def test_an_address_that_somebody_else_has_is_answered_like_any_other(
    client: TestClient, house: House
) -> None:
    taken = fill(client, house, own(house, house.active), act="address", email=house.left.email)
    free = fill(client, house, own(house, house.active), act="address", email="ada@new.example.org")
    assert "look into the new mailbox" in taken.text
    assert "look into the new mailbox" in free.text
    assert [address for _, address, _ in house.letters.sent] == ["ada@new.example.org"]


def test_a_reader_who_left_can_come_back(client: TestClient, house: House) -> None:
    client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}")
    house.clock.now += timedelta(hours=1)
    fill(client, house, own(house, house.active), act="back")
    assert house.status(house.active) is Status.ACTIVE


def test_whoever_was_never_confirmed_is_not_made_active_by_coming_back(
    client: TestClient, house: House
) -> None:
    client.post(f"/u/{house.token(Purpose.LEAVE, house.pending)}")
    fill(client, house, own(house, house.pending), act="back")
    assert house.status(house.pending) is Status.PENDING


def test_a_reader_takes_everything_we_know_with_them(client: TestClient, house: House) -> None:
    answer = fill(client, house, own(house, house.active), act="export")
    assert "attachment" in answer.headers["content-disposition"]
    told = answer.json()
    assert (told["subscriber"]["email"], told["subscriber"]["status"]) == ("ada@example.org", "active")
    assert told["subscriber"]["joined_at"] == "2026-11-20T09:00:00+00:00"
    assert [record["how"] for record in told["history"]] == ["staff"]


def test_a_reader_is_forgotten_only_when_they_are_sure(client: TestClient, house: House) -> None:
    page = own(house, house.active)
    fill(client, house, page, act="forget")
    assert house.directory.get(house.active.id) is not None
    fill(client, house, page, act="forget", sure="yes")
    assert house.directory.get(house.active.id) is None
    assert house.directory.is_suppressed("ada@example.org")
    assert client.get(page).status_code == 404


@pytest.mark.parametrize("act", ["save", "address", "back", "export", "forget"])
def test_no_button_works_without_the_form_s_own_mark(client: TestClient, house: House, act: str) -> None:
    answer = client.post(own(house, house.active), data={"act": act, "sure": "yes", "email": "x@example.org"})
    assert answer.status_code == 403
    assert now(house, house.active) == house.active
    assert house.letters.sent == []


def test_an_unknown_button_is_a_calm_page(client: TestClient, house: House) -> None:
    assert fill(client, house, own(house, house.active), act="explode").status_code == 404


def test_the_page_is_well_formed_in_both_languages_and_small(client: TestClient, house: House) -> None:
    for language in ("en", "ja"):
        answer = client.get(f"{own(house, house.active)}?lang={language}")
        html5lib.HTMLParser(strict=True).parse(answer.text)
        assert len(answer.content) < 30_000
        assert "ada@example.org" not in answer.text


def test_leaving_by_the_page_is_followed_by_a_goodbye_once(client: TestClient, house: House) -> None:
    for _ in range(2):
        client.post(f"/u/{house.token(Purpose.LEAVE, house.active)}")
    assert house.letters.sent == [("goodbye", "ada@example.org", "")]


def test_a_new_address_is_asked_three_times_at_most(client: TestClient, house: House) -> None:
    for _ in range(5):
        fill(client, house, own(house, house.active), act="address", email="other@new.example.org")
        house.clock.now += timedelta(days=1)
    assert [kind for kind, *_ in house.letters.sent] == ["readdress"] * 3


def test_a_visitor_asks_for_new_addresses_no_oftener_than_the_forms_allow(
    client: TestClient, house: House
) -> None:
    page = own(house, house.active)
    answers = [
        fill(client, house, page, act="address", email=f"other{number}@host{number}.example.org")
        for number in range(11)
    ]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert len(house.letters.sent) == 10
    assert fill(client, house, page, act="save").status_code == 200
