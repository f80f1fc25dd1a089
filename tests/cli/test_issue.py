"""`newsletter issue …`: what editors type, from a new issue to its approval."""

from __future__ import annotations

import email
import email.policy
import json
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.authoring.manuscript import DIGEST
from tests.cli.conftest import Run

SAMPLES = Path(__file__).parents[2] / "issues"
SETTINGS = {
    'postal_address = ""': 'postal_address = "1 Pier Road, Aldermouth 1000"',
    'url = "http://localhost:8000"': 'url = "https://digest.example.org"',
    '# on = "Friday"': 'on = "Friday"',
    "# first = 2026-01-09": "first = 2026-01-09",
    'timezone = "UTC"': 'timezone = "Asia/Tokyo"',
}


@pytest.fixture
def root(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with the sample issues in it, and the current folder in it."""
    folder = tmp_path / "digest"
    assert run("init", folder, "--title", "Two Harbours Digest", "--from", "news@example.org").code == 0
    settings = folder / "newsletter.toml"
    text = settings.read_text()
    for old, new in SETTINGS.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    settings.write_text(text)
    for sample in SAMPLES.iterdir():
        shutil.copy(sample, folder / "issues")
    monkeypatch.chdir(folder)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_list_sorts_by_number_and_reads_no_settings(run: Run, root: Path) -> None:
    (root / "issues" / "vol-1-10.md").write_text(
        "---\nvolume: 1\nnumber: 10\ndate: 2026-05-15\n---\n## Ten\n"
    )
    (root / "newsletter.toml").write_text("nonsense")
    result = run("issue", "list")
    assert [line.split()[0] for line in result.out.splitlines()] == [
        "Vol",
        "1.1",
        "1.2",
        "1.2",
        "1.10",
    ]
    assert [one["number"] for one in run("issue", "list", "--json").json] == ["1.1", "1.2", "1.2", "1.10"]


def test_what_keeps_a_translation_from_being_read_is_found_with_its_original(run: Run, root: Path) -> None:
    edit(root / "issues" / "vol-1-2.ja.md", ", 海岸鉄道", "、海岸鉄道")
    result = run("issue", "check", "1.2")
    assert result.code == 1
    assert "issues/vol-1-2.ja.md:25" in result.out


def test_what_is_wrong_in_a_translation_is_quoted_from_it(run: Run, root: Path) -> None:
    path = root / "issues" / "vol-1-2.ja.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}\n終わり。。\n", encoding="utf-8")
    original, translation = run("issue", "check", "1.2").out.split("issues/vol-1-2.ja.md\n", 1)
    assert "nothing found" in original
    assert "| 終わり。。\n" in translation
    assert "1 piece of advice" in translation


def test_an_empty_shelf_says_how_to_begin(run: Run, root: Path) -> None:
    shutil.rmtree(root / "issues")
    assert "newsletter issue new begins one" in run("issue", "list").out


def test_a_new_issue_takes_the_next_number_and_a_day_of_the_schedule(run: Run, root: Path) -> None:
    made = run("issue", "new", "--json").json
    assert made["number"] == "1.3"
    assert (root / "issues" / "vol-1-3.md").is_file()
    shown = run("issue", "show", "1.3", "--json").json
    assert (shown["status"], shown["title"]) == ("draft", "Two Harbours Digest")
    assert run("issue", "new", "--number", "1.3").code == 1
    named = run("issue", "new", "--number", "2.1", "--date", "2027-01-08", "--json").json
    assert (named["number"], named["date"]) == ("2.1", "2027-01-08")


def test_a_new_issue_can_be_rendered_and_not_be_approved(run: Run, root: Path) -> None:
    run("issue", "new")
    assert run("issue", "render", "next").code == 0
    result = run("issue", "approve", "next", "--as", "Mina Ode")
    assert result.code == 1
    assert "“TK” is left in" in result.err
    assert not (root / "issues" / "approvals.toml").exists()


def test_the_samples_pass_every_check(run: Run, root: Path) -> None:
    result = run("issue", "check", "1.1", "1.2")
    assert (result.code, result.out.count("nothing found")) == (0, 2), result.out


def test_a_check_lists_flaws_of_the_file_and_findings_together(run: Run, root: Path) -> None:
    path = root / "issues" / "vol-1-1.md"
    edit(path, "  alt: A white ferry", "  # alt: A white ferry")
    edit(path, "Crews will train", "TK Crews will click here. [x](javascript:alert(1)) train")
    result = run("issue", "check", "1.1", "--format", "json")
    rules = {one["rule"] for one in json.loads(result.out)["findings"]}
    assert result.code == 1
    assert {"unfinished", "hero-alt", "unsafe-link"} <= rules
    text = run("issue", "check", "1.1").out
    assert "issues/vol-1-1.md:" in text
    assert "Aldermouth and Kitahama agree to run one ferry line from June" in text
    github = run("issue", "check", "1.1", "--format", "github").out
    assert "::error file=issues/vol-1-1.md,line=" in github


def test_a_file_that_cannot_be_read_is_checked_all_the_same(run: Run, root: Path) -> None:
    path = root / "issues" / "vol-1-1.md"
    edit(path, "volume: 1", "volume: 1.1")
    edit(path, "Crews will train", "TK")
    result = run("issue", "check", path)
    assert result.code == 1
    assert "one decimal number" in result.out
    assert "“TK” is left in" in result.out
    assert run("issue", "render", path).code == 1


def test_a_check_of_nothing_or_of_an_unknown_rule_is_said(run: Run, root: Path) -> None:
    assert run("issue", "check").code == 2
    assert run("issue", "check", "9.9").code == 1
    assert run("issue", "check", "1.1", "--only", "nonsense").code == 1
    assert run("issue", "check", "1.1", "--format", "xml").code == 2
    assert "placeholder-link" in run("issue", "check", "--explain", "placeholder-link").out


def test_only_the_forms_that_are_asked_for_are_written(run: Run, root: Path) -> None:
    out = root / "out"
    assert run("issue", "render", "1.1", "--out", out, "--web", "--text").code == 0
    assert sorted(path.name for path in out.iterdir()) == ["vol-1-1.txt", "vol-1-1.web.html"]
    assert 'href="#shared-ferry"' in (out / "vol-1-1.web.html").read_text(encoding="utf-8")


def test_rendering_writes_html_text_and_a_mail_and_the_same_bytes_again(run: Run, root: Path) -> None:
    out = root / "look"
    assert run("issue", "render", "1.1", "--out", out).code == 0
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert set(first) == {"vol-1-1.html", "vol-1-1.txt", "vol-1-1.eml"}
    run("issue", "render", "1.1", "--out", out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
    policy = email.policy.default.clone(raise_on_defect=True)
    mail = email.message_from_bytes(first["vol-1-1.eml"], policy=policy)
    assert mail["Subject"] == "Vol 1.1: Two ports agree on a shared ferry"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert b"digest.example.org" in first["vol-1-1.html"]


def test_an_approval_is_bound_to_the_content(run: Run, root: Path) -> None:
    assert run("issue", "approve", "1.1", "--as", "Mina Ode").code == 0
    record = tomllib.loads((root / "issues" / "approvals.toml").read_text())["approval"]
    assert [(one["issue"], one["by"]) for one in record] == [("1.1", "Mina Ode")]
    status = run("issue", "status", "1.1", "--json").json
    assert (status["approved"], status["hash"]) == (True, record[0]["hash"])
    edit(root / "issues" / "vol-1-1.md", "Crews will train", "The crews will train")
    status = run("issue", "status", "1.1", "--json").json
    assert (status["approved"], len(status["void"])) == (False, 1)
    assert "void: edited since Mina Ode approved it" in run("issue", "status", "1.1").out


def test_a_note_to_oneself_in_the_file_does_not_void_an_approval(run: Run, root: Path) -> None:
    run("issue", "approve", "1.1", "--as", "Mina Ode")
    edit(root / "issues" / "vol-1-1.md", "volume: 1\n", "# Printed on Thursday.\nvolume: 1\n")
    assert run("issue", "status", "1.1", "--json").json["approved"] is True


def test_the_settings_that_go_out_are_part_of_what_is_approved(run: Run, root: Path) -> None:
    run("issue", "approve", "1.1", "--as", "Mina Ode")
    edit(root / "newsletter.toml", "1 Pier Road", "2 Pier Road")
    assert run("issue", "status", "1.1", "--json").json["approved"] is False


def test_another_picture_under_the_same_name_voids_an_approval(run: Run, root: Path) -> None:
    run("issue", "approve", "1.1", "--as", "Mina Ode")
    shutil.copy(root / "issues" / "vol-1-2.png", root / "issues" / "vol-1-1.png")
    assert run("issue", "status", "1.1", "--json").json["approved"] is False


def test_a_mailing_can_be_approved_by_its_own_noun(run: Run, root: Path) -> None:
    assert run("mailing", "approve", "1.1", "--as", "Mina Ode").code == 0
    assert run("issue", "status", "1.1", "--json").json["approved"] is True


def test_whoever_is_logged_in_approves_when_nobody_is_named(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "mina")
    assert "approved by mina" in run("issue", "approve", "1.1").out


def test_an_issue_from_elsewhere_is_imported_checked_rendered_and_approved(run: Run, root: Path) -> None:
    source = root / "old.txt"
    source.write_text(DIGEST, encoding="utf-8")
    imported = run("issue", "import", source)
    assert imported.code == 0
    assert "issues/vol-2-23.md: Vol 2.23 of 2023-12-15, 3 entries" in imported.out
    assert "links lead nowhere" in imported.err
    assert "the picture credited to “Bay Courier” did not come with the text" in imported.err
    checked = run("issue", "check", "2.23")
    assert checked.code == 0, checked.out
    assert "warning[placeholder-link]" in checked.out
    assert run("issue", "render", "2.23").code == 0
    html = (root / "rendered" / "vol-2-23.html").read_text(encoding="utf-8")
    assert html.index("Lighthouse keepers") < html.index("millionth passenger</strong>")
    approved = run("issue", "approve", "2.23", "--as", "Mina Ode")
    assert approved.code == 0
    assert "warnings stand" in approved.err
    again = run("issue", "import", source)
    assert again.code == 1
    assert "there already" in again.err
    other = run("issue", "import", source, "--number", "2.24", "--date", "2024-01-05", "--json").json
    assert (other["number"], other["date"], other["entries"]) == ("2.24", "2024-01-05", 3)


def test_an_issue_that_is_not_there_is_an_error_that_names_those_there_are(run: Run, root: Path) -> None:
    result = run("issue", "show", "7.7")
    assert result.code == 1
    assert "there is no issue 7.7" in result.err
    assert "Hint: the issues are 1.1, 1.2" in result.err


def test_a_test_mail_goes_through_the_provider_with_a_mark_in_its_subject(run: Run, root: Path) -> None:
    edit(root / "newsletter.toml", 'provider = "smtp"', 'provider = "outbox"')
    sent = run("issue", "test", "1.1", "--to", "mina@example.org", "--to", "jo@example.org")
    assert (sent.code, sent.out.count("accepted")) == (0, 2), sent
    policy = email.policy.default.clone(raise_on_defect=True)
    mails = [
        email.message_from_bytes(path.read_bytes(), policy=policy)
        for path in (root / "outbox" / "new").iterdir()
    ]
    assert sorted(mail["To"] for mail in mails) == ["jo@example.org", "mina@example.org"]
    assert {mail["Subject"] for mail in mails} == {"[TEST] Vol 1.1: Two ports agree on a shared ferry"}
    assert len({mail["Message-ID"] for mail in mails}) == 2


def test_a_test_mail_that_cannot_go_says_why(run: Run, root: Path) -> None:
    edit(root / "newsletter.toml", "port = 25", "port = 1")
    edit(root / "newsletter.toml", 'security = "starttls"', 'security = "none"')
    assert run("issue", "test", "1.1", "--to", "mina@example.org").code == 1
    refused = run("issue", "test", "1.1", "--to", "mina at example")
    assert (refused.code, "“mina at example”" in refused.err) == (1, True)


def test_strict_counts_warnings_and_plain_checks_do_not(run: Run, root: Path) -> None:
    edit(
        root / "issues" / "vol-1-2.md",
        "Night trains return to the coast line after",
        "Night night trains return after",
    )
    assert run("issue", "check", "1.2").code == 0
    result = run("issue", "check", "1.2", "--strict")
    assert result.code == 1
    assert "warning[duplicate-word]" in result.out


def test_links_are_asked_only_when_told_to_and_never_inside_the_house(run: Run, root: Path) -> None:
    (root / "issues" / "vol-1-3.md").write_text(
        "---\nvolume: 1\nnumber: 3\ndate: 2026-02-06\n---\n## Port\n\nIt [opened](http://127.0.0.1:9/page).\n"
    )
    assert "link-private" not in run("issue", "check", "1.3").out
    result = run("issue", "check", "1.3", "--links", "--only", "links")
    assert result.code == 1
    assert "error[link-private]: leads to the private address 127.0.0.1: not asked" in result.out
    assert "vol-1-3.md:8:4" in result.out
    assert (root / ".newsletter" / "links.json").is_file()


def test_an_archive_of_issues_is_imported_with_a_table_of_what_was_read(run: Run, root: Path) -> None:
    source = root / "old.zip"
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("a.md", "---\ntitle: Vol 3.1\ndate: 2024-05-03\n---\n## A\n\nB\n\n## C\n\nD\n")
        archive.writestr("b.md", "---\ntitle: No number\n---\n## A\n\nB\n\n## C\n\nD\n")
        archive.writestr("c.md", "---\ntitle: [\n---\n")
    result = run("issue", "import", source)
    assert result.code == 1
    rows = [line.split() for line in result.out.splitlines()]
    assert rows[0] == ["Vol", "Date", "Entries", "Guessed", "Left", "Source"]
    assert rows[2] == ["3.1", "2024-05-03", "2", "0", "0", "a.md"]
    assert "1.3: guessed: it has no number" in result.err
    assert "Error: c.md" in result.err
    assert run("issue", "import", source, "--number", "1.1").code == 2


def test_an_issue_that_cannot_be_rendered_is_checked_as_far_as_it_goes(run: Run, root: Path) -> None:
    edit(
        root / "issues" / "vol-1-2.md",
        "The coast railway will",
        "Dear {{ subscriber.shoe }}, the the railway will",
    )
    result = run("issue", "check", "1.2", "--format", "json")
    assert result.code == 1
    found = {one["rule"]: one for one in result.json["findings"]}
    assert (found["unknown-field"]["line"], found["unknown-field"]["column"]) == (27, 6)
    assert found["duplicate-word"]["line"] == 27
    assert "render" not in found


def test_a_template_that_is_wrong_is_told_with_its_line(run: Run, root: Path) -> None:
    (root / "templates").mkdir(exist_ok=True)
    (root / "templates" / "digest.mjml.j2").write_text(
        "<mjml>\n{{ nothing_of_the_kind }}\n</mjml>\n", encoding="utf-8"
    )
    result = run("issue", "check", "1.2", "--format", "json")
    (finding,) = [one for one in result.json["findings"] if one["rule"] == "render"]
    assert (Path(finding["path"]).name, finding["line"]) == ("digest.mjml.j2", 2)


def test_an_issue_is_shown_with_its_entries(run: Run, root: Path) -> None:
    lines = run("issue", "show", "1.1").out.splitlines()
    assert lines[:3] == ["File:      issues/vol-1-1.md", "Number:    1.1", "Date:      2026-01-09"]
    assert "Hero:      vol-1-1.png, by Drawn for this digest" in lines
    assert lines[-5].split()[:4] == ["1", "shared-ferry", "99", "1"]
