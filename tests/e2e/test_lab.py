"""The lab itself: that it is what it says, and that it can fail."""

from __future__ import annotations

from tests.lab import World

EMAIL = ("-m", "admin@example.jp", "--agree-tos", "-n")


def manual(world: World, *args: str) -> tuple[str, ...]:
    """Returns the command line of JPRS's manual."""
    return ("run", "--apache", "--server", world.jprs.url, "--key-type", "rsa", *EMAIL, *args)


def test_a_certificate_is_issued_and_served(world: World) -> None:
    world.vhost("www.example.jp", "example.jp")
    world.certbot(*manual(world, *world.eab(), "-d", "www.example.jp", "-d", "example.jp")).check()
    served = world.served("example.jp")
    lineage = world.lineage("www.example.jp")
    assert served.serial == lineage.serial == world.jprs.issued[-1].serial
    assert lineage.key_type == "RSA 2048"
    assert world.jprs.issued[-1].names == ("www.example.jp", "example.jp")
