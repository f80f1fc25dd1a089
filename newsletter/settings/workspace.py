"""Find the folder that holds `newsletter.toml`, from anywhere below it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from newsletter.domain import errors

SETTINGS_FILE = "newsletter.toml"


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The folder of one publication; absolute."""

    root: Path

    @property
    def settings_file(self) -> Path:
        """`newsletter.toml`."""
        return self.root / SETTINGS_FILE

    @property
    def env_file(self) -> Path:
        """`.env`: the secrets, never in git."""
        return self.root / ".env"

    @property
    def issues(self) -> Path:
        """The folder of the issue files."""
        return self.root / "issues"

    @property
    def templates(self) -> Path:
        """The folder of the workspace's own templates; it need not exist."""
        return self.root / "templates"


def find(start: Path) -> Workspace:
    """Return the workspace that `start` lies in.

    Raises:
        WorkspaceError: neither `start` nor a folder above it holds a `newsletter.toml`.
    """
    folder = start.expanduser().resolve()
    if not folder.is_dir():
        raise errors.WorkspaceError(f"{start}: there is no such folder", hint="name a folder with -C DIR")
    for candidate in (folder, *folder.parents):
        if (candidate / SETTINGS_FILE).is_file():
            return Workspace(root=candidate)
    raise errors.WorkspaceError(
        f"{folder}: no {SETTINGS_FILE} here or in a folder above",
        hint='`newsletter init --title "My Digest" --from news@example.org` makes one; -C DIR names another',
    )
