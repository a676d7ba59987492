"""The web server: its configuration test, its virtual hosts, and a real http-01 challenge.

Rules of this file:

- The delegate serves the challenge by the same calls as in the real command, and takes it away
  again whatever happens: a signal is kept until all is as it was.
- A stopped web server is not started: the real command does that, and afterwards it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from certbot import errors

from certbot_jprs.check import challenge, ports
from certbot_jprs.check.case import Case
from certbot_jprs.check.challenge import Fetched, Outcome
from certbot_jprs.check.dns import Dns
from certbot_jprs.check.report import Report
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegate import Delegate, WebServer
from certbot_jprs.internals.delegation import Workers, not_found, ours
from certbot_jprs.internals.web import hosts
from certbot_jprs.wait.interrupts import Interrupts

HTTP_PORT = 80
HTTPS_PORT = 443


def check(
    report: Report,
    case: Case,
    workers: Workers,
    addresses: Mapping[str, list[str]],
    dns: Dns,
) -> None:
    """Checks who installs, and has who validates serve a challenge.

    Args:
        report: where to write.
        case: the command.
        workers: the delegates; to be made ready runs a web server's configuration test.
        addresses: the addresses of each name that has any.
        dns: this machine's resolver.

    Raises:
        WaitInterrupted: a signal came; everything is as it was.
    """
    usable = [each for each in ours(case.config) if _can_work(report, case, workers, each)]
    installs, validates = case.installs, case.validates
    if installs in usable and case.config.verb == "run":  # `certonly` configures nothing
        plugin = workers.prepared(installs)
        _check_hosts(report, case, installs, plugin)
        _check_https(report, installs, plugin)
    if validates not in usable:
        return
    if isinstance(validates, WebServer) and not ports.runs(validates.processes):
        _tell_of_stopped(report, validates)
    elif addresses:
        _Challenges(report, validates, workers.prepared(validates)).check(addresses, dns)


def _can_work(report: Report, case: Case, workers: Workers, delegate: Delegate) -> bool:
    """Makes a delegate ready for use; tells whether it is."""
    try:
        workers.prepared(delegate)
    except WaitInterrupted:  # which is one of Certbot's errors, too
        raise
    except errors.NoInstallationError as error:
        report.fail(not_found(delegate, case.config, error))
        return False
    except errors.MisconfigurationError as error:
        report.fail(
            _(
                "{server}'s configuration test fails. Correct its configuration until `{test}` "
                "succeeds. The error:\n"
                "{error}"
            ).format(error=error, **delegate.words())
        )
        return False
    except errors.Error as error:
        report.fail(
            _("Certbot's plugin {delegate} cannot work here: {error}").format(
                delegate=delegate.name, error=error
            )
        )
        return False
    if isinstance(delegate, WebServer):
        report.ok(
            _("The syntax of {server}'s configuration is right").format(server=delegate.title)
        )
    return True


def _check_hosts(report: Report, case: Case, server: WebServer, plugin: Any) -> None:
    """Checks that there is a virtual host for each name, as the installation needs it."""
    served = {str(name).lower() for name in plugin.get_all_names()}
    for name in case.names:
        if name.startswith("*."):
            _check_wildcard(report, case, server, plugin, name)
            continue
        if name in served:
            report.ok(
                _("{server} has a virtual host for {name}").format(name=name, **server.words())
            )
            continue
        chosen = server.names_virtual_host(plugin, name)
        if chosen:
            report.warn(
                _(
                    "No virtual host of {server}'s names {name}; the real command adds it to the "
                    "only one that it could mean. To choose yourself, add a {server_name} line."
                ).format(name=name, **server.words())
            )
        elif case.interactive or chosen is None:
            report.warn(
                _(
                    "No virtual host of {server}'s names {name}, so the real command will "
                    "ask which one it is for. Add a {server_name} line for it."
                ).format(name=name, **server.words())
            )
        else:
            report.fail(
                _(
                    "No virtual host of {server}'s names {name}, so the certificate would "
                    "be issued and not installed. Add a {server_name} line for it and reload "
                    "{server}; or use certonly, which installs nothing."
                ).format(name=name, **server.words())
            )


def _check_wildcard(report: Report, case: Case, server: WebServer, plugin: Any, name: str) -> None:
    """Says which virtual hosts would use a wildcard certificate."""
    if case.validates is not None:
        return  # refused, and said already
    if case.interactive:
        report.warn(
            _(
                "The real command will ask which virtual hosts are to use {name}. With -n it takes "
                "all that the name covers."
            ).format(name=name)
        )
        return
    covered = hosts(plugin, name)
    if covered == [name]:
        report.fail(
            _(
                "{server} serves no name that {name} covers, so the certificate would be "
                "issued and not installed. Add a virtual host with such a {server_name} line; or "
                "use certonly, and later: certbot install -i {plugin}"
            ).format(name=name, plugin=NAME, **server.words())
        )
    else:
        report.ok(
            _("The virtual hosts of {hosts} would use {name}").format(
                hosts=", ".join(covered), name=name
            )
        )


def _tell_of_stopped(report: Report, server: WebServer) -> None:
    """Says what becomes of a web server that does not run."""
    if ports.taken(HTTP_PORT, server.processes) is None:
        report.warn(
            _(
                "{server} is not running, so http-01 could not be rehearsed. The real "
                "command starts it; to rehearse everything, start it first: {start}"
            ).format(**server.words())
        )
        return
    report.fail(
        _(
            "{server} is not running, and cannot be started, because another program listens on "
            "TCP port {port}. Stop that one (see: ss -ltnp); to get a certificate for it instead, "
            "use certonly --webroot -w DIR"
        ).format(port=HTTP_PORT, **server.words())
    )


def _check_https(report: Report, server: WebServer, plugin: Any) -> None:
    """Checks that the web server can serve HTTPS."""
    if server.lacks_ssl_module(plugin):
        report.fail(
            _(
                "Apache has no mod_ssl, so the certificate would be issued and not installed. "
                "Install it (dnf install mod_ssl), and restart Apache."
            )
        )
    program = ports.taken(HTTPS_PORT, server.processes)
    if program is not None:
        report.fail(
            _(
                "Another program ({program}) listens on TCP port {port}, so the certificate "
                "would be issued and {server} could not serve it. Stop that one, or use certonly "
                "and give it the certificate"
            ).format(program=program, port=HTTPS_PORT, **server.words())
        )


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
        """Has a challenge served for each name, and fetches it.

        Args:
            addresses: the addresses of each name.
            dns: this machine's resolver.

        Raises:
            WaitInterrupted: a signal came; everything is as it was.
        """
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
