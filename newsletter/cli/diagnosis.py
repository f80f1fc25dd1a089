"""What the doctor looks at: one probe a concern, each answering with a verdict and a way to mend it."""

from __future__ import annotations

import ipaddress
import socket
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from newsletter.domain import errors
from newsletter.domain.diagnoses import Diagnosis, Verdict

#: Looks at one concern; a `NewsletterError` raised by it is a failure with its own hint.
Probe = Callable[[], Iterable[Diagnosis]]
#: Returns the addresses of a host name, as `socket.getaddrinfo` does.
Resolve = Callable[[str], Iterable[str]]


def examine(probes: dict[str, Probe]) -> Iterator[Diagnosis]:
    """Yield what every probe finds; where settings do not hold, the rest cannot be told."""
    broken = False
    for name, probe in probes.items():
        try:
            yield from probe()
        except errors.SettingsError as error:
            if broken:
                yield Diagnosis(name=name, verdict=Verdict.UNKNOWN, message="settings have to hold first")
            else:
                for problem in error.problems:
                    yield Diagnosis(name=name, verdict=Verdict.FAIL, message=str(problem), fix=error.hint)
            broken = True
        except errors.NewsletterError as error:
            fix = error.hint or "newsletter --debug doctor shows where it comes from"
            yield Diagnosis(name=name, verdict=Verdict.FAIL, message=str(error), fix=fix)


def private(*paths: Path) -> Iterator[Diagnosis]:
    """Look at who may read the secrets."""
    open_ones = [path for path in paths if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    for path in open_ones:
        yield Diagnosis(
            name="secrets",
            verdict=Verdict.WARN,
            message=f"{path} can be read by others on this machine",
            fix=f"chmod 600 {path}",
        )
    if not any(path.exists() for path in paths):
        message = "there is no .env: secrets come from the environment alone"
        yield Diagnosis(name="secrets", verdict=Verdict.PASS, message=message)
    elif not open_ones:
        yield Diagnosis(name="secrets", verdict=Verdict.PASS, message="nobody else can read them")


def postal_address(address: str) -> Iterator[Diagnosis]:
    """Look whether readers are told where the publisher is."""
    if address.strip():
        yield Diagnosis(name="postal address", verdict=Verdict.PASS, message=address)
    else:
        yield Diagnosis(
            name="postal address",
            verdict=Verdict.WARN,
            message="none; the law of many countries wants one in every mail (CAN-SPAM, CASL)",
            fix="set postal_address under [publication]",
        )


def web(url: str, resolve: Resolve) -> Iterator[Diagnosis]:
    """Look whether readers can reach the base of the public pages."""

    def found(verdict: Verdict, message: str, fix: str = "") -> Iterator[Diagnosis]:
        yield Diagnosis(name="web", verdict=verdict, message=message, fix=fix)

    parts = urlsplit(url)
    host = parts.hostname or ""
    fix = "set url under [publication] to an address that readers can open"
    try:
        addresses = list(resolve(host))
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            return found(Verdict.FAIL, f"{host} does not exist", fix)
        return found(Verdict.UNKNOWN, f"{host}: {error.strerror}", "look again when the network is up")
    except OSError as error:
        return found(Verdict.UNKNOWN, f"{host}: {error}", "look again when the network is up")
    if all(not ipaddress.ip_address(address.partition("%")[0]).is_global for address in addresses):
        return found(Verdict.WARN, f"{url} is reached from this machine or its network only", fix)
    if parts.scheme != "https":
        return found(Verdict.WARN, f"{url} is not encrypted; one-click unsubscription asks for https", fix)
    return found(Verdict.PASS, url)


def addresses_of(host: str) -> list[str]:
    """Return the addresses of a host name."""
    return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})
