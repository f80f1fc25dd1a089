"""The words in which servers say that a domain or a mailbox does not exist: what may make a refusal hard.

From the servers' sources, manuals and postmaster pages; `phrases` says how they are written.
"""

from __future__ import annotations

from newsletter.bounces import phrases

#: The domain does not exist or takes no mail (null MX, RFC 7505).
DEAD_DOMAIN = phrases.listed(
    """
    null mx; nullmx; indicated no smtp service; doesn't receive email; domain does not receive;
    does not receive mail; host/domain does not accept; no mx found for domain;
    malformed or unexpected name server reply; couldn't find a mail exchanger; couldn't find any host;
    host or domain name not found; name service error for; host unknown; host name is unknown;
    unknown host; host not found; no such host; no such domain; unknown domain; domain unknown;
    domain not found; domain name not found; domain is unknown; domain is not reachable;
    domain does not exist; domain doesn't exist; domain doesnt exist; domain must exist; domain invalid;
    domain is invalid; domain is not valid; domain not exist; domain non-existent; non-existent domain;
    nonexistent domain; bad destination host; bad destination system; invalid domain; illegal host/domain;
    unrouteable address; unroutable address; unrouted address; name or service not known; nxdomain;
    dns server returned answer with no data; smtpsend.dns.nonexistentdomain;
    mx records point to non-existent hosts; lookups failed permanently; name server: host not found;
    mail domain mentioned in email address is unknown; account or domain may not exist;
    tenant or domain not found; find the recipient domain; no mx record found for;
    remote domain doesnt exist; remote domain doesn't exist; recipient domain must exist;
    recipient domain not found; bad recipient domain; non existent domain; no dns entry; domain has no mx;
    no mail exchanger; no mx or a records; no a or mx; responded with code nxdomain; domain not hosted;
    dominio inexistente; dominio no existe; dominio * no existe; domain nicht gefunden; domaine inconnu;
    domaine * n'existe pas; домен не существует; 域名不存在; ドメインが存在しません;
    ドメインが見つかりません; host does not accept; domain does not accept;
    dns lookup failure: host not found
    """
)

#: The other server says so about its own directory; no second witness is needed (Exchange, Domino, Notes,
#: IMail, qmail, Postfix tables, Gmail, Yahoo, Orange, Verizon).
CERTAIN_USER = phrases.listed(
    """
    recipient name is not recognized; msexch:ims * unknown recipient;
    e-mail account does not exist at the organization; resolver.adr.recipnotfound;
    resolver.adr.recipientnotfound; resolver.adr.exrecipnotfound; does not exist in directory;
    not listed in domino directory; not listed in public name & address book;
    invalid final delivery userid; no mailbox here by that name; i.ua/err/2/;
    this address no longer accepts mail; unknown local-part; unknown local part;
    user unknown in local recipient table; user unknown in virtual; user unknown in relay recipient table;
    not our customer; address couldn't be found; no longer on server;
    the email account that you tried to reach does not exist;
    email account that you tried to reach does not exist; no valid recipients for this mm;
    action not taken: no such user here; delivery error: dd this user doesn't have;
    destinataire invalide. invalid recipient; wrong or no longer valid; recipient address has been changed;
    user has moved; address no longer valid; has been replaced by; ディレクトリには見つかりません;
    ディレクトリのリストにありません; mail action aborted, mailbox not found
    """
)

#: Words for a mailbox that does not exist, in the languages in which servers speak.
UNKNOWN_USER = phrases.listed(
    """
    user unknown; unknown user; unknown or illegal user; unknown virtual user; unknown or illegal alias;
    unknown account; unknown address; unknown recipient; unknown mailbox; address_not_found;
    destinatario errato; no one with that; user invalid; find alias user; cannot deliver mail for;
    invalid destination; unknown e-mail address; unknown email address; unknown userid; unknown local;
    addressee unknown; address unknown; account unknown; mailbox unknown; recipient unknown;
    recipient * unknown; recipient unrecognized; recipient not recognized; recipient is not recognized;
    recipient not found; recipient was not found; recipient * not found; recipient address * not found;
    recipient does not exist; recipient * does not exist; recipient not exist; recipient no longer;
    recipient not ok; recipient is not local; recipient rejected; recipient invalid; recipient * invalid;
    invalid recipient; invalid mailbox; mailbox is not allowed; invalid user; invalid address;
    invalid account; invalid email; invalid e-mail; address invalid; address is invalid; address not found;
    address does not exist; address * does not exist; address doesn't exist; address could not be found;
    address was not found; not known to this system; no such mail drop; doesn't handle mail for that user;
    nie ma takiego konta; address is not valid; not a valid; not a known user; not valid user; not known;
    not known at; user not found; user * not found; user not known; user not exist; user not local;
    user does not exist; user doesn't exist; user * does not exist; user * doesn't exist; user is not;
    user not active; user unavailable; non-existent user; non existent user; nonexistent user;
    no such user; no such recipient; no such mailbox; no such address; no such account; no such person;
    no such email; no such mail; no such id; no such local user; no such alias; no such virtual user;
    no mailbox; no mail-box; no mail box; no account; no user; no recipient; no one at this address;
    no person; no valid recipient; not a local address; not an active address; does not have an account;
    doesn't have an account; doesn't have a * account; does not have a * account; bad destination mailbox;
    bad destination email; bad destination; bad address; bad recipient; bad-recipient; bad_recipient;
    badrcptto; mailbox not found; mailbox does not exist; mailbox doesn't exist; mailbox * does not exist;
    mailbox invalid; mailbox unavailable; mailbox is unavailable; mailbox not available;
    mailbox not present; mailbox name not allowed; mailbox * unavailable; account not found;
    account does not exist; account doesn't exist; account * does not exist; account unavailable;
    account is unavailable; account not available; can't accept user; does not like recipient; not exist;
    undeliverable address; destinataire invalide; destinataire inconnu; destinataire * invalide;
    utilisateur inconnu; adresse inconnue; n'existe pas; usuario desconocido; desconocido; no existe;
    utente sconosciuto; sconosciuto; nie istnieje; unbekannt; doesn't exist; is unknown; inconnu;
    inexistent; nao existe; não existe; desconhecido; inesistente; onbekend; не существует; не найден;
    不存在; 存在しません; 見つかりません; _not found; inactive email address; address rejected; has moved;
    user moved; disabled address; mailbox unavaiable; address not present; not present in directory;
    addresses were unknown; server rejected recipients; not email addresses; invalid-recipient;
    userunknown; recipient is not accepted; recipient refuses; recipient notfound; recipientnotfound;
    recipnotfound; envelope recipient has been denied; recipients was undeliverable; badrecipientto;
    not in my validrcptto; validrcptto; in name directory; recipient mailbox is not; rcp-p1; int-p1;
    int-p3; int-p4; no such recipient here; recipient address unknown; no longer a valid; user no longer;
    no longer exists; no longer here; no longer works; no longer employed; unknown to; no local mailbox;
    no local user; not our user; no such maildrop; user doesn't; no matching recipient; recipient not in;
    not in our directory; not in directory; unable to find recipient; unable to find user; nobody here by;
    nobody by that name; nessun utente; utente non trovato; utente inesistente; casella inesistente;
    destinatario inesistente; destinatario sconosciuto; indirizzo inesistente; indirizzo non trovato;
    usuario no existe; usuario inexistente; destinatario no encontrado; no se encontro; cuenta inexistente;
    no se ha encontrado; no ha sido encontrad; usuario nao; destinatario desconhecido; nao foi encontrad;
    nao encontrad; no encontrad; non trovat; conta inexistente; nicht gefunden; existiert nicht;
    kein solcher; kein postfach; unbekannter; nicht bekannt; ungultige empfanger; ungultiger empfanger;
    pas ete trouve; introuvable; destinataire n'existe; adresse invalide; bestaat niet; niet gevonden;
    gebruiker onbekend; finns inte; ei ole olemassa; findes ikke; okand mottagare; neexistuje; nem letezik;
    bulunamadi; nie znaleziono; brak takiego; uzytkownik nieznany; нет такого; неизвестный пользователь;
    пользователь неизвестен; не зарегистрирован; несуществующ; немає такого; 无此用户; 用户未找到;
    收件人不存在; 查無; 找不到; 宛先不明; 見つかりませんでした; 存在しない; 존재하지;
    recipient cannot be verified; cannot verify recipient; recipient verification failed;
    recipient verify failed; user * not ok; address lookup * failed; recipient * could not be verified;
    marked as invalid; not in recipient list; not in the recipient list; unallocated
    """
)
