"""Letters: what the house has to write to people about their subscription."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.BigInteger()
_OPEN = sa.text("settled_at IS NULL")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''"))


def upgrade() -> None:
    op.create_table(
        "letter",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column(
            "subscriber_id",
            _ID,
            sa.ForeignKey("subscriber.id", name="fk_letter_subscriber_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("asked_at", _INSTANT, nullable=False),
        _text("address"),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default=sa.text("0")),
        sa.Column("not_before", _INSTANT, nullable=False),
        _text("owner"),
        sa.Column("first_tried_at", _INSTANT),
        sa.Column("settled_at", _INSTANT),
        _text("reply"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_letter_subscriber_id", "letter", ["subscriber_id"])
    op.create_index(
        "ix_letter_open", "letter", ["not_before", "id"], sqlite_where=_OPEN, postgresql_where=_OPEN
    )


def downgrade() -> None:
    op.drop_table("letter")
