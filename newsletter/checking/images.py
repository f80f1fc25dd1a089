"""Limits: pictures that are too heavy, too large, of the wrong kind or not there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

from newsletter.checking import reading, rulebook, subjects
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("limits")

_HEAVY, _TOO_HEAVY, _TOTAL = 200_000, 1_000_000, 800_000
_MOST_PIXELS = 24_000_000
_EOA = "Email on Acid: 200 KB a picture; react-email linter: 1 MB"
_BY_SUFFIX = {
    f".{form}": form for form in ("webp", "avif", "svg", "bmp", "tiff", "heic", "jxl", "ico", "pdf")
}
_BY_SUFFIX |= {".tif": "tiff", ".heif": "heic"}
_NEVER_SHOWN = {
    "webp": "Outlook for Windows does not show WebP",
    "avif": "a third of mail programs do not show AVIF",
    "svg": "Gmail does not show SVG",
    "bmp": "few programs show BMP",
    "tiff": "only Apple Mail shows TIFF",
    "heic": "only Apple Mail shows HEIC",
    "jxl": "hardly a program shows JPEG XL",
    "ico": "few programs show ICO",
    "pdf": "only Apple Mail shows PDF as a picture",
}


def _pictures(page: reading.Reading) -> Iterable[tuple[str, rulebook.Place]]:
    """Yield the address of each picture as the issue writes it, with its place."""
    hero = page.issue.hero
    if hero is not None and hero.src:
        place = page.places.href(hero.src)
        yield hero.src, place if place.line else rulebook.Place(line=hero.line)
    for link in page.links:
        if link.is_image and not link.is_placeholder:
            yield link.url, link.place


def _known(page: reading.Reading) -> Iterable[tuple[str, rulebook.Place, subjects.ImageFacts]]:
    for src, place in _pictures(page):
        facts = page.subject.images(src)
        if facts is not None:
            yield src, place, facts


@rule("image-file", findings.Severity.ERROR, source="docs/writing.md: hero")
def image_file(page: reading.Reading) -> Hits:
    """A picture that is missing or cannot be read shows as an empty frame in every inbox."""
    for src, place, facts in _known(page):
        if facts.problem:
            yield rulebook.Hit(message=f"{src}: {facts.problem}", place=place)


@rule("image-weight", findings.Severity.WARNING, source=_EOA)
def image_weight(page: reading.Reading) -> Hits:
    """Heavy pictures are waited for on a train, and some programs stop loading at a megabyte."""
    total = 0
    for src, place, facts in _known(page):
        total += facts.size
        if facts.size > _HEAVY:
            over = facts.size > _TOO_HEAVY
            kind = "animation" if facts.animated else "picture"
            yield rulebook.Hit(
                message=f"the {kind} {src} takes {facts.size:,} bytes; {_HEAVY:,} are enough",
                place=place,
                fix="save it smaller: 1,200 pixels wide, JPEG at quality 80",
                severity=findings.Severity.ERROR if over else None,
            )
    if total > _TOTAL:
        yield rulebook.Hit(message=f"the pictures take {total:,} bytes together; {_TOTAL:,} are enough")


@rule(
    "image-pixels", findings.Severity.ERROR, source="measured: 24 megapixels take 100 MB of a phone's memory"
)
def image_pixels(page: reading.Reading) -> Hits:
    """A picture straight from the camera needs a hundred megabytes of memory to be shown: phones give up."""
    for src, place, facts in _known(page):
        if facts.width * facts.height > _MOST_PIXELS:
            yield rulebook.Hit(
                message=f"{src} has {facts.width:,} × {facts.height:,} pixels",
                place=place,
                fix="save it 1,200 pixels wide",
            )


@rule(
    "image-format",
    findings.Severity.ERROR,
    source="caniemail image-webp, image-avif, image-svg, image-base64",
)
def image_format(page: reading.Reading) -> Hits:
    """JPEG, PNG and GIF are shown everywhere; every other kind is an empty frame somewhere large."""
    for src, place in _pictures(page):
        facts = page.subject.images(src)
        form = facts.format if facts else _by_suffix(src)
        if form in _NEVER_SHOWN:
            yield rulebook.Hit(
                message=f"{src[:60]}: {_NEVER_SHOWN[form]}", place=place, fix="save it as JPEG or PNG"
            )
    for element in page.html.all("img"):
        src = element.get("src", "")
        if src.startswith("data:"):
            yield rulebook.Hit(
                message="a picture is written into the HTML itself; Gmail shows none of those",
                place=page.places.href(src[:60]),
                fix="give the picture's file or address",
            )


def _by_suffix(src: str) -> str:
    path = re.split(r"[?#]", src, maxsplit=1)[0].lower()
    return _BY_SUFFIX.get(path[path.rfind(".") :], "") if "." in path else ""


@rule(
    "image-scale", findings.Severity.WARNING, source="practice: twice the width at which a picture is shown"
)
def image_scale(page: reading.Reading) -> Hits:
    """A picture smaller than it is shown looks blurred; one over three times as large is weight that nobody
    sees."""
    shown = [(element, _shown_width(element)) for element in page.html.all("img")]
    for src, place, facts in _known(page):
        width = next((width for element, width in shown if _same(element, src) and width), 0)
        if not width or not facts.width:
            continue
        scale = facts.width / width
        if not 1 <= scale <= 3:
            yield rulebook.Hit(
                message=f"{src} is {facts.width} pixels wide and shown at {width}",
                place=place,
                fix=f"save it {2 * width} pixels wide",
            )


@rule("image-upscale", findings.Severity.WARNING, source="github.com/hteumeuleu/email-bugs #163")
def image_upscale(page: reading.Reading) -> Hits:
    """Outlook garbles a picture stretched more than 65 times, as one-pixel spacers are."""
    for src, place, facts in _known(page):
        for element in page.html.all("img"):
            if _same(element, src) and facts.width and _shown_width(element) > 65 * facts.width:
                yield rulebook.Hit(
                    message=f"{src} is {facts.width} pixels wide and stretched to {_shown_width(element)}",
                    place=place,
                )


@rule("image-ratio", findings.Severity.WARNING, source="SpamAssassin HTML_IMAGE_ONLY_*, HTML_IMAGE_RATIO_*")
def image_ratio(page: reading.Reading) -> Hits:
    """A mail of pictures with hardly a word says nothing where pictures are off, and looks like spam to
    filters."""
    pictures = list(_pictures(page))
    words = len(re.findall(r"\w+", " ".join(passage.plain for passage in page.content)))
    characters = sum(len(passage.plain) for passage in page.content)
    if pictures and words < 80 and not (page.language == "ja" and characters >= 160):
        yield rulebook.Hit(
            message=f"pictures: {len(pictures)}, words: {words}", fix="say in words what they show"
        )


def _shown_width(element: etree._Element) -> int:
    match = re.fullmatch(r"(\d+)(?:px)?", element.get("width", ""))
    return int(match[1]) if match else 0


def _same(element: etree._Element, src: str) -> bool:
    """Say whether an ``<img>`` shows a file of the issue, wherever that was published."""
    name = src.rpartition("/")[2].partition("?")[0]
    return bool(name) and element.get("src", "").partition("?")[0].endswith(name)
