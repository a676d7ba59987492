"""The Japanese catalogue: complete, up to date, in the words that JPRS's customers know."""

from __future__ import annotations

import ast
import gettext
import io
import re
import string
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

import certbot_jprs
from tests.lab.demo_ja import IN_JAPANESE

PACKAGE = Path(certbot_jprs.__file__).parent
SOURCE = PACKAGE / "locale" / "ja" / "LC_MESSAGES" / "certbot_jprs.po"

KEYWORDS: dict[str, None] = {"_": None, "marked": None}

NOT_OUR_WORDS = {
    "レスポンダー": "OCSPサーバー",
    "サーバ(?!ー)": "サーバー",
    "ブラウザ(?!ー)": "ブラウザー",
    "プロバイダ(?!ー)": "プロバイダー",
    "ユーザ(?!ー)": "ユーザー",
    "リロード": "再読み込み",
    "リセラー": "指定事業者",
    "ステータスコード": "ステータス",
    "更新ファイル": "設定ファイル",
    "クレデンシャル": "EAB（認証情報）",  # noqa: RUF001 - so it is written
    "取り消": "失効",
    "証明機関": "認証局",
    "下さい": "ください",
    "出来": "でき",
    "ドメイン認証|HTTP認証": "ドメイン名利用権の確認、ファイル認証",
    "リハーサル|予行": "事前確認",
    "適用待ち": "保留",
    "ディレクトリー": "ディレクトリ",
    "使われ": "使用され",
    "直ちに|ただちに": "すぐに",
    "(?<!その)他の": "ほかの",
    "かまいません": "構いません",
}
"""What a translator might write, and what JPRS's customers read instead: one word for one thing."""

ELSEWHERE = (
    "README.ja.md",
    "docs/ja/*.md",
    "packaging/debian/*.prerm",
    "packaging/man/*.ja.1",
    "packaging/monitoring/README.ja.md",
    "packaging/monitoring/prometheus/*.yml",
    "tests/lab/demo_ja.py",
)
"""What is in Japanese besides the catalogue."""


def read() -> Catalog:
    with SOURCE.open("rb") as stream:
        return read_po(stream, locale="ja")


def entries() -> list[Message]:
    return [message for message in read() if message.id]


def in_the_code() -> set[str]:
    """Returns every message that the code can show."""
    found = extract_from_dir(str(PACKAGE), keywords=KEYWORDS)
    return {message[2] for message in found if isinstance(message[2], str)}


def fields(text: str) -> list[str]:
    """Returns the placeholders of a text, with their conversions and formats, sorted."""
    braces = [
        f"{name}!{conversion}:{form}"
        for _text, name, form, conversion in string.Formatter().parse(text)
        if name is not None
    ]
    return sorted([*braces, *re.findall(r"%(?:\(\w+\))?[a-z]", text)])  # argparse's


def commands(text: str) -> list[str]:
    """Returns what must be copied letter by letter: options, paths, addresses."""
    found = re.findall(r"(?<![\w-])--?[a-z][\w-]*|https?://[\w./-]+[\w/]|/etc/[\w./-]+[\w/]", text)
    return sorted(set(found))


def test_every_message_of_the_code_is_there() -> None:
    """If this fails: make catalogue, then translate what is empty."""
    missing = in_the_code() - {str(message.id) for message in entries()}
    assert missing == set()


def test_nothing_stale_is_there() -> None:
    """If this fails: make catalogue."""
    stale = {str(message.id) for message in entries()} - in_the_code()
    assert stale == set()
    assert not read().obsolete


def test_every_message_is_translated() -> None:
    assert [message.id for message in entries() if not message.string] == []
    assert [message.id for message in entries() if message.fuzzy] == []
    same = [message.id for message in entries() if message.string == message.id]
    assert [text for text in same if re.search("[a-z]{2}", strip_fields(str(text)))] == []


def strip_fields(text: str) -> str:
    return re.sub(r"\{\w*[^}]*\}|certbot-jprs", "", text)


@pytest.mark.parametrize("part", ["placeholders", "commands", "form"])
def test_translations_keep(part: str) -> None:
    wrong = []
    for message in entries():
        english, japanese = str(message.id), str(message.string)
        if part == "placeholders":
            kept = set(fields(english)) == set(fields(japanese))
        elif part == "commands":
            kept = set(commands(english)) <= set(commands(japanese))
        else:
            kept = english[:1].isspace() == japanese[:1].isspace()
            kept = kept and english[-1:].isspace() == japanese[-1:].isspace()
        if not kept:
            wrong.append((english, japanese))
    assert wrong == []


def test_the_words_of_jprs() -> None:
    wrong = [
        (message.string, bad, good)
        for message in entries()
        for bad, good in NOT_OUR_WORDS.items()
        if re.search(bad, str(message.string))
    ]
    assert wrong == []


@pytest.mark.parametrize("where", ELSEWHERE)
def test_the_same_words_in_what_is_not_in_the_catalogue(where: str) -> None:
    paths = list(PACKAGE.parent.glob(where))
    assert paths
    wrong = [
        (path.name, number, bad, good)
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for bad, good in NOT_OUR_WORDS.items()
        if re.search(bad, line)
    ]
    assert wrong == []


def test_the_demonstration_speaks_japanese_too() -> None:
    tree = ast.parse((PACKAGE.parent / "tests" / "lab" / "demo.py").read_text(encoding="utf-8"))
    said = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("put", "tell")
        and isinstance(node.args[0], ast.Constant)
    } - {""}
    assert said == set(IN_JAPANESE)
    for english, japanese in IN_JAPANESE.items():
        assert fields(english) == fields(japanese)


def test_half_width_letters_and_one_style() -> None:
    for message in entries():
        text = str(message.string)
        assert not re.search("[\uff10-\uff5a]", text), text  # letters and digits of full width
        assert not re.search("[\uff61-\uff9f]", text), text  # kana of half width
        assert not re.search(r"(?:である|だった|[いたる]のだ|せよ)。", text), text


def test_a_terminal_of_any_usual_encoding_can_show_them() -> None:
    for message in entries():
        assert str(message.id).isascii(), message.id
        for encoding in ("utf-8", "euc_jp", "shift_jis", "cp932", "iso2022_jp"):
            str(message.string).encode(encoding)


def test_the_compiled_catalogue_is_up_to_date() -> None:
    """If this fails: make catalogue."""
    stream = io.BytesIO()
    write_mo(stream, read())
    stream.seek(0)
    with SOURCE.with_suffix(".mo").open("rb") as file:
        there, expected = (
            vars(gettext.GNUTranslations(each))["_catalog"] for each in (file, stream)
        )
    # The header names the version of Babel, which is the newest where the wheel is built.
    assert {**there, "": ""} == {**expected, "": ""}
