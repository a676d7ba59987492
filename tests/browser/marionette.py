"""Marionette, the protocol by which Firefox is driven: JSON behind its length, one at a time.

https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

from __future__ import annotations

import json
import socket


class Refused(Exception):
    """Firefox could not carry out a command; the message is its own."""


class Marionette:
    """A conversation with one Firefox."""

    def __init__(self, connected: socket.socket) -> None:
        """Takes a connection over, and hears Firefox's greeting.

        Raises:
            OSError: nobody greets.
        """
        self._socket = connected
        self._stream = connected.makefile("rb")
        self._number = 0
        self._read()

    def _read(self) -> object:
        digits = b""
        while (letter := self._stream.read(1)) != b":":
            if not letter:
                raise ConnectionError("Firefox has hung up")
            digits += letter
        return json.loads(self._stream.read(int(digits)))

    def ask(self, command: str, **parameters: object) -> object:
        """Has a command carried out.

        Args:
            command: as ``WebDriver:Navigate``.
            parameters: the command's.

        Returns:
            What it returns.

        Raises:
            Refused: it failed.
        """
        self._number += 1
        text = json.dumps([0, self._number, command, parameters]).encode()
        self._socket.sendall(b"%d:%b" % (len(text), text))
        reply = self._read()
        assert isinstance(reply, list)
        _kind, number, error, result = reply
        assert number == self._number, reply
        if error is not None:
            raise Refused(f"{command}: {error['error']}: {error['message']}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def close(self) -> None:
        """Hangs up."""
        self._stream.close()
        self._socket.close()
