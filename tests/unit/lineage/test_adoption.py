"""Taking over what JPRS's manual set up: the hook, the change, and the file's replacement."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from certbot._internal import renewal
from hypothesis import given
from hypothesis import strategies as st

from certbot_jprs.ground.names import NAME
from certbot_jprs.ground.options import AUTHENTICATOR, DEST, INSTALLER
from certbot_jprs.internals.delegates import APACHE, NGINX
from certbot_jprs.internals.delegation import Roles
from certbot_jprs.lineage import adoption, durable, files
from certbot_jprs.lineage.adoption import Change, without_sleep
from certbot_jprs.lineage.files import Lineage
from tests.unit.command_line import Parse
from tests.unit.config_dir import ConfigDir, snapshot

LINEAGE = "www.example.jp"

# The hook


@pytest.mark.parametrize(
    "hook",
    [
        "sleep 10m;systemctl reload httpd",  # JPRS's manual
        "sleep 10m; systemctl reload httpd",
        " sleep 10m ; systemctl reload httpd ; ",
        "sleep 10m && systemctl reload httpd",
        "sleep 600 && systemctl reload httpd.service",
        "sleep 0.5h\nsystemctl reload apache2\n",
        "/bin/sleep 10m; /usr/bin/systemctl --no-block reload apache2",
        "/usr/bin/sleep 5m 30s; systemctl restart httpd",
        "sleep 10m;systemctl reload-or-restart httpd;",
        "sleep 10m;service httpd reload",
        "sleep 10m;/usr/sbin/service apache2 graceful",
        "sleep 10m;apachectl graceful",
        "sleep 10m;/usr/sbin/apachectl -k graceful",
        "sleep 10m;apache2ctl restart",
        "sleep 10m;httpd -k graceful",
        "systemctl reload httpd; sleep 10m",
        "sleep 5m; sleep 5m; systemctl reload httpd",
        "sleep 10m",
        "sleep 10m;",
    ],
)
def test_a_sleep_and_a_reload_of_apache_leave_nothing(hook: str) -> None:
    assert without_sleep(hook) is None


@pytest.mark.parametrize(
    ("hook", "left"),
    [
        ("sleep 10m;systemctl reload nginx", "systemctl reload nginx"),
        ("sleep 10m && systemctl reload postfix", "systemctl reload postfix"),
        (
            "sleep 10m; systemctl reload httpd; systemctl reload postfix",
            "systemctl reload httpd; systemctl reload postfix",
        ),
        ("sleep 10m; systemctl reload httpd && echo ok", "systemctl reload httpd && echo ok"),
        ("sleep 10m; systemctl reload httpd2", "systemctl reload httpd2"),
        ("sleep 10m; systemctl stop httpd", "systemctl stop httpd"),
        ("echo a; sleep 10m", "echo a"),
        ("echo a && sleep 10m", "echo a"),
        ("echo a && sleep 10m && echo b", "echo a && echo b"),
        ("echo a; sleep 10m; echo b", "echo a; echo b"),
        ("echo a & sleep 10m; echo b", "echo a & echo b"),
        ("echo a & sleep 10m", "echo a &"),
        ("echo a || exit 1; sleep 10m; echo b", "echo a || exit 1; echo b"),
        ("sleep 10m; mail -s 'new; sleep 5; done' root", "mail -s 'new; sleep 5; done' root"),
        ("sleep 10m; echo 日本語", "echo 日本語"),
        ("echo a && sleep 10m; echo b", "echo a; echo b"),
        ("echo a && sleep 1 && sleep 2\necho b", "echo a\necho b"),
        ("echo a && sleep 1;", "echo a"),
        ("sleep 10m; cp ${RENEWED_LINEAGE}/privkey.pem /x", "cp ${RENEWED_LINEAGE}/privkey.pem /x"),
        ("sleep 10m; find /x -exec touch x \\;", "find /x -exec touch x \\;"),
        ("sleep 10m; echo 'unclosed", "echo 'unclosed"),
    ],
)
def test_what_is_not_the_sleep_stays(hook: str, left: str) -> None:
    assert without_sleep(hook) == left


@pytest.mark.parametrize(
    "hook",
    [
        "",
        "systemctl reload httpd",
        "systemctl reload httpd;",
        " echo a; ",
        "nosleep 10m; x",
        "sleepy 10m; x",
        "sleep; x",
        "sleep x; y",
        "sleep 10m x; y",
        "sleep $DELAY; systemctl reload httpd",
        "sleep 10m & systemctl reload httpd",  # it does not wait
        "sleep 10m || true; systemctl reload httpd",
        "sleep 10m | cat; x",
        "test -e /x || sleep 10m; systemctl reload httpd",
        "if test -e /x; then sleep 10m; fi",
        "(sleep 10m; systemctl reload httpd) &",
        "echo sleep 10m; x",
        "echo 'a; sleep 10m; b'",
        'echo "a; sleep 10m; b"',
        'echo "a\\"; sleep 10m; b"',
        r"echo a\; sleep 10m",
        "bash -c 'sleep 10m; systemctl reload httpd'",
        "# wait; sleep 10m; reload",
        "echo a # wait; sleep 10m",
        "until curl -f https://example.jp/; do true; sleep 5; done",
        "while ! test -e /x; do echo; sleep 1; done; systemctl reload httpd",
        "for i in 1 2; do echo; sleep 5; done",
        "case a in a) true;; sleep 5;; esac",
        "if test -e /x; sleep 5; then echo a; fi",
        "{ false; sleep 5; } && echo a",
        "echo a |& sleep 5; echo b",
        "echo a |\nsleep 5; echo b",
        "cat <<END\na; sleep 5; b\nEND",
        "echo a; sleep 5; echo $?",
        "echo `date; sleep 5; date`",
    ],
)
def test_hooks_that_are_not_touched(hook: str) -> None:
    assert without_sleep(hook) == hook


def test_no_hook() -> None:
    assert without_sleep(None) is None


@given(st.text())
def test_without_a_sleep_nothing_is_touched(text: str) -> None:
    hook = text.replace("sleep", "slee")
    assert without_sleep(hook) == hook


WORDS = [
    "a",
    "'x; y'",
    '"b; sleep 1; c"',
    "\\;",
    "systemctl",
    "reload",
    "httpd",
    "sleep",
    "10m",
    "5",
]
SEPARATORS = [";", "&&", "||", "&", "|", "\n", " ", "; ", " && ", ";;", "#"]
SCRIPTS = st.lists(st.sampled_from(WORDS + SEPARATORS + [" "] * 8), max_size=14).map("".join)


@given(SCRIPTS | st.text(alphabet="sleep 10m;&|\n'\"\\#"))
def test_nothing_but_sleeps_goes(hook: str) -> None:
    """What is left is what was there, in order; what went is sleeps, separators and one reload."""
    left = without_sleep(hook)
    if left == hook:
        return
    rest = iter(hook)
    assert all(character in rest for character in left or "")
    if left is not None:
        gone = len(hook.replace("sleep", "")) - len(left.replace("sleep", ""))
        assert gone >= 0
        assert hook.count("sleep") > left.count("sleep")
        assert hook.count("systemctl") == left.count("systemctl")
        assert hook.count("'x; y'") == left.count("'x; y'")
        assert hook.count("a") == left.count("a")
        assert hook.count("|") == left.count("|")
        assert hook.count("&&") >= left.count("&&")


@pytest.mark.parametrize(
    "hook",
    [
        "echo a; sleep 0; echo b",
        "sleep 0 && echo b",
        "echo a && sleep 0 && echo b",
        "false && sleep 0; echo b",
        "false && sleep 0 && sleep 0; sleep 0 && echo b",
        "false && sleep 0\necho b",
        "false || sleep 0; echo b",
        "echo a\nsleep 0\necho b",
        "echo a; sleep 0",
        "echo a && sleep 0",
        "echo 'x; sleep 0; y'; sleep 0; echo b",
        "true & sleep 0; echo b; wait",
        "sleep 0; sleep 0 && echo a; sleep 0",
        "echo a # note; sleep 0\necho b",
    ],
)
def test_the_shell_prints_the_same_without_the_sleep(hook: str) -> None:
    left = without_sleep(hook)
    assert left is not None

    def run(script: str) -> str:
        return subprocess.run(  # noqa: S602 - hooks are the shell's
            script, shell=True, check=False, capture_output=True, text=True
        ).stdout

    assert run(left) == run(hook)


# The plan


BOTH = Roles(APACHE, APACHE)


def planned(lineage: Lineage, roles: Roles = BOTH) -> Change:
    before = snapshot(Path(lineage.renewal_file).parent)
    change = adoption.plan(lineage, roles)
    assert snapshot(Path(lineage.renewal_file).parent) == before, "planning writes nothing"
    return change


def difference(change: Change) -> tuple[list[str], list[str]]:
    """Returns the lines that go, and those that come."""
    return (
        [line for line in change.before if line not in change.after],
        [line for line in change.after if line not in change.before],
    )


def test_the_plan_for_the_manuals_lineage(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE)
    change = planned(lineage)
    assert change.before == Path(lineage.renewal_file).read_text("utf-8").splitlines()
    assert difference(change) == (
        [
            "authenticator = apache",
            "installer = apache",
            "renew_hook = sleep 10m;systemctl reload httpd",
        ],
        [f"authenticator = {NAME}", f"installer = {NAME}"],
    )


def test_an_ecdsa_lineage_becomes_rsa(config_dir: ConfigDir) -> None:
    for stored in ("ecdsa", None):
        name = str(stored)
        _gone, come = difference(planned(config_dir.add(name, key_type=stored)))
        assert "key_type = rsa" in come


def test_who_validates_stays_where_only_the_installer_changes(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, authenticator="dns-route53", installer=None, key_type=None)
    gone, come = difference(planned(lineage, Roles(None, APACHE)))
    assert gone == ["renew_hook = sleep 10m;systemctl reload httpd"]
    assert come == [f"installer = {NAME}"]


def test_nobody_installs_where_nobody_did(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, installer=None, apache_server_root="/etc/httpd")
    change = planned(lineage, Roles(APACHE, None))
    assert not [line for line in change.after if line.startswith("installer")]
    assert f"{DEST}apache_server_root = /etc/httpd" in change.after


def test_options_of_apache_stay_where_apache_stays(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, apache_server_root="/etc/httpd", renew_hook="echo a")
    change = planned(lineage, Roles())
    assert change.before == change.after


def test_options_of_apache_are_carried(config_dir: ConfigDir) -> None:
    own = {f"{DEST}apache_server_root": "/old"}
    config_dir.add(LINEAGE)
    lineage = config_dir.write_conf(LINEAGE, apache_server_root="/etc/httpd", **own)
    gone, come = difference(planned(lineage))
    assert "apache_server_root = /etc/httpd" in gone
    assert f"{DEST}apache_server_root = /old" in gone
    assert f"{DEST}apache_server_root = /etc/httpd" in come


def test_a_deploy_hook_keeps_what_is_not_the_sleep(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(
        LINEAGE,
        renew_hook='"sleep 10m; systemctl reload httpd, dovecot"',
        deploy_hook="sleep 10m && /root/bin/copy --to %h  # why",
    )
    change = planned(lineage)
    assert 'renew_hook = "systemctl reload httpd, dovecot"' in change.after
    assert any(
        line.startswith("deploy_hook = /root/bin/copy --to %h") and line.endswith("# why")
        for line in change.after
    )


def test_other_hooks_and_unknown_keys_stay(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(
        LINEAGE,
        pre_hook="sleep 10m; echo",
        post_hook='"sleep 10m; systemctl reload httpd"   # mine',
        some_day="'x = y'",
        a_list="a, b,",
    )
    change = planned(lineage)
    for line in change.before:
        if not line.startswith(("authenticator", "installer", "renew_hook")):
            assert line in change.after


def test_a_hook_that_is_a_list_stays(config_dir: ConfigDir) -> None:
    change = planned(config_dir.add(LINEAGE, renew_hook="sleep 10m, b"))
    assert "renew_hook = sleep 10m, b" in change.after


ODD = """\
# made by hand
version = 5.8.0   # of Certbot
archive_dir = '{archive}'
cert = "{live}/cert.pem"
privkey={live}/privkey.pem
chain   =   {live}/chain.pem
fullchain = {live}/fullchain.pem

# Options
[renewalparams]   # section
    authenticator = apache   # the manual's
    # waits for JPRS
    renew_hook = '''sleep 10m;systemctl reload httpd'''
    server = https://acme.amecert.jprs.jp/DV/getDirectory

    # 日本語の注釈
    account = "0123"
    [[webroot_map]]
    # none
    a.example.jp = /var/www
# the end
"""


def test_comments_and_the_way_it_was_written_survive(config_dir: ConfigDir) -> None:
    config_dir.add(LINEAGE)
    live = config_dir.live(LINEAGE, "cert").parent
    text = ODD.format(live=live, archive=config_dir.path / "archive" / LINEAGE)
    config_dir.conf(LINEAGE).write_text(text, encoding="utf-8")
    lineage = files.read(str(config_dir.conf(LINEAGE)))
    change = planned(lineage)
    assert change.before == text.splitlines()
    gone, come = difference(change)
    assert [line.strip() for line in gone] == [
        "authenticator = apache   # the manual's",
        "renew_hook = '''sleep 10m;systemctl reload httpd'''",
    ]
    assert len(come) == 3
    assert come[0].startswith(f"authenticator = {NAME}")
    assert come[0].endswith("# the manual's")
    assert come[1:] == [f"installer = {NAME}", "key_type = rsa"]


def test_a_value_of_several_lines(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, some_note="'''first\nsecond'''", renew_hook="'''echo\nb'''")
    change = planned(lineage)
    assert "second'''" in change.after
    adoption.write(lineage, change)
    assert files.read(lineage.renewal_file).params["some_note"] == "first\nsecond"


def test_a_joined_value_is_written_as_configobj_does(config_dir: ConfigDir) -> None:
    """Lines that ConfigObj joins cannot be matched one by one; the contents stay all the same."""
    lineage = config_dir.add(LINEAGE, some_note="'''only\n'''")
    Path(lineage.renewal_file).write_text(
        Path(lineage.renewal_file).read_text("utf-8") + "\n\n", encoding="utf-8"
    )
    change = planned(lineage)
    assert f"authenticator = {NAME}" in change.after
    after = files.parse(change.after, "x")["renewalparams"]
    assert after["some_note"] == "only\n"


def test_planning_twice_changes_nothing_more(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, apache_server_root="/etc/httpd")
    assert adoption.write(lineage, planned(lineage)) is not None
    again = planned(files.read(lineage.renewal_file))
    assert again.before == again.after
    assert adoption.write(lineage, again) is None


def test_certbot_restores_what_was_written(config_dir: ConfigDir, parse: Parse) -> None:
    lineage = config_dir.add(
        LINEAGE, renew_hook='"sleep 10m; echo a, b"', apache_server_root="/etc/httpd"
    )
    adoption.write(lineage, planned(lineage))
    config = parse("renew").config
    reconstitute = getattr(renewal, "reconstitute", None) or vars(renewal)["_reconstitute"]
    assert reconstitute(config, lineage.renewal_file) is not None
    assert config.authenticator == config.installer == NAME
    assert config.key_type == "rsa"
    hook = "renew_hook" if hasattr(config, "renew_hook") else "deploy_hook"  # since Certbot 5
    assert getattr(config, hook) == "echo a, b"
    assert getattr(config, f"{DEST}apache_server_root") == "/etc/httpd"


@pytest.mark.parametrize(
    "contents",
    [
        "# 日本語\n".encode("shift_jis"),
        b"[renewalparams\n",
        b"",
        b"renewalparams = x\n",
        b"[renewalparams]\nrenew_hook = '''a\"'''\nb'''\n",
    ],
    ids=["Shift JIS", "torn", "empty", "no section", "odd quotes"],
)
def test_what_is_no_renewal_file_any_more(config_dir: ConfigDir, contents: bytes) -> None:
    lineage = config_dir.add(LINEAGE)
    Path(lineage.renewal_file).write_bytes(contents)
    with pytest.raises(ValueError, match=r"."):
        planned(lineage)


def test_a_value_that_configobj_quotes_wrongly(config_dir: ConfigDir) -> None:
    """The file could not be read any more: better to change nothing."""
    triple = "'" * 3
    lineage = config_dir.add(LINEAGE, renew_hook=f'"""sleep 10m; echo "{triple}\nb"""')
    assert lineage.deploy_hook == f'sleep 10m; echo "{triple}\nb'
    with pytest.raises(ValueError, match="cannot be written back"):
        planned(lineage)
    twin = config_dir.write_conf(LINEAGE, renew_hook='"""sleep 10m; echo "\nb"""')
    adoption.write(twin, planned(twin))
    assert files.read(twin.renewal_file).deploy_hook == 'echo "\nb'


def test_a_value_that_configobj_cannot_quote(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, some_list="""a'b",d, e""")
    with pytest.raises(ValueError, match="cannot be safely quoted"):
        planned(lineage)


def test_a_file_that_is_gone(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE)
    os.unlink(lineage.renewal_file)
    with pytest.raises(OSError, match="not a file"):
        adoption.plan(lineage, BOTH)


# The file's replacement


@pytest.fixture
def lineage(config_dir: ConfigDir) -> Lineage:
    return config_dir.add(LINEAGE)


def test_the_file_is_replaced_and_a_backup_kept(lineage: Lineage) -> None:
    path = Path(lineage.renewal_file)
    old = path.read_bytes()
    path.chmod(0o640)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    change = planned(lineage)
    backup = adoption.write(lineage, change)
    assert backup == f"{path}.before-jprs"
    assert Path(backup).read_bytes() == old
    assert path.read_text("utf-8").splitlines() == change.after
    assert files.read(str(path)).authenticator == NAME
    for file in (path, Path(backup)):
        assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(os.listdir(path.parent)) == [path.name, f"{path.name}.before-jprs"]


def test_each_backup_has_a_name_of_its_own(lineage: Lineage) -> None:
    path = lineage.renewal_file
    change = planned(lineage)
    names = [adoption.write(lineage, change) for _time in range(3)]
    assert names == [f"{path}.before-jprs", f"{path}.before-jprs.1", f"{path}.before-jprs.2"]
    Path(f"{path}.before-jprs.3").symlink_to("nowhere")
    assert adoption.write(lineage, change) == f"{path}.before-jprs.4"


def test_nothing_to_change(lineage: Lineage) -> None:
    before = snapshot(Path(lineage.renewal_file).parent)
    lines = planned(lineage).before
    assert adoption.write(lineage, Change(lines, list(lines))) is None
    assert snapshot(Path(lineage.renewal_file).parent) == before


def test_extended_attributes_stay(lineage: Lineage) -> None:
    try:
        os.setxattr(lineage.renewal_file, "user.origin", b"etckeeper")
    except OSError as error:
        assert error.errno == errno.ENOTSUP  # noqa: PT017 - a file system without them
        return
    backup = adoption.write(lineage, planned(lineage))
    assert backup is not None
    for path in (lineage.renewal_file, backup):
        assert os.getxattr(path, "user.origin") == b"etckeeper"


def test_the_owner_stays(lineage: Lineage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only root can give files away, so the calls are watched."""
    owned: list[tuple[str, int, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: owned.append((path, user, group)))
    status = os.stat(lineage.renewal_file)
    backup = adoption.write(lineage, planned(lineage))
    assert [(user, group) for _path, user, group in owned] == [(status.st_uid, status.st_gid)] * 2
    assert owned[0][0] == backup
    assert os.path.dirname(owned[1][0]) == os.path.dirname(lineage.renewal_file)


def test_a_symlinked_renewal_file_stays_a_link(config_dir: ConfigDir, tmp_path: Path) -> None:
    lineage = config_dir.add(LINEAGE)
    real = tmp_path / "managed" / "example.conf"
    real.parent.mkdir()
    shutil.move(lineage.renewal_file, real)
    Path(lineage.renewal_file).symlink_to(real)
    old = real.read_bytes()
    backup = adoption.write(lineage, planned(lineage))
    assert backup is not None
    assert Path(lineage.renewal_file).readlink() == real
    assert files.read(str(real)).authenticator == NAME
    assert not Path(backup).is_symlink()
    assert Path(backup).read_bytes() == old
    assert os.listdir(real.parent) == ["example.conf"]


def fails(*_args: Any, **_kwargs: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


class FullDisk:
    """A file whose contents do not fit on the disk."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __enter__(self) -> FullDisk:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, text: str) -> None:
        self._file.write(text[: len(text) // 2])
        fails()


def half_written_copy(source: str, target: str, **_options: Any) -> None:
    Path(target).write_bytes(Path(source).read_bytes()[:10])
    fails()


Sabotage = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize(
    "sabotage",
    [
        lambda patch: patch.setattr(shutil, "copy2", half_written_copy),
        lambda patch: patch.setattr(shutil, "copystat", fails),
        lambda patch: patch.setattr(os, "chown", fails),
        lambda patch: patch.setattr(tempfile, "mkstemp", fails),
        lambda patch: patch.setattr(
            os,
            "fdopen",
            lambda descriptor, *a, **k: FullDisk(open(descriptor, *a, **k)),  # noqa: SIM115
        ),
        lambda patch: patch.setattr(os, "fsync", fails),
        lambda patch: patch.setattr(os, "replace", fails),
    ],
    ids=["copy", "attributes", "owner", "temporary file", "write", "fsync", "rename"],
)
def test_a_failed_write_leaves_everything_as_it_was(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage
) -> None:
    change = planned(lineage)
    before = snapshot(Path(lineage.renewal_file).parent)
    with monkeypatch.context() as patch:
        sabotage(patch)
        with pytest.raises(OSError, match="No space left"):
            adoption.write(lineage, change)
    assert snapshot(Path(lineage.renewal_file).parent) == before
    assert adoption.write(lineage, change) is not None  # the twin: with space, it works


def test_an_interrupted_write_leaves_everything_as_it_was(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_args: Any) -> None:
        raise KeyboardInterrupt

    before = snapshot(Path(lineage.renewal_file).parent)
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        adoption.write(lineage, planned(lineage))
    assert snapshot(Path(lineage.renewal_file).parent) == before


def test_a_directory_that_cannot_be_synced_is_no_failure(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some network file systems refuse it; the file is replaced by then."""
    fsync = os.fsync

    def only_files(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "Invalid argument")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", only_files)
    assert adoption.write(lineage, planned(lineage)) is not None
    assert files.read(lineage.renewal_file).authenticator == NAME


NOBODY = 65534


@contextlib.contextmanager
def unprivileged(directory: Path) -> Iterator[None]:
    """Gives a directory away and goes on as its owner, since root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, NOBODY, -1, follow_symlinks=False)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A directory that others may look into, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


def test_a_read_only_directory_leaves_everything_as_it_was(reachable: Path) -> None:
    config_dir = ConfigDir(reachable / "etc")
    lineage = config_dir.add(LINEAGE)
    renewal = Path(lineage.renewal_file).parent
    with unprivileged(config_dir.path):
        change = planned(lineage)
        before = snapshot(renewal)
        renewal.chmod(0o555)
        with pytest.raises(PermissionError):
            adoption.write(lineage, change)
        assert snapshot(renewal) == before
        renewal.chmod(0o755)
        assert adoption.write(lineage, change) is not None


def test_the_backup_stays_where_the_file_was_replaced(
    lineage: Lineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Path(lineage.renewal_file).read_text("utf-8")

    def fail(_directory: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(durable, "sync_directory", fail)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        adoption.write(lineage, planned(lineage))
    assert files.read(lineage.renewal_file).authenticator == NAME
    assert Path(f"{lineage.renewal_file}.before-jprs").read_text("utf-8") == before


def test_delegates_of_an_earlier_time_go(config_dir: ConfigDir) -> None:
    config_dir.add(LINEAGE)
    stored = {AUTHENTICATOR: "webroot", INSTALLER: "nginx"}
    gone, come = difference(planned(config_dir.write_conf(LINEAGE, **stored)))
    assert {f"{AUTHENTICATOR} = webroot", f"{INSTALLER} = nginx"} <= {*gone}
    assert come == [f"authenticator = {NAME}", f"installer = {NAME}"]


def test_options_of_either_web_server_are_carried(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, apache_server_root="/a", nginx_server_root="/n")
    for roles in (Roles(APACHE, NGINX), Roles(NGINX, APACHE)):
        _gone, come = difference(planned(lineage, roles))
        assert {f"{DEST}apache_server_root = /a", f"{DEST}nginx_server_root = /n"} <= {*come}
    _gone, come = difference(planned(lineage, Roles(None, NGINX)))
    assert f"{DEST}nginx_server_root = /n" in come
    assert f"{DEST}apache_server_root = /a" not in come


def test_keys_become_rsa_whoever_validates(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, authenticator="dns-route53", key_type="ecdsa")
    _gone, come = difference(planned(lineage, Roles(None, APACHE)))
    assert "key_type = rsa" in come


def test_a_comment_after_a_value_that_changes_stays(config_dir: ConfigDir) -> None:
    lineage = config_dir.add(LINEAGE, key_type="ecdsa # X marks it")
    _gone, come = difference(planned(lineage))
    assert "key_type = rsa # X marks it" in come


def test_a_sleep_after_quoted_text() -> None:
    assert without_sleep("echo 'a; b'; sleep 5; echo c") == "echo 'a; b'; echo c"
    assert without_sleep('echo "sleep 5; b" && sleep 5 && echo c') == 'echo "sleep 5; b" && echo c'
