"""What ``revoke`` keeps and says, and what ``unregister`` says before it happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from certbot_jprs.ground import language, options
from certbot_jprs.ground.names import NAME
from certbot_jprs.machine import webservers
from tests.unit.command_line import FLAG, Parse
from tests.unit.config_dir import MANUAL, OTHER_CA, ConfigDir

SITE = "www.example.jp"


@pytest.fixture
def apache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Apache's configuration, empty as yet; nothing of this machine's own is read."""
    monkeypatch.setattr(webservers, "ROOTS", (str(tmp_path),))
    return tmp_path / "httpd.conf"


def use(apache: Path, config_dir: ConfigDir, name: str = SITE) -> None:
    """Has a virtual host use a lineage."""
    path = config_dir.live(name, "fullchain")
    apache.write_text(f"<VirtualHost *:443>\nServerName {name}\nSSLCertificateFile {path}\n")


def by_path(config_dir: ConfigDir, version: int = 1) -> tuple[str, ...]:
    return ("--cert-path", str(config_dir.archive(SITE, "cert", version)))


def test_a_lineage_of_ours_that_is_used(
    parse: Parse, config_dir: ConfigDir, apache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_dir.add(SITE, installer=NAME)
    named = ("revoke", "--cert-name", SITE)
    assert parse(*named).delete_after_revoke is None  # nothing uses it
    assert capsys.readouterr().err == ""
    use(apache, config_dir)
    for command in (named, ("revoke", *by_path(config_dir))):
        for option, yields in ((), False), (("--delete-after-revoke",), True):
            assert parse(*command, *option).delete_after_revoke is False
            said = capsys.readouterr().err
            assert f"{SITE} ({apache}:3)" in said
            assert "--force-renewal" in said
            assert ("not followed" in said) is yields
    assert parse(*named, "-q").delete_after_revoke is False
    assert capsys.readouterr().err == ""


def test_one_of_the_manual_s_only_with_the_flag(
    parse: Parse, config_dir: ConfigDir, apache: Path
) -> None:
    config_dir.add(SITE)
    use(apache, config_dir)
    command = ("revoke", "--cert-name", SITE)
    assert parse(*command, *FLAG).delete_after_revoke is False
    assert parse(*command).delete_after_revoke is None
    assert parse(*command, ini=f"authenticator = {NAME}\n").delete_after_revoke is None


def test_a_version_that_is_not_in_service(
    parse: Parse, config_dir: ConfigDir, apache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_dir.add(SITE, authenticator=NAME, versions=(1, 2))
    use(apache, config_dir)
    for version, in_service in ((1, False), (2, True)):
        assert parse("revoke", *by_path(config_dir, version)).delete_after_revoke is False
        assert ("--force-renewal" in capsys.readouterr().err) is in_service


def test_a_version_that_cannot_be_read_counts_as_in_service(
    parse: Parse, config_dir: ConfigDir, apache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config_dir.add(SITE, authenticator=NAME, versions=(1, 2))
    use(apache, config_dir)
    config_dir.archive(SITE, "cert", 1).write_text("nothing")
    assert parse("revoke", *by_path(config_dir, 1)).delete_after_revoke is False
    assert "--force-renewal" in capsys.readouterr().err


@pytest.mark.usefixtures("no_locale")
@pytest.mark.parametrize(("words", "chosen"), [((), "ja"), (("--jprs-language", "en"), "en")])
def test_it_is_said_in_the_lineages_language(
    parse: Parse,
    config_dir: ConfigDir,
    apache: Path,
    words: tuple[str, ...],
    chosen: str,
) -> None:
    remembered: Any = {options.LANGUAGE: "ja"}
    config_dir.add(SITE, authenticator=NAME, **remembered)
    use(apache, config_dir)
    parse("revoke", "--cert-name", SITE, *words)
    assert language.chosen() == chosen


@pytest.mark.parametrize("option", ["given", "stored"])
def test_apache_in_another_place(
    parse: Parse, config_dir: ConfigDir, apache: Path, tmp_path: Path, option: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config_dir.add(SITE, authenticator=NAME)
    if option == "stored":
        key = "certbot_jprs:http_apache_server_root"
        config_dir.write_conf(SITE, **{"authenticator": NAME, key: str(elsewhere)})
    use(elsewhere / "apache2.conf", config_dir)
    words = ("--apache-server-root", str(elsewhere)) if option == "given" else ()
    assert parse("revoke", "--cert-name", SITE, *words).delete_after_revoke is False


def test_what_is_of_no_lineage(parse: Parse, apache: Path, tmp_path: Path) -> None:
    file = tmp_path / "cert.pem"
    file.write_text("")
    assert parse("revoke", *FLAG, "--cert-path", str(file)).delete_after_revoke is None
    assert parse("revoke", *FLAG, "--cert-name", "none").delete_after_revoke is None


def test_unregister(
    parse: Parse, config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    config_dir.add(SITE)
    config_dir.add("other.example.jp", server=OTHER_CA)
    config_dir.add("second.example.jp", account="another")
    command = ("unregister", *FLAG)
    parse(*command)
    assert capsys.readouterr().err == ""  # there is no account
    account = config_dir.account()
    for words in (), ("--account", MANUAL["account"]):
        parse(*command, *words)
        said = capsys.readouterr().err
        assert f": {SITE}. " in said
        assert "EAB" in said
    account.rename(account.with_name("another"))
    parse(*command)
    assert ": second.example.jp. " in capsys.readouterr().err
    config_dir.conf("second.example.jp").unlink()
    parse(*command)
    said = capsys.readouterr().err
    assert "renewed" not in said
    assert "EAB" in said
    parse("unregister", "--server", OTHER_CA)
    assert capsys.readouterr().err == ""
