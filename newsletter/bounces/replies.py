"""Tell robots from people, and bounces from both."""

from __future__ import annotations

import re

from newsletter.bounces import parts

#: Whom reports come from.
_ROBOT_FROM = re.compile(
    r"mailer[- ]?daemon|postmaster|post_master|mail[ ._-]?deliver|delivery (?:sub)?system"
    r"|mail administrator|mail system"
    r"|system administrator|double-bounce|mdaemon@|mail-?daemon|no-?reply@[\w.]*(?:dion"
    r"|auone-net)(?:\.ne)?\.jp"
    r"|smtp_mail_service|\bndr@"
    r"|bounce|antivirus|imss@|interscan|microsoft exchange|fbl|lsmtp|mailserver|sysadmin@\w*\.?vzwpix",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|returned (?:mail|to sender)|returning (?:message )?to sender|delivery (?:has )?fail"
    r"|fail(?:ure|ed)[ :,]"
    r"|(?:failure|failed)$|delivery (?:status )?(?:notif|report|problem|error|warning|status)"
    r"|delivery notification"
    r"|could ?n[o']t be delivered|not (?:been )?delivered|non[- ]?remis|mail (?:delivery|system) (?:error"
    r"|problem|warn|status)"
    r"|message delivery|message status|message delayed|delayed? |error (?:sending|delivering|in)|rejected"
    r"|mail error"
    r"|processing error|user unknown|unknown user|nondeliverable|non-deliver|unzustellbar"
    r"|nicht zugestellt|impossible"
    r"|mail failure|there was an error|delivery subsystem|returned|mail bounced|bounced|配信|配送|エラー"
    r"|返送|投递|退信",
    re.IGNORECASE,
)
_BOUNCE_WORDS = re.compile(
    r"(?:could|can|was|were|has|did|been|is) ?n[o']t (?:be |been |yet been |able to )?(?:deliver|reach"
    r"|sent|accepted|receive)"
    r"|unable to deliver|undeliver|delivery (?:to the following|has failed|failed|failure|error)"
    r"|was rejected|not delivered"
    r"|permanent (?:fatal )?(?:error|failure)|delivery problems|returned to (?:you|sender)|user unknown"
    r"|no such user"
    r"|konnte nicht zugestellt|n'a pas pu|no pudo ser|impossibile recapitare|nie mog"
    r"|не может быть доставлено|无法|できません"
    r"|失敗しました|failed recipient|failed address|bounced|error[- ]code|message below:"
    r"|could not deliver|was not able to deliver",
    re.IGNORECASE,
)
_SUCCESS_WORDS = re.compile(
    r"(?:was|were|been|is) successful(?:ly)? (?:delivered|relayed|received|sent)|successfully delivered"
    r"|your message was delivered"
    r"|delivery to the following recipients? (?:was )?succe|has been delivered|return receipt"
    r"|message was relayed"
    r"|message was (?:read|displayed)",
    re.IGNORECASE,
)
_DELAY_WORDS = re.compile(
    r"warning message only|will be (?:re)?tried|has been (?:delayed|postponed)"
    r"|not yet been delivered"
    r"|delivery (?:attempts? )?will (?:continue|be)|only a temporary failure report"
    r"|will continue to (?:attempt|try|be made)"
    r"|delayed for more than|attempts will continue|will keep trying|delivery is delayed"
    r"|delivery of (?:e?mail|message) .{0,80}postponed",
    re.IGNORECASE | re.DOTALL,
)
_AWAY_SUBJECT = re.compile(
    r"\b(?:auto(?:matic)?[- ]?(?:reply|response|responder|antwort)|out of (?:the )?office|away from"
    r"|vacation|on holiday"
    r"|i am away|away until|abwesend|abwesenheit|absence|fuera de la oficina|respuesta autom"
    r"|réponse automatique|automatyczna odpowied|automatisch antwoord|autosvar"
    r"|risposta automatica|自動応答|自动回复)|\bauto(?:reply)?:",
    re.IGNORECASE,
)
_ROBOT_HEADERS = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponder",
    "x-auto-reply",
    "x-vacation",
    "x-mail-autoreply",
    # Challenge and response: a robot asks us to prove that we are people.
    "x-bluebottle-request",
    "x-boxbe-cr",
    "x-delivery-agent",
)
_PRECEDENCE = frozenset({"auto_reply", "auto-reply", "autoreply"})


def is_robot_sender(mail: parts.Mail) -> bool:
    """Say whether the mail comes from a mail system rather than from somebody."""
    sender = mail.headers.get("from") or mail.headers.get("sender") or mail.headers.get("return-path")
    return bool(_ROBOT_FROM.search(sender[:500])) or sender.strip() in ("<>", "")


def looks_like_bounce(mail: parts.Mail, text: str) -> bool:
    """Weigh sender, subject and words: any two of them make a report, a known header alone too."""
    if (
        "x-failed-recipients" in mail.headers
        or "x-mlserver" in mail.headers
        or mail.kind == "multipart/report"
    ):
        return True
    if "mailer-daemon" in mail.headers.get("from")[:500].lower():
        return True
    robot = is_robot_sender(mail)
    subject = bool(_BOUNCE_SUBJECT.search(mail.headers.get("subject")[:300]))
    words = bool(_BOUNCE_WORDS.search(text[:6000]))
    return robot + subject + words >= 2


def is_success(text: str) -> bool:
    """Say whether the words tell of a delivery that worked."""
    return bool(_SUCCESS_WORDS.search(text[:3000])) and not _BOUNCE_WORDS.search(text[:3000])


def is_delay(text: str, subject: str) -> bool:
    """Say whether the words are a warning and no end."""
    return bool(_DELAY_WORDS.search(text[:6000])) or subject.lower().startswith("warning:")


def is_automatic(mail: parts.Mail) -> bool:
    """Say whether a robot answered (RFC 3834 §5, and what was in use before it)."""
    headers = mail.headers
    submitted = headers.get("auto-submitted").strip().lower()
    if submitted and not submitted.startswith("no"):
        return True
    if headers.get("precedence").strip().lower() in _PRECEDENCE:
        return True
    if any(name in headers for name in _ROBOT_HEADERS):
        return True
    return bool(_AWAY_SUBJECT.search(headers.get("subject")[:300]))
