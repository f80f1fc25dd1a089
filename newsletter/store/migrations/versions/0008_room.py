"""Room in a delivery for what its settling writes, so that no page of the ledger is split by it."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("delivery", sa.Column("room", sa.LargeBinary()))


def downgrade() -> None:
    op.drop_column("delivery", "room")
