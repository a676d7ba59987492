"""What to check after JPRS could not validate a name by http-01.

Rules of this file: pure; the failed challenges in, a text out.
"""

from __future__ import annotations

from collections.abc import Iterable
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
        url: what JPRS fetched.
        kind: the ACME error type without its prefix.
        detail: JPRS's words: what it got instead.
    """

    name: str
    url: str
    kind: str
    detail: str

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


def hint_for(failed: Iterable[Failed], delegate: Delegate) -> str:
    """Words what JPRS fetched, what it got, and what to check.

    Args:
        failed: the failed challenges, at least one.
        delegate: who performed them.
    """
    lines: list[str] = []
    checks = False
    for each in failed:
        lines.append(
            _(
                "JPRS could not validate {name}.\nWhat it fetched: {url}\nWhat it reports: {words}"
            ).format(name=each.name, url=each.url, words=each.detail or each.kind)
        )
        explanation = matching.explain(each.kind, each.detail, where=matching.CHALLENGE)
        if explanation is None or each.kind in SETTLED_ELSEWHERE:
            checks = True
        said = [explanation.meaning] if explanation is not None else []
        if explanation is not None and each.kind not in SETTLED_ELSEWHERE:
            said.append(explanation.step)
        lines += [line for line in said if line not in lines]
    if checks:
        lines.append(
            _(
                "Check, for each name:\n"
                "- DNS: its A and AAAA records lead to this server (AAAA comes first).\n"
                "- Port 80 is open to the Internet (firewall, router, filters of the provider).\n"
                "- No redirect leads to another host."
            )
            + f"\n- {_(delegate.check)}"
        )
    return "\n".join(lines)
