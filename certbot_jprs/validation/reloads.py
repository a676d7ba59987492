"""The reloads of web servers: those that are owed, and those whose end nobody sees.

One is owed where a challenge is off the disk, but still in memory.

Rules of this file:

- What is owed is done before anything may come to depend on it: another plugin's validation, a
  pre-hook that stops the server, a wait for the OCSP responder that is not over at once.
- However the process ends, but by SIGKILL, what is owed is done before: at its exit (Certbot 5.8
  skips its saved post-hooks after Ctrl-C), and when SIGTERM or SIGHUP is about to end it.
- A server that is told to reload reads its files some time later. Apache ends where it finds the
  key of one version beside the certificate of another: no link moves before it has read them.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Hashable, Iterator
from types import FrameType
from typing import Any, Callable

from certbot import errors

from certbot_jprs.ground.language import _

logger = logging.getLogger(__name__)

_ENDING = (signal.SIGTERM, signal.SIGHUP)

SECONDS = 3.0
"""How long a reload may take: Certbot's Apache plugin, too, waits so long for its own."""


class Reloads:
    """The reloads of one process.

    Attributes:
        failed: whether one that was owed could not be done; said already.
    """

    def __init__(self) -> None:
        self.failed = False
        self._owed: dict[Hashable, Callable[[], None]] = {}
        self._guarded = False
        self._over_at = 0.0

    def guard(self) -> None:
        """Sees to it that what is owed is done however the process ends.

        To be called before Certbot validates: its ``ExitHandler`` puts back, after the clean-up,
        the handlers of signals that were there before. Outside the main thread, where Python allows
        no handlers, the exit alone is guarded.
        """
        if self._guarded:
            return
        self._guarded = True
        atexit.register(self.settle)
        if threading.current_thread() is threading.main_thread():
            for number in _ENDING:
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, self._end)

    def _end(self, number: int, _frame: FrameType | None) -> None:
        """Does what is owed, and lets the signal end the process as it would have."""
        try:
            self.settle()
        finally:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    @contextlib.contextmanager
    def put_off(self, plugin: Any, server: Hashable) -> Iterator[None]:
        """Has a plugin owe the reloads that it would do.

        Args:
            plugin: a plugin object for a web server.
            server: which server, as the delegate's ``key`` tells them apart.
        """

        def owe() -> None:
            # Not as an attribute: the plugin has another one meanwhile.
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

    def settle(self, spared: Hashable = None) -> None:
        """Does what is still owed; what fails is said.

        Args:
            spared: a server that is about to be reloaded anyway.
        """
        for server in [each for each in self._owed if each != spared]:
            try:
                self._owed[server]()
            except errors.Error as error:
                self.failed = True
                logger.error(
                    _(
                        "The web server could not be reloaded after the validation. Fix its "
                        "configuration, and reload it. The error:\n"
                        "{error}"
                    ).format(error=error)
                )
            self.begun()
            self.done(server)

    def begun(self) -> None:
        """Notices that something may have told a server to reload just now."""
        self._over_at = time.monotonic() + SECONDS

    def wait(self) -> None:
        """Waits until what was begun is over: then files that servers load may change."""
        time.sleep(max(0.0, self._over_at - time.monotonic()))
