"""The reloads of web servers that are owed: their configuration in memory is older than on disk.

Rules of this file: a reload is owed only while a later one is certain to come; ``settle`` is that
one where no other came, and the end of the process calls it too.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
from collections.abc import Hashable, Iterator
from typing import Any, Callable

from certbot import errors

from certbot_jprs.ground.language import _

logger = logging.getLogger(__name__)


class Reloads:
    """The reloads of one process."""

    def __init__(self) -> None:
        self._owed: dict[Hashable, Callable[[], None]] = {}

    @contextlib.contextmanager
    def put_off(self, plugin: Any, server: Hashable) -> Iterator[None]:
        """Has a plugin owe the reloads that it would do.

        Args:
            plugin: a plugin object for a web server.
            server: which server, as the delegate's ``key`` tells them apart.
        """

        def owe() -> None:
            if not self._owed:
                atexit.register(self.settle)
            self._owed[server] = type(plugin).restart.__get__(plugin)

        plugin.restart = owe
        try:
            yield
        finally:
            del plugin.restart

    def done(self, server: Hashable) -> None:
        """Notices that a server was reloaded.

        Args:
            server: which server.
        """
        self._owed.pop(server, None)

    def settle(self) -> None:
        """Does what is still owed; what fails is said."""
        atexit.unregister(self.settle)
        while self._owed:
            _server, restart = self._owed.popitem()
            try:
                restart()
            except errors.Error as error:
                logger.error(
                    _(
                        "The web server could not be reloaded after the validation. Fix its "
                        "configuration, and reload it. The error:\n{error}"
                    ).format(error=error)
                )
