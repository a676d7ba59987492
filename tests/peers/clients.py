"""The clients, and how each of them is told to get a certificate from JPRS and to deploy it.

Rules of this file: each is told what its own manual says, no more: where to validate (the web
server's own directory), JPRS's directory, EAB credentials and RSA keys, and a hook that copies the
files to where Apache has them and reloads it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab import World
from tests.lab.measure import NAME, by_plugin

ROOT = Path(__file__).resolve().parents[2] / ".venv-peers"
PREFIX = ROOT / "root"
LIBRARIES = PREFIX / "usr/lib/x86_64-linux-gnu"
WEBROOT = f"/var/www/{NAME}"
CERTIFICATE, KEY = "/run/peers/cert.pem", "/run/peers/key.pem"
DEPLOY = "/run/lab/bin/deploy"
MAIL = "admin@example.jp"
LIMIT = 120  # seconds
TERMS = "data:text/plain,Do%20what%20thou%20wilt"  # Pebble's

DEHYDRATED = """\
CA="{url}"
EAB_KID="{kid}"
EAB_HMAC_KEY="{key}"
KEY_ALGO=rsa
KEYSIZE=2048
CONTACT_EMAIL={mail}
WELLKNOWN="{webroot}/.well-known/acme-challenge"
HOOK=/run/lab/bin/dehydrated-hook
BASEDIR=/run/dehydrated
"""
DEHYDRATED_HOOK = """\
[ "$1" = deploy_cert ] && exec {deploy} "$5" "$3"
exit 0
"""
UACME_HOOK = """\
mkdir -p {webroot}/.well-known/acme-challenge
case "$1" in
begin) [ "$2" = http-01 ] || exit 1; printf %s "$5" > {webroot}/.well-known/acme-challenge/"$4" ;;
*) rm -f {webroot}/.well-known/acme-challenge/"$4" ;;
esac
"""
MOD_MD = """\
MDCertificateAuthority {url}
MDCertificateAgreement accepted
MDContactEmail {mail}
MDExternalAccountBinding {kid} {key}
MDPrivateKeys RSA 2048
MDCACertificateFile /etc/ssl/certs/ca-certificates.crt
MDRetryDelay 5s
MDomain {name}
<VirtualHost *:443>
    ServerName {name}
    DocumentRoot {webroot}
    SSLEngine on
</VirtualHost>
"""
ACMETOOL = """\
request:
  provider: {url}
  challenge:
    webroot-paths:
    - {webroot}/.well-known/acme-challenge
"""
CADDYFILE = """\
{{
    email {mail}
    acme_ca {url}
    acme_eab {{
        key_id {kid}
        mac_key {key}
    }}
    key_type rsa2048
}}
{name} {{
    respond {name}
}}
"""


@dataclass(frozen=True)
class Client:
    """One way to get certificates.

    Attributes:
        name: what it is called.
        package: Debian's, whose version counts.
        issue: gets and deploys a certificate.
        eab: whether it can register with JPRS.
        serves: whether it serves by itself, instead of Apache with files of ours.
    """

    name: str
    package: str
    issue: Callable[[World], None]
    eab: bool = True
    serves: bool = False


def environment() -> Mapping[str, str]:
    """Returns what lets the unpacked clients find their own."""
    directories = [PREFIX / each for each in ("usr/bin", "usr/sbin", "bin")]
    path = ":".join([*map(str, directories), "/usr/sbin:/usr/bin:/sbin:/bin"])
    return {
        "PATH": path,
        "LD_LIBRARY_PATH": str(LIBRARIES),
        "PYTHONPATH": str(PREFIX / "usr/lib/python3/dist-packages"),
        "PERL5LIB": f"{PREFIX}/usr/share/perl5:{PREFIX}/usr/lib/x86_64-linux-gnu/perl5/5.36",
        "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
        "CURL_CA_BUNDLE": "/etc/ssl/certs/ca-certificates.crt",
    }


def run(world: World, *command: str) -> str:
    """Runs one of their commands and returns what it printed."""
    return world.run(*command, env=environment(), timeout=LIMIT).check().stdout


def credentials(world: World) -> Mapping[str, str]:
    """Returns the values that their configurations name."""
    _option, kid, _option, key = world.eab()
    values = {"url": world.jprs.url, "kid": kid, "key": key, "mail": MAIL, "deploy": DEPLOY}
    return {**values, "webroot": WEBROOT, "name": NAME}


def certbot(world: World) -> None:
    """Certbot with its own Apache plugin, the manual's command without its sleep."""
    command = (str(PREFIX / "usr/bin/certbot"), "run", "-n", "--apache", "-d", NAME)
    to_jprs = ("--key-type", "rsa", "--server", world.jprs.url, "-m", MAIL, "--agree-tos")
    run(world, *command, *to_jprs, *world.eab())


def lego(world: World) -> None:
    """lego, through the webroot."""
    its = credentials(world)
    files = f"/run/lego/certificates/{NAME}"
    command = ["lego", "--path", "/run/lego", "--server", its["url"], "--email", MAIL]
    command += ["--accept-tos", "--eab", "--kid", its["kid"], "--hmac", its["key"]]
    command += ["--key-type", "rsa2048", "--http", "--http.webroot", WEBROOT, "--domains", NAME]
    run(world, *command, "run", "--run-hook", f"{DEPLOY} {files}.crt {files}.key")


def dehydrated(world: World) -> None:
    """dehydrated, through the webroot."""
    its = credentials(world)
    world.write("/run/dehydrated/config", DEHYDRATED.format(**its))
    world.path(f"{WEBROOT}/.well-known/acme-challenge").mkdir(parents=True)
    world.hook("/run/lab/bin/dehydrated-hook", DEHYDRATED_HOOK.format(**its))
    run(world, "dehydrated", "--config", "/run/dehydrated/config", "--register", "--accept-terms")
    run(world, "dehydrated", "--config", "/run/dehydrated/config", "--cron", "--domain", NAME)


def uacme(world: World) -> None:
    """uacme, through the webroot."""
    its = credentials(world)
    hook = world.hook("/run/lab/bin/uacme-hook", UACME_HOOK.format(**its))
    command = ("uacme", "-v", "-a", its["url"], "-c", "/run/uacme")
    run(world, *command, "-y", "-e", f"{its['kid']}:{its['key']}", "new", MAIL)
    run(world, *command, "-t", "RSA", "-b", "2048", "-h", hook, "issue", NAME)
    run(world, DEPLOY, f"/run/uacme/{NAME}/cert.pem", f"/run/uacme/private/{NAME}/key.pem")


def mod_md(world: World) -> None:
    """Apache's own module; reloaded when it says that the next reload activates the certificate."""
    its = credentials(world)
    world.apache.enable("md", "ssl")
    world.apache.stop()
    world.apache.conf("md", MOD_MD.format(**its))
    world.apache.start()
    deadline = time.monotonic() + LIMIT
    while "AH10059" not in world.apache.log():
        assert time.monotonic() < deadline, world.apache.log()
        time.sleep(0.1)
    world.apache.graceful()


def caddy(world: World) -> None:
    """Caddy, a web server that does it all by itself."""
    world.apache.stop()
    world.write("/run/caddy/Caddyfile", CADDYFILE.format(**credentials(world)))
    command = ("caddy", "run", "--config", "/run/caddy/Caddyfile", "--adapter", "caddyfile")
    world.spawn(*command, env=environment())


def acmetool(world: World) -> None:
    """acmetool, through the webroot."""
    world.write("/run/acmetool/conf/target", ACMETOOL.format(**credentials(world)))
    answers = "/run/acmetool/conf/responses"
    world.write(answers, f'"acme-enter-email": "{MAIL}"\n"acme-agreement:{TERMS}": true\n')
    command = ("acmetool", "--batch", "--response-file", answers, "--state", "/run/acmetool")
    run(world, *command, "want", NAME)


def acme_tiny(world: World) -> None:
    """acme-tiny, through the webroot."""
    account, key, request = (f"/run/peers/{each}" for each in ("account.key", "key", "csr"))
    run(world, "openssl", "genrsa", "-out", account, "2048")
    command = ["openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", "/"]
    command += ["-addext", f"subjectAltName=DNS:{NAME}", "-keyout", key, "-out", request]
    run(world, *command)
    command = ["acme-tiny", "--account-key", account, "--csr", request]
    command += ["--acme-dir", f"{WEBROOT}/.well-known/acme-challenge"]
    run(world, *command, "--directory-url", world.jprs.url, "--contact", f"mailto:{MAIL}")


def plugin(world: World) -> None:
    """This plugin."""
    by_plugin(world, "--jprs-ocsp-interval", "1")


CLIENTS = (
    Client("certbot-jprs", "", plugin),
    Client("certbot --apache", "certbot", certbot),
    Client("lego", "lego", lego),
    Client("dehydrated", "dehydrated", dehydrated),
    Client("uacme", "uacme", uacme),
    Client("Apache mod_md", "apache2-bin", mod_md, serves=True),
    Client("Caddy", "caddy", caddy, serves=True),
    Client("acmetool", "acmetool", acmetool, eab=False),
    Client("acme-tiny", "acme-tiny", acme_tiny, eab=False),
)
