"""CAA: who decides on a name, and what the records say; the cases are RFC 8659's."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from certbot_jprs.check.caa import Permission, Record, climb, judge

ISSUE = Record(0, "issue", "jprs.jp")
OTHER = Record(0, "issue", "ca.example")


class Zone:
    """CAA records by name; remembers what was looked up."""

    def __init__(self, records: Mapping[str, list[Record]]) -> None:
        self.records = records
        self.asked: list[str] = []

    def __call__(self, name: str) -> list[Record]:
        self.asked.append(name)
        return self.records.get(name, [])


def test_the_nearest_records_decide() -> None:
    zone = Zone({"example.jp": [ISSUE], "jp": [OTHER]})
    assert climb("a.www.example.jp", zone) == ("example.jp", [ISSUE])
    assert zone.asked == ["a.www.example.jp", "www.example.jp", "example.jp"]


def test_without_records_the_climb_ends_below_the_root() -> None:
    zone = Zone({"": [OTHER]})
    assert climb("www.example.jp", zone) == ("", ())
    assert zone.asked == ["www.example.jp", "example.jp", "jp"]


def test_a_wildcards_climb_begins_at_its_parent() -> None:
    zone = Zone({})
    climb("*.example.jp", zone)
    assert zone.asked == ["example.jp", "jp"]


def test_a_failed_look_up_is_not_no_record() -> None:
    def look_up(_name: str) -> list[Record]:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        climb("www.example.jp", look_up)


@pytest.mark.parametrize(
    ("name", "records", "permission"),
    [
        ("a.jp", [], Permission.NO_RECORD),
        ("a.jp", [ISSUE], Permission.ALLOWED),
        ("a.jp", [OTHER], Permission.FORBIDDEN),
        ("a.jp", [OTHER, ISSUE], Permission.ALLOWED),
        ("a.jp", [Record(0, "ISSUE", " JPRS.jp ")], Permission.ALLOWED),
        ("a.jp", [Record(0, "issue", "jprs.jp; policy=ev")], Permission.ALLOWED),
        ("a.jp", [Record(0, "issue", "jprs.jp.example")], Permission.FORBIDDEN),
        ("a.jp", [Record(0, "issue", "www.jprs.jp")], Permission.FORBIDDEN),
        ("a.jp", [Record(0, "issue", ";")], Permission.FORBIDDEN),
        ("a.jp", [Record(0, "issue", "")], Permission.FORBIDDEN),
        ("a.jp", [Record(0, "iodef", "mailto:a@a.jp")], Permission.ALLOWED),
        ("a.jp", [Record(0, "issuewild", "ca.example")], Permission.ALLOWED),
        ("*.a.jp", [Record(0, "issuewild", "ca.example"), ISSUE], Permission.FORBIDDEN),
        ("*.a.jp", [Record(0, "issuewild", "jprs.jp"), OTHER], Permission.ALLOWED),
        ("*.a.jp", [ISSUE], Permission.ALLOWED),
        ("*.a.jp", [OTHER], Permission.FORBIDDEN),
        ("a.jp", [Record(0, "issuewild", "jprs.jp"), OTHER], Permission.FORBIDDEN),
        ("a.jp", [Record(128, "issue", "jprs.jp")], Permission.ALLOWED),
        ("a.jp", [Record(128, "tbs", "unknown"), ISSUE], Permission.CRITICAL),
        ("a.jp", [Record(0, "tbs", "unknown"), ISSUE], Permission.ALLOWED),
        ("a.jp", [Record(0, "tbs", "unknown")], Permission.ALLOWED),
    ],
)
def test_what_records_say(name: str, records: list[Record], permission: Permission) -> None:
    assert judge(name, "a.jp", records).permission is permission


def test_what_the_user_is_told() -> None:
    judgement = judge("a.jp", "jp", [Record(0, "issue", "z.example"), OTHER, OTHER])
    assert judgement.where == "jp"
    assert judgement.issuers == ("ca.example", "z.example")
    assert judge("a.jp", "jp", [Record(128, "tbs", "x")]).tag == "tbs"
    conditional = judge("a.jp", "jp", [Record(0, "issue", "jprs.jp; validationmethods=dns-01")])
    assert conditional.parameters == "validationmethods=dns-01"
