"""The words in which servers refuse for any other reason, by cause.

From the servers' sources, manuals and postmaster pages; `phrases` says how they are written.
"""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.bounces import absences, phrases
from newsletter.domain.events import Cause

#: The sender is refused, or the reader or a filter of theirs does not want this one (Exim callouts,
#: Sender ID, Facebook's RCP-P2, Exchange's RESOLVER.RST, members-only lists, i.ua).
_SENDER = phrases.listed(
    """
    domain of sender address; sender address rejected; sender rejected; sender denied; sender refused;
    sender verify failed; sender verification failed; sender domain; from domain; your domain * not;
    resolve your domain; resolve sender; resolve from; all recipient addresses rejected;
    sender address * not; sender * rejected; sender is on; sender not allowed; sender not pre-approved;
    senders are not allowed; unroutable sender; unrouteable sender; invalid sender; bad sender;
    unknown sender; emetteur invalide; purported responsible address; mail from * not owned;
    mail from * rejected; not accepting mail from; does not accept mail from; not accept mail from;
    won't accept mail from; null sender; empty envelope sender; envelope sender; badmailfrom;
    envelope blocked; envelope rejected; blocked senders; administrative prohibition;
    not a registered gateway user; not authorized to send; not allowed to send; not permitted to send;
    not allowed to post; permission to post; not have permission to submit;
    only accept* from authenticated; restricted sender; senderfilterconfig; members-only; members only;
    not member; not a member; are not a subscriber; backscatter protection; from: domain;
    multiple addresses in from; blocked by the recipient; blocked by recipient; recipient preferences;
    user rules; rejected by recipient; recipient has refused; user refuses; refuse to receive;
    refused by recipient; recipient's filter; user reject; only accepting mail from specific;
    is protected by; is not accepting any mail; has restricted sms; message filtered; resolver.rst.auth;
    resolver.rst.notauthorized; resolver.rst.restricted; delivery restriction; administrator * restrict;
    cannot route mail to user; badsendermx; sendernoa; valid-address-filter; empty email address;
    fully qualified email address required; fully qualified sender; outgoing mail suspension;
    returned mail not accepted; different address or alias; submit messages to this; dead domain;
    reject mail from; blank from; blank sender; sender was not; sender not in; mail sending denied;
    permanently deferred; check sender; sender envelope domain; sender listed; sender blocked;
    blocked sender; sender is not; senders not allowed; spam reporting address; rejected by recipients;
    not accepting mail with; mail from domain; mailfrom domain; valid sender; valid from; not pre-approved;
    you are not allowed to post; not found recipient account; closed mailing list; closed list;
    not subscribed to this; resolver.rst.sendernotauthenticated; rcp-p2; rcp-p3; banned sender; i.ua/err/8;
    i.ua/err/10; user refused; sender email; verify mailfrom; mailfrom failed; is mismatched;
    mismatched with; bounced by administrator; message bounced by; no permit; user does not accept;
    recipient does not accept; mailbox does not accept;
    fake sender; no access for this; spoof; from:domain must resolve
    """
)

#: The mailbox's own machinery failed: procmail, a pipe, LDAP, a disk, a server out of order.
_LOCAL = phrases.listed(
    """
    procmail:; couldn't create; can't create output; cannot open file; unknown mailer error;
    command died with; mailer died with; mailer error; local delivery failed; delivery to pipe;
    delivery to file; pipe to; error writing message; bad interpreter; no such file or directory;
    permission denied; lmtp error; missing home directory; homedir creator; ldap lookup;
    ldap server unavailable; contact ldap; login into ldap; search on ldap; ldap attribute; internal error;
    internal system error; internal server error; system error; local error; insufficient system storage;
    insufficient system resources; system resource; configuration error; service unavailable;
    service currently unavailable; service not available; service refuse; improper sequence; bad sequence;
    command failed:; command output:; output file; load drd; interrupted system call; encountered an error;
    queue file write; no mdb; misconfigured; system config error; local problem; system problem;
    temporary problem; mail system full; qmail-forward; several matches found; resolver.adr.ambiguous;
    resolver.adr.badprimary; resolver.adr.invalidinsmtp; recipient address * ambiguous;
    ambiguous recipient; error in processing; server busy; out of memory; temporarily unavailable;
    maintenance; command parameter not implemented; unrecognized command; command unrecognized;
    command not recognized; syntax error, command; out of sequence; busy, try; i/o error;
    input/output error; is broken; can not open; can't open; auth failed; resources temporarily;
    system * busy;
    trouble in home; verification problem; qq trouble
    """
)

#: The resolver's passing faults: they say nothing about the domain.
_LOOKUP_FAULT = phrases.listed(
    """
    host not found, try again; dns lookup failed; temporary failure in name resolution;
    temporary lookup failure; name server timeout; dns query failed; dns timeout; dns server failure;
    server failure; host name lookup failure; domain lookup failed; lookup failure * try again;
    could not resolve * try again; lookups deferred; unable to resolve
    """
)

#: The server does not feel responsible for the domain.
_RELAY = phrases.listed(
    """
    relay access denied; relay denied; relaying denied; relay prohibited; relaying prohibited;
    relay not permitted; relaying not permitted; relay not allowed; relaying not allowed;
    relay not authorized; relaying is; no relay; not relay; not a gateway; unable to relay;
    configured to relay; allowed to relay; cannot relay; can't relay; open relay; mail relay;
    relay operation rejected; relaying mail to; relay error; must * authenticate * before;
    allowed rcpthosts; not configured to accept mail; not local host;
    that domain isn't allowed to be relayed; as a relay; address is not verified; to relay through;
    non-local e-mail address; we don't handle mail for; we do not handle mail for; credentials for relay;
    allowed rcpthost; don't relay; do not relay; not relaying; i.ua/err/1/; i.ua/err/6/;
    isn't in my list of; relaying to; unauthorized relay; local user only; local users only;
    relaying disallowed; relay disallowed; no smtp mx only
    """
)

#: SPF, DKIM, DMARC.
_AUTHENTICATION = phrases.listed(
    """
    spf record; spf check; spf fail; spf policy; spf validation; _spf:; spf (; (spf); spf hard;
    spf alignment; violates spf; openspf; spf.pobox; sender policy framework; dmarc; dkim;
    unauthenticated email; unauthenticated mail; does not have authentication information;
    authentication checks; sender unauthenticated; sender is unauthenticated; fails to pass authentication;
    your spf; spf settings; spf authentication; domain authentication fail; invalid spf; sender id (pra);
    domainkeys; dkim signature; is not allowed to send mail. lpn; gmail requires all
    """
)

#: The sending host or network: block lists, reverse DNS, HELO, rate and volume (Hotmail's SC-00x, Outlook's
#: S3150, Yahoo's TS0x, the limits of Google, Microsoft, GoDaddy, Cox and Tencent).
_REPUTATION = phrases.listed(
    """
    spamhaus; spamcop; sorbs; barracudacentral; abuseat; dnsbl; _aup#; dnswl; uceprotect; senderscore;
    senderbase; _rbl; rbl_; block list; blocklist; blacklist; black list; blocked using; blocked by;
    block * see http; blocked for; is blocked; been blocked; was blocked because of; banned sending ip;
    _banned; reputation; reverse dns; rdns; ptr record; ptr lookup; ptr for; no ptr; no matching ptr;
    client host; command rejected: host not found; need fully-qualified hostname; cannot resolve your;
    resolve your address; cannot find your hostname; cannot find your reverse; fix reverse;
    hostname * not match; domain * mismatches client ip; _helo; _ehlo; greylist; graylist; greylisted;
    dynamic ip; dynamic-ip; dial-up; _(sc-00; _(dy-00; _(ou-00; _sc-00; _dy-00; _ou-00; dynamic address;
    use the smtp server of your isp; your isp; generic hostname; bad reverse; ip address * rejected;
    _ip * rejected; ip frequency; ip address * deferred; s3150; s3140; bl000; [ts0; [tss0;
    temporarily deferred due to; unexpected volume; user complaints; too many connections;
    too many sessions; ips blocked; ip is listed; connection rate; rate limit; rate control;
    rate that prevents; too many messages; too many concurrent; too many emails; too much mail; mail rate;
    throttl; try again later * rate; your host; your ip; your server; your mail server; your network;
    your domain has been; the ip you're using; access denied * banned; server refused to talk to me;
    refused to talk; mass mail; unusual rate; refused - see; blocked - see; rejected - see;
    confirm this mail server; requires confirmation; not accepting connections; bad ip; bad sender ip;
    go away; host network not allowed; host network, not allowed; invalid ip; access from mail server;
    access from ip; open proxy; ip address has been; mail from refused:; listed as abusive;
    many invalid recipients; too many recipients; 550 blocked; no valid recipients from;
    not allowed to connect; unwanted messages; sending mta; connection limit; per-domain connection;
    emails per hour; messages this hour; recipients this hour; per hour message; slower; too quickly;
    sending limit; relay limit; sending quota; daily message quota; sending rate; exceeded their limit;
    frequency limited; exceeded permitted limits; smtp sessions; concurrent smtp; trop de connexions;
    too many errors; too many bad commands; ptr resource; forward dns; relay host name; sending ips;
    name lookup failed; unverifyable; rbl reject; multi-blacklist; mailbox * receiving too many;
    recipient thread limit; storedrv.deliver; cloudmark; abus detecte; adresse ip source bloquee;
    not currently accepting mail from; customer block list; tenant has exceeded; bad helo; bounce attacks;
    connection denied; connection rejected; no access from; suspected spam ip; matches to nameserver query;
    rate limited; hotmail * s3; unexpected * volume; excessive volume; i.ua/err/5/; i.ua/err/7/;
    i.ua/err/9/; (rtr:; (con:b; (rly:; (dyn:; a problem occurred. (ask your postmaster;
    _ip is
    """
)

#: The size of the message.
_TOO_BIG = phrases.listed(
    """
    message too big; message too large; message is too big; message is too large; too big for system;
    message size exceed; message exceed* size; message * exceeds * maximum; message * larger than;
    mail size limit; size limit exceeded; size exceeds fixed; exceeds fixed maximum; exceeds fixed limit;
    exceeded fixed maximum; exceeds maximum message size; exceeds * size limit; exceeds size limit;
    exceeds * databytes; maximum message size; maximum size; max message size; message length exceed;
    message header size; header size exceeds; attachment too large; sizelimit; size limit;
    inbound message size; incoming message size; line limit exceeded; message file too big; taille limite;
    header size; exceeds policy limit; limit of * attachments; size limits; nachricht zu gro;
    demasiado grande; troppo grande; trop volumineux
    """
)

#: The size of the mailbox.
_MAILBOX_FULL = phrases.listed(
    """
    mailbox full; mailbox is full; mailbox has exceeded; mailbox exceed; mailbox size; mailbox limit;
    mailbox * full; mail box full; mail box is full; mailfolder is full; mail folder is full; mailbox over;
    inbox is full; inbox full; inbox is out of storage; account is full; account full; mbox full;
    over quota; overquota; over-quota; over disk quota; out of quota; quota exceed; quota * exceed;
    exceed* quota; exceed* the quota; exceeding their quota; quota violation; quota full; quota limit;
    disk quota; disc quota; storage quota; mailbox quota; quota for; exhausted allowed storage;
    zuviele mails; boite pleine; boite du destinataire pleine; i.ua/err/4/; inode limit; user has exceeded;
    boite aux lettres pleine; buzon lleno; mailbox lleno; casella piena; exceeded storage;
    exceeds allowed size; exceeds storage; exceeded * storage; exceeded local limit;
    exceeded the local limit; recipient storage full; insufficient disk space for; not enough disk space;
    not enough free space; not enough storage space; no space left * mailbox; too much mail data;
    too many messages in; too many mails in; delivery failed: over quota; maildir over quota;
    maildir delivery failed: user; user has too many messages; diskspace; disk space limit;
    have enough space; full mailbox; allowed quota; maximum allowed storage; space has been used;
    over the quota; storage limit; account storage; mailbox would exceed; quota usage; out of storage;
    exceeding receiving limits; exceeding its mailbox; mailbox storage; mail quota; too many messages on;
    insufficient storage in; recipient overquota; postfach voll; postfach ist voll; mailbox voll;
    kontingent * berschritten; speicherplatz; caixa * cheia; caixa postal cheia; skrzynka * pelna;
    schranka * plna; ящик переполнен; ящик получателя переполнен; превышен * квот; 邮箱已满; 邮箱空间不足;
    容量を超; 容量オーバー; 容量制限; いっぱい; space not enough; space limit; no space
    """
)

#: What the message says or how it is built.
_CONTENT = phrases.listed(
    """
    spam; junk mail; unsolicited; bulk mail; bulk email; virus; malware; infected; phish; banned content;
    content rejected; content denied; content filter; content presents; content * reject; message content;
    mail content; content policy; junkmail; prohibited content; suspicious content; bad header;
    header * invalid; invalid header; malformed; syntax error in header; improper use of 8-bit; 8bit;
    message looks like; message * looks like; contains * url; mail rejete; mail rejected. ofr_506;
    reject, id=; bayesian; missing header; not rfc; rfc 5322; rfc5322; rfc 2822; bare lf; bare newlines;
    hop count; duplicate header; multiple * header; header error; missing a valid; header are not accepted;
    mime headers; mime complexity; pattern detection; uribl; surbl; executable files; unacceptable content;
    detected that this message; stray linefeed; stray line; binary content; unnecessary base64;
    contains prohibited; potentially executable; mail is likely; url in message; bulk.advertising;
    reject bulk; message refused by; contenu indesirable; unerwunscht; 垃圾邮件; спам; (hvu:; url blocked;
    mime/reject; mail data refused; mail * is rejected; character set; invalid data; attachment extension;
    attachment type; attachment is; attachments are; illegal attachment; attachment blocked;
    attachment rejected; attachment not; executable attachment; prohibited attachment; banned attachment;
    attached file; attachment has; other attachments; form of attachment; message-id header;
    message-id: header; missing message-id; no message-id; duplicated message-id; valid message-id;
    same message-id; rfc822 compliant; rfc 822; suspicious attachment; number of attachments
    """
)

#: Time ran out.
_EXPIRED = phrases.listed(
    """
    in the queue too long; queue too long; retry timeout; retry time not reached; envelope expired;
    queue.expired; message expired; delivery time expired; delivery expired; expired;
    could not deliver for the last; could not deliver * giving up; could not send message for;
    cannot send message for; cannot send message within; message could not be delivered for;
    could not be delivered * days; not delivered within; unable to deliver this message after;
    delivery failed * attempts; too many attempts; maximum delivery attempts; failing for a long time;
    long failure period; message too old; has been deferred; has been delayed; delivery * delayed; delayed;
    aborted after; not yet been delivered; not been collected; all hosts have been failing;
    no action is required on your part; timeout waiting; warning message only; been frozen; was frozen;
    failed to deliver to domain; multiple retries; allowed queue period; message timed out;
    in the queue for; warning: could not send; message could not be sent for; retry limit; gave up;
    max retry
    """
)

#: The way there: connections, loops, TLS.
_ROUTING = phrases.listed(
    """
    too many hops; hop count exceeded; routing loop; mail loop; mxloopback; invalid arguments;
    mail forwarding loop; message looping; loops back to myself; loop detected; mailloop; loop back;
    too many received; too many "received"; best-preference mx; local configuration error;
    connection timed out; connection refused; connection reset; connection dropped; connection lost;
    connection closed; connection was dropped; connection failed; connection error;
    connection to mail exchanger failed; lost connection; timed out; timeout; no route to host;
    network is unreachable; network unreachable; host unreachable; host is unreachable; network error;
    not responding; did not respond; not reachable; unable to connect; could not connect; cannot connect;
    can't connect; couldn't connect; did not accept our requests to connect; socket error;
    establish an smtp connection; no smtp connection; could not find a gateway; dns error;
    nameserver * not respond; temporary name; mail server temporarily; server unavailable; starttls;
    tls handshake; tls required; must issue a starttls; deferred:; remote protocol error; no mx found that;
    forwarding loop; loop count; loop broken; create a mail loop; loop was found; too many received:;
    records for the destination computer; malformed name server reply; unrouteable mail domain;
    unable to resolve route; mx loop; hostname used for inbounds; circular; configured in a loop;
    no healthy; bad mx record
    """
)

#: The mailbox exists and is closed, for now or for good.
_INACTIVE = phrases.listed(
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
    not currently being accepted for this mailbox; mailbox temporarily disabled;
    mailbox has been suspended; mailbox unavailable or access denied; mailbox not available * suspended;
    deactivated mailbox; disabled recipient; disabled user; recipient * is disabled; recipient * disabled;
    recipient suspend; recipient is inactive; inactive recipient; inactive user; user is inactive;
    user inactive; user suspended; user is suspended; user * disabled; user disabled; user blocked;
    user is blocked; account blocked; account is blocked; mailbox blocked; mailbox is blocked;
    user is disabled; disabled or discontinued; administratively disabled; administrativeley disabled;
    address is administratively; no longer in use; not activated; over quota and inactive;
    invalid/inactive user; is deactivated; temporarily limited; currently suspended; temporary locked;
    temporarily locked; archived recipient; inactive account; has been suspended; temporarily suspended;
    account has been temporarily; user is terminated; account terminated; temporarily inactive;
    cannot be accessed; account isblocked; recipient account is; account disabled temporar; deactivated;
    banned recipient; domain is disabled; recipient suspended; account is on hold; account has been closed;
    account has been terminated; konto gesperrt; konto deaktiviert; postfach gesperrt;
    cuenta * desactivada; cuenta * suspendida; conta * desativada; compte * desactive; заблокирован;
    отключен; 停用; 禁用; 停止されて; rcp-t4; account inbounds disabled; now disabled; status is locked;
    receiving disabled; ha expirado; mailbox expired; expired account; is expired;
    user hangup
    """
)

#: Rules that name no cause, and senders who should log in.
_POLICY = phrases.listed(
    """
    policy reasons; security policies; security policy; local policy; site policy; denied by policy;
    rejected by policy; policy violation; policy error; policy that prohibit; restricted by policy;
    due to policy; blocked by policy; protocol violation; organizational settings; authentication required;
    authentication fail; authentication credentials; credentials invalid; authentication data;
    username and password; authentication turned on; not authenticate; subscribed to ses;
    unauthenticated senders; verification failure; outbound scanning; encryption; no identity changes;
    message refused, policy; delivery not authorized; authentification; captcha; requires authentication;
    not accepted for policy;
    message not allowed; mail action aborted
    """
)

#: Refusals that give no reason.
VAGUE = phrases.listed(
    """
    policy; policies; prohibited; not allowed; not permitted; not authorized; not authorised; unauthorized;
    authentication required; access denied; denied; forbidden; refused; rejected; blocked; restricted;
    security; transaction failed; too many recipients
    """
)

#: Tried in this order: the first cause with a match wins, so one that says more about a refusal stands before
#: one that says less.
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
    (Cause.BAD_DOMAIN, absences.DEAD_DOMAIN),
    (Cause.UNKNOWN_USER, absences.CERTAIN_USER),
    (Cause.ROUTING, _ROUTING),
    (Cause.CONTENT, _CONTENT),
    (Cause.POLICY, _POLICY),
    (Cause.UNKNOWN_USER, absences.UNKNOWN_USER),
)
