"""Two processes at once: one imports everybody as active, the other lets them leave. Who left has left."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from newsletter.domain import intake
from newsletter.domain.subscribers import Status
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory

PEOPLE, IMPORTS = 150, 15

OPEN = """
import sys
from datetime import UTC, datetime
from newsletter.domain import intake
from newsletter.domain.subscribers import How, Status
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.store.exits import StoredExit
from newsletter.subscribing import leaving

url, people, imports = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
database = Database(url)
directory = StoredDirectory(database, lambda text: "#" + text)
now = datetime.now(UTC)
print("ready", flush=True)
sys.stdin.readline()
"""
IMPORT = (
    OPEN
    + """
rows = [intake.Row(n, f"p{n}@example.org", Status.ACTIVE, tags=("fair",)) for n in range(1, people + 1)]
for turn in range(imports):
    directory.take_in(rows, intake.Source(name=f"{turn}.csv", wording="fair", now=now), write=True)
"""
)
LEAVE = (
    OPEN
    + """
for number in range(1, people + 1):
    person = directory.find(f"p{number}@example.org")
    leaving.leave(directory, person.id, how=How.ONE_CLICK, source="link", now=now)
"""
)
#: As the pages do it: whoever presses the button at the same time leaves in one transaction.
LEAVE_TOGETHER = (
    OPEN
    + """
exit = StoredExit(database)
ids = [directory.find(f"p{number}@example.org").id for number in range(1, people + 1)]
for begin in range(0, people, 7):
    together = ids[begin : begin + 7]
    wishes = [leaving.Departure(subscriber=each, mailing=0, how=How.ONE_CLICK) for each in together]
    exit.take(wishes, now=now)
"""
)


@pytest.mark.parametrize("leave", [LEAVE, LEAVE_TOGETHER], ids=["one by one", "together"])
def test_no_import_brings_back_who_is_leaving_at_the_same_time(database: Database, leave: str) -> None:
    directory = StoredDirectory(database, lambda text: f"#{text}")
    rows = [intake.Row(n, f"p{n}@example.org", Status.ACTIVE) for n in range(1, PEOPLE + 1)]
    source = intake.Source(name="first.csv", wording="fair", now=datetime.now(UTC))
    directory.take_in(rows, source, write=True)

    url = database.engine.url.render_as_string(hide_password=False)
    rivals = [
        subprocess.Popen(
            [sys.executable, "-c", script, url, str(PEOPLE), str(IMPORTS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for script in (IMPORT, leave)
    ]
    for rival in rivals:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
    ends = [rival.communicate("go\n", timeout=120) for rival in rivals]
    assert [(rival.returncode, said) for rival, (_, said) in zip(rivals, ends, strict=True)] == [(0, "")] * 2

    assert directory.counts()[Status.UNSUBSCRIBED] == PEOPLE
    for person in directory.list():
        assert [record.status for record in directory.history(person.id)] == [
            Status.ACTIVE,
            Status.UNSUBSCRIBED,
        ]
        assert person.tags == ("fair",)
