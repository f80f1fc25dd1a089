"""Real mail servers from Debian, with TLS and AUTH on a free port of this machine, that keep what they take.

The packages are unpacked under ``.tools`` (`tests/soak/packages.txt`), and run in a mount namespace of their
own in which they look installed.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

HERE = Path(__file__).parent
TOOLS = HERE.parent.parent / ".tools"
USER, PASSWORD = "anna", "correct horse"
#: nobody, in Debian's numbers.
NOBODY = 65534

_MAIN_CF = """
compatibility_level = 3.6
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
maillog_file = {place}/log
maillog_file_prefixes = {place}
virtual_mailbox_domains = example.org
virtual_mailbox_base = {place}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
virtual_mailbox_limit = 0
message_size_limit = 31457280
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {place}/cert.pem
smtpd_tls_key_file = {place}/key.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = inet:127.0.0.1:{auth_port}
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_client_connection_count_limit = 0
"""

_MASTER_CF = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""

_EXIM_CONF = """
primary_hostname = mail.example.org
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {place}/spool
log_file_path = {place}/log-%s
pid_file_path = {place}/pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
tls_advertise_hosts = *
tls_certificate = {place}/cert.pem
tls_privatekey = {place}/key.pem
auth_advertise_hosts = ${{if def:tls_in_cipher {{*}}{{}}}}
chunking_advertise_hosts = *
smtp_accept_max = 100
queue_only
queue_run_max = 3
message_size_limit = 30M
log_selector = -all
keep_environment =
acl_smtp_rcpt = authenticated
begin acl
authenticated:
  accept authenticated = *
  deny message = relay not permitted
begin routers
{onward}everybody:
  driver = accept
  transport = folder
begin transports
signed:
  driver = smtp
  allow_localhost
  hosts_avoid_tls = *
  dkim_domain = news.example.org
  dkim_selector = test
  dkim_private_key = {place}/dkim.pem
folder:
  driver = appendfile
  directory = {place}/mail
  maildir_format
  user = nobody
  group = nogroup
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{anna}}}}{{eq{{$auth3}}{{correct horse}}}}}}}}
  server_set_id = $auth2
"""

_ONWARD = """
elsewhere:
  driver = manualroute
  domains = elsewhere.example
  route_list = * 127.0.0.1::{port}
  self = send
  transport = signed
"""


@dataclass(frozen=True)
class RealServer:
    """One that runs."""

    port: int
    ca_file: str
    folder: Path

    def mail(self) -> Iterator[bytes]:
        """Yield every message that was delivered, as it lies in the Maildir."""
        for path in (self.folder / "new").iterdir():
            yield path.read_bytes()

    async def settled(self, count: int, *, patience: float) -> int:
        """Wait until so many messages are delivered; return how many there are."""
        deadline = time.monotonic() + patience
        while (found := self._count()) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.2)
        return found

    def _count(self) -> int:
        folder = self.folder / "new"
        return len(os.listdir(folder)) if folder.exists() else 0  # noqa: PTH208 - a million names, no paths


@asynccontextmanager
async def postfix(place: Path) -> AsyncIterator[RealServer]:
    """Run Postfix, which pipelines and takes chunks."""
    async with AsyncExitStack() as stack:
        auth = await stack.enter_async_context(_dovecot_auth())
        server = _prepared(place)
        config = place / "config"
        config.mkdir()
        values = {"place": place, "port": server.port, "auth_port": auth, "nobody": NOBODY}
        (config / "main.cf").write_text(_MAIN_CF.format(**values))
        (config / "master.cf").write_text(_MASTER_CF.format(**values))
        start = (
            f"cp {config}/* /etc/postfix/ && mkdir -p /var/lib/postfix && chown postfix /var/lib/postfix"
            " && exec postfix start-fg"
        )
        stack.enter_context(_as_installed(["postfix"], "postfix:64700 postdrop:64701", start, place))
        await _listening(server.port, place)
        yield server


@asynccontextmanager
async def postfix_as(place: Path, main_cf: str, master_cf: str, *, port: int) -> AsyncIterator[None]:
    """Run Postfix with a configuration of one's own; ``master_cf`` comes before the daemons it always has."""
    config = place / "config"
    config.mkdir()
    daemons = _MASTER_CF.partition("smtpd\n")[2] + "smtp unix - - n - - smtp\n"
    (config / "main.cf").write_text(main_cf)
    (config / "master.cf").write_text(master_cf + daemons)
    start = (
        f"cp {config}/* /etc/postfix/ && mkdir -p /var/lib/postfix && chown postfix /var/lib/postfix"
        " && exec postfix start-fg"
    )
    with _as_installed(["postfix"], "postfix:64700 postdrop:64701", start, place):
        await _listening(port, place)
        yield


def free_port() -> int:
    """Return a port that nobody listens on."""
    return _free_port()


@asynccontextmanager
async def exim(place: Path, *, onward: int = 0) -> AsyncIterator[RealServer]:
    """Run Exim, which does too, and answers a chunk in several lines.

    What is for elsewhere.example goes on to the server on the port ``onward``, signed with ``dkim.pem``.
    """
    server = _prepared(place)
    config = place / "exim4.conf"
    further = _ONWARD.format(port=onward) if onward else ""
    config.write_text(_EXIM_CONF.format(place=place, port=server.port, onward=further))
    start = (
        f"mkdir -p /etc/exim4 {place}/spool && cp {config} /etc/exim4/"
        f" && chown Debian-exim {place} {place}/spool {place}/*.pem && exec exim4 -bdf -q3s"
    )
    with _as_installed(["exim4-daemon-light", "libidn12"], "Debian-exim:64702", start, place):
        await _listening(server.port, place)
        yield server


def _prepared(place: Path) -> RealServer:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(place / "ca.pem")
    certificate.private_key_pem.write_to_path(place / "key.pem")
    for number, pem in enumerate(certificate.cert_chain_pems):
        pem.write_to_path(place / "cert.pem", append=number > 0)
    (place / "key.pem").chmod(0o600)
    (place / "mail").mkdir()
    os.chown(place / "mail", NOBODY, NOBODY)
    return RealServer(_free_port(), str(place / "ca.pem"), place / "mail")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _as_installed(packages: list[str], users: str, command: str, place: Path) -> Iterator[None]:
    trees = [TOOLS / package for package in packages]
    missing = [name for name, has in _needs(trees) if not has]
    if missing:
        why = f"{packages[0]} cannot be run: needs {', '.join(missing)}"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with (place / "output").open("wb") as output:
        script = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "sh",
            str(HERE / "as_installed.sh"),
            " ".join(map(str, trees)),
            users,
        ]
        process = subprocess.Popen([*script, "sh", "-c", command], stdout=output, stderr=output)
        try:
            yield
        finally:
            # All that the server started ends with the first process of its namespace.
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                os.kill(int(child), signal.SIGKILL)
            process.wait()


def _needs(trees: list[Path]) -> tuple[tuple[str, bool], ...]:
    return (
        ("root", os.geteuid() == 0),
        ("unshare", shutil.which("unshare") is not None),
        ("sh tests/packages.sh tests/soak/packages.txt", all(tree.is_dir() for tree in trees)),
    )


async def _listening(port: int, place: Path) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await reader.readline()
            writer.transport.abort()
            return
        await asyncio.sleep(0.05)
    pytest.fail(f"the server did not come up: {(place / 'output').read_text()[-2000:]}")


class _DovecotAuth(asyncio.Protocol):
    """Answers Postfix's questions about logins by Dovecot's authentication protocol."""

    def __init__(self, open_ends: list[asyncio.Transport]) -> None:
        self._open_ends = open_ends
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open_ends.append(transport)
        transport.write(b"VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n")

    def data_received(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            verb, *words = line.decode().split("\t")
            if verb == "AUTH":
                given = [base64.b64decode(word[5:]) for word in words if word.startswith("resp=")]
                right = given == [f"\0{USER}\0{PASSWORD}".encode()]
                self._transport.write(f"{'OK' if right else 'FAIL'}\t{words[0]}\tuser={USER}\n".encode())


@asynccontextmanager
async def _dovecot_auth() -> AsyncIterator[int]:
    open_ends: list[asyncio.Transport] = []
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _DovecotAuth(open_ends), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for transport in open_ends:
            transport.abort()
        await server.wait_closed()
