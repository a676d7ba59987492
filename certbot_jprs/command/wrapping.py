"""Lines for a terminal, broken where English or Japanese may be.

Rules of this file: text in, text out; widths as in ``table``. English breaks at spaces, Japanese
between characters, save within a word of katakana, before a closing mark and after an opening one
(JIS X 4051).
"""

from __future__ import annotations

import re

from certbot_jprs.command.table import width

_OPENING = "（「『［"  # noqa: RUF001 - marks of full width
_CLOSING = "、。）」』］・：；！？ぁぃぅぇぉっゃゅょ"  # noqa: RUF001 - likewise
_KATAKANA = "ァ-ヶー"
_WIDE = "\u3000-\u9fff\uff01-\uffef"
_PIECE = re.compile(
    rf"\s+|[{_OPENING}]*(?:[{_KATAKANA}]+|[^\s{_WIDE}]+|[^\s{_OPENING}])[{_CLOSING}]*|[{_OPENING}]+"
)


def wrap(text: str, columns: int) -> list[str]:
    """Breaks a paragraph into lines.

    Args:
        text: the paragraph, in one line.
        columns: how wide a line may be; a longer word stays in one piece.

    Returns:
        The lines, one at least, without spaces at their ends.
    """
    lines = [""]
    for piece in _PIECE.findall(text):
        if width((lines[-1] + piece).rstrip()) > columns and lines[-1].strip():
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        if lines[-1] or piece.strip() or len(lines) == 1:
            lines[-1] += piece
    lines[-1] = lines[-1].rstrip()
    return lines
