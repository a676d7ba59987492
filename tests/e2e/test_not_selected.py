"""Where the plugin is not selected it has no effect, whatever state it is in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.helpers import (
    CONTACT,
    NAME,
    OWN_KEY,
    PACKAGE,
    QUICK,
    RENEW,
    asked,
    certbot,
    copy_package,
    forget,
    known,
    lets_encrypt,
    refused,
    served,
)
from tests.lab import World, subject

LAUNCHER = """\
#!{python} -S
import builtins, sys
sys.path.insert(0, {directory!r})
hidden = {hidden!r}
real_import = builtins.__import__

def importing(name, globals=None, *args, **kwargs):
    if name.split(".")[0] in hidden and str((globals or {{}}).get("__name__")).startswith({ours!r}):
        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
    return real_import(name, globals, *args, **kwargs)

if hidden:  # else what Python warns of would be this file's, and be shown
    builtins.__import__ = importing
from certbot.main import main
sys.exit(main())
"""


class Installation:
    """A Certbot with a copy of this package, which may be damaged, or without it."""

    def __init__(self, directory: Path, *, without: tuple[str, ...] = ()) -> None:
        """Makes it.

        Args:
            directory: an empty directory.
            without: packages to leave out, by the start of their names.
        """
        self.site = directory / "site"
        self.site.mkdir(parents=True)
        self.package = self.site / PACKAGE.name
        self.certbot = directory / "certbot"
        left_out = (PACKAGE.name, "__editable__", "__pycache__", *without)
        for inside, outside in subject.sites():
            for entry in outside.iterdir():
                link = self.site / entry.name
                if not entry.name.startswith(left_out) and not link.is_symlink():
                    link.symlink_to(inside / entry.name)
        if PACKAGE.name not in without:
            self.repair()
        self.hide()

    def repair(self) -> None:
        """Installs this package anew."""
        copy_package(self.site)

    def hide(self, *packages: str) -> None:
        """Hides packages from this one, not from Certbot."""
        text = LAUNCHER.format(
            python=subject.PYTHON, directory=str(self.site), hidden=packages, ours=PACKAGE.name
        )
        self.certbot.write_text(text)
        self.certbot.chmod(0o755)

    def modules(self) -> list[Path]:
        """Returns the files of this package that another one of it can guard."""
        # Certbot itself imports these, and since 5.0 refuses every command where it cannot.
        unguarded = {"__init__", "entrypoint", "ground/__init__", "ground/names"}
        return [self.file(name) for name in sorted(self.names() - unguarded)]

    def names(self) -> set[str]:
        """Returns the modules' names, as paths without their ending."""
        paths = (path.relative_to(self.package) for path in self.package.rglob("*.py"))
        return {str(path.with_suffix("")) for path in paths}

    def file(self, module: str) -> Path:
        """Returns the file of a module."""
        return self.package / f"{module}.py"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A Certbot with a copy of this package."""
    return Installation(tmp_path)


@pytest.mark.main_job
def test_certbot_run_apache_is_what_it_is_without_the_plugin(world: World, tmp_path: Path) -> None:
    plain = Installation(tmp_path, without=(PACKAGE.name,))
    assert NAME not in certbot(world, "plugins", venv=plain.certbot).check().output
    said, stored = {}, {}
    for name, venv in (("a.example.jp", plain.certbot), ("b.example.jp", None)):
        world.vhost(name)
        forget(world)
        line = f"run -n --apache -d {name} {CONTACT} --cert-name {name}"
        result = certbot(world, line, venv=venv).check()
        renewed = certbot(world, f"{RENEW} --force-renewal --cert-name {name}", venv=venv).check()
        lineage = world.lineage(name)
        assert lineage.key_type == OWN_KEY
        assert lineage.version() == 2
        assert lineage.params["server"] == world.letsencrypt.url
        output = (result.output + renewed.output).replace(name, "NAME")
        output = re.sub(r"\b\d{4}-\d\d-\d\d\b", "DATE", output)  # midnight may have passed
        said[name] = output.replace("Account registered.\n", "")
        stored[name] = {key: value.replace(name, "NAME") for key, value in lineage.params.items()}
        steps = [step for step in world.letsencrypt.steps() if step not in ("newAccount", "authz")]
        said[name] += str(sorted(set(steps)))
    assert said["a.example.jp"] == said["b.example.jp"]
    assert stored["a.example.jp"] == stored["b.example.jp"]
    assert world.jprs.requests == []
    assert world.ocsp.queries == []
    etc = world.path("/etc/letsencrypt")
    assert not [path for path in etc.rglob("*") if "jprs" in path.name]
    assert "jprs" not in "".join(path.read_text() for path in etc.rglob("*.conf") if path.is_file())


@pytest.mark.main_job
def test_it_is_listed(world: World) -> None:
    world.vhost("www.example.jp")
    for line in ("plugins", "plugins --init", "plugins --init --prepare", "plugins --installers"):
        output = certbot(world, line).check().output
        assert f"* {NAME}" in output
        assert "* apache" in output
    # Before 2.0 Certbot registers every third-party plugin twice.
    shown = certbot(world, "--help all").check().output
    assert shown.count("--jprs-ocsp-timeout") == 1
    assert "No renewals were attempted" in certbot(world, RENEW).check().output
    assert "--jprs-ocsp-timeout" in certbot(world, f"--help {NAME}").check().output


def test_the_menu_does_not_offer_it(world: World) -> None:
    world.vhost("www.example.jp")
    common = ("-d", "www.example.jp", "-m", "admin@example.jp", "--agree-tos", "--no-eff-email")
    terminal = world.certbot_pty("certonly", *common)
    terminal.expect("How would you like to authenticate")
    terminal.expect("Select the appropriate number")
    assert "(apache)" in terminal.output
    assert "(webroot)" in terminal.output
    assert "jprs" not in terminal.output.lower()
    terminal.send("c")
    assert terminal.wait().returncode != 0
    # Of those that can install too, Certbot's own are still the only ones.
    terminal = world.certbot_pty("run", *common)
    terminal.expect(r"Select the appropriate number \[1-2\]")
    assert "jprs" not in terminal.output.lower()
    terminal.send("1")
    terminal.expect("Requesting a certificate")
    assert terminal.wait().returncode == 0
    assert world.lineage("www.example.jp").params["installer"] == "apache"
    assert world.jprs.requests == []


def test_without_tqdm_certbot_works(world: World, tmp_path: Path) -> None:
    installation = Installation(tmp_path, without=("tqdm",))
    probe = (subject.PYTHON, "-S", "-c")
    path = f"import sys; sys.path.insert(0, {str(installation.site)!r}); "
    world.run(*probe, path + "import certbot_jprs.plugin").check()
    assert world.run(*probe, path + "import tqdm").returncode != 0
    venv = installation.certbot
    for line in ("--version", "certificates", "plugins --init --prepare", "--help all"):
        certbot(world, line, venv=venv).check()
    world.vhost("www.example.jp")
    certbot(world, f"run -n --apache -d www.example.jp {CONTACT}", venv=venv).check()
    certbot(world, f"{RENEW} --force-renewal", venv=venv).check()
    assert world.lineage("www.example.jp").version() == 2
    # And the plugin itself does without its bar.
    world.vhost("two.example.jp")
    line = f"run -n -a certbot-jprs:http -d two.example.jp {CONTACT} {QUICK}"
    certbot(world, line, *world.eab(), venv=venv).check()
    assert served(world, "two.example.jp") == world.jprs.issued[-1].serial


def test_without_tqdm_every_command_of_others_works(world: World, tmp_path: Path) -> None:
    installation = Installation(tmp_path, without=("tqdm",))
    world.vhost("le.example.jp")
    name, server = "le.example.jp", f"--server {world.letsencrypt.url}"
    for line in (
        *("--version", "--help all", "certificates", "plugins", "plugins --init --prepare"),
        f"register -n {CONTACT} {server}",
        f"show_account {server}",
        f"update_account -n -m two@example.jp {server}",
        f"certonly -n --apache -d {name} {server}",
        f"run -n --apache -d {name} --keep-until-expiring {server}",
        f"install -n --apache --cert-name {name}",
        f"enhance -n --apache --cert-name {name} --hsts",
        RENEW,
        f"{RENEW} -q --force-renewal",
        f"{RENEW} --dry-run",
        f"reconfigure -n --cert-name {name} --deploy-hook true",
        "rollback -n -i apache",
        f"revoke -n --cert-name {name} --no-delete-after-revoke",
        f"delete -n --cert-name {name}",
        f"unregister -n {server}",
    ):
        if not known(line):
            continue
        result = certbot(world, line, venv=installation.certbot).check()
        lists = line.startswith(("--help", "plugins"))  # where every plugin is named
        assert lists or "jprs" not in result.output.lower(), f"{result}"
    assert world.jprs.requests == []


def others_work(world: World, installation: Installation) -> None:
    """Asserts that Certbot renews another CA's certificate, whatever is wrong with ours."""
    before = world.lineage("le.example.jp").version()
    line = f"{RENEW} --force-renewal --cert-name le.example.jp"
    assert "damaged" not in certbot(world, line, venv=installation.certbot).check().output
    assert world.lineage("le.example.jp").version() == before + 1


def ours_is_refused(
    world: World, installation: Installation, *words: str, flag: str = f"-a {NAME}"
) -> None:
    """Asserts that the plugin, where it is selected, says that it is damaged."""
    forget(world)
    line = f"run -n {flag} -d www.example.jp {CONTACT}"
    result = certbot(world, line, *world.eab(), venv=installation.certbot)
    refused(world, result, "certbot-jprs is damaged", "pip install --force-reinstall", *words)


def of_lets_encrypt(world: World) -> None:
    """Gets a certificate of Let's Encrypt whose renewal takes the least time."""
    hooks = f"--manual-auth-hook {world.dns_hook} --manual-cleanup-hook {world.dns_hook}"
    line = f"certonly -n -a manual {hooks} --preferred-challenges dns -d le.example.jp {CONTACT}"
    certbot(world, line).check()


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_text("")


def tear(path: Path) -> None:
    path.write_text(path.read_text()[:20])


EVERY_COMMAND = (
    *("plugin", "door", "injection", "internals/__init__", "internals/parser", "internals/web"),
    *(f"ground/{name}" for name in ("exceptions", "language", "options", "roles")),
)
"""The modules that Certbot imports for every command. (Unit tests tear each of the others.)"""


@pytest.mark.parametrize("damage", [remove, empty, tear])
def test_a_torn_module_that_every_command_imports_stops_nobody_else(
    world: World, installation: Installation, damage: Callable[[Path], None]
) -> None:
    of_lets_encrypt(world)
    for module in EVERY_COMMAND:
        if damage is not tear and module.endswith("__init__"):
            continue  # Python needs none
        damage(installation.file(module))
        others_work(world, installation)
        ours_is_refused(world, installation)
        installation.repair()


@pytest.mark.parametrize("damage", [remove, empty, pytest.param(tear, marks=pytest.mark.main_job)])
def test_whatever_else_is_torn_stops_nobody_else(
    world: World, installation: Installation, damage: Callable[[Path], None]
) -> None:
    of_lets_encrypt(world)
    every = [installation.file(module) for module in EVERY_COMMAND]
    for path in installation.modules():
        if path not in every:
            damage(path)
    others_work(world, installation)
    ours_is_refused(world, installation)


@pytest.mark.parametrize(
    ("module", "lost"), [("plugin", "class Conf"), ("rules/one_flag", "def decide(")]
)
def test_every_way_to_select_a_damaged_plugin_says_so(
    world: World, installation: Installation, module: str, lost: str
) -> None:
    # Cut before a definition it can still be imported, and lacks what others need of it.
    path = installation.package / f"{module}.py"
    text = path.read_text()
    path.write_text(text[: text.index(f"\n{lost}")])
    for flag in (
        *(f"-a {NAME}", f"-a{NAME}", f"--authenticator={NAME}", f"-i {NAME}"),
        *(f"--apache -a {NAME}", f"--configurator {NAME}"),
    ):
        ours_is_refused(world, installation, flag=flag)
    for line in ("certificates", "plugins", "--help all"):
        certbot(world, line, venv=installation.certbot).check()


@pytest.mark.parametrize("package", ["requests", "configobj"])
def test_a_dependency_that_is_gone_stops_nobody_else(
    world: World, installation: Installation, package: str
) -> None:
    of_lets_encrypt(world)
    installation.hide(package)
    others_work(world, installation)
    ours_is_refused(world, installation, f"No module named '{package}")


def test_a_damaged_plugin_in_cli_ini(world: World, installation: Installation) -> None:
    lets_encrypt(world, "le.example.jp")
    tear(installation.package / "plugin.py")
    # Options alone are not a selection.
    world.cli_ini("jprs-ocsp-timeout = 30\njprs-ocsp-interval = 1\n")
    others_work(world, installation)
    world.cli_ini("authenticator = certbot-jprs:http\njprs-ocsp-timeout = 30\n")
    certbot(world, "certificates", venv=installation.certbot).check()
    forget(world)
    line = f"certonly -n -d www.example.jp {CONTACT}"
    result = certbot(world, line, venv=installation.certbot)
    refused(world, result, "certbot-jprs is damaged")


def test_a_damaged_plugin_fails_its_own_lineages_renewal_only(
    world: World, installation: Installation
) -> None:
    of_lets_encrypt(world)
    world.vhost("www.example.jp")
    line = f"run -n -a certbot-jprs:http -d www.example.jp {CONTACT} {QUICK}"
    certbot(world, line, *world.eab()).check()
    tear(installation.package / "ocsp/responder.py")
    forget(world)
    result = certbot(world, f"{RENEW} --force-renewal", venv=installation.certbot)
    assert result.returncode == 1
    assert "certbot-jprs is damaged" in result.output
    assert "le.example.jp/fullchain.pem (success)" in result.output
    assert "www.example.jp/fullchain.pem (failure)" in result.output
    assert world.jprs.beyond_directory() == []
    assert json.dumps(asked(world)).count("finalize") == 1
