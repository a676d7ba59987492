"""Messages in the user's language; whatever is torn, in English."""

from __future__ import annotations

import contextlib
import gettext
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from certbot_jprs.ground import language, options
from certbot_jprs.ground.language import _, marked

ENGLISH = "Renewed at {when}."
JAPANESE = "{when}に更新しました。"


def catalogue(
    messages: dict[str, str], header: str = "Content-Type: text/plain; charset=UTF-8\n"
) -> bytes:
    """Writes a catalogue in gettext's binary format."""
    entries = sorted((k.encode(), v.encode()) for k, v in {"": header, **messages}.items())
    count = len(entries)
    position = 28 + 16 * count
    tables: list[list[int]] = [[], []]
    texts = b""
    for column in (0, 1):
        for entry in entries:
            tables[column] += [len(entry[column]), position + len(texts)]
            texts += entry[column] + b"\0"
    head = [0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0]
    return struct.pack(f"<{7 + 4 * count}I", *head, *tables[0], *tables[1]) + texts


GOOD = catalogue({ENGLISH: JAPANESE})


class Catalogues:
    """A directory of catalogues, and a process that starts anew in some locale."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = path / "ja" / "LC_MESSAGES" / "certbot_jprs.mo"
        self.file.parent.mkdir(parents=True)
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(language, "LOCALE_DIR", str(path))
        for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
            monkeypatch.delenv(name, raising=False)

    def say(self, **environment: str) -> str:
        """Returns the message as a process in that environment shows it."""
        self.in_locale(**environment)
        return _(ENGLISH)

    def in_locale(self, **environment: str) -> None:
        """Lets a process start anew in that environment."""
        for name, value in environment.items():
            self._monkeypatch.setenv(name, value)
        forget()


def forget() -> None:
    language.start(None)
    for cached in vars(language).values():
        if hasattr(cached, "cache_clear"):
            cached.cache_clear()
    getattr(gettext, "_translations").clear()  # noqa: B009 - gettext reads each file once


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogues]:
    yield Catalogues(tmp_path, monkeypatch)
    forget()


@pytest.mark.parametrize("variable", ["LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"])
@pytest.mark.parametrize("locale", ["ja_JP.UTF-8", "ja", "ja_JP.eucJP"])
def test_the_locale_chooses_the_language(
    catalogues: Catalogues, variable: str, locale: str
) -> None:
    catalogues.file.write_bytes(GOOD)
    assert catalogues.say(**{variable: locale}) == JAPANESE


@pytest.mark.parametrize(
    "locale", ["C", "POSIX", "C.UTF-8", "en_US.UTF-8", "", "xx_YY", "../../etc", "ja\udcff", "!"]
)
def test_other_and_unknown_locales_mean_english(catalogues: Catalogues, locale: str) -> None:
    catalogues.file.write_bytes(GOOD)
    assert catalogues.say(LC_ALL=locale) == ENGLISH


def test_a_missing_catalogue_means_english(catalogues: Catalogues) -> None:
    assert catalogues.say(LANG="ja_JP.UTF-8") == ENGLISH


def test_a_directory_in_place_of_the_catalogue_means_english(catalogues: Catalogues) -> None:
    catalogues.file.mkdir()
    assert catalogues.say(LANG="ja_JP.UTF-8") == ENGLISH


def test_a_message_that_the_catalogue_lacks_stays_english(catalogues: Catalogues) -> None:
    catalogues.file.write_bytes(catalogue({"Something else": "別のもの"}))
    assert catalogues.say(LANG="ja_JP.UTF-8") == ENGLISH


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"x",
        b"garbage, and enough of it to be read as a header of 28 bytes",
        GOOD[:4],
        GOOD[:19],
        GOOD[:40],
        GOOD[:-20],
        GOOD.replace(b"UTF-8", b"UTF-9"),
        GOOD.replace(b"UTF-8", b"ascii"),
        catalogue({}, "Plural-Forms: nplurals=2; plural=(((;\n"),
        catalogue({}, "Plural-Forms: nplurals=2\n"),
        GOOD[:4] + b"\xff" * 24 + GOOD[28:],
        GOOD[:8] + b"\xff\xff\xff\x7f" + GOOD[12:],
    ],
)
def test_a_torn_catalogue_means_english(catalogues: Catalogues, contents: bytes) -> None:
    catalogues.file.write_bytes(contents)
    assert catalogues.say(LANG="ja_JP.UTF-8") == ENGLISH


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    position=st.integers(0, len(GOOD) - 1),
    patch=st.binary(min_size=1, max_size=8),
    end=st.integers(0, len(GOOD)),
)
@example(position=0, patch=b"\0", end=len(GOOD))
def test_no_damage_to_a_catalogue_raises(
    catalogues: Catalogues, position: int, patch: bytes, end: int
) -> None:
    damaged = (GOOD[:position] + patch + GOOD[position + len(patch) :])[:end]
    catalogues.file.write_bytes(damaged)
    assert isinstance(catalogues.say(LANG="ja_JP.UTF-8"), str)


@pytest.mark.parametrize(
    ("preferred", "said"),
    [
        ("en:ja", ENGLISH),  # gettext alone would pass over English, which has no catalogue
        ("en_US.UTF-8:ja_JP.UTF-8", ENGLISH),
        ("ja:en", JAPANESE),
        ("fr:ja:en", JAPANESE),
        ("fr:de", ENGLISH),
        (":", ENGLISH),
        ("japanese", ENGLISH),
        ("ja@romaji", JAPANESE),
    ],
)
def test_several_languages_in_their_order(
    catalogues: Catalogues, preferred: str, said: str
) -> None:
    catalogues.file.write_bytes(GOOD)
    assert catalogues.say(LANGUAGE=preferred, LANG="ja_JP.UTF-8") == said


def test_variables_in_the_order_of_gettext(catalogues: Catalogues) -> None:
    catalogues.file.write_bytes(GOOD)
    assert catalogues.say(LC_ALL="ja_JP.UTF-8", LANG="en_US.UTF-8") == JAPANESE
    assert catalogues.say(LC_ALL="en_US.UTF-8", LANG="ja_JP.UTF-8") == ENGLISH
    assert catalogues.say(LC_ALL="", LC_MESSAGES="", LANG="ja_JP.UTF-8") == JAPANESE


# What decides


def test_the_option_beats_the_lineage_and_the_locale(catalogues: Catalogues) -> None:
    catalogues.file.write_bytes(GOOD)
    catalogues.in_locale(LANG="en_US.UTF-8")
    assert _(ENGLISH) == ENGLISH
    language.start("ja")
    assert _(ENGLISH) == JAPANESE
    language.enter("en")
    assert _(ENGLISH) == JAPANESE


@pytest.mark.parametrize("locale", ["", "C", "C.UTF-8", "POSIX", "fr_FR.UTF-8"])
def test_the_lineage_decides_where_the_locale_does_not(catalogues: Catalogues, locale: str) -> None:
    catalogues.file.write_bytes(GOOD)
    catalogues.in_locale(LANG=locale)
    language.start(None)
    language.enter("ja")
    assert _(ENGLISH) == JAPANESE
    language.enter("en")
    assert _(ENGLISH) == ENGLISH


@pytest.mark.parametrize(
    ("locale", "remembered", "said"),
    [("en_US.UTF-8", "ja", ENGLISH), ("ja_JP.UTF-8", "en", JAPANESE)],
)
def test_the_locale_beats_the_lineage(
    catalogues: Catalogues, locale: str, remembered: str, said: str
) -> None:
    catalogues.file.write_bytes(GOOD)
    catalogues.in_locale(LANG=locale)
    language.start(None)
    language.enter(remembered)
    assert _(ENGLISH) == said
    with language.of([remembered]):
        assert _(ENGLISH) == said


@pytest.mark.parametrize("remembered", [None, "", "None", "xx", "JA"])
def test_a_lineage_that_remembers_none_of_ours(
    catalogues: Catalogues, remembered: str | None
) -> None:
    catalogues.file.write_bytes(GOOD)
    catalogues.in_locale(LANG="ja_JP.UTF-8")
    language.start(remembered)
    language.enter("en")
    language.enter(remembered)
    assert _(ENGLISH) == JAPANESE


@pytest.mark.parametrize(
    ("remembered", "said"),
    [
        ((), ENGLISH),
        ((None,), ENGLISH),
        (("ja",), JAPANESE),
        (("ja", None), JAPANESE),
        (("ja", "ja"), JAPANESE),
        (("ja", "en"), ENGLISH),
        (("en", "ja"), ENGLISH),
    ],
)
def test_the_end_of_a_run_without_a_locale(
    catalogues: Catalogues, remembered: tuple[str | None, ...], said: str
) -> None:
    catalogues.file.write_bytes(GOOD)
    catalogues.in_locale()
    for each in remembered:
        language.enter(each)
    language.conclude()
    assert _(ENGLISH) == said


def test_each_lineage_of_a_run_in_its_own_language(catalogues: Catalogues) -> None:
    catalogues.file.write_bytes(GOOD)
    catalogues.in_locale()
    language.start(None)
    language.enter("en")
    for remembered, said in (
        (["ja"], JAPANESE),
        (["ja", "ja"], JAPANESE),
        (["ja", None], JAPANESE),
        (["ja", "en"], ENGLISH),
        (["en"], ENGLISH),
    ):
        with language.of(remembered):
            assert _(ENGLISH) == said, remembered
        assert _(ENGLISH) == ENGLISH
    language.enter("ja")
    with contextlib.suppress(KeyError), language.of(["en"]):
        raise KeyError
    with language.of([None]):  # who remembers none is told as all are
        assert _(ENGLISH) == JAPANESE


# Outputs


class Output:
    """A standard output or error of some encoding."""

    def __init__(self, encoding: str | None) -> None:
        self.encoding = encoding


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", JAPANESE),
        ("UTF-8", JAPANESE),
        ("euc_jp", JAPANESE),
        ("cp932", JAPANESE),
        (None, JAPANESE),
        ("ascii", ENGLISH),
        ("ANSI_X3.4-1968", ENGLISH),
        ("iso8859-1", ENGLISH),
        ("unheard-of", ENGLISH),
    ],
)
def test_what_an_output_cannot_show_is_said_in_english(
    catalogues: Catalogues,
    monkeypatch: pytest.MonkeyPatch,
    stream: str,
    encoding: str | None,
    said: str,
) -> None:
    catalogues.file.write_bytes(GOOD)
    catalogues.in_locale(LANG="ja_JP.UTF-8")
    monkeypatch.setattr(sys, stream, Output(encoding))
    assert _(ENGLISH) == said
    language.start("ja")
    assert _(ENGLISH) == said


def test_without_any_output(catalogues: Catalogues, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogues.file.write_bytes(GOOD)
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert catalogues.say(LANG="ja_JP.UTF-8") == JAPANESE


def test_marked_messages_stay_as_they_are() -> None:
    assert marked(ENGLISH) == ENGLISH


@pytest.fixture
def of_process() -> Iterator[Callable[[], str]]:
    """What gettext says in this process for a message, whoever asks."""
    domain = gettext.textdomain()
    yield lambda: gettext.gettext(ENGLISH)
    gettext.textdomain(domain)


@pytest.mark.parametrize(
    ("contents", "locale", "said"),
    [
        (GOOD, "ja_JP.UTF-8", JAPANESE),
        (GOOD, "en_US.UTF-8", ENGLISH),
        (None, "ja_JP.UTF-8", ENGLISH),
        (b"torn", "ja_JP.UTF-8", ENGLISH),
    ],
)
def test_argparse_is_lent_the_catalogue_that_can_be_read(
    catalogues: Catalogues,
    of_process: Callable[[], str],
    contents: bytes | None,
    locale: str,
    said: str,
) -> None:
    if contents is not None:
        catalogues.file.write_bytes(contents)
    catalogues.in_locale(LANGUAGE=locale)
    language.lend()
    assert of_process() == said


@pytest.mark.parametrize("locale", ["ja_JP.UTF-8", "en_US.UTF-8", "C"])
def test_a_new_lineage_remembers_the_language_that_was_chosen(
    catalogues: Catalogues, locale: str
) -> None:
    catalogues.in_locale(LC_ALL=locale)
    config = SimpleNamespace(**{options.LANGUAGE: None})
    options.remember_language(config)
    expected = None if locale == "C" else locale[:2]  # a timer's locale decides nothing
    assert getattr(config, options.LANGUAGE) == expected
