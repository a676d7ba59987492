"""What is known of JPRS's lineages on a machine: files, OCSP status, what is served.

Rules of this file: it reads and asks, and changes nothing; what cannot be found out is None, never
a guess.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from datetime import datetime

import idna
from cryptography import x509

from certbot_jprs.ground.names import NAME
from certbot_jprs.holding.ending import Ending
from certbot_jprs.holding.history import History
from certbot_jprs.holding.leftovers import reason_to_drop
from certbot_jprs.holding.records import Record, Store
from certbot_jprs.lineage import archive, files, soundness
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine import schedulers, served
from certbot_jprs.machine.accounts import usable_accounts
from certbot_jprs.machine.schedulers import Found
from certbot_jprs.ocsp import certificates
from certbot_jprs.ocsp.evaluation import Answer, responder_urls
from certbot_jprs.ocsp.responder import Responder
from certbot_jprs.ocsp.signatures import utc
from certbot_jprs.rules import policy


@dataclass
class Entry:
    """One lineage.

    Attributes:
        lineage: its files.
        certificate: the certificate that ``live/`` points to; None: it cannot be read.
        names: that certificate's names, sorted.
        answer: what the OCSP responder says about it; None: it names no responder.
        version: the version that ``live/`` points to.
        newest: the newest version in ``archive/``.
        versions: the certificates of its versions, those that can be read.
        record: what waits to go into service.
        record_error: why that cannot be said; empty where it can.
        damage: what is wrong with the version in ``live/``; empty where it is sound.
        set_aside: certificate files of damaged versions, set aside since the newest version.
        served: the certificate that port 443 of this machine serves, by name, for names for
            which it serves any; where its addresses differ, the one that is furthest behind.
        account_exists: whether its account is here.
        renewals: how its renewals ended, as far as that is remembered, the oldest first; None:
            that cannot be read.
    """

    lineage: Lineage
    certificate: x509.Certificate | None = None
    names: tuple[str, ...] = ()
    answer: Answer | None = None
    version: int | None = None
    newest: int | None = None
    versions: dict[int, x509.Certificate] = field(default_factory=dict)
    record: Record | None = None
    record_error: str = ""
    damage: str = ""
    set_aside: list[str] = field(default_factory=list)
    served: dict[str, x509.Certificate] = field(default_factory=dict)
    account_exists: bool = False
    renewals: list[Ending] | None = None

    @property
    def not_after(self) -> datetime | None:
        """When the certificate ends."""
        return utc(self.certificate, "not_valid_after") if self.certificate is not None else None

    @property
    def key(self) -> str:
        """The key's type and size; empty where the certificate cannot be read."""
        if self.certificate is None:
            return ""
        return policy.describe_key(self.certificate.public_key())

    @property
    def account(self) -> str:
        """The account that its renewals use."""
        return str(self.lineage.params.get("account", ""))

    @property
    def is_served(self) -> bool | None:
        """Whether port 443 serves the certificate that ``live/`` points to; None: not known."""
        judged = [each for name, each in self.served.items() if self.judges(name)]
        return all(each == self.certificate for each in judged) if judged else None

    def judges(self, name: str) -> bool:
        """Tells whether what is served for a name says anything about this lineage.

        Nobody installs a mail server's certificate, say, whose name leads elsewhere.

        Args:
            name: the name, which is in ``served``.
        """
        return self.lineage.installer is not None or self.version_of(self.served[name]) is not None

    def version_of(self, certificate: x509.Certificate) -> int | None:
        """Returns which version of the lineage a certificate is, or None.

        Args:
            certificate: the certificate, as it is served for example.
        """
        known = self.versions.items()
        return next((version for version, each in known if each == certificate), None)


@dataclass
class Survey:
    """What is known of a machine.

    Attributes:
        config_dir: Certbot's configuration directory.
        entries: JPRS's lineages, and those of the plugin at another server.
        unreadable: renewal files that cannot be read.
        found: what renews certificates, and sleeps in it.
    """

    config_dir: str
    entries: list[Entry]
    unreadable: list[str]
    found: Found


def make(config_dir: str) -> Survey:
    """Finds out all about JPRS's lineages.

    Args:
        config_dir: Certbot's configuration directory.

    Raises:
        OSError: it cannot be read.
    """
    entries, unreadable = _read_all(config_dir)
    _ask_responder(entries)
    _look(entries)
    _remember(config_dir, entries)
    return Survey(config_dir, entries, unreadable, schedulers.find(config_dir))


def _read_all(config_dir: str) -> tuple[list[Entry], list[str]]:
    directory = os.path.join(config_dir, "renewal")
    entries: list[Entry] = []
    unreadable: list[str] = []
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:  # there never was a certificate
        return entries, unreadable
    for name in names:
        if not name.endswith(".conf"):
            continue
        path = os.path.join(directory, name)
        try:
            lineage = files.read(path)
        except (OSError, ValueError):
            unreadable.append(path)
            continue
        if policy.is_jprs(lineage.server) or NAME in (lineage.authenticator, lineage.installer):
            entries.append(_entry(config_dir, lineage))
    return entries, unreadable


def _entry(config_dir: str, lineage: Lineage) -> Entry:
    entry = Entry(lineage)
    try:
        record = Store(config_dir).look(lineage.name)
        if record is not None and reason_to_drop(record, lineage) is None:
            entry.record = record
    except OSError as error:
        entry.record_error = error.strerror or str(error)
    try:
        entry.certificate = lineage.certificate()
        entry.names = tuple(sorted(lineage.names()))
        entry.version = archive.current_version(lineage)
        entry.newest = max(archive.versions(lineage), default=None)
        entry.versions = served.versions(lineage)
        entry.set_aside = soundness.damaged_in_a_row(lineage)
    except (OSError, ValueError):
        entry.certificate = None
    try:
        if entry.version is not None:
            soundness.check(lineage, entry.version)
    except soundness.UnsoundError as error:
        entry.damage = error.reason
    except OSError:
        entry.damage = ""  # who may not read the key cannot tell
    scheme, _separator, rest = (lineage.server or "").partition("://")
    accounts = os.path.join(config_dir, "accounts", *rest.rstrip("/").split("/"))
    entry.account_exists = bool(scheme) and entry.account in usable_accounts(accounts)
    return entry


def _ask_responder(entries: list[Entry]) -> None:
    pairs = {}
    for number, entry in enumerate(entries):
        if entry.certificate is None or not responder_urls(entry.certificate):
            continue
        links = entry.lineage.links
        with contextlib.suppress(OSError, ValueError):
            one = certificates.awaited(
                entry.lineage.name, links["cert"], links["chain"], links["fullchain"]
            )
            if one is not None:
                pairs[number] = (one.certificate, one.issuer)
    if pairs:
        with Responder() as responder:
            for number, answer in responder.ask_all(pairs).items():
                entries[number].answer = answer


def _look(entries: list[Entry]) -> None:
    seen = served.look_at(served.places(name for entry in entries for name in entry.names))
    for entry in entries:

        def preference(certificate: x509.Certificate, entry: Entry = entry) -> tuple[bool, int]:
            # One of its versions tells more than what an address that is not for it shows.
            version = entry.version_of(certificate)
            return version is None, version or 0

        for name in entry.names:
            shown = [each for place, each in seen.items() if each and place.name == name]
            if shown:
                entry.served[name] = min(shown, key=preference)


def _remember(config_dir: str, entries: list[Entry]) -> None:
    with contextlib.suppress(OSError):
        history = History(config_dir).entries()
        for entry in entries:
            entry.renewals = [each for each in history if each.name == entry.lineage.name]


def unicode_name(name: str) -> str | None:
    """Returns an internationalized name as people write it, or None where it is none.

    Args:
        name: the name as in a certificate, ``xn--wgv71a119e.jp`` for example.
    """
    if "xn--" not in name:
        return None
    try:
        decoded = idna.decode(name.removeprefix("*."))
    except (idna.IDNAError, UnicodeError):
        return None
    return "*." + decoded if name.startswith("*.") else decoded
