"""Several hosts of one administrator, who reaches them by ssh: what Ansible works on.

Each host is a world of its own, with Debian's sshd in it. What is installed there goes to memory
and is gone with the host: ``/usr``, ``/opt`` and dpkg's records are laid over. apt and pip find
their packages on a shelf, for the lab has no way out.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.lab.machine import CA_BUNDLE
from tests.lab.place import PATH, WEB, Missing
from tests.lab.world import World

OVER = "/run/lab/over"
COVER = f"""\
set -e
for directory in /usr /opt /var/cache /run/lab/host/var/spool /run/lab/host/var/lib; do
    mkdir -p {OVER}$directory/upper {OVER}$directory/work
    layers=lowerdir=$directory,upperdir={OVER}$directory/upper,workdir={OVER}$directory/work
    mount -t overlay -o $layers overlay $directory
done
mkdir -p {OVER}/dpkg/upper {OVER}/dpkg/work
layers=lowerdir=$1/dpkg,upperdir={OVER}/dpkg/upper,workdir={OVER}/dpkg/work
mount -t overlay -o $layers overlay /run/lab/host/var/lib/dpkg
mount --rbind /dev /run/lab/dev
mount -t tmpfs -o mode=755 lab /dev
for name in /run/lab/dev/*; do ln -s $name /dev; done
rm -f /dev/log
mkdir -p /run/sshd /run/home/.ssh
chmod 700 /run/home /run/home/.ssh
sed -i 's,^root:.*,root:x:0:0:root:/run/home:/bin/bash,' /etc/passwd
rm -f /etc/ssh/ssh_host_*
ssh-keygen -q -t ed25519 -N '' -f /etc/ssh/ssh_host_ed25519_key
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists/*
rm -f /var/lib/man-db/auto-update
"""
SSHD = """\
HostKey /etc/ssh/ssh_host_ed25519_key
PermitRootLogin prohibit-password
UsePAM no
AuthorizedKeysFile .ssh/authorized_keys
Subsystem sftp internal-sftp
SetEnv {environment}
"""
PIP = """\
[global]
no-index = true
find-links = {shelf}/wheels
[install]
no-compile = true
"""
NO_SERVERS = "#!/bin/sh\nexit 101\n"
RELAY = "nsenter --target {pid} --net nc {address} 22"


class Host(World):
    """A world with an sshd, and with what apt and pip need to install packages.

    Attributes:
        name: what its administrator calls it.
        syslog: everything that was sent to the system's log.
    """

    def __init__(self, name: str, shelf: Path, key: str) -> None:
        """Makes it.

        Args:
            name: what its administrator calls it.
            shelf: a directory with ``repository`` for apt, ``wheels`` for pip, and ``dpkg``, which
                says what was installed on this machine when the repository was made.
            key: the administrator's public key.

        Raises:
            Missing: something that it needs is not on this machine.
        """
        self.name = name
        super().__init__()
        self.syslog = b""
        try:
            self._furnish_host(shelf, key)
        except BaseException:
            self.close()
            raise

    def _furnish_host(self, shelf: Path, key: str) -> None:
        self.path("/run/lab/dev").mkdir()
        self.run("sh", "-c", COVER, "sh", str(shelf)).check()
        self.write("/run/home/.ssh/authorized_keys", key, 0o600)
        self.write("/usr/sbin/policy-rc.d", NO_SERVERS, 0o755)
        self.write("/etc/apt/sources.list", f"deb [trusted=yes] file:{shelf}/repository ./\n")
        self.write("/etc/apt/apt.conf.d/99lab", 'APT::Sandbox::User "root";\n')
        self.write("/etc/pip.conf", PIP.format(shelf=shelf))
        self.run("apt-get", "update", "-q").check()
        self._listen_to_syslog()
        given = {"REQUESTS_CA_BUNDLE": CA_BUNDLE, "TMPDIR": "/run/tmp", "LANG": "C.UTF-8"}
        environment = " ".join(f"{name}={value}" for name, value in given.items())
        self.write("/etc/ssh/sshd_config", SSHD.format(environment=environment))
        self.sshd = self.spawn("/usr/sbin/sshd", "-D", "-e")
        self.sshd.wait_for("listening on 0.0.0.0")

    def _listen_to_syslog(self) -> None:
        """Keeps what is sent to ``/dev/log``."""
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        path = self.path("/dev/log")
        log.bind(str(path))
        path.chmod(0o666)
        self._closing.callback(log.close)

        def listen() -> None:
            with contextlib.suppress(OSError):
                while True:
                    self.syslog += log.recv(1 << 20) + b"\n"

        threading.Thread(target=listen, daemon=True).start()

    @property
    def relay(self) -> str:
        """The command that connects standard input and output with the host's sshd."""
        return RELAY.format(pid=self.namespace.pid, address=WEB)

    @property
    def host_key(self) -> str:
        """The public key of its sshd."""
        kind, key, *_comment = self.read("/etc/ssh/ssh_host_ed25519_key.pub").split()
        return f"{kind} {key}"

    def kept(self) -> list[Path]:
        """Returns the directories that keep what is written on the host, the CA's left out."""
        mine = self.path("/run").iterdir()
        others = [self.path(path) for path in ("/etc", "/var/log", "/var/www", OVER)]
        return [*others, *(path for path in mine if path.name not in {"lab", "netns", "shm"})]


class Site:
    """Hosts, and the administrator's directory with the inventory and the key.

    Attributes:
        hosts: by name.
        directory: where the administrator works.
    """

    def __init__(self, directory: Path, shelf: Path, *names: str) -> None:
        """Makes the hosts.

        Args:
            directory: an empty one, for the administrator.
            shelf: what the hosts can install.
            names: of the hosts.

        Raises:
            Missing: something is not on this machine.
        """
        if not Path("/usr/sbin/sshd").exists() or not shelf.exists():
            raise Missing(f"the hosts need sshd and {shelf}: make ansible")
        self.directory = directory
        self.hosts: dict[str, Host] = {}
        self._closing = contextlib.ExitStack()
        (directory / "home").mkdir()
        key = directory / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        public = key.with_suffix(".pub").read_text(encoding="ascii")
        try:
            for name in names:
                self.hosts[name] = Host(name, shelf, public)
                self._closing.callback(self.hosts[name].close)
        except BaseException:
            self._closing.close()
            raise
        known = "".join(f"{name} {host.host_key}\n" for name, host in self.hosts.items())
        (directory / "known_hosts").write_text(known, encoding="ascii")

    def ssh_options(self, name: str) -> str:
        """Returns the options by which ssh reaches a host."""
        known = self.directory / "known_hosts"
        return (
            f"-o IdentitiesOnly=yes -o HostKeyAlias={name} -o UserKnownHostsFile={known} "
            f"-o 'ProxyCommand={self.hosts[name].relay}'"
        )

    def environment(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Returns the environment of the administrator's commands."""
        base = {"PATH": PATH, "HOME": str(self.directory / "home"), "LANG": "C.UTF-8"}
        return {**base, **(env or {})}

    def close(self) -> None:
        """Ends the hosts."""
        self._closing.close()

    def __enter__(self) -> Site:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def processes() -> list[bytes]:
    """Returns command line and environment of every process, as ``ps`` shows them to root."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                directory = Path("/proc", name)
                found.append((directory / "cmdline").read_bytes())
                found.append((directory / "environ").read_bytes())
    return found
