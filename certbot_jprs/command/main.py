"""The command line of ``certbot-jprs``.

Rules of this file: only what the subcommand needs is imported, since this runs as a hook, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module

from certbot_jprs.command import output
from certbot_jprs.command.parsing import Formatter, Parser
from certbot_jprs.ground import language, options
from certbot_jprs.ground.language import _

CONFIG_DIR = "/etc/letsencrypt"
LOG = "/var/log/letsencrypt/letsencrypt.log"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        arguments: the words after ``certbot-jprs``; those of this process unless given.

    Returns:
        The exit status.
    """
    output.prepare()
    language.lend()
    parsed, unknown = parser().parse_known_args(arguments)
    if unknown:  # said by the subcommand's parser, which has its own exit status
        parsed.parser.error(_("unknown arguments: {words}").format(words=" ".join(unknown)))
    subcommand = import_module(f"certbot_jprs.command.{parsed.module}")
    try:
        status: int = subcommand.run(parsed)
    except KeyboardInterrupt:
        output.error(_("Ended by Ctrl-C."))
        return 130
    except BrokenPipeError:  # `certbot-jprs status | head`
        output.give_up()
        return 141
    return status


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the whole command."""
    whole = Parser(
        prog="certbot-jprs",
        description=_(
            "Certificates from JPRS: wait for the OCSP server, look after many certificates, "
            "take over what JPRS's manual set up, and explain errors."
        ),
        epilog=_("Each of them tells more: certbot-jprs status --help"),
        formatter_class=Formatter,
    )
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_wait_ocsp(commands)
    _add_status(commands)
    _add_adopt(commands)
    _add_explain(commands)
    return whole


def _add(
    commands: argparse._SubParsersAction[Parser], name: str, summary: str, details: str
) -> Parser:
    made = commands.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=details,
        formatter_class=Formatter,
    )
    made.set_defaults(module=name.replace("-", "_"), parser=made)
    return made


def _add_config_dir(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--config-dir",
        metavar="DIR",
        default=CONFIG_DIR,
        help=_("Certbot's configuration directory (default: {default})").format(default=CONFIG_DIR),
    )


def _add_wait_ocsp(commands: argparse._SubParsersAction[Parser]) -> None:
    made = _add(
        commands,
        "wait-ocsp",
        _("Wait until the OCSP server knows a new certificate."),
        _(
            "As a deploy hook of any Certbot set-up, here with nginx:\n"
            "  certbot certonly --webroot ... --deploy-hook "
            '"certbot-jprs wait-ocsp && systemctl reload nginx"\n'
            "As a post hook, one wait for all of a run:\n"
            '  certbot renew --post-hook "certbot-jprs wait-ocsp --all && systemctl reload nginx"\n'
            "\n"
            "Exit status:\n"
            "  0  known as good, nothing to wait for, or time is up (with a warning)\n"
            "  1  wrong use, a file cannot be read, or a signal\n"
            "  2  revoked\n"
            "  3  time is up, with --strict"
        ),
    )
    _add_certificates(made)
    _add_patience(made)
    _add_config_dir(made)


def _add_certificates(made: argparse.ArgumentParser) -> None:
    which = made.add_mutually_exclusive_group()
    which.add_argument(
        "--lineage",
        metavar="DIR",
        help=_("directory in live/ (default: $RENEWED_LINEAGE, which Certbot gives to hooks)"),
    )
    which.add_argument("--cert", metavar="FILE", help=_("certificate in PEM"))
    which.add_argument(
        "--all", action="store_true", help=_("all of JPRS's certificates here, in one wait")
    )
    made.add_argument(
        "--chain", metavar="FILE", help=_("the issuer's certificate in PEM, beside --cert")
    )


def _add_patience(made: argparse.ArgumentParser) -> None:
    made.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=options.seconds(0),
        default=options.OCSP_TIMEOUT_DEFAULT,
        help=_(
            "longest wait in seconds, from when the certificate was saved (default: {default})"
        ).format(default=options.OCSP_TIMEOUT_DEFAULT),
    )
    made.add_argument(
        "--interval",
        metavar="SECONDS",
        type=options.seconds(1),
        default=options.OCSP_INTERVAL_DEFAULT,
        help=_("pause between two queries in seconds (default: {default})").format(
            default=options.OCSP_INTERVAL_DEFAULT
        ),
    )
    made.add_argument(
        "--strict", action="store_true", help=_("exit with status 3 if time is up without good")
    )


def _add_status(commands: argparse._SubParsersAction[Parser]) -> None:
    made = _add(
        commands,
        "status",
        _("Show JPRS's certificates on this machine, and what is wrong."),
        _(
            "Example, for a monitoring system:\n"
            "  certbot-jprs status --warn-days 20 --crit-days 7\n"
            "\n"
            "For the textfile collector of Prometheus's node_exporter, here with its directory:\n"
            "  certbot-jprs status --prometheus --output DIR/certbot-jprs.prom\n"
            "\n"
            "Exit status: 0 all is well, 1 warning, 2 critical, 3 it could not be told, or there "
            "is no certificate. With --prometheus: 0 once the metrics are made, whatever they "
            "tell, 3 where they could not be."
        ),
    )
    made.wrong_use = 3
    form = made.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help=_("print JSON instead of a table"))
    form.add_argument(
        "--prometheus",
        action="store_const",
        dest="module",
        const="metrics",
        help=_("print metrics in Prometheus's text format instead"),
    )
    made.add_argument(
        "--output",
        metavar="FILE",
        help=_("with --prometheus: replace this file by them, at once and whole"),
    )
    for level, share, word in (("warn", "1/5", _("WARNING")), ("crit", "1/10", _("CRITICAL"))):
        made.add_argument(
            f"--{level}-days",
            metavar="N",
            type=int,
            help=_(
                "days before expiry at which to report {level} (default: {share} of the "
                "certificate's lifetime, at most {most} days)"
            ).format(level=word, share=share, most={"warn": 20, "crit": 7}[level]),
        )
    _add_config_dir(made)


def _add_adopt(commands: argparse._SubParsersAction[Parser]) -> None:
    made = _add(
        commands,
        "adopt",
        _("Take over certificates set up by JPRS's manual, without reissuing them."),
        _(
            "Example:\n"
            "  certbot-jprs adopt www.example.jp\n"
            "The change of the renewal file is shown first, and a backup of it is kept."
        ),
    )
    made.add_argument(
        "names", metavar="NAME", nargs="*", help=_("certificate name, as in: certbot certificates")
    )
    made.add_argument("--all", action="store_true", help=_("all that JPRS's manual set up"))
    made.add_argument("--yes", action="store_true", help=_("do not ask"))
    _add_config_dir(made)


def _add_explain(commands: argparse._SubParsersAction[Parser]) -> None:
    made = _add(
        commands,
        "explain",
        _("Explain an error of JPRS's service."),
        _(
            "Examples:\n"
            "  certbot-jprs explain Unable to create account\n"
            "  certbot-jprs explain < saved-output.txt\n"
            "With neither words nor standard input, the newest Certbot log is read. The log of the "
            "run before it: --log /var/log/letsencrypt/letsencrypt.log.1\n"
            "Of a log only what was recognised is shown, since it holds EAB keys.\n"
            "\n"
            "Exit status: 0 explained, 1 nothing recognised."
        ),
    )
    made.add_argument("text", metavar="TEXT", nargs="*", help=_("the error's words"))
    made.add_argument(
        "--log",
        metavar="FILE",
        default=LOG,
        help=_("Certbot's log (default: {default})").format(default=LOG),
    )
