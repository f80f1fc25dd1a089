"""Whatever editors type, the letter around it stands."""

from __future__ import annotations

import dataclasses

import html5lib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.domain import issues
from newsletter.rendering import merge
from tests.rendering import samples

#: Stretches that are something to HTML, MJML, Jinja, Markdown or mail.
TRICKY = st.sampled_from(
    [
        "</div></td></tr></table>",
        "<mj-text>",
        "<!--[if mso]>",
        "<![endif]-->",
        "-->",
        "{% include 'x' %}",
        "{# ",
        "\\{{ ",
        "}}",
        "```\n",
        "> ",
        "- ",
        "1. ",
        "| a | b |\n|---|---|\n| c",
        "# ",
        '[a](https://example.org/?a=1&b="2")',
        "![](x.png)",
        '![<b>](x.png "a | b")',
        "[^1]",
        "\n\n[^1]: note\n\n",
        "<script>",
        "&amp;&lt;&#0;",
        "</title>",
        "</style>",
        "\n\n",
        "  \n",
        "\t",
        "***",
        "👩‍👩‍👧‍👦",
        "שלום",
        "日本語",
        "\u202e",
        "\r\n.\r\nQUIT\r\n",
    ]
)
# Control characters and lone surrogates cannot come out of a file that is read as UTF-8 text.
PLAIN = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="{\ufffe\uffff"), max_size=20
)
TEXTS = st.lists(TRICKY | PLAIN, max_size=8).map("".join)
LINES = TEXTS.map(lambda text: " ".join(text.split())).filter(bool)


@given(
    bodies=st.lists(st.tuples(LINES, TEXTS), min_size=1, max_size=3), layout=st.sampled_from(issues.Layout)
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_random_entries_never_break_the_structure(
    bodies: list[tuple[str, str]], layout: issues.Layout
) -> None:
    entries = tuple(
        issues.Entry(id=f"e{number}", headline=headline, body=body)
        for number, (headline, body) in enumerate(bodies)
    )
    issue = dataclasses.replace(samples.ISSUE, entries=entries, layout=layout, title=bodies[0][0])
    merger = merge.compile(samples.template(rendered=samples.rendered(issue)))
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    tree = parser.parse(merger.html(samples.READER))
    # Unicode's own non-characters are the one thing a parser may mind.
    assert {name for _, name, _ in parser.errors} <= {"invalid-codepoint"}
    level = {"digest": "h3", "letter": "h2"}[layout]
    heads = [node for node in tree.iter(level) if node.get("class") == "head"]
    assert len(heads) == len(entries)
    assert [link.get("href") for link in tree.iter("a")][-3:] == [
        samples.READER.values[name] for name in ("view_url", "preferences_url", "unsubscribe_url")
    ]
    assert len(list(tree.iter("h1"))) == 1
    assert not list(tree.iter("script"))
    body = tree.find("body")
    assert [node.get("role") for node in body] == ["article"]
    assert merger.merge(samples.READER, samples.NOW).raw.isascii()
