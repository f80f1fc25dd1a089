"""What others do with the same mail, for paired measurements: sinks to send to, and senders to run against.

Every sender returns `Run`; sinks are context managers that give their port.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
TOOLS = REPOSITORY / ".tools"
SENDER, RECIPIENT = "bounce+abcdefgh@news.example.org", "reader@example.org"

_NODEMAILER = """
const nodemailer = require("nodemailer");
const [port, count, connections, html, text] = JSON.parse(require("fs").readFileSync(0));
const pool = nodemailer.createTransport({
  pool: true, host: "127.0.0.1", port, secure: false, ignoreTLS: true,
  maxConnections: connections, maxMessages: Infinity,
});
const began = process.hrtime.bigint();
let next = 0, done = 0;
const one = () => {
  if (next++ >= count) return;
  pool.sendMail({
    from: "News <news@example.org>", to: "reader" + next + "@example.org", subject: "Digest",
    text, html, textEncoding: "quoted-printable",
    headers: {"List-Unsubscribe": "<https://digest.example.org/u/" + next + ">"},
  }, error => {
    if (error) throw error;
    if (++done === count) { console.log(Number(process.hrtime.bigint() - began) / 1e9); pool.close(); }
    one();
  });
};
for (let i = 0; i < connections * 2; i++) one();
"""


@dataclass(frozen=True)
class Run:
    """One measurement of one sender."""

    count: int
    seconds: float
    #: CPU seconds of the sender; 0: not measured.
    cpu: float = 0

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.count / self.seconds

    @property
    def micros(self) -> float:
        """CPU of the sender, microseconds a message."""
        return self.cpu / self.count * 1e6


# -- sinks -------------------------------------------------------------------------------------


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def smtp_sink() -> Iterator[int]:
    """Run Postfix's test sink."""
    port = free_port()
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    with _running([tool("smtp-sink"), *user, f"127.0.0.1:{port}", "1000"]):
        yield _listening(port)


@contextlib.contextmanager
def csink(*options: str) -> Iterator[int]:
    """Run the fast sink of `csink.c`: ``-l MS`` delays replies, ``-d MS`` the last, ``-c`` offers BDAT."""
    port = free_port()
    with _running([_compiled(), *options, str(port)]):
        yield _listening(port)


def tool(name: str) -> str:
    """Return a program that `tests/packages.sh` brought in."""
    for found in (TOOLS / "bin" / name, *TOOLS.glob(f"postfix/usr/sbin/{name}")):
        if found.exists():
            return str(found)
    found_on_path = shutil.which(name)
    if found_on_path is None:
        raise SystemExit(f"{name} is missing: call sh tests/packages.sh")
    return found_on_path


def _compiled() -> str:
    source, made = REPOSITORY / "bench" / "csink.c", TOOLS / "bin" / "csink"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        made.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-o", made, source], check=True)
    return str(made)


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def _listening(port: int) -> int:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as link:
            link.recv(100)
            return port
        time.sleep(0.02)
    raise SystemExit(f"nothing listens on port {port}")


# -- senders -----------------------------------------------------------------------------------


def smtp_source(port: int, *, size: int, count: int, connections: int) -> Run:
    """Run Postfix's load generator, with as many bytes a message as we send."""
    libraries = str(TOOLS / "postfix" / "usr" / "lib" / "postfix")
    command = [tool("smtp-source"), "-d", "-l", str(size), "-m", str(count), "-s", str(connections)]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "-f", SENDER, "-t", RECIPIENT, f"127.0.0.1:{port}"],
        env={**os.environ, "LD_LIBRARY_PATH": libraries},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"smtp-source left with {process.returncode}")
    return Run(count, time.perf_counter() - began, usage.ru_utime + usage.ru_stime)


def nodemailer(port: int, *, html: str, text: str, count: int, connections: int) -> Run:
    """Run nodemailer's pool, which builds each message."""
    given = json.dumps([port, count, connections, html, text])
    process = subprocess.Popen(
        ["node", "-e", _NODEMAILER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_node_folder(),
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(given)
    process.stdin.close()
    seconds = float(process.stdout.read())
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return Run(count, seconds, usage.ru_utime + usage.ru_stime)


def _node_folder() -> Path:
    folder = TOOLS / "node"
    if not (folder / "node_modules" / "nodemailer").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}")
        subprocess.run(["npm", "install", "--silent", "--no-fund", "nodemailer@10"], cwd=folder, check=True)
    return folder


def has_node() -> bool:
    """Say whether nodemailer can be run here."""
    return shutil.which("node") is not None and shutil.which("npm") is not None


def has_compiler() -> bool:
    """Say whether `csink.c` can be compiled here."""
    return shutil.which("cc") is not None


def aiosmtplib_prebuilt(port: int, *, raw: bytes, count: int, connections: int) -> Run:
    """Run aiosmtplib's sendmail with finished bytes."""
    return asyncio.run(_aiosmtplib(port, count, connections, raw=raw))


def aiosmtplib_built(port: int, *, html: str, text: str, count: int, connections: int) -> Run:
    """Run aiosmtplib with an EmailMessage built for each recipient."""
    return asyncio.run(_aiosmtplib(port, count, connections, html=html, text=text))


async def _aiosmtplib(
    port: int, count: int, connections: int, *, raw: bytes = b"", html: str = "", text: str = ""
) -> Run:
    import aiosmtplib

    numbers = iter(range(count))

    async def session() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as link:
            for number in numbers:
                if raw:
                    await link.sendmail(SENDER, [RECIPIENT], raw)
                else:
                    await link.send_message(built(number, html, text), sender=SENDER, recipients=[RECIPIENT])

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(session() for _ in range(connections)))
    return Run(count, time.perf_counter() - began, time.process_time() - cpu)


def built(number: int, html: str, text: str) -> EmailMessage:
    """Build one message the usual way."""
    message = EmailMessage(SMTP)
    message["From"], message["To"] = "News <news@example.org>", f"reader{number}@example.org"
    message["Subject"] = "Digest"
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def machine() -> str:
    """Name the machine and the versions that a figure depends on."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown processor",
    )
    return f"{os.cpu_count()} cores, {model}, Python {sys.version.split()[0]}"
