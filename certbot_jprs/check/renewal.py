"""The renewals to come: the lineage's files, and what runs ``certbot renew``."""

from __future__ import annotations

import os
import re
import time

from cryptography import x509

from certbot_jprs.check import hooks
from certbot_jprs.check.case import Case
from certbot_jprs.check.report import Report
from certbot_jprs.ground.language import _
from certbot_jprs.holding.records import Store
from certbot_jprs.lineage import archive, files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine.schedulers import Found
from certbot_jprs.ocsp.signatures import utc
from certbot_jprs.rules import policy

_PERIOD = re.compile(r"\s*([0-9]+)\s*(day|week|month|year)s?\s*", re.IGNORECASE)
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}


def check(report: Report, case: Case, found: Found) -> None:
    """Checks what later renewals need.

    Args:
        report: where to write.
        case: the command.
        found: what renews certificates on this machine.
    """
    _check_lineage(report, case)
    _check_expansion(report, case)
    hooks.check(report, case, found)
    _check_schedulers(report, found)


def _check_expansion(report: Report, case: Case) -> None:
    """Finds the certificate that Certbot would ask about because its names are among these."""
    config = case.config
    if case.lineage is not None or config.certname or config.duplicate or config.csr:
        return
    if case.interactive or config.expand or config.renew_by_default:
        return
    wanted = frozenset(case.names)
    for lineage in files.all_in(case.config_dir):
        try:
            names = lineage.names()
        except (OSError, ValueError):
            continue
        if names and names < wanted:
            report.fail(
                _(
                    "The certificate {name} has some of these names, and with -n Certbot cannot "
                    "ask whether to add the others to it. Add --expand to do so, or --cert-name "
                    "NEW for one of its own."
                ).format(name=lineage.name)
            )
            return


def _check_lineage(report: Report, case: Case) -> None:
    name = case.config.certname
    if case.lineage is None:
        if name and os.path.lexists(os.path.join(case.config_dir, "renewal", f"{name}.conf")):
            report.warn(
                _(
                    "The renewal file of {name} cannot be read, so a new certificate would be "
                    "made beside it. Restore renewal/{name}.conf from a backup, or remove it: "
                    "certbot delete --cert-name {name}"
                ).format(name=name)
            )
        return
    lineage = case.lineage
    try:
        _check_files(lineage)
    except (OSError, ValueError) as error:
        report.warn(
            _(
                "The files of {name} are damaged ({reason}), so it cannot be renewed. Restore "
                "live/{name}/ and archive/{name}/ from a backup."
            ).format(name=lineage.name, reason=error)
        )
        return
    report.ok(_("The renewal file of {name} is sound").format(name=lineage.name))
    _check_key(report, lineage)
    _check_period(report, lineage)
    _check_held(report, case, lineage)


def _check_files(lineage: Lineage) -> None:
    """Checks that the links lead to one version's files.

    Raises:
        OSError, ValueError: they do not.
    """
    lineage.certificate()
    version = archive.current_version(lineage)
    if version not in archive.versions(lineage):
        raise ValueError(_("its links do not lead to a complete version"))


def _check_key(report: Report, lineage: Lineage) -> None:
    if policy.is_jprs(lineage.server) and lineage.params.get("key_type") == "ecdsa":
        report.warn(
            _(
                "The renewal file of {name} asks for an ECDSA key, which JPRS refuses; RSA is "
                "used. To be clear, write in {path}: key_type = rsa"
            ).format(name=lineage.name, path=lineage.renewal_file)
        )


def renew_before(lineage: Lineage) -> str | None:
    """Returns what a renewal file says about when to renew, or None.

    Args:
        lineage: the lineage.
    """
    try:
        conf = files.parse(files.load_lines(lineage.renewal_file), lineage.renewal_file)
    except (OSError, ValueError):
        return None
    value = conf.get("renew_before_expiry")
    return value if isinstance(value, str) else None


def renews_always(lineage: Lineage, certificate: x509.Certificate) -> str | None:
    """Returns a ``renew_before_expiry`` by which every run renews, or None.

    Args:
        lineage: the lineage.
        certificate: its certificate.
    """
    text = renew_before(lineage)
    match = _PERIOD.fullmatch(text or "")
    if match is None:
        return None
    seconds = int(match[1]) * _DAYS[match[2].lower()] * 24 * 3600
    return text if seconds >= _lifetime(certificate) else None


def _lifetime(certificate: x509.Certificate) -> float:
    span = utc(certificate, "not_valid_after") - utc(certificate, "not_valid_before")
    return span.total_seconds()


def _check_period(report: Report, lineage: Lineage) -> None:
    text = renews_always(lineage, lineage.certificate())
    if text is not None:
        report.warn(
            _(
                "renew_before_expiry = {text} is as long as the certificate lives: every run of "
                "`certbot renew` would order a new one. Remove that line from {path}."
            ).format(text=text, path=lineage.renewal_file)
        )


def _check_held(report: Report, case: Case, lineage: Lineage) -> None:
    record = Store(case.config_dir).load(lineage.name)
    if record is not None:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(record.since))
        report.warn(
            _(
                "A new certificate of {name} has been waiting since {since} to go into service. To "
                "go on: certbot renew --cert-name {name}"
            ).format(name=lineage.name, since=since)
        )
        return
    linked = archive.current_version(lineage)
    newest = archive.versions(lineage)[-1]
    if linked is not None and newest > linked:
        report.warn(
            _(
                "live/{name}/ points to version {linked} although there is version {newest}: the "
                "next run of Certbot puts that into service."
            ).format(name=lineage.name, linked=linked, newest=newest)
        )


def _check_schedulers(report: Report, found: Found) -> None:
    where = ", ".join(each.where for each in found.schedulers)
    if len(found.schedulers) == 1:
        report.ok(_("Certificates are renewed regularly: {where}").format(where=where))
    elif found.schedulers:
        report.warn(several_schedulers(where))
    else:
        report.warn(no_scheduler())


def several_schedulers(where: str) -> str:
    """Says that more than one thing renews certificates."""
    return _(
        "Certificates are renewed by more than one: {where}. Keep one, remove the others."
    ).format(where=where)


def no_scheduler() -> str:
    """Says that nothing renews certificates."""
    return _(
        "No timer or cron job that runs `certbot renew` was found. Set up one of these:\n"
        "- timer: systemctl enable --now certbot.timer (RHEL: certbot-renew.timer)\n"
        "- root's crontab: 0 0,12 * * * certbot -q renew"
    )
