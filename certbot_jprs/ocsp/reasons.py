"""Why there is no response, in words of our own.

Rules of this file: never an exception's text, which may quote the proxy's URL, password included.
"""

from __future__ import annotations

import errno

import requests

from certbot_jprs.ground.language import marked
from certbot_jprs.ground.said import Said


def of_network(error: BaseException, url: str) -> Said:
    """Says what became of an exchange that raised an error.

    Args:
        error: what was raised in it.
        url: whom it was to ask.
    """
    return Said(marked("{what} ({url})"), what=Said(_what(error)), url=url)


def _what(error: BaseException) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return marked("TLS failed")
    if isinstance(error, requests.exceptions.ProxyError):
        return marked("the proxy refused or failed")
    if isinstance(error, (requests.exceptions.InvalidProxyURL, requests.exceptions.InvalidSchema)):
        return marked("unusable proxy")
    if isinstance(error, requests.ConnectionError):
        return marked("the connection broke")
    if isinstance(error, requests.exceptions.InvalidURL):
        return marked("unusable URL, of the OCSP server or the proxy")
    return marked("no HTTP response")


def of_system(error: OSError) -> str:
    """Says why the operating system did not connect.

    Args:
        error: what it raised.
    """
    if error.errno == errno.ECONNREFUSED:
        return Said(marked("connection refused"))
    if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return Said(marked("network unreachable"))
    if error.errno in (None, errno.ETIMEDOUT):
        return Said(marked("no answer in time"))
    return error.strerror or type(error).__name__


def unresolved() -> Said:
    """Says that a host has no address."""
    return Said(marked("its name cannot be resolved"))


def unconnected(url: str, proxy: str | None, why: str) -> Said:
    """Says that there is no connection.

    Args:
        url: whom it is to ask.
        proxy: host and port of the proxy, if it goes through one.
        why: why there is none.
    """
    if proxy is None:
        return Said(marked("cannot connect to {url}: {why}"), url=url, why=why)
    return Said(
        marked("cannot connect to {url} through the proxy {proxy}: {why}"),
        url=url,
        proxy=proxy,
        why=why,
    )
