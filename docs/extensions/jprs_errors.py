"""The directive ``jprs-errors``: the page of JPRS's errors, made from the program's own table.

What the manual says of an error is what the program says: same words, same translation.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

from certbot_jprs.ground import language
from certbot_jprs.problems.rows import Row
from certbot_jprs.problems.table import TABLE

HEADS = {
    "en": ("HTTP status", "Meaning", "Next step"),
    "ja": ("HTTPステータスコード", "意味", "対処方法"),
}
TWICE = {
    "en": "Stands twice in JPRS's table: for orders and for authorizations.",
    "ja": "JPRSの表では、オーダーと認可オブジェクトの2行に分かれています。",
}
BOTH = ("Validity period of application has been expired", "Unable to accept order")


class JprsErrors(SphinxDirective):
    """A section for each error: the server's words, what they mean, what to do next."""

    def run(self) -> list[nodes.Node]:
        """Makes the sections, in the language of the page.

        Raises:
            ExtensionError: the catalogue of that language is not there; see ``make catalogue``.
        """
        tongue = self.config.language
        language.start(tongue)
        if tongue != language.ENGLISH and TABLE[0].explain("").meaning == TABLE[0].meaning:
            raise ExtensionError(f"no catalogue, or no UTF-8, for {tongue}")
        return [self._section(row, tongue) for row in TABLE]

    def _section(self, row: Row, tongue: str) -> nodes.section:
        said = row.explain("")
        title = f"{row.kind}: {row.message.rstrip(' :')}"
        section = nodes.section("", nodes.title(title, title), ids=[nodes.make_id(title)])
        self.state.document.note_implicit_target(section)
        items = nodes.bullet_list()
        heads = HEADS[tongue]
        for head, text in zip(heads, (str(row.status), said.meaning, said.step)):
            paragraph = nodes.paragraph("", "", nodes.strong("", head), nodes.Text(f": {text}"))
            items += nodes.list_item("", paragraph)
        if row.message in BOTH:
            items += nodes.list_item("", nodes.paragraph("", TWICE[tongue]))
        section += items
        return section


def setup(app: Sphinx) -> dict[str, bool]:
    """Registers the directive."""
    app.add_directive("jprs-errors", JprsErrors)
    return {"parallel_read_safe": True}
