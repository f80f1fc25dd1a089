"""Which tool wrote a file of subscribers, and what its columns and words mean to us.

One row of a table per tool; a new tool is a new row, with its test. Whatever a file says, a
word that is not understood never makes anybody active.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.domain.subscribers import Status

ACTIVE, PENDING, UNSUBSCRIBED = Status.ACTIVE, Status.PENDING, Status.UNSUBSCRIBED
BOUNCED, COMPLAINED = Status.BOUNCED, Status.COMPLAINED

#: From the most to the least willing: of several things a row says, the least willing holds.
CAUTION = (ACTIVE, PENDING, BOUNCED, UNSUBSCRIBED, COMPLAINED)


@dataclass(frozen=True, kw_only=True)
class Words:
    """A column whose words name a status. A word that is not listed holds its row as pending."""

    column: str
    meanings: Mapping[str, Status]
    otherwise: Status = PENDING


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A column that, with anything in it, means a status: ``unsubscribed_at``."""

    column: str
    status: Status = UNSUBSCRIBED


@dataclass(frozen=True, kw_only=True)
class Format:
    """How one tool writes its subscribers."""

    name: str
    #: Columns that together give the tool away.
    marks: frozenset[str] = frozenset()
    rules: Sequence[Words | Filled] = ()
    #: What every row of such a file is, before its rules are asked.
    status: Status = ACTIVE
    #: What stands between two tags in one cell.
    tags: str = ","
    #: How dates are written where they are not ISO 8601.
    date: str = ""
    #: Columns beside `ALIASES`, by what they hold.
    columns: Mapping[str, str] = field(default_factory=dict)
    #: Addresses that are no people.
    skip: str = ""
    #: Whether cells that look like formulas were made safe, as our own export does.
    guarded: bool = False


#: What a column holds, by the names that columns go under.
ALIASES: Mapping[str, Sequence[str]] = {
    "email": (
        "email",
        "email address",
        "e-mail",
        "e-mail address",
        "email_address",
        "emailaddress",
        "mail",
        "subscriber",
        "user_email_address",
        "deine e-mail adresse",
        "e-mail-adresse",
        "adresse e-mail",
        "correo electrónico",
        "メールアドレス",
    ),
    "name": ("name", "full name", "full_name", "user_name", "display name", "氏名"),
    "first_name": ("first name", "first_name", "firstname", "given name", "vorname", "prénom", "名"),
    "last_name": ("last name", "last_name", "lastname", "surname", "family name", "nachname", "nom", "姓"),
    "status": (
        "status",
        "subscription status",
        "subscription_status",
        "subscriber status",
        "subscriber_status",
        "email status",
        "email_status",
    ),
    "tags": ("tags", "tag", "labels"),
    "topics": ("topics",),
    "language": ("language", "locale", "lang"),
    "timezone": ("timezone", "time zone", "time_zone"),
    "joined": (
        "created_at",
        "created at",
        "joined",
        "joined_at",
        "confirm_time",
        "optin_time",
        "subscription_date",
        "creation_date",
        "subscription_created_at",
        "subscribed at",
        "date subscribed",
        "date created",
        "date added",
        "added_time",
    ),
    "attributes": ("attributes", "attribs", "data", "metadata"),
}

#: A column that holds a status in some files and a part of the address in others: its words tell.
AMBIGUOUS_STATUS = "state"

#: What the words of a status column mean wherever no tool says otherwise.
STATUS_WORDS: Mapping[str, Status] = {
    **dict.fromkeys(("active", "subscribed", "confirmed", "enabled"), ACTIVE),
    **dict.fromkeys(("pending", "unconfirmed", "unactivated", "validating", "inactive", "cold"), PENDING),
    **dict.fromkeys(
        ("unsubscribed", "cancelled", "canceled", "removed", "disabled", "blocked", "blocklisted"),
        UNSUBSCRIBED,
    ),
    **dict.fromkeys(("bounced", "cleaned", "undeliverable", "unreachable", "invalid"), BOUNCED),
    **dict.fromkeys(("complained", "complaint", "spam"), COMPLAINED),
}

_TRUE_IS_ACTIVE = {"true": ACTIVE, "yes": ACTIVE, "1": ACTIVE, "false": UNSUBSCRIBED, "no": UNSUBSCRIBED}
_TRUE_IS_OFF = {"true": UNSUBSCRIBED, "yes": UNSUBSCRIBED, "1": UNSUBSCRIBED, "false": ACTIVE, "no": ACTIVE}
_NO_IS_OFF = dict.fromkeys(("false", "no", "0"), UNSUBSCRIBED)
_NO_OR_NOTHING = dict.fromkeys(("false", "no", "0", ""), ACTIVE)


#: Buttondown's words, told by their column alone.
_SUBSCRIBER_TYPE = Words(
    column="subscriber_type",
    meanings={
        **dict.fromkeys(("regular", "premium", "gifted", "trialed", "churning", "past_due"), ACTIVE),
        **dict.fromkeys(("unactivated", "upcoming", "paused", "unpaid", "churned"), PENDING),
        **dict.fromkeys(("unsubscribed", "blocked", "removed"), UNSUBSCRIBED),
        "undeliverable": BOUNCED,
        "complained": COMPLAINED,
    },
)
#: Constant Contact's.
_PERMISSION = Words(
    column="email permission status",
    meanings={
        **dict.fromkeys(("express", "explicit", "implied", "implicit"), ACTIVE),
        "unsubscribed": UNSUBSCRIBED,
    },
)


def _words(column: str, **meanings: Status) -> Words:
    return Words(column=column, meanings=meanings)


def _marks(*columns: str) -> frozenset[str]:
    return frozenset(columns)


#: Every tool that gives itself away, the most telling first.
FORMATS: Sequence[Format] = (
    Format(
        name="Mailchimp (unsubscribed)",
        marks=_marks("leid", "euid", "unsub_time"),
        status=UNSUBSCRIBED,
    ),
    Format(name="Mailchimp (cleaned)", marks=_marks("leid", "euid", "clean_time"), status=BOUNCED),
    Format(name="Mailchimp", marks=_marks("leid", "euid")),
    Format(
        name="Substack",
        marks=_marks("email", "active_subscription", "email_disabled"),
        rules=[Words(column="email_disabled", meanings=_TRUE_IS_OFF)],
        skip=r"@deletion-request\.substack\.com$",
    ),
    Format(
        name="Substack (paid)",
        marks=_marks("email", "expiry", "email_disabled", "type"),
        rules=[Words(column="email_disabled", meanings=_TRUE_IS_OFF)],
        skip=r"@deletion-request\.substack\.com$",
    ),
    Format(
        name="Substack (dashboard)",
        marks=_marks("user_email_address", "subscription_type"),
        rules=[Filled(column="unsubscribed_at")],
        skip=r"@deletion-request\.substack\.com$",
    ),
    Format(
        name="Buttondown",
        marks=_marks("secondary_id", "email", "subscriber_type"),
        rules=[_SUBSCRIBER_TYPE, Filled(column="unsubscription_date")],
        tags=";",
    ),
    Format(
        name="Ghost",
        marks=_marks("email", "subscribed_to_emails"),
        rules=[
            Words(column="subscribed_to_emails", meanings=_TRUE_IS_ACTIVE),
            Filled(column="deleted_at"),
        ],
    ),
    Format(
        name="listmonk",
        marks=_marks("uuid", "email", "attributes", "status"),
        # What a person did on each single list is not in the file: the attestation has to cover it.
        rules=[_words("status", enabled=ACTIVE, disabled=UNSUBSCRIBED, blocklisted=UNSUBSCRIBED)],
    ),
    Format(
        name="TinyNews",
        marks=_marks("channel id", "status", "email"),
        # 1 and 2 are its two ways of being subscribed; what other numbers mean is not published.
        rules=[Words(column="status", meanings={"1": ACTIVE, "2": ACTIVE}), Filled(column="deleted at")],
        columns={"last_name": "surname", "first_name": "name"},
    ),
    Format(
        name="beehiiv",
        marks=_marks("email", "status", "tier"),
        # “inactive” is beehiiv's word for who has unsubscribed.
        rules=[
            _words(
                "status",
                active=ACTIVE,
                inactive=UNSUBSCRIBED,
                validating=PENDING,
                pending=PENDING,
                needs_attention=PENDING,
                invalid=BOUNCED,
            ),
            Filled(column="unsubscribed_at"),
        ],
        columns={"joined": "created_at"},
    ),
    Format(
        name="beehiiv",
        marks=_marks("email", "status", "subscription tier"),
        rules=[_words("status", active=ACTIVE, inactive=UNSUBSCRIBED, pending=PENDING, invalid=BOUNCED)],
    ),
    Format(
        name="Keila",
        marks=_marks("email", "first name", "last name", "data", "external id"),
        rules=[_words("status", active=ACTIVE, unsubscribed=UNSUBSCRIBED, unreachable=BOUNCED)],
    ),
    Format(
        name="Constant Contact",
        marks=_marks("email address", "email status", "email permission status"),
        rules=[
            _words("email status", active=ACTIVE, unsubscribed=UNSUBSCRIBED, removed=UNSUBSCRIBED),
            _PERMISSION,
        ],
    ),
    Format(
        name="Mailtrain",
        marks=_marks("cid", "status", "email"),
        rules=[
            Words(
                column="status",
                meanings={"1": ACTIVE, "2": UNSUBSCRIBED, "3": BOUNCED, "4": COMPLAINED, **STATUS_WORDS},
            )
        ],
    ),
    Format(name="Sendportal", marks=_marks("id", "hash", "email", "created_at")),
    Format(
        name="Brevo",
        marks=_marks("email", "email_blacklisted"),
        rules=[Words(column="email_blacklisted", meanings=_TRUE_IS_OFF)],
        date="%d-%m-%Y %H:%M",
    ),
    Format(
        name="TinyNews",
        marks=_marks("email", "status", "clicks", "opens"),
        rules=[_words("status", subscribed=ACTIVE, unsubscribed=UNSUBSCRIBED)],
    ),
    Format(
        name="ActiveCampaign",
        marks=_marks("email", "date created", "ip", "status"),
        rules=[Words(column="status", meanings=STATUS_WORDS)],
    ),
    Format(name="Curated", marks=_marks("email address", "subscribed at", "utm source")),
    Format(name="Squarespace", marks=_marks("email address", "date subscribed")),
    Format(
        name="Kit",
        marks=_marks("first_name", "email_address", "state"),
        # “inactive” is who never confirmed, “cold” who has not read for long.
        rules=[Words(column="state", meanings=STATUS_WORDS)],
    ),
    Format(
        name="Kit",
        marks=_marks("first_name", "email", "created_at", "status"),
        rules=[Words(column="status", meanings=STATUS_WORDS)],
    ),
    Format(name="newsletter", marks=_marks("email", "status", "paused_until", "attributes"), guarded=True),
    Format(name="Mailcoach", marks=_marks("email", "first_name", "last_name", "tags"), tags=";"),
)

#: A file by which no tool gives itself away.
PLAIN = Format(name="plain list")

#: What is asked of every row where such a column exists, whoever wrote the file: who took columns away, or
#: added some, made no opt-out undone by it.
ALWAYS: Sequence[Words | Filled] = (
    Words(column="email_disabled", meanings=_TRUE_IS_OFF),
    Words(column="email_blacklisted", meanings=_TRUE_IS_OFF),
    Words(column="subscribed_to_emails", meanings=_TRUE_IS_ACTIVE),
    _SUBSCRIBER_TYPE,
    _PERMISSION,
    # These hold a day in some files, and yes or no in others.
    Words(column="subscribed", meanings=_NO_IS_OFF, otherwise=ACTIVE),
    Words(column="unsubscribed", meanings=_NO_OR_NOTHING, otherwise=UNSUBSCRIBED),
    Filled(column="unsubscribed_at"),
    Filled(column="unsubscribed at"),
    Filled(column="unsubscription_date"),
    Filled(column="unsub_time"),
    Filled(column="deleted_at"),
    Filled(column="bounced_at", status=BOUNCED),
    Filled(column="clean_time", status=BOUNCED),
    Filled(column="complained_at", status=COMPLAINED),
)

#: Names of the files that Mailchimp packs together, and what their people are.
FILE_NAMES: Sequence[tuple[re.Pattern[str], Status]] = (
    (re.compile(r"(^|/)unsubscribed_", re.IGNORECASE), UNSUBSCRIBED),
    (re.compile(r"(^|/)cleaned_", re.IGNORECASE), BOUNCED),
    (re.compile(r"(^|/)non-?subscribed_", re.IGNORECASE), PENDING),
)


def recognise(columns: Sequence[str]) -> Format:
    """Return the format that a file's column names give away, or `PLAIN`."""
    there = {heading(column) for column in columns}
    return next((known for known in FORMATS if known.marks <= there), PLAIN)


def heading(text: str) -> str:
    """Return a column's name in the form that the tables here use."""
    return " ".join(text.replace("\ufeff", "").strip().strip('"').split()).casefold()


def status_of_file(name: str) -> Status:
    """Return what the name of a file says of everybody in it."""
    return next((status for pattern, status in FILE_NAMES if pattern.search(name)), ACTIVE)
