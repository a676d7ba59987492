"""Asking the OCSP responders that certificates name: one certificate, or a fleet's.

Rules of this file:

- A query ends within its seconds of wall clock, whatever the name server, the proxy and the
  responder do: see ``exchange.py``.
- Whatever goes wrong on the way is ``UNDETERMINED``, with a reason.
- Threads that a silent name server holds are left behind, a few for each host at most.
- No thread is in cryptography when Python ends, which before 3.14 ends threads where they are: in
  Rust code that aborts the process (CPython issue 87135, PyO3 pull request 4874).
"""

from __future__ import annotations

import atexit
import contextlib
import math
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509

from certbot_jprs.ground.language import marked
from certbot_jprs.ground.said import Said, joined
from certbot_jprs.ocsp.evaluation import Answer, Status, build_request, evaluate, responder_urls
from certbot_jprs.ocsp.exchange import Exchange
from certbot_jprs.ocsp.session import Session

QUERY_SECONDS = 10.0
"""How long a whole query may take: name look-up, connecting, headers and body."""

MAX_STUCK = 4
"""How many threads may be left behind for a host before it is not asked any more."""

SIDE_BY_SIDE = 8
"""How many queries ``Responder.ask_all`` has under way at a time."""

# What threads need to say that their time is up.
_GRACE = 0.5

# In cryptography 38 (Debian 12) a certificate that threads share raises "Already borrowed" when
# looked at. What it does takes a millisecond: one at a time will do.
_cryptography = threading.Lock()
# Taken for good at Python's end. Bounded: nothing here may keep a process from ending.
atexit.register(_cryptography.acquire, timeout=5.0)

K = TypeVar("K")


class _Batch:
    """Queries that are made, and given up, together.

    Attributes:
        silent: hosts that let a query's time run out and are not asked again; each with the
            reason to give.
    """

    def __init__(self) -> None:
        self.silent: dict[str, str] = {}
        self._lock = threading.Lock()
        self._exchanges: set[Exchange] | None = set()

    def __enter__(self) -> _Batch:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Gives up what is under way, and all that might still be begun."""
        with self._lock:
            exchanges, self._exchanges = self._exchanges, None
        for exchange in exchanges or ():
            exchange.cancel()

    def run(self, exchange: Exchange) -> bool:
        """Starts an exchange and waits until it is over; tells whether it is, in its time."""
        with self._lock:
            if self._exchanges is None:
                return False
            self._exchanges.add(exchange)
            exchange.start()
        try:
            return exchange.wait()
        finally:
            exchange.cancel()


class Responder:
    """Asks the OCSP responders that certificates name.

    Usable from several threads; connections are kept and shared between queries.
    """

    def __init__(
        self,
        *,
        seconds: float = QUERY_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        """Prepares; connects to nobody yet.

        Args:
            seconds: how long a query may take altogether.
            now: the clock, aware, that responses are judged by.
        """
        self._seconds = seconds
        self._now = now
        self._session = Session()
        self._lock = threading.Lock()
        self._left_behind: defaultdict[str, list[Exchange]] = defaultdict(list)

    def __enter__(self) -> Responder:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections that are kept."""
        self._session.close()

    def ask(self, certificate: x509.Certificate, issuer: x509.Certificate) -> Answer:
        """Makes one query: asks each URL of the certificate until one knows.

        An exception that a signal handler raises meanwhile passes through, and frees the socket.

        Args:
            certificate: the certificate to ask about.
            issuer: the certificate of the CA that issued it.

        Returns:
            The first verified ``GOOD`` or ``REVOKED``; else ``UNKNOWN`` if any responder said
            so; else ``UNDETERMINED``, with the reasons. Within the query's seconds, of which
            each URL has its share.
        """
        with _Batch() as batch:
            return self._query(batch, certificate, issuer)

    def ask_all(
        self,
        items: Mapping[K, tuple[x509.Certificate, x509.Certificate]],
        tell: Callable[[K, Answer], object] = lambda _key, _answer: None,
    ) -> dict[K, Answer]:
        """Makes many queries, ``SIDE_BY_SIDE`` at a time.

        A host that lets one query's time run out is not asked again by the others, so that
        as a rule all is over in one query's time; at the latest it is in that of
        ``ceil(len(items) / SIDE_BY_SIDE)`` queries.

        Args:
            items: certificates, each with its issuer's, by whatever the caller calls them.
            tell: called with each answer as it comes.

        Returns:
            The answers, as ``ask`` would give them, by the same keys in the same order.
        """
        waiting: queue.SimpleQueue[K] = queue.SimpleQueue()
        answered: queue.SimpleQueue[tuple[K, Answer]] = queue.SimpleQueue()
        for key in items:
            waiting.put(key)
        rounds = math.ceil(len(items) / SIDE_BY_SIDE)
        deadline = time.monotonic() + rounds * self._seconds + _GRACE

        def work() -> None:
            while True:
                try:
                    key = waiting.get_nowait()
                except queue.Empty:
                    return
                answered.put((key, self._query(batch, *items[key])))

        with _Batch() as batch:
            for _ in range(min(SIDE_BY_SIDE, len(items))):
                threading.Thread(target=work, name="OCSP queries", daemon=True).start()
            answers: dict[K, Answer] = {}
            with contextlib.suppress(queue.Empty):
                while len(answers) < len(items):
                    left = deadline - time.monotonic()
                    key, answer = answered.get(timeout=max(0.0, left))
                    answers[key] = answer
                    tell(key, answer)
        none = Answer(Status.UNDETERMINED, Said(marked("no time was left for the query")))
        return {key: answers.get(key, none) for key in items}

    def _query(
        self, batch: _Batch, certificate: x509.Certificate, issuer: x509.Certificate
    ) -> Answer:
        """Does what ``ask`` says, as one of a batch."""
        with _cryptography:
            urls = responder_urls(certificate)
            request = build_request(certificate, issuer)
        if not urls:
            return Answer(
                Status.UNDETERMINED, Said(marked("certificate names no usable OCSP server"))
            )
        deadline = time.monotonic() + self._seconds
        unknown: Answer | None = None
        reasons = []
        for position, url in enumerate(urls):
            share = (deadline - time.monotonic()) / (len(urls) - position)
            outcome = self._exchange(batch, url, request, share)
            if isinstance(outcome, bytes):
                with _cryptography:
                    answer = evaluate(outcome, certificate, issuer, self._now())
                if answer.status in {Status.GOOD, Status.REVOKED}:
                    return answer
                if answer.status is Status.UNKNOWN:
                    unknown = unknown or answer
                outcome = answer.reason
            reasons.append(outcome)
        return unknown or Answer(Status.UNDETERMINED, joined(dict.fromkeys(reasons)))

    def _exchange(self, batch: _Batch, url: str, request: bytes, share: float) -> bytes | str:
        """Sends a request to a URL; returns the response, or the reason why there is none."""
        host = urlsplit(url).netloc.lower()
        if host in batch.silent:
            return batch.silent[host]
        with self._lock:
            stuck = [exchange for exchange in self._left_behind[host] if exchange.is_running()]
            self._left_behind[host] = stuck
            if len(stuck) >= MAX_STUCK:
                return Said(marked("earlier queries still hang: {url}"), url=url)
        exchange = Exchange(self._session, url, request, share)
        if not batch.run(exchange):
            batch.silent[host] = Said(
                marked("no complete answer within {seconds} seconds from {url}"),
                seconds=f"{share:.3g}",
                url=url,
            )
            with self._lock:
                self._left_behind[host].append(exchange)
            return batch.silent[host]
        if exchange.body is None:
            return exchange.failure or Said(marked("query failed: {url}"), url=url)
        return exchange.body
