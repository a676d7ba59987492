"""Who may sign an OCSP response: the issuer, its delegate, and nobody else."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from certbot_jprs.ocsp.evaluation import Status, evaluate
from certbot_jprs.ocsp.signatures import _elements, _unused_bits
from tests.unit import pki
from tests.unit.pki import DAY, NOW, OCSP_SIGNING, delegated, direct

GOOD = "OCSP server says good"
UNKNOWN_CRITICAL = (
    x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"),
    True,
)


@pytest.fixture(scope="module")
def world() -> pki.World:
    return pki.world()


def reason(world: pki.World, response: pki.Response | bytes) -> str:
    der = response if isinstance(response, bytes) else response.encode()
    answer = evaluate(der, world.certificate, world.issuer, NOW)
    assert (answer.status is Status.GOOD) == (answer.reason == GOOD)
    assert answer.status in {Status.GOOD, Status.UNDETERMINED}
    return answer.reason


class TestIssuer:
    """Responses that the CA signs itself."""

    @pytest.mark.parametrize("by_key", [False, True])
    def test_signs(self, world: pki.World, by_key: bool) -> None:
        assert reason(world, direct(world, by_key=by_key)) == GOOD

    @pytest.mark.parametrize("by_key", [False, True])
    def test_somebody_else_signs(self, world: pki.World, by_key: bool) -> None:
        response = direct(world, by_key=by_key, key=world.impostor_key)
        assert reason(world, response) == "signature is not the issuer's"

    @pytest.mark.parametrize("by_key", [False, True])
    def test_its_certificate_may_be_included(
        self,
        world: pki.World,
        by_key: bool,
    ) -> None:
        response = direct(world, by_key=by_key, certificates=(world.issuer,))
        assert reason(world, response) == GOOD

    def test_an_impostor_includes_itself(self, world: pki.World) -> None:
        response = direct(
            world, signer=world.impostor, key=world.impostor_key, certificates=(world.impostor,)
        )
        assert reason(world, response) == "signature is not the issuer's"

    @pytest.mark.parametrize("by_key", [False, True])
    def test_responder_id_of_nobody(self, world: pki.World, by_key: bool) -> None:
        nobody = pki.mint("Nobody", pki.ec_key("nobody"))
        response = direct(world, by_key=by_key, signer=nobody)
        assert reason(world, response) == "signer is neither the issuer nor in the response"

    @pytest.mark.parametrize(
        "key",
        [
            ec.derive_private_key(7, ec.SECP256R1()),
            ed25519.Ed25519PrivateKey.from_private_bytes(32 * b"a"),
            ed448.Ed448PrivateKey.from_private_bytes(57 * b"a"),
        ],
        ids=["ecdsa", "ed25519", "ed448"],
    )
    def test_other_kinds_of_keys(self, key: pki.Key) -> None:
        world = pki.world(key)
        response = direct(world)
        assert reason(world, response) == GOOD
        tbs = response.tbs()
        algorithm, signature = pki.sign(key, tbs)
        flipped = signature[:-1] + bytes([signature[-1] ^ 1])
        assert reason(world, pki.assemble(tbs, algorithm, flipped)) == (
            "signature is not the issuer's"
        )

    def test_an_algorithm_of_another_kind_of_key(self, world: pki.World) -> None:
        response = direct(world, algorithm=pki.sequence(pki.oid("1.3.101.112")))
        assert reason(world, response) == "signature is not the issuer's"

    def test_dsa(self, world: pki.World) -> None:
        # No CA signs with it; the name of the CA alone must not do.
        key = dsa.generate_private_key(1024)  # noqa: S505 - it signs nothing
        builder = (
            x509.CertificateBuilder()
            .subject_name(world.issuer.subject)
            .issuer_name(world.issuer.subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(NOW - DAY)
            .not_valid_after(NOW + DAY)
        )
        issuer = builder.sign(world.key, pki.hash_of("sha256"))
        answer = evaluate(direct(world).encode(), world.certificate, issuer, NOW)
        assert answer.reason == "certificate is not by the issuer that its chain names"


def padded(response: pki.Response, unused: int) -> bytes:
    """Encodes a response whose signature's BIT STRING says that some of its bits are not in use.

    DER wants those to be zero, so responses are signed until they are.
    """
    for number in range(5000):
        tbs = response.change(produced_at=NOW - number * dt.timedelta(seconds=1)).tbs()
        algorithm, signature = pki.sign(response.key, tbs)
        if signature[-1] % (1 << unused) == 0:
            basic = pki.sequence(tbs, algorithm, pki.tlv(0x03, bytes([unused]), signature))
            return pki.successful(basic)
    raise AssertionError("not one in thousands")


class TestBits:
    """A signature is a whole number of bytes."""

    def test_all_in_use(self, world: pki.World) -> None:
        assert reason(world, padded(direct(world), 0)) == GOOD

    @pytest.mark.parametrize("unused", [1, 2, 7])
    def test_some_not_in_use(self, world: pki.World, unused: int) -> None:
        assert reason(world, padded(direct(world), unused)) == (
            "signature is not a whole number of bytes"
        )

    def test_an_explicit_default_version(self, world: pki.World) -> None:
        # DER leaves it out, some responders do not; what cryptography reads is not refused here.
        (node,) = pki.parse(direct(world).tbs())
        node.children.insert(0, pki.Node(0xA0, pki.integer(0)))
        tbs = node.encode()
        der = pki.assemble(tbs, *pki.sign(world.key, tbs))
        assert _unused_bits(der) == b"\0"
        try:
            ocsp.load_der_ocsp_response(der)
        except ValueError:
            assert reason(world, der) == "response is malformed"
        else:
            assert reason(world, der) == GOOD

    @pytest.mark.parametrize("size", [1, 100, 127, 128, 255, 256, 70000])
    def test_elements_of_any_length(self, size: int) -> None:
        assert _elements(pki.octets(size * b"x") + pki.integer(5)) == [size * b"x", b"\x05"]
        assert _elements(b"") == []


class TestHash:
    """Hashes that signatures may use."""

    @pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
    def test_strong(self, world: pki.World, name: str) -> None:
        assert reason(world, direct(world).change(signature_hash=name)) == GOOD

    @pytest.mark.parametrize("name", ["sha1", "sha224"])
    def test_weak(self, world: pki.World, name: str) -> None:
        assert reason(world, direct(world, signature_hash=name)) == f"signature uses {name}"

    def test_nameless(self, world: pki.World) -> None:
        response = direct(world, algorithm=pki.sequence(pki.oid("1.2.3.4")))
        assert reason(world, response) == "response is malformed"

    def test_pss_is_not_understood(self, world: pki.World) -> None:
        parameters = pki.sequence(
            pki.tlv(0xA0, pki.sequence(pki.oid(pki.HASH_OIDS["sha256"]), pki.tlv(0x05)))
        )
        algorithm = pki.sequence(pki.oid(pki.RSA_PSS_OID), parameters)
        answer = evaluate(
            direct(world, algorithm=algorithm).encode(), world.certificate, world.issuer, NOW
        )
        assert answer.status is Status.UNDETERMINED

    def test_a_certificate_signed_with_a_weak_one(self, world: pki.World) -> None:
        delegate = weakly_signed(world.delegate(), world)
        assert reason(world, delegated(world, delegate)) == (
            "delegate is not certified by the issuer"
        )


def weakly_signed(certificate: x509.Certificate, world: pki.World) -> x509.Certificate:
    """Signs a certificate again, with SHA-1."""
    (tree,) = pki.parse(certificate.tbs_certificate_bytes)
    algorithm, _ = pki.sign(world.key, b"", "sha1")
    for node in tree.children:
        if node.encode() == pki.sign(world.key, b"")[0]:
            node.children = pki.parse(algorithm)[0].children
    _, signature = pki.sign(world.key, tree.encode(), "sha1")
    return pki.load(pki.sequence(tree.encode(), algorithm, pki.tlv(0x03, b"\0", signature)))


class TestDelegate:
    """Responses that a certificate of the CA's signs."""

    @pytest.mark.parametrize("by_key", [False, True])
    def test_signs(self, world: pki.World, by_key: bool) -> None:
        assert reason(world, delegated(world, by_key=by_key)) == GOOD

    @pytest.mark.parametrize("by_key", [False, True])
    @pytest.mark.parametrize("own", [pki.ec_key("delegate"), pki.rsa_key("delegate")])
    def test_signs_with_a_certificate_as_cas_issue_them(
        self, world: pki.World, own: pki.Key, by_key: bool
    ) -> None:
        delegate = world.delegate(own, extensions=pki.as_cas_do(own, world))
        assert reason(world, delegated(world, delegate, own, by_key=by_key)) == GOOD

    @pytest.mark.parametrize("by_key", [False, True])
    def test_a_responder_id_that_is_not_the_delegates(self, world: pki.World, by_key: bool) -> None:
        nobody = pki.mint("Nobody", pki.ec_key("nobody"))
        response = delegated(world, by_key=by_key).change(signer=nobody)
        assert reason(world, response) == "signer is neither the issuer nor in the response"

    def test_rsa(self, world: pki.World) -> None:
        assert reason(world, delegated(world, key=pki.rsa_key("delegate"))) == GOOD

    def test_somebody_else_signs_in_its_name(self, world: pki.World) -> None:
        response = delegated(world).change(key=pki.ec_key("somebody"))
        assert reason(world, response) == "signature is not the delegate's"

    def test_not_included(self, world: pki.World) -> None:
        response = delegated(world, certificates=())
        assert reason(world, response) == "signer is neither the issuer nor in the response"

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"extensions": []}, "delegate may not sign OCSP responses"),
            (
                {
                    "extensions": [
                        (
                            x509.ExtendedKeyUsage(
                                [
                                    ExtendedKeyUsageOID.SERVER_AUTH,
                                    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
                                ]
                            ),
                            False,
                        )
                    ]
                },
                "delegate may not sign OCSP responses",
            ),
            (
                {"extensions": [OCSP_SIGNING, UNKNOWN_CRITICAL]},
                "delegate has a critical extension of unknown meaning",
            ),
            ({"not_after": NOW - DAY, "not_before": NOW - 2 * DAY}, "delegate is out of date"),
            ({"not_before": NOW + DAY}, "delegate is out of date"),
            ({"issuer": pki.name("Other CA")}, "delegate is not certified by the issuer"),
            (
                {"issuer_key": pki.ec_key("somebody")},
                "delegate is not certified by the issuer",
            ),
        ],
        ids=[
            "no purpose",
            "other purposes",
            "critical",
            "expired",
            "not yet",
            "issuer's name",
            "issuer's signature",
        ],
    )
    def test_without_authority(self, world: pki.World, changes: dict[str, Any], why: str) -> None:
        assert reason(world, delegated(world, world.delegate(**changes))) == why

    def test_any_certificate_of_the_ca_will_not_do(self, world: pki.World) -> None:
        response = delegated(world, world.certificate, pki.ec_key("leaf"))
        assert reason(world, response) == "delegate may not sign OCSP responses"

    def test_the_right_one_among_others(self, world: pki.World) -> None:
        expired = world.delegate(not_before=NOW - 2 * DAY, not_after=NOW - DAY)
        valid = world.delegate()
        response = delegated(world, valid, certificates=(world.issuer, expired, valid))
        assert reason(world, response) == GOOD
        response = delegated(world, valid, certificates=(world.issuer, expired))
        assert reason(world, response) == "delegate is out of date"

    def test_garbage_for_a_certificate(self, world: pki.World) -> None:
        response = delegated(world, certificates=(pki.sequence(pki.integer(1)),))
        assert reason(world, response) == "response is malformed"
