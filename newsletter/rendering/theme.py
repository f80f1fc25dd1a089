"""A theme: folders of templates, searched in order, and the environment they run in."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsletter.domain import errors
from newsletter.rendering import tokens as token_room

if TYPE_CHECKING:
    import jinja2

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Theme:
    """How issues look: where their templates lie."""

    #: Searched in order; a workspace's own templates stand before the packaged ones.
    folders: tuple[Path, ...]
    tokens: token_room.Tokens = field(default_factory=token_room.Tokens)

    def with_templates(self, folder: Path) -> Theme:
        """Return this theme with a folder whose templates go before its own."""
        return dataclasses.replace(self, folders=(folder, *self.folders))


def is_own(theme: Theme, pattern: str = "*.j2") -> bool:
    """Say whether any template of a name may be a workspace's own, and not one that we know."""
    known = theme.folders[-1]
    return any(
        not (known / path.relative_to(folder)).is_file()
        or path.read_bytes() != (known / path.relative_to(folder)).read_bytes()
        for folder in theme.folders[:-1]
        for path in folder.glob(pattern)
    )


def packaged() -> Theme:
    """Return the theme that travels with the program.

    Raises:
        RenderError: the installation is incomplete.
    """
    # In a checkout the theme lies beside the package; the wheel carries it inside.
    for folder in (_PACKAGE / "_theme", _PACKAGE.parent / "templates"):
        if (folder / "digest.mjml.j2").is_file():
            return Theme(folders=(folder,))
    raise errors.RenderError(
        f"the packaged templates are missing from {_PACKAGE}", hint="install newsletter again"
    )


def check(theme: Theme) -> None:
    """Check the MJML of a theme's own templates; the packaged ones are checked when they are packaged.

    Raises:
        RenderError: some are wrong; it names file, line and column of everything.
    """
    from newsletter.rendering import mjml_check

    for folder in theme.folders[:-1]:
        mjml_check.ensure(folder)


def of_workspace(templates: Path, *, tokens: token_room.Tokens | None = None) -> Theme:
    """Return the packaged theme, behind a workspace's own templates and in its own colours."""
    theme = dataclasses.replace(packaged(), tokens=tokens or token_room.Tokens())
    if not templates.is_dir() or templates.resolve() in theme.folders:
        return theme
    return theme.with_templates(templates.resolve())


def environment(
    folders: tuple[Path, ...], *, escaping: bool, tokens: token_room.Tokens | None = None
) -> jinja2.Environment:
    """Return the environment for templates of a kind: MJML and HTML are escaped, text is not.

    Design tokens become a part of the packaged templates, which leave the name ``theme`` as it is; a
    workspace's own look them up at each render.
    """
    is_packaged = len(folders) == 1
    return _environment(folders, escaping=escaping, tokens=tokens if is_packaged else None)


@functools.lru_cache(maxsize=16)
def _environment(
    folders: tuple[Path, ...], *, escaping: bool, tokens: token_room.Tokens | None
) -> jinja2.Environment:
    from newsletter.rendering import templating

    settled = {"theme": _alike(tokens)} if tokens else {}
    return templating.environment(folders, escaping=escaping, settled=settled)


def _alike(tokens: token_room.Tokens) -> Mapping[str, Any]:
    """Return the tokens that are the same in every language."""
    from newsletter.rendering import templating

    return {
        name: value
        for name, value in vars(templating.trusted(tokens)).items()
        if name not in token_room.SPOKEN
    }


def parse(theme: Theme) -> list[str]:
    """Return the names of a theme's templates after parsing each of them.

    Raises:
        RenderError: some are wrong; it names file and line of every one.
    """
    from newsletter.rendering import confinement

    # To compile a template is to carry out what is constant in it.
    return confinement.run(_parsed, theme) if is_own(theme) else _parsed(theme)


def _parsed(theme: Theme) -> list[str]:
    import jinja2

    parser = environment(theme.folders, escaping=True)
    names, faults = sorted(parser.list_templates(extensions=["j2"])), []
    for name in names:
        try:
            parser.get_template(name)
        except jinja2.TemplateSyntaxError as error:
            faults.append(f"{error.filename or error.name}:{error.lineno}: {error.message}")
    if faults:
        raise errors.RenderError("\n".join(faults))
    check(theme)
    return names
