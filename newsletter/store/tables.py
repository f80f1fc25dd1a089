"""Every table, as rows that never leave this room: foreign-key columns only, no relationships.

Those of people and of the ledger stand here, the rest in `correspondence`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from newsletter.store import correspondence
from newsletter.store.columns import EMPTY, BigId, Instant, Json

metadata = SQLModel.metadata

# -- people ------------------------------------------------------------------------------------


class WordingRow(SQLModel, table=True):
    """Words that somebody agreed to, kept once however many agreed."""

    __tablename__ = "wording"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    words: str = Field(unique=True)
    first_used_at: datetime = Field(sa_type=Instant)


class ImportRunRow(SQLModel, table=True):
    """One import of a file, and what it did."""

    __tablename__ = "import_run"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    at: datetime = Field(sa_type=Instant)
    #: Name of the file.
    source: str
    #: The tables in it, each with what was added to its line numbers.
    parts: list[list[Any]] = Field(sa_type=Json)
    wording_id: int = Field(sa_type=BigId, foreign_key="wording.id")
    counts: dict[str, Any] = Field(sa_type=Json)
    undone_at: datetime | None = Field(default=None, sa_type=Instant)


class SubscriberRow(SQLModel, table=True):
    """Somebody on the list.

    Rows are deleted when a person asks to be forgotten; ids are never given twice, because
    links in old mail name people by id. Tables that must outlive a person hold the id without
    a foreign key.
    """

    __tablename__ = "subscriber"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')", name="status"
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    #: As the person writes it.
    email: str
    #: `addresses.key` of it.
    email_key: str = Field(unique=True)
    #: What stands behind the @, lower case: suppressions and pacing go by it.
    domain: str
    status: str
    name: str = Field(default="", sa_column_kwargs=EMPTY)
    language: str = Field(default="", sa_column_kwargs=EMPTY)
    timezone: str = Field(default="", sa_column_kwargs=EMPTY)
    joined_at: datetime = Field(sa_type=Instant)
    #: Of anything in this row, its labels or its consent.
    changed_at: datetime = Field(sa_type=Instant)
    paused_until: datetime | None = Field(default=None, sa_type=Instant)
    #: None rather than an empty object, so that a million bare addresses stay narrow.
    attributes: dict[str, Any] | None = Field(default=None, sa_type=Json)
    #: The import that brought this person. Runs and wordings are never deleted, and a million rows
    #: that name one are written with it: no foreign key, which would look it up a million times.
    import_id: int | None = Field(default=None, sa_type=BigId)
    import_line: int | None = None


class ImportFillRow(SQLModel, table=True):
    """Which empty fields of a known subscriber an import filled: what its undoing empties again."""

    __tablename__ = "import_fill"
    __table_args__ = ({"sqlite_with_rowid": False},)

    subscriber_id: int = Field(
        sa_type=BigId, primary_key=True, sa_column_args=[ForeignKey("subscriber.id", ondelete="CASCADE")]
    )
    import_id: int = Field(primary_key=True, sa_type=BigId, foreign_key="import_run.id")
    name: bool
    language: bool
    timezone: bool
    attributes: bool


class ConsentRow(SQLModel, table=True):
    """Who agreed to what, when and how. Append-only, by triggers, while its person exists."""

    __tablename__ = "consent"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    subscriber_id: int = Field(
        sa_type=BigId, index=True, sa_column_args=[ForeignKey("subscriber.id", ondelete="CASCADE")]
    )
    status: str
    at: datetime = Field(sa_type=Instant)
    how: str
    source: str = Field(default="", sa_column_kwargs=EMPTY)
    #: Line of the import's file, where the record came from one.
    line: int | None = None
    import_id: int | None = Field(default=None, sa_type=BigId)
    wording_id: int | None = Field(default=None, sa_type=BigId)
    ip: str = Field(default="", sa_column_kwargs=EMPTY)


class LabelRow(SQLModel, table=True):
    """A topic (the subscriber's choice) or a tag (the staff's label)."""

    __tablename__ = "label"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    #: ``topic`` or ``tag``.
    kind: str
    name: str


class LabellingRow(SQLModel, table=True):
    """A label on a subscriber: found from either side by an index."""

    __tablename__ = "labelling"
    __table_args__ = (Index("ix_labelling_subscriber_id", "subscriber_id"), {"sqlite_with_rowid": False})

    label_id: int = Field(primary_key=True, sa_type=BigId, foreign_key="label.id")
    subscriber_id: int = Field(
        sa_type=BigId, primary_key=True, sa_column_args=[ForeignKey("subscriber.id", ondelete="CASCADE")]
    )
    #: The import that put it there.
    import_id: int | None = Field(default=None, sa_type=BigId)


class SuppressionRow(SQLModel, table=True):
    """An address or a domain that must not be mailed.

    Join it as ``suppression.value IN (subscriber.email_key, subscriber.domain)``: an address
    has an @ and a domain has none, so one unique column serves both.
    """

    __tablename__ = "suppression"

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    #: Address key or domain; None once the person was erased.
    value: str | None = Field(default=None, unique=True)
    #: `tokens.Signer.keyed_hash` of the value: survives erasure.
    value_hash: str = Field(unique=True)
    reason: str
    at: datetime = Field(sa_type=Instant)


# -- the ledger --------------------------------------------------------------------------------


class MailingRow(SQLModel, table=True):
    """One sending of one issue to one frozen audience."""

    __tablename__ = "mailing"
    __table_args__ = (
        CheckConstraint(
            "status IN ('scheduled', 'sending', 'paused', 'held', 'cancelled', 'done')", name="status"
        ),
        # Two people who plan one issue at the same moment: one of them is told so.
        Index(
            "ix_mailing_issue",
            "volume",
            "number",
            "sequence",
            unique=True,
            sqlite_where=text("status <> 'cancelled'"),
            postgresql_where=text("status <> 'cancelled'"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    volume: int
    number: int
    #: 0 for the mailing itself, then one more for each that reaches those it missed.
    sequence: int
    status: str
    provider: str
    rate: float
    created_at: datetime = Field(sa_type=Instant)
    due_at: datetime | None = Field(default=None, sa_type=Instant)
    #: When the provider took the first of its messages: the archive asks often, and need not look for one.
    first_sent_at: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    reason: str = Field(default="", sa_column_kwargs=EMPTY)
    template_hash: str
    content_hash: str = Field(default="", sa_column_kwargs=EMPTY)
    #: Name, rule and exclusion of the audience.
    audience: dict[str, str] = Field(sa_type=Json)
    #: How many deliveries were planned.
    planned: int = 0
    #: Between these ids lie its deliveries; those of other mailings may lie among them.
    first_delivery_id: int = Field(default=0, sa_type=BigId)
    last_delivery_id: int = Field(default=0, sa_type=BigId)


class MailingTemplateRow(SQLModel, table=True):
    """A message template that a mailing froze, one a language; position 0 is the default."""

    __tablename__ = "mailing_template"

    mailing_id: int = Field(primary_key=True, sa_type=BigId, foreign_key="mailing.id")
    language: str = Field(primary_key=True)
    position: int
    #: Canonical JSON of `freezing.dumps`.
    body: str


class LeaseRow(SQLModel, table=True):
    """A sender at work on a mailing, and until when its claims hold without a sign of life."""

    __tablename__ = "lease"
    __table_args__ = (UniqueConstraint("mailing_id", "owner"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    mailing_id: int = Field(sa_type=BigId, foreign_key="mailing.id")
    #: ``host/machine:pid:start``.
    owner: str
    until: datetime = Field(sa_type=Instant)


class DeliveryRow(SQLModel, table=True):
    """One mailing × one subscriber.

    A delivery that waits for its first try has no ``not_before`` and, on SQLite, stands in no
    index but the two unique ones: what a mailing without trouble writes stays small. Whatever
    comes back to planned has a ``not_before``, which is how it is found again.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        # SQLite builds a table in memory for IN whenever it checks, at 2 µs a write; CASE only compares.
        CheckConstraint(
            "CASE state WHEN 'sent' THEN 1 WHEN 'sending' THEN 1 WHEN 'planned' THEN 1"
            " WHEN 'delivered' THEN 1 WHEN 'bounced' THEN 1 WHEN 'complained' THEN 1"
            " WHEN 'rejected' THEN 1 WHEN 'failed' THEN 1 WHEN 'unknown' THEN 1"
            " WHEN 'skipped' THEN 1 ELSE 0 END = 1",
            name="state",
        ),
        UniqueConstraint("mailing_id", "subscriber_id"),
        Index(
            "ix_delivery_again",
            "mailing_id",
            "not_before",
            "id",
            sqlite_where=text("state = 'planned' AND not_before IS NOT NULL"),
            postgresql_where=text("state = 'planned'"),
        ),
        Index(
            "ix_delivery_provider_id",
            "provider_id",
            sqlite_where=text("provider_id <> ''"),
            postgresql_where=text("provider_id <> ''"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    mailing_id: int = Field(sa_type=BigId, foreign_key="mailing.id")
    #: Without a foreign key: the account of a mailing outlives the person.
    subscriber_id: int = Field(sa_type=BigId)
    #: As they were when the mailing was planned; emptied when the person is erased.
    email: str
    domain: str
    name: str = Field(default="", sa_column_kwargs=EMPTY)
    language: str = Field(default="", sa_column_kwargs=EMPTY)
    state: str
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0"), "nullable": False})
    not_before: datetime | None = Field(default=None, sa_type=Instant)
    #: Who claimed it last.
    lease_id: int | None = Field(default=None, sa_type=BigId)
    first_tried_at: datetime | None = Field(default=None, sa_type=Instant)
    #: The Date of the message as last handed over.
    merged_at: datetime | None = Field(default=None, sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    unsubscribed_at: datetime | None = Field(default=None, sa_type=Instant)
    reply: str = Field(default="", sa_column_kwargs=EMPTY)
    provider_id: str = Field(default="", sa_column_kwargs=EMPTY)
    #: SHA-256 that commits to the bytes handed over.
    digest: bytes | None = Field(default=None, sa_type=LargeBinary)
    #: Nothing but room, on SQLite, for what settling writes: a row that grows splits its page.
    room: bytes | None = Field(default=None, sa_type=LargeBinary)


class BudgetRow(SQLModel, table=True):
    """What all senders by one provider share."""

    __tablename__ = "budget"
    __table_args__ = ({"sqlite_with_rowid": False},)

    provider: str = Field(primary_key=True)
    #: Up to when the places of its rate are given away.
    booked_until: int = Field(sa_type=BigInteger)
    #: The day that `drawn` counts for, as `date.toordinal`.
    day: int
    #: Messages of that day's cap that senders have taken.
    drawn: int


wording = metadata.tables["wording"]
import_run = metadata.tables["import_run"]
import_fill = metadata.tables["import_fill"]
subscriber = metadata.tables["subscriber"]
consent = metadata.tables["consent"]
label = metadata.tables["label"]
labelling = metadata.tables["labelling"]
suppression = metadata.tables["suppression"]
mailing = metadata.tables["mailing"]
mailing_template = metadata.tables["mailing_template"]
lease = metadata.tables["lease"]
delivery = metadata.tables["delivery"]
budget = metadata.tables["budget"]
letter = correspondence.letter
report = correspondence.report
event = correspondence.event
allowance = correspondence.allowance
