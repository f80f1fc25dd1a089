"""The whole life of a reader, against a real service, over a real mail server, in a real browser."""

from __future__ import annotations

import contextlib
import email
import email.policy
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
import sqlalchemy as sa
from PIL import Image

from newsletter import wiring
from newsletter.domain.subscribers import Status
from newsletter.domain.tokens import Purpose
from newsletter.store import tables
from tests import chromium, postgres
from tests.cli import mailings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PATIENCE = 60
HERO = "hero:\n  file: quay.png\n  alt: The quay at dawn\n  credit: Drawn for this digest\n"
JAPANESE = """---
volume: 1
number: 1
date: 2026-01-09
language: ja
---

## 港に新しい桟橋が開く
id: pier
topics: harbours

港が新しい桟橋を[開いた](https://port.example.org/pier)。
"""


@dataclass
class Scene:
    """A service that runs, with the mail server that it sends by."""

    app: wiring.App
    url: str
    postbox: mailings.Postbox
    arrived: threading.Condition

    def mail(self, address: str, saying: str) -> str:
        """Wait for a mail to an address with some words in it, and return its text."""
        with self.arrived:
            found: list[str] = []

            def there() -> bool:
                found[:] = [text for text in self.mails(address) if saying in text]
                return bool(found)

            assert self.arrived.wait_for(there, timeout=PATIENCE), f"no mail to {address} says “{saying}”"
            return found[-1]

    def mails(self, address: str = "") -> list[str]:
        """Return what arrived, each mail with its headers and all its texts."""
        return [_read(raw) for to, raw in list(self.postbox.taken) if address in ("", to)]

    def settle(self) -> None:
        """Wait until every letter is accounted for."""
        pause = threading.Event()
        for _ in range(PATIENCE * 20):
            if self.app.letters.next_due() is None:
                return
            pause.wait(0.05)
        pytest.fail("letters still wait")

    def status(self, address: str) -> Status | None:
        person = self.app.directory.find(address)
        return person.status if person else None

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        """Return every row of every table."""
        with self.app.database.reading() as connection:
            return {
                table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
                for table in tables.metadata.sorted_tables
            }

    def take_time(self, page: Page) -> None:
        """Have a form begun a while ago, as by somebody who reads it before the button is pressed."""
        began = self.app.now() - timedelta(seconds=20)
        token = self.app.signer.sign(Purpose.FORM, int(began.timestamp()))
        page.eval_on_selector_all(
            "[name=began]", "(fields, token) => fields.forEach(f => f.value = token)", token
        )


def _read(raw: bytes) -> str:
    mail = email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
    head = "\n".join(f"{name}: {value}" for name, value in mail.items())
    texts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n\n".join([head, *texts])


def _link(text: str, path: str) -> str:
    found = re.search(rf"http://[\w.:]+{path}/[^\s\"<>]+", text)
    assert found, f"no {path} in {text}"
    return found[0]


@contextlib.contextmanager
def _serving(folder: Path, url: str) -> Iterator[None]:
    command = [
        sys.executable,
        "-m",
        "newsletter",
        "-C",
        str(folder),
        "serve",
        "--port",
        url.rpartition(":")[2],
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Pages at"):
                break
        else:
            pytest.fail("".join(said))
        # It listens before it says so: the first request waits until it is answered.
        yield
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("digest")
    database = ""
    if request.param == "postgresql":
        cluster: postgres.Cluster = request.getfixturevalue("postgres_cluster")
        database = f'\n[database]\nurl = "{cluster.create()}"\n'
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with mailings.serving() as (postbox, port):
        settings = mailings.SETTINGS.replace("https://digest.example.org", url)
        settings += database + '\n[topics]\nharbours = "Harbours"\nbridges = "Bridges & quays"\n'
        readers = {"ada@example.net": "Ada Moreno", "bea@example.net": "Bea"}
        app = mailings.make(folder, readers, more=database)
        (folder / "newsletter.toml").write_text(
            settings.replace('kind = "smtp"', f'kind = "smtp"\nhost = "127.0.0.1"\nport = {port}'),
            encoding="utf-8",
        )
        issue = mailings.ISSUE.replace("date: 2026-01-09\n", f"date: 2026-01-09\n{HERO}")
        issue = issue.replace("sources:", "id: pier\ntopics: harbours\nsources:")
        (folder / "issues" / "vol-1-1.md").write_text(issue, encoding="utf-8")
        (folder / "issues" / "vol-1-1.ja.md").write_text(JAPANESE, encoding="utf-8")
        Image.new("RGB", (1200, 600), "navy").save(folder / "issues" / "quay.png")
        app.close()
        app = app.anew()
        arrived = threading.Condition()

        def tell(_count: int) -> None:
            with arrived:
                arrived.notify_all()

        postbox.on_mail = tell
        # The queue's own tables, where there is one.
        _run(folder, "upgrade")
        _run(folder, "mailing", "send", "1.1", "--yes")
        with _serving(folder, url):
            yield Scene(app, url, postbox, arrived)
        app.close()


def _run(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "newsletter", "-C", str(folder), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE * 2, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium.running() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-US")
    yield context.new_page()
    context.close()


def subscribe(scene: Scene, page: Page, address: str) -> str:
    """Ask by the form, and return the link that comes by mail."""
    page.goto(f"{scene.url}/subscribe")
    page.get_by_label("Mail address").fill(address)
    page.get_by_label("Name (optional)").fill("Nora Lind")
    page.get_by_label("Harbours").check()
    scene.take_time(page)
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("heading", name="Please look into your mailbox").wait_for()
    return _link(scene.mail(address, "/confirm/"), "/confirm")


def axe(page: Page) -> list[str]:
    """Return what axe has against a page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{page.url} {one['id']}: {one['nodes'][0]['html']}" for one in found]


def test_a_reader_s_whole_life(scene: Scene, page: Page) -> None:
    address, faults = "nora@example.net", []
    link = subscribe(scene, page, address)
    page.goto(link)
    assert scene.status(address) is Status.PENDING
    faults += axe(page)
    scene.take_time(page)
    page.get_by_role("button", name="Yes, send it to me").click()
    page.get_by_role("heading", name="You are on the list").wait_for()
    assert scene.status(address) is Status.ACTIVE
    faults += axe(page)

    welcome = scene.mail(address, "/preferences/")
    assert f"{scene.url}/issues/vol-1-1" in welcome
    assert "Auto-Submitted" in welcome
    preferences = _link(welcome, "/preferences")
    page.goto(preferences)
    assert page.get_by_label("Harbours").is_checked()
    page.get_by_label("Bridges & quays").check()
    page.get_by_label("Language").select_option("ja")
    scene.take_time(page)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("status").wait_for()
    faults += axe(page)
    person = scene.app.directory.find(address)
    assert person is not None
    assert (set(person.topics), person.language) == ({"harbours", "bridges"}, "ja")

    page.get_by_role("link", name="Leave the list").click()
    page.get_by_role("heading", name="Leave Harbour Digest?").wait_for()
    assert scene.status(address) is Status.ACTIVE
    page.get_by_role("button", name="Unsubscribe").click()
    page.get_by_role("heading", name="You are unsubscribed").wait_for()
    assert scene.status(address) is Status.UNSUBSCRIBED
    faults += axe(page)
    undo = _link(scene.mail(address, "/undo/"), "/undo")
    page.goto(undo)
    assert scene.status(address) is Status.UNSUBSCRIBED
    page.get_by_role("button", name="Keep sending it to me").click()
    page.get_by_role("heading", name="You are back on the list").wait_for()
    assert scene.status(address) is Status.ACTIVE
    faults += axe(page)

    page.goto(preferences)
    page.get_by_label("I understand that this cannot be undone.").check()
    scene.take_time(page)
    page.get_by_role("button", name="Erase me").click()
    page.get_by_role("heading", name="You are forgotten").wait_for()
    faults += axe(page)
    assert scene.status(address) is None
    assert address not in str(scene.everything())
    assert faults == []


def test_a_form_on_another_site_leads_through_our_own_button(
    scene: Scene, page: Page, tmp_path: Path
) -> None:
    from newsletter.web import embedding

    form = embedding.form(scene.app.publication, scene.app.settings.topics)
    (tmp_path / "theirs.html").write_text(f"<!doctype html><title>Theirs</title>{form}", encoding="utf-8")
    page.goto((tmp_path / "theirs.html").as_uri())
    page.get_by_label("Mail address").fill("embedded@example.net")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("heading", name="Subscribe to Harbour Digest").wait_for()
    assert scene.status("embedded@example.net") is None
    scene.take_time(page)
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("heading", name="Please look into your mailbox").wait_for()
    assert scene.status("embedded@example.net") is Status.PENDING


def test_a_scanner_that_follows_every_link_of_every_mail_changes_nothing(
    scene: Scene, page: Page, browser: Browser
) -> None:
    subscribe(scene, page, "scanned@example.net")
    leaver = scene.app.directory.find("bea@example.net")
    assert leaver is not None
    [mailing] = scene.app.ledger.mailings()
    with httpx.Client() as client:
        token = scene.app.signer.sign(Purpose.LEAVE, leaver.id, mailing.id)
        assert client.post(f"{scene.url}/u/{token}", content="List-Unsubscribe=One-Click").status_code == 200
    scene.mail("bea@example.net", "/undo/")
    scene.settle()
    links = sorted({link for text in scene.mails() for link in re.findall(rf"{scene.url}[^\s\"'<>)]*", text)})
    kinds = {urlsplit(link).path.split("/")[1] for link in links}
    assert {"u", "undo", "confirm", "preferences", "issues"} <= kinds
    before = scene.everything()
    with httpx.Client() as client:
        for link in links:
            for method in ("GET", "HEAD"):
                assert client.request(method, link).status_code < 500, link
    opened = browser.new_page()
    for link in links:
        opened.goto(link)
    opened.close()
    assert scene.everything() == before


def every_page(scene: Scene) -> Iterator[str]:
    """Yield the address of every page that can be opened."""
    ada = scene.app.directory.find("ada@example.net")
    assert ada is not None
    from newsletter.domain import tokens

    sign: Callable[..., str] = scene.app.signer.sign
    mark, now = tokens.fingerprint(ada.email), int(scene.app.now().timestamp())
    yield from ("/", "/issues/vol-1-1", "/issues/vol-1-1.ja", "/topics/harbours", "/search", "/search?q=pier")
    yield from ("/search?q=nothing-at-all", "/subscribe", "/manage", "/leave", "/nowhere", "/confirm/forged")
    yield f"/preferences/{sign(Purpose.PREFERENCES, ada.id, mark)}"
    yield f"/u/{sign(Purpose.LEAVE, ada.id, 0)}"
    yield f"/undo/{sign(Purpose.UNDO, ada.id, mark)}"
    yield f"/confirm/{sign(Purpose.CONFIRM, ada.id, now, mark)}"
    to = scene.app.signer.mark("ada@example.net")
    yield f"/address/{sign(Purpose.ADDRESS, ada.id, now, to, mark)}?to=ada@example.net"


@pytest.mark.parametrize("scene", ["sqlite"], indirect=True)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_axe_finds_nothing_on_any_page_and_no_request_goes_elsewhere(
    scene: Scene, browser: Browser, scheme: str, language: str
) -> None:
    context = browser.new_context(locale=language, color_scheme=scheme)  # type: ignore[arg-type]  # a literal from the list above
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    faults, refused = [], []
    for path in every_page(scene):
        complaints.clear()
        answer = page.goto(f"{scene.url}{path}")
        assert answer is not None
        assert len(answer.body()) < 30_000, path
        faults += axe(page)
        refused += [f"{path}: {text}" for text in complaints if "status of 4" not in text]
    context.close()
    assert faults == []
    assert refused == []
    assert [url for url in asked if not url.startswith(scene.url)] == []
