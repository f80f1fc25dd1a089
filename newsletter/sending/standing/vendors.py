"""What each kind of provider asks of the DNS of its customers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """A provider's part in SPF and DKIM."""

    #: Whether we hand over to servers of our own choice.
    smtp: bool = False
    #: What its customers include in the SPF record of the sender's domain; empty: MAIL FROM is its own.
    include: str = ""
    #: Selectors that it gives to everybody; empty: each customer has their own.
    selectors: tuple[str, ...] = ()
    #: Where it shows the records to publish.
    where: str = ""


VENDORS: Mapping[str, Vendor] = {
    "smtp": Vendor(smtp=True),
    "outbox": Vendor(smtp=True),
    # https://docs.aws.amazon.com/ses/latest/dg/mail-from.html
    "ses": Vendor(where="SES console → Identities → your domain → DKIM: three CNAME records"),
    "sendgrid": Vendor(
        selectors=("s1", "s2"), where="SendGrid → Settings → Sender Authentication → your domain"
    ),
    # https://documentation.mailgun.com/docs/mailgun/user-manual/domains/domains-verify
    "mailgun": Vendor(include="mailgun.org", where="Mailgun → Sending → Domains → DNS records"),
    "postmark": Vendor(where="Postmark → Sender Signatures → your domain → DNS settings"),
    "resend": Vendor(selectors=("resend",), where="Resend → Domains → your domain → DNS records"),
    "brevo": Vendor(
        include="spf.brevo.com",
        selectors=("brevo1", "brevo2", "mail"),
        where="Brevo → Senders, Domains & Dedicated IPs → your domain",
    ),
}


def of(kind: str) -> Vendor:
    """Return what a kind of provider asks for; an unknown one asks for nothing."""
    return VENDORS.get(kind, Vendor())
