"""Documents say the same in both languages; READMEs are short, and point to what exists."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, Document, documents, in_english, is_japanese, read

ENGLISH, JAPANESE = ROOT / "README.md", ROOT / "README.ja.md"
MOST_LINES = 205
# What a reader of JPRS's manual looks for.
WORDS = ("失効", "緊急連絡", "強制更新", "30日", "renew_before_expiry", "RHEL", "sleep 10m")
MANUALS_LINE = '0 0,12 * * * certbot renew --deploy-hook "sleep 10m;systemctl reload httpd"'


def same(english: str, japanese: str) -> list[str]:
    """Returns in what two documents differ: headings, blocks, settings, commands."""
    one, other = read(english), read(japanese)

    def levels(document: Document) -> list[int]:
        return [level for level, _ in document.headings]

    def shown(document: Document) -> list[tuple[str, ...]]:
        blocks = document.blocks
        # What is included is there in both languages, too.
        kinds = [b.language.replace(".ja.", ".en.") for b in blocks]
        return [(k, *(() if k == "console" else b.lines)) for k, b in zip(kinds, blocks)]

    def done(document: Document) -> list[tuple[object, ...]]:
        return [tuple(vars(step).items())[1:2] for step in document.steps]

    def statements(document: Document) -> list[object]:
        return [getattr(step, "statements", None) for step in document.steps]

    checks = {"headings": levels, "blocks": shown, "commands": done, "scenes": statements}
    return [what for what, of in checks.items() if of(one) != of(other)]


JAPANESE_ONES = [path for path in documents() if is_japanese(path)]


@pytest.mark.parametrize("path", JAPANESE_ONES, ids=lambda path: str(path.relative_to(ROOT)))
def test_both_have_the_same_headings_and_blocks(path: Path) -> None:
    english = in_english(path).read_text(encoding="utf-8")
    assert same(english, path.read_text(encoding="utf-8")) == []


def test_no_document_is_in_english_alone() -> None:
    assert {in_english(path) for path in JAPANESE_ONES} == set(documents()) - set(JAPANESE_ONES)


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (lambda text: text.replace("\n## ", "\n### ", 1), ["headings"]),
        (lambda text: text.replace("# certbot -q renew", "# certbot renew -q", 1), ["commands"]),
        (lambda text: text.replace("lag 2", "lag 3", 1), ["scenes"]),
        (lambda text: text.replace("```diff\n-0 0,12", "```diff\n-0 0", 1), ["blocks"]),
    ],
)
def test_one_that_differs_is_found(spoil: object, what: list[str]) -> None:
    text = ENGLISH.read_text(encoding="utf-8")
    assert callable(spoil)
    assert set(what) <= set(same(text, spoil(text)))


@pytest.mark.parametrize("path", [ENGLISH, JAPANESE], ids=lambda path: path.name)
def test_it_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_readers_of_jprs_manual_find_its_words() -> None:
    text = JAPANESE.read_text(encoding="utf-8")
    assert [word for word in (*WORDS, MANUALS_LINE) if word not in text] == []
    assert MANUALS_LINE in ENGLISH.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("path", "reseller"),
    [
        (ENGLISH, "ask neither JPRS nor the reseller"),
        (JAPANESE, "JPRSにも指定事業者にも問い合わせないで"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_it_says_whom_to_ask_and_whom_not(path: Path, reseller: str) -> None:
    section = path.read_text(encoding="utf-8").partition(reseller)[2].partition("\n## ")[0]
    assert "](../../issues)" in section
    assert "community.letsencrypt.org" in section


def anchor(heading: str) -> str:
    """Returns the anchor that GitHub gives a heading."""
    kept = (c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN")
    return "".join(kept).replace(" ", "-")


def lost(path: Path) -> list[str]:
    """Returns the links of a document that lead nowhere in this repository."""
    text = path.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    found = []
    for link in links:
        target, _, fragment = link.partition("#")
        if "://" in target or target.startswith("../../"):  # the web; the repository's own pages
            continue
        there = path.parent / target if target else path
        if not there.exists():
            found.append(link)
        elif fragment:
            headings = read(there.read_text(encoding="utf-8")).headings
            if fragment not in {anchor(heading) for _, heading in headings}:
                found.append(link)
    return found


DOCUMENTS = [*documents(), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_its_links_lead_somewhere(path: Path) -> None:
    assert lost(path) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](#here) [b](#there) [c](none.md) [d](https://example.jp/)\n")
    assert lost(page) == ["#there", "none.md"]
