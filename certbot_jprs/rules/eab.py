"""EAB credentials (RFC 8555 section 7.3.4): checked before anything is sent, read from a file.

Rules of this file:

- No credential appears in a message, a log line, an exception or anything that is stored.
- A key identifier is opaque text. A MAC key is base64url (RFC 4648 section 5), padded or not.
- Both are refused with what comes along when they are pasted: spaces, line breaks, quotation
  marks of a word processor.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat

from certbot_jprs.ground.exceptions import OptionError
from certbot_jprs.ground.language import _
from certbot_jprs.rules import pasted

MOST_BYTES = 4096
"""A file with more is none with two credentials."""

KID_OPTION = "--eab-kid"
HMAC_OPTION = "--eab-hmac-key"


def check(kid: str | None, hmac_key: str | None, source: str | None = None) -> None:
    """Checks a pair of credentials; no pair at all passes.

    Args:
        kid: the key identifier.
        hmac_key: the MAC key.
        source: the file that they come from; None: the options.

    Raises:
        OptionError: one is missing, or cannot be what the reseller sent.
    """
    if kid is None and hmac_key is None:
        return
    kid_from, hmac_from = _places(source)
    for value, place, other in ((kid, kid_from, hmac_from), (hmac_key, hmac_from, kid_from)):
        if value is None:
            raise OptionError(
                _(
                    "{other} was given without {place}. Give both, as your reseller sent them."
                ).format(other=other, place=place)
            )
        _check_value(value, place)
    if not _is_base64url(hmac_key or ""):
        raise OptionError(
            _(
                "The value of {place} is not base64url: only A-Z, a-z, 0-9, - and _ may occur, and "
                "nothing may be missing. Copy it once more from what your reseller sent."
            ).format(place=hmac_from)
        )


def _places(source: str | None) -> tuple[str, str]:
    if source is None:
        return KID_OPTION, HMAC_OPTION
    return (
        _("the key identifier (kid) in {file}").format(file=source),
        _("the MAC key (hmac) in {file}").format(file=source),
    )


def _check_value(value: str, place: str) -> None:
    """Refuses what can be no part of a credential."""
    if not value:
        raise OptionError(
            _("The value of {place} is empty. Give it as your reseller sent it.").format(
                place=place
            )
        )
    pasted.check(value, place)


def _is_base64url(text: str) -> bool:
    """Tells whether a text is base64url of at least one byte, with all of its padding or none."""
    match = re.fullmatch(r"([A-Za-z0-9_-]+)(={0,2})", text)
    if match is None or len(match.group(1)) % 4 == 1:
        return False
    return not match.group(2) or len(text) % 4 == 0


def read(path: str) -> tuple[str, str]:
    """Reads credentials from a file: two lines, or JSON with ``kid`` and ``hmac``.

    Args:
        path: the file, which only its owner may read: root or the present user.

    Returns:
        Key identifier and MAC key, checked.

    Raises:
        OptionError: the file cannot be read, others can read it, or it has something else.
    """
    pair = _parse(_contents(path), path)
    check(*pair, source=path)
    return pair


def _contents(path: str) -> str:
    try:
        # Not blocking: a pipe to which nobody writes would stop Certbot for good.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise OptionError(_unreadable(path, error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OptionError(_("--jprs-eab-file: {file} is not a file.").format(file=path))
        if status.st_mode & 0o077 or status.st_uid not in (0, os.geteuid()):
            raise OptionError(
                _(
                    "--jprs-eab-file: others than root can read or change {file}. Run: "
                    "chown root {file}; chmod 600 {file}"
                ).format(file=path)
            )
        data = os.read(descriptor, MOST_BYTES + 1)
    except OSError as error:
        raise OptionError(_unreadable(path, error)) from None
    finally:
        os.close(descriptor)
    if len(data) > MOST_BYTES:
        raise OptionError(_wrong_form(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:  # its message would show what the file contains
        raise OptionError(_wrong_form(path)) from None


def _unreadable(path: str, error: OSError | ValueError) -> str:
    reason = os.strerror(error.errno or 0) if isinstance(error, OSError) else str(error)
    if isinstance(error, OSError) and error.errno == errno.ENOENT:
        return _("--jprs-eab-file: there is no file {file}.").format(file=path)
    return _("--jprs-eab-file: {file} cannot be read: {reason}.").format(file=path, reason=reason)


def _wrong_form(path: str) -> str:
    return _(
        "--jprs-eab-file: {file} has another form than expected. Write the key identifier (kid) in "
        'the first line and the MAC key in the second, or JSON: {{"kid": "...", "hmac": "..."}}'
    ).format(file=path)


def _parse(text: str, path: str) -> tuple[str, str]:
    if text.lstrip().startswith("{"):
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise OptionError(_wrong_form(path)) from None
        pair = [document.get("kid"), document.get("hmac")]
    else:
        pair = [line.strip() for line in text.split("\n") if line.strip()]
    if len(pair) != 2 or not all(isinstance(value, str) for value in pair):
        raise OptionError(_wrong_form(path))
    return pair[0], pair[1]


def refuse_both() -> None:
    """Refuses a file beside the options.

    Raises:
        OptionError: always.
    """
    raise OptionError(
        _("--jprs-eab-file stands for {kid} and {hmac}: give the file, or those two.").format(
            kid=KID_OPTION, hmac=HMAC_OPTION
        )
    )
