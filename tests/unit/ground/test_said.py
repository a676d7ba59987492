"""What happened, and the words for it in the user's language."""

from __future__ import annotations

import copy
import json

import pytest

from certbot_jprs.ground import language
from certbot_jprs.ground.said import Said, from_json, joined, to_json, words

REFUSED = Said("cannot connect to {url}: {why}", url="http://a/", why=Said("connection refused"))
IN_JAPANESE = "http://a/ に接続できません: 接続が拒否されました"


@pytest.fixture
def japanese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language._State, "option", "ja")


def test_it_is_english_for_logs(japanese: None) -> None:
    assert REFUSED == f"{REFUSED}" == "cannot connect to http://a/: connection refused"


def test_it_is_said_in_the_language_of_who_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(language._State, "option", "ja")
    assert words(REFUSED) == IN_JAPANESE
    monkeypatch.setattr(language._State, "option", "en")
    assert words(REFUSED) == str(REFUSED)


def test_several_at_once(japanese: None) -> None:
    both = joined([REFUSED, "as it is {}"])
    assert both == "cannot connect to http://a/: connection refused; as it is {}"
    assert words(both) == f"{IN_JAPANESE}; as it is {{}}"


@pytest.mark.parametrize("said", [REFUSED, "", "{0} {x.y} {{", "言葉", joined([REFUSED, "{"])])
def test_it_can_be_kept_and_copied(said: str, japanese: None) -> None:
    for again in (from_json(json.loads(json.dumps(to_json(said)))), copy.deepcopy(said)):
        assert type(again) is type(said)
        assert again == said
        assert words(again) == words(said)


@pytest.mark.parametrize(
    "kept",
    [
        None,
        7,
        [],
        {},
        {"message": 7, "values": {}},
        {"message": "x"},
        {"message": "", "values": {}},
        {"message": "x", "values": []},
        {"message": "{error", "values": {}},
        {"message": "{error}", "values": {}},
        {"message": "{0}", "values": {}},
        {"message": "{error.nothing}", "values": {"error": "x"}},
        {"message": "{error}", "values": {"error": {}}},
        {"message": "{error:d}", "values": {"error": "x"}},
        {"message": "x", "values": {"message": "y"}},
    ],
)
def test_what_was_not_said_is_no_trouble_later(kept: object) -> None:
    with pytest.raises(ValueError, match=r"said|fill"):
        from_json(kept)


def test_a_message_of_another_version_is_said_in_english(japanese: None) -> None:
    kept = from_json({"message": "Of {year}", "values": {"year": 2030}})
    assert words(kept) == "Of 2030"
