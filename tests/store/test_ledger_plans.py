"""What a turn asks the database for costs the same however many deliveries are left."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from newsletter.store.database import Database
from newsletter.store.ledger_sql import POSTGRESQL, SQLITE

#: Now, first and last delivery, mailing, limit; and now, mailing, now, limit.
ASKED = {"fresh": (10**15, 1, 1_000_000, 1, 32), "again": (10**15, 1, 10**15, 32)}


@pytest.mark.parametrize("name", ASKED)
def test_the_next_deliveries_are_found_without_sorting_all_that_are_left(
    database: Database, name: str
) -> None:
    statements, explain = (SQLITE, "EXPLAIN QUERY PLAN ") if database.is_sqlite else (POSTGRESQL, "EXPLAIN ")
    with database.reading() as connection:
        found = connection.exec_driver_sql(explain + getattr(statements, name), ASKED[name])
        plan = "\n".join(str(tuple(row)) for row in found)
    assert "Sort" not in plan
    assert "TEMP B-TREE" not in plan
    assert "Seq Scan on delivery" not in plan
    assert "SCAN d" not in plan.replace("SCAN delivery", "SCAN d")


def test_the_plan_of_a_fresh_mailing_is_held_to_its_index(postgres_database: Database) -> None:
    with postgres_database.reading() as connection:
        rows = connection.exec_driver_sql("EXPLAIN " + POSTGRESQL.fresh, ASKED["fresh"])
        assert "ix_delivery_again" in "\n".join(row[0] for row in rows)
        indices = sa.inspect(connection).get_indexes("delivery")
    (again,) = [index for index in indices if index["name"] == "ix_delivery_again"]
    assert again["column_names"] == ["mailing_id", "not_before", "id"]
