"""Accessibility of pictures: what is said to those who do not see them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from newsletter.checking import reading, rulebook
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("accessibility", needs=("html",))

_ERROR, _WARNING, _ADVICE = findings.Severity.ERROR, findings.Severity.WARNING, findings.Severity.ADVICE
_FILE = re.compile(r".*\.(?:jpe?g|png|gif|webp|svg|avif|bmp|heic|tiff?)", re.IGNORECASE)
_REDUNDANT = re.compile(
    r"(?:(?:an? |the )?(?:image|picture|photo(?:graph)?|graphic|icon|logo|img|pic|screenshot)(?: ?\d+)?"
    r"|(?:image|picture|photo(?:graph)?|graphic) of .*|bild(?: von .*)?|foto(?: von .*)?|image de .*"
    r"|imagen(?: de .*)?|(?:の)?(?:画像|写真|イメージ))",
    re.IGNORECASE,
)
_VML = re.compile(r"<v:(?:rect|roundrect|shape|image|oval)\b[^>]*>", re.IGNORECASE)


def _images(page: reading.Reading) -> Iterator[etree._Element]:
    return (image for image in page.html.all("img") if page.html.is_visible(image))


def _with_alt(page: reading.Reading) -> Iterator[tuple[etree._Element, str]]:
    return ((image, image.get("alt", "")) for image in _images(page) if image.get("alt"))


@rule("img-alt", _ERROR, source="Email Markup Consortium: 51 % of mails fail; WCAG 1.1.1")
def img_alt(page: reading.Reading) -> Hits:
    """Without alt a screen reader spells the file's name; a picture that says nothing has an empty one."""
    for image in _images(page):
        if "alt" not in image.attrib and image.get("role") not in {"presentation", "none"}:
            yield page.hit(image, "a picture without alt", fix="say between the brackets what it shows")


@rule("linked-img-alt", _ERROR, source="WCAG 2.4.4; react-email #3551")
def linked_img_alt(page: reading.Reading) -> Hits:
    """A linked picture is a link: its alt says where it leads, or people hear the address letter by
    letter."""
    for link in page.html.all("a"):
        has_picture = next(link.iter("img"), None) is not None
        if has_picture and page.html.is_visible(link) and not page.html.name(link):
            yield page.hit(
                link, "a linked picture without words", fix="say in its alt text where the link leads"
            )


@rule("alt-filename", _ERROR, source="WCAG 1.1.1; W3C F30")
def alt_filename(page: reading.Reading) -> Hits:
    """“DSC_0042.jpg” tells nobody what is to be seen."""
    for image, alt in _with_alt(page):
        name = image.get("src", "").partition("?")[0].rpartition("/")[2]
        stem = name.rpartition(".")[0]
        if _FILE.fullmatch(alt.strip()) or alt.strip() in {name, stem}:
            yield page.hit(
                image, f"the alt text “{alt.strip()}” is a file's name", fix="say what the picture shows"
            )


@rule("alt-redundant", _WARNING, source="WebAIM, Alternative Text; Buttondown's preflight")
def alt_redundant(page: reading.Reading) -> Hits:
    """Screen readers say “image” by themselves; “image of” says it twice, and “image” alone says nothing."""
    for image, alt in _with_alt(page):
        if _REDUNDANT.fullmatch(alt.strip()):
            yield page.hit(
                image, f"the alt text “{alt.strip()}” says that it is a picture", fix="say what it shows"
            )


@rule("alt-long", _ADVICE, source="practice: screen readers cannot pause within an alt text")
def alt_long(page: reading.Reading) -> Hits:
    """An alt text is heard in one breath, without a way to go back: past 150 characters it belongs in the
    text."""
    for image, alt in _with_alt(page):
        if len(alt) > 150:
            yield page.hit(
                image, f"the alt text has {len(alt)} characters", fix="move the details into the text"
            )


@rule("alt-space", _ADVICE, source="WCAG 1.1.1")
def alt_space(page: reading.Reading) -> Hits:
    """An alt text of blanks is neither a text nor none; programs differ in what they make of it."""
    for image, alt in _with_alt(page):
        if not alt.strip():
            yield page.hit(image, "the alt text is blank", fix="write a text, or leave it quite empty")


@rule("title-dup", _ADVICE, source="WCAG H33; WebAIM")
def title_dup(page: reading.Reading) -> Hits:
    """A title equal to the alt text is read out twice."""
    for image, alt in _with_alt(page):
        if image.get("title", "").strip() == alt.strip():
            yield page.hit(image, "title and alt text are the same", fix="take the title out")


@rule("img-width", _WARNING, source="Outlook for Windows takes the width attribute for the width")
def img_width(page: reading.Reading) -> Hits:
    """Outlook shows a picture without a whole-number width at its own size, which breaks the column."""
    for image in _images(page):
        if not image.get("width", "").isdigit():
            yield page.hit(image, "a picture has no width in whole pixels", fix="mend the template")


@rule("vml-alt", _ERROR, source="Parcel accessibility checker; WCAG 1.1.1")
def vml_alt(page: reading.Reading) -> Hits:
    """What Outlook draws by VML is silent without an alt of its own."""
    for match in _VML.finditer(page.html.conditional):
        if not re.search(r"\salt\s*=", match[0], re.IGNORECASE):
            yield rulebook.Hit(message=f"{match[0][:40]}… has no alt", fix="mend the template")


@rule("gif", _ADVICE, source="WCAG 2.2.2: motion stops within five seconds")
def gif(page: reading.Reading) -> Hits:
    """A picture that moves without end makes text beside it unreadable for many; loops must stop within
    five seconds."""
    for image in _images(page):
        src = image.get("src", "").partition("?")[0]
        if not src.lower().endswith(".gif"):
            continue
        facts = page.subject.images(page.written_as(src)) if page.written_as(src) else None
        if facts is None or facts.animated:
            yield page.hit(
                image, "a GIF may move without end", fix="let it stop within five seconds, or use a still"
            )
