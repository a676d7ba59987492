"""The rehearsal's look at the ACME account, and at what is needed where there is none."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from certbot_jprs.check import account
from certbot_jprs.check.case import Case, make
from certbot_jprs.check.report import Report
from certbot_jprs.ground import language
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegates import APACHE
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.rules.decision import Decision
from certbot_jprs.rules.policy import SERVER
from tests.unit.config_dir import MANUAL, ConfigDir

SITE = "www.example.jp"
OURS = MANUAL["account"]
OTHER = "fedcba9876543210fedcba9876543210"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    language.start("en")
    yield
    language.start(None)


def config_of(directory: ConfigDir, **more: object) -> argparse.Namespace:
    values: dict[str, object] = {
        "server": SERVER,
        "config_dir": str(directory),
        "accounts_dir": str(directory.path / "accounts"),
        "account": None,
        "eab_kid": None,
        "eab_hmac_key": None,
        "tos": True,
        "noninteractive_mode": True,
        "force_interactive": False,
        "authenticator": NAME,
        "installer": NAME,
        "configurator": None,
        "certname": None,
        "domains": [],
    }
    return argparse.Namespace(**{**values, **more})


def keep(directory: ConfigDir, *names: str) -> None:
    for name in names:
        path = directory.path / "accounts" / name
        path.mkdir(parents=True)
        for file in ("regr.json", "private_key.json"):
            (path / file).write_text("{}", encoding="utf-8")


def checked(
    capsys: pytest.CaptureFixture[str],
    directory: ConfigDir,
    lineage: Lineage | None = None,
    broken_rule: str = "",
    **more: object,
) -> tuple[bool, str]:
    """Returns whether an account will be registered, and what the report says."""
    case = Case(config_of(directory, **more), (SITE,), lineage, broken_rule)
    registers = account.check(Report(print), case)
    captured = capsys.readouterr()
    return registers, captured.out + captured.err


def test_an_account_is_here(config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]) -> None:
    keep(config_dir, OURS)
    registers, text = checked(capsys, config_dir)
    assert not registers
    assert OURS in text
    assert "FAIL" not in text


def test_a_damaged_account_is_none(
    config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(config_dir, OURS)
    (config_dir.path / "accounts" / OURS / "regr.json").write_text("{", encoding="utf-8")
    registers, text = checked(capsys, config_dir)
    assert registers
    assert "FAIL" in text
    assert "14 days" in text


@pytest.mark.parametrize(
    ("chosen", "fails"), [(None, "--account"), ("unknown", "Leave --account out"), (OTHER, "")]
)
def test_two_accounts(
    config_dir: ConfigDir, capsys: pytest.CaptureFixture[str], chosen: str | None, fails: str
) -> None:
    keep(config_dir, OURS, OTHER)
    _registers, text = checked(capsys, config_dir, account=chosen)
    assert ("FAIL" in text) is bool(fails)
    assert fails in text


def test_the_account_of_the_renewal_file(
    config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    lineage = config_dir.add(SITE)
    keep(config_dir, OTHER)
    _registers, text = checked(capsys, config_dir, lineage)
    assert OURS in text
    assert lineage.renewal_file in text
    keep(config_dir, OURS)
    _registers, text = checked(capsys, config_dir, lineage, account=OURS)
    assert lineage.renewal_file not in text


@pytest.mark.parametrize(("tos", "fails"), [(True, ""), (False, "--agree-tos")])
def test_a_new_account(
    config_dir: ConfigDir, capsys: pytest.CaptureFixture[str], tos: bool, fails: str
) -> None:
    registers, text = checked(capsys, config_dir, eab_kid="kid", eab_hmac_key="c2VjcmV0", tos=tos)
    assert registers
    assert "c2VjcmV0" not in text
    assert ("FAIL" in text) is bool(fails)
    assert fails in text


def test_a_broken_rule_is_said_once(
    config_dir: ConfigDir, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checked(capsys, config_dir, broken_rule="no EAB") == (True, "")


# The case


def test_the_case_of_a_lineage(config_dir: ConfigDir) -> None:
    config_dir.add(SITE, [SITE, "example.jp"])
    case = make(config_of(config_dir, certname=SITE), Decision())
    assert case.names == ("example.jp", SITE)
    assert case.certificate() is not None
    assert case.server == SERVER
    assert case.config_dir == str(config_dir)
    assert not case.interactive
    config_dir.archive(SITE, "cert", 1).write_bytes(b"")
    broken = make(config_of(config_dir, certname=SITE), Decision())
    assert broken.names == ()
    assert broken.certificate() is None


def test_the_case_of_names(config_dir: ConfigDir) -> None:
    case = make(config_of(config_dir, domains=["WWW.example.jp"]), Decision())
    assert case.names == (SITE,)
    assert case.lineage is None
    assert case.certificate() is None


@pytest.mark.parametrize("plugin", [NAME, "other"])
def test_who_validates_and_installs(config_dir: ConfigDir, plugin: str) -> None:
    case = make(config_of(config_dir, authenticator=plugin, installer=plugin), Decision())
    ours = plugin == NAME
    assert (case.validates is APACHE, case.installs is APACHE) == (ours, ours)
    forced = make(
        config_of(config_dir, noninteractive_mode=False, force_interactive=True), Decision()
    )
    assert forced.interactive
