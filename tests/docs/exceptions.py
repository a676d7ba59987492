"""The one list of commands in the documentation that are not run in the lab, each with its reason.

A test fails where an exception matches no command of any document.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Excepted(NamedTuple):
    """How the commands begin, as a regular expression, and why they are not run."""

    begins: str
    reason: str


EXCEPTIONS = (
    Excepted(
        r"/opt/certbot/bin/pip install|pip install|apt-get install|dnf install|rpm ",
        "installs from outside: `make packaging` installs what is published, and uses it",
    ),
    Excepted(r"crontab -e", "opens an editor"),
    Excepted(
        r"ansible-(?:doc|galaxy|playbook|vault) ",
        "works on other hosts: `make ansible` does the same with hosts of the lab",
    ),
)


def excepted(command: str) -> Excepted | None:
    """Returns the exception that a command falls under, if any."""
    return next((each for each in EXCEPTIONS if re.match(each.begins, command)), None)
