"""Each newsroom rule speaks where it should, on the line where the fault is, and keeps silent otherwise."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from pathlib import Path

import pytest

from newsletter import checking
from newsletter.checking import glossaries
from newsletter.rendering import issue as issue_room
from newsletter.rendering import theme
from tests.checking import desk

#: rule, text that replaces the first entry's body, words on the line of the finding.
FAULTS = [
    ("placeholder", "The [report](https://a.example.org/r) is TBD.", "TBD"),
    ("placeholder", "As [insert name] said on [Monday](https://a.example.org/r).", "[insert name]"),
    ("placeholder", "Lorem ipsum [dolor](https://a.example.org/r).", "Lorem"),
    ("unknown-field", "Dear {{ subscriber.shoe_size }}, [see](https://a.example.org/r).", "shoe_size"),
    ("unknown-field", "Dear {{ subscriber.name | upper }}, [see](https://a.example.org/r).", "upper"),
    (
        "attachment-missing",
        "Please see the attached report, and [this](https://a.example.org/r).",
        "attached",
    ),
    ("stale-year", "© 2025 by the [port](https://a.example.org/r).", "2025"),
    ("placeholder-link", "A [paper](#) was signed, says [the port](https://a.example.org/r).", "(#)"),
    ("placeholder-link", "A [paper]() was signed, says [the port](https://a.example.org/r).", "()"),
    ("tracking-parameter", "A [paper](https://a.example.org/r?id=1&utm_source=mail).", "utm_source"),
    ("tracking-parameter", "A [paper](https://a.example.org/r?fbclid=abc).", "fbclid"),
    ("link-shortener", "A [paper](https://bit.ly/3xyz).", "bit.ly"),
    ("duplicate-word", "The port and the the [railway](https://a.example.org/r) agreed.", "the the"),
    ("duplicate-word", "The port and *the* the [railway](https://a.example.org/r) agreed.", "*the* the"),
    (
        "quote-attribution",
        "It is on paper. “Nothing will ever be late again here.” [See](https://a.example.org/r).",
        "Nothing",
    ),
    (
        "blockquote-attribution",
        "[See](https://a.example.org/r):\n\n> Nothing will be late again.",
        "> Nothing",
    ),
    ("double-space", "The port  and the [railway](https://a.example.org/r).", "port  and"),
    ("space-before-mark", "The port , and the [railway](https://a.example.org/r).", "port ,"),
    ("space-after-mark", "The port,and the [railway](https://a.example.org/r).", "port,and"),
    ("space-after-mark", "It was late.The [railway](https://a.example.org/r) said so.", "late.The"),
    ("repeated-mark", "The port agreed.. The [railway](https://a.example.org/r) too.", "agreed.."),
    ("repeated-mark", "The port agreed!! The [railway](https://a.example.org/r) too.", "agreed!!"),
    ("hyphen-for-dash", "The port - and the [railway](https://a.example.org/r) - agreed.", "port -"),
    ("unbalanced-mark", "The port (and the [railway](https://a.example.org/r) agreed.", "(and"),
    ("unbalanced-mark", "The port and the railway”, said [all](https://a.example.org/r).", "railway”"),
    ("acronym", "The ZQA [agreed](https://a.example.org/r).", "ZQA"),
    (
        "quote-attribution",
        "It is on paper. “Nothing will ever\nbe late again here.” [See](https://a.example.org/r).",
        "“Nothing",
    ),
    ("tracking-parameter", "The [report\nof the port](https://a.example.org/r?utm_source=x).", "The [report"),
    ("placeholder-link", "The [report][p], says [the port](https://a.example.org/r).", "[report]"),
    ("placeholder-link", "The [report][], says [the port](https://a.example.org/r).", "[report]"),
    ("placeholder-link", "The [report\nof the port](#) says [more](https://a.example.org/r).", "The [report"),
    ("url-host", "See [a page](https://[bad/x) and [another](https://a.example.org/r).", "https://[bad"),
    (
        "placeholder",
        "As [source] and [date of the visit] in the [paper](https://a.example.org/r).",
        "[source]",
    ),
    ("hyphen-for-dash", "The **port** - and the [railway](https://a.example.org/r) agreed.", "** -"),
    ("hyphen-for-dash", "The [railway](https://a.example.org/r) - a line - agreed.", ") - a"),
    ("unbalanced-mark", "a) yes (b) no (and the [railway](https://a.example.org/r) agreed.", "(and"),
    (
        "unbalanced-mark",
        "“We begin,” she said.\n\n“We [end](https://a.example.org/r).\n\nHe agreed.",
        "“We [",
    ),
    # Told, but an entry too late.
    (
        "acronym",
        "The ZQA met.\n\n## Later\n\nThe Zonal Quay Authority (ZQA) [agreed](https://a.example.org/r).",
        "ZQA met",
    ),
]

#: rule, a body on which it has nothing to say.
FAULTLESS = [
    ("placeholder", "The [link](https://a.example.org/r) works, and `TBD` is code."),
    ("placeholder", "[Add your name](https://a.example.org/r) to the list."),
    ("unknown-field", 'Dear {{ subscriber.first_name | default("reader") }}, hello.'),
    ("unknown-field", "Dear {{subscriber.name}}, hello."),
    ("attachment-missing", "Two conditions are attached to the loan."),
    ("stale-year", "© 2024–2026 by the port; in 2025 the bridge was closed."),
    ("placeholder-link", "A [paper](https://a.example.org/r#part) and `[code](#)`."),
    ("tracking-parameter", "A [paper](https://a.example.org/r?id=1&page=2)."),
    ("link-shortener", "A [paper](https://habit.example.org/3xyz)."),
    (
        "duplicate-word",
        "They had had time, in Baden Baden, and the port’s ports [say](https://a.example.org/r) so.",
    ),
    ("quote-attribution", "“Nothing will ever be late again here,” the minister said."),
    ("quote-attribution", "The so-far “new normal” of the port."),
    (
        "quote-attribution",
        "The paper is called off. See “Ports and Railways Agree on One Common Timetable,” press release.",
    ),
    ("acronym", "The Joint Council on the Quay, or JCQ, agreed. JCQ meets again."),
    ("blockquote-attribution", "> Nothing will be late again.\n>\n> — A. Minister, Harbour Town, 3 February"),
    ("blockquote-attribution", "> Nothing will be late again.\n\n— A. Minister, Harbour Town"),
    ("double-space", "The port\nand the railway.  \nA new line."),
    ("double-space", "```\na  b\n```\n\nText with `a  b` in it."),
    ("space-before-mark", "The port [signed](https://a.example.org/r), and said: “no”."),
    ("space-after-mark", "Write to port@example.org, see www.example.org, pay 1,000 or 1.5 in the U.S.A."),
    ("repeated-mark", "And so on… or so... it says."),
    ("hyphen-for-dash", "A well-known port, and\n\n- a point\n- another"),
    ("unbalanced-mark", "1) The port (and railway) agreed. “Both” said a) yes and b) no."),
    ("acronym", "The Zonal Quay Authority (ZQA) agreed. The ZQA and NATO met in the US."),
    ("unbalanced-mark", "The rule (article 9) passed, and the ferry (up from 12) sails."),
    ("unbalanced-mark", "Either (a) the port, (b) the railway, or (as before) c) both. See below:)"),
    ("unbalanced-mark", "They may (either a) sail or b) wait) until noon."),
    ("unbalanced-mark", "“We begin, she said.\n\n“We go on.\n\n“We end here.”"),
    (
        "placeholder",
        "The [link to study][1] was [read][source].\n\n[1]: https://a.example.org/1\n[source]: https://a.example.org/2",
    ),
    ("placeholder", "“I met [name withheld] on [date unknown],” she said."),
    (
        "placeholder-link",
        (
            "The [link][1] and [Two words][] `[a][b]`[^1].\n\n[1]: https://a.example.org/1\n"
            "[two  Words]: https://a.example.org/2\n\n[^1]: Note."
        ),
    ),
    ("space-before-mark", "“We . . . agree on the timetable,” the minister said."),
    ("double-space", "-   one\n-   two\n\n1.  first\n    * a\n    *   b"),
    ("double-space", "- See:\n\n  ```\n  a  b\n  ```"),
    ("duplicate-word", "### New tariffs\ntariffs rose. Open `ferry` open the door."),
    ("blockquote-attribution", "```\n> x = 1\n```"),
    ("duplicate-link", "[One](https://a.example.org/view?123) and [two](https://a.example.org/view?456)."),
    ("duplicate-link", "[One](https://[bad/x) and [two](https://[bad/y)."),
    ("entry-without-source", "The [report\nof the port](https://a.example.org/r)."),
    ("repeated-mark", "What??? So."),
    ("attachment-missing", "The importance that is attached by both ports to trade."),
    ("acronym", 'The Zonal Quay Authority ("ZQA") met Leo XIV. The ZQA agreed.'),
    ("quote-attribution", 'He says "yes," and she comes along with him to port.\n\nThe "Ferry" is in.'),
    # Said by another rule, and nothing to be spelt out.
    ("acronym", "TK what the port [said](https://a.example.org/r), TODO."),
    ("entry-without-source", "The port [signed](https://a.example.org/r)."),
]


def with_body(body: str) -> str:
    first = desk.ENTRIES.split("\n\n")[1]
    assert first in desk.CLEAN
    return desk.CLEAN.replace(first, body)


@pytest.mark.parametrize(("rule", "body", "words"), FAULTS)
def test_a_fault_is_found_on_its_line(tmp_path: Path, rule: str, body: str, words: str) -> None:
    text = with_body(body)
    (finding, *_) = desk.found(desk.subject(tmp_path, text), rule)
    assert (finding.rule, finding.line) == (rule, desk.line_of(text, words))
    assert finding.entry == "ports-agree-on-one-timetable"
    row = text.split("\n")[finding.line - 1]
    # What is underlined overlaps with the fault.
    at = row.index(words)
    assert at - finding.length < finding.column <= at + len(words) + 1


@pytest.mark.parametrize(("rule", "body"), FAULTLESS)
def test_what_is_right_is_left_alone(tmp_path: Path, rule: str, body: str) -> None:
    assert desk.found(desk.subject(tmp_path, with_body(body)), rule) == []


def test_a_clean_issue_has_no_finding_at_all(tmp_path: Path) -> None:
    assert checking.check(desk.subject(tmp_path)) == []


HEADLINES = [
    ("headline-length", "Ports agree on one timetable " + "for each and every night train " * 3),
    ("headline-stop", "Ports agree on one timetable."),
    ("headline-stop", "港が一つの時刻表に合意。"),
    ("headline-sentences", "Ports agree on one timetable. Railways follow"),
    ("headline-twice", "Bridge opens ahead of schedule"),
]


@pytest.mark.parametrize(("rule", "headline"), HEADLINES)
def test_a_headline_is_held_to_its_form(tmp_path: Path, rule: str, headline: str) -> None:
    text = desk.CLEAN.replace("## Ports agree on one timetable", f"## {headline}\nid: first")
    (finding,) = desk.found(desk.subject(tmp_path, text), rule)
    expected = "## Bridge" if rule == "headline-twice" else f"## {headline.strip()}"
    lines = [number for number, row in enumerate(text.split("\n"), 1) if row.strip().startswith(expected)]
    assert finding.line == lines[-1]
    assert finding.column == 4


@pytest.mark.parametrize(
    ("rule", "headline"),
    [
        ("headline-length", "米国と日本が新しい協定に署名、情報操作への対抗で連携を強化"),
        ("headline-stop", "Ports sue Harbour Rail Inc."),
        ("headline-stop", "Ports open an office in the U.S."),
        ("headline-stop", "Last ferry now leaves at 11 p.m."),
        ("headline-stop", "Ports sign in Dec."),
        ("headline-sentences", "Mr. Pell meets St. John in the harbour"),
        ("headline-sentences", "Prof. Pell joins Yahoo! Japan and Asst. Minister Sato"),
        ("headline-twice", "Ports agree on another timetable"),
    ],
)
def test_a_headline_in_form_is_left_alone(tmp_path: Path, rule: str, headline: str) -> None:
    text = desk.CLEAN.replace("## Ports agree on one timetable", f"## {headline}\nid: first")
    assert desk.found(desk.subject(tmp_path, text), rule) == []


def test_a_headline_without_detail_is_an_error(tmp_path: Path) -> None:
    text = desk.CLEAN + "\n## A promise\n"
    (finding,) = desk.found(desk.subject(tmp_path, text), "headline-without-detail")
    assert finding.severity == "error"
    assert finding.line == desk.line_of(text, "## A promise")
    assert desk.found(desk.subject(tmp_path), "headline-without-detail") == []


def test_three_entries_and_eight_are_out_of_measure_and_four_are_not(tmp_path: Path) -> None:
    three = desk.CLEAN[: desk.CLEAN.index("## Students")]
    eight = desk.CLEAN + "".join(f"\n## Piece {n}\n\nText {n}.\n" for n in "abcd")
    assert desk.found(desk.subject(tmp_path, three), "headline-count")
    assert desk.found(desk.subject(tmp_path, eight), "headline-count")
    assert desk.found(desk.subject(tmp_path), "headline-count") == []


def test_a_letter_needs_neither_many_headlines_nor_sources(tmp_path: Path) -> None:
    text = desk.HEAD.replace("volume: 2", "volume: 2\nlayout: letter") + "\nDear readers, hello.\n"
    subject = desk.subject(tmp_path, text)
    assert checking.check(subject, only=["headline-count", "entry-without-source"]) == []


def test_an_entry_without_source_is_named_at_its_headline(tmp_path: Path) -> None:
    text = with_body("Both ports signed a [paper](#).")
    (finding,) = desk.found(desk.subject(tmp_path, text), "entry-without-source")
    assert finding.line == desk.line_of(text, "## Ports")


def test_a_source_listed_under_the_headline_is_a_source(tmp_path: Path) -> None:
    text = with_body("Both ports signed a paper.").replace(
        "## Ports agree on one timetable\n",
        "## Ports agree on one timetable\nsources:\n  - https://ports.example.org/timetable\n",
    )
    assert desk.found(desk.subject(tmp_path, text), "entry-without-source") == []


def test_a_page_linked_twice_names_the_line_of_the_first(tmp_path: Path) -> None:
    text = desk.CLEAN.replace(
        "https://bridge.example.org/opening", "http://www.ports.example.org/timetable/#top"
    )
    (finding,) = desk.found(desk.subject(tmp_path, text), "duplicate-link")
    assert finding.line == desk.line_of(text, "The bridge")
    assert str(desk.line_of(text, "Both ports")) in finding.message
    assert desk.found(desk.subject(tmp_path), "duplicate-link") == []


def test_a_page_that_an_earlier_issue_linked_names_that_issue(tmp_path: Path) -> None:
    past = [desk.earlier((2, 2), "https://bridge.example.org/opening?utm_source=x"), desk.earlier((2, 1))]
    (finding,) = desk.found(desk.subject(tmp_path, past=past), "link-seen-before")
    assert finding.message == "also in Vol 2.2"
    assert finding.line == desk.line_of(desk.CLEAN, "The bridge")


def test_memory_reaches_back_twelve_issues_and_no_further(tmp_path: Path) -> None:
    quiet = [desk.earlier((1, 30 - n)) for n in range(11)]
    old = desk.earlier((1, 1), "https://bridge.example.org/opening")
    assert desk.found(desk.subject(tmp_path, past=[*quiet, old]), "link-seen-before")
    assert desk.found(desk.subject(tmp_path, past=[*quiet, quiet[0], old]), "link-seen-before") == []


def test_an_entry_dated_in_the_wrong_year_is_pointed_out(tmp_path: Path) -> None:
    for day, count in {"2025-02-02": 1, "2026-02-09": 1, "2026-02-02": 0}.items():
        text = desk.CLEAN.replace("timetable\n\nBoth", f"timetable\ndate: {day}\n\nBoth")
        assert len(desk.found(desk.subject(tmp_path, text), "entry-date")) == count, day


FRONT = [
    "intro: >-\n  The port\n  and the\n  railway met; the the\n  boats waited.",
    "intro: >\n  The port met.\n\n  The the boats waited.",
    "intro: |\n  The port met.\n\n  The the boats waited.",
    'intro: "The port\n  said \\"no\\", and the the\n  boats waited."',
    "intro: 'The port’s isn''t the the port.'",
    "intro: The port met;\n  the the boats waited.",
    'subject: "The \\"intro\\" of the the port"',
    "preheader: >-\n  A bridge opens\n  and the the archives are joined",
]


@pytest.mark.parametrize("field", FRONT)
def test_a_fault_in_the_front_matter_is_found_however_yaml_wraps_it(tmp_path: Path, field: str) -> None:
    text = re.sub(rf"{field.partition(':')[0]}:.*\n", "", desk.CLEAN).replace(
        "---\n\n", f"{field}\n---\n\n", 1
    )
    (finding,) = desk.found(desk.subject(tmp_path, text), "duplicate-word")
    row = text.split("\n")[finding.line - 1]
    assert row[finding.column - 1 :][: finding.length].lower() == "the the"


def test_a_picture_keeps_the_year_in_which_it_was_taken(tmp_path: Path) -> None:
    text = desk.CLEAN.replace("---\n\n", HERO.replace("A. Photographer", "© 2019 A. Photographer") + "\n", 1)
    assert desk.found(desk.subject(tmp_path, text), "stale-year") == []


HERO = "hero:\n  file: quay.png\n  alt: The quay at dawn\n  credit: A. Photographer\n---\n"


def test_a_credit_without_its_picture_is_a_warning_at_the_hero(tmp_path: Path) -> None:
    text = desk.CLEAN.replace("---\n\n", HERO.replace("file: quay.png", "file: ''") + "\n", 1)
    subject = desk.subject(tmp_path)
    from newsletter.domain import issues

    hero = issues.Hero(src="", alt="", credit="A. Photographer", line=7)
    subject = dataclasses.replace(
        subject, issue=dataclasses.replace(subject.issue, hero=hero), lines=text.split("\n")
    )
    (finding,) = desk.found(subject, "hero-without-picture")
    assert (finding.severity, finding.line) == ("warning", 7)
    bare = dataclasses.replace(hero, src="quay.png", credit=" ")
    subject = dataclasses.replace(subject, issue=dataclasses.replace(subject.issue, hero=bare))
    assert [f.line for f in desk.found(subject, "hero-credit")] == [7]
    assert desk.found(subject, "hero-without-picture") == []
    assert desk.found(desk.subject(tmp_path), "hero-credit") == []


GLOSSARY = glossaries.Glossary(
    terms=(
        glossaries.Term(preferred="Harbour Town", forbidden=("Harbor Town", "HT")),
        glossaries.Term(
            preferred="Sato Hana", forbidden=("Hana Sato",), note="names are written family-first"
        ),
        glossaries.Term(preferred="一般", forbidden=("普通",), languages=("ja",)),
    ),
    acronyms=frozenset({"ZQA"}),
)


def test_the_house_says_what_it_prefers_and_where(tmp_path: Path) -> None:
    text = with_body("In Harbor\nTown, Hana Sato [signed](https://a.example.org/r) for 普通.")
    first, second = desk.found(desk.subject(tmp_path, text, glossary=GLOSSARY), "glossary")
    assert "“Harbour Town”" in first.message
    assert first.line == desk.line_of(text, "In Harbor")
    assert "family-first" in second.message
    assert second.line == desk.line_of(text, "Town, Hana")


def test_a_form_is_known_with_its_marks_apart(tmp_path: Path) -> None:
    house = glossaries.Glossary(terms=(glossaries.Term(preferred="瓦斯", forbidden=("ガス", "gás")),))
    text = with_body(unicodedata.normalize("NFD", "A ガス and [a gás](https://a.example.org/r) met."))
    assert len(desk.found(desk.subject(tmp_path, text, glossary=house), "glossary")) == 2


def test_preferred_forms_and_parts_of_words_are_left_alone(tmp_path: Path) -> None:
    text = with_body("In Harbour Town, Sato Hana [met](https://a.example.org/HT) EHTA.")
    assert desk.found(desk.subject(tmp_path, text, glossary=GLOSSARY), "glossary") == []


def test_an_acronym_that_the_glossary_knows_needs_no_telling(tmp_path: Path) -> None:
    text = with_body("The ZQA [agreed](https://a.example.org/r).")
    assert desk.found(desk.subject(tmp_path, text, glossary=GLOSSARY), "acronym") == []


def japanese(body: str) -> str:
    return with_body(body).replace("volume: 2", "language: ja\nvolume: 2")


def test_japanese_text_is_held_to_its_own_marks(tmp_path: Path) -> None:
    text = japanese("日本と米国は,合意した[資料](https://a.example.org/r)。２０２６年。")
    (mark,) = desk.found(desk.subject(tmp_path, text), "narrow-mark")
    (wide,) = desk.found(desk.subject(tmp_path, text), "wide-latin")
    assert (mark.line, mark.column) == (desk.line_of(text, "日本"), 7)
    assert "２０２６" in wide.message
    good = japanese("日本と米国は、合意した[資料](https://a.example.org/r)。2026年。")
    assert checking.check(desk.subject(tmp_path, good), only=["narrow-mark", "wide-latin"]) == []


def test_rules_for_english_keep_silent_on_japanese(tmp_path: Path) -> None:
    text = japanese("The the ZQA , said [x](https://a.example.org/r).")
    subject = desk.subject(tmp_path, text)
    assert checking.check(subject, only=["duplicate-word", "acronym", "space-before-mark"]) == []


def test_rules_for_japanese_keep_silent_on_english(tmp_path: Path) -> None:
    assert (
        desk.found(
            desk.subject(tmp_path, with_body("日本,米国 [x](https://a.example.org/r).")), "narrow-mark"
        )
        == []
    )


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ('See [the **paper**](https://a.example.org/r "button") for it.', True),
        ('- [The paper](https://a.example.org/r "button")', True),
        ('The port signed.\n\n[Read **it**](https://a.example.org/r "button")', False),
        ('The [port](https://a.example.org/r "The port’s own page") signed.', False),
    ],
)
def test_a_link_that_asks_to_be_a_button_in_vain_is_pointed_out(
    tmp_path: Path, body: str, is_found: bool
) -> None:
    text = with_body(body)
    subject = desk.subject(tmp_path, text)
    rendered = issue_room.render(subject.issue, subject.publication, theme.packaged())
    html = checking.personalise(rendered.html, subject.values, is_html=True)
    found = desk.found(dataclasses.replace(subject, html=html), "button-in-text")
    assert [finding.line for finding in found] == (
        [desk.line_of(text, "a.example.org/r")] if is_found else []
    )
