"""JPRS's service as this machine reaches it: directory, proxies, OCSP responder.

Rules of this file: the CA is asked for its directory only, and a proxy's URL, which may hold a
password, is never shown.
"""

from __future__ import annotations

import json
import os
import ssl
import urllib.request
from urllib.parse import urlsplit

import requests
from cryptography import x509

from certbot_jprs.check.case import Case
from certbot_jprs.check.report import Report
from certbot_jprs.ground.language import _
from certbot_jprs.ground.said import words
from certbot_jprs.lineage import files
from certbot_jprs.machine.schedulers import Scheduler
from certbot_jprs.ocsp import certificates, evaluation
from certbot_jprs.ocsp.evaluation import Status
from certbot_jprs.ocsp.responder import Responder
from certbot_jprs.rules import policy

SECONDS = 15
"""How long connecting, and each part of the answer, may take."""

_MOST = 64 * 1024

# In urllib3's words, and, for what comes before its version 2, in the C library's.
_NOT_RESOLVED = (
    *("resolve", "name resolution", "Name or service not known"),
    "No address associated with hostname",
)


def check_directory(report: Report, case: Case) -> bool:
    """Fetches the ACME directory (RFC 8555 section 7.1.1).

    Args:
        report: where to write.
        case: the command.

    Returns:
        Whether it could be fetched.
    """
    hint = _hint(case.server)
    try:
        _fetch(case)
    except requests.exceptions.SSLError as error:
        report.fail(
            _(
                "The TLS certificate of {server} cannot be verified ({reason}). Check this "
                "machine's clock and its CA certificates (package ca-certificates)."
            ).format(server=case.server, reason=_tls_reason(error))
        )
        return False
    except requests.RequestException as error:
        report.fail(
            _(
                "{server} cannot be reached ({reason}). Check name resolution, let this machine "
                "connect to {host}, TCP port {port}, in the firewall, or set https_proxy."
            ).format(
                server=case.server, reason=_reason(error), host=_host(case), port=_port(case.server)
            )
        )
        return False
    except ValueError as error:
        report.fail(
            _("{server} is no ACME directory ({reason}).{hint}").format(
                server=case.server, reason=error, hint=hint
            )
        )
        return False
    report.ok(_("{server} is reachable").format(server=case.server))
    return True


def _hint(server: str) -> str:
    if server == policy.SERVER:
        return _(" Try again later; if this lasts, ask JPRS's designated reseller.")
    return _(" Leave --server out, or write it like this: {server}").format(server=policy.SERVER)


def _host(case: Case) -> str:
    return urlsplit(case.server).hostname or ""


def _port(url: str) -> int:
    parts = urlsplit(url)
    return parts.port or (80 if parts.scheme == "http" else 443)


def _fetch(case: Case, *, with_proxies: bool = True) -> None:
    """Fetches the directory, and looks whether it is one.

    Raises:
        requests.RequestException: there is no answer.
        ValueError: the answer is no directory.
    """
    with requests.Session() as session:
        session.trust_env = with_proxies
        verify: bool | str = not case.config.no_verify_ssl
        if verify and not with_proxies:  # the variables that name a CA store are not a proxy's
            verify = (
                os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
            )
        with session.get(case.server, timeout=SECONDS, verify=verify, stream=True) as response:
            if response.status_code != 200:
                raise ValueError(_("HTTP status {status}").format(status=response.status_code))
            body = response.raw.read(_MOST, decode_content=True)
    try:
        directory = json.loads(body)
    except ValueError as error:
        raise ValueError(_("the answer is not JSON")) from error
    if not isinstance(directory, dict) or not {"newNonce", "newOrder"} <= set(directory):
        raise ValueError(_("the answer lacks fields that an ACME directory must have"))


def _reason(error: BaseException) -> str:
    """Says in a few words of our own why there is no connection."""
    if isinstance(error, requests.exceptions.ProxyError):
        return _("the proxy cannot be used")
    if isinstance(error, requests.exceptions.Timeout):
        return _("no answer in time")
    text = str(error)
    if any(each in text for each in _NOT_RESOLVED):
        return _("its name cannot be resolved")
    if "refused" in text:
        return _("connection refused")
    if "unreachable" in text:
        return _("network unreachable")
    return type(error).__name__


def _tls_reason(error: BaseException) -> str:
    walk: BaseException | None = error
    while walk is not None:
        if isinstance(walk, ssl.SSLCertVerificationError):
            return walk.verify_message
        reason = getattr(walk.args[0], "reason", None) if walk.args else None
        following = reason if isinstance(reason, BaseException) else None
        walk = following or walk.__cause__ or walk.__context__
    return "TLS"


# Proxies


def check_proxies(report: Report, case: Case, schedulers: list[Scheduler]) -> None:
    """Warns of proxies that only this shell has.

    Args:
        report: where to write.
        case: the command.
        schedulers: what renews certificates here.
    """
    variables = sorted(
        name
        for name in os.environ
        if name.lower() in ("http_proxy", "https_proxy", "all_proxy") and os.environ[name]
    )
    if not variables or urllib.request.proxy_bypass_environment(_host(case)):  # type: ignore[attr-defined]
        return
    if schedulers and all(scheduler.sets_proxy for scheduler in schedulers):
        report.ok(_("The proxy is also set for automatic renewal"))
        return
    names = ", ".join(variables)
    try:
        _fetch(case, with_proxies=False)
    except (requests.RequestException, ValueError):
        report.warn(
            _(
                "This shell uses a proxy ({variables}) that a timer or cron job does not have, "
                "and without it JPRS cannot be reached: automatic renewal will fail. Set it "
                "there, too:\n"
                "- timer: systemctl edit certbot.service, then [Service] and "
                "Environment=https_proxy=... http_proxy=...\n"
                "- crontab: https_proxy=... on a line above the command"
            ).format(variables=names)
        )
        return
    report.warn(
        _(
            "This shell uses a proxy ({variables}) that a timer or cron job does not have. JPRS "
            "can be reached without it, too; if the OCSP server cannot, set it there: systemctl "
            "edit certbot.service"
        ).format(variables=names)
    )


# OCSP


def check_ocsp(report: Report, case: Case) -> tuple[str, ...]:
    """Asks the OCSP responder, where a certificate of JPRS's here names one.

    Args:
        report: where to write.
        case: the command.

    Returns:
        The responder's URLs; empty where they are not known.
    """
    for lineage in _of_jprs(case):
        links = lineage.links
        try:
            one = certificates.awaited(lineage.name, links["cert"], links["chain"], None)
        except (OSError, ValueError):
            continue
        urls = evaluation.responder_urls(one.certificate) if one is not None else ()
        if one is None or not urls:
            continue
        _ask(report, lineage.name, one.certificate, one.issuer)
        return urls
    return ()


def _of_jprs(case: Case) -> list[files.Lineage]:
    found = [each for each in files.all_in(case.config_dir) if policy.is_jprs(each.server)]
    name = case.lineage.name if case.lineage is not None else None
    return sorted(found, key=lambda lineage: lineage.name != name)


def _ask(
    report: Report, name: str, certificate: x509.Certificate, issuer: x509.Certificate
) -> None:
    with Responder() as responder:
        answer = responder.ask(certificate, issuer)
    if answer.status is Status.UNDETERMINED:
        report.warn(
            _(
                "The OCSP server gives no usable answer about {name} ({reason}): a new "
                "certificate would wait its full time and then be used unchecked. Let this "
                "machine reach it, in the firewall or by http_proxy."
            ).format(name=name, reason=words(answer.reason))
        )
    elif answer.status is Status.REVOKED:
        report.warn(
            _(
                "The OCSP server answers: the present certificate of {name} is revoked. Ask JPRS's "
                "designated reseller why; a new one, once issued, replaces it at once."
            ).format(name=name)
        )
    else:
        report.ok(_("The OCSP server answers about {name}").format(name=name))
