"""Waiting right before the web server is changed: real files, a responder that the test plays."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from certbot import errors
from cryptography import x509

from certbot_jprs.ground import options
from certbot_jprs.ground.exceptions import CertificateRevoked, WaitInterrupted
from certbot_jprs.holding import deployment
from certbot_jprs.holding.deployment import Deployer
from certbot_jprs.lineage import archive
from certbot_jprs.ocsp.evaluation import Answer, Status
from certbot_jprs.wait import gate, progress, verdict
from tests.unit import pki
from tests.unit.config_dir import ConfigDir, pem

NAME = "www.example.jp"
ISSUER = pki.mint("Test CA", pki.ec_key("issuer"))
LEAF = pki.mint(
    NAME,
    pki.ec_key("leaf"),
    ISSUER.subject,
    pki.ec_key("issuer"),
    extensions=[pki.aia("http://ocsp.example/")],
)


class Desk:
    """A lineage, its files, and who waits for it."""

    def __init__(self, config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config_dir = config_dir
        self.asked: list[x509.Certificate] = []
        self.status = Status.GOOD
        self.told: list[str] = []
        self.lineage = config_dir.add(NAME, versions=(1, 2))
        for kind, items in {"cert": [LEAF], "chain": [ISSUER], "fullchain": [LEAF, ISSUER]}.items():
            data = b"".join(pem(item) for item in items)
            config_dir.archive(NAME, kind, 2).write_bytes(data)
        self.config = SimpleNamespace(config_dir=str(config_dir), verb="install", quiet=True)
        setattr(self.config, options.OCSP_TIMEOUT, 900)
        setattr(self.config, options.OCSP_INTERVAL, 1)
        monkeypatch.setattr(deployment, "Responder", lambda: self)
        for module in (progress, verdict):
            monkeypatch.setattr(vars(module)["display_util"], "notify", lambda _text: None)
        for level in ("warning", "error"):
            monkeypatch.setattr(
                deployment.logger, level, lambda text, *_a, **_k: self.told.append(text)
            )

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_exc: object) -> None:
        pass

    def ask_all(self, items: Mapping[Any, Any], tell: Callable[[Any, Answer], None]) -> None:
        for key, pair in items.items():
            self.asked.append(pair[0])
            tell(key, Answer(self.status, "because"))

    def path(self, kind: str) -> str:
        return str(self.config_dir.live(NAME, kind))

    def file(self, kind: str) -> Path:
        return self.config_dir.archive(NAME, kind, 2)

    def install(self, deployer: Deployer | None = None, **paths: str | None) -> None:
        kinds = ("cert", "chain", "fullchain")
        given = [paths.get(kind, self.path(kind)) for kind in kinds]
        (deployer or Deployer(self.config, time.time())).before_install(*given)  # type: ignore[arg-type]


@pytest.fixture
def desk(config_dir: ConfigDir, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(config_dir, monkeypatch)


def test_it_waits_once_for_a_certificate(desk: Desk) -> None:
    deployer = Deployer(desk.config, time.time())
    desk.install(deployer)
    desk.install(deployer)  # its second name
    assert desk.asked == [LEAF]


DAMAGES: dict[str, dict[str, bytes | None]] = {
    "no chain": {"chain": None},
    "a chain that is none": {"chain": b"nothing"},
    "a torn chain": {"chain": b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"},
    "no certificate": {"cert": None},
    "a certificate that is none": {"cert": b"nothing"},
    "a certificate in DER": {"cert": b"\x30\x82\0"},
    "both": {"cert": b"", "chain": None},
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_beside_a_good_full_chain_nothing_else_need_be(desk: Desk, damage: str) -> None:
    for kind, data in DAMAGES[damage].items():
        desk.file(kind).unlink()
        if data is not None:
            desk.file(kind).write_bytes(data)
    desk.install()
    assert desk.asked == [LEAF]
    assert desk.told == []


@pytest.mark.parametrize(
    ("damages", "fullchain"),
    [(("cert", "fullchain"), True), (("cert",), False), (("chain",), False)],
)
@pytest.mark.parametrize("how", ["missing", "empty", "a directory"])
def test_what_would_be_installed_cannot_be_read(
    desk: Desk, damages: tuple[str, ...], fullchain: bool, how: str
) -> None:
    for kind in damages:
        desk.file(kind).unlink()
        if how == "empty":
            desk.file(kind).write_text("")
        elif how == "a directory":
            desk.file(kind).mkdir()
    more = {} if fullchain else {"fullchain": None}
    if how == "empty" and damages == ("chain",):
        desk.install(**more)  # no issuer, so that nothing can be verified: said, and installed
        assert "without waiting" in desk.told[0]
    else:
        with pytest.raises(errors.PluginError, match=r"cannot be read, and was not installed"):
            desk.install(**more)
    assert desk.asked == []


def test_who_does_not_wait_reads_nothing(desk: Desk) -> None:
    setattr(desk.config, options.OCSP_TIMEOUT, 0)
    for kind in ("cert", "chain", "fullchain"):
        desk.file(kind).unlink()
    desk.install()
    assert desk.asked == []
    assert desk.told == []


def test_a_revoked_one_is_not_installed_and_leaves_the_lineage(desk: Desk) -> None:
    desk.status = Status.REVOKED
    with pytest.raises(CertificateRevoked, match=NAME):
        desk.install()
    assert not desk.file("cert").exists()
    assert os.readlink(desk.path("cert")).endswith("cert1.pem")


def test_a_revoked_one_that_cannot_be_taken_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(archive, "withdraw", fail)
    desk.status = Status.REVOKED
    with pytest.raises(CertificateRevoked, match=NAME):
        desk.install()
    assert "could not be taken away" in desk.told[0]


@pytest.mark.parametrize(
    ("verb", "command"),
    [
        ("install", f"certbot install -i certbot-jprs:http --cert-name {NAME}"),
        ("run", f"certbot install -i certbot-jprs:http --cert-name {NAME}"),
        ("renew", f"certbot renew --cert-name {NAME}"),
    ],
)
def test_a_signal_ends_the_wait(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, verb: str, command: str
) -> None:
    def settle(*_args: object) -> None:
        raise WaitInterrupted("The wait was ended by SIGTERM.")

    monkeypatch.setattr(gate.Gate, "settle", settle)
    desk.config.verb = verb
    with pytest.raises(KeyboardInterrupt):
        desk.install()
    assert desk.told[0].endswith(command)


def test_a_renewed_lineage(desk: Desk) -> None:
    Deployer(desk.config, time.time()).after_renewal(NAME)
    assert desk.asked == [LEAF]
    Deployer(desk.config, time.time()).after_renewal("none.example.jp")
    assert desk.asked == [LEAF]


@pytest.mark.parametrize("verb", ["renew", "certonly", "install"])
def test_what_was_saved_since_is_waited_for_before_a_reload(desk: Desk, verb: str) -> None:
    desk.config.verb = verb
    desk.config_dir.add("gone.example.jp")
    desk.config_dir.live("gone.example.jp", "cert").unlink()
    deployer = Deployer(desk.config, time.time())
    os.utime(desk.file("cert"))
    deployer.before_reload()
    assert desk.asked == ([] if verb == "install" else [LEAF])
    deployer.before_reload()
    assert len(desk.asked) == len(set(desk.asked))


def test_what_was_saved_before_is_not(desk: Desk) -> None:
    desk.config.verb = "renew"
    os.utime(desk.file("cert"), (1, 1))
    Deployer(desk.config, time.time()).before_reload()
    assert desk.asked == []


def test_a_revoked_one_that_is_no_version_leaves_the_archive_alone(
    desk: Desk, config_dir: ConfigDir
) -> None:
    data = desk.file("cert").read_bytes()
    link = config_dir.live(NAME, "cert")
    link.unlink()
    link.symlink_to(f"../../archive/{NAME}/mine.pem")
    config_dir.archive(NAME, "cert", 1).with_name("mine.pem").write_bytes(data)
    desk.status = Status.REVOKED
    with pytest.raises(CertificateRevoked) as raised:
        desk.install()
    assert str(raised.value) == verdict.revoked(NAME, None)
    assert desk.told == []
    assert archive.versions(desk.lineage) == [1, 2]


def test_a_revoked_one_that_is_of_no_lineage(desk: Desk, tmp_path: Path) -> None:
    paths: dict[str, Any] = {}
    for kind in ("cert", "chain", "fullchain"):
        (tmp_path / kind).write_bytes(desk.file(kind).read_bytes())
        paths[kind] = str(tmp_path / kind)
    desk.status = Status.REVOKED
    with pytest.raises(CertificateRevoked) as raised:
        desk.install(**paths)
    assert str(raised.value) == verdict.revoked(paths["cert"], None)
    assert archive.versions(desk.lineage) == [1, 2]
