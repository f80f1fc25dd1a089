"""`newsletter inbox …` and `issue draft`: from sources to an approved draft, at the terminal."""

from __future__ import annotations

import stat
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter import wiring
from tests.authoring.press import FERRY, Press, running
from tests.authoring.test_feeds import rss
from tests.cli.conftest import Run

ARTICLE = "{title}\n\nThe offices of {place} signed an agreement on 11 November 2026. It holds from June.\n"


@pytest.fixture
def press() -> Iterator[Press]:
    with running() as server:
        yield server


@pytest.fixture
def root(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "digest"
    assert run("init", folder, "--title", "Two Harbours Digest", "--from", "news@example.org").code == 0
    settings = folder / "newsletter.toml"
    text = settings.read_text().replace("allow_private = false", "allow_private = true")
    settings.write_text(text.replace("# first = 2026-01-09", "first = 2026-01-09"))
    monkeypatch.chdir(folder)
    return folder


def sources(folder: Path) -> list[Path]:
    made = []
    for place, title in {
        "Aldermouth": "A ferry for all",
        "Kitahama": "The lighthouse is lit",
        "Rill": "A flood map",
    }.items():
        made.append(folder / f"{place}.txt")
        made[-1].write_text(ARTICLE.format(title=title, place=place))
    return made


def test_three_commands_lead_from_files_to_a_checked_draft(run: Run, root: Path) -> None:
    clipped = run("inbox", "clip", *sources(root), "--topic", "sea")
    assert (clipped.code, clipped.out.count(".md")) == (0, 3)
    drafted = run("issue", "draft")
    assert (drafted.code, drafted.out.count("added: TK")) == (0, 3), drafted
    checked = run("issue", "check", "next")
    assert checked.code == 1
    assert "error[unfinished]" in checked.out
    assert [one["used"] for one in run("inbox", "list", "--json").json] == ["1.1"] * 3
    assert run("inbox", "list", "--unused", "--json").json == []


def test_a_written_draft_is_approved_and_its_clippings_are_marked_as_used(run: Run, root: Path) -> None:
    edit = root / "newsletter.toml"
    edit.write_text(
        edit.read_text()
        .replace('postal_address = ""', 'postal_address = "1 Pier Road"')
        .replace('url = "http://localhost:8000"', 'url = "https://digest.example.org"', 1)
    )
    run("inbox", "clip", *sources(root))
    path = Path(run("issue", "draft", "--json").json["path"])
    head, *entries = path.read_text().split("\n## ")
    written = [
        "\n".join(
            [f"Headline {i}", *entry.split("\n")[1:3], "", "Told in [our words](https://example.org/a)."]
        )
        for i, entry in enumerate(entries)
    ]
    path.write_text("\n\n## ".join([head, *written[:2]]) + "\n")
    approved = run("issue", "approve", "next", "--as", "Mina Ode")
    assert approved.code == 0, approved.err
    rows = {one["name"]: one["used"] for one in run("inbox", "list", "--json").json}
    assert sorted(rows.values(), key=str) == ["1.1", "1.1", None]
    marked = [one.name for one in (root / "issues" / "inbox").glob("*.md") if "used: 1.1" in one.read_text()]
    assert len(marked) == 2


def test_approvals_need_the_people_of_the_settings(run: Run, root: Path) -> None:
    edit = root / "newsletter.toml"
    text = edit.read_text().replace('postal_address = ""', 'postal_address = "1 Pier Road"')
    text = text.replace('# approvers = ["Jo Berg"]', 'approvers = ["Jo Berg", "Mina Ode"]')
    edit.write_text(
        text.replace("approvals = 1", "approvals = 2").replace(
            'url = "http://localhost:8000"', 'url = "https://digest.example.org"', 1
        )
    )
    (root / "issues" / "vol-1-1.md").write_text(
        "---\nvolume: 1\nnumber: 1\ndate: 2026-11-27\n---\n\n## A ferry for all\n\nTold [here](https://example.org/a).\n"
    )
    refused = run("issue", "approve", "1.1", "--as", "Joe Berg")
    assert (refused.code, "did you mean “Jo Berg”?" in refused.err) == (1, True)
    first = run("issue", "approve", "1.1", "--as", "Jo Berg")
    assert (first.code, "1 more person has to approve it" in first.out) == (0, True)
    assert run("issue", "status", "1.1", "--json").json["approved"] is False
    assert run("issue", "approve", "1.1", "--as", "Mina Ode").code == 0
    status = run("issue", "status", "1.1", "--json").json
    assert (status["approved"], len(status["approvals"])) == (True, 2)
    record = tomllib.loads((root / "issues" / "approvals.toml").read_text())
    assert [one["by"] for one in record["approval"]] == ["Jo Berg", "Mina Ode"]


def test_clipping_goes_on_past_a_bad_source_and_says_so(run: Run, root: Path, press: Press) -> None:
    url = press.put("/ferry", FERRY)
    result = run("inbox", "clip", f"{press.base}/gone", url, url)
    assert result.code == 1
    assert "answered 404" in result.err
    assert "there already: " in result.out
    assert len(list((root / "issues" / "inbox").glob("*.md"))) == 1
    assert run("inbox", "clip", url, "x.txt", "--url", "https://example.org").code == 2


def test_private_pages_are_refused_unless_the_settings_allow_them(run: Run, root: Path, press: Press) -> None:
    settings = root / "newsletter.toml"
    settings.write_text(settings.read_text().replace("allow_private = true", "allow_private = false"))
    result = run("inbox", "clip", press.put("/ferry", FERRY))
    assert (result.code, "a private address" in result.err) == (1, True)
    assert press.asked == []


def test_feeds_are_collected_and_a_broken_one_is_told(run: Run, root: Path, press: Press) -> None:
    assert run("inbox", "collect").code == 2
    url = press.put("/feed", rss(press, ("A story", "/a", "Told.")))
    settings = root / "newsletter.toml"
    feeds = f'\n[feeds.good]\nurl = "{url}"\ntopic = "sea"\n[feeds.bad]\nurl = "{press.base}/gone"\n'
    settings.write_text(settings.read_text() + feeds)
    result = run("inbox", "collect")
    assert (result.code, "good: 1 clipped" in result.out, "bad: " in result.err) == (1, True, True)
    assert [one["topics"] for one in run("inbox", "list", "--json").json] == [["sea"]]
    settings.write_text(settings.read_text().replace("topic = ", "topics = "))
    wrong = run("inbox", "collect")
    assert (wrong.code, "feeds.good.topic" in wrong.err) == (1, True), wrong.err


def test_an_empty_clipping_opens_in_the_editor(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = root / "editor.sh"
    editor.write_text(f"#!{sys.executable}\nimport sys\nopen(sys.argv[1], 'a').write('Seen.')\n")
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("VISUAL", str(editor))
    result = run("inbox", "add", "Interview with the harbour master", "--topic", "people")
    path = Path(result.out.strip())
    assert path.read_text().endswith("Seen.")
    monkeypatch.setenv("VISUAL", "/no/such/editor")
    assert run("inbox", "add", "Another").code == 2
    monkeypatch.delenv("VISUAL")
    monkeypatch.delenv("EDITOR", raising=False)
    assert "EDITOR" in run("inbox", "add", "A third").err


def test_clippings_are_shown_and_dropped_by_a_part_of_their_name(run: Run, root: Path) -> None:
    run("inbox", "clip", *sources(root))
    assert "The offices of Rill" in run("inbox", "show", "flood").out
    assert "flood" in run("inbox", "list", "--days", "1").out
    assert run("inbox", "list", "--topic", "none", "--json").json == []
    assert run("inbox", "drop", "flood").code == 2
    assert run("inbox", "drop", "flood", "--yes").code == 0
    assert run("inbox", "show", "flood").code == 1
    assert len(run("inbox", "list", "--json").json) == 2


class Clock:
    """A queue that keeps what it is to do, and does it when told."""

    def __init__(self) -> None:
        self.jobs: dict[str, Callable[[], None]] = {}
        self.triggers: dict[str, Any] = {}

    def every(self, trigger: Any, job: Callable[[], None], *, name: str) -> None:
        self.jobs[name], self.triggers[name] = job, trigger


def watched(root: Path) -> Clock:
    clock = Clock()
    wiring.build(root).keep_watch(clock, lambda: None)  # type: ignore[arg-type]  # all that it is asked for
    return clock


def test_a_service_reads_the_feeds_on_its_own_schedule_and_lives_through_a_broken_one(
    run: Run, root: Path, press: Press, caplog: pytest.LogCaptureFixture
) -> None:
    assert "feeds" not in watched(root).jobs
    url = press.put("/feed", rss(press, ("A story", "/a", "Told.")))
    settings = root / "newsletter.toml"
    feeds = f'\n[feeds.good]\nurl = "{url}"\n[feeds.bad]\nurl = "{press.base}/gone"\n'
    settings.write_text(settings.read_text().replace('collect_every = "6h"', 'collect_every = "2h"') + feeds)
    clock = watched(root)
    assert clock.triggers["feeds"].interval.total_seconds() == 7200
    clock.jobs["feeds"]()
    assert [one["title"] for one in run("inbox", "list", "--json").json] == ["A story"]
    assert "feed bad: " in caplog.text
    press.put("/feed", rss(press, ("A story", "/a", "Told."), ("Another", "/b", "Told too.")))
    clock.jobs["feeds"]()
    assert len(run("inbox", "list", "--json").json) == 2
    settings.write_text(settings.read_text().replace('collect_every = "2h"', 'collect_every = "0h"'))
    assert "feeds" not in watched(root).jobs
