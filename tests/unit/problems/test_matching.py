"""The errors of JPRS's table: recognised exactly, explained with their values, nothing invented."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certbot_jprs.ground import language
from certbot_jprs.problems.matching import CHALLENGE, Problem, explain, find, find_in_text
from certbot_jprs.problems.rows import Row
from certbot_jprs.problems.table import OTHERS, TABLE

URN = "urn:ietf:params:acme:error:"
VALUE = "日本語.example/{}%s"

rows = pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.kind}-{row.message[:24]}")


def words(row: Row) -> str:
    """Returns JPRS's message, with a value where there is one."""
    return f"{row.message} [{VALUE}]" if row.unnamed else row.message


@pytest.fixture(params=["en", "ja"], autouse=True)
def _language(request: pytest.FixtureRequest) -> object:
    language.start(request.param)
    yield
    language.start(None)


@rows
def test_each_row_is_found_by_its_own_words(row: Row) -> None:
    for kind in (row.kind, URN + row.kind, "urn:acme:error:" + row.kind, row.kind.upper()):
        assert find(kind, words(row), row.status) is row
        assert find(kind, words(row)) is row
    # What the server might change without changing what it says.
    assert find(row.kind, f"  {words(row).replace(' ', '  ').rstrip('.:')} \n") is row
    assert find(row.kind, words(row).replace("The ", "the ")) is row


@rows
def test_each_row_explains_with_its_value(row: Row) -> None:
    explanation = explain(row.kind, words(row))
    assert explanation is not None
    assert explanation.meaning
    assert explanation.step
    assert (VALUE in str(explanation)) == bool(row.unnamed)
    assert "{value}" not in str(explanation)
    without = explain(row.kind, row.message)
    assert without is not None
    assert "()" not in str(without)
    assert "\uff08\uff09" not in str(without)  # the same in Japanese
    assert "  " not in str(without)
    assert not str(without).startswith(" ")


@rows
def test_a_type_with_one_meaning_needs_no_words(row: Row) -> None:
    for detail in ("Words that are new", "", None):
        found = find(row.kind, detail)
        assert found is (row if row.alone else None)


def test_types_with_several_meanings_need_words() -> None:
    assert {row.kind for row in TABLE if not row.alone} == {"malformed", "unauthorized"}
    several = [row.kind for row in TABLE if [other.kind for other in TABLE].count(row.kind) > 1]
    assert set(several) == {"malformed"}


def test_the_whole_table_is_there() -> None:
    assert len(TABLE) == 27  # two of the 29 stand twice, for orders and for authorizations
    assert len({(row.kind, row.status, row.message) for row in TABLE}) == 27
    assert {row.status for row in TABLE} == {400, 401, 403, 405, 415, 500}


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("malformed", "The FQDN"),
        ("malformed", "Parse error reading JWS"),
        ("unauthorized", "The key authorization file from the server did not match"),
        ("dns", "DNS problem: NXDOMAIN"),
        ("userActionRequired", "Visit the website"),
        ("somethingNew", "The FQDN is invalid: [a.jp]"),
        ("", ""),
        ("about:blank", "Unable to create account"),
    ],
)
def test_what_is_not_known_is_not_explained(kind: str, detail: str) -> None:
    assert explain(kind, detail) is None


def test_too_many_requests_get_a_neutral_hint() -> None:
    explanation = explain("rateLimited", "There were too many requests")
    assert explanation is not None
    assert "JPRS" not in str(explanation)


def test_unauthorized_of_a_challenge_is_another() -> None:
    (row,) = (row for row in TABLE if row.kind == "unauthorized")
    account = explain("unauthorized", row.message)
    challenge = explain("unauthorized", row.message, where=CHALLENGE)
    assert None not in (account, challenge)
    assert account != challenge
    assert explain("unauthorized", "404", 403, CHALLENGE) == challenge
    assert find("caa", None, where=CHALLENGE) is find("caa", None)


@pytest.mark.parametrize("kind", ["rejectedIdentifier", "malformed"])
def test_a_name_that_cannot_be_issued_is_first_a_matter_of_the_reseller(kind: str) -> None:
    detail = "The FQDN is invalid: [a.jp]" if kind == "malformed" else ""
    explanation = explain(kind, detail)
    assert explanation is not None
    reseller = "指定事業者" if language.chosen() == "ja" else "designated reseller"
    assert reseller in explanation.meaning
    assert explanation.step.startswith(("First check with", "まず"))


# In texts


@rows
@pytest.mark.parametrize(
    ("form", "where"),
    [
        ("{detail}", None),
        ("An unexpected error occurred:\n{detail}\nAsk for help", None),
        ("Unable to register. Error returned by the ACME server: {detail}", None),
        ("2026-11-23 12:00:00,001:ERROR:certbot._internal.log:{detail}", None),
        ("Failed to renew certificate a.jp with error: {detail}", None),
        ("acme.messages.Error: {urn} :: {detail}", None),
        (
            "acme.messages.Error: {urn} :: The client lacks sufficient authorization :: {detail}",
            None,
        ),
        ("  Domain: a.jp\n  Type:   {kind}\n  Detail: {detail}\n\nHint: none", CHALLENGE),
        ('HTTP 400\n\n{{\n  "type": "{urn}",\n  "detail": {json},\n  "status": {status}\n}}', None),
        ('{{"error": {{"status": {status}, "detail": {json}, "type": "{urn}"}}}}', CHALLENGE),
    ],
)
def test_found_in_a_text(row: Row, form: str, where: str | None) -> None:
    detail = words(row)
    text = form.format(
        detail=detail,
        kind=row.kind,
        urn=URN + row.kind,
        json=json.dumps(detail),
        status=row.status,
    )
    (found,) = find_in_text(text)
    assert found.kind == row.kind
    assert found.detail == detail
    assert found.where == where
    assert found.status in (None, row.status)
    assert found.explanation == explain(row.kind, detail, row.status, where)


def test_several_in_a_log_each_once_in_their_order() -> None:
    text = (
        "Arguments: ['--eab-kid', 'kid-1', '--eab-hmac-key', 'c2VjcmV0']\n"
        f'{{"type": "{URN}badNonce", "detail": "old nonce", "status": 400}}\n'
        "Traceback (most recent call last):\n"
        f"acme.messages.Error: {URN}caa :: Certification Authority Authorization (CAA) records "
        "forbid the CA from issuing a certificate :: CAA records forbid the CA from issuing a "
        "certificate\n"
        "2026:ERROR:certbot:CAA records forbid the CA from issuing a certificate\n"
        f"{URN}somethingNew :: Words\n"
    )
    found = find_in_text(text)
    assert found == [
        Problem("badNonce", "old nonce", 400),
        Problem("caa", "CAA records forbid the CA from issuing a certificate"),
        Problem("somethingNew", "Words"),
    ]
    assert found[-1].explanation is None
    assert "c2VjcmV0" not in repr(found)
    assert "kid-1" not in repr(found)


@pytest.mark.parametrize(
    "text", ["", "Congratulations!", "The FQDN", '"detail": "Unable to create account"', URN]
)
def test_nothing_in_a_text(text: str) -> None:
    assert find_in_text(text) == []


PARTS = [
    *(
        "{",
        "}",
        '"',
        "\\",
        "\n",
        " :: ",
        '"type": "',
        URN,
        '"detail": "',
        '"status": ',
        "Type: a\n",
    ),
    "Detail: ",
    *(row.message for row in (*TABLE, *OTHERS)),
]


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.sampled_from(PARTS),
        )
    )
)
def test_no_text_raises(parts: list[str]) -> None:
    for problem in find_in_text("".join(parts)):
        assert problem.kind
        str(problem.explanation)


@rows
def test_an_explanation_is_not_taken_for_an_error(row: Row) -> None:
    assert find_in_text(str(explain(row.kind, words(row)))) == []


def test_a_message_that_a_terminal_wrapped() -> None:
    (found,) = find_in_text("The request specified an\n  account that does not\nexist\n")
    assert found == Problem("accountDoesNotExist", TABLE[0].message)


def test_nothing_beside_the_message_is_taken_along() -> None:
    (found,) = find_in_text("Unable to create account --eab-hmac-key c2VjcmV0\n")
    assert found == Problem("malformed", "Unable to create account")
    (found,) = find_in_text("The FQDN is invalid: [a.jp] --eab-hmac-key c2VjcmV0\n")
    assert found == Problem("malformed", "The FQDN is invalid: [a.jp]")


def test_a_description_of_certbots_is_not_the_servers_words() -> None:
    (found,) = find_in_text("The client lacks sufficient authorization :: Something else\n")
    assert found == Problem("unauthorized", "Something else")
    assert found.explanation is None
    (found,) = find_in_text("The CSR is unacceptable (e.g., due to a short key) :: x\n")
    assert found.kind == "badCSR"


def test_a_large_log_takes_little_time() -> None:
    line = "2026-11-23 12:00:00,001:DEBUG:acme.client:Storing nonce: abcdef {\n"
    known = f"acme.messages.Error: {URN}malformed :: The request :: Unable to create account\n"
    document = f'{{"type": "{URN}caa", "detail": "no", "status": 403}}\n'
    text = (line * 200 + known + document) * 500
    started = time.thread_time()  # whatever else the machine is busy with
    assert len(find_in_text(text)) == 2
    assert time.thread_time() - started < 10


TYPE = f'"type": "{URN}caa", "detail": "words"'


@pytest.mark.parametrize(
    "text",
    [
        TYPE,  # no document
        f"{{ torn {TYPE}",
        f"{{ {{ torn }} {TYPE}",
        '{"of": "others"} ' * 20 + TYPE,
        '{"around": ' * 20 + TYPE,
    ],
)
def test_a_type_without_a_document_that_can_be_read(text: str) -> None:
    assert find_in_text(text) == [Problem("caa", "")]


def test_a_document_behind_what_is_none() -> None:
    assert find_in_text(f"{{ torn {{{TYPE}}} }}") == [Problem("caa", "words")]
    assert find_in_text('{"of": "others"} ' * 20 + f"{{{TYPE}}}") == [Problem("caa", "words")]
