"""The archive: every issue that went out, for everybody, and nothing that did not."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
from xml.sax import saxutils

import feedparser
import html5lib
import pytest
from fastapi.testclient import TestClient
from lxml import etree

from newsletter import ports
from newsletter.domain import errors, messages, numbering
from newsletter.domain.deliveries import MailingStatus
from newsletter.web.archive import stylesheets
from tests.web.conftest import NOW, PUBLICATION, TEMPLATE, House, hand_over

SHIPS = """\
---
volume: 2
number: 23
date: 2026-11-20
subject: Ships & harbours
preheader: What moves
---

## Two ports share <one> ferry
id: ferry
topics: security, Ports of call

They **signed** it in [Kitahama](https://example.org/kitahama).
Dear {{ subscriber.first_name | default("reader") }}.

## A bridge opens
id: bridge
topics: trade

Early, and ＷＩＤＥ.
"""
#: A mailing may be stopped in each of these ways before its first message goes out.
STATUSES = [MailingStatus.PAUSED, MailingStatus.HELD]
SHIPS_JA = SHIPS.replace("preheader: What moves", "preheader: 動き\nlanguage: ja").replace(
    "Two ports share <one> ferry", "二つの港が一つの渡し船を持つ"
)


def write(house: House, name: str, text: str) -> None:
    """Write an issue file, later than any that was there."""
    path = house.desk.issues / name
    before = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(before + 10**9, before + 10**9))
    house.clock.now += timedelta(seconds=2)


def send(house: House, number: numbering.IssueNumber, **changes: object) -> None:
    """Have a mailing of an issue in the ledger."""
    from dataclasses import replace

    template = replace(
        TEMPLATE, number=number, rendered=replace(TEMPLATE.rendered, subject=f"As sent {number}")
    )
    draft = ports.MailingDraft(
        **{  # type: ignore[arg-type]  # the fields of a draft
            "templates": {"en": template},
            "audience": ports.Audience(),
            "provider": "outbox",
            "now": NOW,
            **changes,
        }
    )
    mailing = house.ledger.plan(draft)
    if mailing.due_at is None:
        hand_over(house.ledger, mailing)
    house.clock.now += timedelta(seconds=2)


def pages_of(client: TestClient) -> dict[str, str]:
    return {path: client.get(path).text for path in ("/", "/issues/vol-2-23", "/topics/trade")}


def test_the_front_page_names_what_went_out_and_nothing_else(client: TestClient, house: House) -> None:
    write(house, "vol-2-23.md", SHIPS)
    write(
        house, "vol-2-24.md", SHIPS.replace("number: 23", "number: 24").replace("Two ports", "Secret ports")
    )
    page = client.get("/").text
    assert "Vol 2.23" in page
    assert '<a href="/issues/vol-2-23#ferry">Two ports share &lt;one&gt; ferry</a>' in page
    assert "Secret" not in page
    assert client.get("/issues/vol-2-24").status_code == 404
    for path in ("/feed.rss", "/feed.atom", "/feed.json", "/sitemap.xml", "/search?q=secret"):
        assert "vol-2-24" not in client.get(path).text


def test_an_issue_is_shown_from_its_file_with_anchors_and_nothing_personal(
    client: TestClient, house: House
) -> None:
    write(house, "vol-2-23.md", SHIPS)
    answer = client.get("/issues/vol-2-23")
    assert 'id="ferry"' in answer.text
    assert "Dear reader" in answer.text
    assert 'property="og:title" content="Ships &amp; harbours"' in answer.text
    assert '<link rel="canonical" href="https://digest.example.org/issues/vol-2-23">' in answer.text
    html5lib.HTMLParser(strict=True).parse(answer.text)


def test_every_style_of_an_issue_is_known_to_its_policy_by_hash(client: TestClient, house: House) -> None:
    for step in ("as sent", "from the file"):
        answer = client.get("/issues/vol-2-23")
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy, step
        assert " style=" not in answer.text, step
        sheets = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
        assert sheets
        for sheet in sheets:
            digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy, step
        write(house, "vol-2-23.md", SHIPS)


def test_style_attributes_become_rules_of_their_own() -> None:
    mail = (
        '<html><head><style>p { color: red }</style></head><body><p style="color: blue">A</p>'
        '<p class="x" style="color:blue">B</p><!--[if mso]><p style="a">C</p><![endif]-->'
        "<td width='3' style='font-family: &quot;Q&quot;; x: }'>D</td>\" style=\"no tag\"</body></html>"
    )
    page = stylesheets.outlined(mail)
    assert '<p class="own0">A</p>' in page
    assert '<p class="own1 x">B</p>' in page
    assert '<!--[if mso]><p style="a">C</p><![endif]-->' in page
    assert "<td class=\"own2\" width='3'>" in page
    assert '.own2.own2.own2 { font-family: "Q"; x:  }' in page
    assert (
        page.index("p { color: red }") < page.index(".own0.own0.own0 { color: blue }") < page.index("</head>")
    )


def test_an_edit_shows_at_the_next_look(client: TestClient, house: House) -> None:
    write(house, "vol-2-23.md", SHIPS)
    before = pages_of(client)
    assert pages_of(client) == before
    write(house, "vol-2-23.md", SHIPS.replace("A bridge opens", "A bridge closes"))
    after = pages_of(client)
    assert all("A bridge closes" in page and "A bridge opens" not in page for page in after.values())


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "---\nvolume: 2\n",
        SHIPS.replace("date: 2026-11-20", "date: someday"),
        "\x00\x01",
        SHIPS.replace("default(", "nonsense("),
    ],
)
def test_a_broken_file_shows_its_issue_as_it_was_sent_and_costs_no_other(
    client: TestClient, house: House, broken: str
) -> None:
    send(house, numbering.IssueNumber(2, 22))
    write(house, "vol-2-22.md", SHIPS.replace("number: 23", "number: 22"))
    write(house, "vol-2-23.md", SHIPS)
    write(house, "vol-2-23.md", broken)
    assert "Two ports share" in client.get("/issues/vol-2-22").text
    answer = client.get("/issues/vol-2-23")
    assert answer.status_code == 200
    assert "Dear reader" in answer.text
    for path in ("/", "/feed.rss", "/feed.atom", "/feed.json", "/sitemap.xml", "/search?q=ships"):
        page = client.get(path)
        assert page.status_code == 200
        assert path.startswith("/search") or ("vol-2-22" in page.text and "vol-2-23" in page.text), path


def test_a_ledger_that_fails_leaves_the_archive_as_it_was(
    client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.get("/").text

    def fail() -> list[object]:
        raise errors.StoreError("the disk is gone")

    # A memory ledger cannot lose its disk.
    monkeypatch.setattr(house.ledger, "mailings", fail)
    house.clock.now += timedelta(seconds=5)
    assert client.get("/").text == before
    monkeypatch.undo()
    send(house, numbering.IssueNumber(2, 24))
    assert "vol-2-24" in client.get("/").text


def test_one_issue_whose_template_cannot_be_read_does_not_cost_the_others(
    client: TestClient, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(house, numbering.IssueNumber(2, 22))
    whole = house.ledger.template

    def fail(mailing: int) -> object:
        if mailing == house.mailing.id:
            raise errors.StoreError("a page of the database is torn")
        return whole(mailing)

    monkeypatch.setattr(house.ledger, "template", fail)
    page = client.get("/").text
    assert "vol-2-22" in page
    assert "vol-2-23" not in page
    monkeypatch.undo()
    house.clock.now += timedelta(seconds=2)
    assert "vol-2-23" in client.get("/").text


def test_cancelled_scheduled_and_held_mailings_are_not_public(client: TestClient, house: House) -> None:
    send(house, numbering.IssueNumber(3, 1), due_at=NOW + timedelta(days=1))
    assert "vol-3-1" not in client.get("/").text
    assert client.get("/issues/vol-3-1").status_code == 404
    house.ledger.set_status(house.mailing.id, MailingStatus.CANCELLED, reason="x", now=NOW)
    house.clock.now += timedelta(seconds=2)
    assert client.get("/issues/vol-2-23").status_code == 404
    assert "No issue has come out yet." in client.get("/").text


@pytest.mark.parametrize("status", [*STATUSES, None])
def test_an_issue_is_no_secret_once_somebody_has_it_and_not_before(
    client: TestClient, house: House, status: MailingStatus | None
) -> None:
    number = numbering.IssueNumber(3, 1)
    template = dataclasses.replace(TEMPLATE, number=number)
    mailing = house.ledger.plan(
        ports.MailingDraft(templates={"en": template}, audience=ports.Audience(), provider="outbox", now=NOW)
    )
    if status is not None:
        house.ledger.set_status(mailing.id, status, reason="wait", now=NOW)
    write(house, "vol-3-1.md", SHIPS.replace("volume: 2\nnumber: 23", "volume: 3\nnumber: 1"))
    for path in (
        "/",
        "/feed.rss",
        "/feed.atom",
        "/feed.json",
        "/sitemap.xml",
        "/search?q=ferry",
        "/topics/trade",
    ):
        assert "vol-3-1" not in client.get(path).text
    for name in ("vol-3-1", "vol-3-1.ja"):
        assert client.get(f"/issues/{name}").status_code == 404
    house.ledger.begin(mailing.id, now=NOW)
    hand_over(house.ledger, mailing)
    if status is not None:
        house.ledger.set_status(mailing.id, status, reason="wait", now=NOW)
    house.clock.now += timedelta(seconds=2)
    assert client.get("/issues/vol-3-1").status_code == 200
    assert "vol-3-1" in client.get("/feed.atom").text


def test_feeds_date_an_issue_by_its_first_message_and_not_by_its_plan(
    client: TestClient, house: House
) -> None:
    day = timedelta(days=1)
    numbers = [numbering.IssueNumber(3, each) for each in (1, 2)]
    early, late = (
        house.ledger.plan(
            ports.MailingDraft(
                templates={"en": dataclasses.replace(TEMPLATE, number=number)},
                audience=ports.Audience(),
                provider="outbox",
                now=NOW,
                due_at=due_at,
            )
        )
        for number, due_at in zip(numbers, (NOW + 9 * day, NOW + day), strict=True)
    )
    for mailing, sent_at in ((early, NOW + 2 * day), (late, NOW + 5 * day)):
        house.ledger.begin(mailing.id, now=sent_at)
        hand_over(house.ledger, mailing, now=sent_at)
    house.clock.now += timedelta(seconds=2)
    found = {each["url"]: each["date_published"] for each in client.get("/feed.json").json()["items"]}
    dates = [found[f"{PUBLICATION.url}/issues/{number.slug}"] for number in numbers]
    assert dates == [(NOW + 2 * day).isoformat(), (NOW + 5 * day).isoformat()]


def test_an_edition_has_its_own_address_and_each_leads_to_the_other(client: TestClient, house: House) -> None:
    write(house, "vol-2-23.md", SHIPS)
    write(house, "vol-2-23.ja.md", SHIPS_JA)
    english, japanese = client.get("/issues/vol-2-23").text, client.get("/issues/vol-2-23.ja").text
    assert 'hreflang="ja" lang="ja">日本語</a>' in english
    assert 'href="/issues/vol-2-23" hreflang="en"' in japanese
    assert '<html lang="ja"' in japanese
    assert '<link rel="canonical" href="https://digest.example.org/issues/vol-2-23.ja">' in japanese
    assert "すべての号" in japanese
    assert client.get("/issues/vol-2-23?language=ja").text == japanese
    assert "二つの港" in client.get("/", headers={"Accept-Language": "ja"}).text
    assert "二つの港" not in client.get("/", headers={"Accept-Language": "en"}).text
    assert client.get("/issues/vol-2-23.fr").status_code == 404


def test_issues_lead_to_the_ones_before_and_after(client: TestClient, house: House) -> None:
    for number in (9, 10):
        send(house, numbering.IssueNumber(2, number))
    page = client.get("/issues/vol-2-10").text
    assert 'rel="next" href="/issues/vol-2-23"' in page
    assert 'rel="prev" href="/issues/vol-2-9"' in page
    assert 'rel="next"' not in client.get("/issues/vol-2-23").text


def test_long_lists_have_pages_and_every_page_is_small(client: TestClient, house: House) -> None:
    for number in range(1, 31):
        send(house, numbering.IssueNumber(1, number))
        entries = "".join(
            f"\n## {'長い見出し' * 30} {n}\nid: e{n}\ntopics: t{n}\n\n{'本文' * 200}\n" for n in range(14)
        )
        head = SHIPS.partition("## ")[0].replace("volume: 2", "volume: 1")
        write(house, f"vol-1-{number}.md", head.replace("number: 23", f"number: {number}") + entries)
    assert len(client.get("/search?q=長い").content) < 30_000
    assert len(client.get("/topics/t3").content) < 30_000
    seen: set[str] = set()
    path = "/"
    while path:
        answer = client.get(path)
        assert len(answer.content) < 30_000
        seen |= set(re.findall(r'<h2><a href="/issues/(vol-\d+-\d+)"', answer.text))
        older = re.search(r'rel="next" href="([^"]+)"', answer.text)
        path = older[1] if older else ""
    assert len(seen) == 31
    assert client.get("/page/9").status_code == 404
    assert client.get("/page/0").status_code == 404
    assert client.get("/page/٣").status_code == 404


def test_a_topic_has_a_page_by_the_name_that_readers_know(client: TestClient, house: House) -> None:
    write(house, "vol-2-23.md", SHIPS)
    assert "Issues about Trade" in client.get("/topics/trade").text
    assert "A bridge opens" in client.get("/topics/trade").text
    assert "Two ports" not in client.get("/topics/trade").text
    assert "Issues about ports of call" in client.get("/topics/ports-of-call").text
    assert client.get("/topics/nothing").status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ferry", "ferry"),
        ("FERRY kitahama", "ferry"),
        ("wide", "bridge"),
        ("signed", "ferry"),
        ("二つの港", "ferry"),
        ("example.org", ""),
        ("ferry bridge", ""),
        ("first_name", ""),
        ("", ""),
    ],
)
def test_the_search_finds_every_word_in_any_language(
    client: TestClient, house: House, query: str, found: str
) -> None:
    write(house, "vol-2-23.md", SHIPS)
    write(house, "vol-2-23.ja.md", SHIPS_JA)
    page = client.get("/search", params={"q": query}).text
    assert (f"#{found}" in page) is bool(found) if found else "#ferry" not in page and "#bridge" not in page


def test_a_search_gives_nothing_back_that_could_run(client: TestClient) -> None:
    answer = client.get("/search", params={"q": '"><script>alert(1)</script>\x00'})
    assert answer.status_code == 200
    assert "<script" not in answer.text
    html5lib.HTMLParser(strict=True).parse(answer.text)


@pytest.mark.parametrize("name", ["feed.rss", "feed.atom", "feed.json"])
def test_a_feed_has_the_full_text_and_is_not_sent_twice(client: TestClient, house: House, name: str) -> None:
    write(house, "vol-2-23.md", SHIPS)
    answer = client.get(f"/{name}")
    if name == "feed.json":
        feed = json.loads(answer.text)
        assert feed["version"] == "https://jsonfeed.org/version/1.1"
        (item,) = feed["items"]
        link, text, title = item["url"], item["content_html"], item["title"]
    else:
        etree.fromstring(answer.content)
        feed = feedparser.parse(answer.content)
        assert not feed.bozo
        (item,) = feed.entries
        link, text, title = item.link, item.content[0].value, item.title
    assert link == "https://digest.example.org/issues/vol-2-23"
    assert saxutils.unescape(title) == "Ships & harbours"
    assert "<strong>signed</strong>" in text
    assert "Dear reader" in text
    for header, mark in (("If-None-Match", "etag"), ("If-Modified-Since", "last-modified")):
        known = client.get(f"/{name}", headers={header: answer.headers[mark]})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["etag"] == answer.headers["etag"]
    write(house, "vol-2-23.md", SHIPS.replace("signed", "tore up"))
    assert client.get(f"/{name}", headers={"If-None-Match": answer.headers["etag"]}).status_code == 200
    assert parsedate_to_datetime(answer.headers["last-modified"]) >= NOW


@pytest.mark.parametrize("name", ["feed.rss", "feed.atom", "sitemap.xml"])
def test_feeds_are_well_formed_whatever_was_written(client: TestClient, house: House, name: str) -> None:
    nasty = SHIPS.replace("A bridge opens", "]]> &amp; <b> \U0001f6a2 &#0;").replace("trade", "a&b <c>, 港")
    write(house, "vol-2-23.md", nasty)
    send(house, numbering.IssueNumber(2, 24))
    etree.fromstring(client.get(f"/{name}").content)


def test_robots_and_the_site_map_lead_to_what_is_public(client: TestClient, house: House) -> None:
    write(house, "vol-2-23.md", SHIPS)
    robots = client.get("/robots.txt").text
    assert "Sitemap: https://digest.example.org/sitemap.xml" in robots
    assert "Disallow: /u/" in robots
    found = re.findall(r"<loc>https://digest.example.org([^<]*)</loc>", client.get("/sitemap.xml").text)
    assert "/issues/vol-2-23" in found
    assert "/topics/ports-of-call" in found
    for path in found:
        assert client.get(path).status_code == 200, path


def test_pages_of_the_archive_are_the_same_for_everybody_and_may_be_kept(
    client: TestClient, house: House
) -> None:
    write(house, "vol-2-23.md", SHIPS)
    for path in ("/", "/issues/vol-2-23", "/topics/trade", "/search?q=a", "/feed.rss", "/sitemap.xml"):
        answer = client.get(path)
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"].startswith("public")
        assert "<script" not in answer.text
        head = client.head(path)
        assert head.status_code == 200
        assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
        if path.startswith(("/feed", "/sitemap")):
            continue
        html5lib.HTMLParser(strict=True).parse(answer.text)
        assert len(answer.content) < 30_000


def test_asking_for_languages_that_are_none_fills_no_memory(client: TestClient, house: House) -> None:
    write(house, "vol-2-23.md", SHIPS)
    whole = client.get("/issues/vol-2-23").text
    for number in range(50):
        assert client.get(f"/issues/vol-2-23?language=x{number}").text == whole


def test_a_message_template_without_a_head_is_shown_too(client: TestClient, house: House) -> None:
    from dataclasses import replace

    bare = replace(TEMPLATE.rendered, html=("<p>", messages.Field("subscriber.name", "you"), "</p>"))
    draft = ports.MailingDraft(
        templates={"en": replace(TEMPLATE, number=numbering.IssueNumber(4, 1), rendered=bare)},
        audience=ports.Audience(),
        provider="outbox",
        now=NOW,
    )
    hand_over(house.ledger, house.ledger.plan(draft))
    house.clock.now += timedelta(seconds=2)
    assert "<p>you</p>" in client.get("/issues/vol-4-1").text


@pytest.mark.parametrize("path", ["/", "/topics/trade"])
def test_a_list_leads_to_itself_in_the_other_languages_of_the_editions(
    client: TestClient, house: House, path: str
) -> None:
    write(house, "vol-2-23.md", SHIPS)
    assert "?lang=" not in client.get(path).text
    write(house, "vol-2-23.ja.md", SHIPS_JA)
    page = client.get(path)
    assert f'<a href="{path}?lang=ja" hreflang="ja" lang="ja">日本語</a>' in page.text
    other = client.get(f"{path}?lang=ja").text
    assert '<html lang="ja"' in other
    assert f'<a href="{path}?lang=en" hreflang="en" lang="en">English</a>' in other
