"""What editors work with: the folder of issues, the inbox, the press, approval."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newsletter.domain import deliveries, errors, numbering
from newsletter.wiring.foundation import Foundation

if TYPE_CHECKING:
    from newsletter.authoring import drafting, feeds, gathering, newsroom
    from newsletter.authoring import inbox as inboxes
    from newsletter.checking import link_health
    from newsletter.rendering import theme
    from newsletter.sending import clearance, proofs


class Editing(Foundation):
    """The rooms of the editors."""

    @cached_property
    def theme(self) -> theme.Theme:
        """Return how issues look: the workspace's own templates before the packaged ones."""
        from newsletter.rendering import theme

        return theme.of_workspace(self.workspace.templates, tokens=self.settings.theme.design())

    @cached_property
    def press(self) -> proofs.Press:
        """Return what makes proofs of issues: read, rendered, checked, composed."""
        from newsletter import checking
        from newsletter.sending import proofs

        watched = self.settings.tracking
        return proofs.Press(
            publication=self.publication,
            theme=self.theme,
            folder=self.workspace.issues,
            at=self.settings.schedule.at,
            zone=self.settings.schedule.timezone,
            glossary=self.workspace.root / "glossary.toml",
            shares=self.settings.audience.clients,
            counted=checking.Tracking(opens=watched.opens, clicks=watched.clicks),
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

    def gatherer(self) -> gathering.Gatherer:
        """Return what clips pages and files into the inbox, as it is now and with today's date."""
        from newsletter.authoring import downloads, gathering, inbox

        limits = downloads.Limits(allow_private=self.settings.inbox.allow_private)
        return gathering.Gatherer(
            into=inbox.Inbox(self.inbox.folder),
            downloader=downloads.Downloader(limits),
            today=self.today(),
            own=urlsplit(self.publication.url).hostname or "",
        )

    def collector(self) -> feeds.Collector:
        """Return what reads the feeds into the inbox, as it is now and with today's date."""
        from newsletter.authoring import downloads, feeds

        limits = dataclasses.replace(feeds.FEED_LIMITS, allow_private=self.settings.inbox.allow_private)
        return feeds.Collector(
            feeds=feeds.of_settings(self.settings.feeds),
            gatherer=self.gatherer(),
            downloader=downloads.Downloader(limits),
            pause=lambda: time.sleep(1),
        )

    @cached_property
    def drafter(self) -> drafting.Drafter:
        """Return what drafts issues from clippings."""
        from newsletter.authoring import drafting

        return drafting.Drafter(newsroom=self.newsroom, clipped=self.inbox)

    def issue_path(self, name: str) -> Path:
        """Return the file of the issue that a name means: 2.23, vol-2-23, a path, latest or next.

        Raises:
            IssueError: there is no such issue.
        """
        from newsletter.authoring import shelf

        if name != "next":
            return shelf.find(self.workspace.issues, name)
        mailed = [mailing.number for mailing in self._mailings()]
        return shelf.find(self.workspace.issues, name, today=self.today(), sent=mailed)

    def mailing_of(self, number: numbering.IssueNumber) -> deliveries.Mailing | None:
        """Return the mailing of an issue, or None; an editor without a database has none."""
        return next((mailing for mailing in self._mailings() if mailing.number == number), None)

    def _mailings(self) -> Sequence[deliveries.Mailing]:
        try:
            found = self.ledger.mailings()
        except (errors.StoreError, errors.SettingsError):
            return ()
        return [mailing for mailing in found if mailing.status is not deliveries.MailingStatus.CANCELLED]

    def links_asked(self, path: Path) -> tuple[int, datetime | None]:
        """Return how many links an issue has, and since when the answers of all of them are known."""
        urls = self.press.links(path)
        return len(urls), self.asker().last_asked(urls)

    def forgotten(self) -> list[str]:
        """Return the issues that bear today's date and have no mailing."""
        from newsletter.authoring import shelf

        mailed = {mailing.number for mailing in self.ledger.mailings()}
        return [
            str(each.number)
            for each in shelf.listing(self.workspace.issues)
            if each.date == self.today() and each.number not in mailed
        ]
