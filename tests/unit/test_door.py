"""What lets a command in: Certbot's command lines, also where it parses one twice."""

from __future__ import annotations

import argparse

import pytest

from certbot_jprs import door
from certbot_jprs.ground.names import NAME
from certbot_jprs.internals.parser import ParsedCommand
from certbot_jprs.rules import policy
from tests.unit.command_line import CONTACT, FLAG, Parse

LINE = ("certonly", "-n", *FLAG, *CONTACT, "-d", "www.example.jp")


def again(**values: object) -> ParsedCommand:
    """Returns a command line as Certbot before 2.7 parses it to learn which options were given."""
    given = {"authenticator": NAME, "installer": None, "configurator": None, **values}
    nothing: frozenset[str] = frozenset()
    return ParsedCommand(argparse.Namespace(**given), "certonly", nothing, nothing, detecting=True)


def test_what_was_implied_counts_as_given(parse: Parse) -> None:
    parsed = parse(*LINE)
    command = again(server=None, key_type=None)
    door.current.parsed(command)
    assert command.namespace.server == policy.SERVER
    assert command.namespace.key_type == "rsa"
    assert door.current.enter().decision is parsed.decision  # nothing was decided anew


def test_where_nothing_was_implied_nothing_counts(parse: Parse) -> None:
    parse("certificates")
    command = again(server=None)
    before = vars(command.namespace).copy()
    door.Door().parsed(command)
    assert vars(command.namespace) == before


@pytest.mark.parametrize(
    ("words", "lets_in"),
    [
        (LINE, True),
        (("revoke", "--cert-name", "www.example.jp"), True),  # it may be one of ours
        (("certificates",), False),
        (("renew",), False),
    ],
)
def test_whom_it_lets_in(parse: Parse, words: tuple[str, ...], lets_in: bool) -> None:
    seen: list[bool] = []
    entered = door.Door.enter

    def enter(self: door.Door) -> object:
        seen.append(True)
        return entered(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door.Door, "enter", enter)
        parse(*words)
    assert len(seen) == 1 + lets_in  # once by ``parse`` itself
