"""The oldest Certbot: the plugin merely installed disturbs nothing, and the one flag works."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.e2e.command import adopted
from tests.e2e.helpers import (
    CONTACT,
    NAME,
    QUICK,
    RENEW,
    certbot,
    copy_package,
    costs_one_reload_for_each,
    lets_encrypt,
    served,
    waited,
)
from tests.e2e.refusals import JAPANESE, REGISTER, REVOKE, ROWS, UPDATE, Refusal, explained
from tests.lab import World

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv-certbot-1.21"
REQUIREMENTS = ROOT / "tests" / "certbot-1.21.txt"


@pytest.fixture(scope="session")
def old_certbot() -> Path:
    """A virtual environment with Certbot 1.21.0; made the first time, which takes a while."""
    ready = VENV / "requirements.txt"
    with open(ROOT / ".venv-certbot-1.21.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # pytest's workers come at the same time
        if not ready.exists() or ready.read_text() != REQUIREMENTS.read_text():
            subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
            pip = (VENV / "bin" / "python", "-m", "pip", "install", "--quiet")
            subprocess.run([*pip, "setuptools<66", "wheel"], check=True)
            subprocess.run([*pip, "--requirement", REQUIREMENTS], check=True)
            ready.write_text(REQUIREMENTS.read_text())
    return VENV


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment in which the plugin is installed for that Certbot."""
    copy_package(tmp_path)
    return {"PYTHONPATH": str(tmp_path)}


def test_merely_installed(world: World, old_certbot: Path, env: dict[str, str]) -> None:
    version = certbot(world, "--version", env=env, venv=old_certbot).check()
    assert "certbot 1.21.0" in version.output
    assert f"* {NAME}" in certbot(world, "plugins", env=env, venv=old_certbot).check().output
    twice = certbot(world, "plugins --init --prepare", env=env, venv=old_certbot).check().output
    assert "* apache" in twice
    shown = certbot(world, "--help all", env=env, venv=old_certbot).check().output
    assert shown.count("--jprs-ocsp-timeout") == 1
    assert (
        "No renewals were attempted"
        in certbot(world, RENEW, env=env, venv=old_certbot).check().output
    )

    world.vhost("www.example.jp")
    line = f"run -n --apache -d www.example.jp {CONTACT} --server {world.letsencrypt.url}"
    certbot(world, line, env=env, venv=old_certbot).check()
    certbot(world, f"{RENEW} --force-renewal", env=env, venv=old_certbot).check()
    lineage = world.lineage("www.example.jp")
    assert lineage.version() == 2
    assert lineage.params["authenticator"] == lineage.params["installer"] == "apache"
    assert not [key for key in lineage.params if "jprs" in key]
    assert served(world) == lineage.serial
    assert world.jprs.requests == []
    assert world.ocsp.queries == []


def test_one_flag(world: World, old_certbot: Path, env: dict[str, str]) -> None:
    world.vhost("www.example.jp")
    world.ocsp.lag = 1
    lineage = world.lineage("www.example.jp")
    with world.watch("www.example.jp") as watcher:
        line = f"run -n -a certbot-jprs:http -d www.example.jp {CONTACT} {QUICK}"
        certbot(world, line, *world.eab(), env=env, venv=old_certbot).check()
        first = lineage.serial
        certbot(world, f"{RENEW} --force-renewal", env=env, venv=old_certbot).check()
        time.sleep(0.2)
    assert watcher.serials() == [first, lineage.serial]
    for serial in (first, lineage.serial):
        waited(world, watcher, serial)
    params = lineage.params
    assert params["authenticator"] == params["installer"] == NAME
    assert params["server"] == world.jprs.url
    assert params["certbot_jprs:http_ocsp_interval"] == "1"
    assert lineage.key_type == "RSA 2048"


def test_http01_costs_one_reload_for_each_lineage(
    world: World, old_certbot: Path, env: dict[str, str]
) -> None:
    costs_one_reload_for_each(world, lambda line: certbot(world, line, env=env, venv=old_certbot))


@pytest.mark.parametrize("reuse_key", ["", "--reuse-key"])
def test_a_move(world: World, old_certbot: Path, env: dict[str, str], reuse_key: str) -> None:
    lets_encrypt(world, more=f"--key-type ecdsa {reuse_key}")
    line = f"run -n -a certbot-jprs:http -d www.example.jp {CONTACT} {QUICK}"
    certbot(world, line, *world.eab(), env=env, venv=old_certbot).check()
    lineage = world.lineage("www.example.jp")
    assert lineage.version() == 2
    assert lineage.key_type == "RSA 2048"
    key = lineage.certificate().public_key()
    certbot(world, f"{RENEW} --force-renewal", env=env, venv=old_certbot).check()
    assert lineage.version() == 3
    assert (lineage.certificate().public_key() == key) is bool(reuse_key)
    assert lineage.params["server"] == world.jprs.url
    assert served(world) == lineage.serial == world.jprs.issued[-1].serial


def test_accounts_and_revocation(world: World, old_certbot: Path, env: dict[str, str]) -> None:
    world.vhost("www.example.jp")
    flag = "-n -a certbot-jprs:http"
    for line in (f"register {flag} {CONTACT}", f"certonly {flag} -d www.example.jp {QUICK}"):
        more = world.eab() if line.startswith("register") else ()
        certbot(world, line, *more, env=env, venv=old_certbot).check()
    path = "/etc/letsencrypt/live/www.example.jp/cert.pem"
    for line in (
        f"update_account {flag} -m two@example.jp",
        f"revoke {flag} --cert-path {path} --no-delete-after-revoke",
        f"unregister {flag}",
    ):
        certbot(world, line, env=env, venv=old_certbot).check()
    assert world.jprs.issued[-1].revoked_at is not None
    assert world.letsencrypt.requests == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_what_jprs_refuses_is_explained(
    world: World,
    old_certbot: Path,
    env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    row: Refusal,
) -> None:
    env = {**env, **JAPANESE}
    more: tuple[str, ...] = world.eab()
    if row.command in (UPDATE, REVOKE):
        certbot(world, REGISTER, *more, env=env, venv=old_certbot).check()
    row.arrange(world, monkeypatch)
    # It waits for no order to become ready, and has no option for how long.
    line = row.command.partition(" --issuance-timeout")[0]
    if line.startswith("certonly"):
        line += f" {CONTACT}"
    elif row.command != REGISTER:
        more = ()
    explained(row, certbot(world, line, *more, env=env, venv=old_certbot), "ja")


@pytest.mark.parametrize("flag", ["--nginx", "--webroot -w /var/www/www.example.jp"])
def test_other_web_servers(world: World, old_certbot: Path, env: dict[str, str], flag: str) -> None:
    world.nginx.vhost("www.example.jp")
    world.ocsp.lag = 1
    lineage = world.lineage("www.example.jp")
    installer = "" if flag == "--nginx" else "-i nginx"
    with world.watch("www.example.jp") as watcher:
        line = f"run -n {flag} -a {NAME} {installer} -d www.example.jp {CONTACT} {QUICK}"
        certbot(world, line, *world.eab(), env=env, venv=old_certbot).check()
        first = lineage.serial
        certbot(world, f"{RENEW} --force-renewal", env=env, venv=old_certbot).check()
        time.sleep(0.2)
    assert watcher.serials() == [first, lineage.serial]
    for serial in (first, lineage.serial):
        waited(world, watcher, serial)
    params = lineage.params
    assert params["authenticator"] == params["installer"] == NAME
    assert params["certbot_jprs:http_installer"] == "nginx"
    assert params["certbot_jprs:http_authenticator"] == flag.split(maxsplit=1)[0].strip("-")


def test_what_it_wrote_by_the_manual_is_adopted(
    world: World, old_certbot: Path, env: dict[str, str]
) -> None:
    python = str(old_certbot / "bin" / "python")
    adopted(
        world,
        lambda line: certbot(world, line, venv=old_certbot),
        lambda line: certbot(world, line, env=env, venv=old_certbot),
        lambda *words: world.run(python, "-m", "certbot_jprs", *words, env=env),
    )
