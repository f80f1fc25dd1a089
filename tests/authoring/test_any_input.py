"""Whatever bytes lie in a file: an answer, or an error of our own with a place."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from newsletter.authoring import (
    back_issues,
    bundles,
    clippings,
    dates,
    digest_texts,
    extraction,
    feeds,
    html_markdown,
    inbox,
    issue_files,
    posts,
    shelf,
)
from newsletter.domain import errors, numbering

HEAD = "---\nvolume: 1\nnumber: 1\ndate: 2026-01-09\n"
PIECES = st.sampled_from(
    [
        "---\n",
        "volume: 1\n",
        "number: 1.10\n",
        "date: 2026-01-09\n",
        "hero:\n",
        "  file: a.png\n",
        "title: 'x\n",
        "title: |\n",
        "waive: {a: b}\n",
        "- item\n",
        "&a *a\n",
        "\t",
        "## ",
        "##\n",
        "id: a\n",
        "sources:\n",
        "  - https://example.org\n",
        "  - [x](y), z\n",
        "```\n",
        "~~~\n",
        "`code`",
        "![](x.png)",
        "[a](javascript:b)",
        "TK ",
        "\n",
        "\r\n",
        "\0",
        "\ufeff",
        "日本",
        "Headlines:\n",
        "Details:\n",
        "● bullet\n",
        "Vol: 2.23\n",
        "Image Source: [x](#)\n",
        "December 15, 2023\n",
        "+++\n",
        "<p>x</p>",
        "<table><tr><td>",
        "<img src=data:image/png;base64,zz>",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=12), max_size=25).map("".join)
BYTES = TEXTS.map(str.encode) | st.binary(max_size=200) | TEXTS.map(lambda text: text.encode("utf-16"))


@contextmanager
def laid(content: bytes, name: str = "vol-1-1.md") -> Iterator[Path]:
    """Put a file into a folder of its own; hypothesis wants a fresh one each time."""
    with tempfile.TemporaryDirectory(prefix="any-") as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        yield path


@given(content=BYTES)
@example(content=b"---\n? {a: b}\n: c\n---\n")
@example(content=HEAD.encode() + b"hero: &h {file: *h}\n---\n")
@example(content=HEAD.encode() + b"title: !!binary aGk=\n---\n## A\n")
@example(content=HEAD.encode() + b"<<: {title: x}\n---\n## A\n")
def test_an_issue_file_of_any_content_is_read_or_refused_with_its_problems(content: bytes) -> None:
    with laid(content) as path:
        found = issue_files.problems(path)
        try:
            issue = issue_files.read(path, title="T")
        except errors.IssueError:
            assert found
        else:
            assert issue.number >= numbering.IssueNumber(1, 1)
        lines = content.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        assert all(0 <= one.line <= lines for one in found)
        assert shelf.peek(path).path == path


@given(body=TEXTS)
def test_every_flaw_of_a_body_stands_on_the_line_it_names(body: str) -> None:
    with laid(f"{HEAD}---\n{body}".encode("utf-8", "surrogatepass")) as path:
        lines = (
            path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n").split("\n")
        )
        for one in issue_files.problems(path):
            if one.rule == "unfinished":
                assert "TK" in lines[one.line - 1]
            if one.rule == "unsafe-link":
                assert "javascript:b" in lines[one.line - 1]


@given(content=BYTES)
def test_a_clipping_of_any_content_is_read_or_refused(content: bytes) -> None:
    with laid(content, "a.md") as path:
        assert inbox.peek(path).path == path
        with suppress(errors.IssueError):
            assert clippings.read(path).title


@given(title=st.text(min_size=1), text=st.text(), publisher=st.text(max_size=20), topic=st.text(max_size=9))
def test_a_clipping_is_read_back_as_it_was_written(title: str, text: str, publisher: str, topic: str) -> None:
    day = datetime.date(2026, 11, 20)
    tame = [extraction.clean(one) for one in (title, text, publisher)]
    made = clippings.Clipping(title=tame[0], accessed=day, publisher=tame[2], excerpt=tame[1])
    with laid(clippings.dumps(made).encode("utf-8", "replace"), "a.md") as path:
        again = clippings.read(path)
        assert again.accessed == day
        if tame[0].strip() and tame[0].isprintable():
            assert again.title == " ".join(tame[0].split())


@given(text=TEXTS)
def test_a_digest_text_of_any_content_gives_an_issue_file_that_can_be_read(text: str) -> None:
    script = digest_texts.read(
        f"Title\nVol 1.2\n2023-12-15\nHeadlines:\n- One\n{text}\nDetails:\n- Told\n{text}"
    )
    script.number, script.date = numbering.IssueNumber(1, 2), datetime.date(2023, 12, 15)
    with laid(script.text().encode("utf-8", "replace"), "vol-1-2.md") as path:
        problems = [
            one for one in issue_files.problems(path) if one.rule in {"yaml", "front-matter", "wrong-type"}
        ]
        assert not problems, script.text()


@given(content=BYTES, suffix=st.sampled_from([".md", ".html", ".eml", ".txt", ".zip"]))
def test_a_back_issue_of_any_content_is_taken_in_or_refused(content: bytes, suffix: str) -> None:
    with laid(content, f"old{suffix}") as path:
        wishes = back_issues.Wishes(next_number=numbering.IssueNumber(1, 1), today=datetime.date(2026, 1, 9))
        folder = path.parent / "issues"
        try:
            taken = back_issues.take_in(path, folder, wishes)
        except errors.NewsletterError:
            return
        assert taken


@given(content=BYTES, kind=st.sampled_from([".txt", ".eml", "text/html", ".pdf", "image/png"]))
def test_a_source_of_any_content_is_read_or_refused(content: bytes, kind: str) -> None:
    try:
        found = extraction.by_kind(content, kind, charset="x-unknown")
    except errors.NewsletterError:
        return
    assert found.text.strip()


@given(content=BYTES)
def test_a_feed_of_any_content_is_read_or_refused(content: bytes) -> None:
    try:
        assert all(item.key for item in feeds.parse(content))
    except errors.NewsletterError:
        return


@given(text=TEXTS)
def test_any_page_becomes_markdown(text: str) -> None:
    assert "\0" not in html_markdown.convert(extraction.clean(text))


@given(text=TEXTS | st.text())
def test_any_text_has_a_date_or_none(text: str) -> None:
    assert dates.guess(text) is None or isinstance(dates.guess(text), datetime.date)
    assert dates.stamp(text) is None or isinstance(dates.stamp(text), datetime.date)


def test_a_bundle_knows_files_by_the_end_of_their_names() -> None:
    bundle = bundles.Bundle(source="", files={"a/b.png": lambda: b"x"}, by_name={"b.png": "a/b.png"})
    assert bundle.find("https://example.org/pictures/B.png?x", "post.md") == "a/b.png"
    assert bundle.find("", "post.md") == ""
    assert posts.of_file(bundles.Bundle(source="", files={"p.md": lambda: b"## A\n\nB\n"}), "p.md").pieces
