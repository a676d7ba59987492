"""Finishing an interrupted installation, with all that was asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from certbot import errors

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
