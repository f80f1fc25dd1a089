"""The issue on the easel: developed anew at each save, the last good print kept while the file is broken."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.domain import deliveries, errors, findings
from newsletter.sending import proofs


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Why the issue cannot be shown as it is now, with the line that is to blame."""

    where: str
    message: str
    #: The line as it stands in the file; empty when none is to blame.
    quoted: str = ""


@dataclass(frozen=True, kw_only=True)
class Print:
    """What one development gave."""

    version: int
    #: The last one that could be rendered; None before the first.
    proof: proofs.Proof | None
    faults: tuple[Fault, ...] = ()
    hint: str = ""


@dataclass(kw_only=True)
class Studio:
    """Develops one issue whenever its files change, and rings for everybody who waits."""

    press: Callable[[], proofs.Press]
    path: Path
    #: Sends a proof to addresses, and returns the provider's answers.
    send: Callable[[proofs.Proof, Sequence[str]], Sequence[deliveries.Receipt]]
    print: Print = Print(version=0, proof=None)
    _pressed: proofs.Press | None = None
    _found: dict[int, Sequence[findings.Finding]] = field(default_factory=dict)
    _bell: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def at(self) -> proofs.Press:
        """The press, as the settings were when they were last read."""
        if self._pressed is None:
            self._pressed = self.press()
        return self._pressed

    def develop(self, *, settings_changed: bool = False) -> Print:
        """Read and render the issue again; what is wrong becomes faults, and the last good print stays."""
        version, proof = self.print.version + 1, self.print.proof
        try:
            if settings_changed:
                # Settings that do not hold leave the press as it was.
                self._pressed = self.press()
            self.print = Print(version=version, proof=self.at.proof(self.path))
        except errors.NewsletterError as error:
            self.print = Print(version=version, proof=proof, faults=tuple(_faults(error)), hint=error.hint)
        self._found.clear()
        return self.print

    def findings(self) -> Sequence[findings.Finding]:
        """Return what the checks say of the issue as it is now."""
        version = self.print.version
        if version not in self._found:
            try:
                self._found[version] = self.at.findings(self.path)
            except errors.NewsletterError as error:
                # A glossary that cannot be read stops the checks, not the preview.
                self._found[version] = [
                    findings.Finding(
                        rule="unreadable",
                        severity=findings.Severity.ERROR,
                        message=one.message,
                        path=one.path,
                        line=one.line,
                        fix=error.hint,
                    )
                    for one in errors.located(error)
                ]
        return self._found[version]

    async def ring(self) -> None:
        """Tell everybody who waits that there is a new print."""
        async with self._bell:
            self._bell.notify_all()

    async def after(self, version: int) -> int:
        """Wait for a print newer than a version, and return its version."""
        async with self._bell:
            await self._bell.wait_for(lambda: self.print.version > version)
            return self.print.version


def _faults(error: errors.NewsletterError) -> list[Fault]:
    return [_fault(one.path, one.line, one.message) for one in errors.located(error)]


def _fault(path: str, line: int, message: str) -> Fault:
    quoted = ""
    if line:
        try:
            rows = Path(path).read_text(encoding="utf-8", errors="replace").split("\n")
            quoted = rows[line - 1] if line <= len(rows) else ""
        except OSError:
            quoted = ""
    return Fault(where=f"{path}:{line}" if line else path, message=message, quoted=quoted[:300])
