"""Fetching http-01 files back: real servers on loopback, good ones and bad ones."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from typing import Callable

import pytest

from certbot_jprs.validation import fetching
from certbot_jprs.validation.fetching import TIMES, File, until_there

HOST = "www.example.jp"
PATH = "/.well-known/acme-challenge/token"
CONTENT = b"token.thumbprint"
ENOUGH = 30.0
"""Seconds that are never needed where the file is there."""

SHORT = 0.4
"""Seconds in which what is not there is asked for more than once."""

Answer = Callable[[socket.socket, int], object]
Count = Callable[[], int]


def send(body: bytes, status: str = "200 OK", more: str = "") -> Answer:
    head = f"HTTP/1.1 {status}\r\n{more}Content-Type: text/plain\r\n\r\n".encode()
    return lambda connection, _turn: connection.sendall(head + body)


def first(turns: int, answer: Answer, then: Answer) -> Answer:
    return lambda connection, turn: (answer if turn < turns else then)(connection, turn)


RIGHT = send(CONTENT)
NOT_FOUND = send(b"no such file", "404 Not Found")


def trickle(connection: socket.socket, _turn: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"X")
            time.sleep(0.02)


def talk(connection: socket.socket, _turn: int) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)


def hang(connection: socket.socket, _turn: int) -> None:
    connection.settimeout(ENOUGH)
    with contextlib.suppress(OSError):
        while connection.recv(4096):
            pass


class Server:
    """A web server that answers each connection as it is told.

    Attributes:
        requests: what it was asked for.
    """

    def __init__(self, answer: Answer, address: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._answer = answer
        self.requests: list[bytes] = []
        self._listener = socket.socket(family)
        self._listener.bind((address, 0))
        self._listener.listen()
        self.file = File(address, self._listener.getsockname()[1], HOST, PATH, CONTENT)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        for turn in itertools.count():
            try:
                connection, _peer = self._listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self.requests.append(connection.recv(4096))
                self._answer(connection, turn)

    def __enter__(self) -> Server:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(ENOUGH)


def unused(address: str = "127.0.0.1") -> File:
    with socket.socket() as one:
        one.bind((address, 0))
        return File(address, one.getsockname()[1], HOST, PATH, CONTENT)


def took(*files: File, seconds: float) -> tuple[bool, float]:
    began = time.monotonic()
    there = until_there(lambda: files, seconds)
    return there, time.monotonic() - began


@pytest.mark.parametrize(
    "answer",
    [
        RIGHT,
        send(CONTENT + b"\r\n \n"),  # RFC 8555 section 8.3: whitespace at the end is ignored
        send(CONTENT, more="Content-Length: 16\r\n"),
    ],
)
def test_it_goes_on_at_once_when_the_file_is_there(answer: Answer) -> None:
    with Server(answer) as server:
        there, seconds = took(server.file, seconds=ENOUGH)
    assert there
    assert seconds < ENOUGH / 2
    assert len(server.requests) == TIMES
    assert server.requests[0].startswith(f"GET {PATH} HTTP/1.0\r\n".encode())
    assert f"\r\nHost: {HOST}\r\n".encode() in server.requests[0]


def test_by_ipv6() -> None:
    try:
        server = Server(RIGHT, "::1")
    except OSError:
        pytest.skip("no IPv6 here")
    with server:
        assert took(server.file, seconds=ENOUGH)[0]


def test_one_that_answers_late() -> None:
    with Server(first(4, NOT_FOUND, RIGHT)) as server:
        assert took(server.file, seconds=ENOUGH)[0]
    assert len(server.requests) == 4 + TIMES


def test_an_old_process_that_answers_once_more() -> None:
    with Server(first(1, RIGHT, first(2, NOT_FOUND, RIGHT))) as server:
        assert took(server.file, seconds=ENOUGH)[0]
    assert len(server.requests) == 2 + TIMES


@pytest.mark.parametrize(
    "answer",
    [
        NOT_FOUND,
        send(b"something else"),
        send(CONTENT, "500 Internal Server Error"),
        send(CONTENT, "302 Found", f"Location: https://{HOST}{PATH}\r\n"),
        send(CONTENT + b"x" * 100),
        lambda connection, _turn: connection.sendall(b"\0\xff garbage\r\n\r\n" + CONTENT),
        lambda connection, _turn: connection.sendall(CONTENT),
        lambda connection, _turn: connection.close(),
    ],
    ids=["404", "other", "500", "redirect", "longer", "garbage", "no head", "nothing"],
)
def test_what_is_not_there_is_given_the_whole_time(answer: Answer) -> None:
    with Server(answer) as server:
        there, seconds = took(server.file, seconds=SHORT)
    assert not there
    assert SHORT <= seconds < SHORT + ENOUGH / 2
    assert len(server.requests) >= 1


@pytest.mark.parametrize("answer", [hang, trickle, talk])
def test_no_server_takes_longer_than_that(answer: Answer) -> None:
    with Server(answer) as server:
        there, seconds = took(server.file, seconds=SHORT)
    assert not there
    assert SHORT <= seconds < SHORT + ENOUGH / 2


def test_one_that_never_takes_the_connection() -> None:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(0)
        where: tuple[str, int] = one.getsockname()
        with contextlib.ExitStack() as full:  # the kernel answers no more
            for _number in range(3):
                connection = full.enter_context(socket.socket())
                connection.setblocking(False)
                connection.connect_ex(where)
            there, seconds = took(File(*where, HOST, PATH, CONTENT), seconds=SHORT)
    assert not there
    assert SHORT <= seconds < SHORT + ENOUGH / 2


def test_all_of_them_have_to_be_there() -> None:
    with Server(RIGHT) as server, Server(NOT_FOUND, "127.0.0.9") as other:
        assert not took(server.file, other.file, seconds=SHORT)[0]
        assert not took(other.file, server.file, seconds=SHORT)[0]


def test_where_nothing_listens_is_passed_over() -> None:
    with Server(RIGHT) as server:
        assert took(unused("127.0.0.9"), server.file, seconds=ENOUGH)[0]


@pytest.mark.parametrize("addresses", [(), ("127.0.0.9",)], ids=["none", "refused"])
def test_where_nobody_can_be_asked_the_whole_time_passes(addresses: tuple[str, ...]) -> None:
    there, seconds = took(*map(unused, addresses), seconds=SHORT)
    assert not there
    assert seconds >= SHORT


def test_a_port_that_the_reload_opens() -> None:
    known: list[File] = []
    rounds = []

    def files() -> list[File]:
        rounds.append(len(known))
        if len(rounds) == 3:
            known.append(server.file)
        return known

    with Server(RIGHT) as server:
        assert until_there(files, ENOUGH)
    assert rounds == [0, 0, 0, *[1] * (TIMES - 1)]


def test_a_name_that_no_request_can_carry_is_no_error() -> None:
    file = fetching.File("127.0.0.1", 1, "日本語.jp", PATH, CONTENT)
    with Server(RIGHT) as server:
        assert not took(file._replace(port=server.file.port), seconds=SHORT)[0]


def test_what_does_not_wait_does_not_ask() -> None:
    with Server(RIGHT) as server:
        assert not took(server.file, seconds=0)[0]
    assert server.requests == []


def test_nobody_is_asked_once_the_time_is_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        file = File("127.0.0.1", server.getsockname()[1], HOST, PATH, CONTENT)

        def late() -> list[File]:
            time.sleep(0.2)
            return [file]

        assert not until_there(late, 0.1)
        with pytest.raises(BlockingIOError):
            server.accept()
