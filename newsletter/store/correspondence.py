"""Tables of what goes to and fro beside mailings: letters, reports of the world, counts of the forms' use."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from newsletter.store.columns import EMPTY, BigId, Instant


class LetterRow(SQLModel, table=True):
    """A letter about a subscription: its facts, and what became of it. Erased with its person."""

    __tablename__ = "letter"
    __table_args__ = (
        Index(
            "ix_letter_open",
            "not_before",
            "id",
            sqlite_where=text("settled_at IS NULL"),
            postgresql_where=text("settled_at IS NULL"),
        ),
        # Its Message-ID is made from its id: none is given twice.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    kind: str
    subscriber_id: int = Field(
        sa_type=BigId, index=True, sa_column_args=[ForeignKey("subscriber.id", ondelete="CASCADE")]
    )
    asked_at: datetime = Field(sa_type=Instant)
    #: Where it goes when that is not the subscriber's own address.
    address: str = Field(default="", sa_column_kwargs=EMPTY)
    state: str
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": text("0"), "nullable": False})
    #: When it may go; once claimed, when the claim is over.
    not_before: datetime = Field(sa_type=Instant)
    #: Who has claimed it: ``host:pid:start``.
    owner: str = Field(default="", sa_column_kwargs=EMPTY)
    first_tried_at: datetime | None = Field(default=None, sa_type=Instant)
    #: None while it waits.
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    reply: str = Field(default="", sa_column_kwargs=EMPTY)


class ReportRow(SQLModel, table=True):
    """What the world sent us, as it came: a webhook's body or a mail, kept before it is understood."""

    __tablename__ = "report"
    __table_args__ = (
        Index(
            "ix_report_waiting",
            "id",
            sqlite_where=text("applied_at IS NULL"),
            postgresql_where=text("applied_at IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    #: Name of the provider in the settings, or ``returned mail``.
    provider: str
    received_at: datetime = Field(sa_type=Instant, index=True)
    body: bytes = Field(sa_type=LargeBinary)
    applied_at: datetime | None = Field(default=None, sa_type=Instant)
    #: Why nothing could be made of it.
    problem: str = Field(default="", sa_column_kwargs=EMPTY)


class EventRow(SQLModel, table=True):
    """One thing the world reported, in our words; told twice, it stands here once."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("provider", "key"),
        Index("ix_event_mailing_id", "mailing_id", "kind"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigId)
    report_id: int = Field(sa_type=BigId, foreign_key="report.id")
    provider: str
    key: str
    kind: str
    at: datetime = Field(sa_type=Instant)
    #: 0 where nothing of ours fits.
    delivery_id: int = Field(sa_type=BigId, index=True)
    mailing_id: int = Field(sa_type=BigId)
    subscriber_id: int = Field(sa_type=BigId, index=True)
    hard: bool
    cause: str
    machine: bool
    detail: str = Field(default="", sa_column_kwargs=EMPTY)


class AllowanceRow(SQLModel, table=True):
    """How often something was done within a span of time."""

    __tablename__ = "allowance"
    __table_args__ = ({"sqlite_with_rowid": False},)

    #: `tokens.Signer.keyed_hash` of what is counted: neither an address nor an IP stands here.
    what: str = Field(primary_key=True)
    #: Number of the span; 0 for what is counted for ever.
    span: int = Field(primary_key=True, sa_type=BigId)
    times: int
    last_at: datetime = Field(sa_type=Instant, index=True)


letter = SQLModel.metadata.tables["letter"]
report = SQLModel.metadata.tables["report"]
event = SQLModel.metadata.tables["event"]
allowance = SQLModel.metadata.tables["allowance"]
