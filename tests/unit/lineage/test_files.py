"""Lineages as their files describe them, and other people's broken ones."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import KINDS, Lineage
from certbot_jprs.rules import policy
from tests.unit import pki
from tests.unit.config_dir import LETS_ENCRYPT, MANUAL, ConfigDir, pem

NAME = "www.example.jp"


def everything(config_dir: ConfigDir) -> list[str]:
    """Asks all that reads other lineages; returns the names of those that can be read."""
    assert files.with_names(str(config_dir), ["nobody.example.jp"]) == []
    assert files.with_certificate_file(str(config_dir), "/nowhere/cert.pem") is None
    return [lineage.name for lineage in files.all_in(str(config_dir))]


@pytest.fixture
def beside(config_dir: ConfigDir) -> ConfigDir:
    """A directory with one sound lineage, sorted last; what is broken comes beside it."""
    config_dir.add("zzz.example.jp")
    return config_dir


def test_a_lineage(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME, [NAME, "Example.JP"], key=pki.rsa_key("leaf"))
    assert files.read(lineage.renewal_file) == lineage
    assert lineage.name == NAME
    assert lineage.server == policy.SERVER
    assert lineage.authenticator == "apache"
    assert lineage.installer == "apache"
    assert lineage.deploy_hook == MANUAL["renew_hook"]
    assert not lineage.reuse_key
    assert lineage.names() == {NAME, "example.jp"}
    assert lineage.links == {kind: str(config_dir.live(NAME, kind)) for kind in KINDS}
    assert pem(lineage.certificate()) == config_dir.archive(NAME, "cert", 1).read_bytes()


@pytest.mark.parametrize("text", ["None", '""', "", "a, b", ","])
def test_values_that_are_no_text(config_dir: ConfigDir, text: str) -> None:
    lineage = config_dir.add(
        NAME, server=text, authenticator=text, installer=text, renew_hook=text, reuse_key=text
    )
    assert lineage.server is None
    assert lineage.authenticator is None
    assert lineage.installer is None
    assert lineage.deploy_hook is None
    assert not lineage.reuse_key
    assert not policy.is_jprs(lineage.server)


def test_values_that_are_missing(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME, server=None, authenticator=None, installer=None, renew_hook=None)
    assert (lineage.server, lineage.authenticator, lineage.installer) == (None, None, None)
    assert lineage.deploy_hook is None


@pytest.mark.parametrize(("text", "expected"), [("True", True), ("true", True), ("False", False)])
def test_reuse_key(config_dir: ConfigDir, text: str, expected: bool) -> None:
    assert config_dir.add(NAME, reuse_key=text).reuse_key is expected


def test_a_deploy_hook_under_its_other_key(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME, renew_hook=None, deploy_hook="echo done")
    assert lineage.deploy_hook == "echo done"
    both = config_dir.write_conf(NAME, renew_hook="echo first", deploy_hook="echo second")
    assert both.deploy_hook == "echo first"


def test_a_section_in_place_of_a_value(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME, server=None)
    with open(lineage.renewal_file, "a", encoding="utf-8") as file:
        file.write("[[server]]\nurl = x\n")
    assert files.read(lineage.renewal_file).server is None


def test_a_percent_sign_is_one(config_dir: ConfigDir) -> None:
    """ConfigObj would look for an option of that name, and stop."""
    hook = "date +%Y; echo %(name)s %%"
    assert config_dir.add(NAME, renew_hook=hook).deploy_hook == hook
    assert everything(config_dir) == [NAME]


def test_lineages_are_sorted_and_only_conf_files_count(config_dir: ConfigDir) -> None:
    for name in ("b.example.jp", "a.example.jp", "B.example.jp", "日本語.jp"):
        config_dir.add(name, ["xn--wgv71a119e.jp"])
    for name in ("c.example.jp.conf.before-jprs", "d.example.jp", "e.conf~"):
        (config_dir.path / "renewal" / name).write_text("x")
    assert everything(config_dir) == ["B.example.jp", "a.example.jp", "b.example.jp", "日本語.jp"]


def test_a_configuration_directory_that_is_not_there(tmp_path: Path) -> None:
    assert list(files.all_in(str(tmp_path / "none"))) == []
    assert files.with_names(str(tmp_path / "none"), [NAME]) == []
    assert files.named(str(tmp_path / "none"), NAME) is None


def test_named(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME)
    config_dir.conf("broken").write_text("[[[", encoding="utf-8")
    assert files.named(str(config_dir), NAME) == lineage
    assert files.named(str(config_dir), "broken") is None
    assert files.named(str(config_dir), "nobody") is None
    assert files.named(str(config_dir), "../../etc/passwd") is None


# By names


def found(config_dir: ConfigDir, *names: str) -> list[str]:
    return [lineage.name for lineage in files.with_names(str(config_dir), names)]


def test_exactly_these_names_in_any_order_and_case(config_dir: ConfigDir) -> None:
    config_dir.add("one", ["a.example.jp"])
    config_dir.add("two", ["a.example.jp", "b.example.jp"])
    config_dir.add("two-again", ["B.example.jp", "A.EXAMPLE.jp"], server=LETS_ENCRYPT)
    config_dir.add("idn", ["xn--wgv71a119e.jp"])
    config_dir.add("wild", ["*.example.jp"])
    assert found(config_dir, "b.example.JP", "a.example.jp") == ["two-again", "two"]
    assert found(config_dir, "a.example.jp", "a.example.jp") == ["one"]
    assert found(config_dir, "XN--wgv71a119e.jp") == ["idn"]
    assert found(config_dir, "*.example.jp") == ["wild"]
    assert found(config_dir, "b.example.jp") == []  # a subset
    assert found(config_dir, "a.example.jp", "b.example.jp", "c.example.jp") == []  # a superset
    assert found(config_dir, "日本語.jp") == []


def test_a_certificate_without_names_matches_nothing(config_dir: ConfigDir) -> None:
    nameless = config_dir.add(NAME, [])
    assert nameless.names() == frozenset()
    assert found(config_dir) == []
    assert found(config_dir, NAME) == []


def san(*values: x509.GeneralName) -> tuple[x509.ExtensionType, bool]:
    return x509.SubjectAlternativeName(values), False


def test_other_kinds_of_names_are_left_out() -> None:
    mixed = san(x509.DNSName("A.example.jp"), x509.RFC822Name("ca@example.jp"))
    certificate = pki.mint("x", pki.ec_key("leaf"), extensions=[mixed])
    assert files.names_of(certificate) == {"a.example.jp"}


@pytest.mark.parametrize(
    "value",
    [
        pki.sequence(pki.tlv(0xA3, pki.sequence())),  # x400Address, which nobody reads
        pki.sequence(pki.tlv(0xA5, pki.sequence())),  # ediPartyName
        b"\x30\x05garbage",
        b"",
        pki.sequence(pki.tlv(0x82, b"\xff\xfe.jp")),  # no ASCII
    ],
)
def test_somebodys_strange_certificate_stops_nobody(beside: ConfigDir, value: bytes) -> None:
    strange = beside.add(NAME)
    template = pki.mint("x", pki.rsa_key("issuer"), extensions=[san(x509.DNSName(NAME))])
    der = pki.with_raw_extension(template, "2.5.29.17", value, pki.rsa_key("issuer"))
    beside.archive(NAME, "cert", 1).write_bytes(pem(pki.load(der)))
    with pytest.raises(ValueError, match=r"."):
        strange.names()
    assert found(beside, "zzz.example.jp") == ["zzz.example.jp"]
    assert everything(beside) == [NAME, "zzz.example.jp"]


def twice(der: bytes, dotted: str) -> bytes:
    """Repeats an extension, which RFC 5280 section 4.2 forbids; signed by nobody."""
    (tree,) = pki.parse(der)
    wanted = pki.oid(dotted)
    for node in tree.walk():
        for child in list(node.children):
            if child.children and child.children[0].encode() == wanted:
                node.children.append(child)
    return tree.encode()


def test_a_repeated_extension_stops_nobody(beside: ConfigDir) -> None:
    strange = beside.add(NAME)
    template = strange.certificate().public_bytes(serialization.Encoding.DER)
    twofold = pki.load(twice(template, "2.5.29.17"))
    beside.archive(NAME, "cert", 1).write_bytes(pem(twofold))
    with pytest.raises(ValueError, match="extensions cannot be read"):
        strange.names()
    assert found(beside, "zzz.example.jp") == ["zzz.example.jp"]


def test_a_certificate_of_an_unknown_version_stops_nobody(beside: ConfigDir) -> None:
    strange = beside.add(NAME)
    der = bytearray(strange.certificate().public_bytes(serialization.Encoding.DER))
    at = bytes(der).index(b"\xa0\x03\x02\x01\x02")
    der[at + 4] = 9
    beside.archive(NAME, "cert", 1).write_bytes(encode(bytes(der)))
    with pytest.raises(ValueError, match=r"."):
        strange.names()
    assert found(beside, "zzz.example.jp") == ["zzz.example.jp"]


def encode(der: bytes) -> bytes:
    lines = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE-----\n" + lines + b"-----END CERTIFICATE-----\n"


# By file


def test_by_any_file_of_the_lineage(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME, versions=(1, 2))
    config_dir.add("other.example.jp")
    for path in (
        config_dir.live(NAME, "cert"),
        config_dir.live(NAME, "fullchain"),
        config_dir.archive(NAME, "cert", 1),
        config_dir.archive(NAME, "cert", 99),
    ):
        assert files.with_certificate_file(str(config_dir), str(path)) == lineage
    assert files.with_certificate_file(str(config_dir), str(config_dir.conf(NAME))) is None


def test_by_a_link_to_its_file(config_dir: ConfigDir, tmp_path: Path) -> None:
    lineage = config_dir.add(NAME)
    link = tmp_path / "server.pem"
    link.symlink_to(config_dir.live(NAME, "cert"))
    assert files.with_certificate_file(str(config_dir), str(link)) == lineage
    copy = tmp_path / "copy.pem"
    copy.write_bytes(link.read_bytes())
    assert files.with_certificate_file(str(config_dir), str(copy)) is None


def test_a_dangling_link_still_belongs_to_its_lineage(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME)
    config_dir.archive(NAME, "cert", 1).unlink()
    path = str(config_dir.live(NAME, "cert"))
    assert files.with_certificate_file(str(config_dir), path) == lineage


# Broken lineages of somebody else

PATHS = "".join(f"{kind} = /x/{kind}.pem\n" for kind in KINDS)
BROKEN: dict[str, bytes] = {
    "empty": b"",
    "not a renewal file": b"a = b\n",
    "no section": PATHS.encode(),
    "a value for a section": (PATHS + "renewalparams = x\n").encode(),
    "no fullchain": (PATHS.replace("fullchain", "chain2") + "[renewalparams]\n").encode(),
    "a list for a path": (PATHS.replace("/x/cert", "/x,/y/cert") + "[renewalparams]\n").encode(),
    "an empty path": (PATHS.replace("/x/chain.pem", "") + "[renewalparams]\n").encode(),
    "a path with NUL": (PATHS.replace("/x/cert", "/x\0/cert") + "[renewalparams]\n").encode(),
    "a section for a path": (
        "".join(f"{kind} = x\n" for kind in KINDS[1:]) + "[privkey]\n[renewalparams]\n"
    ).encode(),
    "unclosed section": b"[renewalparams\n",
    "nested too deep": b"[[[renewalparams]]]\n",
    "twice the same": (PATHS * 2 + "[renewalparams]\n").encode(),
    "unclosed quote": (PATHS + '[renewalparams]\nserver = "x\n').encode(),
    "unclosed lines": (PATHS + "[renewalparams]\nserver = '''x\n").encode(),
    "no equals sign": (PATHS + "[renewalparams]\nserver\n").encode(),
    "Shift JIS": PATHS.encode() + "[renewalparams]\nrenew_hook = 日本語\n".encode("shift_jis"),
    "UTF-16": (PATHS + "[renewalparams]\n").encode("utf-16"),
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("contents", BROKEN.values(), ids=BROKEN)
def test_a_broken_renewal_file_is_left_out(beside: ConfigDir, contents: bytes) -> None:
    beside.conf("broken").write_bytes(contents)
    assert everything(beside) == ["zzz.example.jp"]
    assert found(beside, "zzz.example.jp") == ["zzz.example.jp"]
    with pytest.raises(ValueError, match=r"."):
        files.read(str(beside.conf("broken")))


def test_a_byte_order_mark_breaks_nothing(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(NAME)
    contents = Path(lineage.renewal_file).read_bytes()
    Path(lineage.renewal_file).write_bytes(b"\xef\xbb\xbf" + contents)
    assert files.read(lineage.renewal_file) == lineage


def test_what_is_no_file_is_left_out(beside: ConfigDir) -> None:
    beside.conf("directory").mkdir()
    os.mkfifo(beside.conf("pipe"))
    beside.conf("loop").symlink_to("loop.conf")
    beside.conf("dangling").symlink_to("nowhere")
    assert everything(beside) == ["zzz.example.jp"]
    for name in ("directory", "pipe", "loop", "dangling", "missing"):
        with pytest.raises(OSError, match="not a file"):
            files.read(str(beside.conf(name)))


def test_a_file_that_may_not_be_read_is_left_out(
    beside: ConfigDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside.add("secret.example.jp")
    real_open = open

    def refuse(path: Any, *args: Any, **kwargs: Any) -> Any:
        if "secret" in str(path):
            raise PermissionError(13, "Permission denied", str(path))
        return real_open(path, *args, **kwargs)

    monkeypatch.setattr("builtins.open", refuse)
    assert everything(beside) == ["zzz.example.jp"]


def no_certificate(config_dir: ConfigDir, lineage: Lineage) -> None:
    config_dir.archive(lineage.name, "cert", 1).unlink()


def no_link(config_dir: ConfigDir, lineage: Lineage) -> None:
    config_dir.live(lineage.name, "cert").unlink()


def circular_link(config_dir: ConfigDir, lineage: Lineage) -> None:
    no_link(config_dir, lineage)
    config_dir.live(lineage.name, "cert").symlink_to("cert.pem")


def empty_certificate(config_dir: ConfigDir, lineage: Lineage) -> None:
    config_dir.archive(lineage.name, "cert", 1).write_bytes(b"")


def key_for_certificate(config_dir: ConfigDir, lineage: Lineage) -> None:
    key = config_dir.archive(lineage.name, "privkey", 1).read_bytes()
    config_dir.archive(lineage.name, "cert", 1).write_bytes(key)


def torn_certificate(config_dir: ConfigDir, lineage: Lineage) -> None:
    path = config_dir.archive(lineage.name, "cert", 1)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3] + lines[-1:]))


def directory_for_certificate(config_dir: ConfigDir, lineage: Lineage) -> None:
    no_certificate(config_dir, lineage)
    config_dir.archive(lineage.name, "cert", 1).mkdir()


@pytest.mark.parametrize(
    "sabotage",
    [
        no_certificate,
        no_link,
        circular_link,
        empty_certificate,
        key_for_certificate,
        torn_certificate,
        directory_for_certificate,
    ],
)
def test_a_broken_certificate_stops_nobody(beside: ConfigDir, sabotage: Any) -> None:
    lineage = beside.add("broken.example.jp")
    assert found(beside, "broken.example.jp") == ["broken.example.jp"]
    sabotage(beside, lineage)
    assert found(beside, "broken.example.jp") == []
    assert found(beside, "zzz.example.jp") == ["zzz.example.jp"]
    assert everything(beside) == ["broken.example.jp", "zzz.example.jp"]
    with pytest.raises((OSError, ValueError), match=r"."):
        lineage.certificate()


FRAGMENTS = st.sampled_from(
    [PATHS, "[renewalparams]\n", "server = x\n", "[[a]]\n", "= \n", "'''", '"', "%(x)s", "#", "\\"]
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(contents=st.one_of(st.binary(max_size=200), st.lists(FRAGMENTS | st.text(max_size=9))))
def test_no_renewal_file_raises_out_of_a_search(
    beside: ConfigDir, contents: bytes | list[str]
) -> None:
    if isinstance(contents, list):
        contents = "".join(contents).encode("utf-8", "surrogatepass")
    beside.conf("broken").write_bytes(contents)
    assert "zzz.example.jp" in everything(beside)


def test_a_renewal_file_with_a_byte_order_mark(config_dir: ConfigDir) -> None:
    config_dir.add("bom.example.jp")
    path = config_dir.conf("bom.example.jp")
    text = "\n".join(path.read_text("utf-8").splitlines()[1:])  # begins with a key
    path.write_text("\ufeff" + text, encoding="utf-8")
    assert files.load_lines(str(path)) == text.splitlines()
    assert files.read(str(path)).name == "bom.example.jp"


def test_what_is_no_file_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "pipe.conf"
    os.mkfifo(path)
    with pytest.raises(FileNotFoundError, match="not a file"):
        files.load_lines(str(path))
