"""What becomes of an existing lineage when the one flag asks for its names.

Rules of this file: a lineage of another CA moves, one that JPRS's manual set up is taken over, and
only names that are exactly the same, or ``--cert-name``, mean a lineage; all else is left to
Certbot's own questions and rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certbot_jprs.language import _
from certbot_jprs.options import NAME

if TYPE_CHECKING:
    from certbot_jprs.lineages import Lineage
    from certbot_jprs.one_flag import Applying


def matching(step: Applying, names: list[str]) -> Lineage | None:
    """Returns the lineage with exactly the names asked for, or that ``--cert-name`` names."""
    from certbot_jprs import lineages

    certname = step.get("certname")
    if certname:
        lineage = lineages.named(step.config_dir(), certname)
        try:
            same = lineage is not None and (
                lineage.names() == {name.lower() for name in names}
                if names
                else bool(lineage.names())
            )
        except (OSError, ValueError):
            same = False  # a broken lineage: Certbot says so itself
        return lineage if same else None
    found = lineages.with_names(step.config_dir(), names) if names else []
    at_this_ca = [lineage for lineage in found if lineage.server == step.get("server")]
    candidates = at_this_ca or found
    return candidates[-1] if candidates else None  # of several, Certbot takes the last


def go_on(step: Applying, lineage: Lineage) -> bool:
    """Decides what becomes of an existing lineage.

    Returns:
        False where it stays with its CA, and JPRS's rules do not apply.
    """
    if lineage.server == step.get("server"):
        _stay(step, lineage)
        return True
    if step.get("reinstall"):
        step.decision.governed = False
        step.decision.implied.pop("key_type", None)
        step.decision.implied.pop("rsa_key_size", None)
        step.imply(server=lineage.server or "")
        step.decision.notices[:] = [
            _(
                "The certificate {name} is from another CA ({server}) and stays there, because "
                "--keep-until-expiring (--reinstall) was given. Leave that option out to move "
                "it to JPRS."
            ).format(name=lineage.name, server=lineage.server)
        ]
        return False
    _move(step, lineage)
    return True


def _move(step: Applying, lineage: Lineage) -> None:
    """Has a lineage of another CA reissued here at once, under the same name."""
    step.say(
        _("The certificate {name} moves from {old} to {new}: it is issued anew now.").format(
            name=lineage.name, old=lineage.server, new=step.get("server")
        )
    )
    step.imply(certname=lineage.name, renew_by_default=True)
    _keep_settings(step, lineage)


def _stay(step: Applying, lineage: Lineage) -> None:
    """Prepares a lineage of this CA: an unfit key is replaced, JPRS's manual taken over."""
    from certbot_jprs import policy

    # Of several lineages with these names, Certbot alone would take one of another CA.
    step.imply(certname=lineage.name)
    if not policy.is_acceptable_key(lineage.certificate().public_key()):
        step.say(
            _(
                "The certificate {name} has a key that JPRS does not accept: it is issued anew "
                "now, with an RSA key."
            ).format(name=lineage.name)
        )
        step.imply(renew_by_default=True)
    elif _becomes_ours(step, lineage):
        step.decision.taken_over = lineage
        if not step.get("renew_by_default"):
            step.imply(reinstall=True)  # no question: nothing is issued unless it is due
    _keep_settings(step, lineage)


def _becomes_ours(step: Applying, lineage: Lineage) -> bool:
    """Tells whether this command names the plugin where the lineage names another."""
    configurator = step.get("configurator")
    auth = configurator or step.get("authenticator")
    inst = configurator or step.get("installer")
    return (auth == NAME and lineage.authenticator != NAME) or (
        inst == NAME and lineage.installer != NAME
    )


def _keep_settings(step: Applying, lineage: Lineage) -> None:
    """Keeps what Certbot would drop when it issues a lineage anew: key reuse, deploy hook."""
    from certbot_jprs import adoption, policy

    hook = adoption.without_sleep(lineage.deploy_hook)
    if hook and not step.get("deploy_hook"):
        step.imply(deploy_hook=hook)
    reuse = step.get("reuse_key") if step.decision.given("reuse_key") else lineage.reuse_key
    if not reuse:
        return
    step.imply(reuse_key=True)
    key = lineage.certificate().public_key()
    if policy.is_acceptable_key(key):
        if not step.decision.given("rsa_key_size"):
            step.imply(rsa_key_size=key.key_size)  # type: ignore[union-attr]  # it is RSA
    elif hasattr(step.namespace, "new_key"):
        step.imply(new_key=True)
    else:
        step.imply(reuse_key=False)
        step.decision.reuse_new_key = True
