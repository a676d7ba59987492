"""EAB credentials: what is accepted, what is refused, and that no message has them."""

from __future__ import annotations

import base64
import errno
import json
import os
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certbot_jprs.ground.exceptions import OptionError
from certbot_jprs.ground.names import NAME
from certbot_jprs.rules import eab
from tests.unit.command_line import FLAG, Parse

KID = "K1d/with+any=text~"
KEY = "c2VjcmV0LXNlY3JldC1zZWNyZXQ"


def test_a_pair_and_none() -> None:
    eab.check(KID, KEY)
    eab.check(None, None)


@given(st.binary(min_size=1, max_size=64), st.booleans())
def test_every_base64url_is_accepted(data: bytes, padded: bool) -> None:
    text = base64.urlsafe_b64encode(data).decode()
    eab.check(KID, text if padded else text.rstrip("="))


@given(st.text(string.ascii_letters + string.digits + string.punctuation, min_size=3, max_size=40))
def test_a_key_identifier_is_opaque(text: str) -> None:
    eab.check(f"k{text}k", KEY)


NOT_BASE64URL = ["A", "AAAAA", "AA=A", "====", "AAAA=", "AAA==", "+/+/", "é", "\uff21" * 4, "a.b"]


@pytest.mark.parametrize("key", NOT_BASE64URL)
def test_a_key_that_is_not_base64url(key: str) -> None:
    with pytest.raises(OptionError, match="--eab-hmac-key is not base64url"):
        eab.check(KID, key)


CAME_ALONG = [
    *(" \t\r\n\x0b\x0c\x00\x7f\x85\xa0\u2003\u2028\u202f\u3000\ufeff\u200b\u200e\u00ad"),
    *("“”„‟‘’‚‛«»‹›「」『』〝〞＂"),  # noqa: RUF001 - ambiguous they are
]


@pytest.mark.parametrize("character", CAME_ALONG, ids=lambda character: f"U+{ord(character):04X}")
@pytest.mark.parametrize("form", ["{0}{1}", "{1}{0}", "{0}{1}{0}"])
def test_what_comes_along_when_pasted(character: str, form: str) -> None:
    for kid, key, option in (
        (form.format(character, KID), KEY, "--eab-kid"),
        (KID, form.format(character, KEY), "--eab-hmac-key"),
    ):
        with pytest.raises(OptionError, match=f"{option} contains a"):
            eab.check(kid, key)


@pytest.mark.parametrize("quoted", ["'{}'", '"{}"', "'{}", '{}"'])
def test_quotation_marks_of_a_shell(quoted: str) -> None:
    with pytest.raises(OptionError, match="--eab-kid contains a quotation mark"):
        eab.check(quoted.format("kid"), KEY)


@pytest.mark.parametrize(
    ("kid", "key", "complaint"),
    [
        (None, KEY, "--eab-hmac-key was given without --eab-kid"),
        (KID, None, "--eab-kid was given without --eab-hmac-key"),
        ("", KEY, "--eab-kid is empty"),
        (KID, "", "--eab-hmac-key is empty"),
    ],
)
def test_half_a_pair(kid: str | None, key: str | None, complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        eab.check(kid, key)


@given(st.text(min_size=4), st.text(min_size=4))
def test_no_message_has_a_credential(kid: str, key: str) -> None:
    with pytest.raises(OptionError) as caught:
        eab.check(kid, key + "#secret#")
    assert "secret" not in repr(caught.value)
    with pytest.raises(OptionError) as caught:
        eab.check(f"secret {kid}", KEY)
    assert "secret" not in repr(caught.value)


# Files


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "eab"
    path.touch(0o600)
    return path


@pytest.mark.parametrize(
    "text",
    [
        f"{KID}\n{KEY}\n",
        f"\n {KID}\t\r\n\r\n{KEY}",
        f"\ufeff{KID}\n{KEY}\n",
        json.dumps({"kid": KID, "hmac": KEY}),
        json.dumps({"hmac": KEY, "kid": KID, "more": [1]}, indent=2),
    ],
)
def test_read(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    assert eab.read(str(file)) == (KID, KEY)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o606, 0o610, 0o601, 0o777])
def test_read_what_others_can_read(file: Path, mode: int) -> None:
    file.write_text(f"{KID}\n{KEY}\n")
    file.chmod(mode)
    with pytest.raises(OptionError, match="chmod 600"):
        eab.read(str(file))


def test_read_what_belongs_to_another(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(f"{KID}\n{KEY}\n")
    real = os.fstat

    def another(descriptor: int) -> os.stat_result:
        values = list(real(descriptor))
        values[4] = os.geteuid() + 1000
        return os.stat_result(values)

    monkeypatch.setattr(os, "fstat", another)
    with pytest.raises(OptionError, match="chown root"):
        eab.read(str(file))


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        KID.encode(),
        f"{KID}\n{KEY}\nmore".encode(),
        b"\xff\xfe" + KEY.encode(),
        b"{",
        b"{}",
        b'{"kid": "a"}',
        b'{"kid": "a", "hmac": 1}',
        b'{"kid": null, "hmac": "YQ"}',
        b'{"a":' * 700,
        b"\n" * 5000,
    ],
)
def test_read_another_form(file: Path, contents: bytes) -> None:
    file.write_bytes(contents)
    with pytest.raises(OptionError, match="has another form") as caught:
        eab.read(str(file))
    assert KEY not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_read_names_the_file_and_the_item(file: Path) -> None:
    file.write_text(f"{KID}\na b\n")
    with pytest.raises(OptionError, match=r"the MAC key \(hmac\) in .*/eab contains a space"):
        eab.read(str(file))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("missing", "there is no file"), (".", "is not a file"), ("a\0b", "cannot be read")],
)
def test_read_what_cannot_be_read(tmp_path: Path, name: str, complaint: str) -> None:
    with pytest.raises(OptionError, match=complaint):
        eab.read(f"{tmp_path}/{name}")


def test_read_where_the_disk_fails(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text(f"{KID}\n{KEY}\n")
    closed: list[int] = []
    real = os.close

    def close(descriptor: int) -> None:
        closed.append(descriptor)
        real(descriptor)

    def fail(*_args: object) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", fail)
    monkeypatch.setattr(os, "close", close)
    with pytest.raises(OptionError, match=f"cannot be read: {os.strerror(errno.EIO)}"):
        eab.read(str(file))
    assert len(closed) == 1


def test_nobody_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(OptionError, match="is not a file"):
        eab.read(str(tmp_path / "pipe"))


@given(st.binary(max_size=300))
def test_no_contents_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "any-eab"
    file.write_bytes(data)
    file.chmod(0o600)
    try:
        pair = eab.read(str(file))
    except OptionError:
        return
    assert all(pair)


# On the command line

DASHED = "-2VjcmV0LXNlY3JldC1zZWNyZXQ"


@pytest.mark.parametrize("where", ["before", "after", "in one word"])
def test_a_value_that_begins_with_a_dash(parse: Parse, where: str) -> None:
    """One key in 64 does; argparse alone takes it for an option."""
    given = ("--eab-kid", DASHED, "--eab-hmac-key", DASHED)
    rest = ("register", "-n", "-m", "ca@example.jp", "--agree-tos")
    words = {
        "before": (*given, *rest, *FLAG),
        "after": (*rest, *FLAG, *given),
        "in one word": (*rest, f"--authenticator={NAME}", *given),
    }[where]
    parsed = parse(*words)
    assert (parsed.eab_kid, parsed.eab_hmac_key) == (DASHED, DASHED)
    with pytest.raises(SystemExit):  # the twin: Certbot without the plugin
        parse("register", "-n", "-m", "ca@example.jp", *given)


@pytest.mark.parametrize("following", ["-d", "-n", "--agree-tos", "-mca@example.jp"])
def test_a_value_that_is_missing_stays_missing(
    parse: Parse, following: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse("register", *FLAG, "--eab-kid", "kid-1", "--eab-hmac-key", following, "-n")
    assert "expected one argument" in capsys.readouterr().err
