"""Clients that send drop by drop: they are hung up on, and hold up nobody else."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from newsletter.web import app, patience
from tests.web.conftest import House

HEAD = b"POST /subscribe HTTP/1.1\r\nHost: x\r\nX-Slow: "
BODY = b"POST /subscribe HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nemail="
MOST, SLOW = 20, 30


class Hasty(patience.Impatient):
    seconds = 0.3


@pytest.fixture
def port(house: House) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        config = uvicorn.Config(
            app.create(house.desk), http=Hasty, access_log=False, log_config=None, limit_concurrency=MOST
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(timeout=60)


def ask(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", "/leave")
        return connection.getresponse().status


@pytest.mark.parametrize("begin", [b"", HEAD, BODY], ids=["silence", "head", "body"])
def test_slow_clients_are_hung_up_on_and_the_next_one_is_answered(
    port: int, begin: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            for _ in range(SLOW)
        ]
        for each in slow:
            each.sendall(begin)
        deadline = time.monotonic() + 60
        while (status := ask(port)) != 200 and time.monotonic() < deadline:
            # A drop now and then does not help them.
            for each in slow if begin else ():
                with contextlib.suppress(OSError):
                    each.send(b"x")
            time.sleep(0.05)
        assert status == 200
        for each in slow:
            with contextlib.suppress(ConnectionError):
                while each.recv(4096):
                    pass
    # Nor do they fill the log.
    assert [each.getMessage() for each in caplog.records if each.exc_info] == []


def test_a_connection_that_is_used_stays(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.connect()
        kept = connection.sock
        for _ in range(8):
            connection.request("GET", "/leave")
            answer = connection.getresponse()
            assert (answer.status, connection.sock) == (200, kept)
            answer.read()
            time.sleep(0.1)
