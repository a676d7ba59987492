"""What is wrong with a lineage or with a machine, and how bad that is.

Rules of this file: facts in, findings out; each says what is wrong, then the next step.
"""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import Callable

from cryptography import x509

from certbot_jprs.check.hooks import HOOKS
from certbot_jprs.check.renewal import no_scheduler, renews_always, several_schedulers
from certbot_jprs.command import damage
from certbot_jprs.command.levels import DAY, Finding, Level, Limits
from certbot_jprs.command.survey import Entry, Survey
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.said import words
from certbot_jprs.internals import delegation
from certbot_jprs.lineage.adoption import without_sleep
from certbot_jprs.ocsp.evaluation import Status
from certbot_jprs.ocsp.signatures import utc
from certbot_jprs.rules import policy


def of_lineage(entry: Entry, limits: Limits, now: datetime) -> list[Finding]:
    """Says what is wrong with a lineage.

    Args:
        entry: what is known of it.
        limits: when its end is near.
        now: the time, in UTC.
    """
    found: list[Finding] = []

    def add(level: Level, kind: str, message: str) -> None:
        found.append(Finding(level, kind, message))

    certificate = entry.certificate
    if certificate is None:
        add(
            Level.UNKNOWN,
            "unreadable",
            _(
                "its certificate cannot be read. Run this as root; if that does not help, restore "
                "live/ and archive/ from a backup."
            ),
        )
        return found
    _check_end(entry, certificate, limits, now, add)
    _check_status(entry, add)
    _check_held(entry, add)
    found += damage.of_files(entry)
    _check_served(entry, now, add)
    _check_settings(entry, certificate, add)
    _check_hooks(entry, add)
    return found


Add = Callable[[Level, str, str], None]


def _check_end(
    entry: Entry, certificate: x509.Certificate, limits: Limits, now: datetime, add: Add
) -> None:
    end = utc(certificate, "not_valid_after")
    warn, crit = limits.of(end - utc(certificate, "not_valid_before"))
    renew = _("To renew now: certbot renew --cert-name {name}").format(name=entry.lineage.name)
    if end <= now:
        add(
            Level.CRITICAL,
            "expired",
            _("expired on {date}. {renew}").format(date=end.date(), renew=renew),
        )
        return
    days = (end - now) // DAY
    message = _("expires on {date} ({days} day(s) left). {renew}").format(
        days=days, date=end.date(), renew=renew
    )
    if end - now <= crit:
        add(Level.CRITICAL, "expires", message)
    elif end - now <= warn:
        add(Level.WARNING, "expires", message)


def _check_status(entry: Entry, add: Add) -> None:
    if entry.answer is None or entry.answer.status is Status.GOOD:
        return
    if entry.answer.status is Status.REVOKED:
        add(
            Level.CRITICAL,
            "revoked",
            _(
                "the certificate in service is revoked. Have it issued anew at once, and ask "
                "JPRS's designated reseller why: certbot renew --force-renewal --cert-name {name}"
            ).format(name=entry.lineage.name),
        )
    elif entry.answer.status is Status.UNKNOWN:
        add(
            Level.WARNING,
            "ocsp-unknown",
            _(
                "the OCSP server does not know the certificate in service. If that was issued more "
                "than an hour ago, tell JPRS's designated reseller."
            ),
        )
    else:
        add(
            Level.UNKNOWN,
            "ocsp-undetermined",
            _(
                "its OCSP status could not be found out ({reason}). Check that this machine "
                "reaches the OCSP server."
            ).format(reason=words(entry.answer.reason)),
        )


def _check_held(entry: Entry, add: Add) -> None:
    record, name = entry.record, entry.lineage.name
    if record is not None:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.since))
        why = " ".join(words(record.failure).split()).rstrip(".。")
        message = (
            _(
                "a new certificate has been waiting since {since} to go into service ({why}). To "
                "go on: certbot renew --cert-name {name}"
            )
            if why
            else _(
                "a new certificate has been waiting since {since} to go into service. To go on: "
                "certbot renew --cert-name {name}"
            )
        )
        add(Level.WARNING, "held", message.format(since=since, why=why, name=name))
    elif entry.version is not None and entry.newest is not None and entry.newest > entry.version:
        add(
            Level.WARNING,
            "pending",
            _(
                "live/ points to version {version} although there is version {newest}. To put "
                "that into service: certbot renew --cert-name {name}"
            ).format(version=entry.version, newest=entry.newest, name=name),
        )


def _check_served(entry: Entry, now: datetime, add: Add) -> None:
    for name, certificate in entry.served.items():
        if certificate == entry.certificate:
            continue
        if not entry.judges(name):
            continue
        version = entry.version_of(certificate)
        level = Level.CRITICAL if utc(certificate, "not_valid_after") <= now else Level.WARNING
        if version is not None:
            message = _(
                "port 443 of {name} serves version {version}, live/ has version {linked}. Reload "
                "the web server, and see its error log."
            ).format(name=name, version=version, linked=entry.version)
        else:
            message = _(
                "port 443 of {name} serves another certificate than this one, valid until {date}. "
                "Check the web server's configuration for that name."
            ).format(name=name, date=utc(certificate, "not_valid_after").date())
        add(level, "served-other", message)


def _check_settings(entry: Entry, certificate: x509.Certificate, add: Add) -> None:
    lineage, path = entry.lineage, entry.lineage.renewal_file
    if not policy.is_jprs(lineage.server):
        add(
            Level.WARNING,
            "other-server",
            _(
                "it is renewed by {plugin} from another server than JPRS's: {server}. To move it "
                "to JPRS: certbot run -a {plugin} --cert-name {name}"
            ).format(plugin=NAME, server=lineage.server, name=lineage.name),
        )
    elif lineage.server != policy.SERVER:
        add(
            Level.WARNING,
            "server-url",
            _("its server is {server}. Write in {path}: server = {right}").format(
                server=lineage.server, path=path, right=policy.SERVER
            ),
        )
    is_rsa = policy.is_acceptable_key(certificate.public_key())
    if lineage.params.get("key_type") == "ecdsa" or not is_rsa:
        add(
            Level.WARNING,
            "ecdsa",
            _(
                "its key, or the key it asks for at renewal ({key}), is not accepted by JPRS. "
                "Write in {path}: key_type = rsa"
            ).format(key=entry.key if not is_rsa else "ECDSA", path=path),
        )
    if not entry.account_exists:
        add(
            Level.WARNING,
            "account",
            _(
                "its account {account} is not on this machine, so it cannot be renewed. Restore "
                "accounts/ from a backup, or run the command that ordered it again, with new EAB "
                "credentials."
            ).format(account=entry.account or "-"),
        )
    text = renews_always(lineage, certificate)
    if text is not None:
        add(
            Level.WARNING,
            "renews-always",
            _(
                "renew_before_expiry = {text} is as long as the certificate lives, so every run "
                "orders a new one. Remove that line from {path}."
            ).format(text=text, path=path),
        )


def _check_hooks(entry: Entry, add: Add) -> None:
    for kind in HOOKS:
        command = entry.lineage.params.get(kind)
        if kind == "pre_hook" or not isinstance(command, str):
            continue
        left = without_sleep(command, delegation.of_lineage(entry.lineage.params).installer)
        if left == command:
            continue
        message = (
            _(
                "{path} sleeps: `{kind} = {command}`. Run: certbot-jprs adopt {name}; or write "
                "instead: {kind} = {left}"
            )
            if left
            else _(
                "{path} sleeps: `{kind} = {command}`. Run: certbot-jprs adopt {name}; or delete "
                "that line"
            )
        )
        add(
            Level.WARNING,
            "sleep",
            message.format(
                path=entry.lineage.renewal_file,
                kind=kind,
                command=command,
                name=entry.lineage.name,
                left=left,
            ),
        )


def of_machine(survey: Survey) -> list[Finding]:
    """Says what is wrong beside the lineages.

    Args:
        survey: what is known of the machine.
    """
    found = [
        Finding(
            Level.UNKNOWN,
            "unreadable",
            _(
                "{path} cannot be read. Restore it from a backup, or: certbot delete "
                "--cert-name {name}"
            ).format(path=path, name=os.path.basename(path)[: -len(".conf")]),
        )
        for path in survey.unreadable
    ]
    if not os.path.isdir(survey.config_dir):
        message = _(
            "{config_dir} does not exist: Certbot has not run here yet, or --config-dir has to "
            "name another directory"
        )
        found.append(
            Finding(Level.UNKNOWN, "no-config-dir", message.format(config_dir=survey.config_dir))
        )
    elif not survey.entries and not survey.unreadable:
        message = _(
            "nothing can be said of this machine, since it has no certificate of JPRS. To get one: "
            "certbot run -a {plugin} -d NAME. If it is to have none, leave it out of the monitoring"
        )
        found.append(Finding(Level.UNKNOWN, "no-certificate", message.format(plugin=NAME)))
    found += [Finding(Level.WARNING, "sleep", sleep.explain()) for sleep in survey.found.sleeps]
    schedulers = survey.found.schedulers
    if survey.entries and not schedulers:
        found.append(Finding(Level.WARNING, "no-scheduler", no_scheduler()))
    elif len(schedulers) > 1:
        where = ", ".join(each.where for each in schedulers)
        found.append(Finding(Level.WARNING, "schedulers", several_schedulers(where)))
    return found
