"""A challenge that no CA gave, and its fetching as a CA does it (RFC 8555 section 8.3).

Rules of this file: each address of a name is asked by itself, without a proxy, as JPRS comes from
outside without one; redirects are followed, by http and https alone, as RFC 8555 lets a CA do.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from http.client import HTTPException
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from acme import challenges, messages
from certbot import achallenges
from cryptography.hazmat.primitives.asymmetric import rsa
from josepy import jwk

from certbot_jprs.check.dns import Dns, LookUpFailed
from certbot_jprs.ground.language import _

SECONDS = 5.0
"""How long a connection, and each part of an answer, may take."""

MOST_REDIRECTS = 10
_MOST_BYTES = 64 * 1024
_TOKEN_BYTES = 32
_REDIRECTS = (301, 302, 303, 307, 308)
# The last two: a redirect to what is no URL, or what HTTP cannot ask for.
_FAILURES = (OSError, urllib3.exceptions.HTTPError, ValueError, HTTPException)
_PORTS = {"http": 80, "https": 443}


class Outcome(Enum):
    """What became of a challenge."""

    FOUND = "found"
    NO_CONNECTION = "no connection"
    REDIRECTED = "redirected"
    OTHER_ANSWER = "other answer"


@dataclass(frozen=True)
class Challenge:
    """A challenge for one name.

    Attributes:
        name: the name.
        annotated: what an authenticator performs.
        path: where it is to be found.
        content: what is to be found there.
    """

    name: str
    annotated: Any
    path: str
    content: str


@dataclass(frozen=True)
class Fetched:
    """What one address of a name answered.

    Attributes:
        outcome: what became of it.
        url: the directory of what was asked for.
        address: where.
        is_here: whether that is an address of this machine.
        reason: what went wrong.
    """

    outcome: Outcome
    url: str
    address: str
    is_here: bool
    reason: str = ""


def make(names: Sequence[str]) -> list[Challenge]:
    """Makes challenges as a CA would give them, for a key that nobody keeps.

    Args:
        names: the names.
    """
    key = jwk.JWKRSA(key=rsa.generate_private_key(public_exponent=65537, key_size=2048))
    made = []
    for name in names:
        http01 = challenges.HTTP01(token=os.urandom(_TOKEN_BYTES))
        body = messages.ChallengeBody(chall=http01, uri="", status=messages.STATUS_PENDING)
        annotated = achallenges.KeyAuthorizationAnnotatedChallenge(
            challb=body, account_key=key, **_identifier(name)
        )
        _response, validation = annotated.response_and_validation()
        made.append(Challenge(name, annotated, http01.path, validation))
    return made


def _identifier(name: str) -> dict[str, Any]:
    """Names what a challenge is for, as this Certbot wants it: since 5.3 not by ``domain``."""
    if "identifier" not in achallenges.KeyAuthorizationAnnotatedChallenge.__slots__:
        return {"domain": name}
    return {"identifier": messages.Identifier(typ=messages.IDENTIFIER_FQDN, value=name)}


def fetch_all(challenge: Challenge, addresses: Sequence[str], dns: Dns) -> list[Fetched]:
    """Fetches a challenge from each address of its name.

    Args:
        challenge: the challenge, which is being served.
        addresses: the addresses.
        dns: finds the hosts that redirects lead to.
    """
    return [_fetch(challenge, address, dns) for address in addresses]


def _fetch(challenge: Challenge, address: str, dns: Dns) -> Fetched:
    url = f"http://{challenge.name}{challenge.path}"
    shown = url.rpartition("/")[0] + "/"  # without the token, which says nothing to anybody
    here = is_here(address)
    outcome, reason = Outcome.REDIRECTED, _("a loop")
    leads_to = ""
    at: str | None = address
    deadline = time.monotonic() + 2 * SECONDS
    for _hop in range(MOST_REDIRECTS + 1):
        try:
            if at is None or time.monotonic() > deadline:
                raise OSError(leads_to)
            status, location, body = _get(url, at)
            if status in _REDIRECTS and location:
                leads_to = location
                leads_to = url = urljoin(url, location)
                at = _address_of(url, challenge.name, address, dns)
                continue
        except _FAILURES as error:
            # Where the first answer led to is what is to be mended, whatever is wrong there.
            outcome = Outcome.REDIRECTED if leads_to else Outcome.NO_CONNECTION
            reason = leads_to or _words(error)
            break
        if status == 200 and body.strip() == challenge.content.encode():
            return Fetched(Outcome.FOUND, shown, address, here)
        outcome = Outcome.REDIRECTED if leads_to else Outcome.OTHER_ANSWER
        reason = leads_to or _("HTTP status {status}").format(status=status)
        break
    return Fetched(outcome, shown, address, here, reason)


def _address_of(url: str, name: str, address: str, dns: Dns) -> str | None:
    """Returns where a redirect leads: an address of its host."""
    host = (urlsplit(url).hostname or "").lower()
    if host == name:
        return address
    with contextlib.suppress(OSError, ValueError):
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
        return host
    try:
        return next(iter(dns.addresses(host)), None)
    except LookUpFailed:
        return None


def _get(url: str, address: str) -> tuple[int, str | None, bytes]:
    """Makes one request to an address.

    Raises:
        OSError, urllib3.exceptions.HTTPError, ValueError, HTTPException: there is no answer.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS:
        raise ValueError(parts.scheme)
    port = parts.port or _PORTS[parts.scheme]
    timeout = urllib3.Timeout(connect=SECONDS, read=SECONDS)
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":  # RFC 8555: the CA follows, and does not care for its certificate
        pool = urllib3.HTTPSConnectionPool(
            address,
            port,
            timeout=timeout,
            cert_reqs=ssl.CERT_NONE,
            assert_hostname=False,
            server_hostname=parts.hostname,
        )
    else:
        pool = urllib3.HTTPConnectionPool(address, port, timeout=timeout)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    with contextlib.closing(pool), warnings.catch_warnings():
        warnings.simplefilter("ignore", urllib3.exceptions.InsecureRequestWarning)
        response = pool.urlopen(
            "GET",
            target,
            headers={"Host": parts.netloc.rpartition("@")[2], "User-Agent": "certbot-jprs"},
            retries=False,
            redirect=False,
            preload_content=False,
        )
        try:
            return response.status, response.headers.get("Location"), response.read(_MOST_BYTES)
        finally:
            response.close()


def _words(error: Exception) -> str:
    text = str(error)
    if "refused" in text:
        return _("connection refused")
    if "timed out" in text:
        return _("no answer in time")
    if "unreachable" in text or "No route" in text:
        return _("network unreachable")
    return type(error).__name__


def is_here(address: str) -> bool:
    """Tells whether an address is one of this machine's.

    Args:
        address: an IPv4 or IPv6 address.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.bind((address, 0))
    except OSError:
        return False
    return True
