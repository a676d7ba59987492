"""http-01 through a delegate, for all lineages of one process.

Rules of this file:

- One lineage, one change of the web server's configuration, one plugin object, as Certbot does it:
  Certbot's other plugin objects of the process take back what stands there longer.
- On disk a challenge is taken away at once, always. The reload that takes it out of the server's
  memory may be the next one, under ``renew``, where one comes: the next challenge's, the release's,
  or the last one of the run. After a failure it comes at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from certbot_jprs.internals import patience
from certbot_jprs.internals.delegates import WebServer
from certbot_jprs.internals.delegation import of_config
from certbot_jprs.machine.addresses import listening
from certbot_jprs.validation.fetching import File, until_there
from certbot_jprs.validation.reloads import Reloads


class Http01:
    """Puts challenges up and takes them away.

    Args:
        reloads: the reloads of this process.
    """

    def __init__(self, reloads: Reloads) -> None:
        self._reloads = reloads

    def perform(self, config: Any, plugin: Any, achalls: Any) -> Any:
        """Puts challenges up, and returns as soon as they can be fetched.

        Args:
            config: Certbot's configuration.
            plugin: the authenticator's plugin object.
            achalls: Certbot's annotated challenges.

        Returns:
            The responses.

        Raises:
            errors.Error: they cannot be put up.
        """
        server = of_config(config).authenticator
        if not isinstance(server, WebServer):
            return plugin.perform(achalls)
        port = int(config.http01_port)

        def sleep(seconds: float) -> None:
            until_there(list(_files(plugin, achalls, port)), seconds)

        with patience.sleeping(plugin, sleep):
            responses = plugin.perform(achalls)
        self._reloads.done(server.key(config))
        return responses

    def cleanup(self, config: Any, plugin: Any, achalls: Any, *, put_off: bool) -> None:
        """Takes challenges away.

        Args:
            config: Certbot's configuration.
            plugin: the authenticator's plugin object.
            achalls: Certbot's annotated challenges.
            put_off: whether a later reload is certain.

        Raises:
            errors.Error: they cannot be taken away.
        """
        server = of_config(config).authenticator
        # Certbot calls this in the course of an error, too: a signal may end the process then.
        failed = sys.exc_info()[0] is not None
        if not isinstance(server, WebServer) or not put_off or failed:
            plugin.cleanup(achalls)
            return
        with self._reloads.put_off(plugin, server.key(config)):
            plugin.cleanup(achalls)


def _files(plugin: Any, achalls: Any, port: int) -> Iterator[File]:
    """Yields what is to be fetched, from each address on which the web server answers."""
    everywhere = listening(port)
    for achall in achalls:
        identifier = getattr(achall, "identifier", None)
        # Certbot 5.4 put the identifier in the domain's place.
        name = str(getattr(identifier, "value", None) or achall.domain)
        content = achall.validation(achall.account_key).encode()
        for address in patience.addresses_of(plugin, name, port) or everywhere:
            yield File(address, port, name, achall.chall.path, content)
