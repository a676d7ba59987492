"""The plugin speaks English or Japanese, as its user does, and no terminal breaks it."""

from __future__ import annotations

import gettext
import io
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.e2e.helpers import CONTACT, NAME, QUICK, RENEW, certbot, first_run, renewed
from tests.e2e.refusals import SITE, is_japanese
from tests.lab import World

ROOT = Path(__file__).parents[2]
KEY = "certbot_jprs:http_language"
REFUSED = f"run -n -a {NAME} -d {SITE} --staging"
IN_ENGLISH = "does not work properly with JPRS"
IN_JAPANESE = "JPRSのサービスでは正常に動作しないため"

NO_LOCALE = {"LANG": ""}
NO_UTF8 = {"PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "ja_JP.UTF-8"},
        {"LANG": "ja_JP.eucJP"},
        {"LC_ALL": "ja_JP.UTF-8", "LANG": "en_US.UTF-8"},
        {"LC_MESSAGES": "ja_JP.UTF-8"},
        {"LANGUAGE": "ja", "LANG": "C"},
        {"LANGUAGE": "fr:ja:en", "LC_ALL": "C"},
    ],
    ids=str,
)
def test_a_japanese_locale(world: World, env: dict[str, str]) -> None:
    result = certbot(world, REFUSED, env=env)
    assert result.returncode == 1
    assert IN_JAPANESE in result.stderr, f"{result}"
    assert IN_ENGLISH not in result.output
    # The option says otherwise.
    result = certbot(world, f"{REFUSED} --jprs-language en", env=env)
    assert IN_ENGLISH in result.stderr, f"{result}"
    assert not is_japanese(result.output)


@pytest.mark.parametrize(
    "env",
    [
        {"LANG": "C"},
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX"},
        NO_LOCALE,
        {"LANG": "xx_YY.UTF-8"},
        {"LANG": "../../etc/passwd"},
        {"LANG": "en_US.ISO-8859-1"},
        {"LANGUAGE": "en:ja", "LANG": "ja_JP.UTF-8"},
    ],
    ids=str,
)
def test_another_locale_or_none(world: World, env: dict[str, str]) -> None:
    result = certbot(world, REFUSED, env=env)
    assert result.returncode == 1
    assert IN_ENGLISH in result.stderr, f"{result}"
    assert not is_japanese(result.output)
    # The option says otherwise.
    result = certbot(world, f"{REFUSED} --jprs-language=JA", env=env)
    assert IN_JAPANESE in result.stderr, f"{result}"


@pytest.mark.parametrize(
    ("env", "shown"),
    [
        ({"PYTHONIOENCODING": "ascii"}, "english"),
        ({"PYTHONIOENCODING": "latin-1"}, "english"),
        ({"LC_CTYPE": "C", **NO_UTF8}, "english"),
        ({"LANGUAGE": "ja", "LC_ALL": "xx_YY.UTF-8", **NO_UTF8}, "english"),
        ({"PYTHONIOENCODING": "euc_jp"}, "other"),
        ({"PYTHONIOENCODING": "cp932"}, "other"),
    ],
    ids=str,
)
def test_a_terminal_that_is_not_utf_8(world: World, env: dict[str, str], shown: str) -> None:
    """What cannot be shown is said in English; the command goes on as ever."""
    world.vhost(SITE)
    env = {"LANG": "ja_JP.UTF-8", **env}
    line = f"run -n -a {NAME} -d {SITE} {CONTACT} {QUICK} --key-type ecdsa"
    result = certbot(world, line, *world.eab(), env=env).check()
    for each in (result, certbot(world, REFUSED, env=env)):
        assert "Traceback" not in each.output
        assert "Logging error" not in each.output
        assert "\\u" not in each.output
        assert ("\ufffd" in each.output) == (shown == "other"), f"{each}"
    assert ("RSA is used" in result.output) == (shown == "english")
    assert world.lineage(SITE).params[KEY] == "ja"
    helped = certbot(world, f"--help {NAME}", env=env).check()
    assert "Traceback" not in helped.output


def test_help_follows_the_locale(world: World) -> None:
    english = certbot(world, f"--help {NAME}", env={"LANG": "C"}).check().output
    assert "--jprs-language" in english
    assert not is_japanese(english)
    japanese = certbot(world, f"--help {NAME}", env={"LANG": "ja_JP.UTF-8"}).check().output
    assert is_japanese(japanese)
    assert set(re.findall("--jprs[a-z-]+", english)) == set(re.findall("--jprs[a-z-]+", japanese))


def test_a_language_that_there_is_not(world: World) -> None:
    result = certbot(world, f"{REFUSED} --jprs-language fr")
    assert result.returncode == 2
    assert "--jprs-language" in result.stderr


def test_a_wrong_option_is_told_in_the_language_asked_for(world: World) -> None:
    result = certbot(world, f"{REFUSED} --jprs-language ja --jprs-ocsp-timeout x")
    assert result.returncode == 2
    assert is_japanese(result.stderr)


def test_cli_ini(world: World) -> None:
    world.cli_ini("jprs-language = ja\n")
    assert IN_JAPANESE in certbot(world, REFUSED).stderr
    assert IN_ENGLISH in certbot(world, f"{REFUSED} --jprs-language en").stderr
    # Others are not concerned.
    assert not is_japanese(certbot(world, "certificates").check().output)


def test_a_timer_speaks_the_language_of_who_set_it_up(world: World) -> None:
    world.vhost(SITE)
    line = f"run -n -a {NAME} -d {SITE} {CONTACT} {QUICK}"
    certbot(world, line, *world.eab(), env={"LANG": "ja_JP.UTF-8"}).check()
    lineage = world.lineage(SITE)
    assert lineage.params[KEY] == "ja"
    before = lineage.params
    result = certbot(world, f"{RENEW} --force-renewal", env=NO_LOCALE).check()
    assert is_japanese(result.output)
    assert "in service" not in result.output
    assert lineage.params == renewed(before)
    # Who renews by hand reads their own language: a locale counts more, and an option most.
    env = {"LANG": "en_US.UTF-8"}
    assert not is_japanese(certbot(world, f"{RENEW} --force-renewal", env=env).check().output)
    line = f"{RENEW} --force-renewal --jprs-language"
    assert is_japanese(certbot(world, f"{line} ja", env=env).check().output)
    assert not is_japanese(certbot(world, f"{line} en", env=NO_LOCALE).check().output)


def test_what_is_set_up_without_a_locale(world: World) -> None:
    first_run(world)  # LANG=C.UTF-8 is nobody's language
    lineage = world.lineage(SITE)
    assert KEY not in lineage.params
    env = {"LANG": "ja_JP.UTF-8"}
    assert is_japanese(certbot(world, f"{RENEW} --force-renewal", env=env).check().output)
    assert KEY not in lineage.params
    # Set up once more, by somebody who has one, and again by a script that has none.
    line = f"certonly -n -a {NAME} -i {NAME} --cert-name {SITE} {QUICK} --force-renewal"
    certbot(world, line, env=env).check()
    assert lineage.params[KEY] == "ja"
    certbot(world, line, env=NO_LOCALE).check()
    assert lineage.params[KEY] == "ja"


def test_lineages_of_two_languages_in_one_run(world: World) -> None:
    names = {"en": "a.example.jp", "ja": "b.example.jp"}
    first_run(world, names["en"], more="--jprs-language en")
    world.vhost(names["ja"])
    line = f"run -n -a {NAME} -d {names['ja']} {QUICK} --jprs-language ja"
    certbot(world, line).check()
    result = certbot(world, f"{RENEW} --force-renewal", env=NO_LOCALE).check()
    held = dict.fromkeys(names.values(), "")
    for line in result.stdout.splitlines():
        for name in held:
            if name in line and ("held" in line or "保留" in line):
                held[name] += line
    assert "is saved and held" in held[names["en"]], f"{result}"
    assert "保留しました" in held[names["ja"]], f"{result}"
    assert result.output.count(f"The new certificate of {names['en']} is in service.") == 1
    assert result.output.count(f"{names['ja']} の新しい証明書を適用しました。") == 1, f"{result}"
    # They agree on no language for what concerns both, and there is no locale.
    assert result.output.count("Nothing more is ordered in this run") == 1, f"{result}"
    # What both fail with is said to each in its own language, and there is one ending.
    world.ocsp.behave("unknown")
    line = f"{RENEW} --force-renewal -q --jprs-ocsp-timeout 1"
    result = certbot(world, line, env=NO_LOCALE)
    assert result.returncode == 1
    assert f"does not know the new certificate of {names['en']}" in result.output, f"{result}"
    assert f"{names['ja']} の新しい証明書は、保存から" in result.output, f"{result}"
    ending = f"for the reasons given above: {', '.join(sorted(names.values()))}"
    assert result.output.count(ending) == 1, f"{result}"
    assert "上記の理由" not in result.output


def messages(compiled: bytes) -> dict[object, object]:
    """Returns what a compiled catalogue translates; its head names the Babel that compiled it."""
    read = gettext.GNUTranslations(io.BytesIO(compiled))
    return {key: value for key, value in vars(read)["_catalog"].items() if key}


def test_wheel_and_sdist_have_the_translations(tmp_path: Path) -> None:
    """Built from a copy of what is under version control, where nothing is compiled yet."""
    source = tmp_path / "source"
    left_out = shutil.ignore_patterns(".*", "*.mo", "*.egg-info", "__pycache__", "build", "dist")
    shutil.copytree(ROOT, source, ignore=left_out)
    wheels, sdists = tmp_path / "wheels", tmp_path / "sdists"
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels)
    subprocess.run((*pip, source), check=True)
    build = (sys.executable, "setup.py", "-q", "sdist", "--dist-dir", sdists)
    subprocess.run(build, cwd=source, check=True)
    (wheel,) = wheels.glob("*.whl")
    (sdist,) = sdists.glob("*.tar.gz")
    compiled = "certbot_jprs/locale/ja/LC_MESSAGES/certbot_jprs.mo"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        built = archive.read(compiled)
    assert messages(built) == messages((ROOT / compiled).read_bytes())
    assert len(messages(built)) > 100
    assert not [name for name in names if name.endswith(".po")]
    with tarfile.open(sdist) as tar:
        packed = [name.partition("/")[2] for name in tar.getnames()]
    assert compiled in packed
    assert compiled.replace(".mo", ".po") in packed
