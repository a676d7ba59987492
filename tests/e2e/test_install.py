"""``certbot install`` with files of the user's own: as Certbot's own plugin installs them."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.e2e.waiting import NAME, NOT_AT_ALL, PLUGIN, QUICK
from tests.lab import Result, World, pki
from tests.lab.acme import Issued

FILES = "/run/tmp/files"

DAMAGES: dict[str, dict[str, str | None]] = {
    "none": {},
    "no chain": {"chain": None},
    "a certificate that is no PEM": {"cert": "nothing\n"},
    "both": {"chain": None, "cert": "nothing\n"},
}


def files(world: World) -> Issued:
    """Writes a certificate's files, as a user may have them from elsewhere."""
    world.vhost(NAME)
    key = rsa.generate_private_key(65537, 2048)
    issued = world.jprs.mint(NAME, key=key)
    issuer = pki.pem(issued.issuer)
    texts = {"cert": issued.pem, "chain": issuer, "fullchain": issued.pem + issuer}
    texts["privkey"] = pki.key_pem(key)
    for kind, text in texts.items():
        world.write(f"{FILES}/{kind}.pem", text)
    return issued


def install(world: World, plugin: str, *options: str) -> Result:
    """Installs them by a plugin."""
    paths = [
        *("--cert-path", f"{FILES}/cert.pem", "--key-path", f"{FILES}/privkey.pem"),
        *("--chain-path", f"{FILES}/chain.pem", "--fullchain-path", f"{FILES}/fullchain.pem"),
    ]
    return world.certbot("install", "-n", "-i", plugin, "-d", NAME, *paths, *options)


def damage(world: World, damages: dict[str, str | None]) -> None:
    for kind, text in damages.items():
        world.path(f"{FILES}/{kind}.pem").unlink()
        if text is not None:
            world.write(f"{FILES}/{kind}.pem", text)


@pytest.mark.parametrize("damages", DAMAGES)
@pytest.mark.parametrize("wait", [QUICK, NOT_AT_ALL], ids=["waiting", "at once"])
def test_what_certbots_own_plugin_installs(
    world: World, damages: str, wait: tuple[str, ...]
) -> None:
    issued = files(world)
    damage(world, DAMAGES[damages])
    install(world, PLUGIN, *wait).check()
    assert world.served(NAME).serial == issued.serial
    asked = len(world.ocsp.asked(issued.serial))
    assert asked == (1 if wait is QUICK else 0)


@pytest.mark.parametrize("damages", [each for each in DAMAGES if each != "none"])
def test_certbots_own_plugin_installs_that(world: World, damages: str) -> None:
    issued = files(world)
    damage(world, DAMAGES[damages])
    install(world, "apache").check()
    assert world.served(NAME).serial == issued.serial


def test_what_the_server_could_not_load_is_refused(world: World) -> None:
    files(world)
    before = world.apache.hashes()
    damage(world, {"cert": "nothing\n", "fullchain": "nothing\n"})
    result = install(world, PLUGIN, *QUICK)
    assert result.returncode == 1
    assert "cannot be read, and was not installed" in " ".join(result.output.split())
    assert "unexpected error" not in result.output
    assert {k: v for k, v in world.apache.hashes().items() if k in before} == before
    assert not world.listening(443)
