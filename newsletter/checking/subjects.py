"""What a check looks at: an issue, what it was rendered to, and what surrounds it."""

from __future__ import annotations

import html as markup
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.checking import glossaries, link_health, tracking
from newsletter.domain import fields, findings, issues, messages, publications


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What a picture's file says of itself."""

    #: ``jpeg``, ``png``, ``gif``, ``webp``, ``svg`` …; empty when it is none that we know.
    format: str
    #: Size of the file in bytes.
    size: int
    #: Pixels; 0 when the file does not say.
    width: int = 0
    height: int = 0
    animated: bool = False
    #: Why the file cannot be used: missing, cut short, not a picture.
    problem: str = ""


#: Finds the facts of a picture by its ``src`` as the issue writes it; None: not a file of ours.
ImageLoader = Callable[[str], ImageFacts | None]


def no_images(_src: str) -> ImageFacts | None:
    """Know nothing of any picture."""
    return None


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Everything that one run of the checks may look at."""

    issue: issues.Issue
    publication: publications.Publication
    #: The issue file as the editor names it, and its lines without their ends.
    path: str
    lines: Sequence[str]
    #: None when the issue could not be rendered: rules on HTML then keep silent.
    rendered: messages.Rendered | None = None
    #: Both parts as one reader gets them, links of realistic length included.
    html: str = ""
    text: str = ""
    #: The values that this reader's fields were filled with.
    values: Mapping[str, str] = field(default_factory=dict)
    #: The sample message as it goes out; empty: not built.
    raw: bytes = b""
    #: Issues sent before, newest first.
    past: Sequence[issues.Issue] = ()
    #: The same issue in other languages.
    editions: Sequence[issues.Issue] = ()
    glossary: glossaries.Glossary = glossaries.EMPTY
    images: ImageLoader = no_images
    #: What reading the file found already; waivers hold for it too.
    flaws: Sequence[findings.Finding] = ()
    #: What web servers answered to the links, by address; empty: nobody asked.
    answers: Mapping[str, link_health.Answer] = field(default_factory=dict)
    #: Share of the readers by mail client, as ``{"gmail": 0.3, "outlook.windows": 0.2}``; empty: even.
    shares: Mapping[str, float] = field(default_factory=dict)
    #: What of the readers is counted: that makes the letter longer.
    counted: tracking.Tracking = field(default_factory=tracking.Tracking)

    @property
    def leave_url(self) -> str:
        """The address by which the sample reader leaves; empty when no values were given."""
        return self.values.get("unsubscribe_url", "")


#: A signed token is at most this long; the sample links use it in full.
_TOKEN = "s4mpl3-t0k3n-" + "x" * 19


def sample_values(publication: publications.Publication, issue: issues.Issue) -> dict[str, str]:
    """Return values of a sample reader for every open field, as long as real ones."""
    return {
        "unsubscribe_url": f"{publication.url}/u/{_TOKEN}",
        "preferences_url": f"{publication.url}/p/{_TOKEN}",
        "view_url": f"{publication.url}/issues/{issue.slug}",
        "subscriber.email": "akiko.yamamoto-example@mail.example.org",
        "subscriber.language": issue.language,
        "subscriber.name": "Akiko Yamamoto",
        "subscriber.first_name": "Akiko",
    }


def personalise(pieces: messages.Pieces, values: Mapping[str, str], *, is_html: bool) -> str:
    """Fill the open fields of a part for one reader."""
    return fields.join(pieces, values, escape=markup.escape if is_html else None)
