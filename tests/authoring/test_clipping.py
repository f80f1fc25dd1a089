"""Clippings of pages and files: what they say of themselves, and what is made of those that say nothing."""

from __future__ import annotations

import datetime
import io
from email.message import EmailMessage
from pathlib import Path

import pytest

from newsletter.authoring import clipping, clippings, extraction, gathering, inbox
from newsletter.authoring.clippings import Kind
from newsletter.domain import errors
from tests.authoring.conftest import TODAY
from tests.authoring.press import FERRY, Press

ARTICLE = """Ferry line opens in June

By Rosa Lind

12 November 2026

The harbour offices of Aldermouth and Kitahama agreed on 11 November to run one ferry line from June.

Six crossings a day will replace two services that often sailed half empty.
"""


def one(gatherer: gathering.Gatherer, source: str | Path, **options: object) -> clippings.Clipping:
    (result,) = gatherer.clip([str(source)], **options)  # type: ignore[arg-type]  # the options of clip
    assert isinstance(result, inbox.Taken), result
    return clippings.read(result.path)


def missed(gatherer: gathering.Gatherer, source: str | Path) -> str:
    (result,) = gatherer.clip([str(source)])
    assert isinstance(result, gathering.Missed), result
    return result.reason


def pdf(*pages: str, password: str = "", title: str = "") -> bytes:
    """Return a PDF with a page for each text; an empty text is a page with nothing on it."""
    import pypdf
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = pypdf.PdfWriter()
    for text in pages:
        page = writer.add_blank_page(width=595, height=842)
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        stream = DecodedStreamObject()
        lines = "".join(f"({line}) Tj 0 -16 Td " for line in text.split("\n"))
        stream.set_data(f"BT /F1 12 Tf 72 720 Td {lines}ET".encode() if text else b"")
        page[NameObject("/Contents")] = writer._add_object(stream)  # pypdf has no other door for this
    if title:
        writer.add_metadata({"/Title": title})
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def test_a_page_becomes_a_file_that_says_where_it_is_from(gatherer: gathering.Gatherer, press: Press) -> None:
    made = one(gatherer, press.put("/ferry", FERRY), topics=["transport"])
    assert made.path.name == "2026-11-20-ferry-line-opens-in-june.md"
    assert (made.title, made.publisher, made.author) == (
        "Ferry line opens in June",
        "Bay Courier",
        "Rosa Lind",
    )
    assert (made.published, made.accessed) == (datetime.date(2026, 11, 12), TODAY)
    assert (made.address, made.language, made.kind) == (f"{press.base}/ferry", "en", Kind.PRESS)
    assert made.topics == ("transport",)
    assert "one ferry line from June" in made.excerpt
    assert "Subscribe" not in made.excerpt
    assert (made.headline, made.words, made.used, len(made.sha256)) == ("", "", "", 64)
    text = made.path.read_text(encoding="utf-8")
    assert "\nheadline:\n" in text
    assert "Your words for the entry go here" in text


def test_a_source_is_never_clipped_twice_whichever_way_it_comes(
    gatherer: gathering.Gatherer, press: Press, tmp_path: Path
) -> None:
    url = press.put("/ferry", FERRY)
    press.put("/amp/ferry", FERRY)
    sources = [url, f"{url}?utm_source=mail", f"{press.base}/amp/ferry", f"{url}#top"]
    results = list(gatherer.clip(sources))
    assert [result.known for result in results if isinstance(result, inbox.Taken)] == [
        False,
        True,
        True,
        True,
    ]
    assert len({result.path for result in results if isinstance(result, inbox.Taken)}) == 1
    other = gathering.Gatherer(
        into=inbox.Inbox(gatherer.into.folder), downloader=gatherer.downloader, today=TODAY
    )
    asked = len(press.asked)
    (again,) = other.clip([url])
    assert isinstance(again, inbox.Taken)
    assert (again.known, len(press.asked)) == (True, asked)
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(ARTICLE.replace("\n\n", "\n \n") if name == "b.txt" else ARTICLE)
    first, second = gatherer.clip([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")])
    assert isinstance(first, inbox.Taken)
    assert isinstance(second, inbox.Taken)
    assert (first.known, second.known) == (False, True)


def test_one_bad_source_does_not_cost_the_others(
    gatherer: gathering.Gatherer, press: Press, tmp_path: Path
) -> None:
    good = press.put("/ferry", FERRY)
    results = list(gatherer.clip([f"{press.base}/gone", str(tmp_path / "no.txt"), good]))
    kinds = [type(result) for result in results]
    assert kinds == [gathering.Missed, gathering.Missed, inbox.Taken]
    assert [path.suffix for path in gatherer.into.folder.iterdir()] == [".md"]


def test_a_folder_is_clipped_file_by_file(gatherer: gathering.Gatherer, tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "a.txt").write_text(ARTICLE)
    (folder / "b.md").write_text(
        "# A lighthouse is lit again\n\nIt was lit on 3 November 2026 by its keeper.\n"
    )
    (folder / "skip.jpg").write_bytes(b"\xff\xd8\xff")
    assert len(list(gatherer.clip([str(folder)]))) == 2


def test_a_plain_text_has_its_title_author_and_date_in_its_first_lines(
    gatherer: gathering.Gatherer, tmp_path: Path
) -> None:
    path = tmp_path / "ferry.txt"
    path.write_text(ARTICLE)
    made = one(gatherer, path, url="https://www.mofa.go.jp/ferry")
    assert (made.title, made.author, made.file) == ("Ferry line opens in June", "Rosa Lind", "ferry.txt")
    assert made.published == datetime.date(2026, 11, 12)
    assert (made.address, made.kind) == ("https://www.mofa.go.jp/ferry", Kind.OFFICIAL)


def test_a_text_without_a_title_is_named_by_its_first_sentence(
    gatherer: gathering.Gatherer, tmp_path: Path
) -> None:
    path = tmp_path / "bare.txt"
    path.write_text(f"In a meeting held in Aldermouth {'and elsewhere ' * 12}they agreed. Then they left.\n")
    made = one(gatherer, path)
    assert made.title.startswith("In a meeting held in Aldermouth and elsewhere")
    assert made.title.endswith("…")
    assert (made.published, made.address) == (None, "")


def test_a_title_that_stands_three_times_is_taken_once(gatherer: gathering.Gatherer, tmp_path: Path) -> None:
    path = tmp_path / "thrice.txt"
    path.write_text(
        "A shared ferry\n\nA shared ferry\n\nA shared ferry\n\nThe offices agreed to run it from June.\n"
    )
    assert one(gatherer, path).excerpt == "The offices agreed to run it from June."


@pytest.mark.parametrize(
    ("charset", "declared"),
    [
        ("shift_jis", ""),
        ("euc_jp", "utf-8"),
        ("utf-8", "iso-8859-1"),
        ("utf-16", ""),
        ("shift_jis", "shift_jis"),
    ],
)
def test_japanese_is_read_whatever_charset_it_has_or_claims(
    gatherer: gathering.Gatherer, press: Press, charset: str, declared: str
) -> None:
    paragraph = "港の事務所は、六月から一つの連絡船を共同で運航することで合意したと発表した。" * 3
    title, body = "連絡船が共同運航へ", f"<p>令和8年11月12日</p><p>{paragraph}</p><p>{paragraph}</p>"
    page = f"<html><head><title>{title}</title></head><article><h1>{title}</h1>{body}</article></html>"
    kind = f"text/html; charset={declared}" if declared else "text/html"
    made = one(gatherer, press.put("/jp", page.encode(charset), kind=kind))
    assert (made.title, made.language) == ("連絡船が共同運航へ", "ja")
    assert made.published == datetime.date(2026, 11, 12)
    assert "港の事務所は" in made.excerpt


def test_a_page_without_a_date_has_none(gatherer: gathering.Gatherer, press: Press) -> None:
    page = FERRY.replace('<meta property="article:published_time" content="2026-11-12T08:00:00+00:00">', "")
    made = one(gatherer, press.put("/ferry", page.replace(" on 11 November", "")))
    assert (made.published, made.accessed) == (None, TODAY)


def test_a_page_behind_a_wall_says_so(gatherer: gathering.Gatherer, press: Press) -> None:
    wall = '<script type="application/ld+json">{"isAccessibleForFree": false}</script></head>'
    assert one(gatherer, press.put("/wall", FERRY.replace("</head>", wall))).paywall is True


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://www.state.gov/x", Kind.OFFICIAL),
        ("https://www.mod.go.jp/x", Kind.OFFICIAL),
        ("https://www.gov.uk/x", Kind.OFFICIAL),
        ("https://web.mit.edu/x", Kind.ACADEMIC),
        ("https://www.u-tokyo.ac.jp/x", Kind.ACADEMIC),
        ("https://digest.example.org/x", Kind.OWN),
        ("https://courier.example.com/government/x", Kind.PRESS),
    ],
)
def test_the_kind_of_a_source_is_guessed_from_its_address(url: str, kind: Kind) -> None:
    assert clippings.kind_of(url, "digest.example.org") is kind


def test_a_pdf_is_read_by_its_text(gatherer: gathering.Gatherer, tmp_path: Path) -> None:
    path = tmp_path / "study.pdf"
    path.write_bytes(
        pdf("A study of the shared ferry\n\nThe line would carry 900 people a day.", "Second page.")
    )
    made = one(gatherer, path)
    assert "900 people" in made.excerpt
    assert made.file == "study.pdf"
    path.write_bytes(pdf("Whatever stands here is long enough.", title="The ferry study of 2026"))
    assert one(gatherer, path).title == "The ferry study of 2026"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pdf(""), "no text in it, only pictures"),
        (pdf("Secret", password="key"), "encrypted"),
        (b"%PDF-1.7\nnonsense", "PDF"),
        (pdf("A study of the shared ferry")[:200], "PDF"),
    ],
)
def test_a_pdf_that_cannot_be_read_says_why(
    gatherer: gathering.Gatherer, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "bad.pdf"
    path.write_bytes(content)
    assert words in missed(gatherer, path)
    assert not gatherer.into.folder.exists()


def test_a_mail_has_its_subject_sender_and_date(gatherer: gathering.Gatherer, tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Fährverbindung ab Juni", "Hafenamt <press@harbour.example.org>"
    mail["Date"] = "Thu, 12 Nov 2026 08:00:00 +0100"
    mail.set_content("The harbour offices agreed to run one ferry line from June.")
    path = tmp_path / "mail.eml"
    path.write_bytes(mail.as_bytes())
    made = one(gatherer, path)
    assert (made.title, made.publisher) == ("Fährverbindung ab Juni", "Hafenamt")
    assert made.published == datetime.date(2026, 11, 12)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.txt", b"  \n ", "no text"),
        ("a.html", b"<html><body></body></html>", "no text"),
        ("a.eml", b"", "no text"),
        ("a.xyz", b"text", "“.xyz” cannot be read"),
        ("a.html", b"\x00\x01\x02\xff" * 50, ""),
    ],
)
def test_a_file_with_nothing_in_it_is_told_and_nothing_is_written(
    gatherer: gathering.Gatherer, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert words in missed(gatherer, path)
    assert not gatherer.into.folder.exists()


def test_a_page_of_another_kind_is_refused_by_its_name(gatherer: gathering.Gatherer, press: Press) -> None:
    assert "“image/png” cannot be read" in missed(gatherer, press.put("/a.png", b"\x89PNG", kind="image/png"))


def test_what_an_editor_wrote_into_a_clipping_is_read_back(
    gatherer: gathering.Gatherer, tmp_path: Path
) -> None:
    path = tmp_path / "ferry.txt"
    path.write_text(ARTICLE)
    made = one(gatherer, path)
    text = made.path.read_text().replace("headline:\n", "headline: 'Two ports: one ferry'\n")
    text = text.replace("topics:\n", "topics: [transport, sea]\n").replace("weight: 0", "weight: 3")
    place = (
        "<!-- Your words for the entry go here; as long as this is empty the draft quotes the excerpt. -->"
    )
    made.path.write_text(text.replace(place, f"{place}\n\nThe **offices** agreed."))
    again = clippings.read(made.path)
    assert (again.headline, again.topics, again.weight) == ("Two ports: one ferry", ("transport", "sea"), 3)
    assert again.words == "The **offices** agreed."
    assert again.excerpt == made.excerpt


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("title: Ferry", "title: [Ferry", "not YAML"),
        ("accessed: 2026-11-20", "accessed: yesterday", "“yesterday” is not a date"),
        ("kind: press", "kind: pres", "did you mean “press”?"),
        ("weight: 0", "weight: much", "not a whole number"),
        ("---\n", "", "front matter"),
    ],
)
def test_a_clipping_edited_into_nonsense_is_an_error_with_its_line(
    gatherer: gathering.Gatherer, tmp_path: Path, old: str, new: str, words: str
) -> None:
    path = tmp_path / "ferry.txt"
    path.write_text(ARTICLE)
    made = one(gatherer, path)
    made.path.write_text(made.path.read_text().replace(old, new, 1))
    with pytest.raises(errors.IssueError, match=words):
        clippings.read(made.path)


def test_text_that_could_break_a_file_is_tamed(tmp_path: Path) -> None:
    made = clipping.of_words(
        'Quotes: "a" \x07 # and: more', "Body\x00 text", today=TODAY, url="https://example.org/x"
    )
    path = tmp_path / "a.md"
    path.write_text(clippings.dumps(made), encoding="utf-8")
    again = clippings.read(path)
    assert again.title.startswith('Quotes: "a"')
    with pytest.raises(extraction.ExtractError):
        clipping.of_words(" ", "", today=TODAY)
