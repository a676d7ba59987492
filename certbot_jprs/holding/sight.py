"""What visitors see around a reload: right before it, and after it.

Rules of this file:

- A place is judged only where it showed one of the lineage's versions right before the reload; of
  others (behind a proxy, on another port) nothing is known.
- "In service" is said of what was seen, and inferred from nothing.
- What is read of a lineage is read when its view is made; ``Sight``, which is all lineages', only
  looks.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from certbot import errors
from cryptography import x509

from certbot_jprs.ground import display_util
from certbot_jprs.ground.language import _, marked
from certbot_jprs.ground.said import Said, words
from certbot_jprs.internals import web
from certbot_jprs.lineage import archive
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine import served
from certbot_jprs.machine.served import Place
from certbot_jprs.ocsp import certificates

logger = logging.getLogger(__name__)

SECONDS = 10.0
"""How long after a reload the new version may take to be seen: old workers finish first."""

PAUSE = 0.2


@dataclass
class View:
    """What visitors see of one lineage.

    Attributes:
        lineage: the lineage.
        hosts: the names that visitors ask for.
        known: the certificates of its versions.
        new: the one that its links point to; None: it cannot be read, and nothing is looked for.
        expected: whether the new version is looked for wherever those are asked for, because it
            was installed just now: nothing could show a version of it before.
        judged: the places that showed one of its versions right before the reload.
        shown: the places that show the new one.
        behind: those judged that still serve another version, or another certificate.
        silent: those judged where nothing answers any more.
    """

    lineage: Lineage
    hosts: list[str]
    known: list[x509.Certificate]
    new: x509.Certificate | None
    expected: bool = False
    judged: set[Place] = field(default_factory=set)
    shown: set[Place] = field(default_factory=set)
    behind: set[Place] = field(default_factory=set)
    silent: set[Place] = field(default_factory=set)

    @classmethod
    def of(cls, lineage: Lineage, server: Callable[[], Any], *, expected: bool = False) -> View:
        """Makes the view of a lineage whose links are at its new version.

        Args:
            lineage: the lineage.
            server: returns the plugin of the web server, ready for use; asked for the hosts of
                a wildcard.
            expected: as the attribute.
        """
        hosts: list[str] = []
        with contextlib.suppress(OSError, ValueError, errors.Error):
            for name in certificates.names_in_order(lineage.certificate()):
                hosts += web.hosts(server(), name) if name.startswith("*.") else [name]
        versions = served.versions(lineage)
        new = versions.get(archive.current_version(lineage) or 0)
        return cls(lineage, hosts, list(versions.values()), new, expected)

    @property
    def done(self) -> bool:
        """Whether there is nothing left to see."""
        if self.judged:
            return self.judged <= self.shown
        return bool(self.shown) or not self.expected or self.new is None

    def wanted(self) -> list[Place]:
        """Returns where to look once more; maybe nowhere yet, if nothing listens so far."""
        if self.done:
            return []
        return sorted(self.judged - self.shown) or served.places(self.hosts)

    def note(self, seen: Mapping[Place, x509.Certificate | None]) -> None:
        """Notes what was seen at the places that were ``wanted``.

        Args:
            seen: what they serve, as ``served.look_at`` tells.
        """
        for place, certificate in seen.items():
            self.behind.discard(place)
            self.silent.discard(place)
            if certificate == self.new:
                self.shown.add(place)
            elif place in self.judged:
                (self.behind if certificate is not None else self.silent).add(place)

    def failure(self) -> Said:
        """Words that nothing answers any more at the places that are ``silent``."""
        return Said(
            marked(
                "Nothing answers any more at {places} since the web server was reloaded with the "
                "new certificate of {name}. See the web server's error log and mend what it "
                "names; the next `certbot renew` reloads or starts it again."
            ),
            places=_worded(self.silent),
            name=self.lineage.name,
        )

    def say(self) -> None:
        """Says what was seen, or only what was done where nothing could be seen."""
        name = self.lineage.name
        if self.behind:
            logger.error(
                _(
                    "{seconds} seconds after the reload, {places} still does not serve the new "
                    "certificate of {name}. See what listens there (ss -ltnp 'sport = :443') and "
                    "its error log, and restart it."
                ).format(seconds=int(SECONDS), places=words(_worded(self.behind)), name=name)
            )
        elif self.shown:
            display_util.notify(_("The new certificate of {name} is in service.").format(name=name))
        else:
            display_util.notify(
                _("The new certificate of {name} is released, and the web server reloaded.").format(
                    name=name
                )
            )


class Sight:
    """What visitors of some lineages see; made right before a reload.

    Args:
        views: one for each lineage; what they see now is noted.
    """

    def __init__(self, views: Iterable[View]) -> None:
        self.views = list(views)
        hosts = [host for view in self.views if view.new is not None for host in view.hosts]
        seen = served.look_at(served.places(hosts))
        for view in self.views:
            mine = {place for place in seen if place.name in view.hosts and view.new is not None}
            view.judged = {place for place in mine if seen[place] in view.known}

    def look(self) -> None:
        """Looks until the new versions are seen where they are expected, or time is up."""
        deadline = time.monotonic() + SECONDS
        while not all(view.done for view in self.views):
            asked = [(view, view.wanted()) for view in self.views]
            left = min(max(deadline - time.monotonic(), PAUSE), served.SECONDS)
            seen = served.look_at((place for _view, places in asked for place in places), left)
            for view, wanted in asked:
                view.note({place: seen[place] for place in wanted if place in seen})
            if deadline - time.monotonic() <= PAUSE:
                break
            time.sleep(PAUSE)


def _worded(places: Iterable[Place]) -> Said:
    """Words places for people: the names, and at which addresses of this machine."""
    every = sorted(places)
    return Said(
        marked("port {port} of this machine ({addresses}; {names})"),
        port=served.PORT,
        addresses=", ".join(dict.fromkeys(place.address for place in every)),
        names=", ".join(dict.fromkeys(place.name for place in every)),
    )
