"""Certificates and their issuers, from files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certbot_jprs.ocsp import certificates
from certbot_jprs.ocsp.questions import Awaited
from tests.unit import pki

CA = pki.world()
ROOT = pki.mint("Root", pki.rsa_key("root"))


def write(path: Path, *chain: x509.Certificate, text: str = "") -> str:
    pem = b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain)
    path.write_bytes(text.encode() + pem)
    return str(path)


@pytest.fixture
def cert(tmp_path: Path) -> str:
    return write(tmp_path / "cert.pem", CA.certificate)


def test_the_issuer_comes_from_the_chain(tmp_path: Path, cert: str) -> None:
    os.utime(cert, (1, 1234.5))
    chain = write(tmp_path / "chain.pem", ROOT, CA.issuer)
    expected = Awaited("name", CA.certificate, CA.issuer, 1234.5)
    assert certificates.awaited("name", cert, chain, None) == expected


def test_the_issuer_comes_from_the_file_with_everything(tmp_path: Path, cert: str) -> None:
    fullchain = write(tmp_path / "fullchain.pem", CA.certificate, CA.issuer)
    for paths in [(cert, None, fullchain), (fullchain, None, None), (fullchain, None, fullchain)]:
        found = certificates.awaited("name", *paths)
        assert found is not None
        assert (found.certificate, found.issuer) == (CA.certificate, CA.issuer)


def test_the_time_is_that_of_the_file_behind_a_link(tmp_path: Path) -> None:
    cert = write(tmp_path / "cert1.pem", CA.certificate, CA.issuer)
    os.utime(cert, (1, 777))
    link = tmp_path / "link.pem"
    link.symlink_to("cert1.pem")
    found = certificates.awaited("name", str(link), None, None)
    assert found is not None
    assert found.saved_at == 777


@pytest.mark.parametrize("chain", [(), (ROOT,), (CA.certificate,)])
def test_without_the_issuer_there_is_nothing_to_ask_with(
    tmp_path: Path, cert: str, chain: tuple[x509.Certificate, ...]
) -> None:
    path = write(tmp_path / "chain.pem", *chain)
    assert certificates.awaited("name", cert, path, None) is None
    assert certificates.awaited("name", cert, None, None) is None


def test_a_certificate_is_not_its_own_issuer(tmp_path: Path) -> None:
    path = write(tmp_path / "self.pem", ROOT)
    assert certificates.awaited("name", path, path, path) is None


def test_of_two_with_the_issuers_name_the_one_that_signed_counts(tmp_path: Path, cert: str) -> None:
    chain = write(tmp_path / "chain.pem", CA.impostor, CA.issuer)
    found = certificates.awaited("name", cert, chain, None)
    assert found is not None
    assert found.issuer == CA.issuer


def test_an_issuer_that_did_not_sign_is_left_for_the_verdict(tmp_path: Path, cert: str) -> None:
    # Nothing here is to say "nothing to wait for": the answer will be that nothing is certain.
    chain = write(tmp_path / "chain.pem", CA.impostor)
    found = certificates.awaited("name", cert, chain, None)
    assert found is not None
    assert found.issuer == CA.impostor


def test_all_certificates_of_a_file_in_order(tmp_path: Path) -> None:
    path = write(tmp_path / "all.pem", CA.certificate, CA.issuer, ROOT, text="# a remark\n")
    assert certificates.load_all(path) == [CA.certificate, CA.issuer, ROOT]
    assert certificates.load_all(write(tmp_path / "none.pem")) == []


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        certificates.awaited("name", str(tmp_path / "missing.pem"), None, None)
    with pytest.raises(ValueError, match="holds no certificate"):
        certificates.awaited("name", write(tmp_path / "none.pem"), None, None)
    torn = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    with pytest.raises(ValueError, match=r"(?i)asn|parse|load|malformed"):
        certificates.awaited("name", write(tmp_path / "torn.pem", text=torn), None, None)


@pytest.mark.parametrize(
    ("alternatives", "names"),
    [
        ((), ["www.example.jp"]),
        (("a.example.jp", "b.example.jp"), ["www.example.jp", "a.example.jp", "b.example.jp"]),
        (("a.example.jp", "www.example.jp"), ["www.example.jp", "a.example.jp"]),
    ],
)
def test_names_in_certbots_order(alternatives: tuple[str, ...], names: list[str]) -> None:
    extension = x509.SubjectAlternativeName([x509.DNSName(each) for each in alternatives])
    leaf = CA.leaf(extensions=[(extension, False)] if alternatives else [])
    assert certificates.names_in_order(leaf) == names


def test_the_time_is_that_of_the_certificates_file(tmp_path: Path, cert: str) -> None:
    chain = write(tmp_path / "chain.pem", CA.issuer)
    os.utime(cert, (0, 1234))
    os.utime(chain, (0, 5678))
    found = certificates.awaited("name", cert, None, chain)
    assert found is not None
    assert (found.name, found.certificate, found.saved_at) == ("name", CA.certificate, 1234)
