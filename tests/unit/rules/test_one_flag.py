"""What the one flag implies, decided on command lines that Certbot's own parser has parsed."""

from __future__ import annotations

import io
import itertools
import os
import pty
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certbot import errors
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from certbot_jprs import door
from certbot_jprs.ground import language, options
from certbot_jprs.ground.exceptions import OptionError, PolicyError
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.parser import ParsedCommand
from certbot_jprs.rules import one_flag, policy
from tests.unit import pki
from tests.unit.command_line import CONTACT, EAB, FLAG, Parse
from tests.unit.config_dir import LETS_ENCRYPT, OTHER_CA, ConfigDir

SITE = "www.example.jp"
RUN = ("run", "-n", *FLAG, *CONTACT, "-d", SITE)
CERTONLY = ("certonly", *RUN[1:])

# Selection


def test_one_flag_says_all(parse: Parse) -> None:
    parsed = parse(*RUN)
    assert parsed.server == policy.SERVER
    assert parsed.authenticator == parsed.installer == NAME
    assert parsed.key_type == "rsa"
    assert parsed.rsa_key_size == 2048
    assert parsed.decision.governed
    assert parsed.decision.on_command_line
    assert parsed.decision.notices == []
    assert parsed.counts_as_given("key_type")


def test_without_the_flag_nothing_changes(parse: Parse, capsys: pytest.CaptureFixture[str]) -> None:
    parsed = parse("run", "-n", "--apache", *CONTACT, "-d", SITE)
    assert policy.is_lets_encrypt(parsed.server)
    assert parsed.apache
    assert parsed.installer is None
    assert parsed.decision.parsed
    assert not parsed.decision.governed
    assert parsed.decision.implied == {}
    assert not parsed.counts_as_given("key_type")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("words", "authenticator", "installer"),
    [
        (("run", *FLAG), NAME, NAME),
        (("run", *FLAG, "--apache"), NAME, NAME),
        (("run", "--apache", *FLAG), NAME, NAME),
        (("run", "-i", NAME), NAME, NAME),
        (("run", "-i", NAME, "-a", "manual"), "manual", NAME),
        (("run", *FLAG, "-i", "nginx"), NAME, NAME),
        (("run", *FLAG, "--nginx"), NAME, NAME),
        (("certonly", *FLAG, "--nginx"), NAME, NAME),
        (("run", *FLAG, "-i", "dummy"), NAME, "dummy"),
        (("certonly", *FLAG), NAME, None),
        (("certonly", *FLAG, "--apache"), NAME, NAME),
        (("certonly", *FLAG, "-i", NAME), NAME, NAME),
        (("certonly", "-i", NAME), NAME, NAME),
        (("certonly", "-i", NAME, "--webroot", "-w", "/srv"), None, NAME),
        (("certonly", "-i", NAME, "--manual"), None, NAME),
        (("certonly", "-i", NAME, "--standalone"), None, NAME),
    ],
)
def test_who_validates_and_who_installs(
    parse: Parse, words: tuple[str, ...], authenticator: str | None, installer: str | None
) -> None:
    parsed = parse(*words, "-n", *CONTACT, "-d", SITE)
    assert parsed.authenticator == authenticator
    assert parsed.installer == installer
    assert not parsed.apache
    assert parsed.server == policy.SERVER


def test_the_configurator_says_both(parse: Parse) -> None:
    parsed = parse("run", "-n", "--configurator", NAME, *CONTACT, "-d", SITE)
    assert parsed.configurator == NAME
    assert (parsed.authenticator, parsed.installer) == (None, None)
    assert parsed.server == policy.SERVER
    with pytest.raises(PolicyError, match="dns-01"):
        parse("run", "-n", "--configurator", NAME, *CONTACT, "-d", "*.example.jp")


@pytest.mark.parametrize("verb", ["install", "enhance", "rollback"])
def test_verbs_that_only_install(parse: Parse, verb: str) -> None:
    parsed = parse(verb, *FLAG)
    assert parsed.installer == NAME
    assert policy.is_lets_encrypt(parsed.server)
    assert not parsed.decision.governed
    twin = parse(verb, "--apache")
    assert twin.installer is None


@pytest.mark.parametrize("verb", ["certificates", "renew", "delete", "plugins"])
def test_verbs_that_are_not_about_it(parse: Parse, verb: str) -> None:
    assert parse(verb, *FLAG).decision.implied == {}


# Server


@pytest.mark.parametrize("server", [policy.SERVER, OTHER_CA])
def test_a_server_that_was_typed_is_respected(parse: Parse, server: str) -> None:
    parsed = parse(*RUN, "--server", server)
    assert parsed.server == server
    assert parsed.decision.governed
    assert parsed.key_type == "rsa"


def test_lets_encrypt_typed_is_lets_encrypt(parse: Parse) -> None:
    parsed = parse("run", "-n", *FLAG, "-d", "www.example.jp", "--server", LETS_ENCRYPT)
    assert parsed.server == LETS_ENCRYPT
    assert parsed.installer == NAME
    assert not parsed.decision.governed
    assert not parsed.counts_as_given("key_type")


def test_a_server_in_cli_ini_is_respected(parse: Parse) -> None:
    assert parse(*RUN, ini=f"server = {OTHER_CA}\n").server == OTHER_CA


@pytest.mark.parametrize("verb", one_flag.ACCOUNT)
def test_accounts_go_to_jprs(parse: Parse, verb: str) -> None:
    if verb == "show_account":
        try:
            parse(verb)
        except SystemExit:  # Certbot before 2.0 has no such verb
            return
    parsed = parse(verb, "-n", *FLAG, *CONTACT)
    assert parsed.server == policy.SERVER
    assert policy.is_lets_encrypt(parse(verb, "-n", *CONTACT).server)
    only_in_file = parse(verb, "-n", *CONTACT, ini=f"authenticator = {NAME}\n")
    assert policy.is_lets_encrypt(only_in_file.server)
    assert parse(verb, "-n", *FLAG, *CONTACT, "--server", OTHER_CA).server == OTHER_CA


def test_an_account_of_another_ca_is_that_ones_business(parse: Parse) -> None:
    parsed = parse("register", "-n", *FLAG, "--server", LETS_ENCRYPT)
    assert parsed.server == LETS_ENCRYPT
    assert parsed.decision.notices == []
    with pytest.raises(PolicyError, match="-m ADDRESS"):  # the twin
        parse("register", "-n", *FLAG)


# Revocation


@pytest.fixture
def two_cas(config_dir: ConfigDir) -> ConfigDir:
    config_dir.add(SITE, authenticator=NAME)
    config_dir.add("other.example.com", server=LETS_ENCRYPT)
    return config_dir


@pytest.mark.parametrize(
    ("lineage", "server"), [(SITE, policy.SERVER), ("other.example.com", LETS_ENCRYPT)]
)
@pytest.mark.parametrize("words", [FLAG, ()])
def test_a_revocation_goes_to_the_ca_of_the_certificate(
    parse: Parse, two_cas: ConfigDir, lineage: str, server: str, words: tuple[str, ...]
) -> None:
    ini = "" if words else f"authenticator = {NAME}\n"
    path = str(two_cas.live(lineage, "cert"))
    assert parse("revoke", *words, "--cert-path", path, ini=ini).server == server


def test_a_revocation_of_an_unknown_file(parse: Parse, two_cas: ConfigDir) -> None:
    copy = two_cas.path / "copy.pem"
    copy.write_bytes(two_cas.live(SITE, "cert").read_bytes())
    words = ("revoke", "--cert-path", str(copy))
    assert parse(*words, *FLAG).server == policy.SERVER
    assert policy.is_lets_encrypt(parse(*words, ini=f"authenticator = {NAME}\n").server)
    assert parse(*words, *FLAG, "--server", OTHER_CA).server == OTHER_CA


def test_a_revocation_by_name_is_certbots(parse: Parse, two_cas: ConfigDir) -> None:
    del two_cas
    parsed = parse("revoke", *FLAG, "--cert-name", SITE)
    assert "server" not in parsed.decision.implied


# Tests that JPRS does not have


@pytest.mark.parametrize("option", ["--dry-run", "--staging", "--test-cert"])
@pytest.mark.parametrize("command", [CERTONLY, RUN])
def test_dry_runs_are_refused(parse: Parse, command: tuple[str, ...], option: str) -> None:
    if command is RUN and option == "--dry-run":
        return  # Certbot refuses that by itself
    with pytest.raises(PolicyError, match="--jprs-check"):
        parse(*command, option)


def test_staging_of_an_account_is_refused(parse: Parse) -> None:
    with pytest.raises(PolicyError, match="--staging"):
        parse("register", "-n", *FLAG, *CONTACT, "--staging")


@pytest.mark.parametrize("option", ["--dry-run", "--staging"])
def test_dry_runs_of_others_are_not(parse: Parse, option: str) -> None:
    assert "staging" in parse("certonly", "-n", "--apache", *CONTACT, "-d", SITE, option).server


def test_reconfigure_is_a_dry_run(parse: Parse) -> None:
    try:
        parse("reconfigure", "--cert-name", SITE)
    except SystemExit:  # not in Certbot before 2.3
        return
    with pytest.raises(PolicyError, match="certbot reconfigure does not work properly with JPRS"):
        parse("reconfigure", "--cert-name", SITE, *FLAG)
    ini = f"authenticator = {NAME}\n"
    assert parse("reconfigure", "--cert-name", SITE, ini=ini).decision.implied == {}


# Keys


@pytest.mark.parametrize("ini", ["", "key-type = ecdsa\n"])
def test_ecdsa_is_overridden_with_a_notice(parse: Parse, ini: str) -> None:
    words = () if ini else ("--key-type", "ecdsa")
    parsed = parse(*RUN, *words, ini=ini)
    assert parsed.key_type == "rsa"
    assert parsed.decision.notices == [
        "JPRS issues certificates for RSA keys only: RSA is used, not ecdsa."
    ]


@pytest.mark.parametrize(("size", "used"), [("1024", 2048), ("2048", 2048), ("4096", 4096)])
def test_the_size_of_the_key(parse: Parse, size: str, used: int) -> None:
    parsed = parse(*RUN, "--rsa-key-size", size)
    assert parsed.rsa_key_size == used
    assert len(parsed.decision.notices) == int(size != str(used))


def request_file(config_dir: ConfigDir, key: Any, encoding: serialization.Encoding) -> str:
    san = x509.SubjectAlternativeName([x509.DNSName(SITE)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(pki.name(SITE))
    request = builder.add_extension(san, critical=False).sign(key, hashes.SHA256())
    path = config_dir.path / "request"
    path.write_bytes(request.public_bytes(encoding))
    return str(path)


@pytest.mark.parametrize("encoding", [serialization.Encoding.PEM, serialization.Encoding.DER])
def test_the_key_of_a_request(
    parse: Parse, config_dir: ConfigDir, encoding: serialization.Encoding
) -> None:
    words = ("certonly", "-n", *FLAG, *CONTACT, "--csr")
    good = request_file(config_dir, pki.rsa_key("leaf"), encoding)
    assert parse(*words, good).decision.governed
    bad = request_file(config_dir, pki.ec_key("leaf"), encoding)
    with pytest.raises(PolicyError, match="has ECDSA 256 bits"):
        parse(*words, bad)


def test_a_request_that_cannot_be_read_is_certbots_to_tell(
    parse: Parse, config_dir: ConfigDir
) -> None:
    path = config_dir.path / "request"
    path.write_text("nothing")
    with pytest.raises(errors.Error) as caught:
        parse("certonly", "-n", *FLAG, *CONTACT, "--csr", str(path))
    assert not isinstance(caught.value, PolicyError)
    assert "CSR" in str(caught.value)


# Contacts


@pytest.mark.parametrize("verb", ["run", "certonly", "register"])
def test_a_contact_is_needed(parse: Parse, verb: str) -> None:
    names = () if verb == "register" else ("-d", SITE)
    with pytest.raises(PolicyError, match="-m ADDRESS"):
        parse(verb, "-n", *FLAG, *names)
    with pytest.raises(PolicyError, match="-m ADDRESS"):
        parse(verb, "-n", *FLAG, *names, "--register-unsafely-without-email")
    with pytest.raises(PolicyError, match="given twice"):
        parse(verb, "-n", *FLAG, *names, "-m", "a@b.jp,a@b.jp")
    assert parse(verb, "-n", *FLAG, *names, *CONTACT).email == "ca@example.jp"


@pytest.mark.parametrize("verb", ["run", "certonly", "register"])
def test_all_that_is_missing_is_named_at_once(parse: Parse, verb: str) -> None:
    names = () if verb == "register" else ("-d", SITE)
    wanted = {"-m ADDRESS": ("-m", "a@b.jp"), "--eab-kid": EAB, "--agree-tos": ("--agree-tos",)}
    for given in itertools.chain.from_iterable(itertools.combinations(wanted, n) for n in (0, 1)):
        words = [word for option in given for word in wanted[option]]
        with pytest.raises(PolicyError) as caught:
            parse(verb, "-n", *FLAG, *names, *words)
        lines = str(caught.value).splitlines()[1:]
        missing = [option for option in wanted if option not in given]
        assert len(lines) == len(missing)
        for line, option in zip(lines, missing):
            assert option in line


def test_quiet_means_nobody_can_be_asked(parse: Parse) -> None:
    with pytest.raises(PolicyError, match="-m ADDRESS"):
        parse("run", "-q", *FLAG, "-d", SITE)


def test_update_account_needs_one_too(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.account()
    with pytest.raises(PolicyError, match="-m ADDRESS"):
        parse("update_account", "-n", *FLAG)
    assert parse("update_account", "-n", *FLAG, *CONTACT).email == "ca@example.jp"


def test_with_an_account_none_is_needed(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.account()
    assert parse("run", "-n", *FLAG, "-d", SITE).decision.governed
    with pytest.raises(PolicyError, match="at most 6"):
        parse("run", "-n", *FLAG, "-d", SITE, "-m", ",".join(f"{n}@x.jp" for n in range(7)))


def test_the_account_of_another_ca_is_none(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.account(LETS_ENCRYPT)
    account = config_dir.account()
    account.rename(account.with_name(".half-made"))
    with pytest.raises(PolicyError, match="-m ADDRESS"):
        parse("run", "-n", *FLAG, "-d", SITE)
    config_dir.account()
    assert parse("run", "-n", *FLAG, "-d", SITE).decision.governed


def test_a_second_pair_of_credentials_is_said_to_be_unused(
    parse: Parse, config_dir: ConfigDir
) -> None:
    eab = ("--eab-kid", "kid-1", "--eab-hmac-key", "c2VjcmV0")
    assert parse(*RUN, *eab).decision.notices == []
    config_dir.account()
    (notice,) = parse(*RUN, *eab).decision.notices
    assert "are not used" in notice
    assert "unregister" not in notice
    assert "kid-1" not in notice
    assert "c2VjcmV0" not in notice


class Terminal:
    """A terminal, whose user types what is in ``keys``."""

    def __init__(self) -> None:
        self.master, slave = pty.openpty()
        self.stdin = os.fdopen(slave, "r", encoding="utf-8")

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def close(self) -> None:
        self.stdin.close()
        os.close(self.master)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    made = Terminal()
    monkeypatch.setattr(sys, "stdin", made.stdin)
    yield made
    made.close()


ASKING = ("run", *FLAG, "-d", SITE, *EAB)


def test_on_a_terminal_it_is_asked_for_until_it_is_right(
    parse: Parse, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.type("\na@b.jp,a@b.jp\n  ca@example.jp \n")
    assert parse(*ASKING).email == "ca@example.jp"
    out = capsys.readouterr().out
    assert out.count("Contact e-mail address") == 3
    assert "requires a contact e-mail address" in out
    assert "was given twice" in out


def test_a_terminal_that_is_closed_gives_none(parse: Parse, terminal: Terminal) -> None:
    terminal.type("\x04")
    with pytest.raises(PolicyError, match="-m ADDRESS"):
        parse(*ASKING)


@pytest.mark.parametrize("words", [CONTACT, ("-n", *CONTACT)])
def test_a_terminal_is_not_asked_what_was_given(
    parse: Parse, terminal: Terminal, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    terminal.type("wrong@example.jp\n")
    assert parse(*ASKING, *words).email == "ca@example.jp"
    assert "Contact" not in capsys.readouterr().out


def test_what_is_no_terminal_can_be_forced_to_answer(
    parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("ca@example.jp\n"))
    assert parse(*ASKING, "--force-interactive").email == "ca@example.jp"
    with pytest.raises(PolicyError, match="-m ADDRESS"):
        parse(*ASKING)


def test_a_rehearsal_asks_nothing(
    parse: Parse, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.type("ca@example.jp\n")
    parsed = parse(*ASKING, "--jprs-check")
    assert parsed.email is None
    assert parsed.decision.broken_rule == ""
    assert "Contact" not in capsys.readouterr().out


def test_nobody_is_asked_for_a_contact_where_the_credentials_are_missing(
    parse: Parse, terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.type("ca@example.jp\n")
    with pytest.raises(PolicyError, match="--eab-kid"):
        parse("run", *FLAG, "-d", SITE)
    assert "Contact" not in capsys.readouterr().out


def test_credentials_in_a_file(parse: Parse, tmp_path: Path) -> None:
    file = tmp_path / "eab"
    file.touch(0o600)
    file.write_text("kid-1\nc2VjcmV0\n")
    words = ("register", "-n", *FLAG, "-m", "ca@example.jp", "--agree-tos")
    parsed = parse(*words, "--jprs-eab-file", str(file))
    assert (parsed.eab_kid, parsed.eab_hmac_key) == ("kid-1", "c2VjcmV0")
    assert getattr(parsed.config, options.EAB_FILE) is None  # nothing of it is stored
    assert "c2VjcmV0" not in str(parsed.decision)
    for also in (("--eab-kid", "kid-1"), ("--eab-hmac-key", "c2VjcmV0"), EAB):
        with pytest.raises(OptionError, match="give the file, or those two"):
            parse(*words, "--jprs-eab-file", str(file), *also)


# Names


def test_a_wildcard_needs_dns(parse: Parse) -> None:
    with pytest.raises(PolicyError, match=r"\*\.example\.jp can only be validated by dns-01"):
        parse(*RUN, "-d", "*.example.jp")
    parsed = parse("run", "-n", "-a", "manual", "-i", NAME, *CONTACT, "-d", "*.example.jp")
    assert parsed.server == policy.SERVER
    assert parsed.authenticator == "manual"


# Lineages


@pytest.mark.parametrize("key", [pki.ec_key("leaf"), pki.rsa_key("leaf")], ids=["ECDSA", "RSA"])
@pytest.mark.parametrize("words", [("-d", SITE), ("--cert-name", SITE), ("-d", SITE.upper())])
@pytest.mark.parametrize("shared_key", [False, True])
def test_a_lineage_of_another_ca_moves(
    parse: Parse, config_dir: ConfigDir, key: Any, words: tuple[str, ...], shared_key: bool
) -> None:
    config_dir.add(SITE, key=key, server=LETS_ENCRYPT, shared_key=shared_key, renew_hook="echo a")
    parsed = parse("run", "-n", *FLAG, *CONTACT, *words)
    assert parsed.server == policy.SERVER
    assert parsed.key_type == "rsa"
    assert parsed.certname == SITE
    assert parsed.renew_by_default
    assert parsed.counts_as_given("certname")
    assert f"The certificate {SITE} moves from {LETS_ENCRYPT}" in parsed.decision.notices[0]
    assert parsed.deploy_hook == "echo a"
    if not shared_key:
        assert not parsed.reuse_key
    elif policy.is_acceptable_key(key.public_key()):
        assert parsed.reuse_key
        assert not getattr(parsed.config, "new_key", False)
    else:
        kept_later = parsed.decision.reuse_new_key
        assert kept_later or (parsed.reuse_key and parsed.config.new_key)


def test_a_move_keeps_the_size_of_a_reused_key(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT, shared_key=True)
    parsed = parse(*RUN, "--rsa-key-size", "4096")
    assert parsed.rsa_key_size == 4096


def test_a_typed_hook_wins_and_a_sleep_goes(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT, renew_hook="sleep 10m; echo a")
    assert parse(*RUN).deploy_hook == "echo a"
    assert parse(*RUN, "--deploy-hook", "echo b").deploy_hook == "echo b"


@pytest.fixture
def older(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the options that Certbot 1.21 has: no ``--new-key``, and ``renew_hook`` is stored."""
    parsed = door.Door.parsed

    def as_there(self: door.Door, command: ParsedCommand) -> None:
        vars(command.namespace).pop("new_key", None)
        vars(command.namespace).setdefault("renew_hook", None)
        parsed(self, command)

    monkeypatch.setattr(door.Door, "parsed", as_there)


@pytest.mark.usefixtures("older")
@pytest.mark.parametrize("key", [pki.ec_key("leaf"), pki.rsa_key("leaf")], ids=["ECDSA", "RSA"])
def test_a_move_with_an_older_certbot(parse: Parse, config_dir: ConfigDir, key: Any) -> None:
    config_dir.add(SITE, key=key, server=LETS_ENCRYPT, shared_key=True, renew_hook="echo a")
    parsed = parse(*RUN)
    assert parsed.deploy_hook == parsed.renew_hook == "echo a"
    fit = policy.is_acceptable_key(key.public_key())
    # A new key now; that one is reused from then on.
    assert (parsed.reuse_key, parsed.decision.reuse_new_key) == (fit, not fit)


@pytest.mark.usefixtures("no_locale")
@pytest.mark.parametrize(
    ("stored", "words", "chosen"),
    [("ja", (), "ja"), ("ja", ("--jprs-language", "en"), "en"), (None, (), None)],
)
def test_what_is_said_of_a_lineage_is_in_its_language(
    parse: Parse,
    config_dir: ConfigDir,
    stored: str | None,
    words: tuple[str, ...],
    chosen: str | None,
) -> None:
    remembered: Any = {options.LANGUAGE: stored}
    config_dir.add(SITE, server=LETS_ENCRYPT, **remembered)
    parse(*RUN, *words)
    assert language.chosen() == chosen


@pytest.mark.parametrize("names", [(SITE, "b.example.jp"), ()])
def test_other_names_are_no_move(
    parse: Parse, config_dir: ConfigDir, names: tuple[str, ...]
) -> None:
    config_dir.add("both", [SITE, "b.example.jp", "c.example.jp"], server=LETS_ENCRYPT)
    words = [word for name in names for word in ("-d", name)]
    parsed = parse(*RUN, *words)
    assert parsed.decision.notices == []
    assert not parsed.renew_by_default
    assert not parse(*RUN, "--cert-name", "both").renew_by_default
    assert not parse(*RUN, "--cert-name", "nobody").renew_by_default


def test_a_duplicate_is_no_move(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT)
    parsed = parse(*RUN, "--duplicate")
    assert not parsed.renew_by_default
    assert parsed.certname is None
    assert parse(*RUN).renew_by_default


@pytest.mark.parametrize("option", ["--keep-until-expiring", "--reinstall"])
def test_a_move_is_refused_by_keeping(parse: Parse, config_dir: ConfigDir, option: str) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT, key=pki.ec_key("leaf"))
    parsed = parse(*RUN, option)
    assert parsed.server == LETS_ENCRYPT
    assert not parsed.decision.governed
    assert not parsed.renew_by_default
    assert "stays there" in parsed.decision.notices[0]
    assert not parsed.counts_as_given("key_type")


def test_a_broken_lineage_of_that_name_is_certbots_to_tell(
    parse: Parse, config_dir: ConfigDir
) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT)
    config_dir.archive(SITE, "cert", 1).unlink()
    assert not parse(*RUN).renew_by_default
    assert not parse(*RUN, "--cert-name", SITE).renew_by_default
    by_name = ("run", "-n", *FLAG, *CONTACT, "--cert-name", SITE)
    assert not parse(*by_name).renew_by_default


def test_of_several_the_one_at_this_ca_is_taken(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add("a", [SITE], authenticator=NAME, installer=NAME)
    config_dir.add("b", [SITE], server=LETS_ENCRYPT)
    assert parse(*RUN).decision.lineage == "a"
    config_dir.write_conf("a", server=LETS_ENCRYPT)
    assert parse(*RUN).decision.lineage == "b"


def test_the_manuals_lineage_is_taken_over(parse: Parse, config_dir: ConfigDir) -> None:
    lineage = config_dir.add(SITE)
    parsed = parse(*RUN)
    assert parsed.decision.taken_over == lineage
    assert parsed.certname == SITE
    assert parsed.reinstall
    assert not parsed.renew_by_default
    assert parsed.decision.notices == []
    forced = parse(*RUN, "--force-renewal")
    assert forced.decision.taken_over == lineage
    assert not forced.reinstall


def test_the_plugins_own_lineage_is_certbots_business(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, authenticator=NAME, installer=NAME)
    parsed = parse(*RUN)
    assert parsed.decision.taken_over is None
    assert not parsed.reinstall
    assert not parsed.renew_by_default


def test_installing_only_takes_over_too(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, authenticator="manual", installer=None)
    words = ("run", "-n", "-a", "manual", "-i", NAME, *CONTACT, "-d", SITE)
    assert parse(*words).decision.taken_over is not None
    config_dir.write_conf(SITE, authenticator="manual", installer=NAME)
    assert parse(*words).decision.taken_over is None


def test_an_ecdsa_lineage_of_jprs_is_issued_anew(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, key=pki.ec_key("leaf"))
    parsed = parse(*RUN)
    assert parsed.renew_by_default
    assert parsed.decision.taken_over is None
    assert "has a key that JPRS does not accept" in parsed.decision.notices[0]


def test_a_wildcard_of_a_lineage_needs_dns(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add("wild", ["*.example.jp"], server=LETS_ENCRYPT)
    with pytest.raises(PolicyError, match="dns-01"):
        parse("run", "-n", *FLAG, *CONTACT, "--cert-name", "wild")


# What Certbot is told


def test_a_decision_belongs_to_the_last_command_line(parse: Parse) -> None:
    assert parse(*RUN).decision.governed
    decision = parse("certificates").decision
    assert decision.parsed
    assert not decision.governed
    assert decision.implied == {}


def test_cli_ini_alone_selects_it(parse: Parse) -> None:
    parsed = parse("run", "-n", *CONTACT, "-d", SITE, ini=f"authenticator = {NAME}\n")
    assert parsed.server == policy.SERVER
    assert parsed.installer == NAME
    assert not parsed.decision.on_command_line
