"""What to check after JPRS could not validate a name.

Rules of this file: pure; the failed challenges in, a text out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from certbot_jprs.ground.language import _
from certbot_jprs.internals.delegate import Delegate
from certbot_jprs.problems import matching

SETTLED_ELSEWHERE = ("connection", "unauthorized")
"""Errors whose next step is the list of checks itself."""


@dataclass(frozen=True)
class Failed:
    """A failed challenge.

    Attributes:
        name: the name to be validated.
        url: what JPRS fetched; by dns-01, the name of the record.
        kind: the ACME error type without its prefix.
        detail: JPRS's words: what it got instead.
        by_dns: whether it looked for a TXT record (dns-01) instead.
    """

    name: str
    url: str
    kind: str
    detail: str
    by_dns: bool = False

    @classmethod
    def of(cls, achall: Any) -> Failed:
        """Takes over what Certbot says of a challenge.

        Args:
            achall: Certbot's annotated challenge.
        """
        # Certbot 5.4 put the identifier in the domain's place.
        identifier = getattr(achall, "identifier", None)
        name = str(getattr(identifier, "value", None) or achall.domain)
        error = achall.error
        kind = str(error.typ).rpartition(":")[2]
        return cls(name, achall.chall.uri(name), kind, str(error.detail or error.title or ""))


def failed_http(achalls: Iterable[Any]) -> list[Failed]:
    """Takes over those of Certbot's failed challenges that this plugin performs: http-01.

    Args:
        achalls: Certbot's annotated challenges, each with its error.
    """
    return [Failed.of(achall) for achall in achalls if achall.chall.typ == "http-01"]


def failed_in(answer: str) -> dict[tuple[str, str], Failed]:
    """Finds the failed challenges in an authorization (RFC 8555 section 7.1.4) of a CA.

    Args:
        answer: the body of an answer; of anything else none is found.

    Returns:
        The failed challenges by name and type.
    """
    if '"invalid"' not in answer or '"challenges"' not in answer:
        return {}
    try:
        document = json.loads(answer)
        name = str(document["identifier"]["value"])
        return {
            (name, kind): failed
            for challenge in document["challenges"]
            for kind, failed in _failed(name, challenge)
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}


def _failed(name: str, challenge: Any) -> Iterator[tuple[str, Failed]]:
    kind, error = challenge["type"], challenge.get("error")
    if not error:
        return
    words = str(error["type"]).rpartition(":")[2], str(error.get("detail") or "")
    if kind == "http-01":
        url = f"http://{name}/.well-known/acme-challenge/{challenge['token']}"
        yield kind, Failed(name, url, *words)
    elif kind == "dns-01":
        yield kind, Failed(name, f"_acme-challenge.{name}", *words, by_dns=True)


def hint_for(failed: Iterable[Failed], delegate: Delegate | None) -> str:
    """Words what JPRS fetched, what it got, and what to check.

    Args:
        failed: the failed challenges, at least one.
        delegate: who performed them; None: another plugin than this one.
    """
    lines: list[str] = []
    checks: dict[bool, str] = {}
    for each in failed:
        report = (
            _(
                "JPRS could not validate {name}.\nWhat it looked up: TXT {url}\n"
                "What it reports: {words}"
            )
            if each.by_dns
            else _(
                "JPRS could not validate {name}.\nWhat it fetched: {url}\nWhat it reports: {words}"
            )
        )
        lines.append(report.format(name=each.name, url=each.url, words=each.detail or each.kind))
        explanation = matching.explain(each.kind, each.detail, where=matching.CHALLENGE)
        if explanation is None or each.kind in SETTLED_ELSEWHERE:
            checks[each.by_dns] = _dns_checks() if each.by_dns else _http_checks(delegate)
        said = [explanation.meaning] if explanation is not None else []
        if explanation is not None and each.kind not in SETTLED_ELSEWHERE:
            said.append(explanation.step)
        lines += [line for line in said if line not in lines]
    return "\n".join([*lines, *checks.values()])


def _http_checks(delegate: Delegate | None) -> str:
    checks = _(
        "Check, for each name:\n"
        "- DNS: its A and AAAA records lead to this server (AAAA comes first).\n"
        "- Port 80 is open to the Internet (firewall, router, filters of the provider).\n"
        "- No redirect leads to another host."
    )
    return checks if delegate is None else f"{checks}\n- {_(delegate.check)}"


def _dns_checks() -> str:
    return _(
        "Check, for each name:\n"
        "- Every name server of the domain shows the TXT record while Certbot waits.\n"
        "- The wait is long enough for it to spread: --dns-PROVIDER-propagation-seconds\n"
        "- No CNAME record of _acme-challenge leads to another zone."
    )
