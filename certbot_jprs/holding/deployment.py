"""Waiting right before a web server is changed or reloaded.

This is what ``install`` needs, the installation of what was not issued just now, and a Certbot
that does not allow holding (see ``holding``).

Rules of this file: no web server is touched here.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from certbot import errors

from certbot_jprs.ground import options
from certbot_jprs.ground.exceptions import CertificateRevoked, WaitInterrupted
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.lineage import archive, files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.ocsp import certificates
from certbot_jprs.ocsp.asking import Asking
from certbot_jprs.ocsp.questions import Awaited
from certbot_jprs.ocsp.responder import Responder
from certbot_jprs.wait import progress, verdict
from certbot_jprs.wait.gate import Gate, Result
from certbot_jprs.wait.verdict import Verdict

logger = logging.getLogger(__name__)


class Deployer:
    """Waits for the OCSP status of the certificates of one Certbot configuration.

    Args:
        config: Certbot's configuration.
        born: when Certbot made it, in seconds since the epoch.
    """

    def __init__(self, config: Any, born: float) -> None:
        self._config = config
        self._born = born
        self._settled: set[str] = set()

    def before_install(
        self, cert_path: str, chain_path: str | None, fullchain_path: str | None
    ) -> None:
        """Waits before a certificate is configured for its first name.

        Args:
            cert_path: the certificate's file, as Certbot gives it to ``deploy_cert``.
            chain_path: the chain's file, if any.
            fullchain_path: the file with both, if any.

        Raises:
            CertificateRevoked: it is revoked.
            KeyboardInterrupt: a signal ended the wait.
            errors.PluginError: it cannot be read.
        """
        lineage = files.with_certificate_file(self._config.config_dir, cert_path)
        self._wait(lineage, cert_path, chain_path, fullchain_path)

    def after_renewal(self, name: str) -> None:
        """Waits after a lineage was renewed, before Certbot has the web server reloaded.

        Args:
            name: the lineage's name.

        Raises:
            CertificateRevoked: the new version is revoked.
            KeyboardInterrupt: a signal ended the wait.
            errors.PluginError: it cannot be read.
        """
        lineage = files.named(self._config.config_dir, name)
        if lineage is not None:
            self._wait_for_lineage(lineage)

    def before_reload(self) -> None:
        """Waits before a reload where Certbot did not say for which lineage.

        ``certonly -i``, and ``renew --disable-renew-updates``, reload without a word: then what
        was saved since this object was made is waited for.

        Raises:
            CertificateRevoked: a new version is revoked.
            KeyboardInterrupt: a signal ended the wait.
            errors.PluginError: one cannot be read.
        """
        if self._settled or self._config.verb not in ("renew", "certonly"):
            return
        for lineage in files.all_in(self._config.config_dir):
            try:
                saved_at = os.stat(lineage.links["cert"]).st_mtime
            except OSError:
                continue
            if saved_at >= self._born - 1:
                self._wait_for_lineage(lineage)

    def _wait_for_lineage(self, lineage: Lineage) -> None:
        links = lineage.links
        self._wait(lineage, links["cert"], links["chain"], links["fullchain"])

    def _wait(
        self,
        lineage: Lineage | None,
        cert_path: str,
        chain_path: str | None,
        fullchain_path: str | None,
    ) -> None:
        real_path = os.path.realpath(cert_path)
        if real_path in self._settled or not getattr(self._config, options.OCSP_TIMEOUT):
            return
        name = lineage.name if lineage is not None else cert_path
        awaited = _read(name, cert_path, chain_path, fullchain_path)
        if awaited is None:
            logger.warning(
                _(
                    "The chain of {name} lacks the certificate of its issuer, without which no "
                    "OCSP answer can be verified: it is put into service without waiting."
                ).format(name=name)
            )
        elif verdict.judge(name, self._ask(awaited), None) is Verdict.WITHDRAW:
            raise CertificateRevoked(self._withdraw(lineage, name))
        self._settled.add(real_path)

    def _ask(self, awaited: Awaited) -> Result:
        try:
            with Responder() as responder:
                gate = Gate(
                    timeout=getattr(self._config, options.OCSP_TIMEOUT),
                    interval=getattr(self._config, options.OCSP_INTERVAL),
                    asking=Asking(responder.ask_all),
                    progress=progress.choose(quiet=self._config.quiet),
                )
                (group,) = gate.settle([awaited])
                return group[awaited.name]
        except WaitInterrupted as interruption:
            logger.error(
                _(
                    "{what} The certificate {name} is saved, and is not in service. To go on: "
                    "{command}"
                ).format(what=interruption, name=awaited.name, command=self._go_on(awaited.name))
            )
            # Certbot ends the whole run for this one, and goes on to the next lineage for others.
            raise KeyboardInterrupt from None

    def _go_on(self, name: str) -> str:
        if self._config.verb in ("run", "install"):
            return f"certbot install -i {NAME} --cert-name {name}"
        return f"certbot renew --cert-name {name}"

    def _withdraw(self, lineage: Lineage | None, name: str) -> str:
        """Takes a revoked certificate out of its lineage, and words what happened."""
        stays = None
        if lineage is not None:
            version = archive.current_version(lineage)
            try:
                stays = archive.withdraw(lineage, version) if version is not None else None
            except OSError as error:
                logger.error(
                    _("The revoked certificate of {name} could not be taken away: {error}").format(
                        name=name, error=error
                    )
                )
        return verdict.revoked(name, stays)


def _read(
    name: str, cert_path: str, chain_path: str | None, fullchain_path: str | None
) -> Awaited | None:
    """Reads what the wait needs.

    Servers load the certificate and its chain from ``fullchain_path`` where that is given: beside
    a good one, neither of the other files need be.

    Raises:
        errors.PluginError: what would be installed cannot be read.
    """
    try:
        try:
            return certificates.awaited(name, cert_path, chain_path, fullchain_path)
        except (OSError, ValueError):
            if fullchain_path is None:
                raise
            return certificates.awaited(name, fullchain_path, None, None)
    except (OSError, ValueError) as error:
        raise errors.PluginError(
            _(
                "The certificate {name} cannot be read, and was not installed ({error}). Mend or "
                "restore that file."
            ).format(name=name, error=error)
        ) from error
