"""Where exchanges take their connections from: a session of ``requests`` that keeps nothing else.

Rules of this file: no cookies, no redirects, no passwords from ``~/.netrc``; proxies and
certificates of the environment count.
"""

from __future__ import annotations

import importlib.metadata
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from certbot_jprs.ocsp.exchange import Connection, TLSConnection

# More than are ever in use at a time: urllib3 warns, on the user's terminal, of one too many.
_KEPT_CONNECTIONS = 32


class _Pool(HTTPConnectionPool):
    ConnectionCls = Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = TLSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class _Adapter(HTTPAdapter):
    """Makes ``requests`` use the connections above, directly and through proxies."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not proxy.lower().startswith("socks"):  # those have pools of their own
            manager.pool_classes_by_scheme = _POOLS
        return manager


class Session(requests.Session):
    """A session that keeps nothing but connections."""

    def __init__(self) -> None:
        super().__init__()
        # Not empty, so that no password is looked up in ~/.netrc; trust_env = False would stop
        # that too, but with it the proxies and REQUESTS_CA_BUNDLE.
        self.auth = lambda request: request
        self.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        self.headers["User-Agent"] = _user_agent()
        for prefix in ("http://", "https://"):
            self.mount(prefix, _Adapter(pool_maxsize=_KEPT_CONNECTIONS))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Sees no redirects: ``requests`` would read the whole body of one, however long."""


def _user_agent() -> str:
    try:
        return f"certbot-jprs/{importlib.metadata.version('certbot-jprs')}"
    except importlib.metadata.PackageNotFoundError:  # run from a checkout
        return "certbot-jprs"
