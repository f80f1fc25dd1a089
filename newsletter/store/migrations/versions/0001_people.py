"""People: subscribers, consent, labels, suppressions, imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.BigInteger()
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False, server_default=sa.text("''"))


def upgrade() -> None:
    _wordings_and_imports()
    _subscribers()
    _consent()
    _labels()
    _suppressions()


def _wordings_and_imports() -> None:
    op.create_table(
        "wording",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("first_used_at", _INSTANT, nullable=False),
        sa.UniqueConstraint("words", name="uq_wording_words"),
    )
    op.create_table(
        "import_run",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("parts", _JSON, nullable=False),
        sa.Column("wording_id", _ID, sa.ForeignKey("wording.id", name="fk_import_run_wording_id"), nullable=False),
        sa.Column("counts", _JSON, nullable=False),
        sa.Column("undone_at", _INSTANT),
        sqlite_autoincrement=True,
    )


def _subscribers() -> None:
    op.create_table(
        "subscriber",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", sa.String(), nullable=False),
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        _text("name"),
        _text("language"),
        _text("timezone"),
        sa.Column("joined_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("paused_until", _INSTANT),
        sa.Column("attributes", _JSON),
        sa.Column("import_id", _ID),
        sa.Column("import_line", sa.Integer()),
        sa.UniqueConstraint("email_key", name="uq_subscriber_email_key"),
        sa.CheckConstraint(
            "status IN ('pending', 'active', 'unsubscribed', 'bounced', 'complained')", name="ck_subscriber_status"
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "import_fill",
        sa.Column(
            "subscriber_id",
            _ID,
            sa.ForeignKey("subscriber.id", name="fk_import_fill_subscriber_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("import_id", _ID, sa.ForeignKey("import_run.id", name="fk_import_fill_import_id"), primary_key=True),
        sa.Column("name", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Boolean(), nullable=False),
        sa.Column("timezone", sa.Boolean(), nullable=False),
        sa.Column("attributes", sa.Boolean(), nullable=False),
        sqlite_with_rowid=False,
    )


def _consent() -> None:
    op.create_table(
        "consent",
        sa.Column("id", _ID, primary_key=True),
        sa.Column(
            "subscriber_id",
            _ID,
            sa.ForeignKey("subscriber.id", name="fk_consent_subscriber_id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        _text("source"),
        sa.Column("line", sa.Integer()),
        sa.Column("import_id", _ID),
        sa.Column("wording_id", _ID),
        _text("ip"),
    )
    op.create_index("ix_consent_subscriber_id", "consent", ["subscriber_id"])
    for statement in _APPEND_ONLY[op.get_context().dialect.name]:
        op.execute(statement)


def _labels() -> None:
    op.create_table(
        "label",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.UniqueConstraint("kind", "name", name="uq_label_kind_name"),
    )
    op.create_table(
        "labelling",
        sa.Column("label_id", _ID, sa.ForeignKey("label.id", name="fk_labelling_label_id"), primary_key=True),
        sa.Column(
            "subscriber_id",
            _ID,
            sa.ForeignKey("subscriber.id", name="fk_labelling_subscriber_id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("import_id", _ID),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_labelling_subscriber_id", "labelling", ["subscriber_id"])


def _suppressions() -> None:
    op.create_table(
        "suppression",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("value", sa.String()),
        sa.Column("value_hash", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.UniqueConstraint("value", name="uq_suppression_value"),
        sa.UniqueConstraint("value_hash", name="uq_suppression_value_hash"),
    )


# A record may go only with its person: while a cascade runs, the person's row is gone already.
_APPEND_ONLY = {
    "sqlite": (
        "CREATE TRIGGER consent_never_changes BEFORE UPDATE ON consent "
        "BEGIN SELECT RAISE(ABORT, 'consent records are append-only'); END",
        "CREATE TRIGGER consent_stays BEFORE DELETE ON consent "
        "WHEN EXISTS (SELECT 1 FROM subscriber WHERE id = OLD.subscriber_id) "
        "BEGIN SELECT RAISE(ABORT, 'consent records are append-only'); END",
    ),
    "postgresql": (
        """
        CREATE FUNCTION consent_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' OR EXISTS (SELECT 1 FROM subscriber WHERE id = OLD.subscriber_id) THEN
                RAISE EXCEPTION 'consent records are append-only';
            END IF;
            RETURN OLD;
        END $$
        """,
        "CREATE TRIGGER consent_is_append_only BEFORE UPDATE OR DELETE ON consent "
        "FOR EACH ROW EXECUTE FUNCTION consent_is_append_only()",
    ),
}


def downgrade() -> None:
    for table in ("suppression", "labelling", "label", "consent", "import_fill", "subscriber", "import_run", "wording"):
        op.drop_table(table)
    if op.get_context().dialect.name == "postgresql":
        op.execute("DROP FUNCTION consent_is_append_only()")
