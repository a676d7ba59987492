"""Thousands of mutated OCSP responses: no exception, and not one false verdict.

What may be believed of a mutated response? Only what the issuer signed. The oracle therefore
finds the signed part and the signature in the bytes by a DER parser of its own, and demands that
both be the original's, bit by bit, in a response with status "successful"; of a delegated
response also that the signed part and signature of the delegate's certificate be there. Whatever
else was mutated (other embedded certificates, an algorithm's absent parameters) is not signed and
says nothing.
"""

from __future__ import annotations

import functools
import os
import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from certbot_jprs.ocsp.evaluation import Status, evaluate
from tests.unit import pki
from tests.unit.pki import DAY, MINUTE, NOW

Property = Callable[..., None]

FRESH = int(os.environ.get("FRESH_SEED") or secrets.randbelow(2**32))
"""The seed of this run; a failing test prints it, and ``FRESH_SEED`` in the environment sets it."""


def holds(count: int, *given_: st.SearchStrategy[Any]) -> Callable[[Property], Property]:
    """Makes a test of a property, which holds for the same examples each time and for fresh ones.

    Args:
        count: how many examples, half of them fresh.
        given_: what the property is about.
    """

    def decorate(what: Property) -> Property:
        quiet = settings(
            max_examples=count // 2,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )

        @pytest.mark.parametrize("seeds", ["same", "fresh"])
        def test(seeds: str) -> None:
            number = FRESH if seeds == "fresh" else 0
            print(f"FRESH_SEED={number}")  # shown where it fails
            seed(number)(quiet(given(*given_)(what)))()

        test.__name__, test.__doc__ = what.__name__, what.__doc__
        return test

    return decorate


class Original(NamedTuple):
    """A response, what of it is signed, and what it says."""

    der: bytes
    tbs: bytes
    signature: bytes
    delegate: tuple[bytes, bytes]
    status: Status


@functools.cache
def world() -> pki.World:
    return pki.world()


def original(response: pki.Response, status: Status) -> Original:
    delegate = (b"", b"")
    for certificate in response.certificates:
        if not isinstance(certificate, bytes):
            delegate = (certificate.tbs_certificate_bytes, certificate.signature)
    tbs = response.tbs()
    # The signature may be random (ECDSA), so it is made once.
    algorithm, signature = pki.sign(response.key, tbs)
    der = pki.assemble(tbs, algorithm, signature, response.certificates)
    return Original(der, tbs, signature, delegate, status)


@functools.cache
def originals() -> list[Original]:
    """Returns responses that are valid now: good ones, and others to splice with."""
    there = world()
    return [
        original(pki.direct(there), Status.GOOD),
        original(pki.delegated(there), Status.GOOD),
        original(pki.direct(there, by_key=True, hash_name="sha256"), Status.GOOD),
        original(pki.delegated(there, key=pki.rsa_key("delegate"), by_key=True), Status.GOOD),
        original(pki.direct(there, status="revoked", reason=1), Status.REVOKED),
        original(pki.direct(there, status="unknown"), Status.UNKNOWN),
    ]


@functools.cache
def strangers() -> list[Original]:
    """Returns what is signed, but must not be believed: stale, another's, an impostor's."""
    there = world()
    past = {"this_update": NOW - 2 * DAY, "next_update": NOW - DAY}
    leaf_signs = pki.delegated(there, there.certificate, pki.ec_key("leaf"))
    return [
        original(pki.direct(there, **past), Status.UNDETERMINED),
        original(pki.direct(there, serial=1), Status.UNDETERMINED),
        original(pki.direct(there, key=there.impostor_key), Status.UNDETERMINED),
        original(leaf_signs, Status.UNDETERMINED),
    ]


def check(mutated: bytes) -> None:
    """Evaluates a mutated response, and holds the verdict against the oracle's."""
    there = world()
    status = evaluate(mutated, there.certificate, there.issuer, NOW).status
    if status is Status.UNDETERMINED:
        return
    if status is Status.UNKNOWN and is_unauthorized(mutated):
        return
    believable = {one.status for one in originals() if carries(mutated, one)}
    assert status in believable, mutated.hex()


def is_unauthorized(der: bytes) -> bool:
    # Lenient at the end: OpenSSL, in cryptography before 35, does not look beyond the first
    # element, and "unauthorized" is unsigned anyway.
    return der.startswith(b"\x30") and b"\x0a\x01\x06" in der[:7]


def carries(der: bytes, one: Original) -> bool:
    """Tells whether a response has the signed part, signature and delegate of an original."""
    try:
        size = len(pki.parse(der[: whole(der)])[0].encode())
        status, wrapped = pki.parse(der[:size])[0].children
        basic = pki.parse(wrapped.children[0].children[1].contents)[0]
    except (ValueError, IndexError):
        return False
    return (
        status.contents == b"\0"
        and basic.children[0].encode() == one.tbs
        and basic.children[2].contents == b"\0" + one.signature
        and all(part in der for part in one.delegate)
    )


def whole(der: bytes) -> int:
    """Returns where the first element ends."""
    length = der[1]
    if length & 0x80:
        return 2 + (length & 0x7F) + int.from_bytes(der[2 : 2 + (length & 0x7F)], "big")
    return 2 + length


@pytest.mark.parametrize("one", originals())
def test_the_originals_are_believed(one: Original) -> None:
    # Otherwise the properties below would hold for want of anything to believe.
    there = world()
    assert evaluate(one.der, there.certificate, there.issuer, NOW).status is one.status
    assert carries(one.der, one)
    check(one.der)


@pytest.mark.parametrize("one", strangers())
def test_the_strangers_are_not(one: Original) -> None:
    there = world()
    assert evaluate(one.der, there.certificate, there.issuer, NOW).status is Status.UNDETERMINED


any_response = st.integers(0, 9).map(lambda index: [*originals(), *strangers()][index].der)


@holds(
    2500,
    any_response,
    st.lists(st.tuples(st.integers(0), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_flipped_bytes(der: bytes, flips: list[tuple[int, int]]) -> None:
    mutated = bytearray(der)
    for position, mask in flips:
        mutated[position % len(der)] ^= mask
    check(bytes(mutated))


@holds(1000, any_response, st.floats(0, 1), st.floats(0, 1), st.binary(max_size=8))
def test_cut_out_and_put_in(der: bytes, start: float, end: float, inserted: bytes) -> None:
    first, last = sorted((int(start * len(der)), int(end * len(der))))
    check(der[:first] + inserted + der[last:])
    check(der[:first] + inserted + der[first:])


@holds(1500, any_response, any_response, st.floats(0, 1), st.floats(0, 1))
def test_spliced_bytes(one: bytes, other: bytes, cut: float, shift: float) -> None:
    position = int(cut * len(one))
    check(one[:position] + other[position:])
    check(one[:position] + other[int(shift * len(other)) :])


def tree(der: bytes) -> pki.Node:
    """Parses a response, and inside its OCTET STRING the basic response."""
    (root,) = pki.parse(der)
    octets = root.children[1].children[0].children[1]
    octets.children, octets.contents = pki.parse(octets.contents), b""
    return root


contents = st.one_of(
    st.binary(max_size=24),
    st.sampled_from(
        [
            b"",
            b"\0",
            b"\x7f" + 30 * b"\xff",
            b"\x80" + 30 * b"\0",
            b"99991231235959Z",
            b"00000101000000Z",
            b"20260615120000Z",
            b"20260615120000.5Z",
            b"20261332250000Z",
            b"19700101000000Z",
            b"*\x03\x04",
            b"\x2b\x0e\x03\x02\x1a",
            b"\x60\x86\x48\x01\x65\x03\x04\x02\x01",
        ]
    ),
)


@holds(3000, any_response, st.integers(0), contents, st.integers(0, 4), st.sampled_from(range(256)))
def test_mutated_structure(der: bytes, where: int, replacement: bytes, what: int, tag: int) -> None:
    root = tree(der)
    nodes = root.walk()
    node = nodes[where % len(nodes)]
    if what == 0:
        node.contents, node.children = replacement, []
    elif what == 1:
        node.tag = tag
    elif what == 2:
        node.children = node.children[::-1]
    elif what == 3:
        node.children = node.children[:-1]
    else:
        node.children = [*node.children, *node.children]
    check(root.encode())


@holds(2000, any_response, any_response, st.integers(0), st.integers(0))
def test_exchanged_parts(one: bytes, other: bytes, target: int, source: int) -> None:
    # Serial numbers, hashes, times, statuses, signatures, signers: all that is there.
    root, donor = tree(one), tree(other)
    nodes, parts = root.walk(), donor.walk()
    node = nodes[target % len(nodes)]
    fitting = [part for part in parts if part.tag == node.tag]
    if fitting:
        part = fitting[source % len(fitting)]
        node.contents, node.children = part.contents, part.children
    if not contains_itself(root):
        check(root.encode())


def contains_itself(root: pki.Node, above: tuple[int, ...] = ()) -> bool:
    own = id(root.children)
    return own in above or any(
        contains_itself(c, (*above, own)) for c in root.children if c.children
    )


class Case(NamedTuple):
    """How a response is made, each part right or wrong."""

    status: str
    serial_is_right: bool
    name_is_right: bool
    key_is_right: bool
    hash_name: str
    this_update: int
    next_update: int | None
    delegation: str
    by_key: bool
    signature_hash: str
    is_forged: bool


minutes = st.sampled_from([-3000, -6, -5, -4, 0, 4, 5, 6, 3000])
mostly = st.sampled_from([True, True, True, False])
cases = st.builds(
    Case,
    st.sampled_from(["good", "good", "revoked", "unknown"]),
    mostly,
    mostly,
    mostly,
    st.sampled_from(["sha1", "sha256", "sha512"]),
    st.sampled_from([-3000, -5, -4, 0, 0, 5, 6]),
    st.one_of(st.none(), minutes),
    st.sampled_from(["none", "none", "proper", "proper", "no purpose", "expired", "foreign"]),
    st.booleans(),
    st.sampled_from(["sha256", "sha256", "sha256", "sha1"]),
    st.sampled_from([False, False, False, True]),
)


@functools.cache
def delegate(kind: str) -> x509.Certificate:
    there = world()
    if kind == "no purpose":
        return there.delegate(extensions=[])
    if kind == "expired":
        return there.delegate(not_before=NOW - 2 * DAY, not_after=NOW - DAY)
    if kind == "foreign":
        return there.delegate(issuer_key=there.impostor_key)
    return there.delegate()


@holds(2000, cases)
def test_the_verdict_is_that_of_the_model(case: Case) -> None:
    there = world()
    single = pki.Single(
        there.certificate,
        there.issuer,
        status=case.status,
        hash_name=case.hash_name,
        serial=None if case.serial_is_right else 1,
        name_hash=None if case.name_is_right else b"wrong",
        key_hash=None if case.key_is_right else b"wrong",
        this_update=NOW + case.this_update * MINUTE,
        next_update=None if case.next_update is None else NOW + case.next_update * MINUTE,
    )
    options: dict[str, Any] = {"singles": (single,), "by_key": case.by_key}
    if case.delegation == "none":
        response = pki.direct(there, signature_hash=case.signature_hash, **options)
    else:
        response = pki.delegated(
            there, delegate(case.delegation), signature_hash=case.signature_hash, **options
        )
    if case.is_forged:
        response = response.change(key=there.impostor_key)
    status = evaluate(response.encode(), there.certificate, there.issuer, NOW).status
    assert status is (Status(case.status) if is_believable(case) else Status.UNDETERMINED)


def is_believable(case: Case) -> bool:
    until = case.this_update if case.next_update is None else case.next_update
    return (
        case.serial_is_right
        and case.name_is_right
        and case.key_is_right
        and case.this_update <= 5
        and case.this_update <= until
        and until > -5
        and case.delegation in {"none", "proper"}
        and case.signature_hash == "sha256"
        and not case.is_forged
    )
