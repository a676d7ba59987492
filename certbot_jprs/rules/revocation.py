"""Revoking: the files stay while a web server's configuration names them.

``certbot revoke`` deletes a lineage's files by default, under ``-n`` always, and a web server that
names them then cannot start.

Rules of this file: it holds for lineages that name this plugin, and for ``-a`` on the command
line; no plugin is prepared, so that nothing but the CA can stop a revocation.
"""

from __future__ import annotations

from cryptography import x509

from certbot_jprs.ground import language, options
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.machine import webservers
from certbot_jprs.machine.webservers import Use
from certbot_jprs.rules.decision import CommandLine

_ROOT_OPTIONS = ("apache_server_root", "nginx_server_root")


def path_of(line: CommandLine) -> str | None:
    """Returns the certificate file that is to be revoked; None where a lineage is named."""
    path = line.get("cert_path")
    path = path[0] if isinstance(path, tuple) else path  # a tuple before Certbot 1.26
    return str(path) if path else None


def lineage_of(line: CommandLine) -> Lineage | None:
    """Returns the lineage of the certificate that is to be revoked, if it is of any."""
    if line.get("certname"):
        return files.named(line.config_dir(), str(line.get("certname")))
    path = path_of(line)
    return files.with_certificate_file(line.config_dir(), path) if path else None


def keep_files(line: CommandLine) -> None:
    """Has Certbot keep the files that a web server's configuration names, and says so.

    Args:
        line: a command line of ``revoke``.
    """
    lineage = lineage_of(line)
    if lineage is None:
        return
    if not line.decision.on_command_line and NAME not in (lineage.authenticator, lineage.installer):
        return
    uses = webservers.uses(lineage.links.values(), _roots(line, lineage))
    if not uses:
        return
    if language.chosen() is None:
        language.enter(lineage.params.get(options.LANGUAGE))
    if line.get("delete_after_revoke"):
        line.say(
            _(
                "--delete-after-revoke is not followed now: a web server uses the files of "
                "{lineage}, and could not start without them."
            ).format(lineage=lineage.name)
        )
    line.imply(delete_after_revoke=False)
    line.say(
        _(
            "{lineage} is still in use, so its files are kept (--no-delete-after-revoke): {uses}"
        ).format(lineage=lineage.name, uses="; ".join(map(_words, uses)))
    )
    if _is_in_service(line, lineage):
        line.say(
            _(
                "Visitors get the revoked certificate until it is replaced. As soon as the OCSP "
                "server says that it is revoked, `certbot renew` orders a new one by itself.\n"
                "To replace it now: certbot renew --cert-name {name} --force-renewal\n"
                "To give it up: take it out of the web server's configuration, reload the web "
                "server, then: certbot delete --cert-name {name}"
            ).format(name=lineage.name)
        )
    line.tell()


def _roots(line: CommandLine, lineage: Lineage) -> list[str]:
    """Returns where else than usual the web servers' configurations are said to be."""
    given = [line.get(option) for option in _ROOT_OPTIONS]
    stored = [lineage.params.get(options.DEST + option) for option in _ROOT_OPTIONS]
    return [root for root in (*given, *stored) if isinstance(root, str) and root.startswith("/")]


def _words(use: Use) -> str:
    return f"{', '.join(use.names)} ({use.where})" if use.names else use.where


def _is_in_service(line: CommandLine, lineage: Lineage) -> bool:
    """Tells whether the certificate to be revoked is the one that ``live/`` points to."""
    path = path_of(line)
    if path is None:
        return True
    try:
        with open(path, "rb") as file:
            return x509.load_pem_x509_certificate(file.read()) == lineage.certificate()
    except (OSError, ValueError):
        return True
