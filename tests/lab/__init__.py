"""The lab: a private world with a web server, and a stand-in for JPRS beside it.

Nothing of the machine's own Apache, ``/etc/letsencrypt``, logs or hosts file is touched, and
nothing outlives the ``World`` object (not even if its process is killed). Several worlds can exist
side by side. It needs root, or an unprivileged user namespace, and Debian's or Ubuntu's packages;
``Missing`` names what is lacking and how to install it. In a container or a chroot where root gets
no namespaces the container is the world, one at a time, and as it was afterwards: see
``container``.

In a test, the fixture ``world`` is a fresh one::

    def test_first_certificate(world: World) -> None:
        world.vhost("www.example.jp", "example.jp")     # Apache runs and serves them on port 80
        world.ocsp.lag = 5                              # seconds until the responder knows
        with world.watch("www.example.jp") as watcher:  # visitors, every 50 ms
            result = world.certbot(
                "run", "-n", "-a", "certbot-jprs:http", "-d", "www.example.jp,example.jp",
                *world.eab(), "-m", "admin@example.jp", "--agree-tos",
            ).check()                                   # the real Certbot; .output .returncode
        issued = world.jprs.issued[-1]                  # .serial .issued_at .names .certificate
        good_at = world.ocsp.good_at(issued.serial)     # first "good" given; known_at(): by the lag
        assert watcher.first(issued.serial) >= good_at
        assert world.served("www.example.jp").staple is None
        assert world.lineage("www.example.jp").key_type == "RSA 2048"

Certbot: ``certbot(*args, env=, input=, timeout=, venv=)`` runs it to its end (``venv``: another
virtual environment or executable), ``spawn_certbot`` returns it running (``wait_for(regex)``,
``signal(SIGTERM)``, ``wait()``), ``certbot_pty`` on a terminal (``expect(regex)``, ``send(line)``,
``control_c()``, ``wait()``). ``world.run("any", "command")`` does the same for other commands.

The CA: ``world.jprs``, ``world.letsencrypt`` and ``world.staging`` are ``Service`` objects::

    world.jprs.requests, .steps(), .beyond_directory()  # who asked for what
    world.jprs.refuse("newOrder", "rejectedIdentifier", 400, "The server …", times=1, match="a.jp")
    world.jprs.fail_validation("b.example.jp", "unauthorized", 403, "…")  # that challenge fails
    world.jprs.ocsp_urls = ()                           # the next ones; also .lifetime .backdate

The responder: ``world.ocsp.behave("hang")``, for one certificate ``behave("revoked", name="a.jp")``
or ``serial=``, ``behave(None)`` makes it honest again; ``answers.BEHAVIOURS`` lists all. ``.early``
is what it says before it knows (``unknown`` or ``unauthorized``), ``.queries`` what it was asked.
``world.ocsp_address(REFUSING | SILENT | None)`` moves its name to where connections are refused,
vanish, or to the name server alone, which ``world.silence_dns()`` makes silent.

Files: ``world.path("/etc/letsencrypt")`` is where to find a file of the world from outside;
``read``, ``write``, ``cli_ini``, ``hook``, ``lineage(name)`` (``.params``, ``.set(key, value)``,
``.versions()``, ``.linked()``, ``.serial``), ``apache.hashes()``, ``certbot_log``.
``world.http(name, path)`` and ``world.https(name, path)`` fetch a page. DNS: ``world.dns.set_a``,
``set_txt``, ``set_caa`` (which JPRS heeds); ``world.dns_hook`` is a hook for ``-a manual``, both
for ``--manual-auth-hook`` and ``--manual-cleanup-hook``. Apache: ``apache.graceful()``, ``stop()``,
``configtest()``, ``staple()``, ``conf(name, text)``, ``reloads()``. ``world.nginx`` is the other
web server, alike; ``nginx.listens_on(WEB_TOO)`` for a host with both. ``world.become_rhel()`` turns
the host into one like RHEL (``/etc/httpd``) until the test ends.
"""

from tests.lab.place import CA, REFUSING, SILENT, WEB, WEB_TOO, Missing
from tests.lab.process import Result, Running, Terminal
from tests.lab.world import World

__all__ = [
    "CA",
    "REFUSING",
    "SILENT",
    "WEB",
    "WEB_TOO",
    "Missing",
    "Result",
    "Running",
    "Terminal",
    "World",
]
