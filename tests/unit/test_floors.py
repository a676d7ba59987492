"""The floors of the house: an import that goes upward, around or past the door is noticed."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import certbot_jprs

CHECKOUT = Path(certbot_jprs.__file__).parent.parent

FORBIDDEN = {
    "upward": ("ocsp/evaluation", "certbot_jprs.wait.gate", "floors below it BROKEN"),
    "along a floor": ("problems/table", "certbot_jprs.holding.turn", "floors below it BROKEN"),
    "a circle": ("ocsp/questions", "certbot_jprs.ocsp.asking", "in a circle BROKEN"),
    "past the door": ("plugin", "certbot_jprs.rules.policy", "through the door BROKEN"),
    "private": ("lineage/files", "certbot._internal.storage", "in the cellar alone BROKEN"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the package with its contracts."""
    ignore = shutil.ignore_patterns("__pycache__", "locale")
    shutil.copytree(CHECKOUT / "certbot_jprs", tmp_path / "certbot_jprs", ignore=ignore)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def check(checkout: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=checkout,
        env={"PYTHONPATH": str(checkout), "COLUMNS": "200"},
        check=False,
        capture_output=True,
        text=True,
        timeout=280,
    )


@pytest.mark.parametrize(("module", "imported", "words"), FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_forbidden_import_is_noticed(
    checkout: Path, module: str, imported: str, words: str
) -> None:
    path = checkout / "certbot_jprs" / f"{module}.py"
    path.write_text(f"{path.read_text()}\nimport {imported}\n")
    result = check(checkout)
    assert result.returncode == 1
    assert words in result.stdout


def test_what_is_not_measured_says_why() -> None:
    """Lines that coverage leaves out: each has its reason behind it."""
    silent = [
        f"{path.name}:{number}"
        for path in (CHECKOUT / "certbot_jprs").rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "pragma:" in line and re.search(r"# pragma: no (?:cover|branch) - \w+ \w+", line) is None
    ]
    assert silent == []


def test_the_house_as_it_stands_is_in_order(checkout: Path) -> None:
    result = check(checkout)
    assert result.returncode == 0, result.stdout


def test_no_module_and_no_function_is_too_long() -> None:
    """Of a module 300 lines are read at once, of a function 50."""
    found = []
    for path in (CHECKOUT / "certbot_jprs").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        nodes = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
        spans = [
            (path.name, 300, len(text.splitlines())),
            *((each.name, 50, (each.end_lineno or 0) - each.lineno + 1) for each in nodes),
        ]
        found += [f"{name}: {lines}" for name, most, lines in spans if lines > most]
    assert found == []
