"""``certbot-jprs wait-ocsp`` as hooks call it, with a real responder."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from certbot_jprs.command import wait_ocsp
from certbot_jprs.command.main import main
from certbot_jprs.ground import language
from certbot_jprs.lineage.files import Lineage
from tests.unit import pki
from tests.unit.config_dir import LETS_ENCRYPT, ConfigDir, pem
from tests.unit.peers import OcspResponder

SITE = "www.example.jp"
OTHER = "b.example.jp"


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("RENEWED_LINEAGE", raising=False)
    language.start("en")
    yield
    language.start(None)


@pytest.fixture
def responder() -> Iterator[OcspResponder]:
    server = OcspResponder()
    yield server
    server.close()


@pytest.fixture
def lineage(config_dir: ConfigDir, responder: OcspResponder) -> Lineage:
    return config_dir.add(SITE, responder=responder.url)


def live(config_dir: ConfigDir, name: str = SITE) -> str:
    return str(config_dir.live(name, "cert").parent)


def saved_long_ago(config_dir: ConfigDir, name: str = SITE) -> None:
    """Its time is up: it is asked about once."""
    hour_ago = time.time() - 3600
    os.utime(config_dir.archive(name, "cert", 1), (hour_ago, hour_ago))


Output = pytest.CaptureFixture[str]


def test_good(
    config_dir: ConfigDir, responder: OcspResponder, lineage: Lineage, capsys: Output
) -> None:
    assert main(["wait-ocsp", "--lineage", live(config_dir)]) == 0
    shown = capsys.readouterr()
    *_waiting, last = shown.out.splitlines()
    assert last.startswith(f"{SITE}: the OCSP server says good, ")
    assert shown.err == ""
    assert responder.asked == [lineage.certificate().serial_number]


def test_as_a_deploy_hook(
    config_dir: ConfigDir,
    responder: OcspResponder,
    lineage: Lineage,
    capsys: Output,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RENEWED_LINEAGE", live(config_dir) + "/")
    assert main(["wait-ocsp"]) == 0
    assert f"{SITE}: the OCSP server says good" in capsys.readouterr().out
    # What is given counts more.
    config_dir.add(OTHER)
    assert main(["wait-ocsp", "--lineage", live(config_dir, OTHER)]) == 0
    assert capsys.readouterr().out == f"{OTHER}: nothing to wait for\n"


@pytest.mark.parametrize("words", [(), ("--strict",)])
def test_revoked(
    config_dir: ConfigDir,
    responder: OcspResponder,
    lineage: Lineage,
    capsys: Output,
    words: tuple[str, ...],
) -> None:
    responder.says[lineage.certificate().serial_number] = "revoked"
    assert main(["wait-ocsp", "--lineage", live(config_dir), *words]) == 2
    told = capsys.readouterr().err
    assert f"{SITE} is revoked, says the OCSP server" in told
    assert f"certbot renew --force-renewal --cert-name {SITE}" in told


@pytest.mark.parametrize(("words", "status"), [((), 0), (("--strict",), 3)])
@pytest.mark.parametrize(
    ("says", "told"),
    [
        ("unknown", "The OCSP server still does not know www.example.jp, 1"),
        (None, "The OCSP server gave no usable answer for www.example.jp within 1"),
    ],
)
def test_time_is_up(
    config_dir: ConfigDir,
    responder: OcspResponder,
    lineage: Lineage,
    capsys: Output,
    *,
    words: tuple[str, ...],
    status: int,
    says: str | None,
    told: str,
) -> None:
    responder.says[lineage.certificate().serial_number] = says
    saved_long_ago(config_dir)
    assert main(["wait-ocsp", "--lineage", live(config_dir), *words]) == status
    assert told in capsys.readouterr().err
    assert len(responder.asked) == 1


def test_it_waits(
    config_dir: ConfigDir, responder: OcspResponder, lineage: Lineage, capsys: Output
) -> None:
    serial = lineage.certificate().serial_number
    responder.says[serial] = "unknown"
    answered = responder.post

    def then_good(body: bytes) -> bytes:
        answer = answered(body)
        responder.says[serial] = "good"
        return answer

    responder.post = then_good  # type: ignore[method-assign]
    began = time.monotonic()
    assert main(["wait-ocsp", "--lineage", live(config_dir), "--interval", "1"]) == 0
    assert time.monotonic() - began >= 0.9
    assert responder.asked == [serial, serial]
    assert "says good" in capsys.readouterr().out


# Which certificate


def test_files(config_dir: ConfigDir, lineage: Lineage, capsys: Output) -> None:
    cert, chain = lineage.links["cert"], lineage.links["chain"]
    assert main(["wait-ocsp", "--cert", cert, "--chain", chain]) == 0
    assert f"{cert}: the OCSP server says good" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "No certificate to wait for was given."),
        (("--cert", "a.pem"), "--cert needs --chain FILE"),
        (("--chain", "a.pem"), "--chain belongs to --cert FILE"),
        (("--lineage", "/none"), "cannot be read: /none/cert.pem: No such file"),
        (("--cert", "/none/c", "--chain", "/none/d"), "/none/c cannot be read: /none/c: No such"),
    ],
)
def test_wrong_use(words: tuple[str, ...], told: str, capsys: Output) -> None:
    assert main(["wait-ocsp", *words]) == 1
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.err.startswith("certbot-jprs: ")
    assert shown.out == ""


def test_a_chain_that_is_another_cas(
    config_dir: ConfigDir,
    responder: OcspResponder,
    lineage: Lineage,
    tmp_path: Path,
    capsys: Output,
) -> None:
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pem(pki.mint("X", pki.ec_key("x"))))
    assert main(["wait-ocsp", "--cert", lineage.links["cert"], "--chain", str(chain)]) == 1
    assert f"{chain} lacks the certificate of the issuer" in capsys.readouterr().err
    assert responder.asked == []


def test_the_chain_is_found_in_fullchain_too(
    config_dir: ConfigDir, lineage: Lineage, capsys: Output
) -> None:
    config_dir.archive(SITE, "chain", 1).write_bytes(b"")
    assert main(["wait-ocsp", "--lineage", live(config_dir)]) == 0
    config_dir.live(SITE, "fullchain").unlink()
    assert main(["wait-ocsp", "--lineage", live(config_dir)]) == 1
    assert "lacks the certificate of the issuer" in capsys.readouterr().err


# All at once


def test_all(
    config_dir: ConfigDir, responder: OcspResponder, lineage: Lineage, capsys: Output
) -> None:
    config_dir.add(OTHER, responder=responder.url)
    config_dir.add("other.ca.jp", responder=responder.url, server=LETS_ENCRYPT)
    assert main(["wait-ocsp", "--all", "--config-dir", str(config_dir)]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "says good" in line]
    assert sorted(line.partition(":")[0] for line in said) == [OTHER, SITE]
    assert len(responder.asked) == 2


def test_the_worst_counts(
    config_dir: ConfigDir, responder: OcspResponder, lineage: Lineage, capsys: Output
) -> None:
    line = ["wait-ocsp", "--all", "--strict", "--config-dir", str(config_dir)]
    late = config_dir.add("late.jp", responder=responder.url)
    responder.says[late.certificate().serial_number] = "unknown"
    saved_long_ago(config_dir, "late.jp")
    assert main(line) == 3
    config_dir.add("torn.jp", responder=responder.url)
    config_dir.archive("torn.jp", "cert", 1).write_bytes(b"")
    capsys.readouterr()
    assert main(line) == 1
    shown = capsys.readouterr()
    assert "torn.jp cannot be read" in shown.err
    assert f"{SITE}: the OCSP server says good" in shown.out  # which stops no other
    responder.says[lineage.certificate().serial_number] = "revoked"
    assert main(line) == 2


def test_no_directory(tmp_path: Path, capsys: Output) -> None:
    assert main(["wait-ocsp", "--all", "--config-dir", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert f"configuration cannot be read: {tmp_path}/renewal: No such file" in told


def test_all_of_nothing(config_dir: ConfigDir, capsys: Output) -> None:
    assert main(["wait-ocsp", "--all", "--config-dir", str(config_dir)]) == 0
    assert capsys.readouterr() == ("", "")


# Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_the_wait(
    config_dir: ConfigDir,
    responder: OcspResponder,
    lineage: Lineage,
    capsys: Output,
    *,
    number: signal.Signals,
) -> None:
    responder.says[lineage.certificate().serial_number] = "unknown"
    answered = responder.post

    def then_end(body: bytes) -> bytes:
        os.kill(os.getpid(), number)
        return answered(body)

    responder.post = then_end  # type: ignore[method-assign]
    before = signal.signal(number, lambda *_args: pytest.fail("the wait does not listen"))
    try:
        assert main(["wait-ocsp", "--lineage", live(config_dir)]) == wait_ocsp.WRONG
    finally:
        signal.signal(number, before)
    told = capsys.readouterr().err
    assert f"The wait was ended by {number.name}." in told
    assert "run the same command again" in told
