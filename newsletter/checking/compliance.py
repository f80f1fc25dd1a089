"""Compliance: what the law and the mailbox providers ask of every mailing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from newsletter.checking import places, reading, rulebook, widths
from newsletter.domain import findings, messages

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("compliance")

_CAN_SPAM = "15 U.S.C. § 7704 (CAN-SPAM)"
_REPLY = re.compile(
    r"^\s*(?:\[[^\]]*\]\s*)?(?:re|fw|fwd|aw|wg|sv|vs|tr|rv|antw|返信|転送)\s*(?:\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_NO_REPLY = re.compile(r"^(?:no|do-?not|donot)[-_.]?reply@", re.IGNORECASE)
_SHOUTING = re.compile(r"!{2,}|\${2,}|¥{2,}|(?:\b[A-Z]{2,}\b[\s,:;!-]*){4,}")


@rule("unsubscribe-link", findings.Severity.ERROR, source=f"{_CAN_SPAM}; RFC 8058; GDPR art. 7(3)")
def unsubscribe_link(page: reading.Reading) -> Hits:
    """Every mailing says how to leave, in both parts: by law, and because the other way out is the spam
    button."""
    rendered = page.subject.rendered
    if rendered is None:
        return
    if not _has_field(rendered.html, "unsubscribe_url") or not _leads_out(page):
        yield rulebook.Hit(
            message="the HTML part has no visible link to leave by",
            fix='the template needs <a href="{{ unsubscribe_url }}">Unsubscribe</a>',
        )
    if not _has_field(rendered.text, "unsubscribe_url"):
        yield rulebook.Hit(
            message="the text part has no address to leave by",
            fix="the text template needs {{ unsubscribe_url }}",
        )


@rule("unsubscribe-header", findings.Severity.ERROR, source="RFC 2369; RFC 8058; Google and Yahoo since 2024")
def unsubscribe_header(page: reading.Reading) -> Hits:
    """The button beside the sender’s name comes from two headers; large providers want both in bulk mail."""
    head = page.subject.raw.partition(b"\r\n\r\n")[0].lower()
    for name in (b"List-Unsubscribe", b"List-Unsubscribe-Post"):
        if head and b"\r\n" + name.lower() + b":" not in b"\r\n" + head:
            yield rulebook.Hit(message=f"the message has no header {name.decode()}")


def _has_field(pieces: messages.Pieces, name: str) -> bool:
    return any(isinstance(piece, messages.Field) and piece.name == name for piece in pieces)


def _leads_out(page: reading.Reading) -> bool:
    """Look for a link that people can see, whose address is the one the sample reader leaves by."""
    return any(
        page.subject.leave_url in (link.get("href") or "")
        and page.html.is_visible(link)
        and page.html.name(link)
        for link in page.html.all("a")
    )


@rule("postal-address", findings.Severity.ERROR, source=f"{_CAN_SPAM} (a)(5)(A)(iii); CASL s. 6(2)")
def postal_address(page: reading.Reading) -> Hits:
    """A commercial mail names a physical address in it; mailbox providers look for one in newsletters of
    any kind."""
    address = page.subject.publication.postal_address.strip()
    if not address:
        yield rulebook.Hit(
            message="the publication has no postal address: commercial mail must show one",
            fix="set postal_address under [publication]",
            # Whether a publication is a commercial one, its publisher knows and we do not.
            severity=findings.Severity.WARNING,
        )
        return
    wanted = _letters(address)
    parts = {"HTML": page.html.text, "text": page.subject.text}
    for name, words in parts.items() if page.subject.rendered else ():
        if wanted not in _letters(words):
            yield rulebook.Hit(
                message=f"the {name} part does not show the postal address",
                fix="the template's footer needs {{ publication.postal_address }}",
            )


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", places.fold(text))


@rule("sender-identity", findings.Severity.ERROR, source=f"{_CAN_SPAM} (a)(1); RFC 5322 § 3.6.2")
def sender_identity(page: reading.Reading) -> Hits:
    """The From line says truly who writes: a name that readers know, and a mailbox that exists."""
    sender = page.subject.publication.sender
    if not sender.name.strip():
        yield rulebook.Hit(message="the sender has no name", fix="set name under [sender]")
    elif _ADDRESS.search(sender.name):
        yield rulebook.Hit(
            message=f"the sender's name “{sender.name}” is an address", fix="write a name under [sender]"
        )
    if not _ADDRESS.fullmatch(sender.email):
        yield rulebook.Hit(message=f"“{sender.email}” is not an address", fix="set email under [sender]")


@rule("sender-no-reply", findings.Severity.WARNING, source="practice: replies reach an editor")
def sender_no_reply(page: reading.Reading) -> Hits:
    """Readers answer newsletters, and their answers help delivery; a no-reply address throws both away."""
    sender = page.subject.publication.sender
    answered = sender.reply_to or sender.email
    if _NO_REPLY.match(answered):
        yield rulebook.Hit(
            message=f"answers go to {answered}", fix="set reply_to under [sender] to a mailbox that is read"
        )


@rule(
    "subject-length",
    findings.Severity.ADVICE,
    source="RFC 5322 § 2.1.1; Buttondown's preflight: 10 to 78 characters",
)
def subject_length(page: reading.Reading) -> Hits:
    """Inboxes show 35 to 70 characters of a subject; past 78 it is folded, and the end is read by nobody."""
    subject = page.issue.subject
    if not subject.strip():
        yield rulebook.Hit(
            message="the subject is empty", place=page.key("subject"), severity=findings.Severity.ERROR
        )
    elif not 10 <= (length := widths.columns(subject)) <= 78:
        yield rulebook.Hit(
            message=f"the subject takes {length} columns; 10 to 78 are read",
            place=page.key("subject"),
            fix="write subject: in the front matter, the news first",
        )


@rule(
    "subject-shape",
    findings.Severity.WARNING,
    source="Google and Yahoo sender guidelines; SpamAssassin SUBJ_ALL_CAPS",
)
def subject_shape(page: reading.Reading) -> Hits:
    """Capitals throughout, runs of marks and subjects without a word look like spam to people and to
    filters."""
    subject = page.issue.subject
    letters = [char for char in subject if char.isalpha()]
    problems = {
        "the subject has no letters": bool(subject.strip()) and not letters,
        "the subject is all capitals": len(letters) > 9 and subject.upper() == subject != subject.lower(),
        "the subject shouts": bool(_SHOUTING.search(subject)) and subject.upper() != subject,
    }
    for message, holds in problems.items():
        if holds:
            yield rulebook.Hit(message=message, place=page.key("subject"))


@rule("subject-control", findings.Severity.ERROR, source="RFC 5322 § 2.2: header injection")
def subject_control(page: reading.Reading) -> Hits:
    """A line end or control character in a header would end it, and start another that nobody wrote."""
    for key, value in {"subject": page.issue.subject, "preheader": page.issue.preheader}.items():
        if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in value):
            yield rulebook.Hit(
                message=f"the {key} holds a line end or control character", place=page.key(key)
            )


@rule("subject-deceptive", findings.Severity.ERROR, source=f"{_CAN_SPAM} (a)(2)")
def subject_deceptive(page: reading.Reading) -> Hits:
    """“RE:” and “FW:” pretend to a conversation that never was; the law calls such subjects deceptive."""
    if match := _REPLY.match(page.issue.subject):
        yield rulebook.Hit(
            message=f"“{match[0].strip()}” makes the mailing look like an answer",
            place=page.key("subject"),
            fix="begin with the news",
        )


@rule("preheader-length", findings.Severity.ADVICE, source="measured inboxes: 40 to 110 characters are shown")
def preheader_length(page: reading.Reading) -> Hits:
    """The preheader is the second line of the inbox: too short, and the body leaks in; too long, and it is
    cut."""
    text = page.issue.preheader.strip()
    length = widths.columns(text)
    if places.fold(text) and places.fold(text) == places.fold(page.issue.subject):
        yield rulebook.Hit(message="the preheader repeats the subject", place=page.key("preheader"))
    elif not 40 <= length <= 110:
        yield rulebook.Hit(
            message=f"the preheader takes {length} columns; 40 to 110 are shown",
            place=page.key("preheader"),
            fix="write preheader: in the front matter",
        )
