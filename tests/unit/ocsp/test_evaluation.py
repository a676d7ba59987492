"""The verdict on OCSP responses: each that is believed has sabotaged twins that are not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp as x509_ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from certbot_jprs.ocsp import evaluation
from certbot_jprs.ocsp.evaluation import Answer, Status
from tests.unit import pki
from tests.unit.pki import DAY, MINUTE, NOW, Single, direct

SECOND = dt.timedelta(seconds=1)
CRITICAL = pki.extension("1.2.3.4", b"\x05\x00", critical=True)
HARMLESS = pki.extension("1.2.3.4", b"\x05\x00", critical=False)
HOLD = 6  # CRLReason certificateHold (RFC 5280 section 5.3.1)
ANSWERS_ARE_ITERATED = hasattr(x509_ocsp.OCSPResponse, "responses")


@pytest.fixture(scope="module")
def world() -> pki.World:
    return pki.world()


def judge(world: pki.World, response: pki.Response | bytes, now: dt.datetime = NOW) -> Answer:
    der = response if isinstance(response, bytes) else response.encode()
    return evaluation.evaluate(der, world.certificate, world.issuer, now)


def says(world: pki.World, response: pki.Response | bytes) -> tuple[str, str]:
    answer = judge(world, response)
    return answer.status.value, answer.reason


class TestRequest:
    """What is asked."""

    def test_names_the_certificate_by_sha1_and_has_no_nonce(self, world: pki.World) -> None:
        request = x509_ocsp.load_der_ocsp_request(
            evaluation.build_request(world.certificate, world.issuer)
        )
        assert request.serial_number == world.certificate.serial_number
        assert request.hash_algorithm.name == "sha1"
        assert request.issuer_key_hash == pki.digest("sha1", pki.key_bits(world.issuer))
        assert request.issuer_name_hash == pki.digest("sha1", world.issuer.subject.public_bytes())
        assert len(request.extensions) == 0


class TestResponderUrls:
    """Who is asked."""

    @pytest.mark.parametrize(
        "url",
        [
            "http://ocsp.example.jp",
            "https://ocsp.example.jp:8443/a/b?c=d",
            "http://192.0.2.1/",
            "http://[2001:db8::1]:80/",
            "HTTP://OCSP.EXAMPLE.JP/%E3",
            "http://ocsp.example.jp/" + 1001 * "a",  # 1024 characters
        ],
    )
    def test_takes(self, world: pki.World, url: str) -> None:
        assert evaluation.responder_urls(world.leaf(url)) == (url,)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "ocsp.example.jp",
            "ldap://ocsp.example.jp/",
            "file:///etc/passwd",
            "http:///path",
            "http://",
            "http://:80/",
            "http://user:password@ocsp.example.jp/",
            "http://user@ocsp.example.jp/",
            "http://@ocsp.example.jp/",
            "http://a\\@ocsp.example.jp/",
            "http://ocsp.example.jp:0/",
            "http://ocsp.example.jp:65536/",
            "http://ocsp.example.jp:http/",
            "http://[::1/",
            "http://[fe80::1%25eth0]/",
            "http://ocsp.example.jp/\r\nX-Header: 1",
            "http://ocsp.example.jp/a b",
            "http://ocsp.example.jp/\x00",
            "http://ocsp.example.jp/" + 1002 * "a",
        ],
    )
    def test_leaves_out(self, world: pki.World, url: str) -> None:
        usable = "http://ocsp.example.jp/"
        assert evaluation.responder_urls(world.leaf(url, usable)) == (usable,)

    def test_leaves_out_what_is_not_ascii(self, world: pki.World) -> None:
        raw = pki.sequence(
            pki.sequence(
                pki.oid(AuthorityInformationAccessOID.OCSP.dotted_string),
                pki.tlv(0x86, "http://日本語.jp/".encode()),
            )
        )
        assert evaluation.responder_urls(self._with_aia(world, raw)) == ()

    @pytest.mark.parametrize("raw", [b"", b"\x30\x05\x00", b"\x04\x01a", b"\x30\x02\x30\x00"])
    def test_a_malformed_extension_names_nobody(self, world: pki.World, raw: bytes) -> None:
        assert evaluation.responder_urls(self._with_aia(world, raw)) == ()

    def test_a_name_of_a_kind_that_cannot_be_read_names_nobody(self, world: pki.World) -> None:
        x400_address = pki.tlv(0xA3, pki.integer(1))
        ocsp = pki.oid(AuthorityInformationAccessOID.OCSP.dotted_string)
        raw = pki.sequence(pki.sequence(ocsp, x400_address))
        assert evaluation.responder_urls(self._with_aia(world, raw)) == ()

    def test_other_entries_are_not_responders(self, world: pki.World) -> None:
        extension = x509.AuthorityInformationAccess(
            [
                x509.AccessDescription(
                    AuthorityInformationAccessOID.CA_ISSUERS,
                    x509.UniformResourceIdentifier("http://ca.example.jp/"),
                ),
                x509.AccessDescription(
                    AuthorityInformationAccessOID.OCSP, x509.DNSName("ocsp.example.jp")
                ),
            ]
        )
        assert evaluation.responder_urls(world.leaf(extensions=[(extension, False)])) == ()

    def test_at_most_three_and_each_once(self, world: pki.World) -> None:
        one, two, three, four = (f"http://{n}.example.jp/" for n in range(4))
        leaf = world.leaf(one, one, "ldap://x/", two, three, four)
        assert evaluation.responder_urls(leaf) == (one, two, three)

    def test_none(self, world: pki.World) -> None:
        assert evaluation.responder_urls(world.leaf()) == ()

    @staticmethod
    def _with_aia(world: pki.World, raw: bytes) -> x509.Certificate:
        dotted = x509.AuthorityInformationAccess.oid.dotted_string
        template = world.leaf("http://ocsp.example.jp/")
        return pki.load(pki.with_raw_extension(template, dotted, raw, world.key))


class TestStatus:
    """The four answers."""

    def test_good(self, world: pki.World) -> None:
        assert judge(world, direct(world)) == Answer(
            Status.GOOD, "OCSP server says good", NOW - MINUTE, NOW + DAY
        )

    def test_revoked(self, world: pki.World) -> None:
        assert judge(world, direct(world, status="revoked", revoked_at=NOW - DAY)) == Answer(
            Status.REVOKED, "OCSP server says revoked", NOW - MINUTE, NOW + DAY, NOW - DAY
        )

    def test_unknown(self, world: pki.World) -> None:
        assert judge(world, direct(world, status="unknown")) == Answer(
            Status.UNKNOWN, "OCSP server says unknown", NOW - MINUTE, NOW + DAY
        )

    def test_unauthorized(self, world: pki.World) -> None:
        assert judge(world, pki.refusal(6)) == Answer(
            Status.UNKNOWN, "OCSP server says unauthorized: it does not know it yet"
        )

    @pytest.mark.parametrize(
        ("number", "word"),
        [(1, "malformedRequest"), (2, "internalError"), (3, "tryLater"), (5, "sigRequired")],
    )
    def test_refusal(self, world: pki.World, number: int, word: str) -> None:
        assert says(world, pki.refusal(number)) == ("undetermined", f"OCSP server says {word}")

    @pytest.mark.parametrize("number", [4, 7, 255])
    def test_a_refusal_that_does_not_exist(self, world: pki.World, number: int) -> None:
        assert says(world, pki.refusal(number)) == ("undetermined", "response is malformed")

    def test_a_good_answer_in_a_refusal_does_not_count(self, world: pki.World) -> None:
        response = direct(world, response_status=3)
        assert says(world, response) == ("undetermined", "OCSP server says tryLater")

    def test_never_issued(self, world: pki.World) -> None:
        response = direct(world, status="revoked", reason=HOLD, revoked_at="19700101000000Z")
        assert says(world, response) == ("unknown", "OCSP server says that it was never issued")

    @pytest.mark.parametrize(
        "changes",
        [{"reason": HOLD}, {"revoked_at": "19700101000000Z"}, {"reason": 1}],
        ids=["on hold since lately", "revoked in 1970", "key compromise"],
    )
    def test_revoked_not_merely_never_issued(
        self, world: pki.World, changes: dict[str, Any]
    ) -> None:
        response = direct(world, status="revoked", **changes)
        assert says(world, response) == ("revoked", "OCSP server says revoked")

    @pytest.mark.parametrize("status", ["revoked", "unknown"])
    def test_bad_news_must_be_verified_too(self, world: pki.World, status: str) -> None:
        response = direct(world, status=status, key=world.impostor_key)
        assert says(world, response) == ("undetermined", "signature is not the issuer's")


class TestCertificateAskedFor:
    """The answer is about this certificate of this issuer."""

    @pytest.mark.parametrize("hash_name", ["sha1", "sha224", "sha256", "sha384", "sha512"])
    def test_any_usual_hash(self, world: pki.World, hash_name: str) -> None:
        assert judge(world, direct(world, hash_name=hash_name)).status is Status.GOOD

    @pytest.mark.parametrize("hash_name", ["md5", "sha3_256"])
    def test_unusual_hash(self, world: pki.World, hash_name: str) -> None:
        response = direct(world, hash_name=hash_name)
        assert says(world, response) == ("undetermined", "response is malformed")

    @pytest.mark.parametrize("hash_name", ["sha1", "sha256"])
    @pytest.mark.parametrize(
        "changes", [{"serial": 1}, {"name_hash": 20 * b"a"}, {"key_hash": 20 * b"a"}], ids=str
    )
    def test_another(self, world: pki.World, hash_name: str, changes: dict[str, Any]) -> None:
        single = Single(world.certificate, world.issuer, hash_name=hash_name, **changes)
        response = direct(world, singles=(single,))
        assert says(world, response) == ("undetermined", "response is for another certificate")

    def test_the_same_serial_of_a_ca_of_the_same_name(self, world: pki.World) -> None:
        # All is consistent, but the chain does not hold the certificate's issuer.
        single = Single(world.certificate, world.impostor)
        response = pki.Response((single,), world.impostor, world.impostor_key)
        answer = evaluation.evaluate(response.encode(), world.certificate, world.impostor, NOW)
        assert answer == Answer(
            Status.UNDETERMINED, "certificate is not by the issuer that its chain names"
        )

    def test_the_same_serial_of_a_ca_of_another_name(self, world: pki.World) -> None:
        other = pki.mint("Other CA", world.key)
        response = pki.Response((Single(world.certificate, other),), other, world.key)
        answer = evaluation.evaluate(response.encode(), world.certificate, other, NOW)
        assert answer.reason == "certificate is not by the issuer that its chain names"

    @pytest.mark.skipif(not ANSWERS_ARE_ITERATED, reason="cryptography reads only one answer")
    def test_one_of_several(self, world: pki.World) -> None:
        ours = Single(world.certificate, world.issuer)
        other = Single(world.certificate, world.issuer, status="revoked", serial=1)
        for singles in ((ours, other), (other, ours)):
            assert judge(world, direct(world, singles=singles)).status is Status.GOOD

    @pytest.mark.skipif(not ANSWERS_ARE_ITERATED, reason="cryptography reads only one answer")
    def test_none_of_several(self, world: pki.World) -> None:
        others = tuple(Single(world.certificate, world.issuer, serial=n) for n in (1, 2))
        response = direct(world, singles=others)
        assert says(world, response) == ("undetermined", "response is for another certificate")

    @pytest.mark.skipif(not ANSWERS_ARE_ITERATED, reason="cryptography reads only one answer")
    def test_contradicting_answers(self, world: pki.World) -> None:
        good = Single(world.certificate, world.issuer)
        revoked = Single(world.certificate, world.issuer, status="revoked", hash_name="sha256")
        response = direct(world, singles=(good, revoked))
        assert says(world, response) == (
            "undetermined",
            "response has several answers for the certificate",
        )

    @pytest.mark.skipif(ANSWERS_ARE_ITERATED, reason="only of cryptography before 37")
    def test_several_on_old_cryptography(self, world: pki.World) -> None:
        singles = tuple(Single(world.certificate, world.issuer, serial=n) for n in (1, 2))
        assert says(world, direct(world, singles=singles)) == (
            "undetermined",
            "response is malformed",
        )

    def test_no_answer_at_all(self, world: pki.World) -> None:
        assert judge(world, direct(world, singles=())).status is Status.UNDETERMINED


class TestTimes:
    """The answer holds now."""

    @pytest.mark.parametrize(
        ("this_update", "next_update"),
        [
            (NOW + 5 * MINUTE, NOW + DAY),
            (NOW - 9 * DAY, NOW - 5 * MINUTE + SECOND),
            (NOW, NOW),
            (NOW - 5 * MINUTE + SECOND, None),
        ],
        ids=["our clock is late", "our clock is early", "a moment", "no nextUpdate"],
    )
    def test_holds(
        self, world: pki.World, this_update: dt.datetime, next_update: dt.datetime | None
    ) -> None:
        answer = judge(world, direct(world, this_update=this_update, next_update=next_update))
        assert answer == Answer(Status.GOOD, "OCSP server says good", this_update, next_update)

    @pytest.mark.parametrize("status", ["good", "revoked", "unknown"])
    @pytest.mark.parametrize(
        ("this_update", "next_update", "reason"),
        [
            (NOW + 5 * MINUTE + SECOND, NOW + DAY, "thisUpdate is in the future"),
            (NOW - DAY, NOW - 5 * MINUTE, "response is out of date"),
            (NOW, NOW - SECOND, "nextUpdate is before thisUpdate"),
            (NOW - 5 * MINUTE, None, "response is out of date, has no nextUpdate"),
        ],
    )
    def test_does_not_hold(
        self,
        world: pki.World,
        status: str,
        this_update: dt.datetime,
        next_update: dt.datetime | None,
        reason: str,
    ) -> None:
        response = direct(world, status=status, this_update=this_update, next_update=next_update)
        assert says(world, response) == ("undetermined", reason)

    @pytest.mark.parametrize("field", ["this_update", "next_update", "revoked_at"])
    @pytest.mark.parametrize("text", ["", "x", "00000101000000Z", "20261332000000Z", "2026"])
    def test_impossible(self, world: pki.World, field: str, text: str) -> None:
        response = direct(world, **{"status": "revoked", field: text})
        assert says(world, response) == ("undetermined", "response is malformed")

    @pytest.mark.parametrize("text", ["x", "00000101000000Z", "20261332000000Z"])
    def test_an_impossible_time_of_production_raises_nothing(
        self, world: pki.World, text: str
    ) -> None:
        # It matters to no check; whether such a response can be read at all is the parser's.
        assert judge(world, direct(world, produced_at=text)).status in {
            Status.GOOD,
            Status.UNDETERMINED,
        }

    def test_a_clock_in_another_zone(self, world: pki.World) -> None:
        japan = NOW.astimezone(dt.timezone(dt.timedelta(hours=9)))
        assert judge(world, direct(world), japan).status is Status.GOOD

    def test_a_clock_without_zone_is_the_callers_mistake(self, world: pki.World) -> None:
        with pytest.raises(ValueError, match="needs a time zone"):
            judge(world, direct(world), NOW.replace(tzinfo=None))


class TestShape:
    """What need not even be OCSP."""

    @pytest.mark.parametrize("garbage", [b"", b"\0", b"<html>", b"\x30\x80\0\0", 70000 * b"\x30"])
    def test_garbage(self, world: pki.World, garbage: bytes) -> None:
        assert says(world, garbage) == ("undetermined", "response is malformed")

    def test_trailing_bytes(self, world: pki.World) -> None:
        # OpenSSL, and so cryptography before 35, stops at the end of the first element.
        answer = judge(world, direct(world).encode() + b"\0")
        assert answer.reason in {"response is malformed", "OCSP server says good"}

    def test_success_without_an_answer(self, world: pki.World) -> None:
        assert judge(world, pki.refusal(0)).status is Status.UNDETERMINED

    @pytest.mark.parametrize("where", ["extensions", "single_extensions"])
    def test_critical_extension(self, world: pki.World, where: str) -> None:
        assert says(world, direct(world, **{where: CRITICAL})) == (
            "undetermined",
            "response has a critical extension",
        )
        assert judge(world, direct(world, **{where: HARMLESS})).status is Status.GOOD

    def test_certificates_key_without_ocsp_meaning(self) -> None:
        # The key of the certificate asked about plays no part.
        world = pki.world(ec.generate_private_key(ec.SECP384R1()))
        assert judge(world, direct(world)).status is Status.GOOD
