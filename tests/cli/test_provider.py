"""`newsletter provider` and the order in which providers take over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli import mailings
from tests.cli.conftest import Run


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a second server of the same kind."""
    mailings.make(tmp_path).close()
    toml = tmp_path / "newsletter.toml"
    text = toml.read_text().replace("skip_approval = true", 'skip_approval = true\nfallback = ["spare"]')
    toml.write_text(text + '[providers.spare]\nkind = "smtp"\nsecurity = "none"\nattempts = 1\n')
    return tmp_path


def test_a_second_server_goes_on_where_the_first_is_not_there(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mailings.serving() as (postbox, port):
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", "1")
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SPARE__PORT", str(port))
        result = run("-C", root, "mailing", "send", "1.1", "--yes")
    assert result.code == 0, result.err
    assert sorted(postbox.recipients) == sorted(mailings.READERS)


def test_a_server_that_stops_is_followed_by_the_next_and_nobody_is_mailed_twice(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal: dict[str, Sequence[str]] = {
        address: ["554 5.7.1 relay access denied"] * 9 for address in mailings.READERS
    }
    with mailings.serving(refusal) as (first, port), mailings.serving() as (second, spare):
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", str(port))
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SPARE__PORT", str(spare))
        result = run("-C", root, "mailing", "send", "1.1", "--yes")
    assert result.code == 0, result.err
    assert first.taken == []
    assert sorted(second.recipients) == sorted(mailings.READERS)


def test_a_provider_named_on_the_command_line_has_nobody_behind_it(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mailings.serving() as (postbox, port):
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", str(port))
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SPARE__PORT", "1")
        result = run("-C", root, "mailing", "send", "1.1", "--yes", "--provider", "spare")
    assert result.code == 1
    assert postbox.taken == []


def test_a_fallback_that_is_not_described_is_named_with_its_line(run: Run, root: Path) -> None:
    toml = root / "newsletter.toml"
    toml.write_text(toml.read_text().replace('["spare"]', '["spair"]'))
    result = run("-C", root, "doctor")
    assert result.code == 1
    assert "delivery.fallback: there is no [providers.spair]; did you mean spare?" in result.out
