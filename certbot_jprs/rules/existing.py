"""What becomes of an existing lineage when the one flag asks for its names.

Rules of this file: a lineage of another CA moves, one that JPRS's manual set up is taken over, and
only names that are exactly the same, or ``--cert-name``, mean a lineage; all else is left to
Certbot's own questions and rules.
"""

from __future__ import annotations

from typing import Any

from certbot.display import util as display_util

from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegation import Roles, of_config, of_lineage
from certbot_jprs.lineage import adoption, files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.rules import policy
from certbot_jprs.rules.decision import CommandLine


def matching(line: CommandLine, names: list[str]) -> Lineage | None:
    """Returns the lineage with exactly the names asked for, or that ``--cert-name`` names."""
    certname = line.get("certname")
    if certname:
        lineage = files.named(line.config_dir(), certname)
        try:
            same = lineage is not None and (
                lineage.names() == {name.lower() for name in names}
                if names
                else bool(lineage.names())
            )
        except (OSError, ValueError):
            same = False  # a broken lineage: Certbot says so itself
        return lineage if same else None
    found = files.with_names(line.config_dir(), names) if names else []
    at_this_ca = [lineage for lineage in found if lineage.server == line.get("server")]
    candidates = at_this_ca or found
    return candidates[-1] if candidates else None  # of several, Certbot takes the last


def go_on(line: CommandLine, lineage: Lineage) -> bool:
    """Decides what becomes of an existing lineage.

    Returns:
        False where it stays with its CA, and JPRS's rules do not apply.
    """
    if lineage.server == line.get("server"):
        _stay(line, lineage)
        return True
    if line.get("reinstall"):
        line.decision.governed = False
        line.decision.implied.pop("key_type", None)
        line.decision.implied.pop("rsa_key_size", None)
        line.imply(server=lineage.server or "")
        line.decision.notices[:] = [
            _(
                "The certificate {name} is from another CA ({server}) and stays there, because "
                "--keep-until-expiring (--reinstall) was given. Leave that option out to move "
                "it to JPRS."
            ).format(name=lineage.name, server=lineage.server)
        ]
        return False
    _move(line, lineage)
    return True


def _move(line: CommandLine, lineage: Lineage) -> None:
    """Has a lineage of another CA reissued here at once, under the same name."""
    line.say(
        _("The certificate {name} moves from {old} to {new}: it is issued anew now.").format(
            name=lineage.name, old=lineage.server, new=line.get("server")
        )
    )
    line.imply(certname=lineage.name, renew_by_default=True)
    _keep_settings(line, lineage)


def _stay(line: CommandLine, lineage: Lineage) -> None:
    """Prepares a lineage of this CA: an unfit key is replaced, JPRS's manual taken over."""
    # Of several lineages with these names, Certbot alone would take one of another CA.
    line.imply(certname=lineage.name)
    if not policy.is_acceptable_key(lineage.certificate().public_key()):
        line.say(
            _(
                "The certificate {name} has a key that JPRS does not accept: it is issued anew "
                "now, with an RSA key."
            ).format(name=lineage.name)
        )
        line.imply(renew_by_default=True)
    elif _becomes_ours(line, lineage):
        line.decision.taken_over = lineage
        if not line.get("renew_by_default"):
            line.imply(reinstall=True)  # no question: nothing is issued unless it is due
    _keep_settings(line, lineage)


def _becomes_ours(line: CommandLine, lineage: Lineage) -> bool:
    """Tells whether this command names the plugin where the lineage names another."""
    configurator = line.get("configurator")
    auth = configurator or line.get("authenticator")
    inst = configurator or line.get("installer")
    return (auth == NAME and lineage.authenticator != NAME) or (
        inst == NAME and lineage.installer != NAME
    )


def _keep_settings(line: CommandLine, lineage: Lineage) -> None:
    """Keeps what Certbot would drop when it issues a lineage anew: key reuse, deploy hook."""
    hook = adoption.hook_without_sleep(lineage)
    if hook and not line.get("deploy_hook"):
        line.imply(deploy_hook=hook)
        if hasattr(line.namespace, "renew_hook"):  # before Certbot 5.2 this is what is stored
            line.imply(renew_hook=hook)
    reuse = line.get("reuse_key") if line.decision.given("reuse_key") else lineage.reuse_key
    if not reuse:
        return
    line.imply(reuse_key=True)
    key = lineage.certificate().public_key()
    if policy.is_acceptable_key(key):
        if not line.decision.given("rsa_key_size"):
            line.imply(rsa_key_size=key.key_size)  # type: ignore[union-attr]  # it is RSA
    elif hasattr(line.namespace, "new_key"):
        line.imply(new_key=True)
    else:
        line.imply(reuse_key=False)
        line.decision.reuse_new_key = True


def take_over(config: Any, lineage: Lineage) -> None:
    """Makes a lineage set up by JPRS's manual the plugin's, where the command asks for that.

    Nothing is issued for it; its renewal file is rewritten, and a backup is kept.

    Args:
        config: Certbot's configuration of the command.
        lineage: the lineage.

    Raises:
        OSError: the renewal file cannot be replaced.
        ValueError: it cannot be rewritten.
    """
    asked = of_config(config)
    # `certonly` names no installer: the lineage's stays.
    installer = asked.installer or of_lineage(lineage.params).installer
    change = adoption.plan(lineage, Roles(asked.authenticator, installer))
    backup = adoption.write(lineage, change)
    if backup is not None:
        display_util.notify(
            _(
                "{name} is renewed by {plugin} from now on. Its renewal file was changed; the "
                "old one is {backup}."
            ).format(name=lineage.name, plugin=NAME, backup=backup)
        )
