"""What ``-a certbot-jprs:http`` implies, decided when the command line has been parsed.

Rules of this file:

- Where the plugin is not selected, nothing is read, changed or printed.
- What the user typed is respected; what follows from the flag is set on the namespace, and
  remembered in the ``Decision``, because Certbot before 2.7 parses the line again to learn what
  was given, and Certbot since 2.7 counts a value as given only if it is set once more on its
  configuration (``Decision.renew_implied``).
- Nothing is sent to the CA, and rules that the command breaks are refused here.
"""

from __future__ import annotations

import argparse
import sys

from cryptography import x509

from certbot_jprs.ground import language, options
from certbot_jprs.ground.exceptions import OptionError, PolicyError
from certbot_jprs.ground.language import _
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.delegates import ALL
from certbot_jprs.internals.parser import ParsedCommand
from certbot_jprs.lineage import files
from certbot_jprs.lineage.files import Lineage
from certbot_jprs.rules import existing, policy, registration, revocation, roles
from certbot_jprs.rules.decision import ISSUING, CommandLine, Decision

INSTALLING = ("install", "enhance", "rollback")
ACCOUNT = ("register", "show_account", "update_account", "unregister")


def decide(command: ParsedCommand, decision: Decision) -> None:
    """Sets on a parsed command line what the flag implies.

    Args:
        command: the command line; its namespace is changed in place.
        decision: a new one; what was decided is written into it.

    Raises:
        OptionError: an option has a value that cannot be used.
        PolicyError: the command breaks one of JPRS's rules.
    """
    namespace = command.namespace
    decision.parsed, decision.typed = True, command.typed
    _explain_colon(namespace)
    named = [
        dest
        for dest in ("authenticator", "installer", "configurator")
        if getattr(namespace, dest, None) == NAME
    ]
    if getattr(namespace, options.CHECK, False):
        _check_rehearsable(command, named=bool(named))
    decision.on_command_line = any(dest not in command.from_file for dest in named)
    if named:
        Applying(command, decision).apply()
    if command.verb == "revoke":
        revocation.keep_files(CommandLine(command, decision))
    vars(namespace).update(decision.implied)
    if command.verb in ISSUING and not decision.governed:
        _refuse_to_issue_instead(namespace)


def _check_rehearsable(command: ParsedCommand, *, named: bool) -> None:
    """Refuses ``--jprs-check`` where Certbot would go on and do the real thing.

    Raises:
        PolicyError: the plugin is not named, or the subcommand issues nothing.
    """
    usage = f"certbot certonly -a {NAME} --cert-name NAME --jprs-check"
    if command.verb in ISSUING and not named:
        raise PolicyError(
            _(
                "--jprs-check rehearses certificates of JPRS, and needs -a {name} beside it; "
                "nothing was done."
            ).format(name=NAME)
        )
    if command.verb not in ISSUING and options.CHECK not in command.from_file:
        raise PolicyError(
            _(
                "--jprs-check rehearses `certbot run` and `certbot certonly`, not `certbot "
                "{verb}`; nothing was done. For an existing certificate: {usage}"
            ).format(verb=command.verb, usage=usage)
        )


def _refuse_to_issue_instead(namespace: argparse.Namespace) -> None:
    """Refuses ``--jprs-check`` for a certificate of another CA, which would be issued."""
    if getattr(namespace, options.CHECK, False):
        raise PolicyError(
            _(
                "--jprs-check rehearses certificates of JPRS, and this command is about one of "
                "{server}; nothing was done. That CA has --dry-run."
            ).format(server=namespace.server)
        )


def _explain_colon(namespace: argparse.Namespace) -> None:
    """Says, in one line, how an option is spelled in ``cli.ini``."""
    for value in getattr(namespace, options.COLON_IN_FILE, None) or ():
        rest = str(value).strip()
        short = rest.removeprefix("http-")
        print(  # noqa: T201 - Certbot's display does not exist yet
            _(
                "cli.ini: a colon cannot be part of a key there, so the line 'certbot-jprs:{rest}' "
                "has no effect. Write instead: jprs-{short}"
            ).format(rest=rest, short=short),
            file=sys.stderr,
        )


class Applying(CommandLine):
    """The steps of ``decide`` for a command line that selects the plugin."""

    def apply(self) -> None:
        """Takes all steps that the subcommand asks for."""
        if self.verb in ISSUING:
            asked = roles.select(self)
            self._choose_server()
            names = [str(name) for name in self.get("domains") or ()]
            renews = not (self.get("csr") or self.get("duplicate"))
            lineage = existing.matching(self, names) if renews else None
            roles.choose(self, asked, lineage)
            if self.decision.governed and self.get(options.CHECK):
                self._rehearse(names, lineage)
            elif self.decision.governed:
                self._issue(names, lineage)
        elif self.verb in INSTALLING:
            asked = roles.select(self)
            roles.choose(self, asked, files.named(self.config_dir(), self.get("certname") or ""))
        elif self.verb in ACCOUNT and self.decision.on_command_line:
            self._choose_server()
            if self.decision.governed:
                self._refuse_tests()
                registration.check(self)
                self.tell()
        elif self.verb == "revoke":
            self._choose_revocation_server()
        elif self.verb == "reconfigure" and self.decision.on_command_line:
            self._refuse_test("certbot reconfigure")

    def _validator(self) -> str | None:
        """Returns the authenticator's name; None for one that a flag of its own names."""
        named = self.get("configurator") or self.get("authenticator")
        return str(named) if named else next((flag for flag in ALL if self.get(flag)), None)

    # Server

    def _choose_server(self) -> None:
        """Replaces Let's Encrypt's default by JPRS's; a server that was typed stays."""
        if not self.decision.given("server"):
            self.imply(server=policy.SERVER)
        self.decision.governed = not policy.is_lets_encrypt(self.get("server"))

    def _choose_revocation_server(self) -> None:
        """Sends a revocation to the CA that issued the certificate.

        With ``--cert-name`` Certbot takes the lineage's own server.
        """
        if self.decision.given("server") or not revocation.path_of(self):
            return
        lineage = revocation.lineage_of(self)
        if lineage is not None and lineage.server:
            self.imply(server=lineage.server)
        elif self.decision.on_command_line:
            self.imply(server=policy.SERVER)

    # Rules

    def _rehearse(self, names: list[str], lineage: Lineage | None) -> None:
        """Applies the rules, and leaves it to the rehearsal to say which one is broken."""
        try:
            self._issue(names, lineage)
        except (PolicyError, OptionError) as error:
            self.decision.broken_rule = str(error)

    def _issue(self, names: list[str], lineage: Lineage | None) -> None:
        """Applies the rules for a command that issues a certificate."""
        self._refuse_tests()
        self._choose_key()
        if self.get("csr"):
            self._check_csr()
        elif lineage is not None:
            self.decision.lineage = lineage.name
            if language.chosen() is None:
                language.enter(lineage.params.get(options.LANGUAGE))
            names = names or sorted(lineage.names())
            if not existing.go_on(self, lineage):
                return
        policy.check_names(names, self._validator())
        registration.check(self)

    def _refuse_tests(self) -> None:
        if self.get("dry_run"):
            self._refuse_test("--dry-run")
        if self.get("staging"):
            self._refuse_test("--staging (--test-cert)")

    def _refuse_test(self, asked: str) -> None:
        policy.refuse_rehearsal_by_dry_run(asked)

    def _choose_key(self) -> None:
        key_type = self.get("key_type")
        if self.decision.given("key_type") and key_type != "rsa":
            self.say(
                _(
                    "JPRS issues certificates for RSA keys only: RSA is used, not {key_type}."
                ).format(key_type=key_type)
            )
        self.imply(key_type="rsa")
        if (self.get("rsa_key_size") or 0) < policy.LEAST_RSA_BITS:
            self.say(
                _("JPRS requires RSA keys of at least {bits} bits: {bits} bits are used.").format(
                    bits=policy.LEAST_RSA_BITS
                )
            )
            self.imply(rsa_key_size=policy.LEAST_RSA_BITS)

    def _check_csr(self) -> None:
        """Refuses a CSR whose key JPRS does not certify; an unreadable one Certbot refuses."""
        path, data = self.get("csr")[0:2]
        for load in (x509.load_pem_x509_csr, x509.load_der_x509_csr):
            try:
                key = load(data).public_key()
            except ValueError:
                continue
            policy.check_public_key(key, str(path))
            return
