"""`newsletter web`, and the rounds that the service goes."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from newsletter import wiring
from newsletter.cli import serve
from tests.cli.conftest import Run
from tests.cli.test_inbox import watched


@pytest.fixture
def root(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "digest"
    assert run("init", folder, "--title", "Digest", "--from", "news@example.org").code == 0
    monkeypatch.chdir(folder)
    return folder


def test_an_archive_without_issues_is_built_too(run: Run, root: Path) -> None:
    done = run("web", "build", "public", "--json")
    assert done.code == 0, done.err
    assert (done.json["issues"], done.json["pages"]) == (0, 4)
    assert "No issue has come out yet." in (root / "public" / "index.html").read_text(encoding="utf-8")
    assert run("web", "build", "public").out == "public: 0 issues on 4 pages, with 0 pictures.\n"


def test_building_over_something_else_is_refused_with_a_way_out(run: Run, root: Path) -> None:
    (root / "mine").mkdir()
    (root / "mine" / "x").write_text("x")
    done = run("web", "build", "mine")
    assert done.code == 1
    assert "holds something that is not ours" in done.err
    assert "Hint:" in done.err


def test_the_form_is_printed_ready_to_be_pasted(run: Run, root: Path) -> None:
    url = wiring.build(root).publication.url
    done = run("web", "form")
    assert done.code == 0
    assert done.out.startswith(f'<form action="{url}/subscribe?lang=en" method="post"')
    assert done.out.endswith("</form>\n")


def test_the_service_goes_its_rounds_every_hour(root: Path) -> None:
    clock = watched(root)
    assert clock.triggers["rounds"].interval.total_seconds() == 3600
    clock.jobs["rounds"]()


def test_an_answer_leaves_at_once_though_head_and_body_are_written_apart() -> None:
    with serve._listener("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
