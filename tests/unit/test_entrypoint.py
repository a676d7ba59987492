"""A damaged installation: nothing for those who do not use it, one clear line for those who do."""

from __future__ import annotations

import argparse
import copy
import importlib
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certbot import errors

import certbot_jprs
from certbot_jprs.ground.names import NAME
from tests.unit.command_line import CONTACT, Parse
from tests.unit.config_dir import ConfigDir

PACKAGE = Path(certbot_jprs.__file__).parent
OUTSIDE = {"__init__", "entrypoint", "ground/__init__", "ground/names"}
"""What the entry point needs to guard itself."""

UNUSED = ("__main__", "check/", "command/", "machine/")
"""What is needed only by a rehearsal and by the command."""

MODULES = sorted(
    module
    for path in PACKAGE.rglob("*.py")
    for module in [str(path.relative_to(PACKAGE).with_suffix(""))]
    if module not in OUTSIDE and not module.startswith(UNUSED)
)


def ours() -> list[str]:
    return [name for name in sys.modules if name.split(".")[0] == "certbot_jprs"]


class Installation:
    """A copy of the package, which the tests damage."""

    def __init__(self, path: Path) -> None:
        self.site = path / "site"
        self.package = self.site / "certbot_jprs"
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, self.package, ignore=ignore)

    def file(self, module: str) -> Path:
        return self.package / f"{module}.py"

    def load(self) -> Any:
        """Returns what a new process gets from the entry point."""
        for name in ours():
            del sys.modules[name]
        importlib.invalidate_caches()
        entrypoint = importlib.import_module("certbot_jprs.entrypoint")
        assert Path(str(entrypoint.__file__)).parent == self.package
        return entrypoint.Configurator


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    made = Installation(tmp_path)
    real = {name: sys.modules[name] for name in ours()}
    monkeypatch.syspath_prepend(str(made.site))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    # An editable installation would supply from elsewhere what is missing here.
    installed = [finder for finder in sys.meta_path if "__editable__" not in str(finder)]
    monkeypatch.setattr(sys, "meta_path", installed)
    yield made
    for name in ours():
        del sys.modules[name]
    sys.modules.update(real)


@pytest.fixture
def config(parse: Parse) -> Any:
    """Certbot's configuration of a command that is not about the plugin."""
    return parse("run", "-n", "--apache", *CONTACT, "-d", "www.example.jp").config


DAMAGES: dict[str, bytes | None] = {
    "missing": None,
    "empty": b"",
    "cut off": b'"""A module."""\n\ndef f(',
    "no Python": b"<<<<<<< HEAD\n",
    "NUL": b"\0" * 512,
    "Shift JIS": "x = '日本'".encode("shift_jis"),
    "a missing dependency": b'"""A module."""\n\nimport no_such_module_anywhere\n',
    "an exception": b'"""A module."""\n\nraise ZeroDivisionError\n',
}


def selected(plugin: Any, config: Any) -> Any:
    config.authenticator = NAME
    return plugin(config, NAME)


def test_a_whole_installation(installation: Installation, config: Any) -> None:
    plugin = installation.load()
    assert plugin.__module__ == "certbot_jprs.plugin"
    assert plugin(config, NAME).more_info().startswith("Gets certificates from JPRS")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_module_is_stood_in_for(
    installation: Installation, config: Any, damage: bytes | None
) -> None:
    if damage is None:
        installation.file("ground/options").unlink()
    else:
        installation.file("ground/options").write_bytes(damage)
    plugin = installation.load()
    assert plugin.__name__ == "Damaged"
    assert plugin.hidden
    stand_in = plugin(config, NAME)
    assert stand_in.more_info() == plugin.problem != ""
    with pytest.raises(errors.PluginError):
        stand_in.prepare()
    for choice in ("authenticator", "installer", "configurator"):
        changed = copy.deepcopy(config)
        setattr(changed, choice, NAME)
        with pytest.raises(errors.PluginError) as caught:
            plugin(changed, NAME)
        assert "The installation of certbot-jprs is damaged" in str(caught.value)
        assert "pip install --force-reinstall certbot-jprs" in str(caught.value)


@pytest.mark.parametrize("module", MODULES)
def test_whatever_is_torn_only_those_who_select_it_hear_of_it(
    installation: Installation, config: Any, module: str
) -> None:
    installation.file(module).write_text("def torn(", encoding="utf-8")
    plugin = installation.load()
    plugin(config, NAME)
    with pytest.raises(errors.PluginError, match="is damaged"):
        selected(plugin, config)


@pytest.mark.parametrize("named", [True, False])
def test_a_torn_house_stops_only_a_command_line_that_names_the_plugin(
    installation: Installation, caplog: pytest.LogCaptureFixture, named: bool
) -> None:
    installation.file("house").write_text("def torn(", encoding="utf-8")
    installation.load()
    door = importlib.import_module("certbot_jprs.door")
    parsed = importlib.import_module("certbot_jprs.internals.parser").ParsedCommand
    options = {"authenticator": NAME if named else None, "installer": None, "configurator": None}
    nothing: frozenset[str] = frozenset()
    # Whatever `revoke` is about might be a lineage of the plugin's.
    command = parsed(argparse.Namespace(**options), "revoke", nothing, nothing, detecting=False)
    if named:
        with pytest.raises(errors.PluginError, match="is damaged"):
            door.current.parsed(command)
    else:
        with caplog.at_level(logging.DEBUG):
            door.current.parsed(command)
        assert [each.levelno for each in caplog.records] == [logging.DEBUG]


def test_the_stand_in_can_do_nothing(installation: Installation, config: Any) -> None:
    installation.file("plugin").unlink()
    stand_in = installation.load()(config, NAME)
    for method in ("get_all_names", "deploy_cert", "restart", "perform", "save", "enhance"):
        with pytest.raises(errors.PluginError, match="plugin"):
            getattr(stand_in, method)()


def stand_in_parser(installation: Installation, *args: str) -> Any:
    """Returns a parser with the stand-in's options, injected as by Certbot before 2.0."""
    installation.file("plugin").unlink()
    plugin = installation.load()
    parser: Any = argparse.ArgumentParser()
    parser._parser = argparse.Namespace(args=list(args))
    parser.add_argument("-a")
    for name in (NAME, f"certbot-jprs:{NAME}"):
        plugin.inject_parser_options(parser, name)
    return parser


def test_the_stand_in_ignores_the_options(installation: Installation) -> None:
    parser = stand_in_parser(installation, "certificates")
    parser.parse_args(["--jprs-ocsp-timeout", "7", f"--{NAME}-ocsp-interval=x"])
    parser.parse_args(["--certbot-jprs", "http-ocsp-timeout = 7"])


@pytest.mark.parametrize("words", [["-a", NAME], [f"-a{NAME}"], [f"--authenticator={NAME}"]])
def test_the_stand_in_refuses_where_it_is_named(
    installation: Installation, words: list[str]
) -> None:
    with pytest.raises(errors.PluginError, match="is damaged"):
        stand_in_parser(installation, *words)


def test_certbot_itself_with_a_damaged_installation(
    installation: Installation, config_dir: ConfigDir
) -> None:
    installation.file("ground/options").write_text("def torn(", encoding="utf-8")
    path = os.pathsep.join([str(installation.site), str(PACKAGE.parent)])

    def certbot(*words: str) -> subprocess.CompletedProcess[str]:
        code = "import sys; from certbot.main import main; sys.exit(main(sys.argv[1:]))"
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, *words, *config_dir.options],
            env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=config_dir.path,
            check=False,
            capture_output=True,
            text=True,
            timeout=280,
        )

    others = certbot("certificates")
    assert others.returncode == 0, others.stderr
    assert "damaged" not in others.stdout + others.stderr
    named = certbot("run", "-n", "-a", NAME, "-d", "www.example.jp", *CONTACT)
    assert named.returncode == 1
    assert "The installation of certbot-jprs is damaged: SyntaxError" in named.stderr
