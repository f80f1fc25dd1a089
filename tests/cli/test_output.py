"""One result, printed for people or for programs."""

from __future__ import annotations

import enum
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from newsletter.cli import output


class Colour(enum.Enum):
    RED = "red"


@dataclass(frozen=True)
class Inner:
    when: datetime
    colour: Colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_records_become_json_all_the_way_down(capsys: pytest.CaptureFixture[str]) -> None:
    result = {
        "inner": Inner(when=datetime(2026, 1, 2, 3, tzinfo=UTC), colour=Colour.RED),
        "day": date(2026, 1, 2),
        "path": Path("a/b"),
        "wait": timedelta(minutes=1),
        "tags": frozenset({"b", "a"}),
        "map": MappingProxyType({"é": (1, None)}),
    }
    output.show(result, as_json=True, text=lambda: pytest.fail("asked for JSON"))
    printed = capsys.readouterr().out
    assert "é" in printed
    assert json.loads(printed) == {
        "inner": {"when": "2026-01-02T03:00:00+00:00", "colour": "red"},
        "day": "2026-01-02",
        "path": "a/b",
        "wait": 60.0,
        "tags": ["a", "b"],
        "map": {"é": [1, None]},
    }


def test_text_is_printed_when_json_was_not_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    output.show({}, as_json=False, text=lambda: output.line("three issues"))
    assert capsys.readouterr().out == "three issues\n"


def test_columns_line_up_under_wide_and_combining_characters(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["name", "n"], [["日本", 1], ["Zoe\u0308", None]])
    assert capsys.readouterr().out == "name  n\n日本  1\nZoe\u0308   –\n"


class Counted:
    """Rows that know how many of them were taken."""

    def __init__(self, rows: int) -> None:
        self.rows, self.taken = rows, 0

    def __iter__(self) -> Iterator[tuple[str, int]]:
        for number in range(1, self.rows + 1):
            self.taken = number
            yield f"n{number}@example.org", number


class Watch(io.StringIO):
    """Notes how many rows were taken each time something is printed."""

    def __init__(self, rows: Counted) -> None:
        super().__init__()
        self.rows, self.ahead = rows, 0

    def write(self, text: str) -> int:
        self.ahead = max(self.ahead, self.rows.taken - self.getvalue().count("@"))
        return super().write(text)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_long_list_is_printed_as_it_comes(monkeypatch: pytest.MonkeyPatch, as_json: bool) -> None:
    rows = Counted(20_000)
    watch = Watch(rows)
    monkeypatch.setattr("sys.stdout", watch)  # it is what is printed to
    output.show_each(rows, as_json=as_json, text=lambda: output.table(["address", "number"], rows))
    assert watch.ahead <= 1001
    lines = watch.getvalue().splitlines()
    assert len(lines) == 20_000 + (2 if as_json else 1)
    if as_json:
        assert json.loads(watch.getvalue())[-1] == ["n20000@example.org", 20_000]
    else:
        assert lines[0].split() == ["address", "number"]


def test_an_empty_list_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_each([], as_json=True, text=lambda: None)
    assert capsys.readouterr().out == "[]\n"


@pytest.mark.parametrize("variable", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_is_for_terminals_that_want_it(
    variable: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert output.paint("x", output.RED, stream=Terminal()) == "\033[31mx\033[0m"
    assert output.paint("x", output.RED, stream=io.StringIO()) == "x"
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    assert output.paint("x", output.RED, stream=Terminal()) == "x"


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with output.progress("Sending", total=2) as advance:
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_progress_draws_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)  # the only way to stand in for a terminal
    monkeypatch.setenv("TERM", "xterm")
    with output.progress("Sending", total=2) as advance:
        advance(1)
        advance(1)
    assert "Sending" in terminal.getvalue()
    assert "2/2" in terminal.getvalue()
