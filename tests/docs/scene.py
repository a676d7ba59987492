"""The world that a document's commands run in, as its comments set it up."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.docs.markdown import Command, Setting
from tests.lab import Result, World, fleet

BIN = "/run/lab/docs"
AGE = dt.timedelta(days=70)
"""Of a certificate that is due; it was issued for 90 days."""
HOOK = "sleep 10m;systemctl reload httpd"
"""The deploy hook of JPRS's manual, which Certbot keeps at the first renewal."""

# Without a terminal `certbot renew` sleeps up to eight minutes first; the reader has one.
CERTBOT = """\
#!/bin/sh
case " $* " in *" renew "*) set -- "$@" --no-random-sleep-on-renew ;; esac
exec {certbot} "$@"
"""
COMMAND = """\
#!/bin/sh
exec {command} "$@"
"""
# There is no systemd in the lab. What hooks reload is reloaded.
SYSTEMCTL = """\
#!/bin/sh
case "$1 $2" in
"reload apache2" | "reload httpd") exec apachectl graceful ;;
"reload nginx") exec nginx -s reload ;;
reload*) exit 0 ;;
esac
echo "systemctl $*: not in the lab" >&2
exit 1
"""


class Scene:
    """A world, set up by statements; commands are run in it as they are typed."""

    def __init__(self, world: World, *, japanese: bool) -> None:
        """Takes a world over, which is as if new.

        Args:
            world: where.
            japanese: whether the reader's locale is Japanese.
        """
        self.world = world
        self._locale = "ja_JP.UTF-8" if japanese else "C.UTF-8"
        self._furnish()

    def _furnish(self) -> None:
        world = self.world
        command = Path(sys.executable).with_name("certbot-jprs")
        world.write(f"{BIN}/certbot", CERTBOT.format(certbot=world.certbot_command()), 0o755)
        world.write(f"{BIN}/certbot-jprs", COMMAND.format(command=command), 0o755)
        world.write(f"{BIN}/systemctl", SYSTEMCTL, 0o755)
        world.search_path = f"{BIN}:{world.search_path}"

    def set(self, setting: Setting) -> None:
        """Does what a comment says.

        Raises:
            ValueError: a statement that there is not, or whose words are too few.
        """
        if setting.anew:
            self.world.reset()
            self._furnish()
        for statement in setting.statements:
            word, *rest = statement.split()
            if word not in STATEMENTS:
                raise ValueError(f"line {setting.line}: no statement {word!r}")
            done = STATEMENTS[word]
            try:
                inspect.signature(done).bind(self, *rest)
            except TypeError as error:
                raise ValueError(f"line {setting.line}: {statement}: {error}") from error
            done(self, *rest)

    def run(self, command: Command, timeout: float = 300) -> Result:
        """Runs a command as root, with standard output and error in one."""
        kid = next(iter(self.world.jprs.eab))
        text = command.text.replace("HMAC-KEY", self.world.jprs.eab[kid]).replace("'KID'", kid)
        env = {"LANG": self._locale, "PYTHONUNBUFFERED": "1"}
        return self.world.run("bash", "-c", f"exec 2>&1\n{text}", env=env, timeout=timeout)

    # -- statements ------------------------------------------------------------------------------

    def vhost(self, name: str, *aliases: str) -> None:
        """Apache serves names on port 80."""
        self.world.vhost(name, *aliases)

    def nginx(self, name: str, *aliases: str) -> None:
        """The web server nginx serves names on port 80."""
        self.world.nginx.vhost(name, *aliases)

    def rhel(self) -> None:
        """The host is like RHEL."""
        self.world.become_rhel()
        self.world.search_path = f"{BIN}:{self.world.search_path}"

    def lag(self, seconds: str) -> None:
        """The OCSP server learns of certificates late."""
        self.world.ocsp.lag = float(seconds)

    def account(self) -> None:
        """An account at JPRS is there."""
        fleet.register(self.world)

    def issued(self, *names: str) -> None:
        """The plugin has got certificates, one for each name, and Apache serves them."""
        self._old(names)

    def manual(self, *names: str) -> None:
        """The same by JPRS's manual."""
        self._old(
            names,
            authenticator="apache",
            installer="apache",
            renew_hook=HOOK,
            certbot_jprs__ocsp_interval=None,
        )

    def _old(self, names: Sequence[str], **params: str | None) -> None:
        for issued in fleet.found(self.world, names, **params):
            issued.account = self._account()

    def _account(self) -> str:
        """Returns the account's URL, by which JPRS knows who ordered a certificate."""
        accounts = self.world.path("/etc/letsencrypt/accounts")
        (registration,) = accounts.glob("*/DV/getDirectory/*/regr.json")
        return str(json.loads(registration.read_bytes())["uri"])

    def letsencrypt(self, *names: str) -> None:
        """Let's Encrypt's certificates, by the Apache plugin."""
        for name in names:
            self.world.vhost(name)
            args = ("run", "-n", "--apache", "-d", name, "-m", "admin@example.jp", "--agree-tos")
            self.world.certbot(*args).check()

    def due(self, *names: str) -> None:
        """Certificates of JPRS's have 20 days left."""
        jprs = self.world.jprs
        for name in names:
            lineage = self.world.lineage(name)
            archive, version = lineage.archive, max(lineage.versions())
            key = load_pem_private_key((archive / f"privkey{version}.pem").read_bytes(), None)
            assert isinstance(key, rsa.RSAPrivateKey)
            before, jprs.backdate = jprs.backdate, AGE
            issued = jprs.find(lineage.serial)
            assert issued is not None, f"{name} is not JPRS's"
            old = jprs.mint(*issued.names, key=key)
            jprs.backdate = before
            old.account = issued.account
            chain = (archive / f"chain{version}.pem").read_text(encoding="ascii")
            (archive / f"cert{version}.pem").write_text(old.pem, encoding="ascii")
            (archive / f"fullchain{version}.pem").write_text(old.pem + chain, encoding="ascii")
        self.world.apache.graceful()

    def ocsp(self, what: str, name: str) -> None:
        """The OCSP server says this of a name's certificates from now on."""
        self.world.ocsp.behave(None if what == "good" else what, name=name)

    def refuse(self, step: str, kind: str, status: str, *words: str) -> None:
        """JPRS refuses a step."""
        self.world.jprs.refuse(step, kind, int(status), " ".join(words))

    def fails(self, name: str, kind: str, status: str, *words: str) -> None:
        """JPRS cannot validate a name."""
        self.world.jprs.fail_validation(name, kind, int(status), " ".join(words))

    def file(self, path: str, *words: str) -> None:
        r"""A file that only root can read; ``\n`` ends a line, KID and HMAC-KEY are the lab's."""
        kid = next(iter(self.world.jprs.eab))
        text = " ".join(words).replace("\\n", "\n").replace("KID", kid)
        self.world.write(path, text.replace("HMAC-KEY", self.world.jprs.eab[kid]), 0o600)

    def txt(self) -> None:
        """A hook that sets TXT records at the reader's DNS provider."""
        self.world.path("/etc/letsencrypt/dns-hook").symlink_to(self.world.dns_hook)


STATEMENTS: dict[str, Callable[..., None]] = {
    "vhost": Scene.vhost,
    "nginx": Scene.nginx,
    "rhel": Scene.rhel,
    "lag": Scene.lag,
    "account": Scene.account,
    "issued": Scene.issued,
    "manual": Scene.manual,
    "letsencrypt": Scene.letsencrypt,
    "due": Scene.due,
    "ocsp": Scene.ocsp,
    "refuse": Scene.refuse,
    "fails": Scene.fails,
    "file": Scene.file,
    "txt": Scene.txt,
}
