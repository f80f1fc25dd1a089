"""The words in which mail servers refuse, by cause: from their sources, manuals and postmaster pages.

Phrases are lower case and separated by semicolons. ``*`` stands for up to 80 characters, ``_`` at either
end for a blank. The first cause with a match wins, so a cause that says more about a refusal stands before
one that says less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from newsletter.domain.events import Cause

_GAP = 80


def listed(text: str) -> tuple[str, ...]:
    """Return the phrases of a text that separates them by semicolons."""
    phrases = (" ".join(phrase.split()) for phrase in text.split(";"))
    return tuple(_with_blanks(phrase) for phrase in phrases if phrase)


def _with_blanks(phrase: str) -> str:
    start = " " if phrase.startswith("_") else ""
    return start + phrase.strip("_") + (" " if phrase.endswith("_") else "")


def mentions(text: str, phrases: Iterable[str]) -> bool:
    """Say whether a text, in lower case, has one of the phrases."""
    return any(phrase in text if "*" not in phrase else _has_gapped(text, phrase) for phrase in phrases)


def _has_gapped(text: str, phrase: str) -> bool:
    first, _, rest = phrase.partition("*")
    at = text.find(first.rstrip())
    if at < 0:
        return False
    at += len(first.rstrip())
    return rest.lstrip() in text[at : at + _GAP]


#: The sender is refused, or the reader or a filter of theirs does not want this one (Exim callouts,
#: Sender ID,
#: Facebook's RCP-P2, Exchange's RESOLVER.RST, members-only lists).
_SENDER = listed(
    """
    domain of sender address; sender address rejected; sender rejected; sender denied; sender refused;
    sender verify failed; sender verification failed; sender domain; from domain; your domain * not;
    resolve your domain; resolve sender; resolve from; all recipient addresses rejected;
    sender address * not; sender * rejected; sender is on; sender not allowed; sender not pre-approved;
    senders are not allowed; unroutable sender; unrouteable sender; invalid sender; bad sender;
    unknown sender; emetteur invalide; purported responsible address; mail from * not owned;
    mail from * rejected; not accepting mail from; does not accept mail from; not accept mail from;
    won't accept mail from; null sender; empty envelope sender; envelope sender; badmailfrom;
    envelope blocked; envelope rejected; blocked senders;
    administrative prohibition; not a registered gateway user; not authorized to send; not allowed to send;
    not permitted to send; not allowed to post; permission to post; not have permission to submit;
    only accept* from authenticated; restricted sender; senderfilterconfig; members-only; members only;
    not member; not a member; are not a subscriber; backscatter protection; from: domain;
    multiple addresses in from; blocked by the recipient; blocked by recipient; recipient preferences;
    user rules; rejected by recipient; recipient has refused; user refuses; refuse to receive;
    refused by recipient; recipient's filter; user reject; only accepting mail from specific;
    is protected by; is not accepting any mail; has restricted sms; message filtered; resolver.rst.auth;
    resolver.rst.notauthorized; resolver.rst.restricted; delivery restriction; administrator * restrict;
    cannot route mail to user
    """
)

#: The mailbox's own machinery failed: procmail, a pipe, LDAP, a disk, a server out of order.
_LOCAL = listed(
    """
    procmail:; couldn't create; can't create output; cannot open file; unknown mailer error;
    command died with; mailer died with; mailer error; local delivery failed; delivery to pipe;
    delivery to file; pipe to; error writing message; bad interpreter; no such file or directory;
    permission denied; lmtp error; missing home directory; homedir creator; ldap lookup;
    ldap server unavailable; contact ldap; login into ldap; search on ldap; ldap attribute; internal error;
    internal system error; internal server error; system error; local error; insufficient system storage;
    insufficient system resources; system resource; configuration error; service unavailable;
    service currently unavailable; service not available; service refuse; improper sequence; bad sequence
    """
)

#: The resolver's passing faults: they say nothing about the domain.
_LOOKUP_FAULT = listed(
    """
    host not found, try again; dns lookup failed; temporary failure in name resolution;
    temporary lookup failure;
    name server timeout; dns query failed; dns timeout; dns server failure; server failure;
    host name lookup failure; domain lookup failed; lookup failure * try again;
    could not resolve * try again; lookups deferred; unable to resolve
    """
)

#: The server does not feel responsible for the domain.
_RELAY = listed(
    """
    relay access denied; relay denied; relaying denied; relay prohibited; relaying prohibited;
    relay not permitted; relaying not permitted; relay not allowed; relaying not allowed;
    relay not authorized; relaying is; no relay; not relay; not a gateway; unable to relay;
    configured to relay; allowed to relay; cannot relay;
    can't relay; open relay; mail relay; relay operation rejected; relaying mail to; relay error;
    must * authenticate * before; allowed rcpthosts; not configured to accept mail; not local host;
    that domain isn't allowed to be relayed
    """
)

#: SPF, DKIM, DMARC.
_AUTHENTICATION = listed(
    """
    spf record; spf check; spf fail; spf policy; spf validation; _spf:; spf (; (spf); spf hard;
    spf alignment; violates spf; openspf; spf.pobox; sender policy framework; dmarc; dkim;
    unauthenticated email; unauthenticated mail; does not have authentication information;
    authentication checks; sender unauthenticated; fails to pass authentication
    """
)

#: The sending host or network: block lists, reverse DNS, HELO, rate and volume (Hotmail's SC-00x,
#: Outlook's S3150,
#: Yahoo's TS0x).
_REPUTATION = listed(
    """
    spamhaus; spamcop; sorbs; barracudacentral; abuseat; dnsbl; _aup#; dnswl; uceprotect; senderscore;
    senderbase;
    _rbl; rbl_; block list; blocklist; blacklist; black list; blocked using; blocked by; block * see http;
    blocked for; is blocked; been blocked; was blocked because of; banned sending ip; _banned; reputation;
    reverse dns; rdns; ptr record; ptr lookup; ptr for; no ptr; no matching ptr; client host;
    command rejected: host not found; need fully-qualified hostname; cannot resolve your;
    resolve your address; cannot find your hostname; cannot find your reverse; fix reverse;
    hostname * not match; domain * mismatches client ip; _helo; _ehlo; greylist; graylist; greylisted;
    dynamic ip; dynamic-ip; dial-up; _(sc-00; _(dy-00; _(ou-00; _sc-00; _dy-00; _ou-00; dynamic address;
    use the smtp server of your isp; your isp; generic hostname; bad reverse; ip address * rejected;
    _ip * rejected; ip frequency; ip address * deferred; s3150; s3140; bl000; [ts0; [tss0;
    temporarily deferred due to; unexpected volume; user complaints; too many connections;
    too many sessions; ips blocked; ip is listed; connection rate;
    rate limit; rate control; rate that prevents; too many messages; too many concurrent; too many emails;
    too much mail; mail rate; throttl; try again later * rate; your host; your ip; your server;
    your mail server; your network; your domain has been; the ip you're using; access denied * banned;
    server refused to talk to me; refused to talk; mass mail; unusual rate
    """
)

#: The size of the message.
_TOO_BIG = listed(
    """
    message too big; message too large; message is too big; message is too large; too big for system;
    message size exceed; message exceed* size; message * exceeds * maximum; message * larger than;
    mail size limit; size limit exceeded; size exceeds fixed; exceeds fixed maximum; exceeds fixed limit;
    exceeded fixed maximum; exceeds maximum message size; exceeds * size limit; exceeds size limit;
    exceeds * databytes; maximum message size; maximum size; max message size; message length exceed;
    message header size; header size exceeds; attachment too large; sizelimit; size limit
    """
)

#: The size of the mailbox.
_MAILBOX_FULL = listed(
    """
    mailbox full; mailbox is full; mailbox has exceeded; mailbox exceed; mailbox size; mailbox limit;
    mailbox * full; mail box full; mail box is full; mailfolder is full; mail folder is full; mailbox over;
    inbox is full; inbox full; inbox is out of storage; account is full; account full; mbox full; over quota;
    overquota; over-quota; over disk quota; out of quota; quota exceed; quota * exceed; exceed* quota;
    exceed* the quota; exceeding their quota; quota violation; quota full; quota limit; disk quota;
    disc quota; storage quota; mailbox quota; quota for; exhausted allowed storage; zuviele mails;
    boite pleine; boite du destinataire pleine; i.ua/err/4/; inode limit; user has exceeded;
    boite aux lettres pleine; buzon lleno;
    mailbox lleno; casella piena; exceeded storage;
    exceeds allowed size; exceeds storage; exceeded * storage; exceeded local limit;
    exceeded the local limit; recipient storage full; insufficient disk space for; not enough disk space;
    not enough free space; not enough storage space; no space left * mailbox; too much mail data;
    too many messages in; too many mails in; delivery failed: over quota; maildir over quota;
    maildir delivery failed: user; user has too many messages
    """
)

#: What the message says or how it is built.
_CONTENT = listed(
    """
    spam; junk mail; unsolicited; bulk mail; bulk email; virus; malware; infected; phish; banned content;
    content rejected; content denied; content filter; content presents; content * reject; message content;
    mail content; content policy; junkmail; prohibited content; suspicious content; attachment;
    bad header; header * invalid;
    invalid header; malformed; syntax error in header; improper use of 8-bit; 8bit; message looks like;
    message * looks like; contains * url; mail rejete; mail rejected. ofr_506; reject, id=; bayesian;
    message-id; missing header; not rfc; rfc 5322; rfc5322; rfc 2822; rfc822; bare lf; bare newlines;
    hop count
    """
)

#: Time ran out.
_EXPIRED = listed(
    """
    in the queue too long; queue too long; retry timeout; retry time not reached; envelope expired;
    queue.expired;
    message expired; delivery time expired; delivery expired; expired; could not deliver for the last;
    could not deliver * giving up; could not send message for; cannot send message for;
    cannot send message within; message could not be delivered for; could not be delivered * days;
    not delivered within; unable to deliver this message after; delivery failed * attempts;
    too many attempts; maximum delivery attempts; failing for a long time; long failure period;
    message too old; has been deferred; has been delayed; delivery * delayed; delayed; aborted after;
    not yet been delivered; not been collected; all hosts have been failing;
    no action is required on your part; timeout waiting; warning message only; been frozen; was frozen
    """
)

#: The way there: connections, loops, TLS.
_ROUTING = listed(
    """
    too many hops; hop count exceeded; routing loop; mail loop; mxloopback; invalid arguments;
    mail forwarding loop; message looping;
    loops back to myself; loop detected; mailloop; loop back; too many received; too many "received";
    best-preference mx; local configuration error; connection timed out; connection refused;
    connection reset; connection dropped; connection lost; connection closed; connection was dropped;
    connection failed; connection error; connection to mail exchanger failed; lost connection; timed out;
    timeout; no route to host; network is unreachable; network unreachable; host unreachable;
    host is unreachable; network error; not responding; did not respond; not reachable; unable to connect;
    could not connect; cannot connect; can't connect; couldn't connect;
    did not accept our requests to connect; socket error; establish an smtp connection; no smtp connection;
    could not find a gateway; dns error; nameserver * not respond; temporary name; mail server temporarily;
    server unavailable; starttls; tls handshake; tls required; must issue a starttls; deferred:;
    remote protocol error; no mx found that
    """
)

#: The mailbox exists and is closed, for now or for good.
_INACTIVE = listed(
    """
    account disabled; account is disabled; account has been disabled; account has been suspended;
    account has been deactivated; account has been locked; account suspended; account is suspended;
    account is locked; account locked; account is inactive; account inactive; account is not active;
    account not active; account is temporarily; account is currently; account is closed; account closed;
    account expired; account has expired; account deactivated; account that you tried to reach is disabled;
    account that you tried to reach is inactive; account * is disabled; account * is inactive;
    boite du destinataire archivee; mailbox disabled; mailbox is disabled; mailbox is inactive;
    mailbox inactive; mailbox is frozen; mailbox frozen; mailbox currently suspended; mailbox suspended;
    mailbox locked; user account is expired; mailbox deaktiviert; boite aux lettres desactivee;
    compte du destinataire est bloque; i.ua/err/3/; inactivo; nieaktywne; zablokowane;
    bloccato per inutilizzo; due to inactivity; is no longer valid;
    not currently being accepted for this mailbox; mailbox temporarily disabled; mailbox has been suspended;
    mailbox unavailable or access denied; mailbox not available * suspended; deactivated mailbox;
    disabled recipient; disabled user; recipient * is disabled; recipient * disabled; recipient suspend;
    recipient is inactive; inactive recipient; inactive user; user is inactive; user inactive;
    user suspended; user is suspended; user * disabled; user disabled; user blocked; user is blocked;
    account blocked; account is blocked; mailbox blocked; mailbox is blocked; user is disabled;
    disabled or discontinued; administratively disabled; administrativeley disabled;
    address is administratively; no longer in use; not activated; over quota and inactive;
    invalid/inactive user; is deactivated; temporarily limited
    """
)

#: The domain does not exist or takes no mail (null MX, RFC 7505).
_DEAD_DOMAIN = listed(
    """
    null mx; nullmx; indicated no smtp service; does not accept mail; does not accept email;
    doesn't receive email; domain does not receive; does not receive mail; host/domain does not accept;
    no mx found for domain; malformed or unexpected name server reply; malformed name server reply;
    couldn't find a mail exchanger;
    couldn't find any host; host or domain name not found; name service error for; host unknown;
    host name is unknown;
    unknown host; host not found; no such host; no such domain; unknown domain; domain unknown;
    domain not found; domain name not found; domain is unknown; domain is not reachable;
    domain does not exist; domain doesn't exist; domain doesnt exist; domain must exist;
    domain * does not exist; domain invalid; domain is invalid; domain is not valid; domain not exist;
    domain non-existent; non-existent domain; nonexistent domain; bad destination host;
    bad destination system; invalid domain; illegal host/domain; unrouteable address;
    unrouteable mail domain; unroutable address; unrouted address; name or service not known; nxdomain;
    dns server returned answer with no data; smtpsend.dns.nonexistentdomain;
    dns lookup failure: host * not found; mx records point to non-existent hosts; lookups failed permanently;
    name server: host not found; host * not found; mail domain mentioned in email address is unknown;
    account or domain may not exist; tenant or domain not found
    """
)

#: The other server says so about its own directory; no second witness is needed (Exchange, Domino, Notes,
#: IMail,
#: qmail, Postfix tables, Gmail, Yahoo, Orange, Verizon).
CERTAIN_USER = listed(
    """
    recipient name is not recognized; msexch:ims * unknown recipient;
    e-mail account does not exist at the organization; resolver.adr.recipnotfound;
    resolver.adr.recipientnotfound; resolver.adr.exrecipnotfound; does not exist in directory;
    not listed in domino directory; not listed in public name & address book; invalid final delivery userid;
    no mailbox here by that name; mailbox not found; i.ua/err/2/; this address no longer accepts mail;
    unknown local-part;
    unknown local part; user unknown in local recipient table; user unknown in virtual;
    user unknown in relay recipient table; not our customer; address couldn't be found; no longer on server;
    the email account that you tried to reach does not exist;
    email account that you tried to reach does not exist; no valid recipients for this mm;
    action not taken: no such user here; delivery error: dd this user doesn't have;
    destinataire invalide. invalid recipient; wrong or no longer valid; recipient address has been changed;
    user has moved; address no longer valid; has been replaced by; ディレクトリには見つかりません;
    ディレクトリのリストにありません
    """
)

#: Words for a mailbox that does not exist, in the languages in which servers speak.
UNKNOWN_USER = listed(
    """
    user unknown; unknown user; unknown or illegal user; unknown virtual user; unknown or illegal alias;
    unknown account; unknown address; unknown recipient; unknown mailbox; address_not_found;
    destinatario errato; no one with that; user invalid; find alias user; cannot deliver mail for;
    invalid destination; unknown e-mail address;
    unknown email address; unknown userid; unknown local; addressee unknown; address unknown;
    account unknown; mailbox unknown; recipient unknown; recipient * unknown; recipient unrecognized;
    recipient not recognized; recipient is not recognized; recipient not found; recipient was not found;
    recipient * not found; recipient address * not found; recipient does not exist;
    recipient * does not exist; recipient not exist; recipient no longer; recipient not ok;
    recipient is not local; recipient rejected; recipient invalid; recipient * invalid; invalid recipient;
    invalid mailbox; mailbox is not allowed; invalid user; invalid address; invalid account;
    invalid email; invalid e-mail;
    address invalid; address is invalid; address not found; address does not exist; address * does not exist;
    address doesn't exist; address could not be found; address was not found; not known to this system;
    no such mail drop; doesn't handle mail for that user; nie ma takiego konta; address is not valid;
    not a valid; not a known user; not valid user; not known; not known at; user not found; user * not found;
    user not known; user not exist; user not local; user does not exist; user doesn't exist;
    user * does not exist; user * doesn't exist; user is not; user not active; user unavailable;
    non-existent user; non existent user; nonexistent user; no such user; no such recipient; no such mailbox;
    no such address; no such account; no such person; no such email; no such mail; no such id;
    no such local user; no such alias; no such virtual user; no mailbox; no mail-box; no mail box;
    no account; no user; no recipient; no one at this address; no person; no valid recipient;
    not a local address; not an active address; does not have an account; doesn't have an account;
    doesn't have a * account; does not have a * account; bad destination mailbox; bad destination email;
    bad destination; bad address; bad recipient; bad-recipient; bad_recipient; badrcptto; mailbox not found;
    mailbox does not exist; mailbox doesn't exist; mailbox * does not exist; mailbox invalid;
    mailbox unavailable; mailbox is unavailable; mailbox not available; mailbox not present;
    mailbox name not allowed; mailbox * unavailable; account not found; account does not exist;
    account doesn't exist; account * does not exist; account unavailable; account is unavailable;
    account not available; can't accept user; does not like recipient; not exist; undeliverable address;
    archived recipient; destinataire invalide; destinataire inconnu; destinataire * invalide;
    utilisateur inconnu; adresse inconnue; n'existe pas; usuario desconocido; desconocido; no existe;
    utente sconosciuto;
    sconosciuto; nie istnieje; unbekannt; doesn't exist; is unknown; inconnu; inexistent; nao existe;
    não existe; desconhecido; inesistente; onbekend;
    не существует; не найден; 不存在;
    存在しません; 見つかりません; _not found;
    inactive email address; address rejected; has moved; user moved; disabled address
    """
)

#: Refusals that give no reason.
VAGUE = listed(
    """
    policy; policies; prohibited; not allowed; not permitted; not authorized; not authorised; unauthorized;
    authentication required; access denied; denied; forbidden; refused; rejected; blocked; restricted;
    security; transaction failed; too many recipients
    """
)

#: Tried in this order.
BY_CAUSE: Sequence[tuple[Cause, Sequence[str]]] = (
    (Cause.POLICY, _SENDER),
    (Cause.ROUTING, _RELAY),
    (Cause.AUTHENTICATION, _AUTHENTICATION),
    (Cause.MAILBOX_FULL, _MAILBOX_FULL),
    (Cause.TOO_BIG, _TOO_BIG),
    (Cause.INACTIVE, _INACTIVE),
    (Cause.REPUTATION, _REPUTATION),
    (Cause.EXPIRED, _EXPIRED),
    (Cause.ROUTING, _LOOKUP_FAULT),
    (Cause.OTHER, _LOCAL),
    (Cause.BAD_DOMAIN, _DEAD_DOMAIN),
    (Cause.UNKNOWN_USER, CERTAIN_USER),
    (Cause.ROUTING, _ROUTING),
    (Cause.CONTENT, _CONTENT),
    (Cause.UNKNOWN_USER, UNKNOWN_USER),
)
