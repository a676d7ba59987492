"""Where JPRS's refusals are noticed, and explained to the user.

Certbot reports an error through ``logging``: the exception in a debug record, then its words in
error records; under ``renew`` both in one record for each lineage. That is the only place that
every subcommand passes, also ``register`` and ``revoke``, which construct no plugin.

Rules of this file:

- Only errors of JPRS's server, only where the plugin is selected, each once, after the server's
  words; those are repeated only where Certbot lost them.
- What is written is an error record: on standard error, also under ``-q``, and in Certbot's log.
- Nothing that Certbot logs is changed, and no exception of it is caught.
"""

from __future__ import annotations

import argparse
import atexit
import logging
import os
import sys
from collections.abc import Iterable, Iterator

from acme import errors as acme_errors
from acme import messages
from certbot import errors

from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.problems import matching
from certbot_jprs.problems.challenges import Failed, failed_in, hint_for
from certbot_jprs.rules import policy

logger = logging.getLogger(__name__)

ONE_SHOT = ("run", "certonly", "register", "show_account", "update_account", "unregister", "revoke")
"""Subcommands that end at the first error."""


class Watch(logging.Handler):
    """Sees Certbot's log records, and explains the errors of JPRS's among them.

    Args:
        namespace: the options of the command.
        verb: Certbot's subcommand.
    """

    def __init__(self, namespace: argparse.Namespace, verb: str) -> None:
        super().__init__(logging.DEBUG)
        self._namespace = namespace
        self._verb = verb
        self._named = NAME in (
            namespace.authenticator,
            namespace.installer,
            namespace.configurator,
        )
        self._watches = False
        self._pending: BaseException | None = None
        self._explained: BaseException | None = None
        self._not_ready: messages.Error | None = None
        self._failed: dict[tuple[str, str], Failed] = {}
        self.report = ""
        """What was said of failed challenges; Certbot shows it, but not under ``-q``."""

    def parsed(self) -> None:
        """Begins where the command line itself selects the plugin, or may be about it."""
        # Whether `revoke` is about a lineage of the plugin's is looked up only once it has failed.
        if self._verb in ONE_SHOT and (self._named or self._verb == "revoke"):
            self.start()

    def selected(self) -> None:
        """Begins with the first lineage of JPRS's for which the plugin is selected."""
        if self._verb in ("renew", *ONE_SHOT):
            self.start()

    def start(self) -> None:
        """Begins to watch, unless it does already."""
        if not self._watches:
            self._watches = True
            # After Certbot's own handlers, so that the server's words come first.
            logging.getLogger().addHandler(self)
            atexit.register(self.at_exit)

    def stop(self) -> None:
        """Ends watching."""
        logging.getLogger().removeHandler(self)
        atexit.unregister(self.at_exit)
        self._watches = False

    def emit(self, record: logging.LogRecord) -> None:
        """Looks at a record, which Certbot's own handlers have written already."""
        if record.name == __name__:
            return
        error = _exception_in(record)
        if record.levelno < logging.ERROR:
            if error is not None and record.exc_info:
                self._pending = error
            elif record.name == "acme.client":
                self._not_ready = _not_ready_in(record) or self._not_ready
                self._failed.update(_failed_in(record))
        elif error is not None:
            self._explain(error, record)
        elif self._pending is not None and _shows(_message(record), self._pending):
            self._explain(self._pending, record)

    def at_exit(self) -> None:
        """Explains what ends the process, if no record seemed to be about it."""
        pending = self._pending
        last: object = getattr(sys, "last_value", None)
        if pending is not None and last is pending:
            self._explain(pending, None)

    def _explain(self, error: BaseException, record: logging.LogRecord | None) -> None:
        self._pending = None
        if error is self._explained:
            return
        self._explained = error
        failed, self._failed = self._failed, {}
        lineage = self._lineage(record)
        if not self._concerns_us(lineage):
            return
        text = self._text(error, _message(record), failed.values())
        if text:
            logger.error(text)

    def _text(self, error: BaseException, shown: str, failed: Iterable[Failed]) -> str:
        refusal = _refusal_in(error)
        if refusal is None and isinstance(error, acme_errors.TimeoutError):
            refusal = self._not_ready
        if refusal is not None:
            return "\n".join(
                text
                for each in (refusal, *(getattr(refusal, "subproblems", None) or ()))
                for text in _describe(each, shown)
            )
        report, self.report = self.report, ""
        if not isinstance(error, errors.AuthorizationError):
            return ""
        if report:  # which Certbot shows by itself, but not under -q
            return report if self._namespace.quiet else ""
        return hint_for(failed, None)  # beside another authenticator nobody has asked for it

    def _lineage(self, record: logging.LogRecord | None) -> Lineage | None:
        """Returns the lineage that an error is about: of ``renew``, or to be revoked."""
        config_dir = os.path.abspath(str(self._namespace.config_dir))
        if self._verb == "renew":
            args = record.args if record is not None else ()
            names = [each for each in args or () if isinstance(each, str)]
            return files.named(config_dir, names[0]) if names else None
        if self._verb == "revoke" and not self._named:
            path = self._namespace.cert_path
            path = path[0] if isinstance(path, tuple) else path  # a tuple before Certbot 1.26
            if self._namespace.certname:
                return files.named(config_dir, self._namespace.certname)
            return files.with_certificate_file(config_dir, path) if path else None
        return None

    def _concerns_us(self, lineage: Lineage | None) -> bool:
        """Tells whether an error is JPRS's, and the plugin selected."""
        server = self._namespace.server
        if self._verb == "renew":
            if lineage is None:
                return False
            server = lineage.server
        selected = self._named or (
            lineage is not None and NAME in (lineage.authenticator, lineage.installer)
        )
        return selected and policy.is_jprs(server)


def _message(record: logging.LogRecord | None) -> str:
    """Returns what a record shows; nothing where its arguments do not fit, which is not our bug."""
    if record is None:
        return ""
    try:
        message = record.getMessage()
    except (TypeError, ValueError, LookupError):
        return ""
    return f"{message}\n{record.exc_info[1]}" if record.exc_info else message


def _exception_in(record: logging.LogRecord) -> BaseException | None:
    """Returns the exception of a record that comes from JPRS's refusal, directly or not."""
    args = record.args if isinstance(record.args, tuple) else ()
    found = [record.exc_info[1]] if record.exc_info else []
    found += [each for each in args if isinstance(each, BaseException)]
    for error in found:
        if isinstance(error, (errors.AuthorizationError, acme_errors.TimeoutError)) or (
            error is not None and _refusal_in(error) is not None
        ):
            return error
    return None


def _not_ready_in(record: logging.LogRecord) -> messages.Error | None:
    """Returns the refusal to complete an order that a record of acme's shows as received.

    Newer versions of acme ask until their time is up, and then say only that. Where the record has
    another form, nothing is added to what they say.
    """
    if not isinstance(record.args, tuple) or "orderNotReady" not in str(record.args[-1:]):
        return None
    for problem in matching.find_in_text(str(record.args[-1])):
        document = {"type": messages.ERROR_PREFIX + problem.kind, "detail": problem.detail}
        error: messages.Error = messages.Error.from_json(document)
        return error
    return None


def _failed_in(record: logging.LogRecord) -> dict[tuple[str, str], Failed]:
    """Returns the failed challenges that a record of acme's shows as received.

    Only the authenticator is told of them otherwise, and that may be another plugin. Where the
    record has another form, nothing is added to what that one says.
    """
    return failed_in(str(record.args[-1])) if isinstance(record.args, tuple) and record.args else {}


def _refusal_in(error: BaseException) -> messages.Error | None:
    """Returns the ACME error that an exception is, carries, or came out of."""
    for each in _origins(error):
        if isinstance(each, messages.Error):
            return each
        carried = getattr(each, "error", None)  # acme's IssuanceError
        if isinstance(carried, messages.Error):
            return carried
    return None


def _origins(error: BaseException) -> Iterator[BaseException]:
    """Yields an exception and those that it came out of.

    With Python 3.11 and Certbot before 2.6 (Debian 12) an ACME error that passes a context manager
    becomes an ``AttributeError``, and is only its ``__context__``.
    """
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        each = queue.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        queue += [each.__cause__, None if each.__suppress_context__ else each.__context__]


def _words(refusal: messages.Error) -> list[str]:
    """Returns what Certbot may show of an ACME error, the server's words first."""
    parts = (refusal.detail, refusal.title, refusal.description, refusal.typ)
    return [str(part) for part in parts if part]


def _shows(message: str, error: BaseException) -> bool:
    """Tells whether an error message of Certbot's is about an exception."""
    refusal = _refusal_in(error)
    words = [str(error) or type(error).__name__, *(_words(refusal) if refusal is not None else ())]
    return any(each and each in message for each in words)


def _describe(refusal: messages.Error, shown: str) -> Iterator[str]:
    """Yields the server's words, unless they were shown, and what they mean at JPRS."""
    words = _words(refusal)[0]
    if words not in shown:
        yield _("JPRS's answer: {words}").format(words=words)
    explanation = matching.explain(str(refusal.typ), refusal.detail)
    if explanation is not None:
        yield paragraph(explanation)


def paragraph(explanation: matching.Explanation) -> str:
    """Words an explanation for the user.

    Args:
        explanation: what to say.
    """
    return _("What this means at JPRS: {meaning}\nWhat to do next: {step}").format(
        meaning=explanation.meaning, step=explanation.step
    )
