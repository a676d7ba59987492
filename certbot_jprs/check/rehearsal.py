"""The rehearsal: which checks, in which order, and how it ends.

Rules of this file: nothing is asked of the CA but its directory, and nothing is left changed.
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import urlsplit

from certbot_jprs.check import account, names, renewal, service, web
from certbot_jprs.check import case as cases
from certbot_jprs.check.case import Case
from certbot_jprs.check.dns import Dns
from certbot_jprs.check.report import Level, Report
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegate import entry_point
from certbot_jprs.internals.delegation import Workers
from certbot_jprs.machine import schedulers
from certbot_jprs.rules.decision import Decision
from certbot_jprs.wait.interrupts import Interrupts


def run(config: Any, decision: Decision, workers: Workers) -> int:
    """Rehearses a command.

    Args:
        config: Certbot's configuration.
        decision: what it means for the plugin.
        workers: the delegates.

    Returns:
        The exit status: 1 if the real command would fail, or a signal ended this one; else 0.
    """
    report = Report(_show, quiet=bool(config.quiet))
    case = cases.make(config, decision)
    try:
        with Interrupts() as interrupts, interrupts.listening():
            _check(report, case, workers)
    except WaitInterrupted:
        report.say(
            _("A signal ended the rehearsal, which is not complete; everything is as it was.")
        )
        return 1
    return 1 if report.failed else 0


def _show(line: str) -> None:
    print(line, file=sys.stdout, flush=True)  # noqa: T201 - each line as soon as it is known


def _check(report: Report, case: Case, workers: Workers) -> None:
    if case.names:
        report.say(_("Rehearsal for {names}:").format(names=", ".join(case.names)))
    if case.broken_rule:
        report.fail(case.broken_rule)
    for notice in case.notices:
        report.warn(notice)
    if not case.names:
        report.fail(
            _(
                "There is no such certificate here, so the names are not known. Add -d NAMES, or "
                "correct --cert-name (see: certbot certificates)."
            )
        )
        return
    found = schedulers.find(case.config_dir)
    if service.check_directory(report, case):
        service.check_proxies(report, case, found.schedulers)
    registers = account.check(report, case)
    dns = Dns(urlsplit(case.server).hostname or "")
    addresses = names.check(report, case, dns)
    _check_plugins(report, case)
    web.check(report, case, workers, addresses, dns)
    urls = service.check_ocsp(report, case)
    renewal.check(report, case, found)
    _conclude(report, case, urls, registers=registers)


def _check_plugins(report: Report, case: Case) -> None:
    """Checks that the plugins that the lineage's renewals need can be loaded."""
    if case.lineage is None:
        return
    for name in sorted({case.lineage.authenticator or "", case.lineage.installer or ""} - {""}):
        reason = _why_not_loadable(name)
        if reason is None:
            continue
        report.warn(
            _(
                "The renewal file of {lineage} names the plugin {plugin}, which cannot be loaded "
                "({reason}): automatic renewal will fail. Install that plugin."
            ).format(lineage=case.lineage.name, plugin=name, reason=reason)
        )


def _why_not_loadable(name: str) -> str | None:
    """Says why a plugin of Certbot's cannot be loaded; None where it can."""
    found = entry_point(name)
    if found is None:
        return _("it is not installed")
    try:
        found.load()
    except (ImportError, AttributeError) as error:
        return str(error)
    return None


def _conclude(report: Report, case: Case, urls: tuple[str, ...], *, registers: bool) -> None:
    """Says what a firewall must let through, what was not proved, and how it ended."""
    report.say("")
    report.say(_("A firewall must let through:"))
    for url in (case.server, *urls):
        parts = urlsplit(url)
        port = parts.port or (80 if parts.scheme == "http" else 443)
        report.say(
            _("  from here: to {host}, TCP port {port}").format(host=parts.hostname, port=port)
        )
    if not urls:
        report.say(
            _("  from here: to JPRS's OCSP server, TCP port 80 (the certificate names its host)")
        )
    if case.validates is not None:
        report.say(_("  to here: from anywhere, TCP port 80"))
    report.say(_("Not proved by this rehearsal:"))
    for text in _unproved(case, registers=registers):
        report.say("  " + text)
    report.say("")
    report.say(
        _("{failures} FAIL, {warnings} warn, {good} ok. Nothing was ordered or changed.").format(
            failures=report.count(Level.FAIL),
            warnings=report.count(Level.WARN),
            good=report.count(Level.OK),
        )
    )


def _unproved(case: Case, *, registers: bool) -> list[str]:
    texts = [
        _("that each name is registered, and paid for, at JPRS's designated reseller"),
    ]
    if registers:
        texts.append(_("that the EAB credentials are right and not older than 14 days"))
    else:
        texts.append(_("that JPRS still accepts the account"))
    if case.validates is not None:
        texts.append(_("that JPRS reaches port 80 from outside"))
    else:
        texts.append(
            _(
                "that {plugin} can prove control of the names: only http-01 is rehearsed, where "
                "{name} performs it"
            ).format(plugin=case.config.authenticator, name=NAME)
        )
    if any(name.startswith("*.") for name in case.names):
        texts.append(_("that a wildcard name is part of what was applied for"))
    return texts
