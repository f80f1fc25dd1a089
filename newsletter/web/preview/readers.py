"""Sample readers: somebody with a name, somebody without, somebody whose name is hard on templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter import checking
from newsletter.domain import issues, publications
from newsletter.sending import proofs


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Somebody who never gave their address."""

    key: str
    label: str
    name: str
    #: Picks the edition, where there is one in it; empty: the publication's.
    language: str = ""


READERS = (
    Reader(key="named", label="Akiko Yamamoto", name="Akiko Yamamoto"),
    Reader(key="nameless", label="nobody's name", name=""),
    Reader(key="awkward", label="O'Neill & <Söhne>", name="Zoë-Marie O'Neill & <Söhne> {{ name }}"),
    Reader(key="japanese", label="山本 明子, reads Japanese", name="山本 明子", language="ja"),
)


def find(key: str) -> Reader:
    """Return a reader, the first one for a key that nobody has."""
    return next((reader for reader in READERS if reader.key == key), READERS[0])


def edition(proof: proofs.Proof, reader: Reader, language: str = "") -> proofs.Edition:
    """Return the edition in a language, or the one that a reader gets."""
    wanted = language or reader.language
    found = [one for one in proof.editions if one.issue.language == wanted]
    return found[0] if found else proof.editions[0]


def values(reader: Reader, publication: publications.Publication, issue: issues.Issue) -> Mapping[str, str]:
    """Return what fills the open fields for a reader."""
    return checking.sample_values(publication, issue) | {
        "subscriber.name": reader.name,
        "subscriber.first_name": reader.name.split()[0] if reader.name else "",
        "subscriber.language": reader.language or issue.language,
    }
