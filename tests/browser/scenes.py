"""What the browser meets: what the plugin does, and the sabotaged twin of it."""

from __future__ import annotations

import time

from tests.browser.firefox import AGENT, Firefox, Page
from tests.lab import Running, World
from tests.lab.measure import NAME, by_hand, by_plugin

URL = f"https://{NAME}/"
LAG = 10.0
NEVER = 3600.0
"""Seconds of lag that no scene lives to see the end of."""
INTERVAL = ("--jprs-ocsp-interval", "1")
RENEW = ("renew", "--force-renewal", "--no-random-sleep-on-renew")
HTML = """\
<!DOCTYPE html>
<meta charset="utf-8">
<title>{name}</title>
<style>body {{ font: 1.2rem sans-serif; margin: 3rem }}</style>
<h1>{name}</h1>
"""


def site(world: World, *, stapling: bool = False) -> None:
    """Puts the site into service, on port 80 until there is a certificate."""
    if stapling:
        world.apache.staple()
    world.vhost(NAME)
    world.write(f"/var/www/{NAME}/index.html", HTML.format(name=NAME))


def early(world: World) -> None:
    """Deploys a certificate at once, as Certbot does by itself: OCSP does not know it."""
    site(world)
    world.ocsp.lag = NEVER
    by_hand(world)


def stapled_early(world: World) -> None:
    """The same; and Apache staples what it is told, still when OCSP has come to know better."""
    site(world, stapling=True)
    world.ocsp.lag = NEVER
    by_hand(world)
    world.served(NAME)  # the first visitor, for whom Apache asks
    world.ocsp.lag = 0


def deployed(world: World) -> None:
    """Deploys a certificate by the plugin."""
    site(world)
    world.ocsp.lag = LAG
    by_plugin(world, *INTERVAL)


def stapled(world: World) -> None:
    """The same, and Apache staples."""
    site(world, stapling=True)
    world.ocsp.lag = LAG
    by_plugin(world, *INTERVAL)


def told(world: World, since: int = 0) -> list[str]:
    """Returns what Firefox asked the responder and was told, after so many queries of anyone."""
    return [each.answer for each in world.ocsp.queries[since:] if AGENT in each.agent]


def slow(world: World, lag: float = LAG) -> None:
    """Gives the responder its lag, without making it forget what it knows already."""
    for issued in world.jprs.issued:
        world.ocsp.behave("good", serial=issued.serial)
    world.ocsp.lag = lag


def reloading(firefox: Firefox, renewal: Running) -> list[Page]:
    """Reloads the page every second while Certbot renews, and three times afterwards."""
    pages = []
    after = 3
    while after:
        if renewal.process.poll() is not None:
            after -= 1
        pages.append(firefox.reload())
        time.sleep(1)
    renewal.wait().check()
    return pages
