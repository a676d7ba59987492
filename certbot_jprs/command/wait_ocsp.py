"""``certbot-jprs wait-ocsp``: the wait, for any server and any Certbot set-up.

Rules of this file:

- As a deploy hook it runs while Certbot holds its lock: that is never taken here, and nothing of
  Certbot's is written.
- The certificate in ``live/`` is the one that the hook's next command puts into service.
"""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Mapping

from certbot_jprs.command import output
from certbot_jprs.ground.exceptions import WaitInterrupted
from certbot_jprs.ground.language import _
from certbot_jprs.ground.said import words
from certbot_jprs.lineage import files
from certbot_jprs.ocsp import certificates
from certbot_jprs.ocsp.asking import Asking
from certbot_jprs.ocsp.evaluation import Status
from certbot_jprs.ocsp.questions import Awaited
from certbot_jprs.ocsp.responder import Responder
from certbot_jprs.rules import policy
from certbot_jprs.wait import progress
from certbot_jprs.wait.gate import Gate, Result
from certbot_jprs.wait.progress import duration

OK = 0
WRONG = 1
REVOKED = 2
TIME_UP = 3

# Of several certificates the worst counts, in this order.
_WORST = (REVOKED, WRONG, TIME_UP, OK)


class _WrongUseError(Exception):
    """The command line, or a file that it names, cannot be used."""


def run(arguments: argparse.Namespace) -> int:
    """Waits.

    Args:
        arguments: the parsed command line.

    Returns:
        The exit status.
    """
    statuses = [OK]
    try:
        awaited = _all(arguments.config_dir, statuses) if arguments.all else [_one(arguments)]
        results = _wait(awaited, arguments.timeout, arguments.interval)
    except _WrongUseError as error:
        output.error(str(error))
        return WRONG
    except WaitInterrupted as interruption:
        output.error(
            _("{what} To go on waiting, run the same command again.").format(what=interruption)
        )
        return WRONG
    statuses += [_judge(one.name, results[one.name], strict=arguments.strict) for one in awaited]
    return min(statuses, key=_WORST.index)


def _one(arguments: argparse.Namespace) -> Awaited:
    """Reads the certificate that the command is about.

    Raises:
        _WrongUseError: there is none.
    """
    if arguments.cert:
        if not arguments.chain:
            raise _WrongUseError(_("--cert needs --chain FILE, the issuer's certificate."))
        return _read(arguments.cert, arguments.cert, arguments.chain, None)
    if arguments.chain:
        raise _WrongUseError(_("--chain belongs to --cert FILE."))
    directory = arguments.lineage or os.environ.get("RENEWED_LINEAGE")
    if not directory:
        raise _WrongUseError(
            _(
                "No certificate to wait for was given. Give --lineage DIR, --cert FILE --chain "
                "FILE, or --all; in a deploy hook Certbot sets RENEWED_LINEAGE, in a post hook it "
                "does not: use --all there."
            )
        )
    cert, chain, fullchain = (
        os.path.join(directory, f"{kind}.pem") for kind in ("cert", "chain", "fullchain")
    )
    return _read(
        os.path.basename(os.path.normpath(directory)),
        cert,
        chain,
        fullchain if os.path.exists(fullchain) else None,
    )


def _read(name: str, cert: str, chain: str, fullchain: str | None) -> Awaited:
    """Reads a certificate and its issuer's.

    Raises:
        _WrongUseError: they cannot be read, or do not belong together.
    """
    try:
        awaited = certificates.awaited(name, cert, chain, fullchain)
    except (OSError, ValueError) as error:
        raise _WrongUseError(
            _("{name} cannot be read: {reason}").format(name=name, reason=output.why(error))
        ) from error
    if awaited is None:
        raise _WrongUseError(
            _(
                "{chain} lacks the certificate of the issuer of {cert}, without which no OCSP "
                "answer can be verified."
            ).format(chain=chain, cert=cert)
        )
    return awaited


def _all(config_dir: str, statuses: list[int]) -> list[Awaited]:
    """Reads the certificates of JPRS's; what cannot be read is said and does not stop the others.

    Raises:
        _WrongUseError: the directory cannot be read.
    """
    try:
        os.listdir(os.path.join(config_dir, "renewal"))
    except OSError as error:
        raise _WrongUseError(
            _("Certbot's configuration cannot be read: {reason}").format(reason=output.why(error))
        ) from error
    found = []
    for lineage in files.all_in(config_dir):
        if not policy.is_jprs(lineage.server):
            continue
        try:
            links = lineage.links
            found.append(_read(lineage.name, links["cert"], links["chain"], links["fullchain"]))
        except _WrongUseError as error:
            output.error(str(error))
            statuses.append(WRONG)
    return found


def _wait(awaited: list[Awaited], timeout: float, interval: float) -> Mapping[str, Result]:
    """Waits for certificates side by side.

    Raises:
        WaitInterrupted: a signal ended the wait.
    """
    results: dict[str, Result] = {}
    with Responder() as responder:
        gate = Gate(
            timeout=timeout,
            interval=interval,
            asking=Asking(responder.ask_all),
            progress=progress.choose(quiet=False, say=output.result),
        )
        with contextlib.closing(gate.settle(awaited)) as groups:
            for group in groups:
                results.update(group)
    return results


def _judge(name: str, result: Result, *, strict: bool) -> int:
    """Says how the wait for a certificate ended, and returns the exit status for it."""
    age = duration(result.age)
    if result.answer is None:
        output.result(_("{name}: nothing to wait for").format(name=name))
        return OK
    if result.answer.status is Status.GOOD:
        output.result(
            _("{name}: the OCSP server says good, {age} after it was saved").format(
                name=name, age=age
            )
        )
        return OK
    if result.answer.status is Status.REVOKED:
        output.error(
            _(
                "{name} is revoked, says the OCSP server. Do not put it into service. Ask JPRS's "
                "designated reseller why; then issue it anew: certbot renew --force-renewal "
                "--cert-name {name}"
            ).format(name=name)
        )
        return REVOKED
    if result.answer.status is Status.UNKNOWN:
        output.error(
            _(
                "The OCSP server still does not know {name}, {age} after it was saved. If this "
                "lasts, tell JPRS's designated reseller."
            ).format(name=name, age=age)
        )
    else:
        output.error(
            _(
                "The OCSP server gave no usable answer for {name} within {age} ({reason}). Check "
                "that this machine reaches it."
            ).format(name=name, age=age, reason=words(result.answer.reason))
        )
    return TIME_UP if strict else OK
