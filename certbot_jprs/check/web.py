"""Apache: its configuration test, its virtual hosts, and a real http-01 challenge in it.

Rules of this file:

- The Apache plugin serves the challenge by the same calls as in the real command, and takes it
  away again whatever happens: a signal is kept until its configuration is as it was.
- A stopped Apache is not started: the real command does that, and afterwards it runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from certbot import errors

from certbot_jprs.check import challenge, ports
from certbot_jprs.check.case import Case
from certbot_jprs.check.challenge import Fetched, Outcome
from certbot_jprs.check.dns import Dns
from certbot_jprs.check.report import Report
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals import web as installer
from certbot_jprs.wait.interrupts import Interrupts

HTTP_PORT = 80
HTTPS_PORT = 443


def check(
    report: Report,
    case: Case,
    apache: Callable[[], Any],
    addresses: Mapping[str, list[str]],
    dns: Dns,
) -> None:
    """Checks Apache, and has it serve a challenge.

    Args:
        report: where to write.
        case: the command.
        apache: makes the Apache plugin ready for use; that runs Apache's configuration test.
        addresses: the addresses of each name that has any.
        dns: this machine's resolver.

    Raises:
        WaitInterrupted: a signal came; Apache's configuration is as it was.
    """
    try:
        plugin = apache()
    except WaitInterrupted:  # which is one of Certbot's errors, too
        raise
    except errors.NoInstallationError as error:
        report.fail(
            _(
                "Apache was not found ({error}). Install it, or name its programs with "
                "--apache-ctl; for another web server, see: certbot-jprs wait-ocsp --help"
            ).format(error=error)
        )
        return
    except errors.MisconfigurationError as error:
        report.fail(
            _(
                "Apache's configuration test fails. Correct its configuration until `apachectl "
                "configtest` says Syntax OK. The error:\n"
                "{error}"
            ).format(error=error)
        )
        return
    except errors.Error as error:
        report.fail(_("Certbot's Apache plugin cannot work here: {error}").format(error=error))
        return
    report.ok(_("The syntax of Apache's configuration is right"))
    if case.installs_in_apache and case.config.verb == "run":  # `certonly` configures nothing
        _check_hosts(report, case, plugin)
        _check_https(report, plugin)
    if not case.validates_by_apache:
        return
    if not ports.apache_runs():
        _tell_of_stopped(report)
        return
    if addresses:
        _check_challenge(report, plugin, addresses, dns)


def _check_hosts(report: Report, case: Case, plugin: Any) -> None:
    """Checks that there is a virtual host for each name, as the installation needs it."""
    served = {str(name).lower() for name in plugin.get_all_names()}
    for name in case.names:
        if name.startswith("*."):
            _check_wildcard(report, case, plugin, name)
            continue
        if name in served:
            report.ok(_("Apache has a virtual host for {name}").format(name=name))
            continue
        chosen = installer.has_virtual_host(plugin, name)
        if chosen:
            report.warn(
                _(
                    "No virtual host of Apache's names {name}; the real command adds it to the "
                    "only one that it could mean. To choose yourself, add a ServerName or "
                    "ServerAlias line."
                ).format(name=name)
            )
        elif case.interactive or chosen is None:
            report.warn(
                _(
                    "No virtual host of Apache's names {name}, so the real command will ask which "
                    "one it is for. Add a ServerName or ServerAlias line for it."
                ).format(name=name)
            )
        else:
            report.fail(
                _(
                    "No virtual host of Apache's names {name}, so the certificate would be issued "
                    "and not installed. Add a ServerName or ServerAlias line for it and reload "
                    "Apache; or use certonly, which installs nothing."
                ).format(name=name)
            )


def _check_wildcard(report: Report, case: Case, plugin: Any, name: str) -> None:
    """Says which virtual hosts would use a wildcard certificate."""
    if case.validates_by_apache:
        return  # refused, and said already
    if case.interactive:
        report.warn(
            _(
                "The real command will ask which virtual hosts are to use {name}. With -n it takes "
                "all that the name covers."
            ).format(name=name)
        )
        return
    hosts = installer.hosts(plugin, name)
    if hosts == [name]:
        report.fail(
            _(
                "Apache serves no name that {name} covers, so the certificate would be issued and "
                "not installed. Add a virtual host with such a ServerName; or use certonly, and "
                "later: certbot install -i {plugin}"
            ).format(name=name, plugin=NAME)
        )
    else:
        report.ok(
            _("The virtual hosts of {hosts} would use {name}").format(
                hosts=", ".join(hosts), name=name
            )
        )


def _tell_of_stopped(report: Report) -> None:
    """Says what becomes of an Apache that does not run."""
    if ports.taken_from_apache(HTTP_PORT) is None:
        report.warn(
            _(
                "Apache is not running, so http-01 could not be rehearsed. The real command starts "
                "it; to rehearse everything, start it first: apachectl start"
            )
        )
        return
    report.fail(
        _(
            "Apache is not running, and cannot be started, because another program listens on "
            "TCP port {port}. Stop that one (see: ss -ltnp); to get a certificate for it instead, "
            "see: certbot-jprs wait-ocsp --help"
        ).format(port=HTTP_PORT)
    )


def _check_https(report: Report, plugin: Any) -> None:
    """Checks that Apache can serve HTTPS."""
    if installer.lacks_ssl_module(plugin):
        report.fail(
            _(
                "Apache has no mod_ssl, so the certificate would be issued and not installed. "
                "Install it (dnf install mod_ssl), and restart Apache."
            )
        )
    program = ports.taken_from_apache(HTTPS_PORT)
    if program is not None:
        report.fail(
            _(
                "Another program ({program}) listens on TCP port {port}, so the certificate would "
                "be issued and Apache could not serve it. Stop that one, or use certonly and give "
                "it the certificate; see: certbot-jprs wait-ocsp --help"
            ).format(program=program, port=HTTPS_PORT)
        )


def _check_challenge(
    report: Report, plugin: Any, addresses: Mapping[str, list[str]], dns: Dns
) -> None:
    """Has Apache serve a challenge for each name, and fetches it as the CA would.

    Raises:
        WaitInterrupted: a signal came; Apache's configuration is as it was.
    """
    challenges = challenge.make(list(addresses))
    failure: errors.Error | None = None
    fetched: dict[str, list[Fetched]] = {}
    with Interrupts() as interrupts:
        try:
            plugin.perform([one.annotated for one in challenges])
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
            _restore(report, plugin, challenges)
    if failure is not None:
        report.fail(
            _(
                "The Apache plugin cannot serve a challenge file for http-01. Correct Apache's "
                "configuration. The error:\n"
                "{error}"
            ).format(error=failure)
        )
    for name, results in fetched.items():
        _judge(report, name, results)


def _restore(report: Report, plugin: Any, challenges: list[challenge.Challenge]) -> None:
    """Puts Apache's configuration back, and has Apache read it."""
    try:
        plugin.cleanup([one.annotated for one in challenges])
    except errors.Error as error:
        try:
            plugin.revert_temporary_config()
            plugin.restart()
        except errors.Error:
            report.fail(
                _(
                    "Apache could not be brought back to where it was. Run `certbot rollback "
                    "--apache`, then `apachectl configtest` and `apachectl graceful`. The error:\n"
                    "{error}"
                ).format(error=error)
            )


def _judge(report: Report, name: str, results: list[Fetched]) -> None:
    good = [each for each in results if each.outcome is Outcome.FOUND]
    bad = [each for each in results if each.outcome is not Outcome.FOUND]
    if not bad:
        report.ok(
            _("The http-01 challenge of {name} is served and can be fetched").format(name=name)
        )
        return
    # What another machine answers may be a proxy's or a router's doing, and different from outside.
    here = [each for each in bad if each.is_here]
    if good or not here:
        for each in bad:
            report.warn(_explain(name, each))
    else:
        report.fail(_explain(name, here[0]))


def _explain(name: str, fetched: Fetched) -> str:
    """Words what became of a challenge that could not be fetched."""
    texts = {
        Outcome.NO_CONNECTION: _(
            "{url} cannot be fetched from {address} ({reason}): JPRS validates {name} over TCP "
            "port 80. Have Apache listen there (Listen 80), and open the port in the firewall."
        ),
        Outcome.REDIRECTED: _(
            "{url} is redirected to {reason}, where the challenge is not. Exclude "
            "/.well-known/acme-challenge/ from that redirect of {name}."
        ),
        Outcome.OTHER_ANSWER: _(
            "{url} gives another answer than the challenge ({reason}, from {address}). Find what "
            "handles /.well-known/acme-challenge/ of {name} there (Location, ProxyPass, Alias, a "
            "virtual host before it) and exclude that path."
        ),
    }
    text = texts[fetched.outcome].format(
        url=fetched.url, address=fetched.address, reason=fetched.reason, name=name
    )
    if not fetched.is_here:
        text += " " + _(
            "That address is not this machine's, so this cannot be judged from here: a proxy or "
            "router in front has to pass the path on to this machine."
        )
    return text
