"""Finishing an interrupted installation, with all that was asked for."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from certbot import errors, reverter

from certbot_jprs.holding import installation
from certbot_jprs.holding.records import Record
from certbot_jprs.lineage.files import KINDS, Lineage

NAME = "www.example.jp"
LINEAGE = Lineage(NAME, "", {kind: f"{kind}.pem" for kind in KINDS}, {})


class Server:
    """Notes what it is told; refuses every enhancement if the test says so."""

    def __init__(self, refusal: Exception | None = None) -> None:
        self.told: list[str] = []
        self.saved: list[str] = []
        self._refusal = refusal

    def deploy_cert(self, name: str, *paths: str) -> None:
        self.told.append(f"deploy {name}")

    def enhance(self, _name: str, what: str, options: str | None) -> None:
        self.told.append(f"{what} {options}")
        if self._refusal is not None:
            raise self._refusal

    def enable_autohsts(self, _lineage: Lineage, _names: list[str]) -> None:
        self.told.append("autohsts")
        if self._refusal is not None:
            raise self._refusal

    def save(self, title: str = "") -> None:
        self.saved.append(title)

    def recovery_routine(self) -> None:
        self.told.append("recover")


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, []),
        ({"redirect": True, "hsts": False, "uir": None}, []),
        (
            {"redirect": True, "auto_hsts": True, "uir": True, "staple": True, "hsts": True},
            ["hsts", "staple", "uir", "auto_hsts"],
        ),
    ],
)
def test_what_a_run_asks_for(given: dict[str, Any], asked: list[str]) -> None:
    assert installation.asked_for(SimpleNamespace(**given)) == asked


def test_all_is_configured_in_certbots_order() -> None:
    server = Server()
    every = ["hsts", "staple", "uir", "auto_hsts"]
    record = Record(NAME, install=[NAME], redirect=True, enhancements=every)
    installation.install(record, LINEAGE, server)
    assert server.told == [
        f"deploy {NAME}",
        "ensure-http-header Strict-Transport-Security",
        "redirect None",
        "staple-ocsp chain.pem",
        "ensure-http-header Upgrade-Insecure-Requests",
        "autohsts",
    ]


def test_no_redirect_where_none_was_asked_for() -> None:
    server = Server()
    installation.install(Record(NAME, install=[NAME]), LINEAGE, server)
    assert server.told == [f"deploy {NAME}"]
    assert server.saved[-1] == "Deployed ACME Certificate"


@pytest.mark.parametrize("there", [True, False])
def test_what_is_missing_is_named_with_its_command(
    monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    told: list[str] = []
    monkeypatch.setattr(installation.logger, "error", told.append)
    kind = errors.PluginEnhancementAlreadyPresent if there else errors.PluginError
    server = Server(kind("no"))
    every = ["hsts", "staple", "uir", "auto_hsts"]
    record = Record(NAME, install=[NAME], redirect=True, enhancements=every)
    installation.install(record, LINEAGE, server)
    assert told == (
        []
        if there
        else [
            f"The certificate {NAME} is installed, but not all that was asked for with it could "
            "be configured. For what is missing: certbot enhance -i certbot-jprs:http "
            f"--cert-name {NAME} --hsts --redirect --staple-ocsp --uir --auto-hsts"
        ]
    )
    assert server.told.count("recover") == (0 if there else 5)


class Reverting(Server):
    """Keeps what was there before, as Certbot's web server plugins do: with Certbot's reverter.

    Attributes:
        conf: its configuration.
        config: where the reverter keeps what it keeps.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.conf = directory / "site.conf"
        self.conf.write_text("old\n", encoding="utf-8")
        names = ("backup_dir", "temp_checkpoint_dir", "in_progress_dir")
        paths = {name: str(directory / name) for name in names}
        self.config = SimpleNamespace(strict_permissions=False, **paths)
        self.reverter = reverter.Reverter(cast("Any", self.config))
        self._unsaved: list[str] = []

    def deploy_cert(self, name: str, *paths: str) -> None:
        self._unsaved.append(name)

    def save(self, title: str = "") -> None:
        if self._unsaved:
            self.reverter.add_to_checkpoint({str(self.conf)}, "changed")
            with open(self.conf, "a", encoding="utf-8") as file:
                file.writelines(f"{name}\n" for name in self._unsaved)
            self._unsaved.clear()
        if title:
            self.reverter.finalize_checkpoint(title)


def test_all_of_it_can_be_rolled_back_in_one_step(tmp_path: Path) -> None:
    """What the last save is for, which has a title: it changes nothing and ends the checkpoint."""
    server = Reverting(tmp_path)
    installation.install(Record(NAME, install=["a.jp", "b.jp"]), LINEAGE, server)
    assert server.conf.read_text(encoding="utf-8") == "old\na.jp\nb.jp\n"
    assert not os.path.exists(server.config.in_progress_dir)
    server.reverter.recovery_routine()  # what the next Certbot begins with
    assert server.conf.read_text(encoding="utf-8") == "old\na.jp\nb.jp\n"
    server.reverter.rollback_checkpoints(1)
    assert server.conf.read_text(encoding="utf-8") == "old\n"
