"""Runs a command in the container that is a world: as a child of the world's agent.

    enter.py DOOR COMMANDS COMMAND [ARGUMENT ...]

It has our standard files and environment, and we end as it does. Meanwhile a file named after our
process number in the directory COMMANDS has the command's.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys

KEEP = "CERTBOT_JPRS_LAB_KEEP"


def environment() -> dict[str, str]:
    """Returns what we were given; Python may have added to what ``os.environ`` has."""
    with open("/proc/self/environ", "rb") as stream:
        given = stream.read().decode(errors="surrogateescape").split("\0")
    return dict(entry.split("=", 1) for entry in given if "=" in entry)


def main() -> None:
    """Has the command run, and ends as it does."""
    door, commands, *argv = sys.argv[1:]
    env = environment()
    request = {"argv": argv, "env": env, "stays": KEEP in env}
    mine = f"{commands}/{os.getpid()}"
    status = int(signal.SIGKILL)  # if the agent ends it, nobody says so
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
        channel.connect(door)
        socket.send_fds(channel, [json.dumps(request).encode()], [0, 1, 2])
        while said := channel.recv(4096):
            told = json.loads(said)
            if "pid" in told:
                with open(mine + ".part", "w", encoding="ascii") as stream:
                    stream.write(str(told["pid"]))
                os.rename(mine + ".part", mine)
            else:
                status = told["status"]
    with contextlib.suppress(FileNotFoundError):
        os.unlink(mine)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    sys.exit(code)


if __name__ == "__main__":
    main()
