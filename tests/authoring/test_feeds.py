"""Feeds: read politely, remembered, and a broken one does not cost the others."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from newsletter.authoring import clippings, downloads, feeds, gathering
from tests.authoring.press import FERRY, Press

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>Harbour Office</title><link>{base}/</link>{items}</channel></rss>"""
ITEM = """<item><title>{title}</title><link>{link}</link><guid>{link}</guid>
<pubDate>Thu, 12 Nov 2026 08:00:00 GMT</pubDate><description>{summary}</description></item>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>A</title>
<entry><id>urn:1</id><title type="html">Lamps &amp;amp; lights</title><link href="{base}/lamps"/>
<updated>2026-11-13T10:00:00Z</updated><content type="html">&lt;p&gt;New lamps.&lt;/p&gt;</content>
</entry></feed>"""


def rss(press: Press, *items: tuple[str, str, str]) -> str:
    filled = "".join(
        ITEM.format(title=title, link=press.base + path, summary=text) for title, path, text in items
    )
    return RSS.replace("{items}", filled)


class Desk:
    """Everything that collects, and how often it waited."""

    def __init__(self, gatherer: gathering.Gatherer) -> None:
        self.gatherer = gatherer
        self.pauses = 0
        self._downloader = downloads.Downloader(downloads.Limits(size=20_000_000, allow_private=True))

    def collect(self, *followed: feeds.Feed) -> list[feeds.Report]:
        return feeds.Collector(
            feeds=followed, gatherer=self.gatherer, downloader=self._downloader, pause=self._pause
        ).collect()

    def _pause(self) -> None:
        self.pauses += 1

    def titles(self) -> list[str]:
        return sorted(slip.title for slip in self.gatherer.into.slips())


@pytest.fixture
def desk(gatherer: gathering.Gatherer) -> Desk:
    return Desk(gatherer)


def test_what_is_new_is_clipped_from_its_page_under_the_feed_s_topic(desk: Desk, press: Press) -> None:
    press.put("/ferry", FERRY)
    url = press.put("/feed", rss(press, ("Ferry line opens", "/ferry", "Soon.")), kind="application/rss+xml")
    (report,) = desk.collect(feeds.Feed(name="harbour", url=url, topic="transport"))
    (name,) = report.clipped
    made = clippings.read(desk.gatherer.into.folder / f"{name}.md")
    assert (made.title, made.topics) == ("Ferry line opens in June", ("transport",))
    assert "one ferry line from June" in made.excerpt


def test_a_page_that_cannot_be_had_is_clipped_from_what_the_feed_says(desk: Desk, press: Press) -> None:
    url = press.put(
        "/feed", rss(press, ("Ferry line opens", "/gone", "&lt;b&gt;Six&lt;/b&gt; crossings a day."))
    )
    (report,) = desk.collect(feeds.Feed(name="harbour", url=url))
    made = clippings.read(desk.gatherer.into.folder / f"{report.clipped[0]}.md")
    assert (made.title, made.address) == ("Ferry line opens", f"{press.base}/gone")
    assert made.published == datetime.date(2026, 11, 12)
    assert made.excerpt == "Six crossings a day."


def test_a_feed_that_has_not_changed_is_not_read_again(desk: Desk, press: Press) -> None:
    headers = {"ETag": '"one"', "Last-Modified": "Thu, 12 Nov 2026 08:00:00 GMT"}
    url = press.put("/feed", rss(press, ("A story", "/gone", "Told.")), headers=headers)
    feed = feeds.Feed(name="harbour", url=url)
    assert desk.collect(feed)[0].new == 1
    (again,) = desk.collect(feed)
    assert (again.unchanged, again.said) == (True, "nothing new")
    asked = [headers for path, headers in press.asked if path == "/feed"]
    assert asked[1]["If-None-Match"] == '"one"'
    assert asked[1]["If-Modified-Since"] == "Thu, 12 Nov 2026 08:00:00 GMT"


def test_an_item_once_seen_is_not_clipped_again_even_when_it_was_dropped(desk: Desk, press: Press) -> None:
    url = press.put("/feed", rss(press, ("A story", "/a", "Told.")))
    feed = feeds.Feed(name="harbour", url=url)
    desk.collect(feed)
    for path in desk.gatherer.into.folder.glob("*.md"):
        path.unlink()
    press.put("/feed", rss(press, ("A story", "/a", "Told."), ("Another one", "/b", "Told too.")))
    (report,) = desk.collect(feed)
    assert (report.new, desk.titles()) == (1, ["Another one"])


def test_words_choose_what_is_clipped(desk: Desk, press: Press) -> None:
    items = [("Ferry news", "/a", "x"), ("Weather", "/b", "A ferry in the rain"), ("Trains", "/c", "x")]
    url = press.put("/feed", rss(press, *items))
    (report,) = desk.collect(feeds.Feed(name="f", url=url, include=("FERRY",), exclude=("weather",)))
    assert (desk.titles(), report.left_out) == (["Ferry news"], 2)


def test_a_feed_of_10_000_items_gives_its_newest_and_is_then_known(desk: Desk, press: Press) -> None:
    items = [(f"Story {i}", f"/story/{i}", f"Told {i} times.") for i in range(10_000)]
    url = press.put("/feed", rss(press, *items))
    feed = feeds.Feed(name="long", url=url)
    (report,) = desk.collect(feed)
    assert (report.new, len(report.clipped), report.too_many) == (10_000, 60, 9_940)
    assert desk.collect(feed)[0].new == 0


def test_one_host_is_asked_for_few_pages_with_pauses_between(desk: Desk, press: Press) -> None:
    url = press.put("/feed", rss(press, *((f"Story {i}", f"/story/{i}", f"Told {i}.") for i in range(20))))
    desk.collect(feeds.Feed(name="f", url=url))
    assert len([path for path in press.paths() if path.startswith("/story")]) == 5
    assert desk.pauses == 4
    assert len(desk.titles()) == 20


def test_a_broken_feed_is_told_and_the_others_are_read(desk: Desk, press: Press) -> None:
    good = press.put("/good", rss(press, ("A story", "/a", "Told.")))
    page = press.put("/page", "<html><body>No feed here</body></html>")
    empty = press.put("/empty", "")
    followed = [
        feeds.Feed(name="gone", url=f"{press.base}/gone"),
        feeds.Feed(name="page", url=page),
        feeds.Feed(name="empty", url=empty),
        feeds.Feed(name="good", url=good),
    ]
    reports = {report.name: report for report in desk.collect(*followed)}
    assert "404" in reports["gone"].error
    assert "cannot be read" in reports["page"].error
    assert "cannot be read" in reports["empty"].error
    assert reports["good"].clipped
    assert desk.titles() == ["A story"]


def test_an_item_with_a_broken_address_costs_no_other(desk: Desk, press: Press) -> None:
    press.put("/ferry", FERRY)
    feed = rss(press, ("Ferry line opens", "/ferry", "Soon.")).replace(
        "<item>", "<item><title>Lamps</title><link>https://[lamps</link><guid>1</guid></item><item>", 1
    )
    (report,) = desk.collect(feeds.Feed(name="harbour", url=press.put("/feed", feed)))
    assert (report.error, desk.titles()) == ("", ["Ferry line opens in June", "Lamps"])


def test_xml_that_breaks_off_gives_the_items_before_the_break(desk: Desk, press: Press) -> None:
    whole = rss(press, ("A story", "/a", "Told."), ("Another", "/b", "Told too."))
    url = press.put("/feed", whole[: whole.index("</channel>")].replace("Another", "A & nother"))
    (report,) = desk.collect(feeds.Feed(name="f", url=url))
    assert report.error == ""
    assert "A story" in desk.titles()


def test_atom_is_read_as_well(desk: Desk, press: Press) -> None:
    url = press.put("/feed", ATOM, kind="application/atom+xml")
    desk.collect(feeds.Feed(name="f", url=url))
    assert desk.titles() == ["Lamps & lights"]


def test_a_feed_may_come_in_a_charset_of_its_own() -> None:
    text = RSS.replace("utf-8", "shift_jis").replace(
        "{items}", ITEM.format(title="連絡船", link="https://example.org/jp", summary="六月から")
    )
    (item,) = feeds.parse(text.encode("shift_jis"))
    assert (item.title, item.published) == ("連絡船", datetime.date(2026, 11, 12))


def test_links_that_run_code_are_not_taken_over() -> None:
    text = RSS.replace("{items}", ITEM.format(title="x", link="javascript:alert(1)", summary="y"))
    (item,) = feeds.parse(text.encode())
    assert item.url == ""


def test_entities_that_unfold_without_end_give_nothing() -> None:
    steps = "".join(f'<!ENTITY e{i + 1} "{f"&e{i};" * 10}">' for i in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY e0 "x">{steps}]>'
    whole = bomb + RSS.partition("?>")[2].replace(
        "{items}", ITEM.format(title="A story", link="https://example.org/a", summary="&e9;")
    )
    assert all(len(item.summary) < 100 for item in feeds.parse(whole.encode()))


def test_a_memory_that_was_lost_or_broken_does_not_clip_twice(desk: Desk, press: Press) -> None:
    url = press.put("/feed", rss(press, ("A story", "/a", "Told.")))
    feed = feeds.Feed(name="f", url=url)
    desk.collect(feed)
    state: Path = desk.gatherer.into.folder / feeds.STATE
    assert json.loads(state.read_text())[url]["seen"]
    state.write_text("nonsense")
    (report,) = desk.collect(feed)
    assert (report.known, desk.titles()) == (1, ["A story"])
