"""The statements of an import, in the SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from newsletter.domain import subscribers

_COLUMNS = {
    "arriving": "line, email, status, name, email_key, language, timezone, joined_at, attributes",
    "arriving_label": "email_key, label",
}
_JSON = {"sqlite": "TEXT", "postgresql": "JSONB"}
# A key is staged only where it is not plain lower case.
_KEY = "coalesce(email_key, lower(email))"
_DOMAIN = {
    "sqlite": "substr({0}, instr({0}, '@') + 1)",
    "postgresql": "split_part({0}, '@', 2)",
}
_FIRMNESS = " ".join(f"WHEN '{status}' THEN {number}" for status, number in subscribers.FIRMNESS.items())
#: Values that one statement may have: SQLite before 3.32 takes 999.
_PARAMETERS = 900
#: KiB that SQLite sorts at once: what fits a processor's cache is sorted fastest, and merging is cheap.
_SORTING = 4096


def create(dialect: str) -> Sequence[str]:
    """Return the statements that make the staging tables, which only this connection sees."""
    return (
        f"""
        CREATE TEMPORARY TABLE arriving (
            line INTEGER, email TEXT, status TEXT, name TEXT, email_key TEXT, language TEXT DEFAULT '',
            timezone TEXT DEFAULT '', joined_at BIGINT, attributes {_JSON[dialect]}
        )
        """,
        "CREATE TEMPORARY TABLE arriving_label (email_key TEXT, label BIGINT)",
    )


def load(connection: sa.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Put rows, which may leave out the last columns, into a staging table as fast as the driver can."""
    names = ", ".join(_COLUMNS[table].split(", ")[: len(rows[0])])
    if connection.dialect.name == "sqlite":
        _insert(connection, f"INSERT INTO {table} ({names}) VALUES ", rows)
        return
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _insert(connection: sa.Connection, begin: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows many at a time: a statement for each costs twice as much as the row itself."""
    one = f"({', '.join('?' * len(rows[0]))})"
    together = max(1, _PARAMETERS // len(rows[0]))
    for start in range(0, len(rows), together):
        some = rows[start : start + together]
        values = tuple(itertools.chain.from_iterable(some))
        connection.exec_driver_sql(f"{begin}{', '.join([one] * len(some))}", values)


def sort(connection: sa.Connection) -> int:
    """Put the staged rows into the order of the list's own index; return how many repeat an address.

    Met in that order, neither side is read twice: that is what makes a million rows quick. Of
    several rows for one address the one firmest against mail comes first, then the earliest; that
    one has ``place`` 1.
    """
    return (_sort_sqlite if connection.dialect.name == "sqlite" else _sort_postgresql)(connection)


# An address that is its own key is not carried along twice.
_CARRIED = f"""
    {_KEY} AS email_key, nullif(email, {_KEY}) AS email, line, status, name, language, timezone, joined_at,
    attributes
"""


def _sort_sqlite(connection: sa.Connection) -> int:
    firmness = f"CASE status {_FIRMNESS} END"
    usual = connection.exec_driver_sql("PRAGMA cache_size").scalar_one()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{_SORTING}")
    # Row ids follow the order, so that the row before is found without the cost of a window.
    connection.exec_driver_sql(
        f"""
        CREATE TEMPORARY TABLE sorted AS
        SELECT {_CARRIED}, 1 AS place FROM arriving ORDER BY 1, {firmness} DESC, 3
        """
    )
    connection.exec_driver_sql(f"PRAGMA cache_size = {usual}")
    return connection.exec_driver_sql(
        """
        UPDATE sorted SET place = 2 WHERE rowid IN (
            SELECT a.rowid FROM sorted AS a JOIN sorted AS b ON b.rowid = a.rowid - 1
            WHERE b.email_key = a.email_key
        )
        """
    ).rowcount


def _sort_postgresql(connection: sa.Connection) -> int:
    connection.exec_driver_sql(
        f"""
        CREATE TEMPORARY TABLE sorted AS SELECT {_CARRIED},
            row_number() OVER (
                PARTITION BY {_KEY} ORDER BY CASE status {_FIRMNESS} END DESC, line
            ) AS place
        FROM arriving
        """
    )
    connection.exec_driver_sql("ANALYZE sorted")
    return int(connection.exec_driver_sql("SELECT count(*) FROM sorted WHERE place > 1").scalar_one())


INDEX_LABELS = "CREATE INDEX arriving_label_key ON arriving_label (email_key)"
DROP = tuple(f"DROP TABLE IF EXISTS {name}" for name in ("arriving", "sorted", "arriving_label"))

IS_ANYTHING_SUPPRESSED = "SELECT EXISTS (SELECT 1 FROM suppression WHERE value IS NOT NULL)"


def leave_out_suppressed(dialect: str) -> str:
    """Return the statement that takes out who must not be mailed.

    People on the list stay in: their own status says more than the suppression.
    """
    domain = _DOMAIN[dialect].format("email_key")
    return f"""
        UPDATE sorted SET place = 0
        WHERE place = 1
        AND (email_key IN (SELECT value FROM suppression) OR {domain} IN (SELECT value FROM suppression))
        AND NOT EXISTS (SELECT 1 FROM subscriber WHERE subscriber.email_key = sorted.email_key)
    """


_OFF = ", ".join(f"'{status}'" for status in sorted(subscribers.OFF))
_RAISES = f"(a.status = 'active' AND s.status <> 'active' OR a.status = 'pending' AND s.status IN ({_OFF}))"
_FIRMER = f"CASE a.status {_FIRMNESS} END > CASE s.status {_FIRMNESS} END"
_FILLS = (
    "(s.name = '' AND a.name <> '' OR s.language = '' AND a.language <> ''"
    " OR s.timezone = '' AND a.timezone <> '' OR s.attributes IS NULL AND a.attributes IS NOT NULL)"
)
# Found once for all, and not for each person: most rows have no label that is new.
_LABELS = """s.id IN (
    SELECT k.id FROM arriving_label AS l CROSS JOIN subscriber AS k WHERE k.email_key = l.email_key
    AND NOT EXISTS (SELECT 1 FROM labelling AS g WHERE g.label_id = l.label AND g.subscriber_id = k.id)
)"""
# A cross join keeps SQLite to this order of the two: the sorted rows lead.
_KNOWN = "sorted AS a CROSS JOIN subscriber AS s WHERE s.email_key = a.email_key"


def changes(*, with_labels: bool) -> str:
    """Return the query that counts the known, of them the held and the changed."""
    changed = " OR ".join([_FIRMER, _FILLS, *([_LABELS] if with_labels else [])])
    return f"""
        SELECT count(*), sum(CASE WHEN {_RAISES} THEN 1 ELSE 0 END),
            sum(CASE WHEN {changed} THEN 1 ELSE 0 END)
        FROM {_KNOWN} AND a.place = 1
    """


HELD = f"""
SELECT a.line, coalesce(a.email, a.email_key), s.status, a.status
FROM {_KNOWN} AND a.place = 1 AND {_RAISES} ORDER BY a.line
"""
DUPLICATE = "SELECT line, coalesce(email, email_key) FROM sorted WHERE place > 1 ORDER BY line"


def suppressed(dialect: str) -> str:
    """Return the query for the rows that were taken out, each with the reason."""
    domain = _DOMAIN[dialect].format("email_key")
    return f"""
        SELECT line, coalesce(email, email_key), (
            SELECT reason FROM suppression WHERE value IN (email_key, {domain})
            ORDER BY suppression.id LIMIT 1
        ) FROM sorted WHERE place = 0 ORDER BY line
    """


def add(dialect: str) -> str:
    """Return the statement that puts everybody on the list who is new."""
    return f"""
        INSERT INTO subscriber (email, email_key, domain, status, name, language, timezone, joined_at,
            changed_at, attributes, import_id, import_line)
        SELECT coalesce(email, email_key), email_key, {_DOMAIN[dialect].format("email_key")}, status, name,
            language, timezone, coalesce(joined_at, :now), :now, attributes, :run, line
        FROM sorted WHERE place = 1
        ON CONFLICT (email_key) DO NOTHING
    """


CONSENT_OF_NEW = """
INSERT INTO consent (subscriber_id, status, at, how, import_id, line, wording_id)
SELECT id, status, :now, 'import', :run, import_line, :wording
FROM subscriber WHERE id > :before AND import_id = :run ORDER BY id
"""

_OF_KNOWN = "s.email_key = a.email_key AND a.place = 1 AND s.id <= :before"

#: A status made firmer, with its record; then empty fields filled, each remembered for the undoing.
CHANGE_KNOWN = (
    f"""
    INSERT INTO consent (subscriber_id, status, at, how, import_id, line, wording_id)
    SELECT s.id, a.status, :now, 'import', :run, a.line, :wording
    FROM {_KNOWN} AND a.place = 1 AND s.id <= :before AND {_FIRMER}
    """,
    f"""
    UPDATE subscriber AS s SET status = a.status, changed_at = :now
    FROM sorted AS a WHERE {_OF_KNOWN} AND {_FIRMER}
    """,
    f"""
    INSERT INTO import_fill (import_id, subscriber_id, name, language, timezone, attributes)
    SELECT :run, s.id, s.name = '' AND a.name <> '', s.language = '' AND a.language <> '',
        s.timezone = '' AND a.timezone <> '', s.attributes IS NULL AND a.attributes IS NOT NULL
    FROM {_KNOWN} AND a.place = 1 AND s.id <= :before AND {_FILLS}
    """,
    f"""
    UPDATE subscriber AS s SET
        name = CASE WHEN s.name = '' THEN a.name ELSE s.name END,
        language = CASE WHEN s.language = '' THEN a.language ELSE s.language END,
        timezone = CASE WHEN s.timezone = '' THEN a.timezone ELSE s.timezone END,
        attributes = coalesce(s.attributes, a.attributes),
        changed_at = :now
    FROM sorted AS a WHERE {_OF_KNOWN} AND {_FILLS}
    """,
)

NAME_LABEL = "UPDATE arriving_label SET label = :real WHERE label = :stand_in"

LABEL = """
INSERT INTO labelling (label_id, subscriber_id, import_id)
SELECT DISTINCT l.label, s.id, CAST(:run AS BIGINT)
FROM arriving_label AS l CROSS JOIN subscriber AS s WHERE s.email_key = l.email_key
ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
