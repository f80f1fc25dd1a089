"""A local HTTP server that speaks for a vendor: its documented protocol, with its documented failures."""

from __future__ import annotations

import json
import ssl
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Told:
    """One answer."""

    status: int = 200
    plain: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Sent in place of `plain`, as it is.
    raw: bytes | None = None
    #: Close without a word: before the work is done, or after it.
    hang_up: bool = False

    @property
    def content(self) -> bytes:
        if self.raw is not None:
            return self.raw
        return b"" if self.plain is None else json.dumps(self.plain).encode()


class Vendor(Protocol):
    """What speaks for a vendor."""

    #: Answers to give before anything else, one a call to the sending endpoint.
    faults: deque[Told]
    #: What was taken, by recipient, in the order it came.
    taken: list[str]

    def answer(self, asked: Asked) -> Told: ...


@contextmanager
def serving(vendor: Vendor, *, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve a vendor on a free loopback port; yields the base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _all(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            names = {name.lower(): value for name, value in self.headers.items()}
            told = vendor.answer(Asked(self.command, self.path, names, body))
            if told.hang_up:
                self.close_connection = True
                return
            # Without the Date of its own that `send_response` would add.
            self.send_response_only(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.content)))
            self.end_headers()
            self.wfile.write(told.content)

        do_GET = do_POST = do_PATCH = _all  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
