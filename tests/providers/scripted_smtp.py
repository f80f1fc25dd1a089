"""An SMTP server that misbehaves to a script: each stage's answers are taken in turn, then the good one.

An answer is a text (sent with its line end), bytes (sent as they are), or one of the acts below; a tuple
does several in turn. Everything said and everything accepted is kept.
"""

from __future__ import annotations

import asyncio
import base64
import enum
import ssl
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self


class Act(enum.Enum):
    """What a server may do instead of answering."""

    CLOSE = "close the connection"
    RESET = "reset the connection"
    SILENCE = "never answer"
    TLS = "answer STARTTLS well"


@dataclass(frozen=True)
class Slowly:
    """Send bytes one at a time."""

    data: bytes
    pause: float = 0.02


@dataclass(frozen=True)
class Held:
    """Keep the answer back and send it behind the answer to the next command."""

    text: str


@dataclass(frozen=True)
class After:
    """Answer once something has happened."""

    event: asyncio.Event
    text: str


Answer = str | bytes | Act | Slowly | Held | After | tuple[str | bytes | Act | Slowly, ...]

_GOOD: dict[str, Answer] = {
    "GREETING": "220 scripted.example.org ESMTP",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 End data with <CR><LF>.<CR><LF>",
    "RSET": "250 2.0.0 Ok",
    "NOOP": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
    "STARTTLS": Act.TLS,
    "AUTH": "235 2.7.0 Authentication successful",
}


@dataclass(frozen=True)
class Taken:
    """One message that the server said 250 to."""

    sender: str
    recipient: str
    content: bytes


@dataclass
class ScriptedServer:
    """Listens on a free port of this machine while it is entered."""

    answers: Mapping[str, Sequence[Answer]] = field(default_factory=dict)
    offers: Sequence[str] = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN")
    tls: ssl.SSLContext | None = None
    #: TLS from the first byte.
    implicit: bool = False
    #: False: what stands behind a command in the same block is thrown away.
    pipelines: bool = True
    #: Stop reading when content begins.
    deaf: bool = False

    def __post_init__(self) -> None:
        self._scripts = {stage: deque(answers) for stage, answers in self.answers.items()}
        self._tasks: set[asyncio.Task[None]] = set()
        self.taken: list[Taken] = []
        self.said: list[str] = []
        #: Of these, the ones that came together with what follows them.
        self.pipelined: list[str] = []
        self.connections = 0
        self.port = 0
        #: Logins as user and password, or the bearer's token.
        self.logins: list[tuple[str, ...]] = []

    async def __aenter__(self) -> Self:
        tls = self.tls if self.implicit else None
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=tls, limit=2**26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def recipients(self) -> list[str]:
        """Who was accepted, in order."""
        return [one.recipient for one in self.taken]

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._tasks)

    def answer_of(self, stage: str, good: Answer) -> Answer:
        script = self._scripts.get(stage)
        return script.popleft() if script else good

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)


class _ClosedError(ConnectionError):
    pass


class _Session:
    """One connection of the scripted server."""

    def __init__(
        self, server: ScriptedServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.sender: str | None = None
        self.recipient: str | None = None
        self.held: str | None = None

    async def run(self) -> None:
        await self.say("GREETING")
        while line := await self.reader.readline():
            text = line.decode().rstrip("\r\n")
            self.server.said.append(text)
            if self.reader._buffer:  # type: ignore[attr-defined]  # nothing else tells what came together
                self.server.pipelined.append(text)
            if not self.server.pipelines:
                self.reader._buffer.clear()  # type: ignore[attr-defined]  # what a server that flushes does
            await self.command(text)

    async def command(self, text: str) -> None:
        verb = text.partition(" ")[0].partition(":")[0].upper()
        match verb:
            case "EHLO" | "HELO":
                lines = ["scripted.example.org", *(self.server.offers if verb == "EHLO" else ())]
                good = "\r\n".join(f"250{' ' if line is lines[-1] else '-'}{line}" for line in lines)
                await self.say(verb, good)
            case "MAIL":
                await self.mail(text)
            case "RCPT":
                await self.rcpt(text)
            case "DATA":
                await self.data()
            case "BDAT":
                await self.bdat(text)
            case "AUTH":
                await self.auth(text)
            case "RSET":
                self.forget()
                await self.say("RSET")
            case "QUIT":
                await self.say("QUIT")
                raise _ClosedError
            case "STARTTLS" | "NOOP":
                await self.say(verb)
            case _:
                await self.say(verb, "500 5.5.2 What?")

    async def mail(self, text: str) -> None:
        if self.sender is not None:
            await self.send("503 5.5.1 nested MAIL command")
        elif await self.say("MAIL"):
            self.sender = _path(text)

    async def rcpt(self, text: str) -> None:
        if self.sender is None:
            await self.send("503 5.5.1 need MAIL first")
        elif await self.say("RCPT"):
            self.recipient = _path(text)

    async def data(self) -> None:
        good = "354 Go on" if self.recipient else "503 5.5.1 no valid recipients"
        if not await self.say("DATA", good):
            return
        if self.server.deaf:
            self.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport reads, too
            await asyncio.Event().wait()
        raw = await self.reader.readuntil(b"\r\n.\r\n") if await self._has_content() else b""
        content = b"\r\n".join(line.removeprefix(b".") for line in raw[:-5].split(b"\r\n")) + b"\r\n"
        await self.end_of_content(content if raw else b"")

    async def _has_content(self) -> bool:
        """Swallow a lone dot; say whether there is more than that."""
        first = await self.reader.readexactly(3)
        self.reader._buffer[:0] = b"" if first == b".\r\n" else first  # type: ignore[attr-defined]  # no ungetc
        return first != b".\r\n"

    async def bdat(self, text: str) -> None:
        content = await self.reader.readexactly(int(text.split()[1]))
        if not self.recipient:
            await self.send("503 5.5.1 no valid recipients")
        else:
            await self.end_of_content(content)

    async def end_of_content(self, content: bytes) -> None:
        sender, recipient = self.sender, self.recipient
        self.forget()
        if not recipient:
            await self.say("CONTENT", "554 5.5.1 no valid recipients")
        elif await self.say("CONTENT", f"250 2.0.0 Ok: queued as Q{len(self.server.taken) + 1}"):
            self.server.taken.append(Taken(sender or "", recipient, content))

    async def auth(self, text: str) -> None:
        _, mechanism, *rest = text.split(" ")
        if mechanism == "LOGIN":
            words = []
            for prompt in (b"VXNlcm5hbWU6", b"UGFzc3dvcmQ6"):
                await self.send(f"334 {prompt.decode()}")
                words.append(base64.b64decode((await self.reader.readline()).strip()).decode())
            login = tuple(words)
        else:
            login = tuple(base64.b64decode(rest[0]).decode().strip("\0").split("\0"))
        if await self.say("AUTH"):
            self.server.logins.append(login)

    def forget(self) -> None:
        self.sender = self.recipient = None

    async def say(self, stage: str, good: Answer | None = None) -> bool:
        """Give the scripted answer of a stage; return whether it was a good one."""
        answer = self.server.answer_of(stage, good or _GOOD[stage])
        for part in answer if isinstance(answer, tuple) else (answer,):
            await self.act(part)
        held, self.held = self.held, None
        if held is not None and not isinstance(answer, Held):
            await self.send(held)
        elif isinstance(answer, Held):
            self.held = answer.text
        return isinstance(answer, str | Held | After | Act | Slowly) and not _refuses(answer)

    async def act(self, part: Answer) -> None:
        match part:
            case str():
                await self.send(part)
            case After(event, text):
                await event.wait()
                await self.send(text)
            case bytes():
                self.writer.write(part)
                await self.writer.drain()
            case Slowly(data, pause):
                for byte in data:
                    self.writer.write(bytes((byte,)))
                    await self.writer.drain()
                    await asyncio.sleep(pause)
            case Act.CLOSE:
                await self.writer.drain()
                self.writer.close()
                raise _ClosedError
            case Act.RESET:
                self.writer.transport.abort()
                raise _ClosedError
            case Act.SILENCE:
                await asyncio.Event().wait()
            case Act.TLS:
                await self.send("220 2.0.0 Ready to start TLS")
                assert self.server.tls is not None
                await self.writer.start_tls(self.server.tls)

    async def send(self, text: str) -> None:
        self.writer.write(text.encode() + b"\r\n")
        await self.writer.drain()


def _path(text: str) -> str:
    return text.partition("<")[2].rpartition(">")[0]


def _refuses(answer: Answer) -> bool:
    if isinstance(answer, After):
        answer = answer.text
    text = answer.data.decode("latin-1") if isinstance(answer, Slowly) else str(answer)
    return text[:1] in ("4", "5")
