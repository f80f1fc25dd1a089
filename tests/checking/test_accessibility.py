"""Each of the 53 accessibility rules speaks where it should, and keeps silent on a page without fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter import checking
from newsletter.domain import findings
from tests.checking import desk

RULES = [rule.id for rule in checking.rules() if rule.family == "accessibility"]

FIRST = (
    "Both ports <a href='https://ports.example.org/timetable'"
    " style='color:#0b57d0;text-decoration:underline'>signed</a> a paper that puts every night train on one"
    " timetable."
)
STYLE = (
    ".tx{color:#202020;font-size:16px;line-height:1.6}"
    "@media (prefers-color-scheme:dark){.ground{background-color:#121212 !important}"
    ".tx{color:#eeeeee !important}.tx a{color:#8ab4f8 !important}}"
)
PAGE = f"""<!doctype html><html lang="en" dir="ltr"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Ports agree on one timetable</title><style>{STYLE}</style></head>
<body class="ground" style="background-color:#ffffff"><div style="display:none">Also this fortnight</div>
<div lang="en" dir="ltr"><table role="presentation" width="600"><tr><td class="tx">
<img src="https://digest.example.org/logo.png" alt="Harbour Digest" width="120">
<h1>Harbour Digest</h1><h2>Ports agree on one timetable</h2>
<p>{FIRST}</p>
<ul><li>One point.</li><li>Another point.</li></ul>
<p>The end of it. And one more sentence.</p>
</td></tr></table></div></body></html>"""

LONG = "A sentence that goes on and on without saying much of anything to anybody at all. " * 2

#: rule, what is replaced, by what.
FAULTS = [
    ("lang-html", '<html lang="en"', "<html"),
    ("lang-valid", '<html lang="en"', '<html lang="und"'),
    ("lang-valid", '<div lang="en"', '<div lang="english!"'),
    ("dir-html", '<html lang="en" dir="ltr"', '<html lang="en"'),
    ("lang-body", '<div lang="en"', "<div"),
    ("dir-body", '<div lang="en" dir="ltr"', '<div lang="en"'),
    ("lang-mismatch", '<div lang="en"', '<div lang="de"'),
    ("title", "<title>Ports agree on one timetable</title>", "<title> </title>"),
    ("title-subject", "<title>Ports agree on one timetable</title>", "<title>Untitled</title>"),
    ("zoom", "initial-scale=1", "initial-scale=1, user-scalable=no"),
    ("zoom", "initial-scale=1", "initial-scale=1, maximum-scale=1.0"),
    ("charset", '<meta charset="utf-8">', ""),
    ("h1-missing", "<h1>Harbour Digest</h1>", ""),
    ("h1-many", "<p>The end", "<h1>The end</h1><p>The end"),
    ("heading-skip", "<p>The end", "<h4>The end</h4><p>The end"),
    ("heading-empty", "<p>The end", "<h3> </h3><p>The end"),
    ("table-role", '<table role="presentation"', "<table"),
    ("layout-table-semantics", '<td class="tx">', '<th scope="col">x</th><td class="tx">'),
    ("th-scope", "<p>The end", "<table><tr><th>Port</th></tr><tr><td>1</td></tr></table><p>The end"),
    ("fake-heading", "<p>The end", "<p><strong>What comes next</strong></p><p>The end"),
    ("fake-list", "<p>The end", "<p>- one<br>- two</p><p>The end"),
    ("fake-list", "<p>The end", "<p>1) one<br>2) two</p><p>The end"),
    ("fake-list", "<p>The end", "<p>● one</p><p>● two</p><p>The end"),
    ("br-br", "The end of it.", "The end<br> <br>of it."),
    ("list-children", "<ul>", "<ul>Points:"),
    ("list-children", "<ul>", "<ul><p>Points</p>"),
    ("li-parent", "<p>The end", "<div><li>alone</li></div><p>The end"),
    ("dup-id", "<h1>", '<h1 id="a"><span id="a"></span>'),
    ("obsolete-element", "The end", "<font>The end</font>"),
    ("img-alt", ' alt="Harbour Digest"', ""),
    ("linked-img-alt", "<h1>", '<a href="https://a.example.org/"><img src="a.png" alt="" width="9"></a><h1>'),
    ("alt-filename", 'alt="Harbour Digest"', 'alt="logo.png"'),
    ("alt-filename", 'alt="Harbour Digest"', 'alt="logo"'),
    ("alt-redundant", 'alt="Harbour Digest"', 'alt="Photo of the quay"'),
    ("alt-redundant", 'alt="Harbour Digest"', 'alt="image1"'),
    ("alt-long", 'alt="Harbour Digest"', f'alt="{LONG}"'),
    ("alt-space", 'alt="Harbour Digest"', 'alt="  "'),
    ("title-dup", 'alt="Harbour Digest"', 'alt="Harbour Digest" title="Harbour Digest"'),
    ("img-width", 'width="120">', 'width="50%">'),
    ("vml-alt", "<h1>", "<!--[if mso]><v:roundrect fill='t'></v:roundrect><![endif]--><h1>"),
    ("link-name", ">signed<", "> <"),
    ("link-href", "https://ports.example.org/timetable", "#"),
    ("link-href", "https://ports.example.org/timetable", "javascript:alert(1)"),
    ("link-generic", ">signed<", ">Click here!<"),
    ("link-url-text", ">signed<", ">https://ports.example.org<"),
    ("link-ambiguous", "The end", "<a href='https://b.example.org/x'>Signed</a> The end"),
    ("link-colour-only", "text-decoration:underline", "text-decoration:none"),
    ("contrast", "color:#202020", "color:#999999"),
    ("contrast", "color:#eeeeee !important", "color:#222222 !important"),
    ("font-small", "font-size:16px", "font-size:11px"),
    ("line-height", "The end of it.", LONG + "</p><p style='line-height:1.2'>" + LONG),
    ("justify", "<p>The end", "<p style='text-align:justify'>The end"),
    ("all-caps", "The end of it.", "THE END OF IT ALL IS VERY NEAR NOW."),
    ("all-caps", "<p>The end", "<p style='text-transform:uppercase'>The end of it, says everyone"),
    ("motion", STYLE[:4], ".a{transition:color 1s}" + STYLE[:4]),
    ("gif", "logo.png", "logo.gif"),
    ("focus-outline", STYLE[:4], "a:focus{outline:none}" + STYLE[:4]),
    ("tabindex", "<a href", "<a tabindex='1' href"),
    ("aria-hidden-focus", "<ul>", "<ul aria-hidden='true'><li><a href='https://c.example.org/'>c</a></li>"),
    ("role-on-link", "<a href", "<a role='presentation' href"),
    ("unsupported-element", "<p>The end", "<form><input></form><p>The end"),
    ("preheader", '<div style="display:none">Also this fortnight</div>', ""),
]

#: rule, what is replaced, by what: changes that stay within the rule.
FAULTLESS = [
    ("zoom", "initial-scale=1", "initial-scale=1, maximum-scale=10"),
    ("lang-valid", '<div lang="en"', '<div lang="pt-BR"'),
    ("heading-skip", "<p>The end", "<h3>More</h3><h2>Back</h2><p>The end"),
    ("th-scope", "<p>The end", "<table><tr><th scope='col'>Port</th></tr></table><p>The end"),
    ("table-role", "<p>The end", "<table><tr><th scope='col'>Port</th></tr></table><p>The end"),
    ("layout-table-semantics", "<p>The end", "<table><tr><th scope='col'>Port</th></tr></table><p>The end"),
    ("fake-heading", "<p>The end", "<p><strong>Note:</strong> what comes next</p><p>The end"),
    ("fake-list", "<p>The end", "<p>1. May was warm<br>and dry</p><p>The end"),
    ("br-br", "The end of it.", "The end<br>of<br>it."),
    (
        "linked-img-alt",
        "<h1>",
        '<a href="https://a.example.org/"><img src="a.png" alt="Home" width="9"></a><h1>',
    ),
    ("img-alt", "<h1>", '<img src="a.png" alt="" width="9"><h1>'),
    ("alt-redundant", 'alt="Harbour Digest"', 'alt="Photographers wait on the quay"'),
    ("vml-alt", "<h1>", "<!--[if mso]><v:roundrect alt='Read'></v:roundrect><![endif]--><h1>"),
    ("link-generic", ">signed<", ">here to stay<"),
    ("link-ambiguous", "The end", "<a href='https://ports.example.org/timetable?x=1'>Signed</a> The end"),
    ("link-colour-only", "text-decoration:underline", "text-decoration:none;background-color:#eeeeee"),
    ("contrast", "color:#202020;font-size:16px", "color:#7f7f7f;font-size:24px"),
    ("contrast", "<p>The end", "<p style='background:url(a.png);color:#ffffff'>The end"),
    ("contrast", "<p>The end", "<p style='display:none;color:#ffffff'>x</p><p>The end"),
    ("font-small", "font-size:16px", "font-size:9pt"),
    ("all-caps", "The end of it.", "NATO, ASEAN and the OECD met."),
    (
        "motion",
        STYLE[:4],
        "@media (prefers-reduced-motion:reduce){.a{transition:none}}.a{transition:color 1s}" + STYLE[:4],
    ),
    ("focus-outline", STYLE[:4], "a:focus{outline:2px solid #000000}" + STYLE[:4]),
    ("tabindex", "<a href", "<a tabindex='0' href"),
    ("dup-id", "<h1>", '<h1 id="a"><span id="b"></span>'),
]


def check(folder: Path, html: str, rule: str) -> list[findings.Finding]:
    text = "Both ports signed a paper that puts every night train on one timetable. One point. Another."
    return desk.found(desk.subject(folder, html=html, text=text), rule)


def changed(old: str, new: str) -> str:
    assert old in PAGE, old
    return PAGE.replace(old, new, 1)


def test_there_are_53_rules_and_each_is_tried_below() -> None:
    assert len(RULES) == 53
    assert set(RULES) - {rule for rule, _, _ in FAULTS} == {"text-part"}


@pytest.mark.parametrize("rule", RULES)
def test_a_page_without_fault_passes(tmp_path: Path, rule: str) -> None:
    assert check(tmp_path, PAGE, rule) == []


@pytest.mark.parametrize(("rule", "old", "new"), FAULTS)
def test_a_fault_is_found(tmp_path: Path, rule: str, old: str, new: str) -> None:
    assert check(tmp_path, changed(old, new), rule)


@pytest.mark.parametrize(("rule", "old", "new"), FAULTLESS)
def test_what_only_looks_like_a_fault_is_left_alone(tmp_path: Path, rule: str, old: str, new: str) -> None:
    assert check(tmp_path, changed(old, new), rule) == []


def test_a_text_part_that_leaves_out_most_of_the_letter_is_an_error(tmp_path: Path) -> None:
    page = changed("The end of it.", LONG * 4)
    (finding,) = desk.found(desk.subject(tmp_path, html=page, text="See the web."), "text-part")
    assert finding.severity == "error"


def test_contrast_is_judged_in_each_palette_by_itself(tmp_path: Path) -> None:
    by_day = check(tmp_path, changed("color:#202020", "color:#999999"), "contrast")
    assert {"by day" in finding.message for finding in by_day} == {True}
    by_night = check(tmp_path, changed("color:#eeeeee !important", "color:#222222 !important"), "contrast")
    assert {"by night" in finding.message for finding in by_night} == {True}


def test_the_ratio_is_that_of_the_standard(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, changed("color:#202020", "color:#777777"), "contrast")
    assert "4.48 to 1" in finding.message


def test_a_fault_in_an_editors_words_is_found_on_their_line(tmp_path: Path) -> None:
    (finding,) = check(tmp_path, changed(">signed<", ">Click here!<"), "link-generic")
    assert finding.line == desk.line_of(desk.CLEAN, "Both ports")
    assert finding.column == 1 + len("Both ports [signed](")
    assert finding.entry == "ports-agree-on-one-timetable"


def test_words_are_found_through_markup_and_typographers_quotes(tmp_path: Path) -> None:
    text = desk.CLEAN.replace("Both ports", 'Both **"ports"** -- all')
    page = PAGE.replace(FIRST, "<span style='font-size:10px'>Both <b>“ports”</b> – all signed</span>")
    (finding,) = desk.found(desk.subject(tmp_path, text, html=page, text="x" * 99), "font-small")
    assert finding.line == desk.line_of(text, "Both **")


def test_a_placeholder_of_the_editors_is_a_warning_and_one_of_the_template_an_error(tmp_path: Path) -> None:
    page = changed("https://ports.example.org/timetable", "#")
    assert [f.severity for f in check(tmp_path, page, "link-href")] == ["error"]
    text = desk.CLEAN.replace("https://ports.example.org/timetable", "#")
    found = desk.found(desk.subject(tmp_path, text, html=page, text="x" * 99), "link-href")
    assert [f.severity for f in found] == ["warning"]


def test_an_issue_that_was_not_rendered_has_no_page_to_judge(tmp_path: Path) -> None:
    assert checking.check(desk.subject(tmp_path), only=["accessibility"]) == []


@pytest.mark.parametrize(
    ("language", "name"), [("ja", "こちら"), ("ja", "詳細"), ("de", "hier"), ("fr", "cliquez ici")]
)
def test_empty_link_words_are_known_in_several_languages(tmp_path: Path, language: str, name: str) -> None:
    text = desk.CLEAN.replace("volume: 2", f"volume: 2\nlanguage: {language}")
    html = changed(">signed<", f">{name}<")
    assert desk.found(desk.subject(tmp_path, text, html=html, text="x" * 99), "link-generic")
