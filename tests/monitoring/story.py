"""One host, all of whose troubles Prometheus sees: they come and are settled, one after another.

Rules of this file:

- Trouble is real: what a host has is made, and ``certbot-jprs status`` finds it out. What takes
  hours is written into the files in which Certbot or the plugin would have it by then.
- After each change exactly the alerts fire that are expected, no others.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from dataclasses import dataclass

from tests.e2e.command import jprs
from tests.e2e.helpers import RENEW, certbot
from tests.e2e.test_status import CRON, second_version
from tests.lab import Result, World, fleet
from tests.monitoring.prometheus import METRICS, STATUS_TIME, Prometheus

WWW, SHOP, BLOG = (f"{name}.example.jp" for name in ("www", "shop", "blog"))
ENDING = {"ends.example.jp": 13, "soon.example.jp": 5, "over.example.jp": -1}
"""Lineages that end, and in how many days."""

SCHEDULER = "/etc/cron.d/certbot"
RECORD = f"/etc/letsencrypt/certbot-jprs/held/{WWW}.json"
HOURS = 3600  # seconds
STEADY = 5
"""Seconds after which an alert that was going to fire has: its wait, and two evaluations."""


@dataclass(frozen=True)
class Stage:
    """A part of the story.

    Attributes:
        title: in a few words.
        start: in seconds since the epoch.
        end: likewise.
        firing: the alerts, each with what it is about.
    """

    title: str
    start: float
    end: float
    firing: frozenset[str]


class Story:
    """What happens to the host.

    Attributes:
        prometheus: sees it.
        stages: what has happened.
        said: what each alert that fired said: its annotations, by its name.
    """

    def __init__(self, world: World) -> None:
        """Lays out the host: three certificates in service, and a cron line."""
        self._world = world
        self.stages: list[Stage] = []
        self.said: dict[str, dict[str, str]] = {}
        world.write(SCHEDULER, CRON)
        fleet.found(world, [WWW, SHOP, BLOG])
        self.prometheus = Prometheus(world)

    def tell(self) -> None:
        """Lets all of it happen.

        Raises:
            AssertionError: other alerts fire than ought to.
        """
        for chapter in (
            self._well,
            self._held,
            self._revoked,
            self._not_served,
            self._all_the_rest,
            self._metrics_that_stop,
        ):
            chapter()

    def stage(self, title: str, *expected: str, collect: bool = True) -> None:
        """Collects the metrics, and waits until exactly these alerts fire.

        Args:
            title: what is the matter.
            expected: the alerts, without their common prefix, each with what it is about.
            collect: whether the timer runs.
        """
        start, prometheus = time.time(), self.prometheus
        if collect:
            jprs(self._world, "status", "--prometheus", "--output", METRICS).check()
            prometheus.until(
                lambda: prometheus.query(f"{STATUS_TIME} >= {start}"), "it is not scraped"
            )
        steady = time.time() + STEADY
        prometheus.until(lambda: prometheus.evaluated_since(steady), "rules are not evaluated")
        firing = self._firing()
        wanted = frozenset(expected)
        # On a busy machine the host may not be reached within the second that a scrape has.
        prometheus.until(
            lambda: self._firing() == wanted and prometheus.is_scraped(),
            f"{title}: {sorted(firing)}, not {sorted(wanted)}",
        )
        self.stages.append(Stage(title, start, time.time(), wanted))

    def _firing(self) -> frozenset[str]:
        found = set()
        for alert in self.prometheus.alerts():
            labels = alert["labels"]
            self.said[labels["alertname"]] = alert["annotations"]
            about = labels.get("lineage") or labels.get("kind") or ""
            found.add(f"{labels['alertname'].removeprefix('CertbotJprs')} {about}".strip())
        return frozenset(found)

    def _certbot(self, line: str) -> Result:
        return certbot(self._world, f"{RENEW} --jprs-ocsp-interval 1 {line}")

    # -- chapters ------------------------------------------------------------------------------

    def _well(self) -> None:
        self._world.ocsp.lag = 2
        self._certbot(f"--force-renewal --cert-name {WWW}").check()
        self.stage("all well")

    def _held(self) -> None:
        world = self._world
        for name in (WWW, SHOP, BLOG):
            world.ocsp.behave("good", serial=world.lineage(name).serial)
        world.ocsp.lag = 24 * HOURS
        held = self._certbot(f"--force-renewal --cert-name {WWW} --jprs-ocsp-timeout 2")
        assert held.returncode == 1, f"{held}"
        self.stage("held", f"RenewalFailed {WWW}")
        saved = world.read(RECORD)
        record = json.loads(saved)
        record["since"] -= 2 * HOURS
        world.write(RECORD, json.dumps(record), 0o600)
        self.stage("held for two hours", f"HeldTooLong {WWW}", f"RenewalFailed {WWW}")
        world.write(RECORD, saved, 0o600)
        world.ocsp.lag = 2
        self._certbot("").check()
        self.stage("released")

    def _revoked(self) -> None:
        self._world.ocsp.behave("revoked", serial=self._world.lineage(SHOP).serial)
        self.stage("revoked", f"Revoked {SHOP}")
        # What replaces a revoked certificate waits for nothing: it has to be known by itself.
        self._world.ocsp.lag = 0
        self._certbot(f"--force-renewal --cert-name {SHOP}").check()
        self.stage("replaced")

    def _not_served(self) -> None:
        second_version(self._world, BLOG)
        self.stage("not served", f"NotServed {BLOG}")
        self._world.apache.graceful()
        self.stage("reloaded")

    def _all_the_rest(self) -> None:
        world = self._world
        for name, days in ENDING.items():
            world.jprs.backdate = dt.timedelta(days=90 - days)
            fleet.found(world, [name])
        world.jprs.backdate = dt.timedelta(0)
        world.path(SCHEDULER).unlink()
        world.ocsp.behave("unknown", serial=world.lineage(SHOP).serial)
        account = world.lineage(BLOG).params["account"]
        world.lineage(BLOG).set("account", "0" * 32)
        world.jprs.refuse("newOrder", "serverInternal", 500, "an error", times=1)
        assert self._certbot(f"--force-renewal --cert-name {WWW}").returncode == 1
        self.stage(
            "all the rest",
            "Expires ends.example.jp",
            "ExpiresSoon soon.example.jp",
            "Expired over.example.jp",
            "NoScheduler",
            f"OcspUnknown {SHOP}",
            "Problem account",
            f"RenewalFailed {WWW}",
        )
        world.write(SCHEDULER, CRON)
        world.ocsp.behave(None)
        world.lineage(BLOG).set("account", account)
        self._certbot("").check()
        self._certbot(f"--force-renewal --cert-name {WWW}").check()
        self.stage("settled")

    def _metrics_that_stop(self) -> None:
        world = self._world
        world.write("/etc/cron.d/another", CRON)
        self.stage("two schedulers", "SeveralSchedulers")
        text = re.sub(
            rf"(?m)^({STATUS_TIME}) .*$", rf"\g<1> {time.time() - 2 * HOURS}", world.read(METRICS)
        )
        world.write(METRICS, text)
        self.stage("timer stopped", "SeveralSchedulers", "MetricsStale", collect=False)
        world.path(METRICS).unlink()
        self.stage("file gone", "MetricsAbsent", collect=False)
        world.path("/etc/cron.d/another").unlink()
        self.stage("all well again")
