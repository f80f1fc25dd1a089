"""Read the standard reports: DSN (RFC 3464, RFC 6533), ARF (RFC 5965) and the notices Amazon SNS mails."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from newsletter.bounces import parts, spotting

DELIVERY_STATUS = frozenset({"message/delivery-status", "message/global-delivery-status"})
FEEDBACK_REPORT = "message/feedback-report"
#: A report names one recipient, or a handful; each costs a judgement.
_MAX_RECIPIENTS = 50

#: Action words of success (RFC 3464 §2.3.3); “deliverable” answers a probe.
SUCCESS = frozenset({"delivered", "relayed", "expanded", "deliverable"})
_UNPREFIXED = re.compile(r"(?:rfc822|utf-8|x400|x-unix|local|addr-type|smtp)\s*;\s*", re.IGNORECASE)
_DIAGNOSTIC_TYPE = re.compile(r"[A-Za-z][\w-]{0,40}\s{0,4}")
#: Long lines of JSON are cut by the mailer, some with a mark.
_FOLD = re.compile(r"!\n |\n ?")
_HEX = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}|\+([0-9A-F]{2})")
_FIELDS_IN_PROSE = re.compile(
    r"^[> \t]{0,8}(?:final|original)-recipient[ \t]*:", re.IGNORECASE | re.MULTILINE
)
_ONCE = re.compile(r"(final-recipient|action|status)[ \t]*:", re.IGNORECASE)
_FIELD = re.compile(
    r"(final-recipient|original-recipient|x-actual-recipient|action|status|diagnostic-code|remote-mta"
    r"|reporting-mta|x-[\w-]{1,40})[ \t]*:",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One recipient's fields of a delivery status notification."""

    #: The address the sender used (Original-Recipient) where it is given.
    address: str
    #: Final-Recipient where it differs: an alias or a forwarding address.
    final: str
    #: Lower case; “failed” when the field is missing, which old gateways do.
    action: str
    status: str
    diagnostic: str

    def named_as(self, mailed: frozenset[str]) -> Entry:
        """Prefer the one of both addresses that the returned message is addressed to (in lower case)."""
        if self.final.lower() in mailed and self.address.lower() not in mailed:
            return replace(self, address=self.final, final=self.address)
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Complaint:
    """A feedback report."""

    kind: str
    addresses: tuple[str, ...]


def entries(text: str) -> list[Entry]:
    """Read the recipient blocks of a delivery-status part."""
    found: dict[str, Entry] = {}
    for block in _blocks(text):
        entry = _entry(_fields(block))
        if entry is not None:
            found.setdefault(entry.address.lower(), entry)
        if len(found) >= _MAX_RECIPIENTS:
            break
    return list(found.values())


def entries_in_prose(text: str) -> list[Entry]:
    """Read DSN fields that were pasted into the text, quoted by a person or by a mailer without MIME."""
    found = _FIELDS_IN_PROSE.search(text)
    if found is None:
        return []
    lines = [line.lstrip("> \t") if ">" in line[:8] else line for line in text.split("\n")]
    kept = [line for line in lines if _FIELD.match(line) or line[:1] in (" ", "\t") or not line.strip()]
    return entries("\n".join(kept))


def complaint(mail: parts.Mail) -> Complaint | None:
    """Read a feedback report; the address in it is often redacted, our own token is what counts."""
    if mail.headers.get("subject").lower().startswith("complaint about message from"):
        return Complaint(kind="abuse", addresses=())  # Microsoft's Junk Mail Reporting Program
    for leaf in mail.leaves:
        if leaf.kind == FEEDBACK_REPORT or (
            leaf.kind == "text/plain" and "\nfeedback-type:" in leaf.text[:400].lower()
        ):
            headers, _ = parts.read_headers(leaf.text.lstrip("\n"))
            addresses = headers.all("original-rcpt-to", "removal-recipient", "original-recipient")
            cleaned = [spotting.clean_address(_UNPREFIXED.sub("", address)) for address in addresses]
            kind = headers.get("feedback-type").split(";")[0].strip().lower()
            return Complaint(kind=kind or "abuse", addresses=tuple(dict.fromkeys(filter(None, cleaned))))
    if "report-type=feedback-report" in mail.headers.get("content-type").lower().replace('"', ""):
        return Complaint(kind="abuse", addresses=())
    return None


def sns_notice(text: str) -> dict[str, object] | None:
    """Return the SES notification in a mail that Amazon SNS sent, in SNS's cover or not."""
    head = text[:40_000].lstrip()
    start = head.find('{"notificationType"')
    start = 0 if start < 0 and head.startswith("{") and "notificationType" in head else start
    notice = _json_object(_FOLD.sub("", head[start:])) if start >= 0 else None
    inner = notice.get("Message") if notice else None
    return _json_object(inner) if isinstance(inner, str) else notice


def _json_object(text: str) -> dict[str, object] | None:
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def sns_entries(notice: dict[str, object]) -> list[Entry]:
    """Read the recipients of an SES bounce notification."""
    bounce = notice.get("bounce")
    listed = bounce.get("bouncedRecipients") if isinstance(bounce, dict) else None
    found = []
    for each in listed[:_MAX_RECIPIENTS] if isinstance(listed, list) else []:
        if isinstance(each, dict) and (address := spotting.clean_address(str(each.get("emailAddress", "")))):
            words = {name: str(each.get(name) or "") for name in ("action", "status", "diagnosticCode")}
            found.append(
                Entry(
                    address=address,
                    final="",
                    action=words["action"].lower() or "failed",
                    status=words["status"],
                    diagnostic=words["diagnosticCode"],
                )
            )
    return found


def _blocks(text: str) -> Iterator[Sequence[str]]:
    """Cut at blank lines, and where a field comes again: some mailers forget the blank line."""
    block: list[str] = []
    seen: set[str] = set()
    for line in text.split("\n")[:3000]:
        found = _ONCE.match(line)
        name = found[1].lower() if found else ""
        if block and (not line.strip() or name in seen):
            yield block
            block, seen = [], set()
        if line.strip():
            block.append(line)
            seen.add(name or " ")
    if block:
        yield block


def _fields(block: Sequence[str]) -> dict[str, str]:
    """Unfold a block; a stray line continues the field above: some mailers wrap without the blank."""
    fields: dict[str, str] = {}
    name = ""
    for line in block:
        head, colon, value = line.partition(":")
        if colon and line[:1] not in (" ", "\t") and re.fullmatch(r"[A-Za-z][\w-]{1,60}[ \t]*", head):
            name = head.strip().lower()
            fields[name] = (
                f"{fields[name]} {value.strip()}"
                if name == "diagnostic-code" and name in fields
                else value.strip()
            )
        elif name and len(fields[name]) < 4000:
            fields[name] = f"{fields[name]} {line.strip()}"
    return fields


def _entry(fields: dict[str, str]) -> Entry | None:
    raw = fields.get("final-recipient", "")
    final = _address(raw)
    if not final and "|" in raw and (inner := spotting.ADDRESS.search(raw)):
        final = spotting.clean_address(inner[0])
    address = (
        _address(fields.get("original-recipient", ""))
        or final
        or _address(fields.get("x-actual-recipient", ""))
    )
    if not address:
        return None
    words = fields.get("diagnostic-code") or fields.get("x-supplementary-info", "").strip("<>")
    kind, semicolon, rest = words.partition(";")
    status = fields.get("status", "")
    return Entry(
        address=address,
        final=final if final.lower() != address.lower() else "",
        action=fields.get("action", "failed").split(" ")[0].strip(";,").lower() or "failed",
        status=status,
        diagnostic=(rest if semicolon and _DIAGNOSTIC_TYPE.fullmatch(kind) else words).strip(),
    )


def _address(value: str) -> str:
    """Return the address of a typed address field, or an empty string when it holds none."""
    value = _UNPREFIXED.sub("", value, count=1).strip()
    if value.startswith("@") and ":" in value:
        value = value.partition(":")[2]
    if "\\x{" in value:
        value = _HEX.sub(lambda found: chr(int(found[1] or found[2], 16) % 0x110000), value)
    if "<" in value and ">" in value:
        value = value[value.rfind("<") + 1 : value.rfind(">")]
    value = value.split(" ")[0] if not value.startswith('"') else value
    return "" if "|" in value else spotting.clean_address(value)
