"""Every command of the READMEs and of the manual does what the document says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.comparing import difference
from tests.docs.exceptions import EXCEPTIONS, excepted
from tests.docs.markdown import ROOT, Command, Document, documents, is_japanese, read
from tests.docs.scene import Scene
from tests.lab import World


def perform(world: World, document: Document, name: str, *, japanese: bool) -> None:
    """Runs a document's commands in order.

    Args:
        world: as if new.
        document: what to run.
        name: of the document, for the reader of a failure.
        japanese: whether it is in Japanese.

    Raises:
        AssertionError: a command ended with another exit status, or said something else.
    """
    scene = Scene(world, japanese=japanese)
    for step in document.steps:
        if not isinstance(step, Command):
            scene.set(step)
        elif excepted(step.text) is None:
            done = scene.run(step)
            where = f"{name}:{step.line}: {step.text}"
            status = f"exit status {done.returncode}, not {step.status}"
            assert done.returncode == step.status, f"{where}: {status}\n{done.stdout}"
            if step.output:
                said = difference(step.output, done.stdout)
                assert not said, f"{where}: says something else\n{said}"


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_command_does_what_the_document_says(world: World, path: Path) -> None:
    document = read(path.read_text(encoding="utf-8"))
    name = str(path.relative_to(ROOT))
    perform(world, document, name, japanese=is_japanese(path))


def test_each_exception_is_needed() -> None:
    texts = [path.read_text(encoding="utf-8") for path in documents()]
    typed = [command.text for text in texts for command in read(text).commands]
    used = {excepted(each) for each in typed}
    assert [each for each in EXCEPTIONS if each not in used] == []


GOOD = """\
<!-- scene: account; issued www.example.jp -->

```console
# certbot certificates --cert-name www.example.jp
…
  Certificate Name: www.example.jp
…
    Key Type: RSA
…
```
"""

SABOTAGED = {
    "a command that there is not": (
        ("certbot certificates", "certbot certificate"),
        r"guide\.md:4: .*exit status 2, not 0",
    ),
    "an option that there is not": (
        ("--cert-name", "--certificate"),
        r"guide\.md:4: .*exit status 2, not 0",
    ),
    "output of another version": (
        ("Key Type: RSA", "Key Type: ECDSA"),
        r"guide\.md:4: .*says something else\n(.*\n)*? *-    Key Type: ECDSA\n",
    ),
    "a failure that is none": (
        ("…\n```", "…\n(exit status 1)\n```"),
        r"guide\.md:4: .*exit status 0, not 1",
    ),
}


def test_a_document_that_is_right_passes(world: World) -> None:
    perform(world, read(GOOD), "guide.md", japanese=False)


@pytest.mark.parametrize("which", SABOTAGED)
def test_one_that_is_wrong_fails_and_says_where(world: World, which: str) -> None:
    (right, wrong), said = SABOTAGED[which]
    with pytest.raises(AssertionError, match=said):
        perform(world, read(GOOD.replace(right, wrong)), "guide.md", japanese=False)
