"""The letters about a subscription: short, in the reader's language, with the one link that matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.domain import errors, publications, tokens
from newsletter.domain.letters import Kind, Letter
from newsletter.domain.subscribers import Status, Subscriber
from newsletter.domain.tokens import Purpose
from newsletter.rendering import confinement, theme
from newsletter.subscribing.letters import Writer, Written

NOW = datetime(2026, 11, 20, 9, 0, 1, 5, tzinfo=UTC)
SIGNER = tokens.Signer(b"k" * 32)
PUBLICATION = publications.Publication(
    title="Weekly <Digest>",
    url="https://digest.example.org",
    language="en",
    postal_address="1 Quay Street",
    contact="editors@example.org",
    sender=publications.Sender(name="Weekly", email="news@example.org"),
)
ADA = Subscriber(
    id=7,
    email="ada@example.org",
    status=Status.PENDING,
    joined_at=datetime(2026, 11, 20, tzinfo=UTC),
    name="Buy at https://spam.example",
)


def write(
    kind: Kind,
    person: Subscriber = ADA,
    *,
    latest: str = "",
    address: str = "",
    folder: Path | None = None,
) -> Written:
    look = theme.packaged() if folder is None else theme.packaged().with_templates(folder)
    letter = Letter(id=3, kind=kind, subscriber=person.id, asked_at=NOW, address=address)
    return Writer(PUBLICATION, look, SIGNER, latest=lambda: latest).write(letter, person)


def token(text: str, path: str) -> str:
    return text.partition(f"https://digest.example.org/{path}/")[2].split()[0]


@pytest.mark.parametrize("kind", [Kind.CONFIRM, Kind.REMIND])
def test_who_is_asked_gets_the_link_and_nothing_that_a_stranger_typed(kind: Kind) -> None:
    written = write(kind)
    found = token(written.text, "confirm")
    assert SIGNER.read(Purpose.CONFIRM, found) == (
        7,
        int(NOW.timestamp()),
        tokens.fingerprint("ada@example.org"),
    )
    assert f"\nhttps://digest.example.org/confirm/{found}\n" in written.text
    assert "spam" not in str((written.to, written.name, written.subject, written.text))
    assert "1 Quay Street" in written.text
    if kind is Kind.CONFIRM:
        assert written.subject == "Please confirm: Weekly <Digest>"


def test_a_letter_is_in_the_reader_s_language_or_else_the_publication_s() -> None:
    written = [write(Kind.CONFIRM, replace(ADA, language=tag)) for tag in ("ja", "ja-JP", "fr", "", "../x")]
    assert [("ご確認" in each.subject) for each in written] == [True, True, False, False, False]


def test_the_welcome_names_the_latest_issue_where_there_is_one() -> None:
    latest = "https://digest.example.org/issues/vol-2-23"
    assert latest in write(Kind.WELCOME, latest=latest).text
    assert "issues/" not in write(Kind.WELCOME).text


def test_the_goodbye_brings_a_way_back_and_the_manage_mail_the_own_page() -> None:
    goodbye, manage = write(Kind.GOODBYE, replace(ADA, status=Status.UNSUBSCRIBED)), write(Kind.MANAGE)
    assert SIGNER.read(Purpose.UNDO, token(goodbye.text, "undo")) == (
        7,
        tokens.fingerprint("ada@example.org"),
    )
    own = SIGNER.read(Purpose.PREFERENCES, token(manage.text, "preferences"))
    assert own == (7, tokens.fingerprint("ada@example.org"))
    assert goodbye.name == ADA.name


def test_a_change_of_address_is_asked_at_the_new_one() -> None:
    written = write(Kind.READDRESS, address="new+tag@example.org")
    assert (written.to, written.name) == ("new+tag@example.org", "")
    link = token(written.text, "address")
    assert link.endswith("?to=new%2Btag%40example.org")
    named = SIGNER.read(Purpose.ADDRESS, link.partition("?")[0])
    assert named == (
        7,
        int(NOW.timestamp()),
        SIGNER.mark("new+tag@example.org"),
        tokens.fingerprint("ada@example.org"),
    )


@pytest.mark.parametrize("kind", Kind)
def test_the_same_facts_give_the_same_words_at_every_try(kind: Kind) -> None:
    assert write(kind, address="new@example.org") == write(kind, address="new@example.org")


def test_a_workspace_may_write_its_own_letters(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "confirm.en.txt.j2").write_text("Subject: Hello\n\nPress here: {{ link }}\n")
    written = write(Kind.CONFIRM, folder=tmp_path)
    assert written.subject == "Hello"
    assert written.text.startswith("Press here: https://digest.example.org/confirm/")


def test_a_letter_that_is_written_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "confirm.en.txt.j2").write_text("Subject: Hello\n\n{{ link\n")
    with pytest.raises(errors.RenderError, match=r"confirm\.en\.txt\.j2:\d"):
        write(Kind.CONFIRM, folder=tmp_path)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_letter_stands_in_every_language_with_subject_and_contact(kind: Kind, language: str) -> None:
    folder = theme.packaged().folders[0] / "mail"
    text = (folder / f"{kind.value}.{language}.txt.j2").read_text(encoding="utf-8")
    assert text.startswith("Subject: ")
    assert "{{ contact }}" in text


def test_a_template_of_one_s_own_that_never_ends_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confinement, "SECONDS", 0.5)  # the test waits for its end
    (tmp_path / "mail").mkdir()
    loops = "".join(f"{{% for c{i} in postal_address %}}" for i in range(9))
    (tmp_path / "mail" / "manage.en.txt.j2").write_text(f"{loops}{'{% endfor %}' * 9}")
    with pytest.raises(errors.RenderError, match=r"manage\.en\.txt\.j2:1: takes more than"):
        write(Kind.MANAGE, folder=tmp_path)
    assert write(Kind.GOODBYE, folder=tmp_path).text


def test_who_never_confirmed_is_written_to_without_the_name_that_somebody_typed() -> None:
    assert write(Kind.MANAGE, replace(ADA, status=Status.PENDING)).name == ""
    assert write(Kind.MANAGE, replace(ADA, status=Status.ACTIVE)).name == ADA.name
