"""What mail programs support is told for the readers one has, and not for what nobody misses."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.checking import clients, document, features
from newsletter.domain import errors
from tests.checking import baseline, desk


def page(body: str = "", style: str = "") -> str:
    return f'<html lang="en"><head><style>{style}</style></head><body>{body}</body></html>'


#: What stands in the style sheet, and the feature it is.
SHEETS = [
    (".a{display:flex}", "css-display-flex"),
    (".a{display:inline-grid}", "css-display-grid"),
    (".a{border-top-left-radius:3px}", "css-border-radius"),
    (".a{color:var(--b)}", "css-variables"),
    (".a{width:calc(100% - 1px)}", "css-unit-calc"),
    (".a{font-size:2rem}", "css-unit-rem"),
    (".a{background:linear-gradient(red,blue)}", "css-linear-gradient"),
    (".a{background-image:url('a.png')}", "css-background-image"),
    (".a{color:red !important}", "css-important"),
    ("@import 'a.css';", "css-at-import"),
    ("@font-face{font-family:x}", "css-at-font-face"),
    ("@media (prefers-color-scheme:dark){.a{float:left}}", "css-at-media-prefers-color-scheme"),
    ("@media (prefers-color-scheme:dark){.a{float:left}}", "css-float"),
    ("a:hover{top:0px}", "css-pseudo-class-hover"),
    (".a::before{content:'x'}", "css-pseudo-element-before"),
    (".a>.b{gap:1px}", "css-selector-child"),
    (".a.b{left:0px}", "css-selector-chaining"),
    (".a .b{inset:0px}", "css-selector-descendant"),
    ("[dir]{margin-left:1px}", "css-margin"),
    (".a{column-gap:1px}", "css-gap"),
    (".a{grid-template-columns:1fr}", "css-grid-template"),
    (".a{/* c */}", "css-comments"),
]
BODIES = [
    ("<video></video>", "html-video"),
    ("<input type='checkbox'>", "html-input-checkbox"),
    ("<h3>x</h3>", "html-h1-h6"),
    ("<ol></ol>", "html-lists"),
    ("<section></section>", "html-semantics"),
    ("<a href='#part'>x</a>", "html-anchor-links"),
    ("<a href='mailto:a@example.org'>x</a>", "html-mailto-links"),
    ("<a target='_blank' href='https://a.example.org/'>x</a>", "html-target"),
    ("<img src='a.webp?x=1'>", "image-webp"),
    ("<img src='data:image/png;base64,AA'>", "image-base64"),
    ("<p style='position:absolute'>x</p>", "css-position"),
    ("<p style='margin:0 auto;padding:1em'>x</p>", "css-unit-em"),
]


@pytest.mark.parametrize(("style", "slug"), SHEETS)
def test_a_feature_of_a_style_sheet_is_recognised(style: str, slug: str) -> None:
    assert slug in features.used(document.Page(page(style=style)))


@pytest.mark.parametrize(("body", "slug"), BODIES)
def test_a_feature_of_the_body_is_recognised(body: str, slug: str) -> None:
    assert slug in features.used(document.Page(page(body)))


@pytest.mark.parametrize(
    ("style", "slug"),
    [
        (".a{text-transform:uppercase}", "css-transform"),
        (".a{display:block}", "css-display-flex"),
        (".a{max-width:1px}", "css-function-max"),
        (".a{color:#12ab34}", "css-unit-ch"),
        (".a{font-family:'3rem'}", "css-unit-rem"),
        (".a{border-color:red}", "css-border-radius"),
        (".a,.b{color:red}", "css-selector-descendant"),
        ("[style*='a > b']{color:red}", "css-selector-child"),
    ],
)
def test_what_only_resembles_a_feature_is_none(style: str, slug: str) -> None:
    assert slug not in features.used(document.Page(page(style=style)))


def test_every_feature_that_can_be_recognised_is_one_of_the_data() -> None:
    known = clients.data()["features"].keys()
    assert known >= features.BREAKING | features.HARMLESS
    seen = {slug for style, _ in SHEETS for slug in features.used(document.Page(page(style=style)))}
    assert seen <= known


def test_the_data_names_its_date_and_covers_every_client() -> None:
    data = clients.data()
    assert data["date"] >= "2026-05-13"
    assert len(data["features"]) > 300
    assert {len(letters) for _, letters in data["features"].values()} == {len(data["clients"])}
    assert (Path(clients.__file__).parent / "data" / "LICENSE-caniemail").read_text().count(
        "MIT License"
    ) == 1


def test_outlook_for_windows_alone_is_told_to_lack_flex(tmp_path: Path) -> None:
    subject = desk.subject(
        tmp_path, html=page("<p style='display:flex'>Both ports</p>"), shares={"outlook.windows": 1}
    )
    (finding,) = desk.found(subject, "client-breaking")
    assert finding.message == "display:flex is not supported by 100% of your readers: Outlook Windows"
    assert finding.severity == "warning"
    assert finding.line == desk.line_of(desk.CLEAN, "Both ports")


def test_readers_whose_programs_all_support_it_hear_nothing(tmp_path: Path) -> None:
    html = page("<p style='display:flex'>x</p>")
    assert desk.found(desk.subject(tmp_path, html=html, shares={"apple-mail": 1}), "client-breaking") == []


def test_shares_are_weighed(tmp_path: Path) -> None:
    html = page("<p style='display:flex'>x</p>")
    shares = {"apple-mail": 0.75, "outlook.windows": 0.25}
    (finding,) = desk.found(desk.subject(tmp_path, html=html, shares=shares), "client-breaking")
    assert "25% of your readers" in finding.message


def test_without_shares_every_program_counts_the_same(tmp_path: Path) -> None:
    html = page("<p style='display:flex'>x</p>")
    (finding,) = desk.found(desk.subject(tmp_path, html=html), "client-breaking")
    assert "of mail programs, partly by" in finding.message
    assert finding.message.endswith("and 1 more")


def test_what_is_only_missed_is_advice_and_what_nobody_misses_is_nothing(tmp_path: Path) -> None:
    html = page("<p style='text-shadow:1px 1px red;cursor:pointer'>x</p>")
    subject = desk.subject(tmp_path, html=html)
    assert [f.severity for f in desk.found(subject, "client-cosmetic")] == ["advice"]
    assert desk.found(subject, "client-breaking") == []


def test_a_little_cosmetic_gap_is_left_unsaid(tmp_path: Path) -> None:
    html = page("<p style='text-shadow:1px 1px red'>x</p>")
    shares = {"apple-mail": 0.95, "outlook.windows": 0.05}
    assert desk.found(desk.subject(tmp_path, html=html, shares=shares), "client-cosmetic") == []


def test_a_share_of_an_unknown_program_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(errors.SettingsError, match="gmial") as caught:
        clients.weights({"gmial": 0.5})
    assert "gmail" in caught.value.hint


def test_a_family_is_spread_over_its_programs() -> None:
    weighed = clients.weights({"gmail": 0.4, "gmail.ios": 0.1})
    assert sum(weighed.values()) == pytest.approx(0.5)
    assert weighed["gmail.ios"] == pytest.approx(0.2)


def test_the_baseline_is_exactly_what_the_theme_uses(tmp_path: Path) -> None:
    # After a change of the theme: python -m tests.checking.baseline
    assert baseline.used(tmp_path) == clients.baseline()


def test_the_theme_itself_relies_on_nothing_that_breaks_unless_it_has_a_fall_back(tmp_path: Path) -> None:
    assert clients.baseline() & features.BREAKING == set()
