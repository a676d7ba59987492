"""Who validates and who installs, as the command line and an existing lineage say.

Rules of this file: nothing is guessed. A flag or an option names a delegate, else the lineage's
stays, else it is Apache.
"""

from __future__ import annotations

from certbot_jprs.ground.exceptions import PolicyError
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegate import Delegate, WebServer
from certbot_jprs.internals.delegates import ALL, APACHE, WEB_SERVERS
from certbot_jprs.internals.delegation import Roles, of_lineage
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.rules import policy
from certbot_jprs.rules.decision import ISSUING, CommandLine


def select(line: CommandLine) -> Roles:
    """Completes authenticator and installer, as Certbot's own flags do.

    ``--nginx -a certbot-jprs:http`` is no contradiction: nginx is the delegate. Certbot would
    find one ("Too many flags"), so the flag is taken back.

    Args:
        line: the command line; the options that follow are implied.

    Returns:
        The delegates that it names; None for a role where it names none.

    Raises:
        PolicyError: it names two for one role.
    """
    validates = line.get("configurator") or line.get("authenticator")
    # "--webroot -i certbot-jprs:http" has Certbot's own plugin validate.
    meant = ALL.values() if validates == NAME else WEB_SERVERS
    flagged = [delegate for delegate in meant if line.get(delegate.name)]
    for delegate in flagged:
        line.imply(**{delegate.name: False})
    servers = [delegate for delegate in flagged if isinstance(delegate, WebServer)]
    installs = bool(servers)
    if line.get("installer") in (server.name for server in WEB_SERVERS):
        servers += [server for server in WEB_SERVERS if server.name == line.get("installer")]
        line.imply(installer=NAME)
    if not servers:
        servers = [server for server in WEB_SERVERS if server.name == validates]
    if len(flagged) > 1 or len({*servers}) > 1:
        _refuse_several([*dict.fromkeys([*flagged, *servers])])
    asked = Roles(next(iter([*flagged, *servers]), None), next(iter(servers), None))
    if line.get("configurator") is not None:
        return asked
    if line.verb in ISSUING and validates is None and not _other_authenticator(line):
        line.imply(authenticator=NAME)
    wants_installer = line.verb != "certonly" or installs
    if wants_installer and line.get("installer") is None:
        line.imply(installer=NAME)
    return asked


def _refuse_several(delegates: list[Delegate]) -> None:
    """Refuses flags that name two plugins for one role.

    Raises:
        PolicyError: always.
    """
    raise PolicyError(
        _(
            "{flags} contradict each other; nothing was done. Give one of them. To validate by "
            "one and install in another: certbot run --webroot -w DIR -a {name} -i nginx -d "
            "NAMES"
        ).format(flags=", ".join(f"--{each.name}" for each in delegates), name=NAME)
    )


def choose(line: CommandLine, asked: Roles, lineage: Lineage | None) -> None:
    """Chooses who validates and who installs: as asked, else as before, else Apache.

    Args:
        line: the command line, with its plugins selected; what says who they are is implied.
        asked: the delegates that it names.
        lineage: the existing lineage that the command is about.

    Raises:
        PolicyError: it asks for what the delegate does not have.
    """
    before = of_lineage(lineage.params) if lineage is not None else Roles()
    authenticator = before.authenticator
    if not isinstance(authenticator, WebServer):
        # Who installs nothing is not replaced by a web server; but `run` has one.
        ours = lineage is not None and lineage.authenticator == NAME
        authenticator = authenticator if ours or line.verb == "certonly" else None
    installer = asked.installer or before.installer
    if installer is None:
        installer = authenticator if isinstance(authenticator, WebServer) else APACHE
    authenticator = asked.authenticator or authenticator or installer
    configurator = line.get("configurator")
    roles = Roles(
        authenticator if NAME in (configurator, line.get("authenticator")) else None,
        installer if NAME in (configurator, line.get("installer")) else None,
    )
    said = {dest: name for dest, name in roles.dests().items() if name is not None}
    line.decision.implied.update(said)
    if roles.authenticator is not None and lineage is not None:
        kept = roles.authenticator.stored(lineage.params)
        line.imply(**{dest: value for dest, value in kept.items() if not line.get(dest)})
    if roles.installer is not None and line.get("auto_hsts"):
        policy.check_autohsts(roles.installer)


def _other_authenticator(line: CommandLine) -> bool:
    """Tells whether a flag such as ``--webroot`` or ``--dns-route53`` names another one."""
    return any(
        value is True
        for dest, value in vars(line.namespace).items()
        if (dest in (*ALL, "manual") or dest.startswith("dns_")) and line.get(dest)
    )
