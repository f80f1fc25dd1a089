"""A test mail as it arrived: what the receiver made of SPF, DKIM and DMARC, and what the signature covers."""

from __future__ import annotations

import email
import email.message
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import policy
from email.utils import parseaddr

from newsletter.domain import errors
from newsletter.domain.diagnoses import Concern, Diagnosis
from newsletter.sending.standing import dmarc, names

RECEIVED = {method: Concern(f"{method.upper()} as received") for method in ("spf", "dkim", "dmarc")}
COVERED = Concern("signed headers")
PRESENT = Concern("list headers")
#: RFC 8058 §4: a valid signature has to cover both.
LIST = ("list-unsubscribe", "list-unsubscribe-post")
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"([a-z0-9-]+)\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"([a-z]+\.[a-z-]+)\s*=\s*\"?([^\s;\"]+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One method's result (RFC 8601 §2.7)."""

    method: str
    value: str
    #: As header.d or smtp.mailfrom.
    properties: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Letter:
    """The headers of a mail that arrived."""

    from_domain: str
    #: Of the receiving host alone: anybody may write such a header before it.
    results: tuple[Result, ...]
    #: Tags of every DKIM-Signature.
    signatures: tuple[dict[str, str], ...]
    list_unsubscribe: str
    list_unsubscribe_post: str
    message_id: str

    @property
    def one_click_url(self) -> str:
        """The https address of List-Unsubscribe, or an empty text."""
        return next(iter(re.findall(r"<\s*(https://[^>\s]+)\s*>", self.list_unsubscribe)), "")


def read(raw: bytes) -> Letter:
    """Read a mail, or its headers alone.

    Raises:
        UsageError: there are no headers in it.
    """
    # Pasted sources often begin with an empty line.
    mail = email.message_from_bytes(raw.lstrip(b"\r\n \t\xef\xbb\xbf"), policy=policy.compat32)
    if not mail["From"]:
        raise errors.UsageError(
            "there is no From header in it", hint="save the whole source of the mail, headers first"
        )
    return Letter(
        from_domain=parseaddr(_one(mail, "From"))[1].rpartition("@")[2].lower(),
        results=tuple(_results(mail)),
        signatures=tuple(names.tags(_unfolded(value)) for value in mail.get_all("DKIM-Signature", [])),
        list_unsubscribe=_one(mail, "List-Unsubscribe"),
        list_unsubscribe_post=_one(mail, "List-Unsubscribe-Post"),
        message_id=_one(mail, "Message-ID").strip("<> "),
    )


def judge(letter: Letter, aligned: Callable[[str, str], bool | None]) -> Iterator[Diagnosis]:
    """Yield what is to be said about a mail; ``aligned`` knows which domains belong together."""
    for method in RECEIVED:
        yield _received(letter, method, aligned)
    yield _present(letter)
    yield _covered(letter, aligned)


def _received(letter: Letter, method: str, aligned: Callable[[str, str], bool | None]) -> Diagnosis:
    concern = RECEIVED[method]
    found = [result for result in letter.results if result.method == method]
    if not found:
        return concern.untold(
            "the receiver does not say (no Authentication-Results)",
            "send it to a mailbox at Gmail, Yahoo or Outlook and save its source",
        )
    good = [result for result in found if result.value == "pass"]
    if not good:
        return concern.broken(
            f"{found[0].value} for {_domain(found[0]) or letter.from_domain}", f"mend {method.upper()}"
        )
    domains = [_domain(result) or letter.from_domain for result in good]
    if method == "dmarc" or any(aligned(domain, letter.from_domain) for domain in domains):
        return concern.holds(f"pass, with {', '.join(dict.fromkeys(domains))}")
    return concern.doubtful(
        f"pass, with {', '.join(dict.fromkeys(domains))}, which is not aligned with {letter.from_domain}",
        f"have it done with {letter.from_domain}",
    )


def _present(letter: Letter) -> Diagnosis:
    post = "".join(letter.list_unsubscribe_post.split()).lower()
    if not letter.one_click_url:
        return PRESENT.broken(
            "List-Unsubscribe has no https address", "set url under [publication] to an https address"
        )
    if post != "list-unsubscribe=one-click":
        return PRESENT.broken(
            f"List-Unsubscribe-Post is “{letter.list_unsubscribe_post}”",
            "a server on the way took it out: ask your provider",
        )
    return PRESENT.holds("List-Unsubscribe and List-Unsubscribe-Post arrived as we wrote them")


def _covered(letter: Letter, aligned: Callable[[str, str], bool | None]) -> Diagnosis:
    """Judge whether an aligned signature covers both List headers."""
    own = [one for one in letter.signatures if aligned(one.get("d", ""), letter.from_domain)]
    if not own:
        signers = ", ".join(one.get("d", "?") for one in letter.signatures) or "nobody"
        return COVERED.broken(
            f"signed by {signers}, not by {letter.from_domain}", "sign with the domain of From"
        )
    missing = min((_uncovered(one) for one in own), key=len)
    if missing:
        return COVERED.broken(
            f"h= leaves out {', '.join(missing)}: mail programs then offer no button (RFC 8058 §4)",
            "have your provider sign them, or sign yourself: [dkim]",
        )
    return COVERED.holds(f"h= of d={own[0]['d']} covers both List headers")


def _uncovered(signature: dict[str, str]) -> list[str]:
    signed = {name.strip().lower() for name in signature.get("h", "").split(":")}
    return [name for name in LIST if name not in signed]


def _domain(result: Result) -> str:
    told = result.properties
    found = told.get("header.d") or told.get("smtp.mailfrom") or told.get("header.from") or ""
    return (found or told.get("header.i", "")).rpartition("@")[2].lower()


def _results(mail: email.message.Message) -> Iterator[Result]:
    """Yield the results of the host that took the mail in last."""
    fields = [_unfolded(value) for value in mail.get_all("Authentication-Results", [])]
    hosts = [_COMMENT.sub("", value).partition(";")[0].strip().lower() for value in fields]
    for host, value in zip(hosts, fields, strict=True):
        if host != hosts[0]:
            continue
        for part in _COMMENT.sub("", value).split(";")[1:]:
            if found := _RESULT.match(part.strip()):
                told = {name.lower(): told for name, told in _PROPERTY.findall(part)}
                yield Result(method=found[1].lower(), value=found[2].lower(), properties=told)


def _one(mail: email.message.Message, name: str) -> str:
    return _unfolded(mail.get(name, ""))


def _unfolded(value: object) -> str:
    return re.sub(r"\r?\n\s+", " ", str(value)).strip()


def aligner(zone: names.Zone) -> Callable[[str, str], bool | None]:
    """Return what says whether two domains are aligned, by the DNS."""
    return lambda one, other: dmarc.aligned(one, other, zone) if one and other else False
