"""A real http-01 challenge: served by whoever validates, and fetched as the CA would.

Rules of this file: the delegate serves it by the same calls as in the real command, and takes it
away again whatever happens: a signal ends neither that nor the programs that it takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from certbot import errors

from certbot_jprs.check import challenge
from certbot_jprs.check.challenge import Fetched, Outcome
from certbot_jprs.check.dns import Dns
from certbot_jprs.check.report import Report
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.language import _
from certbot_jprs.internals.delegate import Delegate, WebServer
from certbot_jprs.wait.interrupts import Interrupts


def check(
    report: Report,
    delegate: Delegate,
    plugin: Any,
    addresses: Mapping[str, list[str]],
    dns: Dns,
) -> None:
    """Has a challenge served for each name, and fetches it.

    Args:
        report: where to write.
        delegate: who serves them.
        plugin: its plugin object, ready for use.
        addresses: the addresses of each name.
        dns: this machine's resolver.

    Raises:
        WaitInterrupted: a signal came; everything is as it was.
    """
    _Challenges(report, delegate, plugin).check(addresses, dns)


class _Challenges:
    """Challenges that a delegate serves, fetched as the CA would.

    Args:
        report: where to write.
        delegate: who serves them.
        plugin: its plugin object, ready for use.
    """

    def __init__(self, report: Report, delegate: Delegate, plugin: Any) -> None:
        self._report = report
        self._delegate = delegate
        self._plugin = plugin

    def check(self, addresses: Mapping[str, list[str]], dns: Dns) -> None:
        """Has a challenge served for each name, and fetches it."""
        challenges = challenge.make(list(addresses))
        failure: errors.Error | None = None
        fetched: dict[str, list[Fetched]] = {}
        with Interrupts() as interrupts:
            try:
                self._plugin.perform([one.annotated for one in challenges])
                with interrupts.listening():
                    for one in challenges:
                        fetched[one.name] = challenge.fetch_all(one, addresses[one.name], dns)
            except WaitInterrupted:
                raise
            except errors.Error as error:
                # Ctrl-C ends apachectl, too: then it is the signal that is told of.
                with interrupts.listening():
                    failure = error
            finally:
                with interrupts.unheard():
                    self._restore(challenges)
        if failure is not None:
            self._report.fail(
                _(
                    "Certbot's plugin {delegate} cannot serve a challenge for http-01. Correct the "
                    "configuration of {server}. The error:\n"
                    "{error}"
                ).format(delegate=self._delegate.name, error=failure, **self._delegate.words())
            )
        for name, results in fetched.items():
            self._judge(name, results)

    def _restore(self, challenges: list[challenge.Challenge]) -> None:
        """Puts everything back, and has the web server read it."""
        plugin, server = self._plugin, self._delegate
        try:
            if isinstance(server, WebServer):
                # A Listen line that it adds for port 80 it saves for good: what is not completed.
                plugin.recovery_routine()
            plugin.cleanup([one.annotated for one in challenges])
        except errors.Error as error:
            if not isinstance(server, WebServer):
                self._report.fail(str(error))
                return
            try:
                plugin.revert_temporary_config()
                plugin.restart()
            except errors.Error:
                self._report.fail(
                    _(
                        "{server} could not be brought back to where it was. Run `certbot rollback "
                        "--{delegate}`, then `{test}` and `{reload}`. The error:\n"
                        "{error}"
                    ).format(error=error, delegate=server.name, **server.words())
                )

    def _judge(self, name: str, results: list[Fetched]) -> None:
        good = [each for each in results if each.outcome is Outcome.FOUND]
        bad = [each for each in results if each.outcome is not Outcome.FOUND]
        if not bad:
            self._report.ok(
                _("The http-01 challenge of {name} is served and can be fetched").format(name=name)
            )
            return
        # What another machine answers may be a proxy's or a router's doing, and different from
        # outside.
        here = [each for each in bad if each.is_here]
        if good or not here:
            for each in bad:
                self._report.warn(_explain(name, each, self._delegate))
        else:
            self._report.fail(_explain(name, here[0], self._delegate))


def _explain(name: str, fetched: Fetched, delegate: Delegate) -> str:
    """Words what became of a challenge that could not be fetched."""
    texts = {
        Outcome.NO_CONNECTION: _(
            "{url} cannot be fetched from {address} ({reason}): JPRS validates {name} over TCP "
            "port 80. Have {server} listen there{how}, and open the port in the firewall."
        ),
        Outcome.REDIRECTED: _(
            "{url} is redirected to {reason}, where the challenge is not. Exclude "
            "/.well-known/acme-challenge/ from that redirect of {name}."
        ),
        Outcome.OTHER_ANSWER: _(
            "{url} gives another answer than the challenge ({reason}, from {address}). Find what "
            "handles /.well-known/acme-challenge/ of {name} there ({what}a virtual host before "
            "it) and exclude that path."
        ),
    }
    text = texts[fetched.outcome].format(
        url=fetched.url,
        address=fetched.address,
        reason=fetched.reason,
        name=name,
        how=f" ({delegate.listen})" if delegate.listen else "",
        what=delegate.handlers,
        **delegate.words(),
    )
    if not fetched.is_here:
        text += " " + _(
            "That address is not this machine's, so this cannot be judged from here: a proxy or "
            "router in front has to pass the path on to this machine."
        )
    return text
