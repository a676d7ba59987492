"""CAA (RFC 8659) without I/O: who may issue for a name, judged from what the DNS says.

Rules of this file: the caller brings a function that looks a name up; nothing else is needed.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Callable

JPRS = "jprs.jp"
"""The issuer domain name by which CAA records allow JPRS."""

# RFC 8659 section 4, RFC 8657 uses parameters of these; CA/Browser Forum: the contacts.
_UNDERSTOOD = frozenset({"issue", "issuewild", "iodef", "contactemail", "contactphone"})
_CRITICAL = 128


@dataclass(frozen=True)
class Record:
    """One CAA record.

    Attributes:
        flags: its flags; 128 says that who does not understand the tag must not issue.
        tag: its tag.
        value: its value.
    """

    flags: int
    tag: str
    value: str


class Permission(enum.Enum):
    """What CAA says about an issuer and a name."""

    NO_RECORD = "no record"
    ALLOWED = "allowed"
    FORBIDDEN = "forbidden"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Judgement:
    """What CAA says about an issuer and a name.

    Attributes:
        permission: the answer.
        where: the name whose records decide; empty without any.
        issuers: the issuers that those allow.
        tag: the critical tag that is not understood.
        parameters: what the deciding record asks beyond the issuer's name.
    """

    permission: Permission
    where: str = ""
    issuers: tuple[str, ...] = ()
    tag: str = ""
    parameters: str = ""


def climb(name: str, look_up: Callable[[str], Sequence[Record]]) -> tuple[str, Sequence[Record]]:
    """Finds the records that decide on a name (RFC 8659 section 3).

    The records of the name itself, else of its parent, and so on; never those of the root. What
    an alias leads to is the name's own, and the parents of its target are not climbed.

    Args:
        name: a DNS name, maybe a wildcard, of which the parent decides.
        look_up: returns the CAA records of a name, aliases followed; what it raises, passes.

    Returns:
        Where the records stand, and the records; empty where there are none.
    """
    labels = name[2:].split(".") if name.startswith("*.") else name.split(".")
    for start in range(len(labels)):
        where = ".".join(labels[start:])
        records = look_up(where)
        if records:
            return where, records
    return "", ()


def judge(name: str, where: str, records: Sequence[Record], issuer: str = JPRS) -> Judgement:
    """Decides whether an issuer may issue for a name.

    Args:
        name: the name, maybe a wildcard.
        where: the name whose records decide.
        records: those records.
        issuer: the issuer's domain name.
    """
    if not records:
        return Judgement(Permission.NO_RECORD)
    for record in records:
        if record.flags & _CRITICAL and record.tag.lower() not in _UNDERSTOOD:
            return Judgement(Permission.CRITICAL, where, tag=record.tag)
    properties = _properties(records, "issue")
    if name.startswith("*."):  # section 4.3: issuewild, where there is any, overrides issue
        properties = _properties(records, "issuewild") or properties
    if not properties:  # section 4.2: records without that property restrict nothing
        return Judgement(Permission.ALLOWED, where)
    issuers = tuple(sorted({domain for domain, _parameters in properties if domain}))
    for domain, parameters in properties:
        if domain == issuer:
            return Judgement(Permission.ALLOWED, where, issuers, parameters=parameters)
    return Judgement(Permission.FORBIDDEN, where, issuers)


def _properties(records: Sequence[Record], tag: str) -> list[tuple[str, str]]:
    """Returns issuer and parameters of each property with a tag."""
    found = []
    for record in records:
        if record.tag.lower() == tag:
            domain, _semicolon, parameters = record.value.partition(";")
            found.append((domain.strip(" \t").lower(), parameters.strip(" \t")))
    return found
