"""Each error of JPRS's is explained as what it is, by texts of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from certbot_jprs.ground import language
from certbot_jprs.problems.matching import Explanation, explain
from tests.meanings import MEANINGS, Meaning


@pytest.fixture(params=["en", "ja"])
def code(request: pytest.FixtureRequest) -> Iterator[str]:
    """The language."""
    language.start(request.param)
    yield request.param
    language.start(None)


def explained(each: Meaning) -> Explanation:
    explanation = explain(each.kind, each.words, each.status)
    assert explanation is not None
    return explanation


@pytest.mark.parametrize("each", MEANINGS, ids=lambda each: each.id)
def test_names_what_it_must(each: Meaning, code: str) -> None:
    explanation = explained(each)
    assert each.missing(code, explanation.meaning, explanation.step) == []


@pytest.mark.parametrize("each", MEANINGS, ids=lambda each: each.id)
def test_no_other_explanation_would_do(each: Meaning, code: str) -> None:
    """The twin: had the plugin's table two rows confused, the test above would notice."""
    for other in MEANINGS:
        if other is not each:
            explanation = explained(other)
            meaning = explanation.meaning.replace(other.value or "\0", each.value)
            assert each.missing(code, meaning, explanation.step), other.id


def test_the_whole_table_of_jprs() -> None:
    assert len(MEANINGS) == 27  # two of the 29 stand twice, for orders and for authorizations
    assert len({(each.kind, each.status, each.words) for each in MEANINGS}) == 27
