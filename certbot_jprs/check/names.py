"""The names: whether they resolve, and whether CAA allows JPRS to issue for them."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from certbot_jprs.check import caa
from certbot_jprs.check.caa import Judgement, Permission
from certbot_jprs.check.case import Case
from certbot_jprs.check.dns import Dns, LookUpFailed, Trouble
from certbot_jprs.check.report import Report
from certbot_jprs.ground.language import _
from certbot_jprs.machine import addresses

HTTP_PORT = 80

# RFC 1918, RFC 6598, RFC 4193, and what never leaves a host or a link.
_INSIDE = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"),
    )
)


def check(report: Report, case: Case, dns: Dns) -> dict[str, list[str]]:
    """Looks up each name's addresses and CAA records.

    Args:
        report: where to write.
        case: the command.
        dns: this machine's resolver.

    Returns:
        The addresses of each name that has any; where no resolver answers, this server's own.
    """
    found: dict[str, list[str] | None] = {}
    _warn_of_names(report, case)
    for name in case.names:
        try:
            if case.validates_by_http:
                found[name] = _resolve(report, name, dns)
                if found[name] is None:
                    continue  # whose CAA records cannot be looked up either
            _check_caa(report, name, dns)
        except LookUpFailed as failure:
            report.warn(
                _(
                    "Names cannot be looked up from here ({reason}), so addresses and CAA records "
                    "were not checked. Fix name resolution (/etc/resolv.conf), or check from "
                    "another machine."
                ).format(reason=failure)
            )
            if case.validates_by_http:
                found.update(_instead(report, [n for n in case.names if n not in found]))
            break
    return {name: each for name, each in found.items() if each}


def _instead(report: Report, names: Sequence[str]) -> dict[str, list[str]]:
    """Returns this server's own addresses for names whose addresses cannot be looked up."""
    own = addresses.listening(HTTP_PORT)
    outside = [each for each in own if not ipaddress.ip_address(each).is_loopback]
    own = outside or own or ["127.0.0.1"]  # where nothing listens, the rehearsal shall say so
    report.warn(
        _(
            "http-01 is rehearsed at this server's own addresses instead ({addresses}); whether "
            "the names lead here was not checked."
        ).format(addresses=", ".join(own))
    )
    return {name: own for name in names if not name.startswith("*.")}


def _warn_of_names(report: Report, case: Case) -> None:
    """Warns of what JPRS's manual warns of."""
    names = {name.removeprefix("*.") for name in case.names}
    if len(names) > 1:
        report.warn(
            _(
                "{count} names share this certificate: when one name's period of use ends, the "
                "certificate is revoked for all of them. Put only names of the same period "
                "together; otherwise order one certificate for each."
            ).format(count=len(names))
        )


def _resolve(report: Report, name: str, dns: Dns) -> list[str] | None:
    """Looks up a name's addresses; None where its name servers fail.

    Raises:
        LookUpFailed: no resolver answers.
    """
    if name.startswith("*."):  # refused by the rules: http-01 cannot prove a wildcard
        return []
    try:
        found = dns.addresses(name)
    except LookUpFailed as failure:
        if failure.trouble is Trouble.NO_RESOLVER:
            raise
        report.fail(
            _(
                "{name} cannot be resolved ({reason}), so JPRS cannot reach it. Add an A or AAAA "
                "record for it, or have its name servers fixed."
            ).format(name=name, reason=failure)
        )
        return None if failure.trouble is Trouble.BROKEN else []
    inside = [address for address in found if _is_inside(address)]
    if found and inside == found:
        report.warn(
            _(
                "{name} resolves here to {addresses}, which nobody reaches from the Internet. "
                "Make sure that outside it resolves to an address that leads to this machine."
            ).format(name=name, addresses=", ".join(found))
        )
    elif found:
        report.ok(_("{name} resolves to {addresses}").format(name=name, addresses=", ".join(found)))
    else:
        report.fail(
            _(
                "{name} has neither an A nor an AAAA record, so JPRS cannot reach it. Add one at "
                "its DNS provider."
            ).format(name=name)
        )
    return found


def _is_inside(address: str) -> bool:
    """Tells whether an address is for private networks only."""
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in _INSIDE if network.version == parsed.version)


def _check_caa(report: Report, name: str, dns: Dns) -> None:
    """Judges a name's CAA records.

    Raises:
        LookUpFailed: no resolver answers.
    """
    try:
        where, records = caa.climb(name, dns.caa)
    except LookUpFailed as failure:
        if failure.trouble is Trouble.NO_RESOLVER:
            raise
        report.fail(
            _(
                "The CAA records for {name} cannot be looked up ({reason}), and a CA must not "
                "issue then. Have the name servers of its domain, and of the domains above it, "
                "fixed."
            ).format(name=name, reason=failure)
        )
        return
    _tell(report, name, caa.judge(name, where, records))


def _tell(report: Report, name: str, judgement: Judgement) -> None:
    where, issuers = judgement.where, _list(judgement.issuers)
    if judgement.permission is Permission.NO_RECORD:
        report.ok(_("{name} has no CAA record: any CA may issue").format(name=name))
    elif judgement.permission is Permission.CRITICAL:
        report.fail(
            _(
                "The CAA records of {where} have the critical tag {tag!r}, which forbids every "
                "CA that does not know it to issue for {name}. Have that record removed, or its "
                "flags set to 0."
            ).format(where=where, tag=judgement.tag, name=name)
        )
    elif judgement.permission is Permission.FORBIDDEN:
        report.fail(
            _(
                "The CAA records of {where} allow {issuers}, not JPRS, to issue for {name}. Add "
                'this record: {where}. CAA 0 {tag} "{jprs}"'
            ).format(
                where=where,
                issuers=issuers or _("nobody"),
                name=name,
                tag="issuewild" if name.startswith("*.") else "issue",
                jprs=caa.JPRS,
            )
        )
    elif judgement.parameters:
        report.warn(
            _(
                "The CAA records of {where} allow JPRS to issue for {name} with a condition "
                "({parameters}), which JPRS does not document. If JPRS refuses, remove it."
            ).format(where=where, name=name, parameters=judgement.parameters)
        )
    else:
        report.ok(
            _("The CAA records of {where} allow JPRS to issue for {name}").format(
                where=where, name=name
            )
        )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names)
