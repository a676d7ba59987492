"""What the user sees of the wait, of the real command: on a terminal, elsewhere, and under -q."""

from __future__ import annotations

import re

from tests.e2e.waiting import NAME, PATIENT, QUICK, first, renew, served_first_version
from tests.lab import Terminal, World

LINES = re.compile(
    rf"^Waiting for the OCSP server to know {NAME} before use:\n"
    r"\d+ s so far, at most 10 min\.\n",
    re.MULTILINE,
)
BAR = re.compile(r"\r([0-9]+) s \|[^|\r\n]+\| at most 10 min")


def on_screen(output: str) -> list[str]:
    """Returns the lines that stand on a terminal after all was written."""
    lines = []
    for line in output.replace("\r\n", "\n").split("\n"):
        cells: list[str] = []
        column = 0
        for char in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line):
            if char == "\r":
                column = 0
            else:
                cells[column : column + 1] = [char]
                column += 1
        lines.append("".join(cells).rstrip())
    return lines


def on_terminal(world: World, **env: str) -> Terminal:
    """Starts the one command on a terminal of 80 columns; OCSP is late."""
    world.vhost(NAME)
    world.ocsp.lag = 600
    return world.certbot_pty(*first(world, *PATIENT), env={"COLUMNS": "80", **env})


def test_a_bar_on_a_terminal_that_leaves_nothing_behind(world: World) -> None:
    terminal = on_terminal(world)
    seconds: set[str] = set()
    while len(seconds) < 3:  # it moves
        seconds.add(terminal.expect(BAR.pattern)[1])
    world.ocsp.lag = 0
    output = terminal.wait().check().output
    assert all(len(drawn[0].strip("\r")) == 79 for drawn in BAR.finditer(output))
    screen = on_screen(output)
    start = screen.index(f"Waiting for the OCSP server to know {NAME} before use:")
    assert "at most 10 min" not in "\n".join(screen)
    assert re.match(rf"The OCSP server knows {NAME} \(good, \d+ s after", screen[start + 1])


def test_lines_on_a_terminal_without_tqdm(world: World) -> None:
    world.write("/run/tmp/without/tqdm.py", "raise ImportError('no tqdm here')\n")
    terminal = on_terminal(world, PYTHONPATH="/run/tmp/without")
    terminal.expect("so far")
    world.ocsp.lag = 0
    output = terminal.wait().check().output.replace("\r\n", "\n")
    assert LINES.search(output)
    assert not BAR.search(output)
    assert "\r" not in output


def test_lines_on_a_terminal_that_shows_debug_messages(world: World) -> None:
    world.vhost(NAME)
    terminal = world.certbot_pty(*first(world, *PATIENT, "-vv"), env={"COLUMNS": "80"})
    output = terminal.wait().check().output.replace("\r\n", "\n")
    assert "OCSP status of" in output
    assert LINES.search(output)
    assert "\r" not in output


def test_lines_elsewhere(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.lag = 3
    result = world.certbot(*first(world, *PATIENT)).check()
    assert len(LINES.findall(result.stdout)) == 1
    assert re.search(
        rf"^The OCSP server knows {NAME} \(good, \d+ s after", result.stdout, re.MULTILINE
    )
    assert "\r" not in result.output


def test_nothing_when_there_is_nothing_to_wait_for(world: World) -> None:
    world.vhost(NAME)
    world.jprs.ocsp_urls = ()
    assert "OCSP" not in world.certbot(*first(world, *PATIENT)).check().output


def test_silence_under_q(world: World) -> None:
    served_first_version(world)
    world.ocsp.lag = 2
    result = world.certbot(*renew("-q", *PATIENT)).check()
    assert result.output == ""
    assert world.served(NAME).serial == world.jprs.issued[-1].serial


def test_silence_under_q_of_a_first_certificate(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.behave("garbage")
    result = world.certbot(*first(world, "-q", *QUICK)).check()
    assert result.output == ""
    assert world.served(NAME).serial == world.jprs.issued[-1].serial


def test_failures_are_told_under_q(world: World) -> None:
    world.vhost(NAME)
    world.ocsp.behave("revoked")
    result = world.certbot(*first(world, "-q", *PATIENT))
    assert result.returncode == 1
    assert result.stdout == ""
    assert "revoked" in result.stderr
