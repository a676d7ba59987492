"""The table of ``make compat`` says what failed, what was skipped and what was not run at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat import table

REPORT = """\
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="2" tests="6" time="61.5">
<testcase classname="tests.e2e.a" name="test_one" time="1"/>
<testcase classname="tests.e2e.a" name="test_two" time="1"/>
<testcase classname="tests.e2e.a" name="test_three"><failure message="no">no</failure></testcase>
<testcase classname="tests.e2e.a" name="test_four"><error message="no">no</error></testcase>
<testcase classname="tests.e2e.a" name="test_four"/>
<testcase classname="tests.e2e.a" name="test_five"><skipped message="too old: x"/></testcase>
<testcase classname="tests.e2e.a" name="test_six"><skipped message="too old: x"/></testcase>
</testsuite></testsuites>
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """The results of two environments: one failed, one could not be run."""
    (tmp_path / "old.which").write_text("1.21.0 3.10.13\n")
    (tmp_path / "old.xml").write_text(REPORT)
    return tmp_path


def test_it_tells_what_happened(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert table.main(str(results), "old", "absent") == 1
    head, _rule, old, absent, *below = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in head.split("|")[1:-1]] == list(table.HEAD)
    cells = [cell.strip() for cell in old.split("|")[1:-1]]
    assert cells == ["old", "1.21.0", "3.10.13", "2", "2", "2", "1:01"]
    assert "not run" in absent
    assert below == [
        "",
        "old:",
        "- 2 skipped: too old: x",
        "- FAILED tests.e2e.a::test_three",
        "- FAILED tests.e2e.a::test_four",
    ]


@pytest.mark.parametrize(("ci", "status"), [("", 0), ("1", 1)])
def test_what_was_not_run_fails_in_ci_only(
    results: Path, monkeypatch: pytest.MonkeyPatch, ci: str, status: int
) -> None:
    monkeypatch.setenv("CI", ci)
    good = REPORT.replace("<failure", "<system-out").replace("</failure", "</system-out")
    good = good.replace("<error", "<system-out").replace("</error", "</system-out")
    (results / "old.xml").write_text(good)
    assert table.main(str(results), "old") == 0
    assert table.main(str(results), "old", "absent") == status
