"""The web server: its configuration test, its virtual hosts, and whether it can validate.

Rules of this file: a stopped web server is not started. The real command does that, and afterwards
it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from certbot import errors

from certbot_jprs.check import http01, ports
from certbot_jprs.check.case import Case
from certbot_jprs.check.dns import Dns
from certbot_jprs.check.report import Report
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegate import Delegate, WebServer
from certbot_jprs.internals.delegation import Workers, not_found, ours
from certbot_jprs.internals.web import hosts

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
        http01.check(report, validates, workers.prepared(validates), addresses, dns)


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
