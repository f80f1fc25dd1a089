"""Back issues as other tools keep them: read with their pictures, numbers and dates, whatever the package."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest

from newsletter.authoring import back_issues, html_markdown, issue_files
from newsletter.authoring.manuscripts import Kind
from newsletter.domain import errors, issues, numbering

WISHES = back_issues.Wishes(next_number=numbering.IssueNumber(1, 7), today=date(2026, 11, 20))
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64

BUTTONDOWN = """---
id: 0d3f0d0e-1111-4222-8333-444455556666
subject: "Harbour Notes #12: a new ferry"
status: sent
email_type: public
slug: harbour-notes-12
publish_date: 2025-03-07T14:00:00Z
---
Good morning.

## A new ferry
It [sails](https://example.org/ferry) in June.

## The lighthouse is lit
By its keeper.
"""
JEKYLL = """---
layout: post
title: The flood map
date: 2024-05-03 09:00:00 +0000
categories: [news]
---
{% include banner.html %}
![A map](/assets/map.png)

### The left bank
Dry.

### The right bank
Wet.
"""
HUGO = """+++
title = "Vol 2.4: Seeds"
date = 2024-06-01
draft = true
+++
![Jars on a shelf](jars.png)

{{< figure src="x.png" >}}

## Seeds are saved
In jars.

## Jars are counted
By hand.
"""
POSTS_CSV = """post_id,post_date,is_published,email_sent_at,type,audience,title,subtitle,podcast_url
101.first,2023-01-06T10:00:00.000Z,true,2023-01-06T10:01:00.000Z,newsletter,everyone,The first letter,Hello,
102.second,2023-02-03T10:00:00.000Z,false,,newsletter,everyone,A draft of ours,,
"""
FIRST = """<div><h2>One</h2><p>It <strong>began</strong> with a <a href='https://example.org/a'>link</a>.</p>
<h2>Two</h2><p>And went on.</p></div>"""
SECOND = "<p>Only words here, and no heading at all.</p>"


def packed(path: Path, files: Mapping[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def taken(source: Path, folder: Path) -> dict[str, back_issues.Imported]:
    results = back_issues.take_in(source, folder, WISHES)
    assert all(isinstance(one, back_issues.Imported) for one in results), results
    return {one.source: one for one in results if isinstance(one, back_issues.Imported)}


def missed(source: Path, folder: Path) -> dict[str, str]:
    results = back_issues.take_in(source, folder, WISHES)
    return {one.source: one.reason for one in results if isinstance(one, back_issues.Missed)}


def read(one: back_issues.Imported) -> issues.Issue:
    return issue_files.read(one.path, title="Harbour Notes")


def notes(one: back_issues.Imported, kind: Kind) -> str:
    return "\n".join(note.what for note in one.notes if note.kind is kind)


def test_a_zip_of_markdown_with_front_matter_keeps_numbers_and_dates(tmp_path: Path) -> None:
    source = packed(
        tmp_path / "export.zip", {"emails/harbour-notes-12.md": BUTTONDOWN, "README.md": "# Read me"}
    )
    (one,) = taken(source, tmp_path / "issues").values()
    issue = read(one)
    assert (str(issue.number), issue.date, issue.status) == ("1.12", date(2025, 3, 7), issues.Status.READY)
    assert issue.subject == "Harbour Notes #12: a new ferry"
    assert issue.intro == "Good morning."
    assert [entry.headline for entry in issue.entries] == ["A new ferry", "The lighthouse is lit"]
    assert "[sails](https://example.org/ferry)" in issue.entries[0].body
    assert "12 became Vol 1.12" in notes(one, Kind.GUESSED)


def test_a_folder_of_a_site_brings_its_pictures_along(tmp_path: Path) -> None:
    site = tmp_path / "site"
    files: dict[str, bytes] = {
        "_posts/2024-05-03-the-flood-map.md": JEKYLL.encode(),
        "assets/map.png": PNG,
        "content/issues/seeds/index.md": HUGO.encode(),
        "content/issues/seeds/jars.png": PNG + b"jars",
        ".git/config.md": b"## not a post",
    }
    for name, content in files.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    found = taken(site, tmp_path / "issues")
    flood, seeds = found["_posts/2024-05-03-the-flood-map.md"], found["content/issues/seeds/index.md"]
    issue = read(flood)
    assert (str(issue.number), issue.date) == ("1.7", date(2024, 5, 3))
    assert "by its date it became Vol 1.7" in notes(flood, Kind.GUESSED)
    assert "headings of level 3 are taken for headlines" in notes(flood, Kind.GUESSED)
    assert "old site’s own language" in notes(flood, Kind.LEFT)
    assert issue.intro == "![A map](vol-1-7-map.png)"
    assert (tmp_path / "issues" / "vol-1-7-map.png").read_bytes() == PNG
    issue = read(seeds)
    assert (str(issue.number), issue.date, issue.status) == ("2.4", date(2024, 6, 1), issues.Status.DRAFT)
    assert (tmp_path / "issues" / "vol-2-4-jars.png").read_bytes() == PNG + b"jars"
    assert not any(problem.rule == "image-alt" for problem in issue_files.problems(seeds.path))


def test_a_substack_export_is_read_with_what_its_index_says(tmp_path: Path) -> None:
    source = packed(
        tmp_path / "export.zip",
        {
            "posts.csv": POSTS_CSV,
            "posts/101.first.html": FIRST,
            "posts/102.second.html": SECOND,
            "email_list.csv": "x",
        },
    )
    found = taken(source, tmp_path / "issues")
    first, second = read(found["posts/101.first.html"]), read(found["posts/102.second.html"])
    assert (first.subject, first.date, first.status) == (
        "The first letter",
        date(2023, 1, 6),
        issues.Status.READY,
    )
    assert [entry.headline for entry in first.entries] == ["One", "Two"]
    assert first.entries[0].body == "It **began** with a [link](https://example.org/a)."
    assert (second.subject, second.status, second.layout) == (
        "A draft of ours",
        issues.Status.DRAFT,
        issues.Layout.LETTER,
    )
    assert (str(first.number), str(second.number)) == ("1.7", "1.8")


def test_numbers_that_are_known_are_never_given_to_another(tmp_path: Path) -> None:
    files = {f"{i}.md": f"---\ndate: 2024-0{i}-01\n---\n## A {i}\n\nB\n\n## C {i}\n\nD\n" for i in (1, 2, 3)}
    files["known.md"] = "---\ntitle: Vol 1.8 of ours\ndate: 2024-02-15\n---\n## A\n\nB\n\n## C\n\nD\n"
    found = taken(packed(tmp_path / "a.zip", files), tmp_path / "issues")
    assert {name: str(one.number) for name, one in found.items()} == {
        "1.md": "1.7",
        "2.md": "1.9",
        "known.md": "1.8",
        "3.md": "1.10",
    }


def test_a_mail_is_read_with_the_pictures_inside_it(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "Harbour Notes Vol 1.3", "news@example.org"
    mail["Date"] = "Fri, 14 Jan 2022 09:00:00 -0500"
    mail.set_content("plain")
    mail.add_alternative(
        "<html><body><table><tr><td><h1>Harbour Notes</h1><img src='cid:pic@x' alt='A boat'>"
        "<img src='https://example.org/open.gif' width='1' height='1'>"
        "<h2>A ferry</h2><p>It sails.</p><h2>A lamp</h2><p>It is lit.</p></td></tr></table></body></html>",
        subtype="html",
    )
    mail.get_payload()[1].add_related(PNG, "image", "png", cid="<pic@x>")  # type: ignore[union-attr, index]  # the HTML part
    source = tmp_path / "old.eml"
    source.write_bytes(mail.as_bytes())
    (one,) = taken(source, tmp_path / "issues").values()
    issue = read(one)
    assert (str(issue.number), issue.date) == ("1.3", date(2022, 1, 14))
    assert [entry.headline for entry in issue.entries] == ["A ferry", "A lamp"]
    assert issue.intro == "![A boat](vol-1-3-pic-x.png)"
    assert (tmp_path / "issues" / "vol-1-3-pic-x.png").read_bytes() == PNG


def test_one_page_is_read_from_its_article_with_pictures_beside_it(tmp_path: Path) -> None:
    page = """<html><head><title>Vol 1.4 | Harbour Notes</title><style>p{}</style></head><body><nav>Menu</nav>
    <article><h2>A ferry</h2><p>It sails on 3 May.</p><img src="img/boat.jpg" alt="">
    <h2>A lamp</h2><blockquote><p>Lit, at last.</p></blockquote><ul><li>One</li><li>Two <b>bold</b></li></ul>
    <script>alert(1)</script></article><footer>© 2020</footer></body></html>"""
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "boat.jpg").write_bytes(b"\xff\xd8\xff")
    source = tmp_path / "2022-05-06-page.html"
    source.write_text(page)
    (one,) = taken(source, tmp_path / "issues").values()
    issue = read(one)
    assert (str(issue.number), issue.date) == ("1.4", date(2022, 5, 6))
    assert issue.entries[0].body == "It sails on 3 May.\n\n![](vol-1-4-boat.jpg)"
    assert issue.entries[1].body == "> Lit, at last.\n\n- One\n- Two **bold**"
    assert "“boat.jpg” has no alt text" in notes(one, Kind.LEFT)


def test_one_markdown_file_with_front_matter_is_read_alone(tmp_path: Path) -> None:
    source = tmp_path / "post.md"
    source.write_text(BUTTONDOWN)
    (one,) = taken(source, tmp_path / "issues").values()
    assert str(one.number) == "1.12"


def test_one_bad_post_does_not_cost_the_others(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "good.md": BUTTONDOWN,
        "same.md": BUTTONDOWN,
        "empty.md": "---\ntitle: x\n---\n",
        "broken.md": "---\ntitle: [x\n---\n## A\n\nB\n",
        "toml.md": "+++\ntitle = \n+++\n## A\n",
        "blank.html": "<html></html>",
    }
    reasons = missed(packed(tmp_path / "a.zip", files), tmp_path / "issues")
    assert set(reasons) == set(files) - {"good.md"}
    assert "there already" in reasons["same.md"]
    assert "not TOML" in reasons["toml.md"]
    assert sorted(path.name for path in (tmp_path / "issues").iterdir()) == ["vol-1-12.md"]


def test_a_zip_that_is_none_or_holds_no_issue_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"PK\x03\x04nonsense")
    for source, words in [
        (bad, "cannot be unpacked"),
        (packed(tmp_path / "none.zip", {"a.txt": "x"}), "nothing in it is an issue"),
        (tmp_path / "gone.zip", "cannot be unpacked"),
    ]:
        with pytest.raises(errors.IssueError, match=words):
            back_issues.take_in(source, tmp_path / "issues", WISHES)


def test_a_zip_bomb_is_left_unpacked(tmp_path: Path) -> None:
    source = packed(tmp_path / "bomb.zip", {"a.md": b"0" * 25_000_000, "b.md": BUTTONDOWN})
    reasons = missed(source, tmp_path / "issues")
    assert list(reasons) == ["a.md"]
    assert "larger than 20,000,000 bytes" in reasons["a.md"]


def test_names_in_a_zip_cannot_lead_outside(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "../../evil.md": BUTTONDOWN.replace("Good morning.", "![x](../../../etc/passwd.png)"),
        "../passwd.png": PNG,
    }
    (one,) = taken(packed(tmp_path / "a.zip", files), tmp_path / "deep" / "issues").values()
    assert one.path == tmp_path / "deep" / "issues" / "vol-1-12.md"
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {"a.zip", "deep/issues/vol-1-12.md", "deep/issues/vol-1-12-passwd.png"}
    outside = tmp_path / "outside.png"
    outside.write_bytes(PNG)
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "post.md").write_text(BUTTONDOWN.replace("Good morning.", "![x](../outside.png)"))
    (alone,) = taken(inner / "post.md", tmp_path / "other").values()
    assert [path.name for path in alone.path.parent.iterdir()] == ["vol-1-12.md"]


def test_a_number_cannot_be_named_for_many_issues(tmp_path: Path) -> None:
    source = packed(tmp_path / "a.zip", {"a.md": BUTTONDOWN})
    wishes = back_issues.Wishes(
        number=numbering.IssueNumber(1, 1), next_number=numbering.IssueNumber(1, 1), today=date(2026, 1, 1)
    )
    with pytest.raises(errors.UsageError):
        back_issues.take_in(source, tmp_path / "issues", wishes)


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ("<p>a&nbsp;b <em> c </em>d</p>", "a b *c* d"),
        ("<p>1 * 2 [x] _y_ `z` &lt;b&gt;</p>", r"1 \* 2 \[x\] \_y\_ \`z\` \<b>"),
        ("<a href='https://example.org/a (b)'>x</a>", "[x](https://example.org/a%20%28b%29)"),
        ("<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n   - b\n2. c"),
        ("<p>a<br>b</p>", "a  \nb"),
        ("<pre>x\n y</pre>", "```\nx\n y\n```"),
        ("<p style='display: none'>x</p><p hidden>y</p>z", "z"),
        ("<h1><b>T</b></h1>", "# T"),
        ("<b> </b><a href='#'></a>", ""),
        ("", ""),
        ("<!-- only a comment -->", ""),
    ],
)
def test_html_becomes_the_markdown_an_editor_would_write(html: str, markdown: str) -> None:
    assert html_markdown.convert(html) == markdown
