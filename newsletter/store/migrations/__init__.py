"""The schema's history, carried out by Alembic."""

#: The newest revision: what a database must stand at for this version to work with it.
HEAD = "0008"
