"""Installing what an interrupted ``certbot run`` did not: the certificate, and all asked with it.

Rules of this file: as Certbot's client does it, in its order, so that it makes no difference who
finishes; an enhancement that fails keeps no certificate out of service.
"""

from __future__ import annotations

import logging
from typing import Any

from certbot import errors

from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.holding.records import Record
from certbot_jprs.internals import web
from certbot_jprs.lineage.files import Lineage

logger = logging.getLogger(__name__)

_FLAGS = {
    "hsts": "--hsts",
    "redirect": "--redirect",
    "staple": "--staple-ocsp",
    "uir": "--uir",
    "auto_hsts": "--auto-hsts",
}
"""Certbot's options for enhancements, by destination, in the order in which it applies them."""


def asked_for(config: Any) -> list[str]:
    """Returns the enhancements that a ``certbot run`` asks for, beside the redirect.

    Args:
        config: Certbot's configuration.

    Returns:
        The destinations of their options.
    """
    return [dest for dest in _FLAGS if dest != "redirect" and getattr(config, dest, None)]


def install(record: Record, lineage: Lineage, plugin: Any) -> None:
    """Configures a certificate, which stays out of the configuration where that fails.

    Args:
        record: the lineage's record, with the names and the enhancements.
        lineage: the lineage.
        plugin: the web server's plugin, ready for use.

    Raises:
        errors.Error: the certificate cannot be configured.
    """
    links = lineage.links
    names = [host for name in record.install for host in web.hosts(plugin, name)]
    paths = [links[kind] for kind in ("cert", "privkey", "chain", "fullchain")]
    try:
        web.deploy(plugin, names, *paths)
        plugin.save("Deployed ACME Certificate")
    except BaseException:
        plugin.recovery_routine()
        raise
    asked = {*record.enhancements, *(["redirect"] if record.redirect else [])}
    missing = [
        flag
        for dest, flag in _FLAGS.items()
        if dest in asked and not _enhance(dest, lineage, plugin, names)
    ]
    if missing:
        logger.error(
            _(
                "The certificate {name} is installed, but not all that was asked for with it "
                "could be configured. For what is missing: {command}"
            ).format(
                name=record.name,
                command=f"certbot enhance -i {NAME} --cert-name {record.name} {' '.join(missing)}",
            )
        )


def _enhance(dest: str, lineage: Lineage, plugin: Any, names: list[str]) -> bool:
    """Configures an enhancement; tells whether it is there now."""
    try:
        if dest == "auto_hsts":
            plugin.enable_autohsts(lineage, names)  # saves and reloads by itself
        else:
            enhancement, options = {
                "hsts": ("ensure-http-header", "Strict-Transport-Security"),
                "redirect": ("redirect", None),
                "staple": ("staple-ocsp", lineage.links["chain"]),
                "uir": ("ensure-http-header", "Upgrade-Insecure-Requests"),
            }[dest]
            web.enhance(plugin, names, enhancement, options)
            plugin.save(f"Add enhancement {enhancement}")
    except errors.PluginEnhancementAlreadyPresent:
        pass
    except errors.Error as error:
        logger.debug("%s could not be configured for %s: %s", dest, lineage.name, error)
        plugin.recovery_routine()
        return False
    return True
