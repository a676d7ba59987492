"""What renews certificates on a machine, and the sleeps in it, found in a tree of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from certbot_jprs.machine import schedulers
from certbot_jprs.machine.schedulers import Found

MANUAL = '0 0,12 * * * certbot renew --deploy-hook "sleep 10m;systemctl reload httpd"'
DEBIAN = (
    "0 */12 * * * root test -x /usr/bin/certbot -a \\! -d /run/systemd/system && "
    "perl -e 'sleep int(rand(43200))' && certbot -q renew"
)
SERVICE = "[Service]\nType=oneshot\nExecStart=/usr/bin/certbot -q renew\n"


UNREADABLE = "/proc/self/mem"
"""What is a file, and cannot be read from its beginning, whoever tries."""


class Tree:
    """A machine's files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.config_dir = root / "etc/letsencrypt"

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(mode)

    def systemd(self) -> None:
        (self.root / "run/systemd/system").mkdir(parents=True)

    def timer(self, name: str = "certbot", *, enabled: bool = True, service: str = SERVICE) -> None:
        self.write(f"lib/systemd/system/{name}.service", service)
        self.write(f"lib/systemd/system/{name}.timer", "[Timer]\nOnCalendar=daily\n")
        if enabled:
            wants = self.root / "etc/systemd/system/timers.target.wants"
            wants.mkdir(parents=True, exist_ok=True)
            (wants / f"{name}.timer").symlink_to(f"/lib/systemd/system/{name}.timer")

    def find(self) -> Found:
        return schedulers.find(str(self.config_dir), str(self.root))

    def where(self) -> list[str]:
        return [each.where.replace(str(self.root), "") for each in self.find().schedulers]

    def instead(self) -> list[str]:
        """Returns the lines to write."""
        return [sleep.instead for sleep in self.find().sleeps]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_nothing_anywhere(tree: Tree) -> None:
    assert tree.find() == Found()


def test_a_timer_counts_where_systemd_runs_and_it_is_enabled(tree: Tree) -> None:
    tree.timer()
    assert tree.where() == []
    tree.systemd()
    assert tree.where() == ["certbot.timer"]


def test_a_timer_that_is_not_enabled_or_masked(tree: Tree) -> None:
    tree.systemd()
    tree.timer(enabled=False)
    assert tree.where() == []
    tree.timer("other")
    (tree.root / "etc/systemd/system/other.timer").symlink_to("/dev/null")
    assert tree.where() == []


@pytest.mark.parametrize(
    "service",
    [
        SERVICE,
        "[Service]\nExecStart=/usr/bin/certbot renew --noninteractive $PRE_HOOK\n",
        "[Service]\nExecStart=/usr/bin/snap run --timer=00:00~24:00/2 certbot.renew\n",
        "[Service]\nExecStart=/opt/certbot/bin/certbot \\\n  renew\n",
    ],
)
def test_services_of_several_packages(tree: Tree, service: str) -> None:
    tree.systemd()
    tree.timer("x", service=service)
    assert tree.where() == ["x.timer"]


def test_another_service_is_none(tree: Tree) -> None:
    tree.systemd()
    tree.timer("x", service="[Service]\nExecStart=/usr/bin/certbot-exporter renew-cache\n")
    assert tree.where() == []


def test_debians_cron_line_stands_back_where_systemd_runs(tree: Tree) -> None:
    tree.write("etc/cron.d/certbot", f"# comment certbot renew\nSHELL=/bin/sh\n{DEBIAN}\n")
    assert tree.where() == ["/etc/cron.d/certbot:3"]
    assert tree.instead() == []  # that sleep spreads the load, before anything is issued
    tree.systemd()
    assert tree.where() == []


@pytest.mark.parametrize(
    "path", ["etc/crontab", "etc/cron.d/x", "var/spool/cron/root", "var/spool/cron/crontabs/root"]
)
def test_cron_tables(tree: Tree, path: str) -> None:
    tree.write(path, f"{MANUAL}\n")
    assert tree.where() == [f"/{path}:1"]
    assert tree.instead() == ["0 0,12 * * * certbot renew"]


def test_scripts_of_cron_count_if_they_are_executable(tree: Tree) -> None:
    tree.write("etc/cron.daily/renew", "#!/bin/sh\ncertbot renew\n")
    assert tree.where() == []
    tree.write("etc/cron.daily/renew", "#!/bin/sh\ncertbot renew\n", mode=0o755)
    assert tree.where() == ["/etc/cron.daily/renew:2"]


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        (
            "certbot renew --deploy-hook 'sleep 600 && systemctl reload nginx' -q",
            "certbot renew --deploy-hook 'certbot-jprs wait-ocsp && systemctl reload nginx' -q",
        ),
        (
            'certbot renew --post-hook="sleep 10m; service postfix reload"',
            'certbot renew --post-hook "certbot-jprs wait-ocsp --all && service postfix reload"',
        ),
        ('certbot --renew-hook "sleep 10m" renew', "certbot renew"),
        ("sleep 60; certbot renew", None),
        ('certbot renew --pre-hook "sleep 5; true"', None),
        ('certbot renew --deploy-hook "systemctl reload nginx"', None),
    ],
)
def test_the_line_to_write_instead(tree: Tree, line: str, instead: str | None) -> None:
    tree.write("etc/crontab", f"0 0 * * * root {line}\n")
    expected = [] if instead is None else [f"0 0 * * * root {instead}"]
    assert tree.instead() == expected


def test_a_sleep_in_a_unit_and_in_its_drop_in(tree: Tree) -> None:
    tree.timer(service=SERVICE + "ExecStartPost=/bin/sleep 600\n")
    tree.write(
        "etc/systemd/system/certbot.service.d/own.conf",
        '[Service]\nExecStart=\nExecStart=certbot renew --deploy-hook "sleep 10m; true"\n',
    )
    found = tree.find().sleeps
    assert [(Path(sleep.path).name, sleep.line, sleep.instead) for sleep in found] == [
        ("certbot.service", 4, ""),
        (
            "own.conf",
            3,
            'ExecStart=certbot renew --deploy-hook "certbot-jprs wait-ocsp && true"',
        ),
    ]


@pytest.mark.parametrize("path", ["etc/sysconfig/certbot", "etc/default/certbot"])
def test_the_options_of_rhels_unit(tree: Tree, path: str) -> None:
    tree.write(path, "DEPLOY_HOOK=\"--deploy-hook 'sleep 10m;systemctl reload httpd'\"\n")
    assert tree.instead() == ['DEPLOY_HOOK=""']
    tree.systemd()
    tree.timer("certbot-renew")
    assert not tree.find().schedulers[0].sets_proxy
    tree.write(path, "https_proxy=http://proxy:3128\n")
    assert tree.find().schedulers[0].sets_proxy


def test_sleeps_of_other_services_are_their_own(tree: Tree) -> None:
    tree.write("lib/systemd/system/x.service", "[Service]\nExecStartPost=/bin/sleep 600\n")
    assert tree.find() == Found()


def test_a_sleep_in_cli_ini(tree: Tree) -> None:
    tree.write(
        "etc/letsencrypt/cli.ini",
        "# deploy-hook = sleep 10m\ndeploy-hook = sleep 10m;systemctl reload httpd\n"
        "post-hook: sleep 600; systemctl reload nginx\npre-hook = sleep 5\n",
    )
    assert [(sleep.line, sleep.instead) for sleep in tree.find().sleeps] == [
        (2, ""),
        (3, "post-hook = certbot-jprs wait-ocsp --all && systemctl reload nginx"),
    ]


def test_a_sleep_in_a_hook_directory(tree: Tree) -> None:
    text = "#!/bin/sh\n# sleep 1\nsleep 600\nsleep 1; echo done\nsystemctl reload nginx\n"
    tree.write("etc/letsencrypt/renewal-hooks/deploy/reload", text, mode=0o755)
    assert [(sleep.line, sleep.text, sleep.instead) for sleep in tree.find().sleeps] == [
        (3, "sleep 600", ""),
        (4, "sleep 1; echo done", "echo done"),
    ]


def test_a_proxy_for_what_renews(tree: Tree) -> None:
    tree.systemd()
    tree.timer()
    assert not tree.find().schedulers[0].sets_proxy
    path = "etc/systemd/system/certbot.service.d/proxy.conf"
    tree.write(path, "[Service]\nEnvironment=https_proxy=http://proxy:3128\n")
    assert tree.find().schedulers[0].sets_proxy
    tree.write(path, "[Service]\n# Environment=https_proxy=http://proxy:3128\n")
    assert not tree.find().schedulers[0].sets_proxy
    tree.write("etc/systemd/system.conf.d/proxy.conf", "DefaultEnvironment=HTTPS_PROXY=http://p\n")
    assert tree.find().schedulers[0].sets_proxy


def test_unreadable_files_are_passed_over(tree: Tree) -> None:
    (tree.root / "etc/cron.d").mkdir(parents=True)
    (tree.root / "etc/cron.d/dangling").symlink_to("nowhere")
    (tree.root / "etc/crontab").mkdir()
    tree.write("etc/cron.d/binary", "x" * 10)
    (tree.root / "etc/cron.d/binary").write_bytes(b"\xff\xfe certbot renew\n")
    assert tree.where() == ["/etc/cron.d/binary:1"]


def test_a_hook_in_cli_ini_that_does_not_sleep_is_no_finding(tree: Tree) -> None:
    ini = "deploy-hook = systemctl reload httpd\npre-hook = echo sleep\n"
    tree.write("etc/letsencrypt/cli.ini", ini)
    assert tree.instead() == []


def test_a_last_line_that_would_go_on(tree: Tree) -> None:
    tree.write("etc/letsencrypt/cli.ini", "deploy-hook = sleep 10m;systemctl reload httpd \\")
    (sleep,) = tree.find().sleeps
    assert sleep.text.strip() == "deploy-hook = sleep 10m;systemctl reload httpd"


def test_what_cannot_be_read_is_passed_over(tree: Tree) -> None:
    tree.write("etc/cron.d/certbot", "0 1 * * * root certbot renew\n")
    (tree.root / "etc/cron.d/another").symlink_to(UNREADABLE)
    assert tree.where() == ["/etc/cron.d/certbot:1"]
