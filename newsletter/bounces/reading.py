"""Read a mail that came back: the one way in for whatever a mailbox holds."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import Literal

from newsletter.bounces import classify, parts, prose, replies, reports, returned, spotting
from newsletter.bounces.report import Kind, Recipient, Report

_MAX_TEXT = 24_000
#: RFC 6430: a reader took it out of the spam folder. RFC 6591: a server tells of a forged sender.
_NO_COMPLAINT = frozenset({"not-spam", "auth-failure"})
_FAILED = frozenset({Kind.BOUNCE, Kind.DELAYED})
#: People and list managers pass reports on.
_MAY_HOLD_ONE = _FAILED | {Kind.REPLY}
#: Ours go to one recipient each; every recipient costs a judgement.
_MAX_RECIPIENTS = 50


def read(raw: bytes) -> list[tuple[str, Literal["hard", "soft"]]]:
    """Return the addresses a bounce names, and hard or soft for each; an empty list: not a bounce.

    A warning about a delay counts as soft; `examine` tells it from a bounce.
    """
    report = examine(raw)
    if report.kind not in _FAILED:
        return []
    return [(recipient.address, recipient.verdict) for recipient in report.recipients]


def examine(raw: bytes) -> Report:
    """Read any mail: bounce, warning, complaint, robot, unsubscription or a person's words. Never raises."""
    mail = parts.split(raw)
    told = prose.read(_report_text(mail))
    report = _examine(mail, told)
    if report.kind in _MAY_HOLD_ONE and not report.recipients:
        for inner in _reports_within(mail, told.returned):
            found = _examine(inner, prose.read(_report_text(inner)))
            if found.recipients and (report.kind in _FAILED or inner.kind == "multipart/report"):
                return dataclasses.replace(
                    found,
                    token=report.token or found.token,
                    sender=report.sender,
                    subject=report.subject,
                )
        if report.kind in _FAILED:
            return _with_the_only_address(mail, told, report)
    return report


def _with_the_only_address(mail: parts.Mail, told: prose.Prose, report: Report) -> Report:
    """Complete a report that names nobody: only one address may be meant."""
    address = _only_address(mail, told, returned.marks(mail, told.returned))
    if not address:
        return report
    finding = prose.Finding(address=address, words="")
    recipient = _judged(finding, told.text, final=report.kind is Kind.BOUNCE)
    return dataclasses.replace(report, recipients=(recipient,))


def _only_address(mail: parts.Mail, told: prose.Prose, marks: returned.Marks) -> str:
    """Take it from the words, else from the To field of what was returned, unless it is a list."""
    ours = _addresses(mail.headers.all("from", "to", "sender", "reply-to", "return-path", "delivered-to"))
    if address := spotting.only_one(told.text, frozenset(ours)):
        return address
    mailed = set(_addresses(marks.to)) - {*ours, *_addresses(marks.lists)}
    return mailed.pop() if len(mailed) == 1 else ""


def _addresses(fields: Sequence[str]) -> list[str]:
    found = (each[0] for value in fields for each in spotting.ADDRESS.finditer(value[:1000]))
    return [address for each in found if (address := spotting.clean_address(each).lower())]


def _examine(mail: parts.Mail, told: prose.Prose) -> Report:
    marks = returned.marks(mail, told.returned)
    kind, recipients, feedback = _kind_and_recipients(mail, told, marks)
    return Report(
        kind=kind,
        recipients=tuple(recipients),
        token=marks.bounce_token,
        unsubscribe_token=marks.unsubscribe_token,
        message_id=marks.message_id,
        list_unsubscribe=marks.list_unsubscribe,
        feedback_type=feedback,
        sender=mail.headers.get("from")[:500],
        subject=mail.headers.get("subject")[:500],
    )


def _reports_within(mail: parts.Mail, pasted: str) -> Iterator[parts.Mail]:
    """Find reports that a gateway or a list owner passed on whole, as a part or pasted into the text."""
    inside = [leaf.text for leaf in mail.leaves if leaf.kind == "message/rfc822"][:2]
    for text in (*inside, pasted):
        inner = parts.split(text.encode("utf-8", "replace"))
        if inner.kind == "multipart/report" or "mailer-daemon" in inner.headers.get("from").lower():
            yield inner


def _kind_and_recipients(
    mail: parts.Mail, told: prose.Prose, marks: returned.Marks
) -> tuple[Kind, Sequence[Recipient], str]:
    complaint = reports.complaint(mail)
    if complaint is not None and complaint.kind in _NO_COMPLAINT:
        return Kind.AUTO_REPLY, [], complaint.kind
    if complaint is not None:
        return Kind.COMPLAINT, [Recipient(address=address) for address in complaint.addresses], complaint.kind
    notice = reports.sns_notice(told.text)
    if notice is not None:
        return _sns(notice)
    entries = _entries(mail, told.text)
    if entries:
        mailed = frozenset(_addresses(marks.to))
        return *_from_entries([entry.named_as(mailed) for entry in entries], told), ""
    return *_from_prose(mail, told), ""


def _sns(notice: dict[str, object]) -> tuple[Kind, Sequence[Recipient], str]:
    kind = notice.get("notificationType")
    if kind == "Bounce":
        return Kind.BOUNCE, [_recipient(entry, "") for entry in reports.sns_entries(notice)], ""
    return (Kind.COMPLAINT, [], "abuse") if kind == "Complaint" else (Kind.DELIVERED, [], "")


def _entries(mail: parts.Mail, text: str) -> list[reports.Entry]:
    for leaf in mail.leaves:
        if leaf.kind in reports.DELIVERY_STATUS and (found := reports.entries(leaf.text)):
            return found
    return reports.entries_in_prose(text) if replies.looks_like_bounce(mail, text) else []


def _from_entries(entries: Sequence[reports.Entry], told: prose.Prose) -> tuple[Kind, Sequence[Recipient]]:
    pending = [entry for entry in entries if entry.action not in reports.SUCCESS]
    if not pending:
        return Kind.DELIVERED, [
            Recipient(address=entry.address, final_address=entry.final) for entry in entries
        ]
    words = {finding.address.lower(): finding.words for finding in told.findings}
    recipients = []
    for entry in pending:
        about = (
            told.text
            if len(pending) == 1
            else words.get(entry.address.lower()) or words.get(entry.final.lower(), "")
        )
        recipients.append(_recipient(entry, about))
    return (Kind.BOUNCE if any(each.given_up for each in recipients) else Kind.DELAYED), recipients


def _recipient(entry: reports.Entry, about: str) -> Recipient:
    evidence = classify.Evidence(
        text=entry.diagnostic or _comment(entry.status),
        context=about,
        status=entry.status,
        address=entry.address,
    )
    judgement = classify.judge(evidence)
    final = entry.action != "delayed"
    return Recipient(
        address=entry.address,
        final_address=entry.final,
        status=judgement.status,
        reply_code=judgement.reply_code,
        diagnostic=_line(entry.diagnostic or about),
        cause=judgement.cause,
        verdict=judgement.verdict if final else "soft",
        given_up=final,
    )


def _comment(status: str) -> str:
    """Return the words in a Status field: 5.1.10 (host/domain does not accept mail), or a whole reply."""
    return status.partition("(")[2].rstrip(") ") if status[1:2] == "." else status


def _from_prose(mail: parts.Mail, told: prose.Prose) -> tuple[Kind, Sequence[Recipient]]:
    by_person = not (replies.is_robot_sender(mail) or replies.is_marked_as_bounce(mail))
    if not replies.looks_like_bounce(mail, told.text) or (by_person and replies.is_automatic(mail)):
        return _mail_of_somebody(mail), []
    if replies.is_success(told.text) or replies.is_receipt(mail, told.text):
        return Kind.DELIVERED, []
    findings = _findings(mail, told)
    final = not replies.is_delay(told.text, mail.headers.get("subject"))
    context = told.text if len(findings) == 1 else told.lead
    recipients = [_judged(finding, context, final=final) for finding in findings[:_MAX_RECIPIENTS]]
    if not recipients and replies.is_automatic(mail) and mail.kind != "multipart/report":
        return Kind.AUTO_REPLY, []
    return (Kind.BOUNCE if final else Kind.DELAYED), recipients


def _mail_of_somebody(mail: parts.Mail) -> Kind:
    if returned.is_unsubscribe(mail.headers):
        return Kind.UNSUBSCRIBE
    return Kind.AUTO_REPLY if replies.is_automatic(mail) else Kind.REPLY


def _findings(mail: parts.Mail, told: prose.Prose) -> Sequence[prose.Finding]:
    failed = [
        spotting.clean_address(each)
        for value in mail.headers.all("x-failed-recipients")
        for each in value.split(",")
    ]
    if any(failed):
        about = {finding.address.lower(): finding for finding in told.findings}
        unique = dict.fromkeys(address for address in failed[:_MAX_RECIPIENTS] if address)
        return [about.get(address.lower(), prose.Finding(address=address, words="")) for address in unique]
    bare = prose.bare_names(told.text, mail.headers.get("from"))
    return bare if "nameserver query" in told.text else told.findings or bare


def _judged(finding: prose.Finding, text: str, *, final: bool) -> Recipient:
    evidence = classify.Evidence(text=finding.words, context=finding.before or text, address=finding.address)
    judgement = classify.judge(evidence)
    return Recipient(
        address=finding.address,
        status=judgement.status,
        reply_code=judgement.reply_code,
        diagnostic=_line(finding.words or text),
        cause=judgement.cause,
        verdict=judgement.verdict if final else "soft",
        given_up=final,
    )


def _report_text(mail: parts.Mail) -> str:
    """Join what was written for people; HTML only where there is no plain text."""
    plain = [leaf.text for leaf in mail.leaves if leaf.kind == "text/plain" and leaf.text.strip()]
    if not plain:
        plain = [leaf.text for leaf in mail.leaves if leaf.kind == "text/html"]
    if not plain and len(mail.leaves) == 1 and mail.leaves[0].kind not in returned.RETURNED:
        plain = [mail.leaves[0].text]
    return "\n".join(plain[:4])[:_MAX_TEXT]


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text[:1000]).strip()
