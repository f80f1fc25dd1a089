"""A small press on loopback: pages of our own writing, and every way in which a server can misbehave."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

FERRY = """<!doctype html>
<html lang="en"><head><title>Ferry line opens in June - Bay Courier</title>
<link rel="canonical" href="{base}/ferry">
<meta property="og:site_name" content="Bay Courier">
<meta property="article:published_time" content="2026-11-12T08:00:00+00:00">
<meta name="author" content="Rosa Lind">
</head><body><nav>Home Sports Weather</nav>
<article><h1>Ferry line opens in June</h1>
<p>The harbour offices of Aldermouth and Kitahama agreed on 11 November to run one ferry line from June.</p>
<p>Six crossings a day will replace two services that often sailed half empty, the offices said.</p>
<p>Each city pays for one ship at a cost of 12 million crowns, and tickets are good on both shores.</p>
<p>Critics in the fishing guild asked for a say in the timetable, which is to be published in February.</p>
</article><footer>All rights reserved. Subscribe to our newsletter.</footer></body></html>"""


@dataclass
class Answer:
    """What one address answers."""

    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    #: Written in turn instead of a body of known length.
    stream: Callable[[], Iterator[bytes]] | None = None


@dataclass
class Press:
    """A running server."""

    base: str
    pages: dict[str, Answer] = field(default_factory=dict)
    #: Paths asked for, with the headers of each request.
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def put(self, path: str, body: str | bytes, **options: object) -> str:
        """Publish a page and return its address."""
        content = body if isinstance(body, bytes) else body.replace("{base}", self.base).encode()
        self.pages[path] = Answer(content, **options)  # type: ignore[arg-type]  # the fields of Answer
        return f"{self.base}{path}"

    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]


@contextmanager
def running() -> Iterator[Press]:
    """Run a press on a free port of loopback."""
    press = Press(base="")

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            press.asked.append((self.path, dict(self.headers)))
            answer = press.pages.get(self.path.partition("?")[0], Answer(b"gone", status=404))
            etag = answer.headers.get("ETag")
            if etag and self.headers.get("If-None-Match") == etag:
                answer = Answer(status=304)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            for key, value in answer.headers.items():
                self.send_header(key, value)
            if answer.stream is None:
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)
                return
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                for chunk in answer.stream():
                    self.wfile.write(chunk)
            except OSError:
                pass
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    press.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield press
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
