"""The Debian package beside the Certbot of the release: installed, working, and removed.

The package is the one in ``dist/``: ``make deb`` builds it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.packaging.userland import ROOT, Machine

NAME = "certbot-jprs:http"
PACKAGE = "python3-certbot-jprs"
MODULES = "/usr/lib/python3/dist-packages/certbot_jprs"
CERTBOT = {"bookworm": "certbot 2.1.0", "trixie": "certbot 4.0.0"}
JPRS = "https://acme.amecert.jprs.jp/DV/getDirectory"

RENEWAL = """\
version = 2.1.0
archive_dir = /etc/letsencrypt/archive/{name}
cert = /etc/letsencrypt/live/{name}/cert.pem
privkey = /etc/letsencrypt/live/{name}/privkey.pem
chain = /etc/letsencrypt/live/{name}/chain.pem
fullchain = /etc/letsencrypt/live/{name}/fullchain.pem
[renewalparams]
account = 0123456789abcdef0123456789abcdef
server = {server}
authenticator = {plugin}
installer = {plugin}
key_type = rsa
"""

INSTALL = ("apt-get", "install", "-q", "-y", "--no-install-recommends")

LINEAGE = """\
set -eu
cd /etc/letsencrypt
mkdir -p archive/{name} live/{name}
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN={name} -addext subjectAltName=DNS:{name} \
    -days {days} -keyout archive/{name}/privkey1.pem -out archive/{name}/cert1.pem 2>/dev/null
cp archive/{name}/cert1.pem archive/{name}/chain1.pem
cp archive/{name}/cert1.pem archive/{name}/fullchain1.pem
for kind in privkey cert chain fullchain; do
    ln -s ../../archive/{name}/${{kind}}1.pem live/{name}/$kind.pem
done
"""


@pytest.fixture(params=sorted(CERTBOT))
def suite(request: pytest.FixtureRequest) -> str:
    """A release of Debian."""
    return str(request.param)


@pytest.fixture
def machine(suite: str, tmp_path: Path) -> Iterator[Machine]:
    """A machine of an apt user's, with the package and its source at ``/mnt``."""
    packages = list((ROOT / "dist").glob(f"{PACKAGE}_*.deb"))
    assert len(packages) == 1, "no one package in dist/: run make deb"
    shared, scratch = tmp_path / "shared", tmp_path / "scratch"
    shared.mkdir()
    scratch.mkdir()
    shutil.copytree(ROOT / "dist", shared / "dist")
    shutil.copytree(ROOT / "tests", shared / "source" / "tests")
    shutil.copytree(ROOT / "packaging" / "debian", shared / "source" / "debian")
    with Machine(suite, shared, scratch) as made:
        made("apt-get", "update", "-q")
        made(
            "apt-get",
            "install",
            "-q",
            "-y",
            "--no-install-recommends",
            f"/mnt/dist/{packages[0].name}",
        )
        yield made


def lineage(machine: Machine, name: str, plugin: str, server: str, days: int) -> None:
    """Makes a lineage as Certbot would have left it.

    Args:
        machine: where.
        name: its name and only host.
        plugin: who renews it.
        server: whose it is.
        days: how long it is valid.
    """
    text = RENEWAL.format(name=name, plugin=plugin, server=server)
    machine.write(f"/etc/letsencrypt/renewal/{name}.conf", text)
    script = LINEAGE.format(name=name, days=days)
    machine("sh", "-c", script)


def test_installed_it_does_the_main_job(machine: Machine, suite: str) -> None:
    assert CERTBOT[suite] in machine("certbot", "--version")
    assert f"* {NAME}" in machine("certbot", "plugins")
    assert "wait-ocsp" in machine("certbot-jprs", "--help")
    pages = machine("dpkg", "-L", PACKAGE).splitlines()
    assert "/usr/share/man/man1/certbot-jprs.1.gz" in pages
    assert "/usr/share/man/ja/man1/certbot-jprs.1.gz" in pages
    machine("apt-get", "install", "-q", "-y", "--no-install-recommends", "autopkgtest", "dpkg-dev")
    story = machine("sh", "-c", "cd /tmp && autopkgtest /mnt/dist/*.changes -- null")
    assert "All as promised" in story
    assert re.search(r"^main-job +PASS$", story, re.MULTILINE)


def test_it_tells_prometheus_where_that_is_wanted(machine: Machine) -> None:
    units = [path for path in machine("dpkg", "-L", PACKAGE).splitlines() if "/system/" in path]
    assert sorted(path.rpartition("/")[2] for path in units) == [
        "certbot-jprs-metrics.service",
        "certbot-jprs-metrics.timer",
    ]
    wanted = machine("sh", "-c", "find /etc/systemd -name 'certbot-jprs*' 2>/dev/null || true")
    assert wanted == ""  # it is not enabled
    said = machine("certbot-jprs", "status", "--prometheus", check=False)
    assert "apt-get install python3-prometheus-client" in said
    machine(*INSTALL, "python3-prometheus-client")
    machine("mkdir", "-p", "/var/lib/prometheus/node-exporter")
    (service,) = (path for path in units if path.endswith(".service"))
    line = machine("sed", "-n", "s/^ExecStart=//p", service)
    machine(*line.split())
    metrics = machine("cat", "/var/lib/prometheus/node-exporter/certbot-jprs.prom")
    assert 'certbot_jprs_problems{kind="no-certificate"} 1.0\n' in metrics


def test_a_package_that_lacks_a_file_does_not(machine: Machine) -> None:
    """The twin: the main job fails, by the installed package and nothing beside it."""
    machine("rm", f"{MODULES}/plugin.py")
    job = "cd /mnt/source && mkdir /tmp/job && AUTOPKGTEST_TMP=/tmp/job debian/tests/main-job"
    assert "No module named 'certbot_jprs.plugin'" in machine("sh", "-c", job, check=False)


def test_removed_it_leaves_certbot_working(machine: Machine) -> None:
    lineage(machine, "www.example.jp", NAME, JPRS, days=1)
    lineage(machine, "other.example.jp", "apache", "https://ca.invalid/", days=90)
    newer = "for kind in privkey cert chain fullchain; do cp -p ${kind}1.pem ${kind}2.pem; done"
    machine("sh", "-c", f"cd /etc/letsencrypt/archive/www.example.jp && {newer}")
    machine.write("/etc/letsencrypt/certbot-jprs/held/www.example.jp.json", "{}")

    said = machine("apt-get", "remove", "-q", "-y", "--no-auto-remove", PACKAGE)
    told = said.partition("these certificates are renewed through it:")[2]
    assert "    www.example.jp\n" in told
    assert "other.example.jp" not in told
    assert "held back until JPRS's OCSP server knows them: www.example.jp.\n" in told
    assert JPRS in told

    assert NAME not in machine("certbot", "plugins")
    assert "other.example.jp" in machine("certbot", "certificates")
    renewed = machine("certbot", "renew", "--no-random-sleep-on-renew", check=False)
    assert f"The requested {NAME} plugin does not appear to be installed" in renewed
    assert "other.example.jp/fullchain.pem expires on" in renewed
    only = ("certbot", "renew", "--no-random-sleep-on-renew", "--cert-name", "other.example.jp")
    assert "not due for renewal yet" in machine(*only)
    # What was held is linked now, as was said.
    assert "cert2.pem" in machine("readlink", "/etc/letsencrypt/live/www.example.jp/cert.pem")


def test_removed_where_nothing_names_it_it_says_nothing(machine: Machine) -> None:
    lineage(machine, "other.example.jp", "apache", "https://ca.invalid/", days=90)
    said = machine("apt-get", "remove", "-q", "-y", PACKAGE)
    assert "renewed through it" not in said


def test_removed_it_speaks_japanese(machine: Machine) -> None:
    lineage(machine, "www.example.jp", NAME, JPRS, days=1)
    said = machine("apt-get", "purge", "-q", "-y", PACKAGE, LC_ALL="ja_JP.UTF-8")
    told = said.partition("次の証明書は、このプラグインによって更新されています。")[2]
    assert "    www.example.jp\n" in told
    assert "保留しています" not in told
    assert machine("ls", "/etc/letsencrypt/renewal").split() == ["www.example.jp.conf"]
