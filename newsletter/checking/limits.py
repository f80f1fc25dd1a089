"""Limits: where mail programs cut, drop or garble what is too long or too odd."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from newsletter.checking import prose, reading, rulebook, widths
from newsletter.domain import findings, issues

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("limits")

#: Bytes of HTML at which Gmail is known to clip: “102 KB”, measured between 99 and 105 KB.
CLIPPED = 102_000
_ADVISED, _WARNED = 75_000, 90_000
_UNSUBSCRIBE_BEFORE = 95_000
_CLIPPING = "github.com/hteumeuleu/email-bugs #41; spamresource 2022"
_URL_WARNED, _URL_MOST = 1_000, 2_000
_MOST_HITS = 20
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
#: Bytes that quoted-printable leaves as they are (RFC 2045 § 6.7).
_LITERAL = bytes(byte for byte in range(0x20, 0x7F) if byte != 0x3D) + b"\n"


@rule("html-size", findings.Severity.ADVICE, source=_CLIPPING)
def html_size(page: reading.Reading) -> Hits:
    """Gmail cuts a mail whose HTML is over 102 KB, and everything below the cut is gone: the last entries,
    the way to leave. What counts is the personalised source with comments, styles and tracked links; pictures
    do not."""
    size = len(page.delivered.encode())
    if size >= _ADVISED:
        yield rulebook.Hit(
            message=f"the HTML takes {size:,} bytes; Gmail clips at about {CLIPPED:,}",
            fix=_spenders(page),
            severity=_gravity(size),
        )


def _gravity(size: int) -> findings.Severity:
    if size >= CLIPPED:
        return findings.Severity.ERROR
    return findings.Severity.WARNING if size >= _WARNED else findings.Severity.ADVICE


def _spenders(page: reading.Reading) -> str:
    spent = page.subject.rendered.bytes_by_entry if page.subject.rendered else {}
    most = sorted(spent.items(), key=lambda item: -item[1])
    told = ", ".join(f"{name} {size:,}" for name, size in most)
    return f"bytes per entry: {told}" if told else "shorten the entries"


@rule("encoded-size", findings.Severity.WARNING, source=f"{_CLIPPING}: some measure the encoded part")
def encoded_size(page: reading.Reading) -> Hits:
    """Some count the encoded part instead: quoted-printable triples every byte outside ASCII, which tells
    in Japanese."""
    size = quoted_printable_size(page.delivered)
    if size >= CLIPPED > len(page.delivered.encode()):
        yield rulebook.Hit(
            message=f"the HTML takes {size:,} bytes once encoded; some programs clip at {CLIPPED:,} of those",
            fix=_spenders(page),
        )


def quoted_printable_size(text: str) -> int:
    """Return how many bytes a text takes once encoded, near enough."""
    raw = text.encode()
    encoded = len(raw) + 2 * len(raw.translate(None, _LITERAL))
    # A soft line break, =CRLF, every 75 characters.
    return encoded + 3 * (encoded // 75)


@rule("unsubscribe-clipped", findings.Severity.ERROR, source=_CLIPPING)
def unsubscribe_clipped(page: reading.Reading) -> Hits:
    """The way to leave must lie well before the point at which Gmail cuts, or readers look for the spam
    button."""
    source, leave = page.delivered, page.subject.leave_url
    at = source.rfind(leave) if leave else -1
    if at >= 0 and (size := len(source[:at].encode())) >= _UNSUBSCRIBE_BEFORE:
        yield rulebook.Hit(
            message=f"the link to leave by starts at byte {size:,}, after {_UNSUBSCRIBE_BEFORE:,}",
            fix=_spenders(page),
        )


@rule("control-chars", findings.Severity.ERROR, source="github.com/hteumeuleu/email-bugs #41, #113")
def control_chars(page: reading.Reading) -> Hits:
    """C0 and C1 control characters come from Windows-1252 pasted as Latin-1; a single one makes Gmail clip
    a tiny mail."""
    found = 0
    for number, line in enumerate(page.subject.lines, start=1):
        for match in _CONTROL.finditer(line):
            place = page.places.at(number, match.start() + 1, 1)
            meant = _windows_1252(match[0])
            fix = f"write {meant}" if meant else "take it out"
            yield rulebook.Hit(message=f"control character U+{ord(match[0]):04X}", place=place, fix=fix)
            if (found := found + 1) >= _MOST_HITS:
                return
    if not found and _CONTROL.search(page.subject.html):
        yield rulebook.Hit(message="the template puts a control character into the HTML")


def _windows_1252(char: str) -> str:
    try:
        return bytes([ord(char)]).decode("cp1252") if 0x80 <= ord(char) <= 0x9F else ""
    except UnicodeDecodeError:
        return ""


@rule("line-998", findings.Severity.ERROR, source="RFC 5321 § 4.5.3.1.6; RFC 5322 § 2.1.1")
def line_998(page: reading.Reading) -> Hits:
    """A line of more than 998 bytes may be cut or refused by any server on the way; the encoding keeps
    lines short."""
    for number, line in enumerate(page.subject.raw.split(b"\r\n"), start=1):
        if len(line) > 998:
            yield rulebook.Hit(
                message=f"line {number} of the message takes {len(line):,} bytes; 998 are allowed"
            )
            return


@rule("text-width", findings.Severity.WARNING, source="RFC 5322 § 2.1.1: 78 characters excluding CRLF")
def text_width(page: reading.Reading) -> Hits:
    """The text part is read as it stands: lines over 78 characters wrap raggedly; only addresses may be
    longer."""
    for number, line in enumerate(page.subject.text.split("\n"), start=1):
        if len(line) > 78 and "://" not in line:
            yield rulebook.Hit(
                message=f"line {number} of the text part is {len(line)} characters long",
                place=page.places.text(line),
            )
            return


@rule(
    "url-length",
    findings.Severity.WARNING,
    source="practice: servers and mail gateways refuse long addresses",
)
def url_length(page: reading.Reading) -> Hits:
    """Mail gateways rewrite links into their own; an address over 2,000 characters does not survive that."""
    for link in page.addresses:
        if (length := len(link.url)) > _URL_WARNED:
            yield rulebook.Hit(
                message=f"the address has {length:,} characters",
                place=link.place,
                severity=findings.Severity.ERROR if length > _URL_MOST else None,
                fix="most long addresses work without what follows the ?",
            )


@rule("url-http", findings.Severity.ERROR, source="practice: react-email linter; mixed content in webmail")
def url_http(page: reading.Reading) -> Hits:
    """An address without TLS can be read and changed on the way, and webmail shows no picture from one."""
    for link in page.addresses:
        if link.url.lower().startswith("http://") and not link.is_placeholder:
            yield rulebook.Hit(
                message=f"{link.url[:60]} is not https",
                place=link.place,
                fix="try https://, or waive it with the reason",
            )


@rule("url-host", findings.Severity.ERROR, source="practice: Mailpit link check")
def url_host(page: reading.Reading) -> Hits:
    """An address that only works on the editor's machine, or a page of ours without its host, leads readers
    nowhere."""
    for link in page.addresses:
        if not link.is_placeholder and (problem := _host_problem(link.url)):
            yield rulebook.Hit(
                message=f"“{link.url[:80]}” {problem}", place=link.place, fix="write the whole address"
            )


@rule(
    "publication-url", findings.Severity.WARNING, source="RFC 8058: the address to leave by is an https one"
)
def publication_url(page: reading.Reading) -> Hits:
    """The way to leave, the web version and the archive lie under the publication's own address; on the
    editor's machine, or without TLS, they work for nobody else."""
    url = page.subject.publication.url
    problem = _host_problem(url) or ("" if url.startswith("https://") else "is not https")
    if problem:
        yield rulebook.Hit(
            message=f"the publication's address “{url}” {problem}", fix="set url under [publication]"
        )


def _host_problem(url: str) -> str:
    if "{{" in url or "}}" in url or "{%" in url:
        return "still holds template braces"
    if url.startswith(("mailto:", "tel:", "#")):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "is not an address"
    if parts.scheme not in {"http", "https"}:
        return "is not a whole web address"
    if host == "localhost" or host.endswith((".local", ".internal", ".localhost", ".lan")) or "." not in host:
        return "is a machine that readers cannot reach"
    return "is a private address" if _is_private(host) else ""


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host.strip("[]")).is_global
    except ValueError:
        return False


@rule(
    "anchor-link",
    findings.Severity.ADVICE,
    source="caniemail html-anchor-links: 39 % of programs lack them, Gmail on iOS among them",
)
def anchor_link(page: reading.Reading) -> Hits:
    """Links to a place in the same mail do nothing in four of ten mail programs, Gmail on iOS among them."""
    for element in page.html.all("a"):
        url = element.get("href") or ""
        if url.startswith("#") and len(url) > 1:
            yield rulebook.Hit(
                message=f"the link to “{url}” stays within the mail", place=page.places.href(url)
            )


@rule("height", findings.Severity.WARNING, source="Email on Acid: 5,000 to 7,000 pixels")
def height(page: reading.Reading) -> Hits:
    """Few readers scroll past 5,000 pixels, and some programs stop drawing soon after. The height is
    estimated from the words and the sizes of the pictures, for the packaged theme."""
    pixels = estimated_height(page)
    if pixels > 5_000:
        yield rulebook.Hit(
            message=f"the mail is about {round(pixels, -2):,} pixels high at a width of 640; 5,000 are read",
            severity=findings.Severity.ERROR if pixels > 7_000 else None,
            fix=_spenders(page),
        )


#: Of a 600 pixel column set in 16 pixel type: columns and pixels of a line, and what lies around blocks; what
#: an image file says is taken at its word. Within a tenth of what Chromium makes of the packaged theme.
_LINE_COLUMNS, _LINE_PIXELS, _PARAGRAPH_PIXELS, _ENTRY_PIXELS, _FRAME_PIXELS = 75, 26, 16, 60, 420
#: What a headline takes in the list of a digest, a list of sources, and each of them.
_LISTED_PIXELS, _SOURCES_PIXELS, _SOURCE_PIXELS = 28, 37, 25
#: The widths at which the hero and other pictures are shown, and a height where no file tells.
_HERO_WIDTH, _PICTURE_WIDTH, _PICTURE_HEIGHT = 600, 536, 350


def estimated_height(page: reading.Reading) -> int:
    """Return about how many pixels high the letter is at a width of 640."""
    lines = paragraphs = 0
    for passage in page.content:
        for _, paragraph in passage.paragraphs():
            width = widths.columns(paragraph.replace(prose.FILL, ""))
            lines += -(-width // _LINE_COLUMNS)
            paragraphs += 1
    hero = page.issue.hero
    pictures = _shown_height(page, hero.src, _HERO_WIDTH) if hero and hero.src else 0
    pictures += sum(_shown_height(page, link.url, _PICTURE_WIDTH) for link in page.links if link.is_image)
    listed = _LISTED_PIXELS * (page.issue.layout is issues.Layout.DIGEST)
    blocks = _PARAGRAPH_PIXELS * paragraphs + (_ENTRY_PIXELS + listed) * len(page.issue.entries)
    blocks += sum(
        _SOURCES_PIXELS + _SOURCE_PIXELS * len(one.sources) for one in page.issue.entries if one.sources
    )
    return _LINE_PIXELS * lines + blocks + pictures + _FRAME_PIXELS


def _shown_height(page: reading.Reading, src: str, width: int) -> int:
    facts = page.subject.images(src)
    return facts.height * width // facts.width if facts and facts.width and facts.height else _PICTURE_HEIGHT
