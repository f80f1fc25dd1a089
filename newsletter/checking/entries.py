"""Newsroom: headlines and details belong together, and each stands on its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from newsletter.checking import prose, reading, rulebook, widths
from newsletter.domain import fields, findings, issues, messages

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("newsroom")

_FEWEST, _MOST = 4, 7
_HEADLINE_COLUMNS = 90
#: Abbreviations whose own full stop may end a headline.
_ABBREVIATION = re.compile(
    r"(?:\b[A-Z]\.|\b(?:[ap]\.m|Inc|Co|Ltd|Corp|Bros|Jr|Sr|St|Ave|No|vs|Ph\.D|Univ|Dept|Govt|Gov|Gen|Amb|etc"
    r"|Jan|Feb|Mar|Apr|Aug|Sept?|Oct|Nov|Dec))\.?$"
)
#: A stop behind one of these ends no sentence, nor does the mark in the name of Yahoo.
_SECOND_SENTENCE = re.compile(
    r"(?<!\bProf)(?<!\bSens)(?<!\bReps)(?<!\bGovs)(?<!\bAsst)(?<!\bAssoc)(?<!\bCapt)(?<!\bCorp)(?<!\bDept)"
    r"(?<!\bUniv)(?<!\bGovt)(?<!\bBros)(?<!\bMessrs)(?<!\bYahoo)(?<=[a-z0-9’')]{3})[.!?] +[A-Z]|。."
)
_PLACEHOLDER = re.compile(
    r"\b(?:TBD|TBC|XXX+)\b|[Ll]orem ipsum|\[(?:insert|add)\b[^\]\n]*\]"
    r"|\[(?:names?|dates?|links?|sources?)(?: (?:here|of|to|text|goes|needed|missing|TK)\b[^\]\n]*)?\]"
    r"|(?<!\w)\?{3,}|●●+|(?:要確認|要修正|未定稿)"
)
_ATTACHED = re.compile(
    r"\b(?:(?:please (?:see|find)|see|find)(?: the| our)? (?:attached|attachment|enclosed)"
    r"|(?:is|are) (?:attached|enclosed)(?! (?:to|by)\b)"
    r"|(?:the )?attached (?:file|document|pdf|report|paper|slides?|image)"
    r"|in the attachment|I have attached|we have attached)\b"
    r"|添付(?:の|した|ファイル|資料|いたし)",
    re.IGNORECASE,
)
_COPYRIGHT = re.compile(
    r"(?:©|\(c\)|\bcopyright\b)\s*(?:\d{4}\s*[-–—]\s*)?(?P<year>(?:19|20)\d{2})\b", re.IGNORECASE
)


@rule("headline-count", findings.Severity.ADVICE, source="practice of policy digests: four to seven entries")
def headline_count(page: reading.Reading) -> Hits:
    """A digest is read because somebody chose: fewer than four entries look thin, more than seven are
    skimmed."""
    count = len(page.issue.entries)
    if page.issue.layout is issues.Layout.DIGEST and not _FEWEST <= count <= _MOST:
        yield rulebook.Hit(
            message=f"entries: {count}; a digest reads best with {_FEWEST} to {_MOST}",
            fix="merge related entries, or keep some for the next issue" if count > _MOST else "add an entry",
        )


@rule(
    "headline-length",
    findings.Severity.WARNING,
    source="practice of policy digests; wire-service headline rules",
)
def headline_length(page: reading.Reading) -> Hits:
    """Headlines are read in one glance on a phone: over 90 columns they run to three lines and stop being a
    list."""
    for entry in page.issue.entries:
        if (columns := widths.columns(entry.headline)) > _HEADLINE_COLUMNS:
            yield rulebook.Hit(
                message=f"the headline takes {columns} columns; {_HEADLINE_COLUMNS} are the most",
                place=page.entry(entry),
                fix="say one thing, and leave the rest to the first sentence",
            )


@rule("headline-stop", findings.Severity.WARNING, source="wire-service headline rules")
def headline_stop(page: reading.Reading) -> Hits:
    """Headlines end without a full stop: it is a label, not a sentence, and in a list the stops look like
    slips."""
    for entry in page.issue.entries:
        text = entry.headline.rstrip()
        if text[-1:] in {".", "。", "．", ",", "、", ";", ":", "："} and not _ABBREVIATION.search(text):
            yield rulebook.Hit(
                message=f"the headline ends with “{text[-1]}”",
                place=page.entry(entry),
                fix="take the mark out",
            )


@rule("headline-sentences", findings.Severity.ADVICE, source="practice of policy digests")
def headline_sentences(page: reading.Reading) -> Hits:
    """One headline tells one thing; two sentences are two entries or a headline and its first line."""
    for entry in page.issue.entries:
        if _SECOND_SENTENCE.search(entry.headline):
            yield rulebook.Hit(
                message="the headline holds more than one sentence",
                place=page.entry(entry),
                fix="keep the first, move the other into the body",
            )


@rule("headline-twice", findings.Severity.WARNING, source="house rule")
def headline_twice(page: reading.Reading) -> Hits:
    """Two entries under one headline cannot be told apart in the list at the top, nor in a table of
    contents."""
    seen = Counter[str]()
    for entry in page.issue.entries:
        key = entry.headline.casefold().strip()
        seen[key] += 1
        if seen[key] == 2:
            yield rulebook.Hit(message="another entry has the same headline", place=page.entry(entry))


@rule(
    "headline-without-detail",
    findings.Severity.ERROR,
    source="practice of policy digests: one detail per headline",
)
def headline_without_detail(page: reading.Reading) -> Hits:
    """Each headline promises a detail; one without leaves the reader with a promise."""
    for entry in page.issue.entries:
        if not entry.body.strip():
            yield rulebook.Hit(
                message="the headline has no text below it",
                place=page.entry(entry),
                fix="write the detail, or take the headline out",
            )


@rule("placeholder", findings.Severity.ERROR, source="newsroom practice")
def placeholder(page: reading.Reading) -> Hits:
    """TBD, [insert name] and lorem ipsum are notes between editors; one that reaches a reader says that
    nobody looked. TK, TODO and FIXME are found when the file is read: that rule is called unfinished."""
    for passage in page.passages:
        for match in _PLACEHOLDER.finditer(passage.uncoded):
            is_link = match[0].startswith("[") and _is_link(passage.text, match)
            is_address = passage.words[match.end() - 1] == prose.FILL and not match[0].startswith("[")
            if not is_link and not is_address:
                yield rulebook.Hit(
                    message=f"“{match[0]}” is still to be filled in", place=passage.place(*match.span())
                )


def _is_link(text: str, bracket: re.Match[str]) -> bool:
    """Say whether a bracket is the text or the name of a link."""
    label = re.escape(bracket[0])
    return (
        text.startswith(("(", "["), bracket.end())
        or text[: bracket.start()].endswith("]")
        or re.search(rf"^ {{0,3}}{label}:", text, re.MULTILINE | re.IGNORECASE) is not None
    )


@rule("unknown-field", findings.Severity.ERROR, source="docs/writing.md: personal fields")
def unknown_field(page: reading.Reading) -> Hits:
    """Personal fields are a short documented list; any other cannot be filled, and the issue not be
    rendered."""
    for passage in page.passages:
        for found in fields.find(passage.text):
            if found.problem:
                at = passage.offset(found.line, found.column)
                yield rulebook.Hit(
                    message=found.problem,
                    place=passage.place(at, at + len(found.text)),
                    fix='write {{ subscriber.first_name | default("reader") }}; the fields are '
                    + ", ".join(messages.FIELDS),
                )


@rule("attachment-missing", findings.Severity.WARNING, source="newsroom practice; Buttondown's preflight")
def attachment_missing(page: reading.Reading) -> Hits:
    """A newsletter carries no attachments: “see attached” sends every reader looking for a file that is not
    there."""
    for passage in page.passages:
        for match, place in passage.find(_ATTACHED):
            yield rulebook.Hit(
                message=f"“{match[0]}”, but nothing is attached to a mailing",
                place=place,
                fix="link to the file",
            )


@rule("stale-year", findings.Severity.WARNING, source="newsroom practice; Buttondown's preflight")
def stale_year(page: reading.Reading) -> Hits:
    """A copyright line from last year says that the footer has not been read since."""
    year = page.issue.date.year
    for passage in page.passages:
        if passage.key in {"credit", "caption"}:
            continue  # a picture keeps the year in which it was taken
        for match, place in passage.find(_COPYRIGHT):
            if int(match["year"]) != year:
                yield rulebook.Hit(
                    message=f"“{match[0]}” in an issue of {year}", place=place, fix=f"write {year}"
                )
    for match in _COPYRIGHT.finditer(page.subject.publication.about):
        if int(match["year"]) != year:
            yield rulebook.Hit(
                message=f"“{match[0]}” in [publication] about, in an issue of {year}",
                fix="mend newsletter.toml",
            )


@rule("entry-date", findings.Severity.ADVICE, source="house rule")
def entry_date(page: reading.Reading) -> Hits:
    """An entry dated after the issue, or half a year before it, is usually a slip of the year in January."""
    for entry in page.issue.entries:
        if entry.date is None:
            continue
        days = (page.issue.date - entry.date).days
        if days < 0 or days > 183:
            yield rulebook.Hit(
                message=f"dated {entry.date}, {abs(days)} days {'after' if days < 0 else 'before'} the issue",
                place=page.entry(entry),
            )


@rule("hero-without-picture", findings.Severity.WARNING, source="docs/writing.md: hero")
def hero_without_picture(page: reading.Reading) -> Hits:
    """A credit without its picture is left over from a text that came without the file."""
    hero = page.issue.hero
    if hero is not None and not hero.src.strip():
        yield rulebook.Hit(
            message=f"the hero is credited to “{hero.credit}”, but there is no picture",
            place=rulebook.Place(line=hero.line or page.issue.lines.get("hero", 0), column=1),
            fix="give hero a file or url, or take the hero out",
        )


@rule(
    "hero-credit", findings.Severity.ERROR, source="practice of policy digests: no picture without its source"
)
def hero_credit(page: reading.Reading) -> Hits:
    """A picture goes out with the name of who made it, or it does not go out."""
    hero = page.issue.hero
    if hero is not None and hero.src and not hero.credit.strip():
        yield rulebook.Hit(
            message="the hero has no credit",
            place=rulebook.Place(line=hero.line or page.issue.lines.get("hero", 0), column=1),
            fix="add credit: and, where there is one, credit_url:",
        )
