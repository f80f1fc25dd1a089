"""The ledger: mailings, their frozen templates, deliveries, leases."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.BigInteger()
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_LIVE = sa.text("status <> 'cancelled'")
_NAMED = sa.text("provider_id <> ''")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''"))


def upgrade() -> None:
    _mailings()
    _leases()
    _deliveries()


def _mailings() -> None:
    op.create_table(
        "mailing",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("rate", sa.Float(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("due_at", _INSTANT),
        sa.Column("finished_at", _INSTANT),
        _text("reason"),
        sa.Column("template_hash", sa.String(), nullable=False),
        _text("content_hash"),
        sa.Column("audience", _JSON, nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("first_delivery_id", _ID, nullable=False),
        sa.Column("last_delivery_id", _ID, nullable=False),
        sa.CheckConstraint(
            "status IN ('scheduled', 'sending', 'paused', 'held', 'cancelled', 'done')", name="ck_mailing_status"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_mailing_issue",
        "mailing",
        ["volume", "number", "sequence"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_table(
        "mailing_template",
        sa.Column("mailing_id", _ID, sa.ForeignKey("mailing.id", name="fk_mailing_template_mailing_id"), primary_key=True),
        sa.Column("language", sa.String(), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
    )


def _leases() -> None:
    op.create_table(
        "lease",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("mailing_id", _ID, sa.ForeignKey("mailing.id", name="fk_lease_mailing_id"), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("until", _INSTANT, nullable=False),
        sa.UniqueConstraint("mailing_id", "owner", name="uq_lease_mailing_id_owner"),
        sqlite_autoincrement=True,
    )


def _deliveries() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("mailing_id", _ID, sa.ForeignKey("mailing.id", name="fk_delivery_mailing_id"), nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        _text("name"),
        _text("language"),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("not_before", _INSTANT),
        sa.Column("lease_id", _ID),
        sa.Column("first_tried_at", _INSTANT),
        sa.Column("merged_at", _INSTANT),
        sa.Column("settled_at", _INSTANT),
        sa.Column("unsubscribed_at", _INSTANT),
        _text("reply"),
        _text("provider_id"),
        sa.Column("digest", sa.LargeBinary()),
        sa.UniqueConstraint("mailing_id", "subscriber_id", name="uq_delivery_mailing_id_subscriber_id"),
        sa.CheckConstraint(
            "CASE state WHEN 'sent' THEN 1 WHEN 'sending' THEN 1 WHEN 'planned' THEN 1 WHEN 'delivered' THEN 1"
            " WHEN 'bounced' THEN 1 WHEN 'complained' THEN 1 WHEN 'rejected' THEN 1 WHEN 'failed' THEN 1"
            " WHEN 'unknown' THEN 1 WHEN 'skipped' THEN 1 ELSE 0 END = 1",
            name="ck_delivery_state",
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_delivery_again",
        "delivery",
        ["mailing_id", "not_before", "id"],
        sqlite_where=sa.text("state = 'planned' AND not_before IS NOT NULL"),
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_index(
        "ix_delivery_provider_id", "delivery", ["provider_id"], sqlite_where=_NAMED, postgresql_where=_NAMED
    )


def downgrade() -> None:
    for table in ("delivery", "lease", "mailing_template", "mailing"):
        op.drop_table(table)
