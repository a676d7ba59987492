"""Which of Certbot's commands and lineages JPRS's rules apply to, and their enforcement there.

What a command line alone decides is in ``one_flag``; here is what needs Certbot's configuration
as a plugin gets it: under ``renew``, that of one lineage, restored from its renewal file.

Rules of this file: under ``renew`` the lineage's stored server decides and is never rewritten.
"""

from __future__ import annotations

import logging
from typing import Any, Callable

from certbot.display import util as display_util

from certbot_jprs.ground import options
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.roles import Role
from certbot_jprs.internals.delegates import WEBROOT
from certbot_jprs.internals.delegation import Roles, Workers, of_config, of_lineage, ours
from certbot_jprs.internals.parser import ParsedCommand
from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.rules import one_flag, policy
from certbot_jprs.rules.decision import ISSUING, Decision

logger = logging.getLogger(__name__)


class Selection:
    """Applies JPRS's rules to the configurations of one process.

    Args:
        decision: what the command line decided; completed here where it was not seen.
    """

    def __init__(self, decision: Decision) -> None:
        self._decision = decision
        self._lineages: dict[frozenset[str], list[Lineage]] | None = None

    def enforce(self, config: Any) -> Role:
        """Applies JPRS's rules to a configuration that selects the plugin.

        Args:
            config: Certbot's configuration; changed in place.

        Returns:
            What the plugin is to do.

        Raises:
            PolicyError: the command or the lineage breaks one of JPRS's rules.
        """
        verb = config.verb
        if verb in ISSUING:
            return self._enforce_on_command(config)
        if verb in ("renew", "reconfigure"):
            return self._enforce_on_lineage(config)
        if verb == "install":
            return _role_of_installation(config)
        return Role.OTHER

    def delegate(self, config: Any, role: Role, workers: Workers) -> None:
        """Completes what a renewal needs to know of the lineage's delegates, and loads them.

        Where the plugin is named for all lineages, by ``cli.ini`` or ``renew -a``, each keeps its
        own; and Certbot restores webroot's directories for webroot alone.

        Args:
            config: Certbot's configuration; changed in place where the lineage is JPRS's.
            role: what the plugin is to do.
            workers: the delegates for it.

        Raises:
            errors.PluginError: one is not installed.
        """
        given = self._decision.given
        if config.verb == "renew":
            roles = of_config(config)
            for_all = any(map(given, ("authenticator", "installer", "configurator")))
            stores = roles.authenticator is WEBROOT
            lineage = self._restored_lineage(config) if for_all or stores else None
            if lineage is not None:
                roles = of_lineage(lineage.params)
                if role is Role.JPRS:
                    _complete(config, roles, lineage, given)
                    roles = of_config(config)
            workers.follow(roles)
        for each in ours(config, workers.roles):
            workers.load(each)

    def restore_plugins(self, config: Any) -> None:
        """Keeps in the renewal file of another CA's lineage the plugins that it names.

        ``renew -a certbot-jprs:http``, and an authenticator in ``cli.ini``, make Certbot write
        that name into the file of every lineage that it renews.

        Args:
            config: Certbot's configuration of that lineage; changed in place.
        """
        lineage = self._restored_lineage(config)
        if lineage is None or NAME in (lineage.authenticator, lineage.installer):
            return
        config.authenticator = lineage.authenticator
        config.installer = lineage.installer

    def _enforce_on_command(self, config: Any) -> Role:
        decision = self._decision
        if not decision.parsed:
            # This Certbot's parser could not be reached: the same rules, a little later.
            command = ParsedCommand(
                config.namespace, config.verb, frozenset(), _set_by_user(config), detecting=False
            )
            one_flag.decide(command, decision)
        decision.renew_implied(config)
        if not options.is_rehearsal(config):  # which shows them among its findings
            for notice in decision.notices:
                display_util.notify(notice)
        return Role.JPRS if decision.governed else Role.OTHER

    def _enforce_on_lineage(self, config: Any) -> Role:
        self._decision.reuse_new_key = False  # what was decided for the lineage before
        read = config.namespace  # a fleet asks often, and the configuration notes who asks
        tested = config.verb == "reconfigure" or read.dry_run or read.staging
        if not tested and policy.is_lets_encrypt(read.server):
            return Role.OTHER
        if not tested and policy.is_jprs(read.server):  # the rule, which reads no further file
            self._enforce_key(config)
            _check_names(config)
            return Role.JPRS
        lineage = self._restored_lineage(config)
        # A dry run has replaced the server in the configuration; the file has the lineage's own.
        server = config.server if lineage is None else (lineage.server or config.server)
        if not policy.is_jprs(server):
            ours = lineage is not None and NAME in (lineage.authenticator, lineage.installer)
            if policy.is_lets_encrypt(server) or not ours:
                return Role.OTHER
        name = _name_of(lineage, config)
        if config.verb == "reconfigure":
            policy.refuse_rehearsal_by_dry_run("certbot reconfigure")
        if config.dry_run or config.staging:
            policy.refuse_dry_run_of_lineage("--dry-run" if config.dry_run else "--staging", name)
        self._enforce_key(config)
        _check_names(config)
        return Role.JPRS

    def _restored_lineage(self, config: Any) -> Lineage | None:
        """Finds the lineage that a configuration under ``renew`` was restored from.

        Certbot does not tell a plugin its name; it does restore the names of its certificate. Of
        several lineages with the same names, one of JPRS's is taken, then one that names the
        plugin.
        """
        if config.certname:
            return files.named(config.config_dir, config.certname)
        if self._lineages is None:  # once per process: a fleet asks for each lineage
            self._lineages = _by_names(config.config_dir)
        names = frozenset(str(domain).lower() for domain in config.domains)
        ranked = sorted(
            self._lineages.get(names, []),
            key=lambda lineage: (
                policy.is_jprs(lineage.server),
                NAME in (lineage.authenticator, lineage.installer),
            ),
        )
        return ranked[-1] if ranked else None

    def _enforce_key(self, config: Any) -> None:
        """Makes a renewal use an RSA key, also where a key that JPRS refuses was to be kept."""
        read = config.namespace
        if read.key_type != "rsa":
            name = _name_of(self._restored_lineage(config), config)
            display_util.notify(
                _(
                    "JPRS issues certificates for RSA keys only: {name} is renewed with an RSA "
                    "key, not {key_type}."
                ).format(name=name, key_type=read.key_type)
            )
            config.key_type = "rsa"
        if read.rsa_key_size < policy.LEAST_RSA_BITS:  # only then: what is set is stored
            config.rsa_key_size = policy.LEAST_RSA_BITS
        lineage = self._restored_lineage(config) if read.reuse_key else None
        if lineage is None or policy.is_acceptable_key(lineage.certificate().public_key()):
            return
        if hasattr(config, "new_key"):
            config.new_key = True
        else:
            config.reuse_key = False
            self._decision.reuse_new_key = True


def _complete(config: Any, roles: Roles, lineage: Lineage, given: Callable[[str], bool]) -> None:
    """Sets what a lineage's renewal file says of its delegates, and Certbot did not restore."""
    values: dict[str, Any] = {
        dest: name
        for dest, name in roles.dests().items()
        if name is not None and getattr(config, dest, None) is None
    }
    if roles.authenticator is not None:
        stored = roles.authenticator.stored(lineage.params)
        values.update({dest: value for dest, value in stored.items() if not given(dest)})
    for dest, value in values.items():
        setattr(config, dest, value)


def _set_by_user(config: Any) -> frozenset[str]:
    """Returns the destinations that the user set, of those that the rules ask about."""
    asked = ("server", "key_type", "rsa_key_size", "reuse_key")
    if not hasattr(config, "set_by_user"):
        return frozenset()
    return frozenset(dest for dest in asked if config.set_by_user(dest))


def _check_names(config: Any) -> None:
    read = config.namespace
    policy.check_names((str(domain) for domain in read.domains), read.authenticator)


def _name_of(lineage: Lineage | None, config: Any) -> str:
    return lineage.name if lineage is not None else str(config.certname or config.domains[0])


def _by_names(config_dir: str) -> dict[frozenset[str], list[Lineage]]:
    """Groups all lineages by their names."""
    groups: dict[frozenset[str], list[Lineage]] = {}
    for lineage in files.all_in(config_dir):
        try:
            groups.setdefault(lineage.names(), []).append(lineage)
        except (OSError, ValueError):
            logger.debug("Left out: %s", lineage.name, exc_info=True)
    return groups


def _role_of_installation(config: Any) -> Role:
    """Decides whether ``install`` waits: for a lineage of JPRS's, and for a file of no lineage."""
    lineage = None
    if config.certname:
        lineage = files.named(config.config_dir, config.certname)
    elif config.cert_path:
        lineage = files.with_certificate_file(config.config_dir, config.cert_path)
    if lineage is None or policy.is_jprs(lineage.server):
        return Role.JPRS
    ours = NAME in (lineage.authenticator, lineage.installer)
    return Role.JPRS if ours and not policy.is_lets_encrypt(lineage.server) else Role.OTHER
