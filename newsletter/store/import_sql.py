"""The statements of an import, in the SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from newsletter.domain import subscribers

_COLUMNS = {
    "arriving": "line, email, email_key, domain, status, firmness, name, language, joined_at, attributes",
    "arriving_label": "line, label",
}


def create(dialect: str) -> Sequence[str]:
    """Return the statements that make the staging tables, which only this connection sees."""
    json_type = "TEXT" if dialect == "sqlite" else "JSONB"
    return (
        f"""
        CREATE TEMPORARY TABLE arriving (
            line INTEGER PRIMARY KEY, email TEXT, email_key TEXT, domain TEXT, status TEXT,
            firmness SMALLINT, name TEXT, language TEXT, joined_at BIGINT, attributes {json_type},
            duplicate SMALLINT DEFAULT 0
        )
        """,
        "CREATE TEMPORARY TABLE arriving_label (line INTEGER, label BIGINT)",
    )


DROP = ("DROP TABLE IF EXISTS arriving", "DROP TABLE IF EXISTS arriving_label")


def load(connection: sa.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put rows into a staging table as fast as the driver can."""
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(rows[0]))
        statement = f"INSERT INTO {table} ({_COLUMNS[table]}) VALUES ({marks})"
        connection.exec_driver_sql(statement, list(rows))
        return
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table} ({_COLUMNS[table]}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


# Sorted once here, the rows then meet the list's own index in its order: that is what makes it fast.
INDEX = (
    "CREATE INDEX arriving_key ON arriving (email_key, firmness DESC, line)",
    "CREATE INDEX arriving_label_line ON arriving_label (line)",
    "ANALYZE arriving",
)

UNIQUE = "SELECT count(DISTINCT email_key) FROM arriving"

#: Of several rows for one address the one firmest against mail counts, then the first.
MARK_DUPLICATES = """
UPDATE arriving SET duplicate = 1 WHERE line IN (
    SELECT line FROM (
        SELECT line, row_number() OVER (PARTITION BY email_key ORDER BY firmness DESC, line) AS place
        FROM arriving
    ) AS placed
    WHERE place > 1
)
"""

#: People on the list stay in: their own status says more than the suppression.
DROP_SUPPRESSED = """
DELETE FROM arriving
WHERE (email_key IN (SELECT value FROM suppression) OR domain IN (SELECT value FROM suppression))
AND NOT EXISTS (SELECT 1 FROM subscriber WHERE subscriber.email_key = arriving.email_key)
"""


def _in(statuses: frozenset[subscribers.Status]) -> str:
    return ", ".join(f"'{status}'" for status in sorted(statuses))


_FIRMNESS = (
    "CASE s.status "
    + " ".join(f"WHEN '{status}' THEN {number}" for status, number in subscribers.FIRMNESS.items())
    + " END"
)
_RAISES = (
    f"(a.status = 'active' AND s.status <> 'active'"
    f" OR a.status = 'pending' AND s.status IN ({_in(subscribers.OFF)}))"
)
_FIRMER = f"a.firmness > {_FIRMNESS}"
_FILLS = (
    "(s.name = '' AND a.name <> '' OR s.language = '' AND a.language <> ''"
    " OR s.attributes IS NULL AND a.attributes IS NOT NULL)"
)
_TAGS = (
    "EXISTS (SELECT 1 FROM arriving_label AS l WHERE l.line = a.line AND NOT EXISTS"
    " (SELECT 1 FROM labelling AS g WHERE g.label_id = l.label AND g.subscriber_id = s.id))"
)


def changes(*, with_labels: bool) -> str:
    """Return the query that counts the known, of them the held and the changed."""
    changed = " OR ".join([_FIRMER, _FILLS, *([_TAGS] if with_labels else [])])
    return f"""
        SELECT count(*), sum(CASE WHEN {_RAISES} THEN 1 ELSE 0 END),
            sum(CASE WHEN {changed} THEN 1 ELSE 0 END)
        FROM arriving AS a JOIN subscriber AS s ON s.email_key = a.email_key
        WHERE a.duplicate = 0
    """


ADD = """
INSERT INTO subscriber (email, email_key, domain, status, name, language, joined_at, changed_at,
    attributes, import_id, import_line)
SELECT email, email_key, domain, status, name, language, joined_at, :now, attributes, :run, line
FROM arriving WHERE duplicate = 0 ORDER BY email_key
ON CONFLICT (email_key) DO NOTHING
"""

CONSENT_OF_NEW = """
INSERT INTO consent (subscriber_id, status, at, how, import_id, line, wording_id)
SELECT id, status, :now, 'import', :run, import_line, :wording
FROM subscriber WHERE id > :before AND import_id = :run ORDER BY id
"""

_OF_KNOWN = "s.email_key = a.email_key AND a.duplicate = 0 AND s.id <= :before"

#: A status made firmer, with its record; then empty fields filled, each remembered for the undoing.
CHANGE_KNOWN = (
    f"""
    INSERT INTO consent (subscriber_id, status, at, how, import_id, line, wording_id)
    SELECT s.id, a.status, :now, 'import', :run, a.line, :wording
    FROM arriving AS a JOIN subscriber AS s ON {_OF_KNOWN} WHERE {_FIRMER}
    """,
    f"""
    UPDATE subscriber AS s SET status = a.status, changed_at = :now
    FROM arriving AS a WHERE {_OF_KNOWN} AND {_FIRMER}
    """,
    f"""
    INSERT INTO import_fill (import_id, subscriber_id, name, language, attributes)
    SELECT :run, s.id, s.name = '' AND a.name <> '', s.language = '' AND a.language <> '',
        s.attributes IS NULL AND a.attributes IS NOT NULL
    FROM arriving AS a JOIN subscriber AS s ON {_OF_KNOWN} WHERE {_FILLS}
    """,
    f"""
    UPDATE subscriber AS s SET
        name = CASE WHEN s.name = '' THEN a.name ELSE s.name END,
        language = CASE WHEN s.language = '' THEN a.language ELSE s.language END,
        attributes = coalesce(s.attributes, a.attributes),
        changed_at = :now
    FROM arriving AS a WHERE {_OF_KNOWN} AND {_FILLS}
    """,
)

NAME_LABEL = "UPDATE arriving_label SET label = :real WHERE label = :stand_in"

LABEL = """
INSERT INTO labelling (label_id, subscriber_id, import_id)
SELECT DISTINCT l.label, s.id, :run
FROM arriving_label AS l JOIN arriving AS a ON a.line = l.line
JOIN subscriber AS s ON s.email_key = a.email_key
ORDER BY l.label, s.id
ON CONFLICT DO NOTHING
"""
