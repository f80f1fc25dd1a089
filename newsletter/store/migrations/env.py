"""Entry point that Alembic runs: it is handed a connection inside a transaction."""

from alembic import context

from newsletter.store import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables.metadata,
    transactional_ddl=True,
)
context.run_migrations()
