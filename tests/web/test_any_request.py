"""Any request at any address: never a fault of ours, never a stranger's markup in the answer."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import logging
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from sqlalchemy.pool import QueuePool

from newsletter import ports, wiring
from newsletter.domain import allowances, errors, tokens
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.domain.tokens import Purpose
from newsletter.subscribing import joining
from newsletter.web import app as web
from newsletter.web import desk, webhooks
from tests.cli import mailings
from tests.web import strangers
from tests.web.conftest import TEMPLATE, hand_over
from tests.web.strangers import MARKUP, Stranger, spoiled
from tests.web.test_archive import SHIPS, SHIPS_JA

FEW, MANY = 800, 10_000
FEW_TOKENS, MANY_TOKENS = 3_000, 100_000
HOOK = "hook:a long password of a webhook"


class Lenient:
    """Counts as the real one does, and keeps nobody out: what lies behind the limits is to be tried too."""

    def __init__(self, limiter: joining.Limiter) -> None:
        self._limiter = limiter

    def take(self, what: str, allowance: allowances.Allowance, *, now: datetime) -> bool:
        self._limiter.take(what, allowance, now=now)
        return True


@dataclass(frozen=True)
class Service:
    """The real application, on a socket."""

    house: wiring.App
    app: webhooks.Door
    port: int

    def stranger(self, seed: int) -> Stranger:
        """Return somebody who knows some links that are good, and some forms that were shown."""
        house, now = self.house, self.house.now()
        people = [self._join(f"p{seed}-{number}", status) for number in range(8) for status in Status]
        [mailing] = house.ledger.mailings()
        marks = [(each.id, tokens.fingerprint(each.email)) for each in people]
        to = house.signer.mark("nora@example.org")
        at = int(now.timestamp()) + 1
        shown = (now - timedelta(minutes=1)).timestamp()
        return Stranger(
            rng=random.Random(seed),
            routes=sorted({*strangers.paths(self.app.pages.routes), "/webhooks/{name}"}),
            sign=house.signer.sign,
            good={
                Purpose.LEAVE: [(each.id, which) for each in people for which in (0, mailing.id)],
                Purpose.PREFERENCES: list(marks),
                Purpose.UNDO: list(marks),
                Purpose.CONFIRM: [(who, at, known_as) for who, known_as in marks],
                Purpose.ADDRESS: [(who, at, to, known_as) for who, known_as in marks],
            },
            hidden={
                "csrf": house.signer.keyed_hash("csrf c00k1e")[:32],
                "began": house.signer.sign(Purpose.FORM, int(shown)),
            },
            cookie=b"form=c00k1e",
            hook=HOOK.encode(),
        )

    def _join(self, local: str, status: Status) -> Subscriber:
        now = self.house.now()
        person = Subscriber(email=f"{local}-{status}@example.org", status=status, joined_at=now)
        return self.house.directory.add(person, ConsentRecord(status=status, at=now, how=How.STAFF))


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    settings = mailings.SETTINGS.replace("[delivery]", '[delivery]\nprovider = "outbox"')
    settings += '\n[providers.mail]\nkind = "postmark"\n'
    settings += '\n[web]\ntrusted_proxies = ["127.0.0.1"]\n[topics]\ntrade = "Trade"\nsecurity = "Security"\n'
    if request.param == "postgresql":
        settings += f'[database]\nurl = "{request.getfixturevalue("postgres_url")}"\n'
    (tmp_path / "newsletter.toml").write_text(settings, encoding="utf-8")
    (tmp_path / ".env").write_text(
        f"NEWSLETTER_SIGNING_KEY=0123456789abcdef0123456789abcdef\nNEWSLETTER_PROVIDERS__MAIL__WEBHOOK_SECRET={HOOK}\n"
    )
    (tmp_path / "issues").mkdir()
    for name, text in (("vol-2-23.md", SHIPS), ("vol-2-23.ja.md", SHIPS_JA)):
        (tmp_path / "issues" / name).write_text(text, encoding="utf-8")
    (tmp_path / "issues" / "quay.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 600)
    house = wiring.build(tmp_path)
    house.database.upgrade()
    draft = ports.MailingDraft(
        templates={"en": TEMPLATE}, audience=ports.Audience(), provider="outbox", now=house.now()
    )
    mailings.join(house, "ada@example.org", "Ada")
    hand_over(house.ledger, house.ledger.plan(draft), now=house.now())
    at = desk.of(house)
    hall = joining.Hall(house.directory, house.letters, Lenient(house.limiter), house.signer)
    app = web.create(dataclasses.replace(at, hall=hall))
    with _answering(app) as port:
        yield Service(house, app, port)
    # A mail may still be on its way, and look something up for it.
    pool, deadline = house.database.engine.pool, time.monotonic() + 60
    assert isinstance(pool, QueuePool)
    while pool.checkedout() and time.monotonic() < deadline:
        time.sleep(0.01)
    house.close()


@contextlib.contextmanager
def _answering(app: webhooks.Door) -> Iterator[int]:
    """Run the pages as `newsletter serve` does, in a thread."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        config = uvicorn.Config(
            app, access_log=False, log_config=None, h11_max_incomplete_event_size=16 * 1024
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(timeout=60)


def knock(service: Service, times: int, caplog: pytest.LogCaptureFixture) -> None:
    """Ask for every route as a browser would, then as nobody would; none may be answered by a fault."""
    caplog.set_level(logging.ERROR)
    stranger = service.stranger(0)
    for route in stranger.routes:
        assert strangers.send(service.port, stranger.knock(route)).status == 200, route
    codes: Counter[int] = Counter()
    for number in range(times):
        if number % 250 == 249:
            # Some whom it knew were erased at its own wish.
            stranger = service.stranger(number)
        ask = stranger.ask()
        answer = strangers.send(service.port, ask)
        told = f"{ask.raw!r} was answered by {answer.status}"
        assert answer.status < 500, told
        assert MARKUP.encode() not in answer.body, told
        assert "x-evil" not in answer.head.lower(), told
        assert answer.status not in (200, 206) or "content-security-policy" in answer.head.lower(), told
        codes[answer.status] += 1
    # What the limits say is no fault of ours.
    faults = [each.getMessage() for each in caplog.records if getattr(each, "action", "") != "limit"]
    assert faults == []
    # A server that refuses everything would refuse nothing in particular.
    assert {200, 400, 403, 404, 405} <= set(codes)


def test_no_request_is_answered_by_a_fault_or_with_a_stranger_s_markup(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    knock(service, FEW, caplog)


@pytest.mark.soak
def test_ten_thousand_requests(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    knock(service, MANY, caplog)


def forge(times: int) -> int:
    """Read so many wrong tokens for every act; return how many were taken."""
    rng, ours, theirs = random.Random(times), tokens.Signer(b"k" * 32), tokens.Signer(b"K" * 32)
    makers: list[Callable[[Purpose, tuple[int, ...]], str]] = [
        lambda purpose, numbers: spoiled(ours.sign(purpose, *numbers), rng),
        lambda purpose, numbers: theirs.sign(purpose, *numbers),
        lambda purpose, numbers: ours.sign(
            rng.choice([each for each in Purpose if each is not purpose]), *numbers
        ),
        lambda purpose, numbers: _swapped(ours, purpose, numbers, rng),
    ]
    taken = 0
    for _ in range(times):
        purpose = rng.choice(list(Purpose))
        numbers = tuple(rng.randrange(10**6) for _ in range(rng.randrange(1, 4)))
        wrong = rng.choice(makers)(purpose, numbers)
        if wrong == ours.sign(purpose, *numbers):
            continue  # put right again by chance
        try:
            ours.read(purpose, wrong)
            taken += 1
        except errors.TokenError:
            pass
    return taken


def _swapped(signer: tokens.Signer, purpose: Purpose, numbers: tuple[int, ...], rng: random.Random) -> str:
    """Return a token whose numbers are one person's and whose mark is another's."""

    other = tuple(number + rng.randrange(1, 99) for number in numbers)
    one, two = (
        base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        for token in (signer.sign(purpose, *numbers), signer.sign(purpose, *other))
    )
    return base64.urlsafe_b64encode(one[:-12] + two[-12:]).rstrip(b"=").decode()


def test_no_forged_cut_or_swapped_token_is_accepted() -> None:
    assert forge(FEW_TOKENS) == 0


@pytest.mark.soak
def test_none_of_a_hundred_thousand_forged_tokens_is_accepted() -> None:
    assert forge(MANY_TOKENS) == 0
