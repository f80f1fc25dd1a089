"""Links: what became of the pages that an issue leads to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from newsletter.checking import link_health, reading, rulebook, sourcing
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("links", needs=("answers",))

_ERROR, _WARNING, _ADVICE = findings.Severity.ERROR, findings.Severity.WARNING, findings.Severity.ADVICE
_GONE = frozenset({404, 410})
_TROUBLES = link_health.Trouble
_HTTP = "RFC 9110 § 15"
#: What sites call their first page.
_FRONTS = frozenset(
    {"", "index.html", "index.htm", "index.php", "home", "default.aspx", "en", "ja", "jp", "us", "404"}
)


def _answered(page: reading.Reading) -> Iterator[tuple[link_health.Answer, rulebook.Place]]:
    """Yield each answer with the place of its link; an address that stands twice is told of once."""
    seen: set[str] = set()
    places = [(link.url, link.place) for link in (*page.links, *page.sources)]
    if hero := page.issue.hero:
        places += [(url, page.places.href(url)) for url in (hero.src, hero.credit_url)]
    for url, place in places:
        if url in page.subject.answers and url not in seen:
            seen.add(url)
            yield page.subject.answers[url], place


@rule("link-gone", _ERROR, source=f"{_HTTP}.5.5, 15.5.11")
def link_gone(page: reading.Reading) -> Hits:
    """A source that is gone proves nothing: 404 and 410 are the server's own word that there is no such
    page."""
    for answer, place in _answered(page):
        if answer.status in _GONE:
            yield rulebook.Hit(
                message=f"{answer.status}: there is no such page{_asked(answer)}",
                place=place,
                fix="link to where it moved, or to an archived copy",
            )


@rule("link-home", _WARNING, source="practice: soft 404, a missing page that answers as if it were there")
def link_home(page: reading.Reading) -> Hits:
    """Many sites send a missing page to their front page and call it found; readers land there and search
    in vain."""
    for answer, place in _answered(page):
        if _is_ok(answer) and _front(answer.final) and not _front(answer.url):
            yield rulebook.Hit(
                message=f"leads to the front page {answer.final}{_asked(answer)}",
                place=place,
                fix="look where the page went",
            )


def _front(url: str) -> bool:
    parts = urlsplit(url)
    return not parts.query and parts.path.strip("/").lower() in _FRONTS


@rule("link-moved", _ADVICE, source=f"{_HTTP}.4.2, 15.4.9")
def link_moved(page: reading.Reading) -> Hits:
    """A page that moved for good has a new address, which will work when the redirect is taken down."""
    for answer, place in _answered(page):
        elsewhere = sourcing.comparable(answer.final) != sourcing.comparable(answer.url)
        if _is_ok(answer) and answer.moved and elsewhere and (not _front(answer.final) or _front(answer.url)):
            yield rulebook.Hit(
                message=f"moved for good to {answer.final}", place=place, fix="link to the new address"
            )


@rule("link-host", _ERROR, source="RFC 1035; practice: a mistyped or abandoned domain")
def link_host(page: reading.Reading) -> Hits:
    """A host that no name server knows was mistyped, or its domain has lapsed and may belong to anybody
    tomorrow."""
    for answer, place in _answered(page):
        if answer.trouble is _TROUBLES.UNKNOWN_HOST:
            host = urlsplit(answer.url).hostname or answer.url
            yield rulebook.Hit(
                message=f"no name server knows {host}{_asked(answer)}",
                place=place,
                fix="look at its spelling",
            )


@rule("link-certificate", _WARNING, source="RFC 9110 § 4.3.4")
def link_certificate(page: reading.Reading) -> Hits:
    """A page without a valid certificate greets every reader with a warning that it may be an impostor."""
    for answer, place in _answered(page):
        if answer.trouble is _TROUBLES.CERTIFICATE:
            yield rulebook.Hit(message=f"its certificate is not valid: {answer.detail}", place=place)


@rule("link-private", _ERROR, source="practice: nothing inside the house is asked, or linked to")
def link_private(page: reading.Reading) -> Hits:
    """A host that leads to a private or loopback address is inside somebody's house: readers cannot reach
    it."""
    for answer, place in _answered(page):
        if answer.trouble is _TROUBLES.PRIVATE:
            yield rulebook.Hit(
                message=f"leads to the private address {answer.detail}: not asked", place=place
            )


@rule("link-unanswered", _ADVICE, source=f"{_HTTP}; practice: sites that turn programs away")
def link_unanswered(page: reading.Reading) -> Hits:
    """Time-outs, refusals of programs and troubles of the server say nothing about the page: somebody
    should look."""
    for answer, place in _answered(page):
        if reason := _unanswered(answer):
            yield rulebook.Hit(
                message=f"could not look it up: {reason}{_asked(answer)}", place=place, fix="open it once"
            )


def _unanswered(answer: link_health.Answer) -> str:
    if answer.trouble in {_TROUBLES.TIMED_OUT, _TROUBLES.UNREACHABLE, _TROUBLES.REDIRECTS}:
        return f"{answer.trouble}{f' ({answer.detail})' if answer.detail else ''}"
    if answer.status >= 400 and answer.status not in _GONE:
        return f"the server answered {answer.status}"
    return ""


def _is_ok(answer: link_health.Answer) -> bool:
    return answer.trouble is _TROUBLES.NONE and 200 <= answer.status < 300


def _asked(answer: link_health.Answer) -> str:
    return f" (asked {answer.asked_at:%Y-%m-%d})"
