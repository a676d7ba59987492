"""A command of a world in a container: started by the agent, with its visitor's files."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence

LIMIT = 1 << 20  # bytes of a command line with its environment


def supervise(visitor: socket.socket, ours: Iterable[socket.socket]) -> tuple[int, bool]:
    """Starts a process that starts what a visitor asks for, and tells it how that ended.

    Args:
        visitor: the connection of ``tests.agents.enter``.
        ours: what the new process has to close.

    Returns:
        The process, 0 if nothing was asked for, and whether a reset leaves it running.
    """
    data, fds, _flags, _address = socket.recv_fds(visitor, LIMIT, 3)
    with visitor:
        if not data:
            return 0, False
        request = json.loads(data)
        pid = os.fork()
        if not pid:
            try:
                for each in ours:
                    each.close()
                _run(visitor, request["argv"], request["env"], fds)
            finally:
                os._exit(1)
    for fd in fds:
        os.close(fd)
    return pid, request["stays"]


def _run(
    visitor: socket.socket, argv: Sequence[str], env: Mapping[str, str], fds: Sequence[int]
) -> None:
    """Runs a command in a session of this process's own."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.setsid()
    pid = os.fork()
    if not pid:
        try:
            _become(argv, env, fds)
        finally:
            os._exit(127)
    for fd in fds:
        os.close(fd)
    visitor.send(json.dumps({"pid": pid}).encode())
    status = os.waitpid(pid, 0)[1]
    visitor.send(json.dumps({"status": status}).encode())
    os._exit(0)


def _become(argv: Sequence[str], env: Mapping[str, str], fds: Sequence[int]) -> None:
    """Becomes the command: no signal is ignored or blocked, no file open but three."""
    for number, fd in enumerate(fds):
        os.dup2(fd, number)
    os.closerange(3, 1024)
    for signal_number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(signal_number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    try:
        os.execvpe(argv[0], list(argv), env)
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
