"""How documents are read and compared."""

from __future__ import annotations

import pytest

from tests.docs.comparing import difference
from tests.docs.markdown import Command, Setting, read

TEXT = """\
# Title

<!-- scene: vhost a.jp; lag 5 -->

```console
# first \\
    --option
said
…
$ second
(exit status 3)
```

```{include} a.md
# no command
```

## Part
<!-- then:
due a.jp
-->
"""


def test_a_document_has_headings_commands_and_settings() -> None:
    found = read(TEXT)
    assert found.headings == [(1, "Title"), (2, "Part")]
    assert [block.language for block in found.blocks] == ["console", "{include} a.md"]
    assert found.steps == [
        Setting(3, True, ("vhost a.jp", "lag 5")),
        Command(6, "first \\\n    --option", ("said", "…")),
        Command(10, "second", (), 3),
        Setting(19, False, ("due a.jp",)),
    ]


@pytest.mark.parametrize("text", ["```console\nno prompt\n```", "```console\n# open"])
def test_what_cannot_be_read_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="line "):
        read(text)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (["Expires 2027-02-22"], "Expires 2026-01-01\n"),
        (["0:10 so far"], "0:20 so far\n"),
        (["begin", "…", "end"], "begin\nend\n"),
        (["begin", "…", "end"], "begin\na\nb\nend\n"),
        (["in a f…"], "in a few words\n"),
        (["trailing"], "trailing  \n"),
    ],
)
def test_what_differs_from_run_to_run_is_the_same(shown: list[str], said: str) -> None:
    assert difference(shown, said) == ""


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (["Expires 2027-02-22"], "Expires never\n"),
        (["begin", "end"], "begin\na\nend\n"),
        (["begin"], "begin\nand more\n"),
        (["begin", "…", "end"], "begin\nEnd\n"),
        (["4 files"], "5 files\n"),
        (["a.b"], "a:b\n"),
    ],
)
def test_what_does_not_is_not(shown: list[str], said: str) -> None:
    assert "in the lab" in difference(shown, said)
