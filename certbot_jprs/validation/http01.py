"""http-01 through a delegate, for all lineages of one process.

Rules of this file:

- One lineage, one change of the web server's configuration, one plugin object, as Certbot does it:
  Certbot's other plugin objects of the process take back what stands there longer.
- On disk a challenge is taken away at once, always. The reload that takes it out of the server's
  memory may be the next one, under ``renew``, where one comes: the next challenge's, or the one
  before whatever else follows.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable
from typing import Any

from certbot_jprs.internals import patience
from certbot_jprs.internals.delegate import WebServer
from certbot_jprs.internals.delegation import of_config
from certbot_jprs.machine.addresses import listening
from certbot_jprs.validation.fetching import File, until_there
from certbot_jprs.validation.reloads import Reloads

logger = logging.getLogger(__name__)


def server_of(config: Any) -> Hashable:
    """Tells apart the web servers that validate; None where none does.

    Args:
        config: Certbot's configuration.
    """
    delegate = of_config(config).authenticator
    return delegate.key(config) if isinstance(delegate, WebServer) else None


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
        server = server_of(config)
        if server is None:
            return plugin.perform(achalls)
        port = int(config.http01_port)

        files: list[File] = []

        def known() -> list[File]:
            if not files:  # the reload may open the port
                files.extend(_files(plugin, achalls, port))
            return files

        def sleep(seconds: float) -> None:
            began = time.monotonic()
            said = "can" if until_there(known, seconds) else "cannot"
            took = time.monotonic() - began
            logger.debug("The challenges %s be fetched from here, after %.2f s", said, took)

        with patience.sleeping(plugin, sleep):
            responses = plugin.perform(achalls)
        self._reloads.done(server)
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
        server = server_of(config)
        if server is None or not put_off:
            plugin.cleanup(achalls)
            return
        with self._reloads.put_off(plugin, server):
            plugin.cleanup(achalls)


def _files(plugin: Any, achalls: Any, port: int) -> list[File]:
    """Returns what is to be fetched, from each address on which the web server answers."""
    here = listening(port)
    files = []
    for achall in achalls:
        identifier = getattr(achall, "identifier", None)
        # Certbot 5.4 put the identifier in the domain's place.
        name = str(getattr(identifier, "value", None) or achall.domain)
        content = achall.validation(achall.account_key).encode()
        only = patience.addresses_of(plugin, name, port)
        files += [
            File(address, port, name, achall.chall.path, content)
            for address in here
            if not only or address in only
        ]
    return files
