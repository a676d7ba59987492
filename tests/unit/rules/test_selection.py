"""Which lineages and commands JPRS's rules apply to, with configurations restored by Certbot."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from certbot import configuration
from certbot._internal import renewal

from certbot_jprs import door
from certbot_jprs.ground.exceptions import PolicyError
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import AUTHENTICATOR, INSTALLER
from certbot_jprs.ground.roles import Role
from certbot_jprs.internals.delegates import NGINX, WEBROOT
from certbot_jprs.internals.delegation import Roles, Workers
from certbot_jprs.lineage import files
from certbot_jprs.rules import policy, selection
from certbot_jprs.rules.decision import Decision
from certbot_jprs.rules.selection import Selection
from tests.unit import pki
from tests.unit.command_line import CONTACT, FLAG, Parse, Parsed, forget
from tests.unit.config_dir import LETS_ENCRYPT, OTHER_CA, ConfigDir

SITE = "www.example.jp"
OURS: Any = {"authenticator": NAME, "installer": NAME, "renew_hook": None}
reconstitute = vars(renewal).get("reconstitute") or vars(renewal)["_reconstitute"]


@pytest.fixture(autouse=True)
def notices(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the user is told; Certbot's display exists only in its main function."""
    told: list[str] = []
    monkeypatch.setattr(selection, "display_util", SimpleNamespace(notify=told.append))
    return told


class Renewing:
    """Restores lineages as ``certbot renew`` does."""

    def __init__(self, parse: Parse) -> None:
        self._parse = parse
        self.parsed: Parsed | None = None

    def __call__(self, name: str = SITE, *words: str, ini: str = "") -> Any:
        self.parsed = self._parse("renew", *words, ini=ini)
        config = copy.deepcopy(self.parsed.config)
        assert reconstitute(config, str(self._parse.config_dir.conf(name))) is not None
        return config

    def enforce(self, config: Any) -> Role:
        return self.selection.enforce(config)

    @property
    def selection(self) -> Selection:
        assert self.parsed is not None
        return self.parsed.selection

    @property
    def decision(self) -> Decision:
        assert self.parsed is not None
        return self.parsed.decision


def enforced(parsed: Parsed) -> Role:
    return parsed.selection.enforce(parsed.config)


@pytest.fixture
def renewing(parse: Parse) -> Renewing:
    return Renewing(parse)


# renew


def test_a_lineage_of_jprs(config_dir: ConfigDir, renewing: Renewing, notices: list[str]) -> None:
    config_dir.add(SITE, **OURS)
    config = renewing()
    assert renewing.enforce(config) is Role.JPRS
    assert config.server == policy.SERVER
    assert config.key_type == "rsa"
    assert notices == []


def test_a_lineage_of_lets_encrypt(
    config_dir: ConfigDir, renewing: Renewing, notices: list[str]
) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT, key_type="ecdsa", **OURS)
    config = renewing()
    assert renewing.enforce(config) is Role.OTHER
    assert config.server == LETS_ENCRYPT
    assert config.key_type == "ecdsa"
    assert notices == []


def test_a_lineage_of_another_ca(config_dir: ConfigDir, renewing: Renewing) -> None:
    """The plugin's own, where the user chose that server; not one that is reached by cli.ini."""
    config_dir.add("ours.example.jp", server=OTHER_CA, **OURS)
    config_dir.add("theirs.example.jp", server=OTHER_CA, key_type="ecdsa", renew_hook=None)
    assert renewing.enforce(renewing("ours.example.jp")) is Role.JPRS
    ini = f"authenticator = {NAME}\n"
    theirs = renewing("theirs.example.jp", ini=ini)
    assert theirs.authenticator == NAME
    assert renewing.enforce(theirs) is Role.OTHER
    assert theirs.server == OTHER_CA
    assert theirs.key_type == "ecdsa"


def test_a_stored_ecdsa_is_overridden_with_a_notice(
    config_dir: ConfigDir, renewing: Renewing, notices: list[str]
) -> None:
    config_dir.add(SITE, key_type="ecdsa", **OURS)
    config = renewing()
    assert renewing.enforce(config) is Role.JPRS
    assert config.key_type == "rsa"
    assert notices == [
        f"JPRS issues certificates for RSA keys only: {SITE} is renewed with an RSA key, not ecdsa."
    ]


def test_a_stored_size_that_is_too_small(config_dir: ConfigDir, renewing: Renewing) -> None:
    config_dir.add(SITE, rsa_key_size="1024", **OURS)
    config_dir.add("long.example.jp", rsa_key_size="4096", **OURS)
    config = renewing()
    renewing.enforce(config)
    assert config.rsa_key_size == 2048
    twin = renewing("long.example.jp")
    renewing.enforce(twin)
    assert twin.rsa_key_size == 4096


@pytest.mark.parametrize("key", [pki.ec_key("leaf"), pki.rsa_key("leaf")], ids=["ECDSA", "RSA"])
def test_a_reused_key(config_dir: ConfigDir, renewing: Renewing, key: Any) -> None:
    config_dir.add(SITE, key=key, shared_key=True, **OURS)
    config = renewing()
    assert config.reuse_key
    assert renewing.enforce(config) is Role.JPRS
    fit = policy.is_acceptable_key(key.public_key())
    if hasattr(config, "new_key"):
        assert config.reuse_key
        assert bool(config.new_key) is not fit
    else:
        assert bool(config.reuse_key) is fit
        assert renewing.decision.reuse_new_key is not fit


@pytest.mark.parametrize("key", [pki.ec_key("leaf"), pki.rsa_key("leaf")], ids=["ECDSA", "RSA"])
def test_a_reused_key_with_a_certbot_that_has_no_new_key(
    config_dir: ConfigDir, renewing: Renewing, key: Any
) -> None:
    """Before 1.25 there is no ``--new-key``: reused is the one that is made now."""
    config_dir.add(SITE, key=key, shared_key=True, **OURS)
    config = renewing()
    vars(config.namespace).pop("new_key", None)
    assert renewing.enforce(config) is Role.JPRS
    fit = policy.is_acceptable_key(key.public_key())
    assert (config.reuse_key, renewing.decision.reuse_new_key) == (fit, not fit)


def test_the_lineages_are_read_once_however_many_are_renewed(
    config_dir: ConfigDir, renewing: Renewing, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("a.example.jp", "b.example.jp")
    for name in names:
        config_dir.add(name, server=OTHER_CA, **OURS)
    made, all_in, read = Selection(Decision()), files.all_in, []

    def counted(directory: str) -> Any:
        read.append(directory)
        return all_in(directory)

    monkeypatch.setattr(files, "all_in", counted)
    assert [made.enforce(renewing(name)) for name in names] == [Role.JPRS] * 2
    assert read == [str(config_dir)]


@pytest.mark.parametrize("option", ["--dry-run", "--staging"])
def test_a_dry_run_fails_for_jprs_only(
    config_dir: ConfigDir, renewing: Renewing, option: str
) -> None:
    config_dir.add(SITE, **OURS)
    config_dir.add("other.example.com", server=LETS_ENCRYPT, **OURS)
    with pytest.raises(PolicyError) as caught:
        renewing.enforce(renewing(SITE, option))
    assert str(caught.value).startswith(f"{option} does not work properly with JPRS")
    assert f"--cert-name {SITE} --jprs-check" in str(caught.value)
    assert renewing.enforce(renewing("other.example.com", option)) is Role.OTHER


def test_a_dry_run_of_a_named_lineage(config_dir: ConfigDir, renewing: Renewing) -> None:
    config_dir.add("a", [SITE], **OURS)
    config_dir.add("b", [SITE], server=LETS_ENCRYPT, **OURS)
    with pytest.raises(PolicyError, match="nothing was sent for a"):
        renewing.enforce(renewing("a", "--dry-run", "--cert-name", "a"))
    assert renewing.enforce(renewing("b", "--dry-run", "--cert-name", "b")) is Role.OTHER


def test_a_dry_run_of_what_cannot_be_told_apart_is_refused(
    config_dir: ConfigDir, renewing: Renewing
) -> None:
    """Certbot does not say which lineage it restored: better none than one of JPRS's."""
    config_dir.add("a", [SITE], **OURS)
    config_dir.add("b", [SITE], server=LETS_ENCRYPT, **OURS)
    with pytest.raises(PolicyError, match="nothing was sent for a"):
        renewing.enforce(renewing("b", "--dry-run"))


def test_a_wildcard_by_http(config_dir: ConfigDir, renewing: Renewing) -> None:
    config_dir.add("wild", ["*.example.jp"], **OURS)
    with pytest.raises(PolicyError, match="dns-01"):
        renewing.enforce(renewing("wild"))
    config_dir.write_conf("wild", **{**OURS, "authenticator": "manual"})
    assert renewing.enforce(renewing("wild")) is Role.JPRS


def test_somebodys_broken_lineage_is_in_nobodys_way(
    config_dir: ConfigDir, renewing: Renewing
) -> None:
    config_dir.add(SITE, key_type="ecdsa", **OURS)
    config_dir.conf("broken").write_bytes(b"\xff[[[")
    config_dir.add("dangling", **OURS)
    config_dir.archive("dangling", "cert", 1).unlink()
    assert renewing.enforce(renewing()) is Role.JPRS


def test_reconfigure(config_dir: ConfigDir, parse: Parse) -> None:
    config_dir.add(SITE, **OURS)
    config_dir.add("other.example.com", server=LETS_ENCRYPT, **OURS)
    try:
        ours = parse("reconfigure", "--cert-name", SITE).config
    except SystemExit:  # not in Certbot before 2.3
        return
    ours.server = policy.SERVER
    with pytest.raises(PolicyError, match="certbot reconfigure does not work properly with JPRS"):
        Selection(Decision()).enforce(ours)
    other = parse("reconfigure", "--cert-name", "other.example.com").config
    assert Selection(Decision()).enforce(other) is Role.OTHER


# The delegates of a renewal


def delegated(renewing: Renewing, *words: str, ini: str = "") -> tuple[Any, Roles]:
    """Returns the configuration of a renewal and who does its work."""
    config = renewing(SITE, *words, ini=ini)
    workers = Workers(config)
    renewing.selection.delegate(config, renewing.enforce(config), workers)
    return config, workers.roles


@pytest.mark.parametrize("server", [policy.SERVER, LETS_ENCRYPT])
@pytest.mark.parametrize(
    ("words", "ini"), [(FLAG, ""), ((), f"authenticator = {NAME}\ninstaller = {NAME}\n")]
)
def test_named_for_all_lineages_each_keeps_its_own(
    config_dir: ConfigDir, renewing: Renewing, words: tuple[str, ...], ini: str, server: str
) -> None:
    config_dir.add(SITE, server=server, authenticator="nginx", installer="nginx")
    config, roles = delegated(renewing, *words, ini=ini)
    assert roles == Roles(NGINX, NGINX)
    # Another CA's renewal file shall not name us.
    stored = "nginx" if server == policy.SERVER else None
    assert getattr(config, AUTHENTICATOR) == getattr(config, INSTALLER) == stored


def test_who_validates_by_another_plugin_keeps_who_installs(
    config_dir: ConfigDir, renewing: Renewing
) -> None:
    params: dict[str, Any] = {**OURS, "authenticator": "manual", INSTALLER: "nginx"}
    config_dir.add(SITE, **params)
    config, roles = delegated(renewing, ini=f"installer = {NAME}\n")
    assert roles == Roles(None, NGINX)
    assert getattr(config, INSTALLER) == "nginx"


def test_a_renewal_of_what_cannot_be_found_goes_by_its_configuration(
    config_dir: ConfigDir, renewing: Renewing
) -> None:
    config_dir.add(SITE, authenticator="webroot", installer="nginx")
    assert delegated(renewing, *FLAG)[1] == Roles(WEBROOT, NGINX)  # the twin
    config = renewing(SITE, *FLAG)
    config_dir.conf(SITE).unlink()
    workers = Workers(config)
    renewing.selection.delegate(config, Role.JPRS, workers)
    assert workers.roles == Roles(NGINX, NGINX)


def test_the_directories_of_webroot_are_restored(config_dir: ConfigDir, renewing: Renewing) -> None:
    params: dict[str, Any] = {AUTHENTICATOR: "webroot", "webroot_path": "/srv,"}
    config_dir.add(SITE, **{**OURS, **params, "installer": None})
    config, roles = delegated(renewing)
    assert roles == Roles(WEBROOT, None)
    assert config.webroot_path == ["/srv"]
    config, _roles = delegated(renewing, "-w", "/")
    assert config.webroot_path == ["/"]


# Commands


@pytest.mark.parametrize("verb", ["run", "certonly"])
def test_a_command(parse: Parse, notices: list[str], verb: str) -> None:
    parsed = parse(verb, "-n", *FLAG, *CONTACT, "-d", SITE, "--key-type", "ecdsa")
    assert parsed.selection.enforce(parsed.config) is Role.JPRS
    assert len(notices) == 1
    theirs = parse(verb, "-n", *FLAG, "-d", SITE, "--server", LETS_ENCRYPT)
    assert theirs.selection.enforce(theirs.config) is Role.OTHER


def test_a_command_whose_parser_could_not_be_reached(parse: Parse, notices: list[str]) -> None:
    """The same rules, when the plugin is constructed."""
    config = parse("run", "-n", "--apache", *CONTACT, "-d", SITE).config
    forget()
    config.authenticator = config.installer = NAME
    config.apache = False
    made = Selection(Decision())
    assert made.enforce(config) is Role.JPRS
    assert config.server == policy.SERVER
    assert config.key_type == "rsa"
    assert notices == []


def test_a_command_whose_parser_could_not_be_reached_respects_the_server(parse: Parse) -> None:
    parsed = parse("run", "-n", "--apache", *CONTACT, "-d", SITE, "--server", OTHER_CA)
    if not hasattr(parsed.config, "set_by_user"):
        return  # Certbot before 2.7 cannot tell
    forget()
    parsed.config.authenticator = NAME
    Selection(Decision()).enforce(parsed.config)
    assert parsed.config.server == OTHER_CA


def test_a_certbot_that_does_not_tell_who_set_what(
    parse: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before 2.7: the rules, without respect for a server that may have been typed."""
    config = parse("run", "-n", "--apache", *CONTACT, "-d", SITE, "--server", OTHER_CA).config
    forget()
    monkeypatch.delattr(configuration.NamespaceConfig, "set_by_user", raising=False)
    config.authenticator = NAME
    assert Selection(Decision()).enforce(config) is Role.JPRS
    assert config.server == policy.SERVER


@pytest.mark.parametrize("verb", ["plugins", "rollback", "enhance", "certificates"])
def test_other_verbs(parse: Parse, verb: str) -> None:
    assert enforced(parse(verb, *FLAG)) is Role.OTHER


def test_install(parse: Parse, config_dir: ConfigDir) -> None:
    config_dir.add(SITE, **OURS)
    config_dir.add("le.example.com", server=LETS_ENCRYPT, **OURS)
    config_dir.add("ours.example.com", server=OTHER_CA, **OURS)
    config_dir.add("theirs.example.com", server=OTHER_CA)
    expected = {
        SITE: Role.JPRS,
        "le.example.com": Role.OTHER,
        "ours.example.com": Role.JPRS,
        "theirs.example.com": Role.OTHER,
        "nobody.example.com": Role.JPRS,
    }
    for name, role in expected.items():
        assert enforced(parse("install", *FLAG, "--cert-name", name)) is role
        path = str(config_dir.live(name, "cert"))
        files = ("--cert-path", path, "--key-path", path)
        assert enforced(parse("install", *FLAG, *files)) is role
    assert enforced(parse("install", *FLAG)) is Role.JPRS


# Another CA's renewal files


def test_plugins_of_another_lineage_stay_in_its_file(
    config_dir: ConfigDir, renewing: Renewing
) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT, authenticator="webroot", installer=None)
    config = renewing(ini=f"authenticator = {NAME}\ninstaller = {NAME}\n")
    assert config.authenticator == NAME
    renewing.selection.restore_plugins(config)
    assert config.authenticator == "webroot"
    assert config.installer is None


def test_plugins_of_our_own_lineage_stay(config_dir: ConfigDir, renewing: Renewing) -> None:
    config_dir.add(SITE, server=LETS_ENCRYPT, authenticator=NAME, installer=None)
    config = renewing()
    config.installer = "x"
    renewing.selection.restore_plugins(config)
    assert (config.authenticator, config.installer) == (NAME, "x")


def test_plugins_of_no_lineage_stay(parse: Parse) -> None:
    parsed = parse("renew", *FLAG)
    parsed.selection.restore_plugins(parsed.config)
    assert parsed.authenticator == NAME


def test_nothing_was_decided_at_first(parse: Parse) -> None:
    del parse
    assert door.current.enter().decision == Decision()
