"""The account at JPRS: contacts and EAB credentials, before anything is sent.

Rules of this file: what JPRS would refuse is refused here, and a terminal is asked for what is
missing; no credential is ever part of a message.
"""

from __future__ import annotations

import argparse
import os
import sys

from certbot import configuration

from certbot_jprs.ground import options
from certbot_jprs.ground.exceptions import PolicyError
from certbot_jprs.ground.language import _
from certbot_jprs.lineage import files
from certbot_jprs.rules import eab, policy
from certbot_jprs.rules.decision import CommandLine

EAB = ("eab_kid", "eab_hmac_key", options.EAB_FILE)
"""Destinations of the options that give EAB credentials."""

REGISTERING = ("run", "certonly", "register")
"""Subcommands that register an account where there is none."""


def check(line: CommandLine) -> None:
    """Checks contacts and EAB, and asks for a contact on a terminal.

    Certbot's own question for an address allows none, which JPRS refuses.
    """
    if line.verb == "unregister":
        _warn_of_unregistering(line)
        return
    exists = bool(_accounts(line))
    email = _without_spaces(line)
    if exists and any(line.get(dest) for dest in EAB):
        line.say(
            _(
                "An account for {server} exists on this machine already and is used; the EAB "
                "credentials given are not used."
            ).format(server=line.get("server"))
        )
    needed = line.verb == "update_account" or (not exists and line.verb in REGISTERING)
    if email is None and needed and not _silent(line):
        _check_eab(line, exists=exists)  # rather than after a question
        if line.get(options.CHECK):
            return  # the real command will ask
        email = _ask_for_contact()
        line.imply(email=email)
    if email is not None and (needed or line.verb in REGISTERING):
        policy.check_contacts(email)
    if not exists and line.verb in REGISTERING and _silent(line):
        _check_all_is_given(line, email)
    if needed and (email is None or line.get("register_unsafely_without_email")):
        policy.check_contacts(None)
    _check_eab(line, exists=exists)
    registers = not exists and line.verb in REGISTERING and policy.is_jprs(line.get("server"))
    if registers and not line.get("tos") and _silent(line):
        policy.refuse_without_terms()


def _without_spaces(line: CommandLine) -> str | None:
    """Returns the addresses without the spaces beside commas, which Certbot would send along."""
    email = line.get("email")
    if email is None or " " not in email:
        return email
    email = ",".join(part.strip() for part in email.split(","))
    line.imply(email=email)
    return str(email)


def _check_all_is_given(line: CommandLine, email: str | None) -> None:
    given = any(getattr(line.namespace, dest, None) is not None for dest in EAB)
    policy.check_registration(
        contact=email is not None and not line.get("register_unsafely_without_email"),
        eab=given or not policy.is_jprs(line.get("server")),
        terms=bool(line.get("tos")),
    )


def _check_eab(line: CommandLine, *, exists: bool) -> None:
    """Checks the EAB credentials, and takes them from the file where one is given.

    They are not among what is implied, which lives as long as the process.

    Raises:
        OptionError: they cannot be what the reseller sent, or not be read.
        PolicyError: JPRS requires them, and there are none.
    """
    if exists or line.verb not in REGISTERING:
        return
    namespace = line.namespace
    given = [getattr(namespace, dest, None) for dest in EAB]
    if given == [None, None, None] and policy.is_jprs(line.get("server")):
        policy.refuse_without_eab()
    kid, hmac_key, file = given
    if file is None:
        eab.check(kid, hmac_key)
    elif given[:2] == [None, None]:
        namespace.eab_kid, namespace.eab_hmac_key = eab.read(file)
        setattr(namespace, options.EAB_FILE, None)
    else:
        eab.refuse_both()


def _silent(line: CommandLine) -> bool:
    """Tells whether nobody can be asked."""
    if line.get("noninteractive_mode") or line.get("quiet"):
        return True
    return not (line.get("force_interactive") or sys.stdin.isatty())


def _warn_of_unregistering(line: CommandLine) -> None:
    """Says what cannot be done any more without the account, before it is deactivated."""
    here = _accounts(line)
    ending = [line.get("account")] if line.get("account") in here else here
    if not ending:
        return
    names = [
        lineage.name
        for lineage in files.all_in(line.config_dir())
        if lineage.server == line.get("server") and lineage.params.get("account") in ending
    ]
    if names:
        line.say(
            _(
                "Without this account these certificates can no longer be renewed: {names}. They "
                "stay valid until they expire."
            ).format(names=", ".join(names))
        )
    line.say(
        _(
            "A deactivated account cannot be used again. To register another one, new EAB "
            "credentials from your designated reseller are needed."
        )
    )


def _accounts(line: CommandLine) -> list[str]:
    values = {**vars(line.namespace), **line.decision.implied}
    directory = configuration.NamespaceConfig(argparse.Namespace(**values)).accounts_dir
    try:
        return [name for name in os.listdir(directory) if not name.startswith(".")]
    except OSError:
        return []


def _ask_for_contact() -> str | None:
    """Asks for contact addresses until there is one that JPRS accepts.

    Returns:
        The addresses, separated by commas; None where the terminal was closed instead.
    """
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
