"""The mails about a subscription: short, in the reader's language, with the one link that matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.domain import errors, publications, tokens
from newsletter.domain.subscribers import Status, Subscriber
from newsletter.domain.tokens import Purpose
from newsletter.rendering import confinement, theme
from newsletter.subscribing.letters import MailLetters

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


class Post:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, str]] = []

    def __call__(self, *, to: str, name: str, subject: str, text: str) -> None:
        self.sent.append({"to": to, "name": name, "subject": subject, "text": text})


@pytest.fixture
def post() -> Post:
    return Post()


def letters(post: Post, latest: str = "", folder: Path | None = None) -> MailLetters:
    look = theme.packaged() if folder is None else theme.packaged().with_templates(folder)
    return MailLetters(PUBLICATION, look, SIGNER, post, latest=lambda: latest)


def test_the_confirmation_holds_its_link_and_nothing_that_a_stranger_typed(post: Post) -> None:
    letters(post).confirm(ADA, "TOKEN")
    (sent,) = post.sent
    assert "\nhttps://digest.example.org/confirm/TOKEN\n" in sent["text"]
    assert sent["subject"] == "Please confirm: Weekly <Digest>"
    assert "spam" not in str(sent)
    assert "1 Quay Street" in sent["text"]


def test_the_reminder_holds_the_same_link_and_nothing_that_a_stranger_typed(post: Post) -> None:
    letters(post).remind(ADA, "TOKEN")
    (sent,) = post.sent
    assert "\nhttps://digest.example.org/confirm/TOKEN\n" in sent["text"]
    assert "spam" not in str(sent)


def test_a_letter_is_in_the_reader_s_language_or_else_the_publication_s(post: Post) -> None:
    for language in ("ja", "ja-JP", "fr", ""):
        letters(post).confirm(replace(ADA, language=language), "TOKEN")
    japanese = [("ご確認" in each["subject"]) for each in post.sent]
    assert japanese == [True, True, False, False]


def test_the_welcome_names_the_latest_issue_where_there_is_one(post: Post) -> None:
    letters(post, "https://digest.example.org/issues/vol-2-23").welcome(ADA)
    letters(post).welcome(ADA)
    assert ["issues/vol-2-23" in each["text"] for each in post.sent] == [True, False]


def test_the_goodbye_brings_a_way_back_and_the_manage_mail_the_own_page(post: Post) -> None:
    letters(post).goodbye(ADA)
    letters(post).manage(ADA)
    undo = post.sent[0]["text"].partition("/undo/")[2].split()[0]
    assert SIGNER.read(Purpose.UNDO, undo) == (7,)
    page = post.sent[1]["text"].partition("/preferences/")[2].split()[0]
    assert SIGNER.read(Purpose.PREFERENCES, page) == (7, tokens.fingerprint("ada@example.org"))


def test_a_change_of_address_is_asked_at_the_new_one(post: Post) -> None:
    letters(post).readdress(ADA, "new+tag@example.org", "TOKEN")
    assert post.sent[0]["to"] == "new+tag@example.org"
    assert "/address/TOKEN?to=new%2Btag%40example.org" in post.sent[0]["text"]


def test_a_workspace_may_write_its_own_letters(post: Post, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "confirm.en.txt.j2").write_text("Subject: Hello\n\nPress here: {{ link }}\n")
    letters(post, folder=tmp_path).confirm(ADA, "TOKEN")
    assert post.sent[0]["subject"] == "Hello"
    assert post.sent[0]["text"] == "Press here: https://digest.example.org/confirm/TOKEN\n"


@pytest.mark.parametrize("kind", ["confirm", "remind", "welcome", "goodbye", "manage", "readdress"])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_letter_stands_in_every_language_with_subject_and_contact(kind: str, language: str) -> None:
    folder = theme.packaged().folders[0] / "mail"
    text = (folder / f"{kind}.{language}.txt.j2").read_text(encoding="utf-8")
    assert text.startswith("Subject: ")
    assert "{{ contact }}" in text


def test_a_template_of_one_s_own_that_never_ends_is_an_error(
    post: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confinement, "SECONDS", 0.5)  # the test waits for its end
    (tmp_path / "mail").mkdir()
    loops = "".join(f"{{% for c{i} in postal_address %}}" for i in range(9))
    (tmp_path / "mail" / "manage.en.txt.j2").write_text(f"{loops}{'{% endfor %}' * 9}")
    with pytest.raises(errors.RenderError, match=r"manage\.en\.txt\.j2:1: takes more than"):
        letters(post, folder=tmp_path).manage(ADA)
    assert post.sent == []
    letters(post, folder=tmp_path).goodbye(ADA)
    assert len(post.sent) == 1
