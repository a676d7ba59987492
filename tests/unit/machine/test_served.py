"""What is served: real handshakes with real servers, well-behaved ones and others."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certbot_jprs.machine import served
from certbot_jprs.machine.served import Place
from tests.unit import pki
from tests.unit.config_dir import ConfigDir, pem

A, B = "a.example.jp", "b.example.jp"
HERE = "127.0.0.1"


def mint(name: str) -> x509.Certificate:
    return pki.mint(name, pki.ec_key(name))


@contextlib.contextmanager
def server(tmp_path: Path, *names: str, address: str = HERE, port: int = 0) -> Iterator[int]:
    """Serves each name its certificate, by SNI; the first one to all others."""
    contexts = {}
    for name in names:
        file = tmp_path / f"{name}.pem"
        file.write_bytes(pem(pki.ec_key(name)) + pem(mint(name)))
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(file)

    def choose(connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _c: object) -> None:
        connection.context = contexts.get(name or "", contexts[names[0]])

    contexts[names[0]].sni_callback = choose
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(64)

        def serve() -> None:
            while True:
                with contextlib.suppress(ssl.SSLError, ConnectionError):
                    try:
                        plain, _from = listener.accept()
                    except OSError:
                        return
                    with contexts[names[0]].wrap_socket(plain, server_side=True) as one:
                        one.recv(1)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """Takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind((HERE, 0))
        listener.listen(256)
        yield listener.getsockname()[1]


def subjects(found: dict[Place, x509.Certificate | None]) -> dict[Place, x509.Name | None]:
    return {place: each.subject if each else None for place, each in found.items()}


def test_each_name_by_sni(tmp_path: Path) -> None:
    with server(tmp_path, A, B) as port:
        found = served.look_at([Place(HERE, name) for name in (A, B, "c.example.jp")], port=port)
    expected = {A: A, B: B, "c.example.jp": A}
    assert subjects(found) == {Place(HERE, n): pki.name(shown) for n, shown in expected.items()}


def test_each_address_by_itself(tmp_path: Path) -> None:
    with server(tmp_path, A) as port, server(tmp_path, B, address="127.0.0.2", port=port):
        found = served.look_at([Place(HERE, A), Place("127.0.0.2", A)], port=port)
    assert subjects(found) == {
        Place(HERE, A): pki.name(A),
        Place("127.0.0.2", A): pki.name(B),
    }


def test_no_name_server_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, *args: object, **kwargs: object) -> object:
        asked.append(host)
        return real(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with server(tmp_path, A) as port:
        assert served.look_at([Place(HERE, A)], port=port)
    assert asked == [HERE]


def test_those_who_serve_none_are_left_out(tmp_path: Path) -> None:
    with server(tmp_path, A) as port:
        pass
    nothing = {Place(HERE, A): None}
    assert served.look_at([Place(HERE, A)], port=port) == nothing  # nobody listens any more
    with socket.socket() as plain:
        plain.bind((HERE, 0))
        plain.listen()

        def answer() -> None:
            with plain.accept()[0] as one:
                one.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n" * 10)

        thread = threading.Thread(target=answer)
        thread.start()
        assert served.look_at([Place(HERE, A)], port=plain.getsockname()[1]) == nothing
        thread.join()
    assert served.look_at([]) == {}
    assert served.look_at([Place(HERE, "no\0name")], port=port) == {Place(HERE, "no\0name"): None}


def test_one_that_never_answers_costs_no_more_than_its_time() -> None:
    with silent() as port:
        began = time.monotonic()
        many = [Place(HERE, f"n{number}.example.jp") for number in range(80)]
        found = served.look_at(many, 1.0, port)
    # The others were not looked at, which is another thing than that they serve nothing.
    assert set(found.values()) <= {None}
    assert len(found) <= served.SIDE_BY_SIDE
    assert 0.9 < time.monotonic() - began < 30


def test_those_are_looked_at_too_who_come_after_one_that_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served, "ONE_LOOK", 2.0)
    monkeypatch.setattr(served, "SIDE_BY_SIDE", 2)
    real = served._fetch
    with silent() as mute, server(tmp_path, A) as port:

        def fetch(place: Place, at: int, seconds: float) -> bytes | None:
            return real(place, mute if place.name.startswith("n") else at, seconds)

        monkeypatch.setattr(served, "_fetch", fetch)
        places = [Place(HERE, name) for name in ("n1.jp", "n2.jp", "n3.jp", A)]
        found = served.look_at(places, 60.0, port)
    assert [place for place in places if found[place]] == [Place(HERE, A)]


def test_where_no_thread_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with server(tmp_path, A) as port, monkeypatch.context() as patch:

        def start(_self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", start)
        assert served.look_at([Place(HERE, A)], 0.1, port) == {}


def test_where_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "listening", {443: ["::1", HERE]}.__getitem__)
    assert served.places(["*.example.jp", A]) == [Place("::1", A), Place(HERE, A)]


def test_the_versions_of_a_lineage(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(A, versions=(1, 2, 3, 4))
    new = mint(A)
    config_dir.archive(A, "cert", 2).write_bytes(pem(new))
    config_dir.archive(A, "cert", 3).write_text("")
    config_dir.archive(A, "chain", 4).unlink()
    found = served.versions(lineage)
    assert sorted(found) == [1, 2]
    assert found[2].public_bytes(Encoding.DER) == new.public_bytes(Encoding.DER)


def test_a_lineage_without_files(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(A)
    for kind in ("cert", "privkey", "chain", "fullchain"):
        config_dir.live(A, kind).unlink()
    assert served.versions(lineage) == {}
