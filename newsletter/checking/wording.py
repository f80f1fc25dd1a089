"""Newsroom: words said twice, words that the house does not print, words without a speaker."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from newsletter.checking import glossaries, prose, reading, rulebook, wordlists
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("newsroom")
english = rulebook.family("newsroom", languages=("en",))

_GAP = rf"[ \t\n{prose.FILL}]+"
_TWICE = re.compile(rf"\b(?P<word>[^\W\d_]+){_GAP}(?P=word)\b", re.IGNORECASE)
#: Doubled in good English: “the talks that that led to”, “they had had”.
_MAY_DOUBLE = frozenset({"had", "that", "no", "bye", "ha", "very", "so"})
#: What parts two words: another paragraph, code, a field.
_APART = re.compile(r"\n[ \t]*\n|`|\{\{")

_QUOTED = re.compile(
    rf"“(?P<curly>[^“”]{{20,}})”|(?<![^\s(\[—–{prose.FILL}])\"(?=\S)(?P<straight>[^\"]{{20,}})\""
)
_FEWEST_WORDS = 5
_SPEAKER = re.compile(
    r"\b(?:said|says?|saying|told|tells?|stat(?:e[sd]?|ing)|add(?:s|ed|ing)|wrote|writes?|writing|call(?:s|ed|ing)"
    r"|announc\w+|declar\w+|according to|argu\w+|warn\w+|not(?:es|ed|ing)|remark\w*|explain\w*|express\w*"
    r"|describ\w+|quot\w+|acknowledg\w+|pledg\w+|vow\w*|urg\w+|stress\w*|emphasi[sz]\w+|reaffirm\w*|agree\w*"
    r"|reads?|in the words of|claim\w*|conclud\w+|comment\w*|insist\w*|report\w*|ask\w*|repl\w+|observ\w+"
    r"|titled|entitled|named|headed|known as|dubbed|so-called|reiterat\w+|characteri[sz]\w+|term(?:s|ed)"
    r"|underscor\w+|highlight\w*)\b",
    re.IGNORECASE,
)
_BLOCKQUOTE = re.compile(r"(?:^ {0,3}>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_SIGNED = re.compile(r"^\s*[—–―-]{1,3}\s*\S|（[^）]+）$|\([^)]*\w[^)]*\)$")


@english("duplicate-word", findings.Severity.WARNING, source="newsroom practice")
def duplicate_word(page: reading.Reading) -> Hits:
    """“The the” is what remains when a sentence was rewritten; the eye that wrote it does not see it."""
    for passage in page.passages:
        for match, place in passage.find(_TWICE):
            word, between = match["word"], passage.text[match.start() : match.end()]
            is_name = word[0].isupper() and match[0].rstrip()[-len(word)].isupper()
            if (
                word.lower() not in _MAY_DOUBLE
                and not is_name
                and not _APART.search(between)
                and not ("\n" in between and _is_heading(passage.text, match.start()))
            ):
                yield rulebook.Hit(message=f"“{word}” stands twice in a row", place=place, fix="take one out")


def _is_heading(text: str, at: int) -> bool:
    return text[text.rfind("\n", 0, at) + 1 :].startswith("#")


@rule("glossary", findings.Severity.WARNING, source="the publication's own glossary.toml")
def glossary(page: reading.Reading) -> Hits:
    """The house calls each thing by one name; two names for one thing make readers look for the
    difference."""
    for term in page.subject.glossary.terms:
        if term.languages and page.language not in term.languages:
            continue
        for form in term.forbidden:
            yield from _forbidden(page, term, form)


def _forbidden(page: reading.Reading, term: glossaries.Term, form: str) -> Hits:
    # Text from PDF files and from a Mac is often taken apart into letters and their marks.
    spelt = {unicodedata.normalize(norm, form): 0 for norm in ("NFC", "NFD")}
    pattern = re.compile("|".join(_whole(one) for one in spelt))
    for passage in page.passages:
        for match, place in passage.find(pattern):
            allowed = passage.words[
                max(match.start() - len(term.preferred), 0) : match.end() + len(term.preferred)
            ]
            if form in term.preferred and term.preferred in allowed:
                continue
            note = f" ({term.note})" if term.note else ""
            yield rulebook.Hit(
                message=f"the house writes “{term.preferred}”, not “{form}”{note}",
                place=place,
                fix=f"write “{term.preferred}”",
            )


def _whole(form: str) -> str:
    """Return a pattern for a form as a whole word, white space of any kind between its parts."""
    words = r"[ \t\n]+".join(re.escape(word) for word in form.split())
    before = r"(?<!\w)" if form[0].isascii() and form[0].isalnum() else ""
    after = r"(?!\w)" if form[-1].isascii() and form[-1].isalnum() else ""
    return before + words + after


@english(
    "quote-attribution", findings.Severity.WARNING, source="newsroom practice: speaker, role, date, source"
)
def quote_attribution(page: reading.Reading) -> Hits:
    """Words in quotation marks are somebody's: the paragraph says whose, or the reader takes them for
    ours."""
    for passage in page.content:
        if passage.part is not prose.Part.BODY:
            continue
        for offset, paragraph in passage.paragraphs():
            if _SPEAKER.search(_QUOTED.sub(" ", paragraph)):
                continue
            for match in _QUOTED.finditer(paragraph):
                words = (match["curly"] or match["straight"]).split()
                if len(words) >= _FEWEST_WORDS and not _is_title(words):
                    yield rulebook.Hit(
                        message="nobody is named as saying this",
                        place=passage.place(offset + match.start(), offset + match.end()),
                        fix="name the speaker in the same paragraph",
                    )


def _is_title(words: Sequence[str]) -> bool:
    """Say whether quoted words are the title of something: nearly all of weight begin with a capital."""
    weighty = [word for word in words if len(word.strip(".,:;’'")) > 3]
    capital = [word for word in weighty if not word[0].islower()]
    return len(capital) >= 0.75 * len(weighty)


@rule(
    "blockquote-attribution",
    findings.Severity.WARNING,
    source="newsroom practice; HTML Living Standard, blockquote",
)
def blockquote_attribution(page: reading.Reading) -> Hits:
    """A quotation set apart ends with who said it, on a line of its own that begins with a dash."""
    for passage in page.content:
        for match in _BLOCKQUOTE.finditer(passage.uncoded):
            rows = [row.lstrip("> ").strip() for row in match[0].splitlines()]
            last = next((row for row in reversed(rows) if row), "")
            following = passage.uncoded[match.end() :].lstrip("\n").partition("\n")[0]
            if last and not _SIGNED.search(last) and not _SIGNED.match(following):
                yield rulebook.Hit(
                    message="the quotation does not say whose words these are",
                    place=passage.place(match.start(), match.start() + len(match[0].partition("\n")[0])),
                    fix="end it with a line such as “> — Name, office, date”",
                )


@english("acronym", findings.Severity.ADVICE, source="style guides: spell out at first use")
def acronym(page: reading.Reading) -> Hits:
    """An acronym that is not spelt out at its first use shuts out every reader who does not know it
    already."""
    known = wordlists.read("acronyms") | page.subject.glossary.acronyms | _NOTES
    told: set[str] = set()
    seen: set[str] = set()
    for passage in page.content:
        told |= _spelt_out(passage.plain)
        for match, place in passage.find(_ACRONYM) if passage.part is not prose.Part.HEADLINE else ():
            name = match["name"]
            if name in known or name in seen or _ROMAN(name):
                continue
            seen.add(name)
            if name not in told:
                yield rulebook.Hit(
                    message=f"{name} is not spelt out at its first use",
                    place=place,
                    fix=f"write “Full Name ({name})”, or list it in glossary.toml under [acronyms]",
                )


#: Notes between editors, which the rule `unfinished` finds.
_NOTES = frozenset({"TK", "TKTK", "TODO", "FIXME"})
_ACRONYM = re.compile(r"(?<![\w.&-])(?P<name>[A-Z][A-Z&]{1,5})(?:s|['’]s)?(?![\w-])(?!\.\w)")
#: “Leo XIV”, “Article XVII”.
_ROMAN = re.compile(r"[IVX]+").fullmatch
_TOLD_AFTER = re.compile(r"(?<=[\w’'.])\s{1,3}\([“\"]?(?:the\s+)?([A-Z][A-Z&]{1,5})s?[”\"]?[),;]")
_TOLD_BEFORE = re.compile(r"\b([A-Z][A-Z&]{1,5})s?\s+\((?:the\s+)?[A-Z]?[a-z]+[\s-]")
#: “the Joint Committee on the Research Environment, or JCORE, …”
_TOLD_BESIDE = re.compile(r",\s+(?:or|known as|called)\s+(?:the\s+)?([A-Z][A-Z&]{1,5})\b")


def _spelt_out(text: str) -> set[str]:
    return {
        match[1] for pattern in (_TOLD_AFTER, _TOLD_BEFORE, _TOLD_BESIDE) for match in pattern.finditer(text)
    }
