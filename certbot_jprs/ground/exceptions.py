"""Every exception that certbot-jprs raises.

Each message says what is wrong, then what to do next. They derive from Certbot's
``PluginError``, which Certbot shows as it is and turns into exit status 1.
"""

from certbot import errors


class JprsError(errors.PluginError):  # type: ignore[misc, unused-ignore]
    """Base of all errors of this plugin."""


class PolicyError(JprsError):
    """The command asks for something that JPRS's service does not offer or refuses."""


class OptionError(JprsError):
    """An option's value cannot be used."""


class CertificateRevoked(JprsError):
    """The OCSP responder says, verified, that the new certificate is revoked."""


class WaitInterrupted(JprsError):
    """Ctrl-C, SIGTERM or SIGHUP ended the wait for the OCSP responder."""


class HoldingError(JprsError):
    """A new certificate could not be held back or put into service."""


class DamagedError(JprsError):
    """A module of this package, or one that it needs, cannot be imported."""
