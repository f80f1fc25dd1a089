"""Tell robots from people, and bounces from both."""

from __future__ import annotations

from newsletter.bounces import parts, phrases

#: A report says what it is at its beginning.
_MAX_TEXT = 6000

#: Whom reports come from.
_ROBOT_SENDERS = phrases.listed(
    """
    mailer-daemon; mailer daemon; maildaemon; mail-daemon; mdaemon@; postmaster; post_master; mail deliver;
    mail.deliver; mail_deliver; mail-deliver; maildeliver; delivery system; delivery subsystem;
    mail administrator; mail system; system administrator; bounce; antivirus; imss@; interscan;
    microsoft exchange; microsoft outlook; mail server; mail daemon; fbl; lsmtp; mailserver;
    smtp_mail_service; ndr@; dion.ne.jp; auone-net.jp; vzwpix.com
    """
)
_BOUNCE_SUBJECTS = phrases.listed(
    """
    undeliver; returned; returning message; returning to sender; delivery fail; delivery has fail; failure;
    failed; delivery status; delivery notif; delivery report; delivery problem; delivery error;
    delivery warning; could not be delivered; couldn't be delivered; not delivered; not been delivered;
    non remis; non-remis; mail delivery; mail system error; mail error; mail problem; message delivery;
    message status; delayed; error sending; error delivering; error in; rejected; processing error;
    user unknown; unknown user; nondeliverable; non-deliver; unzustellbar; nicht zugestellt; impossible;
    there was an error; bounced; undelivered; blocked by our; mail frozen; message frozen; frozen;
    onbestelbaar; niet bezorgd; nao entregue; nao_entregue; nao foi entregue; no se puede entregar;
    no entregado; no se pudo; devuelto; devolvido; non recapitabile; mancato recapito; mancata consegna;
    fallita; niedostarcz; zwrot; nie dostarczono; echec de; retour a; zuruck an; fehler bei;
    fehlgeschlagen; obestallbar; leverans; недостав; не доставлено; возвращ; 配信; 送信でき; 届き; 不達;
    配送; エラー; 返送; 投递; 退信
    """
)
_BOUNCE_WORDS = phrases.listed(
    """
    not be delivered; n't be delivered; not been delivered; not delivered; not yet been delivered;
    not deliver; n't deliver; not be sent; not be reached; not reach; not been accepted; not be accepted;
    not receive; n't able to deliver; not able to deliver; unable to deliver; undeliver;
    delivery to the following; delivery has failed; delivery failed; delivery failure; delivery error;
    was rejected; automatically rejected; permanent error; permanent fatal error; permanent failure;
    delivery problems; returned to you; returned to sender; user unknown; no such user; failed recipient;
    failed address; bounced; error code; error-code; error delivering; error while attempting;
    error has occurred; trouble delivering; had delivery; failed permanently; failure reasons;
    did not accept; gave up; recipients were affected; konnte nicht zugestellt;
    zustellung * fehlgeschlagen; fehler bei der; n'a pas pu; echec de la remise; n'a pu etre; no pudo ser;
    error al entregar; no se ha podido; no se pudo; impossibile recapitare; recapito non riuscito;
    non e stato possibile; falha na entrega; nao pode ser entregue; nao foi possivel;
    kan niet worden bezorgd; niet worden afgeleverd; kunne ikke leveres; kunde inte levereras; nie mog;
    nie zostala dostarczona; не может быть; не удалось доставить; 无法; できません; できませんでした;
    失敗しました; 失敗し; 未能送达; 退回
    """
)
_SUCCESS_WORDS = phrases.listed(
    """
    successful delivery; successfully delivered; successfully relayed; successfully received;
    successfully sent; message was delivered; message was relayed; has been delivered; return receipt;
    message was read; message was displayed
    """
)
_DELAY_WORDS = phrases.listed(
    """
    warning message only; will be retried; will be tried; has been delayed; has been postponed;
    not yet been delivered; delivery attempts will continue; delivery will continue;
    only a temporary failure report; will continue to attempt; will continue to try;
    will continue to be made; delayed for more than; attempts will continue; will keep trying;
    delivery is delayed; delivery of * postponed
    """
)
_AWAY_SUBJECTS = phrases.listed(
    """
    _auto:; _autoreply; _auto reply; _auto-reply; _auto response; _auto-response; autoresponder;
    automatic reply; automatic response; automatische antwort; autoantwort; out of office;
    out of the office; away from; vacation; on holiday; i am away; away until; abwesend; abwesenheit;
    absence; fuera de la oficina; respuesta autom; réponse automatique; automatyczna odpowied;
    automatisch antwoord; autosvar; risposta automatica; 自動応答; 自动回复
    """
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
#: Exim and Google name the failed recipients; fml, a list manager, signs what it sends back; Exchange Online
#: marks its reports.
_TELLING_HEADERS = ("x-failed-recipients", "x-mlserver", "x-ms-exchange-message-is-ndr")
_PRECEDENCE = frozenset({"auto_reply", "auto-reply", "autoreply"})


def is_robot_sender(mail: parts.Mail) -> bool:
    """Say whether the mail comes from a mail system rather than from somebody."""
    sender = mail.headers.get("from") or mail.headers.get("sender") or mail.headers.get("return-path")
    return sender.strip() in ("<>", "") or phrases.mentions(_flat(sender), _ROBOT_SENDERS)


def looks_like_bounce(mail: parts.Mail, text: str) -> bool:
    """Weigh sender, subject and words: any two of them make a report, a known header alone too."""
    if is_marked_as_bounce(mail) or "mailer-daemon" in mail.headers.get("from")[:500].lower():
        return True
    robot = is_robot_sender(mail)
    subject = phrases.mentions(_flat(mail.headers.get("subject")), _BOUNCE_SUBJECTS)
    return robot + subject + phrases.mentions(_flat(text), _BOUNCE_WORDS) >= 2


def is_marked_as_bounce(mail: parts.Mail) -> bool:
    """Say whether a mailer's own header, or the content type, says what the mail is."""
    return any(name in mail.headers for name in _TELLING_HEADERS) or _is_report(mail)


def _is_report(mail: parts.Mail) -> bool:
    """Leave out what else comes as multipart/report: TLS reports (RFC 8460) and whatever will be invented."""
    kind = mail.headers.get("content-type").lower()
    named = "report-type" in kind
    return mail.kind == "multipart/report" and (not named or "status" in kind or "disposition" in kind)


def is_receipt(mail: parts.Mail, text: str) -> bool:
    """Say whether a mail program tells that a message was shown or deleted (RFC 8098), and not refused."""
    told = any(leaf.kind == "message/disposition-notification" for leaf in mail.leaves)
    return told and not phrases.mentions(_flat(text), _BOUNCE_WORDS)


def is_success(text: str) -> bool:
    """Say whether the words tell of a delivery that worked."""
    words = _flat(text)
    return phrases.mentions(words, _SUCCESS_WORDS) and not phrases.mentions(words, _BOUNCE_WORDS)


def is_delay(text: str, subject: str) -> bool:
    """Say whether the words are a warning and no end."""
    return subject.lower().startswith("warning:") or phrases.mentions(_flat(text), _DELAY_WORDS)


def _flat(text: str) -> str:
    """Put a text on one line in lower case, blanks at its ends, so that a phrase may ask for them."""
    return f" {phrases.fold(text[:_MAX_TEXT])} "


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
    return phrases.mentions(_flat(headers.get("subject")), _AWAY_SUBJECTS)
