"""Which virtual hosts name a lineage's files, told from configurations as people write them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certbot_jprs.machine import webservers
from certbot_jprs.machine.webservers import Use
from tests.unit.config_dir import ConfigDir

NAME = "www.example.jp"


@pytest.fixture
def files(config_dir: ConfigDir) -> list[str]:
    """The files of a lineage; another lineage lies beside it."""
    config_dir.add("other.example.jp")
    return list(config_dir.add(NAME).links.values())


@pytest.fixture(autouse=True)
def no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own web servers is read."""
    monkeypatch.setattr(webservers, "ROOTS", ())


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def vhost(certificate: str, name: str = NAME) -> str:
    return (
        "# a comment about SSL\n<IfModule mod_ssl.c>\n<VirtualHost *:443>\n"
        f"    ServerName {name}\n    ServerAlias example.jp  alias.example.jp\n"
        f"    SSLCertificateFile {certificate}\n"
        "    <Directory /var/www>\n        Require all granted\n    </Directory>\n"
        f"    SSLCertificateKeyFile {certificate.replace('fullchain', 'privkey')}\n"
        "</VirtualHost>\n</IfModule>\n"
    )


NAMES = (NAME, "example.jp", "alias.example.jp")


def test_debian(tmp_path: Path, files: list[str]) -> None:
    root = tmp_path / "apache2"
    write(root / "apache2.conf", "IncludeOptional conf-enabled/*.conf\nInclude sites-enabled/\n")
    site = write(root / "sites-available" / "www.conf", vhost(files[3]))
    (root / "sites-enabled").mkdir()
    assert webservers.uses(files, [str(root)]) == []  # it is not enabled
    link = root / "sites-enabled" / "www.conf"
    link.symlink_to(site)
    assert webservers.uses(files, [str(root)]) == [Use(f"{link}:6", NAMES)]


def test_rhel(tmp_path: Path, files: list[str]) -> None:
    root = tmp_path / "httpd"
    write(
        root / "conf" / "httpd.conf",
        f'ServerRoot "{root}"\nServerName localhost.example:80\nIncludeOptional conf.d/*.conf\n',
    )
    path = write(root / "conf.d" / "ssl.conf", vhost(f'"{files[3]}"'))
    assert webservers.uses(files, [str(root)]) == [Use(f"{path}:6", NAMES)]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("{live}/cert.pem", True),
        ("'{live}/cert.pem'", True),
        ("{live}/../www.example.jp/./fullchain.pem", True),
        ("{archive}/fullchain1.pem", True),
        ("{root}/linked.pem", True),
        ("linked.pem", True),
        ("${{LIVE}}/cert.pem", True),
        ("${{ANYTHING}}/cert.pem", True),
        ("{lives}/$host/fullchain.pem", True),  # mod_macro
        ("\\\n    {live}/cert.pem", True),
        ("{lives}/other.example.jp/fullchain.pem", False),
        ("{live}x/fullchain.pem", False),
        ("/etc/ssl/$host/snakeoil.pem", False),
        ("\0", False),
    ],
)
def test_ways_to_write_it(tmp_path: Path, files: list[str], written: str, found: bool) -> None:
    root, live = tmp_path / "apache2", os.path.dirname(files[0])
    archive = os.path.dirname(os.path.realpath(files[0]))
    lives = os.path.dirname(live)
    text = written.format(live=live, archive=archive, root=root, lives=lives)
    write(
        root / "apache2.conf",
        f"Define LIVE {live}\n<VirtualHost *:443>\nServerName https://{NAME}:443\n"
        f"SSLCertificateFile {text}\n</VirtualHost>\n",
    )
    (root / "linked.pem").symlink_to(files[3])
    uses = webservers.uses(files, [str(root)])
    assert [use.names for use in uses] == ([(NAME,)] if found else [])


def test_outside_of_all_virtual_hosts(tmp_path: Path, files: list[str]) -> None:
    path = write(tmp_path / "httpd.conf", f"ServerName {NAME}\nSSLCertificateFile {files[1]}\n")
    assert webservers.uses(files, [str(tmp_path)]) == [Use(f"{path}:2", ())]
    path.write_text(f"# SSLCertificateFile {files[1]}\n")
    assert webservers.uses(files, [str(tmp_path)]) == []


NGINX = """\
user www-data; # worker {{ of none
http {{
    server_name_in_redirect off;
    include conf.d/*.conf;
    server {{
        listen 443 ssl;
        server_name _ ~^www\\d+ "{name}"
            .example.jp;
        location ~ \\.php$ {{ return 301 'https://$host}}'; }}
        {line}
    }}
    server {{ server_name other.example.jp; ssl_certificate /etc/ssl/other.pem; }}
}}
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("ssl_certificate {path};", True),
        ('ssl_certificate  "{path}" ;', True),
        ("ssl_certificate\n {path};", True),
        ("ssl_certificate ${{dir}}/fullchain.pem;", True),
        ("ssl_certificate {lives}/$ssl_server_name/fullchain.pem;", True),
        ("include snippets/www.conf;", True),
        ("{{ }} ssl_certificate {path};", True),
        ("# ssl_certificate {path};", False),
        ("return 200 '; ssl_certificate';", False),
    ],
)
def test_nginx(tmp_path: Path, files: list[str], line: str, found: bool) -> None:
    lives = os.path.dirname(os.path.dirname(files[0]))
    line = line.format(path=files[3], lives=lives)
    write(tmp_path / "nginx.conf", NGINX.format(name=NAME, line=line))
    write(tmp_path / "snippets" / "www.conf", f"ssl_certificate_key {files[0]};\n")
    uses = webservers.uses(files, [str(tmp_path)])
    assert [use.names for use in uses] == ([(NAME, ".example.jp")] if found else [])
    assert not found or uses[0].where.endswith((":10", "www.conf:1"))


def test_what_is_broken_is_read_as_far_as_it_goes(tmp_path: Path, files: list[str]) -> None:
    write(
        tmp_path / "httpd.conf",
        f'Include "nothing\nInclude httpd.conf loop.conf\n<>\n<IfModule x>\n{vhost(files[1])}'
        "</IfModule>\n</IfModule>\n",
    )
    write(tmp_path / "loop.conf", "Include httpd.conf\n")
    os.mkfifo(tmp_path / "nginx.conf")
    (tmp_path / "apache2.conf").symlink_to("apache2.conf")
    assert [use.names for use in webservers.uses(files, [str(tmp_path)])] == [NAMES]


def test_files_that_nobody_may_read_are_passed_over(
    tmp_path: Path, files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "httpd.conf", f"Include *.d\n{vhost(files[1])}")
    write(tmp_path / "a.d", "")
    opened: Any = open

    def refusing(path: str, *args: str) -> Any:
        if str(path).endswith("a.d"):
            raise PermissionError(path)
        return opened(path, *args)

    monkeypatch.setattr(webservers, "open", refusing, raising=False)
    assert len(webservers.uses(files, [str(tmp_path)])) == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.text("<>/{};\\\"'#$ \n\0abInclude.conf*[", max_size=60),
    st.sampled_from(["httpd.conf", "nginx.conf"]),
)
def test_nothing_that_is_written_there_stops_a_command(
    tmp_path: Path, files: list[str], text: str, main: str
) -> None:
    write(tmp_path / main, text)
    webservers.uses(files, [str(tmp_path)])


def test_a_file_that_cannot_be_read_is_passed_over(tmp_path: Path, files: list[str]) -> None:
    write(tmp_path / "sites" / "b.conf", vhost(files[0]))
    (tmp_path / "sites" / "a.conf").symlink_to("/proc/self/mem")
    write(tmp_path / "httpd.conf", "Include sites/*.conf\n")
    (use,) = webservers.uses(files, [str(tmp_path)])
    assert use.names == NAMES or list(use.names) == list(NAMES)
