"""What a draft may still have and mail may not: a TK, a picture without alt text, a link that runs code."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

from newsletter.authoring import flaws, markup
from newsletter.domain import issues

#: A flaw that does not keep the file from being read.
_Loose = functools.partial(flaws.Flaw, blocking=False)


class Stretch(NamedTuple):
    """Some lines of Markdown, where they begin, and the entry they belong to."""

    text: str
    line: int
    entry: str = ""


def note(issue: issues.Issue, found: flaws.Flaws) -> None:
    """Note every loose end of an issue."""
    for stretch in _stretches(issue):
        lines = markup.without_code(stretch.text.split("\n"))
        for flaw in (*_unfinished(lines, stretch), *_links(lines, stretch)):
            found.note(flaw)
    for flaw in (*_addresses(issue), *_files(issue)):
        found.note(flaw)
    if not issue.entries and issue.layout is issues.Layout.DIGEST:
        fix = "write each headline behind “## ”"
        found.note(_Loose(rule="no-entries", line=0, message="the issue has no entries", fix=fix))


def _stretches(issue: issues.Issue) -> Iterator[Stretch]:
    for key in ("title", "subject", "preheader"):
        if key in issue.lines:
            yield Stretch(str(getattr(issue, key)), issue.lines[key])
    if issue.hero is not None:
        for text in (issue.hero.alt, issue.hero.credit, issue.hero.caption):
            yield Stretch(text, issue.hero.line)
    yield Stretch(issue.intro, issue.intro_line)
    yield Stretch(issue.closing, issue.closing_line)
    for entry in issue.entries:
        yield Stretch(entry.headline, entry.line, entry.id)
        yield Stretch(entry.headline_short, entry.line, entry.id)
        for source in entry.sources:
            yield Stretch(f"{source.title} {source.publisher}".strip(), source.line, entry.id)
        yield Stretch(entry.body, entry.body_line, entry.id)


def _unfinished(lines: list[str], stretch: Stretch) -> Iterator[flaws.Flaw]:
    for line, word in markup.unfinished(lines, stretch.line):
        where = lines[line - stretch.line].strip()
        message = f"“{word}” is left in: “{_cut(where)}”"
        yield _Loose(rule="unfinished", line=line, message=message, text=word, entry=stretch.entry)


def _links(lines: list[str], stretch: Stretch) -> Iterator[flaws.Flaw]:
    for link in markup.links(lines, stretch.line):
        if markup.is_unsafe(link.url):
            yield _unsafe(link.url, link.line, stretch.entry)
        if link.is_image and not link.text.strip():
            yield _Loose(
                rule="image-alt",
                line=link.line,
                message=f"the image “{_cut(link.url)}” has no alt text",
                text=link.url,
                fix="say between the brackets what it shows",
                entry=stretch.entry,
            )


def _addresses(issue: issues.Issue) -> Iterator[flaws.Flaw]:
    for entry in issue.entries:
        for source in entry.sources:
            if markup.is_unsafe(source.url):
                yield _unsafe(source.url, source.line, entry.id)
    if issue.hero is not None:
        for url in (issue.hero.src, issue.hero.credit_url):
            if markup.is_unsafe(url):
                yield _unsafe(url, issue.hero.line, "")


def _files(issue: issues.Issue) -> Iterator[flaws.Flaw]:
    hero = issue.hero
    if hero is None or not hero.src or hero.is_remote or markup.is_unsafe(hero.src):
        return
    if not (issue.path.parent / hero.src).is_file():
        yield _Loose(
            rule="hero-missing",
            line=hero.line,
            message=f"the hero “{hero.src}” is not beside the issue",
            text=hero.src,
            fix="copy the picture there, or correct its name",
        )


def _unsafe(url: str, line: int, entry: str) -> flaws.Flaw:
    message, fix = f"the link “{_cut(url)}” runs code", "link to a page on the web"
    return _Loose(rule="unsafe-link", line=line, message=message, text=url, fix=fix, entry=entry)


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
