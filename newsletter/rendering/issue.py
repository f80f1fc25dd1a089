"""An issue poured into its theme, once: HTML and plain text with the personal fields left open."""

from __future__ import annotations

from newsletter.domain import issues, messages, publications
from newsletter.rendering import columns, confinement, mjml, slots, templating, views
from newsletter.rendering import theme as themes

#: Keeps the text under the preheader out of the inbox row: a joiner, a non-joiner, a blank that holds.
_FILLER = "\u034f\u200c\u00a0"
#: Characters of preheader and filler: no mail program shows more.
_INBOX_ROW = 110


def render(
    issue: issues.Issue,
    publication: publications.Publication,
    theme: themes.Theme,
    *,
    image_base: str = "",
) -> messages.Rendered:
    """Pour an issue into its theme: the same issue, publication and theme give the same bytes.

    Args:
        issue: what the editors wrote.
        publication: what stays the same from issue to issue.
        theme: templates and tokens.
        image_base: what the names of local images are put behind; the issue's own public address
            when empty.

    Raises:
        RenderError: a template, a personal field or a text cannot be rendered; says which.
    """
    if themes.is_own(theme):
        return confinement.run(_poured, issue, publication, theme, image_base)
    return _poured(issue, publication, theme, image_base)


def _poured(
    issue: issues.Issue, publication: publications.Publication, theme: themes.Theme, image_base: str
) -> messages.Rendered:
    themes.check(theme)
    reading = views.Views(issue, publication, theme, image_base=image_base)
    context = reading.context()
    filler = _FILLER * max(16, _INBOX_ROW - len(issue.preheader))
    context["preheader_filler"] = slots.Html(filler)
    source = templating.run(
        themes.environment(theme.folders, escaping=True, tokens=theme.tokens),
        f"{issue.layout}.mjml.j2",
        context,
    )
    written = templating.run(
        themes.environment(theme.folders, escaping=False), f"{issue.layout}.txt.j2", context
    )
    skeleton = reading.slots.skeleton(mjml.to_html(source))
    return messages.Rendered(
        language=issue.language,
        subject=issue.subject,
        preheader=issue.preheader,
        html=reading.slots.fill(skeleton),
        text=reading.slots.fill(columns.tidy(written)),
        bytes_by_entry=reading.slots.bytes_by_entry(skeleton),
    )
