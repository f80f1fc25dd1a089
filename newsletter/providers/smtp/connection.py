"""One connection to an SMTP server: carries a dialogue's blocks out and the server's replies in.

Everything between two messages happens in the transport's callbacks: no task, future or timer is made
for a message.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import cast

from newsletter.domain import errors
from newsletter.domain.replies import Reply, Stage
from newsletter.providers.smtp import dialogue, login
from newsletter.providers.smtp.options import Security, SmtpOptions
from newsletter.providers.smtp.reading import ReplyError, ReplyReader
from newsletter.providers.smtp.terms import Terms

#: Replies of a whole window fit in; asyncio's own 256 KiB would be taken anew for every read.
_READ_BYTES = 16 * 1024
#: What to do about a server that does not answer.
UNREACHED = "check host and port of this provider; may this machine connect there, or is a firewall between?"
#: After a round of one connection, so many speak without one.
_ALONE = 15
#: Room for a few long messages, so that most blocks leave in one call.
_SEND_BUFFER = 512 * 1024


class Connection(asyncio.BufferedProtocol):
    """The transport's side of one SMTP session."""

    def __init__(self, options: SmtpOptions) -> None:
        self._options = options
        self.loop = asyncio.get_running_loop()
        self._buffer = memoryview(bytearray(_READ_BYTES))
        self._reader = ReplyReader()
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._dialogue: dialogue.Dialogue | None = None
        self._full = False
        self._unsent = 0
        #: When the server last said something or took bytes of what waited, or we broke a silence.
        self.since = 0.0
        #: Seconds for which the reply to each stage is waited for.
        self._waits: dict[Stage | None, float] = {stage: options.timeouts.of(stage) for stage in Stage}
        self._waits[None] = 3600.0
        self._alarm: asyncio.TimerHandle | None = None
        self._on_hunger: Callable[[], None] = _ignore
        self._on_first_taken: Callable[[], None] | None = None
        self._rounds = Rounds()
        self._ended: asyncio.Future[None] = self.loop.create_future()
        self.transport: asyncio.Transport
        self.terms = Terms()
        #: Why the session broke off, in words; empty when it ended well.
        self.lost = ""
        #: Whether it broke off because the server lost its place in what we said.
        self.out_of_step = False
        #: Whether the end of the last block was still here when the session broke off.
        self.unsent = False

    # -- opening and leaving -----------------------------------------------------------------------

    async def log_in(self, context: ssl.SSLContext | None) -> None:
        """Go through greeting, EHLO, STARTTLS and AUTH.

        Raises:
            ProviderError: the server cannot serve us, or refuses us.
        """
        opening = login.opening(self._options, self._options.helo or self._own_name())
        step = next(opening)
        while True:
            if isinstance(step, login.Handshake):
                await self._start_tls(context)
                step = next(opening)
                continue
            try:
                step = opening.send(await self._ask(step.stage, step.line))
            except StopIteration as end:
                self.terms = end.value
                return

    async def _ask(self, stage: Stage, line: bytes | None) -> Reply:
        if line is not None:
            self.transport.write(line + b"\r\n")
        try:
            async with asyncio.timeout(self._options.timeouts.of(stage)):
                while not self._replies:
                    if self.lost:
                        raise self._broken(f"{self.lost} instead of an answer to {stage.value}")
                    self._waiter = self.loop.create_future()
                    await self._waiter
        except TimeoutError:
            raise self._broken(f"no answer to {stage.value}") from None
        return self._replies.popleft()

    async def _start_tls(self, context: ssl.SSLContext | None) -> None:
        if self._replies or self._reader.pending:
            raise errors.ProviderRefusedError(
                f"{self._options.server} sent more behind its answer to STARTTLS: somebody is on the line",
                hint='set security = "tls", and ask who runs the network between',
            )
        assert context is not None
        try:
            transport = await self.loop.start_tls(
                self.transport,
                self,
                context,
                server_hostname=self._options.host,
                ssl_handshake_timeout=self._options.timeouts.command,
            )
        except (OSError, ssl.SSLError) as error:
            raise tls_error(self._options, error) from error
        self._adopt(cast("asyncio.Transport", transport))

    async def leave(self) -> None:
        """Say QUIT, wait a little for the answer, and close."""
        try:
            if not self.lost:
                await self._ask(Stage.QUIT, b"QUIT")
        except errors.ProviderError:
            pass  # It has every message, or none: how it says good-bye changes nothing.
        finally:
            self.transport.abort()

    def _own_name(self) -> str:
        name = socket.gethostname()
        if "." in name and name.isascii():
            return name
        address = self.transport.get_extra_info("sockname")[0]
        return f"[IPv6:{address}]" if ":" in address else f"[{address}]"

    def _broken(self, why: str) -> errors.ProviderError:
        return errors.ProviderError(f"{self._options.server}: {why}", hint=UNREACHED)

    # -- carrying messages -------------------------------------------------------------------------

    async def carry(
        self,
        talk: dialogue.Dialogue,
        *,
        rounds: Rounds,
        on_hunger: Callable[[], None],
        on_first_taken: Callable[[], None],
    ) -> None:
        """Carry a dialogue to its end, or to that of the connection; ``lost`` says which.

        ``on_hunger`` is called when the feed was found dry, ``on_first_taken`` when the server took
        its first message. What the feed raises is raised here.
        """
        self._dialogue, self._rounds = talk, rounds
        self._on_hunger, self._on_first_taken = on_hunger, on_first_taken
        if self.lost:
            return
        try:
            self._on_alarm()
            self.pump()
            await self._ended
        finally:
            self._dialogue = None
            if self._alarm is not None:
                self._alarm.cancel()

    def pump(self) -> None:
        """Write while there is something to say and room to say it."""
        talk = self._dialogue
        if talk is None or self._ended.done():
            return
        if talk.stage is None:
            self.since = self.loop.time()
        self.speak()

    def speak(self) -> None:
        """Pump right behind what the server said."""
        talk = self._dialogue
        if talk is None or self._ended.done():
            return
        silent = True
        try:
            while not self._full and (block := talk.next_block()):
                silent = False
                self.transport.write(block)
                if not talk.eager:
                    break
        except Exception as error:
            self._fail(error)
            return
        # Whatever was said is to be answered.
        if silent and talk.finished:
            self._end()
        elif talk.hungry:
            self._on_hunger()

    def _deadline(self, talk: dialogue.Dialogue) -> float:
        return self.since + (self._options.timeouts.block if self._full else self._waits[talk.stage])

    def _on_alarm(self) -> None:
        """Look whether the server has kept us waiting too long; one timer for the whole session."""
        talk, now, timeouts = self._dialogue, self.loop.time(), self._options.timeouts
        if talk is None or self._ended.done():
            return
        if self._full and (unsent := self.transport.get_write_buffer_size()) != self._unsent:
            self._unsent, self.since = unsent, now
        left = self._deadline(talk) - now
        if left <= 0 and self._full:
            self._lose("it takes no more bytes of a message")
        elif left <= 0 and talk.stage is not None:
            self._lose(f"no answer to {talk.stage.value} in time")
        wait = min(max(left, 0.01), timeouts.command, timeouts.block)
        self._alarm = self.loop.call_later(wait, self._on_alarm)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _fail(self, error: Exception) -> None:
        """Break off because of an error on our side, which whoever carries the dialogue will meet."""
        if not self._ended.done():
            self._ended.set_exception(error)
        self._lose(f"we broke off: {error}")

    def _lose(self, why: str) -> None:
        """Break the session off."""
        if not self.lost:
            self.lost = why
            self.unsent = self._full
            self.transport.abort()
        self._wake()
        self._end()

    # -- callbacks of the transport ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport into use."""
        self._adopt(cast("asyncio.Transport", transport))

    def _adopt(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        # Any byte that stays behind calls pause_writing: so we know what has not left. Under TLS asyncio
        # pauses at the mark, without it above.
        under_tls = transport.get_extra_info("sslcontext") is not None
        transport.set_write_buffer_limits(high=1 if under_tls else 0, low=0)
        own_socket = transport.get_extra_info("socket")
        if own_socket is not None:
            own_socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the transport the one buffer it reads into."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take in what was read."""
        try:
            replies = self._reader.feed(self._buffer[:nbytes].tobytes())
            talk = self._dialogue
            if talk is None:
                self._replies.extend(replies)
                self._wake()
                return
            talk.answer_all(replies)
        except ReplyError as error:
            self.out_of_step = True
            self._lose(f"it answered with {error}")
        except dialogue.OutOfStepError as error:
            self.out_of_step = True
            self._lose(str(error))
        except dialogue.ClosingError as error:
            self._lose(f"it closes: “{error}”")
        except Exception as error:
            self._fail(error)
        else:
            if replies:
                self._go_on(talk)

    def _go_on(self, talk: dialogue.Dialogue) -> None:
        self._rounds.join(self)
        if self._on_first_taken is not None and talk.accepted:
            on_first_taken, self._on_first_taken = self._on_first_taken, None
            on_first_taken()

    def eof_received(self) -> None:
        """The server closed its side."""
        self._lose("it closed the connection")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._lose(f"the connection was lost ({exc})" if exc else "the connection was closed")

    def pause_writing(self) -> None:
        """Not all of the last block could leave."""
        self._full = True
        self._unsent = self.transport.get_write_buffer_size()
        self.since = self.loop.time()

    def resume_writing(self) -> None:
        """Everything written has left."""
        self._full = False
        self.since = self.loop.time()
        self.speak()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Rounds:
    """Lets connections speak one after the other once the event loop has heard all that there is to hear.

    One kind of work at a time keeps the processor's caches warm. Where the servers are slower than we, rounds
    are of one connection; most of these speak at once, and need no further turn of the loop.
    """

    def __init__(self) -> None:
        self._waiting: list[Connection] = []
        self._began = 0.0
        #: How many connections speak at once before the next round, which shows whether they are alone still.
        self._at_once = 0

    def join(self, link: Connection) -> None:
        """Have a connection speak in this turn of the event loop."""
        if self._at_once:
            self._at_once -= 1
            link.since = link.loop.time()
            link.speak()
            return
        if not self._waiting:
            self._began = link.loop.time()
            link.loop.call_soon(self._speak)
        link.since = self._began
        self._waiting.append(link)

    def _speak(self) -> None:
        waiting, self._waiting = self._waiting, []
        if len(waiting) == 1:
            self._at_once = _ALONE
        for link in waiting:
            link.speak()


def _ignore() -> None:
    pass


def tls_error(options: SmtpOptions, error: Exception) -> errors.ProviderError:
    """Say why TLS could not be had: a wrong certificate is a refusal, anything else may pass."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return errors.ProviderRefusedError(
            f"the certificate of {options.server} does not hold: {error.verify_message}",
            hint="check host; for a server with a certificate of its own set ca_file",
        )
    return errors.ProviderError(
        f"no TLS with {options.server}: {error}",
        hint='check port and security: "tls" is for port 465, "starttls" for 587 and 25',
    )


async def dial(options: SmtpOptions, context: ssl.SSLContext | None) -> Connection:
    """Connect, with TLS where it comes first; nothing is said yet.

    Raises:
        ProviderRefusedError: the certificate does not hold.
        ProviderError: the server cannot be reached.
    """
    loop = asyncio.get_running_loop()
    implicit = context if options.security is Security.TLS else None
    try:
        async with asyncio.timeout(options.timeouts.connect):
            _, connection = await loop.create_connection(
                lambda: Connection(options), options.host, options.port, ssl=implicit
            )
    except TimeoutError:
        raise errors.ProviderError(f"{options.server} does not answer", hint=UNREACHED) from None
    except ssl.SSLError as error:
        raise tls_error(options, error) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise errors.ProviderError(f"{options.server} cannot be reached: {why}", hint=UNREACHED) from error
    return connection
