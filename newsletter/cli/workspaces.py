"""Make the files of a workspace: beside its place first, so that it is there whole or not at all."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from newsletter.domain import errors
from newsletter.settings.workspace import SETTINGS_FILE

#: What git must never see: secrets and people.
IGNORED = (".env", "subscribers.db*", "outbox/", "*.rejected.csv", ".newsletter/", "*.pem")
_ENV = """\
# Signs every link that acts for a subscriber: whoever has it can speak for all of them. Keep a copy: links in
# mails that went out stop working when it is lost.
NEWSLETTER_SIGNING_KEY={key}
"""


def make(root: Path, words: Mapping[str, str], *, fill: Callable[[Path], None]) -> None:
    """Make a workspace at `root`; `fill` completes it while it still lies beside its place.

    Raises:
        WorkspaceError: a file would be overwritten, or the folder cannot be written to.
    """
    root = root.expanduser().absolute()
    _refuse_overwriting(root, (SETTINGS_FILE, ".env", "subscribers.db"))
    try:
        with _beside(root) as draft:
            (draft / SETTINGS_FILE).write_text(settings(words), encoding="utf-8")
            (draft / ".env").touch(mode=0o600)
            (draft / ".env").write_text(_ENV.format(key=secrets.token_urlsafe(32)), encoding="utf-8")
            (draft / ".gitignore").write_text(_ignoring(root / ".gitignore"), encoding="utf-8")
            (draft / "issues").mkdir()
            fill(draft)
            _refuse_overwriting(root, [path.name for path in draft.iterdir() if path.name != ".gitignore"])
            _move_in(draft, root)
    except OSError as error:
        where = error.filename or root
        raise errors.WorkspaceError(
            f"{where}: {error.strerror}", hint="may you write there, and is there room?"
        ) from error


def settings(words: Mapping[str, str]) -> str:
    """Return the text of a new newsletter.toml; `words` fill its @places@."""
    text = resources.files("newsletter.cli").joinpath("newsletter.toml.in").read_text(encoding="utf-8")
    for place, word in words.items():
        # A JSON string is a TOML basic string, but for DEL.
        text = text.replace(f"@{place}@", json.dumps(word, ensure_ascii=False).replace("\x7f", "\\u007f"))
    return text


def copy_templates(source: Path, root: Path) -> None:
    """Copy a theme into a workspace as its own.

    Raises:
        WorkspaceError: it has its own already.
    """
    _refuse_overwriting(root, ["templates"])
    shutil.copytree(source, root / "templates", ignore=shutil.ignore_patterns("__pycache__"))


def _refuse_overwriting(root: Path, names: Sequence[str]) -> None:
    """Refuse when one of the names is taken; `issues` may be there, nothing is put into it."""
    if root.exists() and not root.is_dir():
        raise errors.WorkspaceError(f"{root} is a file", hint="name a folder: newsletter init DIR …")
    taken = [name for name in names if name != "issues" and (root / name).exists()]
    if taken:
        raise errors.WorkspaceError(
            f"{root} holds {' and '.join(taken)} already, and nothing is overwritten",
            hint="name another folder, or move what is there away",
        )


@contextmanager
def _beside(root: Path) -> Iterator[Path]:
    """Give an empty folder on the same disk; it is gone afterwards, whatever happened."""
    ground = next(folder for folder in (root, *root.parents) if folder.is_dir())
    draft = Path(tempfile.mkdtemp(prefix=".newsletter-", dir=ground))
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _ignoring(path: Path) -> str:
    """Return the .gitignore that is there, with our lines at its end where they are missing."""
    there = path.read_text(encoding="utf-8") if path.exists() else ""
    missing = [line for line in IGNORED if line not in there.splitlines()]
    if there and not there.endswith("\n"):
        there += "\n"
    return there + "".join(f"{line}\n" for line in missing)


def _move_in(draft: Path, root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    # newsletter.toml makes it a workspace, and comes last.
    for path in sorted(draft.iterdir(), key=lambda path: path.name == SETTINGS_FILE):
        target = root / path.name
        if path.name != "issues" or not target.is_dir():
            path.replace(target)
