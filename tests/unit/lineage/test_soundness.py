"""Versions that can be put into service, and what becomes of those that cannot."""

from __future__ import annotations

import base64
import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from certbot._internal import storage
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from certbot_jprs.lineage import archive, soundness
from certbot_jprs.lineage.files import KINDS, Lineage
from certbot_jprs.lineage.soundness import UnsoundError
from certbot_jprs.ocsp import certificates
from tests.unit import pki
from tests.unit.command_line import Parse
from tests.unit.config_dir import ConfigDir, linked, pem, snapshot, version

NAME = "www.example.jp"


@pytest.fixture
def lineage(config_dir: ConfigDir) -> Lineage:
    return config_dir.add(NAME, versions=(1, 2, 3))


def spoil(config_dir: ConfigDir, number: int, kind: str = "privkey") -> None:
    """Empties a file, as a power cut does."""
    config_dir.archive(NAME, kind, number).write_bytes(b"")


def test_what_certbot_saves_is_sound(lineage: Lineage) -> None:
    for number in (1, 2, 3):
        soundness.check(lineage, number)
        assert soundness.is_sound(lineage, number)


def test_a_key_that_is_a_link_is_sound(config_dir: ConfigDir) -> None:
    soundness.check(config_dir.add(NAME, versions=(1, 2), shared_key=True), 2)


def test_a_chain_of_several_is_sound(config_dir: ConfigDir, lineage: Lineage) -> None:
    more = pem(pki.mint("Root", pki.ec_key("root")))
    for kind in ("chain", "fullchain"):
        path = config_dir.archive(NAME, kind, 3)
        path.write_bytes(path.read_bytes() + more)
    soundness.check(lineage, 3)
    config_dir.archive(NAME, "chain", 3).write_bytes(more)  # the twin
    with pytest.raises(UnsoundError, match="followed by its chain"):
        soundness.check(lineage, 3)


def _without_its_end(data: bytes) -> bytes:
    return data[:-40]


def _zeroed(data: bytes) -> bytes:
    return b"\0" * len(data)


def _of_a_version_that_does_not_exist(data: bytes) -> bytes:
    certificate = certificates._parse(data)[0]
    der = certificate.public_bytes(serialization.Encoding.DER)
    assert der.count(b"\xa0\x03\x02\x01\x02") == 1
    return b"".join(
        [
            b"-----BEGIN CERTIFICATE-----\n",
            base64.encodebytes(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x09")),
            b"-----END CERTIFICATE-----\n",
        ]
    )


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    **{f"an empty {kind}": (kind, lambda _data: b"") for kind in KINDS},
    **{f"a {kind} of zeros": (kind, _zeroed) for kind in KINDS},
    **{f"a {kind} cut short": (kind, _without_its_end) for kind in KINDS},
    "a certificate of no version": ("cert", _of_a_version_that_does_not_exist),
    "another key": ("privkey", lambda _data: pem(pki.rsa_key("another"))),
    "a locked key": (
        "privkey",
        lambda _data: pki.rsa_key("leaf").private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        ),
    ),
    "a fullchain that begins with another": (
        "fullchain",
        lambda data: pem(pki.mint("Another", pki.ec_key("another"))) + data,
    ),
}


@pytest.mark.parametrize(("kind", "spoiled"), DAMAGE.values(), ids=DAMAGE)
def test_damage(
    config_dir: ConfigDir, lineage: Lineage, kind: str, spoiled: Callable[[bytes], bytes]
) -> None:
    path = config_dir.archive(NAME, kind, 3)
    path.write_bytes(spoiled(path.read_bytes()))
    with pytest.raises(UnsoundError):
        soundness.check(lineage, 3)
    assert not soundness.is_sound(lineage, 3)
    assert soundness.is_sound(lineage, 2)


@pytest.mark.parametrize("which", ["p", "q", "d", "dmp1", "dmq1", "iqmp"])
def test_a_key_of_which_one_number_is_damaged(
    config_dir: ConfigDir, lineage: Lineage, which: str
) -> None:
    """OpenSSL signs even with such a key: what is wrong is made up for by the other numbers."""
    path = config_dir.archive(NAME, "privkey", 3)
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    number = getattr(key.private_numbers(), which)
    length = (number.bit_length() + 7) // 8
    spoiled = der.replace(number.to_bytes(length, "big"), (number ^ 2).to_bytes(length, "big"))
    assert len(spoiled) == len(der)
    assert spoiled != der
    text = base64.encodebytes(spoiled).decode()
    path.write_text(f"-----BEGIN RSA PRIVATE KEY-----\n{text}-----END RSA PRIVATE KEY-----\n")
    with pytest.raises(UnsoundError):
        soundness.check(lineage, 3)
    path.write_bytes(pem(key))  # the twin
    soundness.check(lineage, 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_what_cannot_be_read_is_not_damaged(
    config_dir: ConfigDir,
    lineage: Lineage,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    number: int,
) -> None:
    broken = str(config_dir.archive(NAME, kind, 3))

    def read(path: str, mode: str) -> object:
        if path == broken:
            raise OSError(number, os.strerror(number), path)
        return open(path, mode)

    for module in (certificates, soundness):
        monkeypatch.setattr(module, "open", read, raising=False)
    with pytest.raises(OSError, match=os.strerror(number)):
        soundness.check(lineage, 3)
    with pytest.raises(OSError, match=os.strerror(number)):
        soundness.is_sound(lineage, 3)


def test_a_missing_file_is_not_damage(config_dir: ConfigDir, lineage: Lineage) -> None:
    config_dir.archive(NAME, "chain", 3).unlink()
    with pytest.raises(FileNotFoundError):
        soundness.check(lineage, 3)


# Durable


def test_all_that_was_saved_is_synced(
    config_dir: ConfigDir, lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    soundness.sync(lineage, 3)
    files = [config_dir.archive(NAME, kind, 3) for kind in KINDS] + [config_dir.conf(NAME)]
    folders = [
        config_dir.path / name
        for name in (f"archive/{NAME}", f"live/{NAME}", "renewal", "archive", "live")
    ]
    # A name in a directory is durable only when the directory is: files first.
    assert synced == [str(path) for path in [*files, *folders]]


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_what_cannot_be_synced_is_trouble(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def fail(_descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match=os.strerror(number)):
        soundness.sync(lineage, 3)


# Set aside


def test_a_damaged_version_is_set_aside_and_kept(
    config_dir: ConfigDir, lineage: Lineage, parse: Parse
) -> None:
    spoil(config_dir, 3)
    before = {kind: config_dir.archive(NAME, kind, 3).read_bytes() for kind in KINDS}
    assert soundness.set_aside(lineage, 3, 1) == 1
    assert linked(config_dir, NAME) == version(1)
    assert archive.versions(lineage) == [1, 2]
    for kind, data in before.items():
        assert Path(f"{config_dir.archive(NAME, kind, 3)}.damaged").read_bytes() == data
    # Certbot goes on as if it had never been.
    certbots = storage.RenewableCert(lineage.renewal_file, parse("certificates").config)
    assert certbots.latest_common_version() == 2
    assert certbots.next_free_version() == 3


def test_it_goes_back_to_a_sound_one_only(config_dir: ConfigDir, lineage: Lineage) -> None:
    spoil(config_dir, 3)
    spoil(config_dir, 2, "cert")
    assert soundness.set_aside(lineage, 3, 2) == 1
    assert linked(config_dir, NAME) == version(1)


def test_links_that_are_elsewhere_stay(config_dir: ConfigDir, lineage: Lineage) -> None:
    config_dir.link(NAME, 1)
    spoil(config_dir, 3)
    assert soundness.set_aside(lineage, 3, None) == 2
    assert linked(config_dir, NAME) == version(1)


@pytest.mark.parametrize("others", ["none", "damaged"])
def test_where_no_other_is_sound_it_stays(config_dir: ConfigDir, others: str) -> None:
    lineage = config_dir.add(NAME, versions=(2,) if others == "none" else (1, 2))
    spoil(config_dir, 2)
    if others == "damaged":
        spoil(config_dir, 1)
    before = snapshot(config_dir.path)
    assert soundness.set_aside(lineage, 2, None) is None
    assert snapshot(config_dir.path) == before


def test_damaged_versions_in_a_row_are_counted(config_dir: ConfigDir, lineage: Lineage) -> None:
    folder = config_dir.path / "archive" / NAME
    assert soundness.damaged_in_a_row(lineage) == []
    spoil(config_dir, 3)
    soundness.set_aside(lineage, 3, 2)
    assert soundness.damaged_in_a_row(lineage) == [f"{folder}/cert3.pem.damaged"]
    # Certbot uses the number again.
    for kind in KINDS:
        config_dir.archive(NAME, kind, 3).write_bytes(b"")
    soundness.set_aside(lineage, 3, 2)
    assert soundness.damaged_in_a_row(lineage) == [
        f"{folder}/cert3.pem.damaged",
        f"{folder}/cert3.pem.damaged.2",
    ]
    assert len(list(folder.glob("*.damaged*"))) == 8
    # A sound one ends the row.
    for kind in KINDS:
        config_dir.archive(NAME, kind, 3).write_bytes(
            config_dir.archive(NAME, kind, 2).read_bytes()
        )
    assert soundness.damaged_in_a_row(lineage) == []


def test_a_new_suffix_is_one_that_none_of_the_files_has(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    spoil(config_dir, 3)
    kept = Path(f"{config_dir.archive(NAME, 'chain', 3)}.damaged")
    kept.write_text("of an earlier one")
    assert soundness.set_aside(lineage, 3, 2) == 2
    assert kept.read_text() == "of an earlier one"
    assert Path(f"{config_dir.archive(NAME, 'cert', 3)}.damaged.2").exists()


def test_where_no_version_is_left_all_that_were_damaged_count(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    for kind in KINDS:
        for number in (1, 2, 3):
            path = config_dir.archive(NAME, kind, number)
            path.rename(f"{path}.damaged")
    assert [Path(path).name for path in soundness.damaged_in_a_row(lineage)] == [
        f"cert{number}.pem.damaged" for number in (1, 2, 3)
    ]
    assert soundness.MOST_IN_A_ROW == 2


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("cert", b"", "{cert} holds no certificate."),
        ("chain", b"", "{chain} holds no certificate."),
        ("fullchain", b"", "{fullchain} is not the certificate followed by its chain."),
        ("privkey", b"", "{privkey} holds no private key."),
        ("privkey", None, "{privkey} is not the key of {cert}."),
    ],
)
def test_what_is_wrong_is_said_of_the_file(
    config_dir: ConfigDir, lineage: Lineage, kind: str, data: bytes | None, message: str
) -> None:
    other = pem(pki.rsa_key("another"))
    config_dir.archive(NAME, kind, 3).write_bytes(other if data is None else data)
    if kind in ("cert", "chain") and data == b"":  # what would be left without the check
        with pytest.raises(UnsoundError) as caught:
            soundness.check(lineage, 3)
        config_dir.archive(NAME, "fullchain", 3).write_bytes(
            b"".join(config_dir.archive(NAME, each, 3).read_bytes() for each in ("cert", "chain"))
        )
    with pytest.raises(UnsoundError) as caught:
        soundness.check(lineage, 3)
    expected = message.format(**archive.files(lineage, 3))
    assert str(caught.value) == str(caught.value.reason) == expected


def test_a_certificate_that_cannot_be_parsed_is_said_in_the_parsers_words(
    config_dir: ConfigDir, lineage: Lineage
) -> None:
    path = config_dir.archive(NAME, "cert", 3)
    path.write_bytes(_of_a_version_that_does_not_exist(path.read_bytes()))
    with pytest.raises(ValueError, match=r".") as parser:
        certificates.load_all(str(path))
    with pytest.raises(UnsoundError) as caught:
        soundness.check(lineage, 3)
    assert str(caught.value) == str(parser.value)


def test_a_key_of_a_kind_that_is_not_known(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise UnsupportedAlgorithm("a curve of tomorrow")

    monkeypatch.setattr(serialization, "load_pem_private_key", refuse)
    with pytest.raises(UnsoundError, match="holds no private key"):
        soundness.check(lineage, 3)


class Numbers:
    """An RSA key whose numbers are the test's."""

    def __init__(self, p: int, q: int, e: int, d: int) -> None:
        self.p, self.q, self.d = p, q, d
        self.dmp1, self.dmq1 = (d % (p - 1), d % (q - 1)) if p > 1 else (0, d % (q - 1))
        self.iqmp = pow(q, -1, p)
        self.n, self.e = p * q, e

    def private_numbers(self) -> Numbers:
        return self

    @property
    def public_numbers(self) -> Numbers:
        return self


@pytest.mark.parametrize(
    ("numbers", "whole"),
    [
        ((61, 53, 17, 2753), True),
        ((61, 53, 17, 2754), False),  # its remainders fit, and it is no exponent
        ((61, 53, 17, 2753 + 60), False),  # one modulo p - 1 alone
        ((61, 53, 17, 2753 + 52), False),  # one modulo q - 1 alone
        ((1, 53, 17, 2753), False),
    ],
)
def test_numbers_that_fit_each_other(
    monkeypatch: pytest.MonkeyPatch, numbers: tuple[int, int, int, int], *, whole: bool
) -> None:
    monkeypatch.setattr(rsa, "RSAPrivateKey", Numbers)
    assert soundness._is_whole(Numbers(*numbers)) is whole


def test_a_key_that_is_not_rsa_is_sound(config_dir: ConfigDir) -> None:
    lineage = config_dir.add("ec.example.jp", key=pki.ec_key("leaf"))
    soundness.check(lineage, 1)
