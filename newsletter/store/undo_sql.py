"""The statements that take an import back, in the SQL that SQLite and PostgreSQL share."""

from __future__ import annotations

# PostgreSQL answers max(id) and ORDER BY id by walking the primary key from its end, person by person:
# neither is asked for, so that the index on subscriber_id serves.
#: The last record of a person, and the one before: what an undoing goes back to.
_LAST = "NOT EXISTS (SELECT 1 FROM consent AS l WHERE l.subscriber_id = c.subscriber_id AND l.id > c.id)"
_BEFORE = """(
    SELECT b.status FROM consent AS b WHERE b.subscriber_id = c.subscriber_id AND b.id < c.id
    ORDER BY b.id + 0 DESC LIMIT 1
)"""
_FIRMED = f"""
    FROM consent AS c JOIN subscriber AS s ON s.id = c.subscriber_id
    WHERE c.import_id = :run AND (s.import_id IS NULL OR s.import_id <> :run)
    AND s.status = c.status AND s.changed_at = :at AND {_LAST} AND {_BEFORE} IS NOT NULL
"""
RESTORE_RECORD = f"""
INSERT INTO consent (subscriber_id, status, at, how, source)
SELECT c.subscriber_id, {_BEFORE}, :now, 'staff', :source {_FIRMED}
"""
# The record just written says whom, and what to.
RESTORE_STATUS = f"""
UPDATE subscriber AS s SET status = c.status FROM consent AS c
WHERE c.subscriber_id = s.id AND c.source = :source AND c.at = :now AND {_LAST}
"""

EMPTY = """
UPDATE subscriber AS s SET
    name = CASE WHEN f.name THEN '' ELSE s.name END,
    language = CASE WHEN f.language THEN '' ELSE s.language END,
    timezone = CASE WHEN f.timezone THEN '' ELSE s.timezone END,
    attributes = CASE WHEN f.attributes THEN NULL ELSE s.attributes END
FROM import_fill AS f
WHERE f.subscriber_id = s.id AND f.import_id = :run AND s.changed_at = :at
"""

# Counted, not joined: a planner that takes the import for small would read all consent for each person.
# Whoever was written to stays: the links in that mail must go on working.
REMOVE = """
DELETE FROM subscriber
WHERE import_id = :run AND changed_at = :at
AND (SELECT count(*) FROM consent AS c WHERE c.subscriber_id = subscriber.id) = 1
AND NOT EXISTS (
    SELECT 1 FROM mailing AS m JOIN delivery AS d
    ON d.mailing_id = m.id AND d.subscriber_id = subscriber.id
)
"""
KEPT = "SELECT count(*) FROM subscriber WHERE import_id = :run"
UNLABEL = "DELETE FROM labelling WHERE import_id = :run"
