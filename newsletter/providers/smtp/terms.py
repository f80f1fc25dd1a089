"""What a server offers after EHLO, and what of it we may use."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.domain.replies import Reply


@dataclass(frozen=True, kw_only=True)
class Terms:
    """The service extensions of one session (RFC 5321 §4.1.1.1)."""

    #: The name the server gives itself.
    name: str = ""
    #: Bytes of one message (RFC 1870); 0: no limit told.
    size: int = 0
    auth: frozenset[str] = frozenset()
    starttls: bool = False
    pipelining: bool = False
    chunking: bool = False
    eight_bit: bool = False
    utf8: bool = False
    dsn: bool = False

    def __str__(self) -> str:
        words = [word for word, has in self._words() if has]
        return f"{self.name} offers {', '.join(words) or 'nothing beyond plain SMTP'}"

    def _words(self) -> tuple[tuple[str, bool], ...]:
        return (
            ("STARTTLS", self.starttls),
            (f"AUTH {' '.join(sorted(self.auth))}", bool(self.auth)),
            (f"SIZE {self.size}", bool(self.size)),
            ("PIPELINING", self.pipelining),
            ("CHUNKING", self.chunking),
            ("8BITMIME", self.eight_bit),
            ("SMTPUTF8", self.utf8),
            ("DSN", self.dsn),
        )


def read(reply: Reply) -> Terms:
    """Read the answer to EHLO; lines that we do not know are passed over."""
    first, *lines = reply.text.split("\n")
    # “AUTH=LOGIN” is how servers older than RFC 2554 wrote it.
    offers = {line.replace("=", " ", 1).split()[0].upper(): line for line in lines if line.split()}
    return Terms(
        name=(first.split() or [""])[0],
        size=_number(offers.get("SIZE", "")),
        auth=frozenset(offers.get("AUTH", "").replace("=", " ").upper().split()[1:]),
        starttls="STARTTLS" in offers,
        pipelining="PIPELINING" in offers,
        chunking="CHUNKING" in offers,
        eight_bit="8BITMIME" in offers,
        utf8="SMTPUTF8" in offers,
        dsn="DSN" in offers,
    )


def _number(line: str) -> int:
    words = line.split()
    return int(words[1]) if len(words) == 2 and words[1].isascii() and words[1].isdigit() else 0
