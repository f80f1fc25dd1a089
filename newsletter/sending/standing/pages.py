"""What mail programs meet at our web address: a certificate, and one click that works (RFC 8058)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import urlsplit

from newsletter.domain.diagnoses import Concern, Diagnosis
from newsletter.sending.standing import names
from newsletter.sending.standing.names import Zone

ONE_CLICK = Concern("one-click")
TRACKING = Concern("tracking")
CLOCK = Concern("clock")
_BODY = b"List-Unsubscribe=One-Click"
#: SigV4 and webhook signatures are refused five minutes off; half of it is time to act.
_SKEW = timedelta(minutes=5)
_LOCAL = ("localhost", ".localhost", ".local", ".test", ".example", ".invalid", ".internal")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What a web server answered."""

    status: int = 0
    #: Where it sends us on to.
    location: str = ""
    #: Its own clock.
    date: datetime | None = None
    #: Why no answer came: no connection, no valid certificate.
    failure: str = ""


class Asker(Protocol):
    """Asks a web server once, without cookies, and follows nothing."""

    def ask(self, method: str, url: str, body: bytes = b"") -> Reply:
        """Ask; a form when there is a body."""
        ...


def unreachable(url: str, zone: Zone) -> Diagnosis | None:
    """Judge whether the world finds our pages' host; None where it does, or where there is no such host."""
    host = urlsplit(url).hostname or ""
    if not host or host.endswith(_LOCAL):
        return None
    found = names.addresses(zone, host)
    if found.failure:
        return ONE_CLICK.untold(f"{host}: {found.failure}", "look again when the network is up")
    if found.values:
        return None
    return ONE_CLICK.broken(
        f"{host} has no address",
        "publish a record such as this, with the address of the server that answers there",
        record=names.record(host, "A", "192.0.2.1"),
    )


def one_click(url: str, asker: Asker) -> tuple[Diagnosis, Reply | None]:
    """Judge the unsubscribe address of nobody: POST answers 200 without a redirect, GET shows a page."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host.endswith(_LOCAL):
        return ONE_CLICK.untold(f"{host} is not on the net", "set url under [publication]"), None
    if parts.scheme != "https":
        return (
            ONE_CLICK.broken(
                f"{parts.scheme}://{host} is not https, and mail programs offer no button for it",
                "set url under [publication] to an https address that readers can open",
            ),
            None,
        )
    posted, shown = asker.ask("POST", url, _BODY), asker.ask("GET", url)
    return _answered(host, posted, shown), posted


def _answered(host: str, posted: Reply, shown: Reply) -> Diagnosis:
    if posted.failure:
        return ONE_CLICK.broken(
            f"https://{host} does not answer: {posted.failure}", "run `newsletter serve` behind it, with TLS"
        )
    if 300 <= posted.status < 400:
        return ONE_CLICK.broken(
            f"the POST is answered with a redirect to {posted.location}; RFC 8058 §3.1 forbids that",
            f"set url under [publication] to what it redirects to: {posted.location}",
        )
    if posted.status != 200:
        return ONE_CLICK.broken(
            f"the POST is answered {posted.status}, not 200",
            "let the server in front pass POST on to `newsletter serve`, without cookies or login",
        )
    if shown.failure or shown.status >= 400:
        return ONE_CLICK.doubtful(
            f"the POST works, and the page answers {shown.failure or shown.status}", "let GET through as well"
        )
    return ONE_CLICK.holds(f"https://{host}: POST answers 200 without a redirect, GET shows a page")


def tracking(*, opens: bool, clicks: bool, one_click: Diagnosis) -> Diagnosis:
    """Judge the address that opens and clicks are counted at: it is the one of the pages."""
    if not opens and not clicks:
        return TRACKING.holds("off: no address of ours stands between readers and links")
    return dataclasses.replace(
        one_click, name=TRACKING.name, message=f"counted at the address of the pages; {one_click.message}"
    )


def clock(there: datetime | None, now: datetime, *, who: str) -> Diagnosis:
    """Judge our clock by another's: signatures are refused where they differ."""
    if there is None:
        return CLOCK.untold(
            "no server told its time", "timedatectl shows whether this machine's clock is kept"
        )
    apart = abs(now - there)
    words = f"{apart.total_seconds():.0f} s apart from {who}"
    if apart > _SKEW:
        return CLOCK.broken(words, "keep the clock by NTP: signatures are refused after five minutes")
    if apart > _SKEW / 2:
        return CLOCK.doubtful(words, "keep the clock by NTP")
    return CLOCK.holds(words)
