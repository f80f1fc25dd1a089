"""`newsletter calendar`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run


def test_the_calendar_shows_what_is_to_come_and_writes_a_file(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "digest"
    run("init", root, "--title", "Digest", "--from", "news@example.org")
    settings = root / "newsletter.toml"
    assert run("-C", root, "calendar").code == 1
    text = settings.read_text().replace("# first = 2026-01-09", "first = 2026-01-09")
    settings.write_text(text.replace('# holidays = ["US", "JP"]', 'holidays = ["US", "JP"]'))
    result = run("-C", root, "calendar", "--months", "2", "--ics", tmp_path / "a.ics")
    assert result.code == 0, result.err
    assert result.out.splitlines()[1].startswith("1.1")
    assert result.out.endswith(f"Written to {tmp_path / 'a.ics'}.\n")
    assert (tmp_path / "a.ics").read_bytes().startswith(b"BEGIN:VCALENDAR\r\n")
    days = run("-C", root, "calendar", "--months", "12", "--json").json
    assert len(days) >= 25
    assert any(day["clashes"] for day in days)


def test_holidays_of_no_country_are_refused(run: Run, tmp_path: Path) -> None:
    root = tmp_path / "digest"
    run("init", root, "--title", "Digest", "--from", "news@example.org")
    settings = root / "newsletter.toml"
    text = settings.read_text().replace("# first = 2026-01-09", "first = 2026-01-09")
    settings.write_text(text.replace('# holidays = ["US", "JP"]', 'holidays = ["Japan"]'))
    result = run("-C", root, "calendar")
    assert (result.code, "US or JP" in result.err) == (1, True), result.err
