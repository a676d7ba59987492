"""DNS look-ups, as the CA would make them: by the resolver, not by the hosts file.

Rules of this file: a name that has no such record, a zone whose name servers fail, and a resolver
that does not answer at all, are three different things.
"""

from __future__ import annotations

import contextlib
import enum

from certbot_jprs.check.caa import Record
from certbot_jprs.ground.language import _

# Where packages were installed without their dependencies, the other checks are made all the same.
with contextlib.suppress(ImportError):
    import dns.exception
    import dns.rdata
    import dns.resolver
    from dns.rdtypes.ANY.CAA import CAA

SECONDS = 6.0
"""How long one look-up may take."""


class Trouble(enum.Enum):
    """Why a look-up has no result."""

    NO_SUCH_NAME = "no such name"
    """Neither this record nor any other."""

    BROKEN = "broken"
    """The resolver answers, and says that it could not find out."""

    NO_RESOLVER = "no resolver"
    """No resolver answers this machine."""


class LookUpFailed(Exception):
    """A look-up has no result.

    Attributes:
        trouble: why.
    """

    def __init__(self, trouble: Trouble, reason: str) -> None:
        super().__init__(reason)
        self.trouble = trouble


class Dns:
    """This machine's resolver.

    Args:
        known: a name by which to find out whether the resolver answers at all.
    """

    def __init__(self, known: str) -> None:
        self._known = known
        self._answers: bool | None = None
        self._resolver: dns.resolver.Resolver | None = None
        self._lacking = _("no resolver is configured, or none answers")
        if "dns" not in globals():
            self._lacking = _("dnspython is not installed; its package is python3-dnspython")
            return
        with contextlib.suppress(dns.resolver.NoResolverConfiguration, OSError):
            self._resolver = dns.resolver.Resolver()

    def addresses(self, name: str) -> list[str]:
        """Returns the IPv4 and then the IPv6 addresses of a name; maybe none.

        Args:
            name: the name; the search list of this machine does not apply.

        Raises:
            LookUpFailed: they cannot be found out.
        """
        found = [record.to_text() for record in self._look_up(name, "A")]
        return found + [record.to_text() for record in self._look_up(name, "AAAA")]

    def caa(self, name: str) -> list[Record]:
        """Returns the CAA records of a name, aliases followed; maybe none.

        Args:
            name: the name.

        Raises:
            LookUpFailed: they cannot be found out.
        """
        try:
            found = self._look_up(name, "CAA")
        except LookUpFailed as failure:
            if failure.trouble is Trouble.NO_SUCH_NAME:
                return []
            raise
        return [
            Record(
                record.flags,
                record.tag.decode("ascii", "replace"),
                record.value.decode("ascii", "replace"),
            )
            for record in found
            if isinstance(record, CAA)
        ]

    def _look_up(self, name: str, kind: str) -> list[dns.rdata.Rdata]:
        if self._resolver is None or self._answers is False:
            raise LookUpFailed(Trouble.NO_RESOLVER, self._lacking)
        try:
            found = list(self._resolver.resolve(name, kind, lifetime=SECONDS, search=False))
        except dns.resolver.NoAnswer:
            found = []
        except dns.resolver.NXDOMAIN as error:
            self._answers = True
            raise LookUpFailed(Trouble.NO_SUCH_NAME, "NXDOMAIN") from error
        except (dns.exception.DNSException, OSError) as error:
            if self._resolver_answers():
                raise LookUpFailed(Trouble.BROKEN, _words(error)) from error
            raise LookUpFailed(Trouble.NO_RESOLVER, _words(error)) from error
        self._answers = True
        return found

    def _resolver_answers(self) -> bool:
        """Tells whether the resolver says anything about a name that exists."""
        if self._answers is None and self._resolver is not None:
            try:
                self._resolver.resolve(self._known, "A", lifetime=SECONDS, search=False)
                self._answers = True
            except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
                self._answers = True
            except (dns.exception.DNSException, OSError):
                self._answers = False
        return bool(self._answers)


def _words(error: Exception) -> str:
    if isinstance(error, dns.resolver.NoNameservers):
        return "SERVFAIL"
    if isinstance(error, dns.exception.Timeout):
        return _("no answer in time")
    return type(error).__name__
