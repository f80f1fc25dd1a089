"""A whole mailing, from the database to the sink, with every write of the ledger: rounds in turn, medians."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

sys.path.insert(0, str(Path(__file__).parent))
import rivals
import smtp_client
from rivals import Run

from newsletter import ports
from newsletter.domain import deliveries, messages, numbering, publications, tokens
from newsletter.domain.deliveries import MailingStatus, State
from newsletter.domain.messages import Field
from newsletter.providers.smtp.options import Security, SmtpOptions
from newsletter.providers.smtp.provider import Smtp
from newsletter.sending import dispatch, owners, sender, window
from newsletter.store.database import Database
from newsletter.store.ledger import StoredLedger

#: Characters of HTML and of text: about 70 KB and 10 KB on the wire.
SIZES = {"70 KB": (46_800, 6_600), "10 KB": (5_200, 900)}
_SENTENCE = "The committee met on Thursday – and, after a long debate, agreed on “most” of what was asked. "
PUBLICATION = publications.Publication(
    title="Harbour Digest",
    url="https://digest.example.org",
    language="en",
    postal_address="12 Quay Street",
    contact="editors@example.org",
    sender=publications.Sender(name="Harbour Digest", email="news@example.org"),
)
SIGNER = tokens.Signer(b"0123456789abcdef0123456789abcdef0123456789a")


def template(size: str) -> messages.MessageTemplate:
    """Return a template of a size, with the fields that every issue has."""
    html_size, text_size = SIZES[size]
    first, leave = Field("subscriber.first_name", "reader"), Field("unsubscribe_url")
    prefer, view = Field("preferences_url"), Field("view_url")
    html = "".join(f"<p>{_SENTENCE}</p>\n" for _ in range(html_size // (len(_SENTENCE) + 8)))
    text = "\n".join(_SENTENCE for _ in range(text_size // len(_SENTENCE)))
    rendered = messages.Rendered(
        language="en",
        subject="The harbour opens",
        preheader="",
        html=(
            "<p>Dear ",
            first,
            "</p>",
            html,
            '<a href="',
            leave,
            '">leave</a> <a href="',
            prefer,
            '">x</a>',
        ),
        text=("Dear ", first, "\n", text, "\nLeave: ", leave, "\nRead: ", view, "\n"),
    )
    return messages.MessageTemplate(
        number=numbering.IssueNumber(2, 23),
        rendered=rendered,
        from_name="Harbour Digest",
        from_email="news@example.org",
        reply_to="editors@example.org",
        list_id="harbour-digest.example.org",
        list_name="Harbour Digest",
        domain="example.org",
        feedback_id="v2n23:harbour:issue:exampleorg",
    )


@contextlib.contextmanager
def workspace(count: int, url: str = "") -> Iterator[Database]:
    """Give a database with so many active subscribers."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        database = Database(url or "sqlite:///subscribers.db", folder=Path(folder))
        database.upgrade()
        with database.writing() as connection:
            for start in range(1, count + 1, 10_000):
                rows = [_row(n) for n in range(start, min(start + 10_000, count + 1))]
                connection.execute(_INSERT, rows)
        yield database
        database.close()


_INSERT = sa.text(
    "INSERT INTO subscriber (id, email, email_key, domain, status, name, language, timezone, joined_at,"
    " changed_at) VALUES (:id, :email, :email, :domain, 'active', :name, '', '', 0, 0)"
)


def _row(number: int) -> dict[str, object]:
    domain = f"example{number % 50}.net"
    return {"id": number, "email": f"reader{number}@{domain}", "domain": domain, "name": f"Reader {number}"}


def plan(ledger: StoredLedger, size: str) -> int:
    """Plan the mailing to everybody."""
    draft = ports.MailingDraft(
        templates={"en": template(size)}, audience=ports.Audience(), provider="smtp", now=datetime.now(UTC)
    )
    return ledger.plan(draft).id


class Unwritten:
    """A ledger whose turns neither read nor write: what it saves is what the ledger costs."""

    def __init__(self, ledger: StoredLedger, count: int) -> None:
        self._ledger, self._count = ledger, count
        self._given = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def turn(self, mailing: int, lease: Any, outcomes: Any, *, limit: int, now: datetime) -> deliveries.Turn:
        """Give the next recipients, made up."""
        first = self._given + 1
        self._given = min(self._given + limit, self._count)
        claimed = [
            deliveries.Claimed(n, n, f"reader{n}@example{n % 50}.net", f"Reader {n}", "", 0)
            for n in range(first, self._given + 1)
        ]
        return deliveries.Turn(MailingStatus.SENDING, claimed)


def unwritten(port: int, *, size: str, count: int, connections: int, doubt: int = 64) -> Run:
    """Send a whole mailing of which the ledger knows nothing."""
    with workspace(1) as database:
        ledger = StoredLedger(database, SIGNER.keyed_hash)
        mailing, made_up = plan(ledger, size), Unwritten(ledger, count)
        run = asyncio.run(carry_out(made_up, mailing, port, connections=connections, doubt=doubt))
        ledger.close()
    return Run(count, *run)


def ours(port: int, *, size: str, count: int, connections: int, doubt: int = 64) -> Run:
    """Send a whole mailing."""
    with workspace(count) as database:
        ledger = StoredLedger(database, SIGNER.keyed_hash)
        mailing = plan(ledger, size)
        run = asyncio.run(carry_out(ledger, mailing, port, connections=connections, doubt=doubt))
        found = ledger.tally(mailing).states
        if found != {State.SENT: count}:
            raise SystemExit(f"not everybody was served: {found}")
        ledger.close()
    return Run(count, *run)


async def carry_out(
    ledger: Any, mailing: int, port: int, *, connections: int, doubt: int
) -> tuple[float, float]:
    """Send what is planned; return wall and CPU seconds."""
    options = SmtpOptions(host="127.0.0.1", port=port, security=Security.NONE, connections=connections)
    around = window.Surroundings(
        now=lambda: datetime.now(UTC), steady=time.monotonic, rng=random.Random(1), owner=owners.own()
    )
    working = sender.Sender(
        ledger,
        Smtp(options),
        PUBLICATION,
        SIGNER,
        options=dispatch.Options(window=doubt),
        around=around,
    )
    gc.collect()
    began, cpu = time.perf_counter(), time.process_time()
    await working.send(mailing)
    return time.perf_counter() - began, time.process_time() - cpu


def bytes_of(size: str) -> int:
    """Return the size of one message on the wire."""
    from newsletter.sending.merging import Merging

    merging = Merging({"en": template(size)}, PUBLICATION, SIGNER, mailing=1)
    claimed = deliveries.Claimed(1, 1, "reader123@example23.net", "Reader 123", "", 0)
    return len(merging.merge(claimed, datetime.now(UTC)).message.raw)


#: smtp-sink takes some 50 µs for 10 KB and 280 for 70, which no sender can better; ours takes a tenth of it.
SINKS = {"smtp-sink": rivals.smtp_sink, "csink, which is no limit": rivals.csink}


def against(sink: str, size: str, *, rounds: int, scale: float, connections: int, doubt: int) -> None:
    """Measure a whole mailing and the usual senders against a sink."""
    wire, small = bytes_of(size), 5 if size == "10 KB" else 1
    html, text, raw = smtp_client.content(size)
    many, few = int(20_000 * small * scale), int(400 * small * scale)
    with SINKS[sink]() as port:
        print(f"{size} ({wire:,} bytes), {sink}; {connections} connections, window {doubt}, {rounds} rounds")
        there = {"connections": connections}
        senders: dict[str, Callable[[], Run]] = {
            "smtp-source": lambda: rivals.smtp_source(port, size=wire, count=many, **there),
            "newsletter": lambda: ours(port, size=size, count=many, doubt=doubt, **there),
            "newsletter, no ledger": lambda: unwritten(port, size=size, count=many, doubt=doubt, **there),
            "aiosmtplib, prebuilt": lambda: rivals.aiosmtplib_prebuilt(port, raw=raw, count=few, **there),
            "aiosmtplib, built": lambda: rivals.aiosmtplib_built(
                port, html=html, text=text, count=few // 4, **there
            ),
        }
        if rivals.has_node():
            senders["nodemailer"] = lambda: rivals.nodemailer(
                port, html=html, text=text, count=few // 2, **there
            )
        runs = smtp_client.paired(rounds, senders, against="smtp-source")
        pairs = zip(runs["newsletter"], runs["newsletter, no ledger"], strict=True)
        share = statistics.median(1 - without.seconds / whole.seconds for whole, without in pairs)
        print(f"  of the wall time {max(share, 0):.0%} is the ledger's", flush=True)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--scale", type=float, default=1.0, help="messages of each run, as a factor")
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--window", type=int, default=64)
    chosen = options.parse_args()
    print(f"Mailing: {rivals.machine()}")
    there = {"connections": chosen.connections, "doubt": chosen.window}
    for sink in SINKS if rivals.has_compiler() else ("smtp-sink",):
        for size in SIZES:
            against(sink, size, rounds=chosen.rounds, scale=chosen.scale, **there)


if __name__ == "__main__":
    main()
