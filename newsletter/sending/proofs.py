"""A proof: an issue as its mailing would be, in every language, and what the checks say of it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from newsletter import checking
from newsletter.authoring import issue_files, pictures, shelf
from newsletter.checking import glossaries, link_health, picture_files
from newsletter.domain import addresses, errors, findings, freezing, issues, messages, numbering, publications
from newsletter.rendering import issue as rendering
from newsletter.rendering import merge, theme, web
from newsletter.sending import composing

#: Issues before this one that the checks look back on.
_MEMORY = 12

#: Flaws of the file that a check says again, with its place in the text.
_SAID_BY_CHECKS = frozenset({"hero-file", "hero-credit"})

#: Put before the subject of a test mail.
TRIAL = "[TEST] "


@dataclass(frozen=True, kw_only=True)
class Edition:
    """An issue in one language, on its way to mail."""

    issue: issues.Issue
    template: messages.MessageTemplate


@dataclass(frozen=True)
class Proof:
    """An issue with all its editions, the original first."""

    editions: tuple[Edition, ...]

    @property
    def issue(self) -> issues.Issue:
        """The original."""
        return self.editions[0].issue

    @property
    def number(self) -> numbering.IssueNumber:
        """The number that all editions share."""
        return self.issue.number

    @cached_property
    def templates(self) -> Mapping[str, messages.MessageTemplate]:
        """Message templates by language; the first is the default."""
        return {edition.issue.language: edition.template for edition in self.editions}

    @cached_property
    def digest(self) -> str:
        """The sha-256, in hex, over everything that readers would get: the mailing, and pictures it shows."""
        sent = freezing.digest(self.templates)
        shown = pictures.digest([path for edition in self.editions for path in pictures.local(edition.issue)])
        return hashlib.sha256(f"{sent}\0{shown}".encode()).hexdigest() if shown else sent


@dataclass(frozen=True, kw_only=True)
class Press:
    """Makes proofs of the issues of one publication."""

    publication: publications.Publication
    theme: theme.Theme
    #: The folder of the issue files.
    folder: Path
    #: The hour at which issues come out, and the zone of times that name none.
    at: time
    zone: ZoneInfo
    #: ``glossary.toml`` of the workspace; it need not exist.
    glossary: Path
    #: Shares of the readers by mail program.
    shares: Mapping[str, float] = field(default_factory=dict)
    #: What of the readers is counted.
    counted: checking.Tracking = field(default_factory=checking.Tracking)

    def read(self, path: Path) -> issues.Issue:
        """Read an issue file with the publication's defaults.

        Raises:
            IssueError: it cannot be read.
        """
        return issue_files.read(
            path,
            title=self.publication.title,
            language=self.publication.language,
            timezone=self.zone.key,
        )

    def proof(self, path: Path) -> Proof:
        """Read, render and compose an issue and its translations.

        Raises:
            IssueError: a file cannot be read.
            RenderError: an edition cannot be poured into its template.
        """
        original = self.read(path)
        others = [self.read(one) for one in self._translations(path, original)]
        return Proof(tuple(self._edition(issue) for issue in (original, *others)))

    def moment(self, issue: issues.Issue) -> datetime:
        """Return when an issue goes out, as far as its file says."""
        return issue.send_at or datetime.combine(issue.date, self.at, tzinfo=self.zone)

    def _unrendered(
        self, path: Path, error: errors.RenderError, *, only: Sequence[str], skip: Sequence[str]
    ) -> list[findings.Finding]:
        """Return why an issue cannot be rendered, and what is to be said of its text all the same."""
        original = self.read(path)
        editions = [original, *map(self.read, self._translations(path, original))]
        subjects = [
            self._surrounded(one, [other for other in editions if other is not one]) for one in editions
        ]
        found = [one for subject in subjects for one in checking.check(subject, only=only, skip=skip)]
        known = {(one.path, one.line) for one in found if one.severity is findings.Severity.ERROR}
        reasons = [
            findings.Finding(
                rule="render",
                severity=findings.Severity.ERROR,
                message=problem.message,
                path=problem.path,
                line=problem.line,
                fix=error.hint,
            )
            for problem in errors.located(error, str(path))
        ]
        # A rule that found the same place says more of it.
        return [*found, *(one for one in reasons if not one.line or (one.path, one.line) not in known)]

    def findings(
        self,
        path: Path,
        *,
        only: Iterable[str] = (),
        skip: Iterable[str] = (),
        answers: Mapping[str, link_health.Answer] | None = None,
    ) -> list[findings.Finding]:
        """Return everything that is to be said against an issue and its translations, in one run, by line.

        ``answers`` are what web servers said to its `links`.

        Raises:
            NewsletterError: ``only`` or ``skip`` names neither a rule nor a family.
        """
        only, skip = tuple(only), tuple(skip)
        flaws = issue_files.problems(path)
        try:
            proof = self.proof(path)
        except errors.IssueError:
            return [*flaws, *_flaws_beside(path)]
        except errors.RenderError as error:
            return self._unrendered(path, error, only=only, skip=skip)
        subjects = [self.subject(edition, proof) for edition in proof.editions]
        subjects = [dataclasses.replace(subject, answers=answers or {}) for subject in subjects]
        return [one for subject in subjects for one in checking.check(subject, only=only, skip=skip)]

    def links(self, path: Path) -> list[str]:
        """Return the addresses that an issue and its translations lead to; none while it is broken."""
        try:
            proof = self.proof(path)
        except (errors.IssueError, errors.RenderError):
            return []
        subjects = [self.subject(edition, proof) for edition in proof.editions]
        return list(dict.fromkeys(url for subject in subjects for url in checking.links(subject)))

    def parts(self, edition: Edition) -> tuple[str, str]:
        """Return HTML and plain text as a sample reader sees them."""
        values = checking.sample_values(self.publication, edition.issue)
        rendered = edition.template.rendered
        return (
            checking.personalise(rendered.html, values, is_html=True),
            checking.personalise(rendered.text, values, is_html=False),
        )

    def page(self, edition: Edition) -> str:
        """Return the web version of an edition, the same for every reader."""
        return web.render(edition.issue, self.publication, self.theme)

    def sample(self, edition: Edition) -> messages.Message:
        """Merge an edition for a sample reader, at the time at which the issue goes out."""
        values = checking.sample_values(self.publication, edition.issue)
        recipient = messages.Recipient(
            delivery=0,
            email=values["subscriber.email"],
            name=values["subscriber.name"],
            message_key="sample",
            bounce_token="sample",  # noqa: S106 - the sample reader's, which nobody signed
            values=values,
        )
        return merge.compile(edition.template).merge(recipient, self.moment(edition.issue))

    def trials(
        self, proof: Proof, addressees: Sequence[str], *, now: datetime, raw: bool = True
    ) -> list[messages.Message]:
        """Merge every edition for editors who want to see it in a mailbox; ``raw`` as providers take it.

        Raises:
            AddressError: an address cannot be mailed.
        """
        for address in addressees:
            if addresses.plain(address) is None:
                raise errors.AddressError(f"“{address}” is not an address that can be mailed")
        letters: list[messages.Message] = []
        for edition in proof.editions:
            template = dataclasses.replace(edition.template, subject_prefix=TRIAL)
            merger = merge.compile(template)
            for address in addressees:
                reader = self._editor(edition, address, delivery=len(letters) + 1, now=now)
                letters.append(merger.merge(reader, now) if raw else merger.parts(reader, now))
        return letters

    def _editor(self, edition: Edition, address: str, *, delivery: int, now: datetime) -> messages.Recipient:
        values = checking.sample_values(self.publication, edition.issue)
        return messages.Recipient(
            delivery=delivery,
            email=address,
            name="",
            message_key=f"test-{now:%Y%m%d%H%M%S%f}-{delivery}",
            bounce_token="test",  # noqa: S106 - nobody counts bounces of test mails
            values=values | {"subscriber.email": address, "subscriber.name": "", "subscriber.first_name": ""},
        )

    def _edition(self, issue: issues.Issue) -> Edition:
        rendered = rendering.render(issue, self.publication, self.theme)
        return Edition(issue=issue, template=composing.compose(issue, self.publication, rendered))

    def _translations(self, path: Path, original: issues.Issue) -> list[Path]:
        beside = shelf.editions(path.parent, original.number)
        return [one.path for one in beside if one.is_edition and one.path != path]

    def subject(self, edition: Edition, proof: Proof) -> checking.Subject:
        """Return what the checks look at: an edition, what it was rendered to, and what surrounds it."""
        html, text = self.parts(edition)
        others = [one.issue for one in proof.editions if one is not edition]
        return dataclasses.replace(
            self._surrounded(edition.issue, others),
            rendered=edition.template.rendered,
            html=html,
            text=text,
            raw=self.sample(edition).raw,
        )

    def _surrounded(self, issue: issues.Issue, editions: Sequence[issues.Issue]) -> checking.Subject:
        """Return what surrounds an issue for the checks; it need not be rendered."""
        return checking.Subject(
            issue=issue,
            publication=self.publication,
            path=str(issue.path),
            lines=issue.path.read_text(encoding="utf-8-sig").split("\n"),
            values=checking.sample_values(self.publication, issue),
            past=self._past(issue),
            editions=editions,
            glossary=glossaries.read(self.glossary) if self.glossary.is_file() else glossaries.EMPTY,
            shares=self.shares,
            counted=self.counted,
            images=picture_files.loader(issue.path.parent),
            flaws=[one for one in issue_files.problems(issue.path) if one.rule not in _SAID_BY_CHECKS],
        )

    def _past(self, issue: issues.Issue) -> list[issues.Issue]:
        """Return the issues before one, newest first; those that cannot be read are passed over."""
        before = [one.path for one in shelf.listing(self.folder) if one.number and one.number < issue.number]
        past = []
        for path in reversed(before[-_MEMORY:]):
            try:
                past.append(self.read(path))
            except errors.IssueError:
                continue
        return past


def _flaws_beside(path: Path) -> list[findings.Finding]:
    """Return what is wrong in the files of the other editions of an issue."""
    number = shelf.peek(path).number
    beside = shelf.editions(path.parent, number) if number else []
    return [flaw for one in beside if one.path != path for flaw in issue_files.problems(one.path)]
