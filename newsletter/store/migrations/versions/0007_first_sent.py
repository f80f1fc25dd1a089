"""When the first message of a mailing was sent: what makes its issue public."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# Deliveries go in the order of their ids: of a mailing that is out, the first ones looked at were sent.
_KNOWN = """
UPDATE mailing SET first_sent_at = (
    SELECT COALESCE(d.merged_at, d.first_tried_at, d.settled_at, mailing.created_at)
    FROM delivery d
    WHERE d.id BETWEEN mailing.first_delivery_id AND mailing.last_delivery_id
      AND d.mailing_id = mailing.id AND d.state IN ('sent', 'delivered', 'bounced', 'complained')
    ORDER BY d.id LIMIT 1
)
"""


def upgrade() -> None:
    op.add_column("mailing", sa.Column("first_sent_at", sa.BigInteger()))
    op.execute(_KNOWN)


def downgrade() -> None:
    op.drop_column("mailing", "first_sent_at")
