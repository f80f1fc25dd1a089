"""The preview, started from the command line and driven in a real browser."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from PIL import Image

from tests import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Page

SETTINGS = """\
[publication]
title = "Harbour Digest"
url = "https://digest.example.org"
postal_address = "1 Quay Street, Harbour Town"
[sender]
name = "Harbour Digest"
email = "news@example.org"
[delivery]
provider = "outbox"
[providers.outbox]
kind = "outbox"
path = "outbox"
"""
ISSUE = """\
---
volume: 2
number: 3
date: 2026-02-06
subject: Ports agree on one timetable for night trains
preheader: Also this fortnight, a bridge opens early and two archives are joined
hero:
  file: quay.png
  alt: The quay at dawn
  credit: Drawn for this digest
---

Dear {{ subscriber.first_name | default("reader") }}, here is the digest.

## Ports agree on one timetable
id: ports

Both both ports [signed](https://ports.example.org/timetable) a paper on night trains.

## Bridge opens ahead of schedule
id: bridge

The bridge [opened](https://bridge.example.org/opening) early. ![A view](https://elsewhere.example.org/view.png)
"""
JAPANESE = """\
---
volume: 2
number: 3
date: 2026-02-06
language: ja
---

## 港が一つの時刻表に合意
id: ports

[署名](https://ports.example.org/timetable)した。

## 橋が予定より早く開通
id: bridge

[開通](https://bridge.example.org/opening)した。
"""
PANELS = ["letter", "text", "source", "size", "links", "pictures", "outline", "findings"]


@dataclass
class Desk:
    """A workspace with the preview of its issue running."""

    folder: Path
    address: str
    process: subprocess.Popen[str]

    @property
    def issue(self) -> Path:
        return self.folder / "issues" / "vol-2-3.md"

    def write(self, text: str) -> None:
        self.issue.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("digest")
    (folder / "newsletter.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / ".env").write_text(f"NEWSLETTER_SIGNING_KEY={'k3y' * 15}\n", encoding="utf-8")
    (folder / "issues").mkdir()
    Image.new("RGB", (1200, 600), "navy").save(folder / "issues" / "quay.png")
    (folder / "issues" / "vol-2-3.md").write_text(ISSUE, encoding="utf-8")
    (folder / "issues" / "vol-2-3.ja.md").write_text(JAPANESE, encoding="utf-8")
    command = [
        sys.executable,
        "-u",
        "-m",
        "newsletter",
        "-C",
        str(folder),
        "issue",
        "preview",
        "2.3",
        "--no-open",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert address, line + process.stdout.read()
        yield Desk(folder, address[0], process)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0, process.stdout.read()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as found:
        yield found


@pytest.fixture
def page(desk: Desk, browser: Browser) -> Iterator[Page]:
    """The preview in a window, its issue as it was written first."""
    desk.write(ISSUE)
    opened = browser.new_page(viewport={"width": 1500, "height": 1000})
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.goto(desk.address)
    opened.locator("#broken").wait_for(state="detached")
    letter(opened).get_by_role("heading", name="Ports agree").wait_for()
    yield opened
    opened.close()
    assert troubles == []


def letter(page: Page, width: int = 640) -> FrameLocator:
    return page.frame_locator(f"iframe.w{width}")


def test_the_letter_stands_side_by_side_at_three_widths(page: Page) -> None:
    for width in (640, 375, 320):
        letter(page, width).get_by_role("heading", name="Bridge opens").wait_for()
    rows = page.locator("#inbox li").all_inner_texts()
    assert [row.split()[0] for row in rows] == ["35", "70", "110"]
    assert "Ports agree on one timetable for n…" in rows[0]
    assert "Also this fortnight" in rows[2]
    page.screenshot(path=chromium.artefact("preview-letter.png"))


def test_a_save_changes_the_letter_without_a_reload_and_without_scrolling(page: Page, desk: Desk) -> None:
    page.evaluate("window.sameWindow = true")
    frame = page.frames[1]
    frame.evaluate("document.documentElement.scrollTop = 120")
    desk.write(ISSUE.replace("a paper on night trains", "a treaty on night trains"))
    letter(page).get_by_text("a treaty on night trains").wait_for()
    assert page.evaluate("window.sameWindow")
    page.wait_for_function(
        "() => document.querySelector('iframe').contentDocument.documentElement.scrollTop === 120"
    )


def test_a_broken_file_shows_its_line_over_the_last_good_letter(page: Page, desk: Desk) -> None:
    desk.write(ISSUE.replace("volume: 2", "volume: 2.3"))
    overlay = page.locator("#broken")
    overlay.wait_for()
    assert "vol-2-3.md:2" in overlay.inner_text()
    assert "volume: 2.3" in overlay.locator("pre").inner_text()
    letter(page).get_by_role("heading", name="Ports agree").wait_for()
    page.screenshot(path=chromium.artefact("preview-broken.png"))
    desk.write(ISSUE)
    overlay.wait_for(state="detached")


def test_settings_are_followed_and_broken_ones_shown_with_their_line(page: Page, desk: Desk) -> None:
    settings = desk.folder / "newsletter.toml"
    settings.write_text(
        SETTINGS.replace('title = "Harbour Digest"', 'titel = "Harbour Digest"'), encoding="utf-8"
    )
    overlay = page.locator("#broken")
    overlay.wait_for()
    assert "newsletter.toml:2" in overlay.inner_text()
    letter(page).get_by_role("heading", name="Ports agree").wait_for()
    settings.write_text(
        SETTINGS.replace('title = "Harbour Digest"', 'title = "Quay Digest"'), encoding="utf-8"
    )
    letter(page).get_by_role("heading", name="Quay Digest").wait_for()
    settings.write_text(SETTINGS, encoding="utf-8")
    letter(page).get_by_role("heading", name="Harbour Digest").wait_for()


def test_a_glossary_that_cannot_be_read_is_a_finding(page: Page, desk: Desk) -> None:
    glossary = desk.folder / "glossary.toml"
    glossary.write_text("[[term", encoding="utf-8")
    page.locator("#panel-findings").get_by_text("unreadable").wait_for(state="attached")
    glossary.unlink()
    page.locator("#panel-findings").get_by_text("duplicate-word").wait_for(state="attached")


def test_a_field_that_nobody_knows_is_shown_with_its_line(page: Page, desk: Desk) -> None:
    desk.write(ISSUE.replace("subscriber.first_name", "subscriber.shoe_size"))
    page.locator("#broken").wait_for()
    assert "subscriber.shoe_size" in page.locator("#broken").inner_text()


@pytest.mark.parametrize("name", PANELS)
def test_each_panel_is_reached_by_keyboard_and_shown(page: Page, name: str) -> None:
    page.locator("#tab-letter").focus()
    for _ in range(PANELS.index(name)):
        page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == f"tab-{name}"
    assert page.locator(f"#panel-{name}").is_visible()
    assert [panel for panel in PANELS if page.locator(f"#panel-{panel}").is_visible()] == [name]
    page.screenshot(path=chromium.artefact(f"preview-{name}.png"))


def test_the_panels_hold_what_they_promise(page: Page) -> None:
    def text(panel: str) -> str:
        return page.locator(f"#panel-{panel}").text_content() or ""

    page.locator("#panel-findings li").first.wait_for(state="attached")
    assert "Dear Akiko, here is the digest." in text("text")
    assert "multipart/alternative" in text("source")
    assert "List-Unsubscribe" in text("source")
    assert "Gmail clips at about" in text("size")
    assert "Ports agree on one timetable" in text("size")
    assert "https://ports.example.org/timetable" in text("links")
    assert "1200 × 600" in text("pictures")
    assert "on another server: not loaded" in text("pictures")
    assert re.search(r"h1\s+Harbour Digest", text("outline"))
    assert "duplicate-word" in text("findings")
    assert f"vol-2-3.md:{ISSUE[: ISSUE.index('Both both')].count(chr(10)) + 1}:1" in text("findings")


def ground(page: Page) -> int:
    """Return how light the middle of the letter's left margin is, from 0 to 255."""
    shot = Image.open(io.BytesIO(page.locator("iframe.w375").screenshot())).convert("L")
    value = shot.getpixel((6, 40))
    return int(str(value))


def choose(page: Page, **values: str) -> None:
    """Set the controls, and wait until the letter has followed."""
    with page.expect_response(re.compile("/panels")):
        for name, value in values.items():
            page.select_option(f"[name={name}]", value)


def test_the_letter_can_be_read_by_night_and_turned_round(page: Page) -> None:
    assert ground(page) > 200
    choose(page, palette="dark")
    assert ground(page) < 80
    page.screenshot(path=chromium.artefact("preview-dark.png"))
    choose(page, palette="inverted")
    assert ground(page) < 80
    page.screenshot(path=chromium.artefact("preview-inverted.png"))


def test_pictures_and_styles_can_be_taken_away(page: Page) -> None:
    picture = (
        "document.querySelector('iframe').contentDocument.querySelector('img[alt=\"The quay at dawn\"]')"
    )
    page.wait_for_function(f"() => {picture}.naturalWidth === 1200")
    with page.expect_response(re.compile("/panels")):
        page.check("[name=pictures]")
    assert page.evaluate(f"{picture}.naturalWidth") == 0
    styles = "document.querySelector('iframe').contentDocument.querySelectorAll('style').length"
    assert page.evaluate(styles) > 1
    with page.expect_response(re.compile("/panels")):
        page.check("[name=styles]")
    assert page.evaluate(styles) == 1
    page.screenshot(path=chromium.artefact("preview-bare.png"))


@pytest.mark.parametrize(
    ("reader", "greeting"),
    [("named", "Dear Akiko,"), ("nameless", "Dear reader,"), ("awkward", "Dear Zoë-Marie,")],
)
def test_the_letter_is_addressed_to_each_sample_reader(page: Page, reader: str, greeting: str) -> None:
    choose(page, reader=reader)
    letter(page).get_by_text(greeting).wait_for()


def test_a_readers_language_picks_the_edition_and_the_switch_overrides_it(page: Page) -> None:
    choose(page, reader="japanese")
    letter(page).get_by_role("heading", name="港が一つの時刻表に合意").wait_for()
    choose(page, edition="en")
    letter(page).get_by_role("heading", name="Ports agree").wait_for()
    assert "reader=japanese&edition=en" in page.url
    page.reload()
    letter(page).get_by_role("heading", name="Ports agree").wait_for()


def test_the_letter_that_follows_another_into_a_frame_brings_its_own_language(page: Page) -> None:
    language = "document.querySelector('iframe').contentDocument.documentElement.lang"
    assert page.evaluate(language) == "en"
    choose(page, edition="ja")
    page.wait_for_function(f"() => {language} === 'ja'")


def test_a_picture_that_is_painted_over_is_shown_anew(page: Page, desk: Desk) -> None:
    width = (
        "document.querySelector('iframe').contentDocument.querySelector('img[alt=\"The quay at dawn\"]')"
        ".naturalWidth"
    )
    page.wait_for_function(f"() => {width} === 1200")
    picture = desk.folder / "issues" / "quay.png"
    before = picture.read_bytes()
    Image.new("RGB", (800, 400), "teal").save(picture)
    page.wait_for_function(f"() => {width} === 800")
    picture.write_bytes(before)
    page.wait_for_function(f"() => {width} === 1200")


def test_an_edition_written_meanwhile_can_be_chosen(page: Page, desk: Desk) -> None:
    german = desk.folder / "issues" / "vol-2-3.de.md"
    german.write_text(
        JAPANESE.replace("language: ja", "language: de").replace("港が", "Häfen"), encoding="utf-8"
    )
    page.locator("[name=edition] option[value=de]").wait_for(state="attached")
    choose(page, edition="de")
    letter(page).get_by_role("heading", name="Häfen").wait_for()
    german.unlink()
    page.locator("[name=edition] option[value=de]").wait_for(state="detached")


def test_a_finding_jumps_to_its_entry(page: Page, desk: Desk) -> None:
    desk.write(
        ISSUE.replace("The bridge", ("A long paragraph of words. " * 30 + "\n\n") * 8 + "The the bridge")
    )
    letter(page).get_by_text("The the bridge").wait_for()
    page.locator("#tab-findings").click()
    page.get_by_role("button", name="Show “Bridge opens ahead of schedule”").first.click()
    assert page.locator("#panel-letter").is_visible()
    page.wait_for_function(
        "() => document.querySelector('iframe').contentDocument.documentElement.scrollTop > 100"
    )


def test_a_test_mail_goes_out_through_the_provider(page: Page, desk: Desk) -> None:
    page.fill("[name=to]", "editor@example.org")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("accepted").first.wait_for()
    mails = [path for path in (desk.folder / "outbox").rglob("*") if path.is_file()]
    assert any("[TEST]" in path.read_text(encoding="utf-8") for path in mails)


def test_no_request_leaves_the_machine(desk: Desk, browser: Browser) -> None:
    desk.write(ISSUE)
    opened = browser.new_page()
    asked: list[str] = []
    opened.on("requestfinished", lambda request: asked.append(request.url))
    opened.goto(desk.address)
    letter(opened).get_by_role("heading", name="Ports agree").wait_for()
    opened.wait_for_function(
        "() => document.querySelector('iframe').contentDocument.readyState === 'complete'"
    )
    opened.close()
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith(desk.address)] == []


def axe(page: Page) -> list[str]:
    """Return what axe has against the page; the letters in their frames are the theme's business."""
    from axe_playwright_python.sync_playwright import Axe

    results = Axe().run(page, context={"exclude": [["iframe"]]}, options={"resultTypes": ["violations"]})
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in results.response["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_preview_itself_is_accessible(page: Page, desk: Desk, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # a literal from the list above
    for name in PANELS:
        page.locator(f"#tab-{name}").click()
        assert axe(page) == [], name
    desk.write(ISSUE.replace("volume: 2", "volume: x"))
    page.locator("#broken").wait_for()
    assert axe(page) == []


@pytest.mark.usefixtures("page")
def test_only_its_own_page_may_reach_in(desk: Desk) -> None:
    with httpx.Client(base_url=desk.address) as client:
        assert client.get("/", headers={"Host": "evil.example.org"}).status_code == 400
        assert client.post("/test", json={"to": "editor@example.org"}).status_code == 403
        refused = client.post("/test", json={"to": "nobody"}, headers={"X-Preview": "1"})
        assert (refused.status_code, "nobody" in refused.json()["said"]) == (400, True)
        assert client.post("/test", content=b"{", headers={"X-Preview": "1"}).status_code == 400


@pytest.mark.parametrize(
    "name", ["..%2fnewsletter.toml", "%2e%2e/newsletter.toml", "vol-2-3.md", "none.png", "../.env"]
)
def test_only_pictures_beside_the_issue_are_served(desk: Desk, name: str) -> None:
    assert httpx.get(f"{desk.address}pictures/{name}").status_code == 404


def test_every_answer_is_held_by_a_strict_policy(desk: Desk) -> None:
    whole = httpx.get(desk.address).headers["Content-Security-Policy"]
    assert "default-src 'none'" in whole
    assert "unsafe" not in whole
    frame = httpx.get(f"{desk.address}frame").headers["Content-Security-Policy"]
    assert frame.startswith("sandbox allow-same-origin; default-src 'none'")
    assert "script-src" not in frame


def test_nothing_is_served_to_other_machines(desk: Desk) -> None:
    port = int(desk.address.rsplit(":", 1)[1].strip("/"))
    listening = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()
    bound = [
        row.split()[1]
        for row in listening
        if row.split()[1].endswith(f":{port:04X}") and row.split()[3] == "0A"
    ]
    assert bound == [f"0100007F:{port:04X}"]


def test_a_port_that_is_taken_is_named_with_a_way_out(desk: Desk) -> None:
    port = desk.address.rsplit(":", 1)[1].strip("/")
    command = [
        sys.executable,
        "-m",
        "newsletter",
        "-C",
        str(desk.folder),
        "issue",
        "preview",
        "2.3",
        "--port",
        port,
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 2
    assert f"port {port} on 127.0.0.1 cannot be used" in result.stderr
    assert "leave --port out" in result.stderr
