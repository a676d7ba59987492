"""The administrator's Ansible: the collection as it is built, inventory, vault, and runs."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.lab.site import Site

ROOT = Path(__file__).parents[2]
VENV = ROOT / ".venv-ansible"
BIN = Path(os.environ.get("ANSIBLE_BIN", VENV / "bin"))
"""Where Ansible's commands are: the pinned ones, or Debian's in ``/usr/bin``."""
SHELF = VENV / "shelf"
COLLECTION = ROOT / "packaging" / "ansible"

CONFIGURATION = """\
[defaults]
inventory = inventory
collections_path = collections
vault_password_file = vault-password
log_path = ansible.log
fact_caching = jsonfile
fact_caching_connection = facts
retry_files_enabled = true
interpreter_python = /usr/bin/python3
timeout = 60
"""
RECAP = re.compile(r"^(\S+)\s+: ((?:\w+=\d+\s*)+)$", re.MULTILINE)


def one(pattern: str) -> str:
    """Returns the one file in ``dist/`` that a pattern matches."""
    found = list((ROOT / "dist").glob(pattern))
    assert len(found) == 1, f"no one {pattern} in dist/: run make deb"
    return str(found[0])


@dataclass(frozen=True)
class Played:
    """What a run of Ansible did.

    Attributes:
        returncode: its exit status.
        output: everything that it printed.
    """

    returncode: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The counts at the end, by host."""
        return {
            host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", counts)}
            for host, counts in RECAP.findall(self.output)
        }

    def changed(self) -> dict[str, int]:
        """Returns how many tasks changed something, by host."""
        return {host: counts["changed"] for host, counts in self.recap.items()}

    def check(self) -> Played:
        """Returns itself, or raises AssertionError with the output if the run failed."""
        assert self.returncode == 0, self.output
        return self


class Ansible:
    """Ansible in a site's directory."""

    def __init__(self, site: Site) -> None:
        """Builds the collection, installs it, and writes configuration and inventory."""
        self.site = site
        self.directory = site.directory
        self.write("ansible.cfg", CONFIGURATION)
        self.write("vault-password", "the lab's\n", 0o600)
        hosts = {name: {"ansible_ssh_common_args": site.ssh_options(name)} for name in site.hosts}
        ssh = {"ansible_user": "root", "ansible_ssh_private_key_file": str(self.directory / "key")}
        self.write("inventory/hosts.json", json.dumps({"all": {"vars": ssh, "hosts": hosts}}))
        galaxy = "ansible-galaxy"
        built = self.command(galaxy, "collection", "build", "--output-path", "built", COLLECTION)
        built.check()
        (archive,) = (self.directory / "built").glob("*.tar.gz")
        where = self.directory / "collections"
        self.command(galaxy, "collection", "install", "-p", where, "--offline", archive).check()

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        """Writes a file of the administrator's."""
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)
        return target

    def variables(self, host: str, **variables: Any) -> None:
        """Sets variables of a host, or of the group ``all``."""
        directory = "group_vars" if host == "all" else "host_vars"
        self.write(f"inventory/{directory}/{host}/main.json", json.dumps(variables))

    def vault(self, host: str, **variables: Any) -> None:
        """Sets variables of a host in a vault."""
        path = self.write(f"inventory/host_vars/{host}/vault.yml", json.dumps(variables))
        self.command("ansible-vault", "encrypt", path).check()
        assert path.read_text(encoding="ascii").startswith("$ANSIBLE_VAULT")

    def command(
        self, command: str, *args: str | Path, env: Mapping[str, str] | None = None
    ) -> Played:
        """Runs one of Ansible's commands to its end."""
        done = subprocess.run(
            [BIN / command, *args],
            cwd=self.directory,
            env=self.site.environment({"ANSIBLE_NOCOLOR": "1", **(env or {})}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
            check=False,
        )
        return Played(done.returncode, done.stdout)

    def play(self, *args: str, playbook: str = "site", pipelining: bool = True) -> Played:
        """Runs one of the collection's playbooks.

        Args:
            args: further words of the command line.
            playbook: which.
            pipelining: whether Ansible leaves out to write its modules to files on the hosts.
        """
        env = {"ANSIBLE_PIPELINING": str(pipelining)}
        return self.command("ansible-playbook", f"certbot_jprs.certbot.{playbook}", *args, env=env)

    def fact(self, host: str, name: str) -> Any:
        """Returns a fact about a host that Ansible has kept, as Ansible itself reads it."""
        said = self.command("ansible", host, "-m", "ansible.builtin.debug", "-a", f"var={name}")
        return json.loads(said.check().output.partition("=> ")[2])[name]
