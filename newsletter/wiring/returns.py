"""What takes in what comes back: webhooks, mails, and what follows from them."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

from newsletter.domain import allowances, errors
from newsletter.wiring.delivery import Delivery

if TYPE_CHECKING:
    from newsletter.bounces.bell import Bell
    from newsletter.bounces.mailbox import Mailbox
    from newsletter.domain import events
    from newsletter.domain import feedback as reports
    from newsletter.providers.gates import Gate
    from newsletter.queues.clockwork import Clockwork
    from newsletter.sending import feedback, returned
    from newsletter.store.feedback import StoredFeedback
_log = logging.getLogger(__name__)
_DAY = timedelta(days=1)
#: A reply is handed on by one process; where that one failed, the next look after so long tries again.
_CLAIM = allowances.Allowance(times=1, span=timedelta(minutes=5))


class Returns(Delivery):
    """The rooms where the world reports."""

    #: Keeps the clock and the listener of a process from reading the mailbox at once.
    _collecting = threading.Lock()

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
        from newsletter.sending import notes, returned

        box = self._open_mailbox(address=address, stdin=stdin)
        editors = self.settings.bounces.forward_to or self.publication.contact

        def forward(raw: bytes) -> None:
            self.messenger.send(notes.handed_on(raw, to=editors, title=self.publication.title))

        def claim(key: str) -> bool:
            # What comes by a pipe comes to nobody else, and is gone afterwards.
            return address == "-" or self.limiter.take(f"reply {key}", _CLAIM, now=self.now())

        return returned.Intake(box, self.feedback, forward, claim=claim)

    def keep_watch(self, queue: Clockwork, remind: Callable[[], None] | None) -> None:
        """Have the clock of a service collect what came back, and remind of issues on their day.

        Without ``remind`` the issue files are left to another process, and with them the feeds.
        """
        from newsletter.queues import triggers

        if self.settings.bounces.mailbox:
            often = self.settings.bounces.every
            queue.every(triggers.every(often), self.in_turn("bounces", often, self._collect), name="bounces")
        if remind is None:
            return
        if self.settings.feeds and self.settings.inbox.collect_every:
            often = self.settings.inbox.collect_every
            queue.every(triggers.every(often), self._read_feeds, name="feeds")
        if self.settings.schedule.first is not None:
            days = triggers.on_issue_days(self.settings.schedule.cadence())
            queue.every(days, self.in_turn("issue day", _DAY, remind), name="issue day")

    def in_turn(self, name: str, span: timedelta, job: Callable[[], None]) -> Callable[[], None]:
        """Return a job that is done once in a span by all processes together, however many call it."""

        def call() -> None:
            once = allowances.Allowance(times=1, span=span)
            try:
                mine = self.limiter.take(f"job {name}", once, now=self.now())
            except errors.StoreError as error:
                _log.error("%s: %s", name, error, extra={"action": name})
            else:
                if mine:
                    job()

        return call

    def _collect(self) -> None:
        """Take in what came back; a mailbox that does not answer is asked again next time."""
        try:
            with self._collecting:
                self.intake().take_in()
        except errors.NewsletterError as error:
            _log.error("mails that came back: %s", error, extra={"action": "bounces"})

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Take in what comes back as soon as it comes, while the block runs, where the mailbox can tell."""
        from newsletter.bounces import listening

        if not self.settings.bounces.mailbox:
            yield
            return
        listener = listening.Listener(self._open_mailbox, self._collect)
        listener.start()
        try:
            yield
        finally:
            listener.stop()

    def _open_mailbox(
        self, bell: Bell | None = None, *, address: str = "", stdin: BinaryIO | None = None
    ) -> Mailbox:
        from newsletter.bounces import mailbox

        settings = self.settings.bounces
        password = settings.password.get_secret_value()
        return mailbox.open_mailbox(address or settings.mailbox, password=password, stdin=stdin, bell=bell)

    def _read_feeds(self) -> None:
        """Read the feeds; one that is broken, or a full disk, is told and tried again next time."""
        try:
            reports = self.collector().collect()
        except errors.NewsletterError as error:
            _log.error("feeds: %s", error, extra={"action": "feeds"})
            return
        for report in reports:
            if report.error:
                _log.warning("feed %s: %s", report.name, report.error, extra={"action": "feeds"})
