"""Ctrl-C, SIGTERM and SIGHUP during the wait.

Rules of this file:

- A signal ends at once what may be ended (asking, pausing), whatever handlers Certbot left
  behind: its ``ErrorHandler`` keeps swallowing SIGTERM and SIGHUP after its first use.
- A signal never tears what must not be torn (putting a certificate into service): it is kept
  until that is done.
- A signal that is ignored (as by ``nohup``) stays ignored, and what was there is put back.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.language import _

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Takes the signals that end a wait, while the context lasts.

    Within ``listening`` they raise ``WaitInterrupted``; outside of it they are kept until it is
    entered again or, where it is not, until the context ends: then they reach the handlers that
    were there before. Outside the main thread, where Python allows no handlers, nothing is
    taken.
    """

    def __init__(self) -> None:
        self._before: dict[signal.Signals, Any] = {}
        self._listening = False
        self._kept: list[int] = []

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                # None: not installed from Python, which could not put it back.
                if handler is not None and handler is not signal.SIG_IGN:
                    self._before[number] = handler
                    signal.signal(number, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # SIGINT last: its old handler may raise at once, and must leave none of ours behind.
        for number in reversed(SIGNALS):
            if number in self._before:
                signal.signal(number, self._before[number])
        # Whoever pressed Ctrl-C twice has been heard already.
        if not isinstance(error, WaitInterrupted):
            for kept in dict.fromkeys(self._kept):
                signal.raise_signal(kept)

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Lets signals end what is done within, those that were kept first.

        Raises:
            WaitInterrupted: a signal came.
        """
        try:
            self._listening = True
            if self._kept:
                raise _interrupted(self._kept[0])
            yield
        finally:
            self._listening = False

    @contextlib.contextmanager
    def unheard(self) -> Iterator[None]:
        """Keeps a terminal's signals from all that is run within, which inherits that.

        Ctrl-C and a hang-up reach every process of a terminal's foreground, ``a2dismod`` too,
        which ended by them leaves things half undone. Nor are they kept: for what is short.
        """
        terminal = [each for each in (signal.SIGINT, signal.SIGHUP) if each in self._before]
        try:
            for number in terminal:
                signal.signal(number, signal.SIG_IGN)
            yield
        finally:
            for number in terminal:
                signal.signal(number, self._take)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        self._kept.append(number)
        if self._listening:
            # Only once: what is done to end the wait is not to be ended itself.
            self._listening = False
            raise _interrupted(number)


def _interrupted(number: int) -> WaitInterrupted:
    return WaitInterrupted(
        _("The wait was ended by {signal}.").format(signal=signal.Signals(number).name)
    )
