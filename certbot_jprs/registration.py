"""The account at JPRS: contacts and EAB credentials, before anything is sent.

Rules of this file: what JPRS would refuse is refused here, and a terminal is asked for what is
missing; no credential is ever part of a message.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from certbot_jprs import options
from certbot_jprs.exceptions import PolicyError
from certbot_jprs.language import _
from certbot_jprs.options import NAME

if TYPE_CHECKING:
    from certbot_jprs.one_flag import Applying

EAB = ("eab_kid", "eab_hmac_key", options.EAB_FILE)
"""Destinations of the options that give EAB credentials."""

REGISTERING = ("run", "certonly", "register")
"""Subcommands that register an account where there is none."""


def check(step: Applying) -> None:
    """Checks contacts and EAB, and asks for a contact on a terminal.

    Certbot's own question for an address allows none, which JPRS refuses.
    """
    from certbot_jprs import policy

    exists = _account_exists(step)
    email = step.get("email")
    if exists and any(step.get(dest) for dest in EAB):
        step.say(
            _(
                "An account for {server} exists on this machine already, so the EAB "
                "credentials given are not used. To register another one, deactivate it "
                "first: certbot unregister -a {name}"
            ).format(server=step.get("server"), name=NAME)
        )
    needed = step.verb == "update_account" or (not exists and step.verb in REGISTERING)
    if email is None and needed and not _silent(step):
        _check_eab(step, exists)  # rather than after a question
        if step.get(options.CHECK):
            return  # the real command will ask
        email = _ask_for_contact()
        step.imply(email=email)
    if needed and step.get("register_unsafely_without_email"):
        policy.check_contacts(None)
    if needed or (email is not None and step.verb in REGISTERING):
        policy.check_contacts(email)
    _check_eab(step, exists)


def _check_eab(step: Applying, exists: bool) -> None:
    """Checks the EAB credentials, and takes them from the file where one is given.

    They are not among what is implied, which lives as long as the process.

    Raises:
        OptionError: they cannot be what the reseller sent, or not be read.
        PolicyError: JPRS requires them, and there are none.
    """
    from certbot_jprs import eab, policy

    if exists or step.verb not in REGISTERING:
        return
    namespace = step.namespace
    given = [getattr(namespace, dest, None) for dest in EAB]
    if given == [None, None, None] and policy.is_jprs(step.get("server")):
        policy.refuse_without_eab()
    kid, hmac_key, file = given
    if file is None:
        eab.check(kid, hmac_key)
    elif given[:2] == [None, None]:
        namespace.eab_kid, namespace.eab_hmac_key = eab.read(file)
        setattr(namespace, options.EAB_FILE, None)
    else:
        eab.refuse_both()


def _silent(step: Applying) -> bool:
    """Tells whether nobody can be asked."""
    if step.get("noninteractive_mode") or step.get("quiet"):
        return True
    return not (step.get("force_interactive") or sys.stdin.isatty())


def _account_exists(step: Applying) -> bool:
    from certbot import configuration

    values = {**vars(step.namespace), **step.decision.implied}
    directory = configuration.NamespaceConfig(argparse.Namespace(**values)).accounts_dir
    try:
        return any(not name.startswith(".") for name in os.listdir(directory))
    except OSError:
        return False


def _ask_for_contact() -> str | None:
    """Asks for contact addresses until there is one that JPRS accepts.

    Returns:
        The addresses, separated by commas; None where the terminal was closed instead.
    """
    from certbot_jprs import policy

    question = _("Contact e-mail address for JPRS's urgent notices (several: with commas): ")
    while True:
        try:
            answer = input(question).strip()
        except EOFError:
            return None
        try:
            policy.check_contacts(answer)
        except PolicyError as error:
            print(error)  # noqa: T201 - Certbot's display does not exist yet
            continue
        return answer
