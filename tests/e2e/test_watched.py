"""What others have of ``live/NAME``: a mount, an open directory, a watcher, files of their own."""

from __future__ import annotations

import os
import re
import signal
import threading
import time

from tests.e2e.held import NAME, RENEW, hold, hook, hooked, record, serials, served, waiting
from tests.e2e.needs import needs_namespace
from tests.e2e.test_held_records import words
from tests.lab import World, fleet

PLUGIN = "certbot-jprs:http"
OTHER = "b.example.jp"
BOX = "/run/box"

WATCH = """
import ctypes, os, select, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
watch = libc.inotify_init()
assert libc.inotify_add_watch(watch, sys.argv[1].encode(), 0x80) == 1  # IN_MOVED_TO
print("watching", flush=True)
seen = []
while len(seen) < 4 and select.select([watch], [], [], 600)[0]:
    data = os.read(watch, 4096)
    while data:
        length = struct.unpack_from("iIII", data)[3]
        seen.append(data[16 : 16 + length].rstrip(b"\\0").decode())
        data = data[16 + length :]
print("seen", *seen, flush=True)
"""


@needs_namespace("it mounts")
def test_a_mount_a_descriptor_a_watcher_and_files_survive(world: World) -> None:
    fleet.found(world, [NAME])
    live = f"/etc/letsencrypt/live/{NAME}"
    mounts = {
        f"/etc/letsencrypt/{each}/{NAME}": f"{BOX}/{each}/{NAME}" for each in ("live", "archive")
    }
    for there, here in mounts.items():  # as a container has them
        world.path(here).mkdir(parents=True)
        world.run("mount", "--bind", there, here).check()
    directory = os.open(world.path(live), os.O_RDONLY | os.O_DIRECTORY)
    written: list[str] = []
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            name = f"note-{len(written)}"
            descriptor = os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=directory)
            os.write(descriptor, b"an administrator's")
            os.close(descriptor)
            written.append(name)
            time.sleep(0.002)

    writer = threading.Thread(target=write)
    try:
        inode = world.path(live).stat().st_ino
        world.ocsp.behave("unknown")
        with world.spawn("python3", "-c", WATCH, live) as watcher:
            watcher.wait_for("watching")
            with waiting(world) as running:
                writer.start()
                world.ocsp.behave(None)
                running.wait().check()
            over.set()
            writer.join()
            seen = watcher.wait().check().output
        assert served(world) == 2
        assert world.path(live).stat().st_ino == inode == os.fstat(directory).st_ino
        moved = re.findall(r"(\w+)\.pem", seen.split("seen", 1)[1])
        assert sorted(moved) == ["cert", "chain", "fullchain", "privkey"]
        through = world.run("cat", f"{BOX}/live/{NAME}/cert.pem").check().stdout
        assert through == world.read(f"/etc/letsencrypt/archive/{NAME}/cert2.pem")
        assert os.readlink("cert.pem", dir_fd=directory).endswith("cert2.pem")
        assert len(written) > 50
        names = set(os.listdir(world.path(live)))
        assert [name for name in written if name not in names] == []
        assert all((world.path(live) / name).read_bytes() for name in written)
    finally:
        over.set()
        os.close(directory)
        for here in mounts.values():
            world.run("umount", here).check()


@needs_namespace("it mounts")
def test_an_apache_that_cannot_be_used_keeps_no_other_from_its_release(world: World) -> None:
    # A held renewal without a web server, and a first certificate whose `run` was interrupted.
    hold(world, OTHER, installer=None, renew_hook=repr(hook("own")))
    world.vhost(NAME)
    account = ("-m", "admin@example.jp", "--agree-tos", "-n")
    line = ("run", "-a", PLUGIN, "-d", NAME, *account, "--jprs-ocsp-interval", "1")
    with waiting(world, *line) as running:
        running.signal(signal.SIGINT)
        running.wait()
    assert record(world) is not None
    world.ocsp.behave(None)
    program = world.run("sh", "-c", "command -v apache2ctl").check().stdout.strip()
    world.path("/run/empty").write_text("")
    world.run("mount", "--bind", "/run/empty", program).check()
    try:
        result = world.certbot(*RENEW)
    finally:
        world.run("umount", program).check()
    assert result.returncode == 1
    said = words(result.output)
    assert f"Not put into service, for the reasons given above: {NAME}" in said
    assert world.lineage(OTHER).version() == 2
    assert [(name, version) for _w, _at, name, version in hooked(world, "own")] == [(OTHER, 2)]
    assert record(world, OTHER) is None
    assert record(world) is not None
    # The twin: with Apache there again the first one comes into service too.
    world.certbot(*RENEW).check()
    assert served(world) == 1
    assert len(serials(world)) == 1
    assert record(world) is None
