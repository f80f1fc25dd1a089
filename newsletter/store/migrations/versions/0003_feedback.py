"""Feedback: what the world reported, raw and in our words."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.BigInteger()
_WAITING = sa.text("applied_at IS NULL")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''"))


def upgrade() -> None:
    op.create_table(
        "report",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("applied_at", _INSTANT),
        _text("problem"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_report_received_at", "report", ["received_at"])
    op.create_index(
        "ix_report_waiting", "report", ["id"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )
    op.create_table(
        "event",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("report_id", _ID, sa.ForeignKey("report.id", name="fk_event_report_id"), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("mailing_id", _ID, nullable=False),
        sa.Column("subscriber_id", _ID, nullable=False),
        sa.Column("hard", sa.Boolean(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("machine", sa.Boolean(), nullable=False),
        _text("detail"),
        sa.UniqueConstraint("provider", "key", name="uq_event_provider_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_mailing_id", "event", ["mailing_id", "kind"])
    op.create_index("ix_event_delivery_id", "event", ["delivery_id"])
    op.create_index("ix_event_subscriber_id", "event", ["subscriber_id"])


def downgrade() -> None:
    op.drop_table("event")
    op.drop_table("report")
