"""Put the house together: the one place that knows concrete classes; clock, randomness and ids are born here.

Everything hangs on `App` as a `cached_property` that imports what it builds when it is first asked for, so
that a command pays for the rooms it enters and no others. To wire a room: add a property, typed by its port.
"""

from __future__ import annotations

import dataclasses
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import urlsplit

from newsletter import ports
from newsletter.domain import deliveries, errors, publications, tokens
from newsletter.settings import workspace

if TYPE_CHECKING:
    from newsletter.authoring import drafting, feeds, gathering, newsroom
    from newsletter.authoring import inbox as inboxes
    from newsletter.checking import link_health
    from newsletter.domain import events
    from newsletter.domain import feedback as reports
    from newsletter.providers.gates import Gate
    from newsletter.queues.local import LocalQueue
    from newsletter.rendering import theme
    from newsletter.sending import auditing, clearance, feedback, notes, plan, proofs, returned
    from newsletter.sending.sender import Sender
    from newsletter.settings.model import Settings
    from newsletter.store.database import Database
    from newsletter.store.feedback import StoredFeedback
    from newsletter.subscribing import selecting


def now() -> datetime:
    """Return the time: the one clock of the application."""
    return datetime.now(UTC)


class App:
    """The application over one workspace."""

    def __init__(self, place: workspace.Workspace, options: Mapping[str, Any]) -> None:
        self.workspace = place
        self.options = options

    def anew(self) -> App:
        """Return the application over the same workspace, its settings still to be read."""
        return App(self.workspace, self.options)

    @cached_property
    def settings(self) -> Settings:
        """Return the settings: newsletter.toml, then .env, the environment and `options`."""
        from newsletter.settings import reading

        return reading.read(self.workspace, self.options)

    @cached_property
    def publication(self) -> publications.Publication:
        """Return the publication."""
        return self.settings.record()

    @cached_property
    def signer(self) -> tokens.Signer:
        """Return what signs every link that acts for a subscriber."""
        return tokens.Signer(self.settings.key())

    @cached_property
    def database(self) -> Database:
        """Return the database; nothing is opened yet."""
        from newsletter.store.database import Database

        return Database(self.settings.database.url.get_secret_value(), folder=self.workspace.root)

    def close(self) -> None:
        """Close what was opened on the way."""
        if "database" in self.__dict__:
            self.database.close()

    @cached_property
    def audiences(self) -> selecting.Audiences:
        """Return the saved audiences, and the words that rules may use."""
        from newsletter.domain import audiences
        from newsletter.subscribing import selecting

        words = audiences.Vocabulary(topics=self.settings.topics, attributes=self.settings.attributes)
        return selecting.Audiences(saved=self.settings.audiences, words=words)

    @cached_property
    def directory(self) -> ports.Directory:
        """Return the directory of subscribers.

        Raises:
            StoreError: the database is unreachable, or not migrated to this version.
        """
        from newsletter.store.directory import StoredDirectory

        self.database.require_current()
        return StoredDirectory(self.database, self.signer.keyed_hash)

    @cached_property
    def ledger(self) -> ports.Ledger:
        """Return the ledger of mailings and deliveries.

        Raises:
            StoreError: the database is unreachable, or not migrated to this version.
        """
        from newsletter.store.ledger import StoredLedger

        self.database.require_current()
        return StoredLedger(self.database, self.signer.keyed_hash)

    @cached_property
    def planner(self) -> plan.Planner:
        """Return what makes mailings out of orders."""
        return self.planner_of(self.ledger)

    def planner_of(self, ledger: ports.Ledger) -> plan.Planner:
        """Return what makes mailings out of orders, in a ledger of one's own."""
        from newsletter.sending import plan

        skip = self.settings.delivery.skip_approval
        return plan.Planner(ledger=ledger, clearance=self.clearance, skip_approval=skip)

    @cached_property
    def audit(self) -> auditing.Audit:
        """Return what checks the ledger of a mailing."""
        from newsletter.sending import auditing

        return auditing.Audit(ledger=self.ledger, publication=self.publication, signer=self.signer)

    def sender(self, provider: str, *, wait: bool = False) -> Sender:
        """Return this process's part in a mailing, by a provider of the settings.

        Raises:
            ProviderError: it cannot be set up.
        """
        return self._sender(self.ledger, self.provider(provider), wait=wait)

    def queue(self) -> LocalQueue:
        """Return the queue of a service: it sends what is due while it runs."""
        from newsletter.queues.local import LocalQueue
        from newsletter.sending.duty import Duty

        def sender_for(mailing: deliveries.Mailing) -> Sender:
            return self.sender(mailing.provider)

        max_late = self.settings.delivery.max_late
        return LocalQueue(lambda: Duty(self.ledger, sender_for, max_late=max_late, clock=self.now))

    def rehearsal(self) -> tuple[Sender, ports.Ledger, Path]:
        """Return a sender that writes to a folder, the ledger in memory that it keeps, and the folder."""
        from newsletter.providers import registry
        from newsletter.store.memory_ledger import MemoryLedger

        ledger = MemoryLedger(self.directory)
        folder = self.workspace.root / "outbox"
        outbox = registry.build("outbox", {"path": folder})
        return self._sender(ledger, outbox, wait=False), ledger, folder

    def _sender(self, ledger: ports.Ledger, provider: ports.Provider, *, wait: bool) -> Sender:
        from newsletter.domain import retries
        from newsletter.domain.deliveries import AfterCrash
        from newsletter.sending import dispatch, owners, sender, watching, window

        delivery = self.settings.delivery
        options = dispatch.Options(
            window=delivery.window,
            wait=wait,
            policy=retries.Policy(
                delays=delivery.retry,
                give_up=delivery.give_up,
                after_crash=AfterCrash(delivery.after_crash),
            ),
            limits=watching.Limits(in_a_row=delivery.pause_after, dead_share=delivery.pause_when_dead),
        )
        around = window.Surroundings(now=self.now, steady=time.monotonic, rng=self.rng, owner=owners.own())
        return sender.Sender(ledger, provider, self.publication, self.signer, options=options, around=around)

    def require_provider(self, name: str) -> None:
        """Make sure that the settings describe a provider.

        Raises:
            UsageError: there is none of that name.
        """
        if name not in self.settings.providers:
            known = ", ".join(self.settings.providers) or "none"
            raise errors.UsageError(
                f"there is no [providers.{name}]", hint=f"newsletter.toml describes: {known}"
            )

    def forgotten(self) -> list[str]:
        """Return the issues that bear today's date and have no mailing."""
        from newsletter.authoring import shelf

        mailed = {mailing.number for mailing in self.ledger.mailings()}
        return [
            str(each.number)
            for each in shelf.listing(self.workspace.issues)
            if each.date == self.today() and each.number not in mailed
        ]

    @cached_property
    def feedback_book(self) -> StoredFeedback:
        """Return the reports of the world, and the events that were read in them."""
        from newsletter.store.feedback import StoredFeedback

        self.database.require_current()
        return StoredFeedback(self.database, self.signer.keyed_hash, self.signer.message_key)

    @cached_property
    def gates(self) -> Mapping[str, Gate]:
        """Return the gates that webhooks come in by, by the provider's name."""
        from newsletter.providers import gates
        from newsletter.settings.providers import EmailApi

        return {
            name: gates.Gate(options.kind, options.webhook_secrets())
            for name, options in self.settings.providers.items()
            if isinstance(options, EmailApi)
        }

    @cached_property
    def feedback(self) -> feedback.Desk:
        """Return what applies the world's reports."""
        from newsletter.sending import feedback

        policy = self.settings.bounces.policy()
        return feedback.Desk(
            self.feedback_book, self.ledger, self._read_report, policy=policy, clock=self.now
        )

    def _read_report(self, report: reports.Report) -> Sequence[events.Event]:
        from newsletter.sending import returned

        if report.provider == returned.MAIL:
            return returned.read(report, self.signer, self.feedback_book.delivery)
        if report.provider not in self.gates:
            raise errors.ProviderError(f"there is no provider “{report.provider}” in the settings any more")
        return self.gates[report.provider].read(report.body)

    def intake(self, address: str = "", *, stdin: BinaryIO | None = None) -> returned.Intake:
        """Return what empties a mailbox, by default the one of the settings.

        Raises:
            MailboxError: there is none, or it cannot be opened.
        """
        from newsletter.bounces import mailbox
        from newsletter.sending import notes, returned

        settings = self.settings.bounces
        box = mailbox.open_mailbox(
            address or settings.mailbox, password=settings.password.get_secret_value(), stdin=stdin
        )
        editors = settings.forward_to or self.publication.contact

        def forward(raw: bytes) -> None:
            self.messenger.send(notes.handed_on(raw, to=editors, title=self.publication.title))

        return returned.Intake(box, self.feedback, forward)

    @cached_property
    def messenger(self) -> notes.Messenger:
        """Return what sends single mails of the house's own."""
        from newsletter.providers import tray
        from newsletter.sending import notes

        return notes.Messenger(
            self.provider(), self.publication.sender, tray=tray.Tray, clock=self.now, new_id=self.new_id
        )

    def provider(self, name: str = "") -> ports.Provider:
        """Return a provider of the settings, by default the one that delivers.

        Raises:
            ProviderError: it cannot be set up.
        """
        from newsletter.providers import registry

        options = self.settings.provider(name)
        return registry.build(options.kind, options.plain(self.workspace.root), clock=self.now)

    @cached_property
    def theme(self) -> theme.Theme:
        """Return how issues look: the workspace's own templates before the packaged ones."""
        from newsletter.rendering import theme

        return theme.of_workspace(self.workspace.templates, tokens=self.settings.theme.design())

    @cached_property
    def press(self) -> proofs.Press:
        """Return what makes proofs of issues: read, rendered, checked, composed."""
        from newsletter.sending import proofs

        return proofs.Press(
            publication=self.publication,
            theme=self.theme,
            folder=self.workspace.issues,
            at=self.settings.schedule.at,
            zone=self.settings.schedule.timezone,
            glossary=self.workspace.root / "glossary.toml",
            shares=self.settings.audience.clients,
        )

    def asker(self, *, allow_private: bool = False) -> link_health.Asker:
        """Return what asks web servers after links, and remembers their answers in the workspace."""
        from newsletter.providers import link_asker

        return link_asker.WebAsker(
            clock=self.now,
            contact=self.publication.url,
            memory=self.workspace.root / ".newsletter" / "links.json",
            manners=link_asker.Manners(allow_private=allow_private),
        )

    @cached_property
    def clearance(self) -> clearance.Clearance:
        """Return what approves issues, and says which are approved."""
        from newsletter.sending import clearance

        people = self.settings.people
        return clearance.Clearance(
            press=self.press,
            folder=self.workspace.issues,
            clipped=self.inbox,
            needed=people.approvals,
            approvers=people.approvers,
        )

    def send_trial(self, proof: proofs.Proof, addressees: Sequence[str]) -> list[deliveries.Receipt]:
        """Send an issue to editors through the provider, and return its answers in the order of the messages.

        Raises:
            AddressError: an address cannot be mailed.
            ProviderError: nothing can be handed over.
        """
        import asyncio

        from newsletter.providers import tray

        provider = self.provider()
        letters = tray.Tray(self.press.trials(proof, addressees, now=self.now(), raw=provider.limits.raw))
        asyncio.run(provider.send(letters))
        return sorted(letters.receipts)

    @cached_property
    def newsroom(self) -> newsroom.Newsroom:
        """Return what editors do with the folder of issues."""
        from newsletter.authoring import almanac, newsroom

        schedule, due = self.settings.schedule, self.settings.deadlines
        rule = almanac.Almanac(
            rule=schedule.cadence(),
            countries=schedule.holidays,
            on_holiday=schedule.on_holiday,
            deadlines=almanac.Deadlines(collect=due.collect, draft=due.draft, approve=due.approve),
        )
        return newsroom.Newsroom(
            folder=self.workspace.issues, rule=rule, today=self.today(), yearly=schedule.volume == "yearly"
        )

    @cached_property
    def inbox(self) -> inboxes.Inbox:
        """Return the folder of clippings."""
        from newsletter.authoring import clippings, inbox

        return inbox.Inbox(self.workspace.issues / clippings.FOLDER)

    @cached_property
    def gatherer(self) -> gathering.Gatherer:
        """Return what clips pages and files into the inbox."""
        from newsletter.authoring import downloads, gathering

        limits = downloads.Limits(allow_private=self.settings.inbox.allow_private)
        return gathering.Gatherer(
            into=self.inbox,
            downloader=downloads.Downloader(limits),
            today=self.today(),
            own=urlsplit(self.publication.url).hostname or "",
        )

    @cached_property
    def collector(self) -> feeds.Collector:
        """Return what reads the feeds into the inbox."""
        from newsletter.authoring import downloads, feeds

        limits = dataclasses.replace(feeds.FEED_LIMITS, allow_private=self.settings.inbox.allow_private)
        return feeds.Collector(
            feeds=feeds.of_settings(self.settings.feeds),
            gatherer=self.gatherer,
            downloader=downloads.Downloader(limits),
            pause=lambda: time.sleep(1),
        )

    @cached_property
    def drafter(self) -> drafting.Drafter:
        """Return what drafts issues from clippings."""
        from newsletter.authoring import drafting

        return drafting.Drafter(newsroom=self.newsroom, clipped=self.inbox)

    def today(self) -> date:
        """Return the day that it is where the publication is."""
        return self.now().astimezone(self.settings.schedule.timezone).date()

    def issue_path(self, name: str) -> Path:
        """Return the file of the issue that a name means: 2.23, vol-2-23, a path, latest or next.

        Raises:
            IssueError: there is no such issue.
        """
        from newsletter.authoring import shelf

        today = self.today() if name == "next" else None
        return shelf.find(self.workspace.issues, name, today=today)

    @cached_property
    def rng(self) -> random.Random:
        """Randomness for back-off and jitter, never for secrets."""
        return random.Random()  # noqa: S311 - jitter is no secret

    @staticmethod
    def now() -> datetime:
        """Return the time: the one clock of the application."""
        return now()

    @staticmethod
    def new_id() -> str:
        """Return an id that no other call has returned."""
        return uuid.uuid4().hex


def packaged_templates() -> Path:
    """Return the folder of the templates that travel with the program."""
    from newsletter.rendering import theme

    return theme.packaged().folders[0]


def build(directory: Path, options: Mapping[str, Any] | None = None) -> App:
    """Return the application over the workspace that `directory` lies in.

    `options` are settings above all others, nested as the tables are: `{"delivery": {"rate": 5}}`.

    Raises:
        WorkspaceError: there is none.
    """
    return App(workspace.find(directory), options or {})
